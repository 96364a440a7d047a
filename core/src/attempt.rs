//! One contender at work: its encoder, the proof or the judge of what it made, and the search over its ladder.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use rayon::prelude::*;

use crate::animated::Animated;
use crate::animation::{Animation, Sample};
use crate::cancel::Cancel;
use crate::candidate::{Contender, Plan};
use crate::codec::{Effort, Encoder, Format, Metadata, Source, Target};
use crate::color::Profile;
use crate::curve::Curve;
use crate::decode;
use crate::error::{Error, Result, catch};
use crate::image::ImageBuffer;
use crate::ladder::Method;
use crate::limits::Limits;
use crate::options::Options;
use crate::score::{Reference, Verdict};
use crate::search::{Found, Goal, Patience, Subject, first_step, search};

/// What all contenders of a call share.
pub struct Contest<'a> {
    pub goal: Goal,
    pub effort: Effort,
    pub metadata: &'a Metadata,
    pub profile: Option<&'a Profile>,
    pub cancel: &'a Cancel,
    /// Whether colours that nobody sees must be kept too.
    pub exact: bool,
    /// Where they all encode its frames instead of their pictures.
    pub animation: Option<&'a Animation>,
    judge: OnceLock<Judge>,
}

/// Prepared references, and how long comparing took.
#[derive(Default)]
struct Judge {
    /// The picture as it is; `None` if nobody will be judged by it.
    whole: Option<Reference>,
    /// The picture on a background, for formats without alpha.
    flat: Option<Reference>,
    /// The sampled frames of an animation.
    samples: Vec<Reference>,
    nanoseconds: AtomicU64,
}

impl Judge {
    /// References for the pictures of all contenders that a search will judge.
    fn new(plan: &Plan, animation: Option<&Animation>, goal: Goal, cancel: &Cancel) -> Result<Self> {
        let started = Instant::now();
        let mut judge = Self::default();
        if let Some(animation) = animation.filter(|_| goal.judges()) {
            let reference = |sample: &Sample| Reference::new(&sample.image, cancel);
            judge.samples = animation.samples().par_iter().map(reference).collect::<Result<_>>()?;
        } else if goal.judges() {
            let judged = || plan.contenders.iter().filter(|contender| contender.method != Method::Lossless);
            let is_flat = |contender: &&Contender| contender.image.has_alpha() != plan.image.has_alpha();
            let whole = judged().find(|contender| !is_flat(contender));
            let reference = |contender: &Contender| Reference::new(&contender.image, cancel);
            judge.whole = whole.map(reference).transpose()?;
            judge.flat = judged().find(is_flat).map(reference).transpose()?;
        }
        judge.add(started);
        Ok(judge)
    }

    fn add(&self, started: Instant) {
        self.nanoseconds.fetch_add(started.elapsed().as_nanos() as u64, Ordering::Relaxed);
    }

    fn reference(&self, contender: &Contender) -> Option<&Reference> {
        let own = if contender.format == Format::Jpeg { self.flat.as_ref() } else { None };
        own.or(self.whole.as_ref())
    }
}

/// What a contender ended with.
#[derive(Debug)]
pub struct Finish {
    pub found: Found<Arc<Vec<u8>>>,
    /// What the search learned.
    pub curve: Curve,
    pub target: Target,
    pub elapsed: Duration,
}

impl<'a> Contest<'a> {
    #[must_use]
    pub fn new(
        options: &Options,
        metadata: &'a Metadata,
        profile: Option<&'a Profile>,
        animation: Option<&'a Animation>,
        cancel: &'a Cancel,
    ) -> Self {
        let (goal, effort, exact) = (options.goal(), options.effort(), options.lossless());
        Self { goal, effort, metadata, profile, cancel, exact, animation, judge: OnceLock::new() }
    }

    /// Prepares the references. Once, before anyone runs.
    pub fn prepare(&self, plan: &Plan) -> Result<()> {
        let judge = Judge::new(plan, self.animation, self.goal, self.cancel)?;
        self.judge.set(judge).map_err(|_| Error::internal("the judge was prepared before"))
    }

