//! One contender at work on an animation, as `attempt.rs` is on a still picture.

use std::sync::Arc;

use crate::animation::Animation;
use crate::attempt::Contest;
use crate::candidate::Contender;
use crate::error::Result;
use crate::ladder::Method;
use crate::score::Verdict;
use crate::search::Subject;

/// All frames at each quality; a file looks as good as the worst of its sampled frames.
pub struct Animated<'a> {
    pub contest: &'a Contest<'a>,
    pub contender: &'a Contender,
    pub animation: &'a Animation,
}

impl Subject for Animated<'_> {
    type File = Arc<Vec<u8>>;

    fn encode(&self, step: usize) -> Result<Arc<Vec<u8>>> {
        let encoder = self.contest.encoder(self.contender.format);
        let file = self.animation.encode(&encoder, self.contender.ladder.targets[step])?;
        if self.contender.method == Method::Lossless {
            self.animation.prove_identical(&file, self.contest.cancel)?;
        }
        Ok(Arc::new(file))
    }

    fn bytes(&self, file: &Arc<Vec<u8>>) -> u64 {
        file.len() as u64
    }

    fn judge(&self, file: &Arc<Vec<u8>>) -> Result<Verdict> {
        if self.contender.method == Method::Lossless {
            return Ok(Verdict::IDENTICAL);
        }
        let judge = |sample, shown: &_| self.contest.judge_sample(sample, shown);
        self.animation.worst_verdict(file, self.contest.cancel, judge)
    }
}