    /// Searches the contender's ladder. `rival`: size of a file that already meets the goal.
    pub fn run(&self, contender: &Contender, mut curve: Curve, rival: Option<u64>) -> Result<Finish> {
        let started = Instant::now();
        let mut patience = patience(self.effort, contender.image.pixel_count());
        if self.goal.on_trust {
            // Nothing has to pass.
            patience.aim = 0.0;
        }
        let found = catch(|| {
            if let Some(animation) = self.animation {
                let subject = Animated { contest: self, contender, animation };
                return search(&subject, self.goal, patience, &mut curve, rival);
            }
            let attempt = Attempt { contest: self, contender, source: Source::new(&contender.image) };
            attempt.draft(patience, &mut curve)?;
            search(&attempt, self.goal, patience, &mut curve, rival)
        })?;
        let target = contender.ladder.targets[found.best.step];
        Ok(Finish { found, curve, target, elapsed: started.elapsed() })
    }

    /// Holds `shown` against a picture that was prepared.
    fn judge(&self, of: impl FnOnce(&Judge) -> Option<&Reference>, shown: &ImageBuffer) -> Result<Verdict> {
        let started = Instant::now();
        let judge = self.judge.get().ok_or_else(|| Error::internal("nothing is prepared to compare with"))?;
        let reference = of(judge).ok_or_else(|| Error::internal("nothing to compare with"))?;
        let verdict = reference.judge(shown, self.cancel);
        judge.add(started);
        verdict
    }

    /// The same for a frame that is shown instead of one of the animation's samples.
    pub fn judge_sample(&self, sample: usize, shown: &ImageBuffer) -> Result<Verdict> {
        self.judge(|judge| judge.samples.get(sample), shown)
    }

    #[must_use]
    pub fn encoder(&self, format: Format) -> Encoder<'_> {
        Encoder { format, effort: self.effort, metadata: self.metadata, profile: self.profile, cancel: self.cancel }
    }

    /// Time spent on references and comparisons, on all threads together.
    #[must_use]
    pub fn judge_time(&self) -> Duration {
        let nanoseconds = self.judge.get().map_or(0, |judge| judge.nanoseconds.load(Ordering::Relaxed));
        Duration::from_nanos(nanoseconds)
    }
}

/// A step of AVIF's ladder is worth about 1.2 points. With 'best' an encode costs as much as everything before it, so that
/// little more than a step does not earn another; with 'fast' the first passing file is good enough.
fn patience(effort: Effort, pixels: u64) -> Patience {
    let beaten = if pixels < SMALL_PICTURE { f64::INFINITY } else { BEATEN };
    match effort {
        Effort::Instant | Effort::Fast => Patience { aim: 1.0, enough: 3.0, beaten },
        Effort::Balanced => Patience { aim: 0.4, enough: 0.4, beaten },
        Effort::Best => Patience { aim: 0.4, enough: 1.6, beaten },
    }
}

/// A file that is larger than its rival by this factor would have to look better than expected by three points or more, and
/// lose them again for its size. No first file of a contender that had a rival was so much better on the corpus's
/// pictures of at least [`SMALL_PICTURE`], and judging takes longer than making most files does.
const BEATEN: f64 = 1.2;

/// Pixels below which everything is judged: it takes next to nothing, and guesses are poor where a header is a good part
/// of the file.
const SMALL_PICTURE: u64 = 1 << 18;

struct Attempt<'a> {
    contest: &'a Contest<'a>,
    contender: &'a Contender,
    source: Source<'a>,
}

impl Attempt<'_> {
    /// Lets a quicker encoder look at the whole picture first, where this one is slow and its quality is open.
    fn draft(&self, patience: Patience, curve: &mut Curve) -> Result<()> {
        let Contender { format, ref ladder, .. } = *self.contender;
        let goal = self.contest.goal;
        let open = curve.steps() > 1 && goal.judges();
        let Some(draft) = self.contest.encoder(format).draft().filter(|_| open) else { return Ok(()) };
        let step = first_step(goal, patience.aim, curve);
        let file = draft.encoder.encode_source(&self.source, ladder.targets[step])?;
        let bytes = file.len() as f64 * draft.bytes;
        let score = self.judge(&Arc::new(file))?.judged + draft.points;
        curve.observe_draft(step, bytes, Some(score));
        Ok(())
    }
}

impl Subject for Attempt<'_> {
    type File = Arc<Vec<u8>>;

    fn encode(&self, step: usize) -> Result<Arc<Vec<u8>>> {
        let Contender { format, ref ladder, .. } = *self.contender;
        let file = self.contest.encoder(format).encode_source(&self.source, ladder.targets[step])?;
        if self.contender.method == Method::Lossless {
            prove_identical(&file, self.source.image, self.contest.exact)?;
        }
        Ok(Arc::new(file))
    }

    fn bytes(&self, file: &Arc<Vec<u8>>) -> u64 {
        file.len() as u64
    }

    /// Of the file as a decoder shows it. What was proven identical needs no comparison.
    fn judge(&self, file: &Arc<Vec<u8>>) -> Result<Verdict> {
        if self.contender.method == Method::Lossless {
            return Ok(Verdict::IDENTICAL);
        }
        let shown = show(file, &self.contender.image)?;
        self.contest.judge(|judge| judge.reference(self.contender), &shown)
    }
}

/// The samples of a file that was just made from `image`: whatever they mean, they mean the same in both.
pub fn show(file: &[u8], image: &ImageBuffer) -> Result<ImageBuffer> {
    let limits = Limits { max_pixels: image.pixel_count(), max_input_bytes: u64::MAX, ..Limits::default() };
    decode::read_header(file, &limits).and_then(|header| decode::show_own(&header, file))
}

/// Decodes `file` and compares every pixel: a promise of identity is proven, not assumed. Unless `exact`, the colour of
/// fully transparent pixels does not count.
fn prove_identical(file: &[u8], image: &ImageBuffer, exact: bool) -> Result<()> {
    let shown = show(file, image)?;
    let same = shown == *image || (!exact && shown.looks_like(image));
    if same { Ok(()) } else { Err(Error::internal("the encoded file does not show the same pixels")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::{DynamicImage, GrayImage, RgbaImage};

    fn encode(image: &ImageBuffer, format: Format) -> Vec<u8> {
        let (metadata, cancel) = (Metadata::default(), Cancel::new(None));
        let encoder = Encoder { format, effort: Effort::Fast, metadata: &metadata, profile: None, cancel: &cancel };
        encoder.encode(image, Target::Lossless).unwrap()
    }

    /// Seed fault 3: what cannot be decoded is not "identical". The guard of `lossless` fails closed.
    #[test]
    fn only_an_equal_picture_is_identical() {
        let picture = |samples: &[u8]| {
            let raster = GrayImage::from_raw(2, 2, samples.to_vec()).unwrap();
            ImageBuffer::new(DynamicImage::ImageLuma8(raster))
        };
        let image = picture(&[1, 2, 3, 4]);
        let file = encode(&image, Format::Png);
        assert_eq!(prove_identical(&file, &image, true), Ok(()));
        assert!(prove_identical(&file, &picture(&[1, 2, 3, 5]), false).is_err());
        assert!(prove_identical(&file[..file.len() - 20], &image, true).is_err());
        assert!(prove_identical(b"no image at all", &image, true).is_err());
    }

    /// The colour of a pixel that nobody sees counts only where every pixel was promised.
    #[test]
    fn hidden_colours_count_only_if_exact() {
        let picture = |hidden: u8| {
            let raster = RgbaImage::from_raw(2, 1, vec![9, 9, 9, 255, hidden, 0, 0, 0]).unwrap();
            ImageBuffer::new(DynamicImage::ImageRgba8(raster))
        };
        let file = encode(&picture(7), Format::Png);
        assert!(prove_identical(&file, &picture(8), true).is_err());
        assert_eq!(prove_identical(&file, &picture(8), false), Ok(()));
    }
}
