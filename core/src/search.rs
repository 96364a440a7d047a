//! Looks for the smallest file that is good enough, or the best one that is small enough. Knows no codec: a ladder of
//! steps from worst to best, a curve that guesses what each step gives, and closures that encode and judge.
//!
//! Neither size nor score is a monotone function of quality, so nothing is concluded from order alone: the best passing
//! file that was really made is kept, and the curve only says where to look next.

use std::cmp::Ordering;

use crate::curve::Curve;
use crate::error::Result;
use crate::score::Verdict;

/// Most encodes of one search.
pub const MAX_ENCODES: u32 = 7;

/// What is asked of a file.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Goal {
    /// SSIMULACRA2 that it must reach.
    pub min_score: Option<f64>,
    /// Size in bytes that it must not exceed.
    pub max_bytes: Option<u64>,
    /// Whether the best look within `max_bytes` is sought, and not the smallest size.
    pub best_look: bool,
    /// Whether files are made as they are expected to look right, and not judged. Not beside `max_bytes`, for which they may
    /// have to be made smaller than that.
    pub on_trust: bool,
}

impl Goal {
    /// Whether files must be judged.
    #[must_use]
    pub fn needs_score(&self) -> bool {
        self.min_score.is_some() || self.best_look
    }

    /// Whether that is done.
    #[must_use]
    pub fn judges(&self) -> bool {
        self.needs_score() && !self.on_trust
    }

    #[must_use]
    pub fn fits(&self, bytes: u64) -> bool {
        self.max_bytes.is_none_or(|most| bytes <= most)
    }

    /// A file without a score looks right if no score is asked for, or on trust, and not otherwise.
    #[must_use]
    pub fn looks_right(&self, score: Option<f64>) -> bool {
        self.min_score.is_none_or(|least| score.map_or(self.on_trust, |score| score >= least))
    }

    #[must_use]
    pub fn is_met(&self, bytes: u64, score: Option<f64>) -> bool {
        self.fits(bytes) && self.looks_right(score)
    }

    /// Orders files, size and score of each, the better one first.
    ///
    /// 1. Those that meet the goal: by size, or by score where the best look is sought.
    /// 2. Those that only fit `max_bytes`: by score.
    /// 3. The rest: by size.
    #[must_use]
    pub fn compare(&self, a: (u64, Option<f64>), b: (u64, Option<f64>)) -> Ordering {
        let class = |(bytes, score)| match (self.fits(bytes), self.looks_right(score)) {
            (true, true) => 0,
            (true, false) => 1,
            (false, _) => 2,
        };
        let look = |score: Option<f64>| score.unwrap_or(f64::NEG_INFINITY);
        let by_look = look(b.1).total_cmp(&look(a.1)).then(a.0.cmp(&b.0));
        class(a).cmp(&class(b)).then(match class(a) {
            0 if self.best_look => by_look,
            1 => by_look,
            _ => a.0.cmp(&b.0),
        })
    }
}

/// How hard to look for the last byte.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// Points above the floor that the first guess aims at, so that it passes more often than not.
    pub aim: f64,
    /// Points above the floor that are near enough to stop.
    pub enough: f64,
    /// Factor by which a file may be larger than its rival before it is not even judged.
    pub beaten: f64,
}

/// One file that was made.
#[derive(Debug, Clone)]
pub struct Probe<F> {
    pub step: usize,
    pub file: F,
    pub bytes: u64,
    /// What the goal is held against; `None` where nobody needed to know.
    pub score: Option<f64>,
    /// SSIMULACRA2, which of a small picture may be more.
    pub reported: Option<f64>,
}

/// What a search ends with.
#[derive(Debug)]
pub struct Found<F> {
    pub best: Probe<F>,
    pub encodes: u32,
}

/// Encodes one step; judges one file.
pub trait Subject {
    type File;
    fn encode(&self, step: usize) -> Result<Self::File>;
    fn bytes(&self, file: &Self::File) -> u64;
    fn judge(&self, file: &Self::File) -> Result<Verdict>;
}

/// The best file for `goal` on the ladder that `curve` describes, after at most [`MAX_ENCODES`] encodes.
///
/// `rival` is the size of a file that already meets the goal: once nothing smaller can be expected here the search ends,
/// with what it has.
pub fn search<S: Subject>(
    subject: &S,
    goal: Goal,
    patience: Patience,
    curve: &mut Curve,
    rival: Option<u64>,
) -> Result<Found<S::File>> {
    let mut state = State { subject, goal, patience, curve, probes: Vec::new() };
    while (state.probes.len() as u32) < MAX_ENCODES {
        let Some(step) = state.next_step(rival) else { break };
        state.probe(step, rival)?;
    }
    Ok(state.finish())
}

/// Where the curve expects the goal to be met, `aim` points above a floor; the nearest end of the ladder if nowhere.
#[must_use]
pub fn first_step(goal: Goal, aim: f64, curve: &Curve) -> usize {
    match (goal.min_score, goal.max_bytes) {
        (Some(floor), _) => curve.step_for_score(floor + aim).unwrap_or(curve.steps() - 1),
        (None, Some(most)) => curve.step_for_bytes(most).unwrap_or(0),
        (None, None) => 0,
    }
}

struct State<'a, S: Subject> {
    subject: &'a S,
    goal: Goal,
    patience: Patience,
    curve: &'a mut Curve,
    probes: Vec<Probe<S::File>>,
}

impl<S: Subject> State<'_, S> {
    fn probe(&mut self, step: usize, rival: Option<u64>) -> Result<()> {
        let file = self.subject.encode(step)?;
        let bytes = self.subject.bytes(&file);
        let beaten = rival.is_some_and(|rival| bytes as f64 >= self.patience.beaten * rival as f64);
        // A file over the budget is no answer; its look matters only to a floor that is searched for.
        let judge = (self.goal.min_score.is_some() && !beaten) || (self.goal.best_look && self.goal.fits(bytes));
        let verdict = if judge && self.goal.judges() { Some(self.subject.judge(&file)?) } else { None };
        let (score, reported) = verdict.map(|verdict| (verdict.judged, verdict.score)).unzip();
        self.curve.observe(step, bytes, score);
        self.probes.push(Probe { step, file, bytes, score, reported });
        Ok(())
    }

    /// Where to look next; `None` when looking further is not worth an encode.
    fn next_step(&self, rival: Option<u64>) -> Option<usize> {
        if self.probes.is_empty() {
            return Some(first_step(self.goal, self.patience.aim, self.curve));
        }
        if self.curve.steps() == 1 || !self.goal.needs_score() {
            return None;
        }
        match self.goal.min_score {
            Some(floor) => match self.next_for_score(floor, rival) {
                Some(step) => Some(step),
                // Good enough is too large: the best that fits, then.
                None => self.goal.max_bytes.filter(|_| !self.is_met()).and_then(|most| self.next_for_bytes(most)),
            },
            None => self.goal.max_bytes.and_then(|most| self.next_for_bytes(most)),
        }
    }

    fn is_met(&self) -> bool {
        self.probes.iter().any(|probe| self.goal.is_met(probe.bytes, probe.score))
    }

    fn tried(&self, step: usize) -> bool {
        self.probes.iter().any(|probe| probe.step == step)
    }

    fn next_for_score(&self, floor: f64, rival: Option<u64>) -> Option<usize> {
        let last = self.curve.steps() - 1;
        let passing = self.probes.iter().filter(|p| self.goal.looks_right(p.score)).min_by_key(|p| p.bytes);
        let failing = self.probes.iter().filter(|p| !self.goal.looks_right(p.score));
        // A failing file that is not smaller than a rival, or than the budget, by far: nothing can be won from here.
        let bound = rival.into_iter().chain(self.goal.max_bytes).min();
        let latest = self.probes.last()?;
        if passing.is_none() && bound.is_some_and(|bound| latest.bytes >= bound) {
            return None;
        }
        let Some(passing) = passing else {
            let worst = failing.map(|probe| probe.step).max().unwrap_or(0);
            let next = self.curve.step_for_score(floor + self.patience.aim / 2.0).unwrap_or(last).max(worst + 1);
            return (next <= last).then_some(next);
        };
        let floor_step = failing.map(|probe| probe.step).filter(|&step| step < passing.step).max();
        let lowest = floor_step.map_or(0, |step| step + 1);
        let excess = passing.score.unwrap_or(floor) - floor;
        if passing.step <= lowest || excess <= self.patience.enough {
            return None;
        }
        let next = self.curve.step_for_score(floor + self.patience.enough / 4.0).unwrap_or(last);
        let next = next.clamp(lowest, passing.step - 1);
        // The step below is worth a look only if it has a fair chance.
        let hope =
            self.curve.score_at(next) >= floor - HOPE * (self.curve.score_at(next + 1) - self.curve.score_at(next));
        (hope && !self.tried(next)).then_some(next)
    }

    fn next_for_bytes(&self, most: u64) -> Option<usize> {
        let last = self.curve.steps() - 1;
        let fitting = self.probes.iter().filter(|p| self.goal.fits(p.bytes)).max_by_key(|p| (p.bytes, p.step));
        let smallest_over = self.probes.iter().filter(|p| !self.goal.fits(p.bytes)).map(|p| p.step).min();
        let highest = smallest_over.map_or(Some(last), |step| step.checked_sub(1))?;
        let lowest = fitting.map_or(0, |probe| probe.step + 1);
        if lowest > highest || fitting.is_some_and(|probe| probe.bytes as f64 >= FULL * most as f64) {
            return None;
        }
        let mut next = self.curve.step_for_bytes(most).unwrap_or(0).clamp(lowest, highest);
        if fitting.is_none() && self.probes.len() >= CREEPING {
            next = next.min(highest / 2);
        }
        (!self.tried(next)).then_some(next)
    }

    /// At least one probe was made: the first look always names a step.
    fn finish(mut self) -> Found<S::File> {
        let goal = self.goal;
        let encodes = self.probes.len() as u32;
        self.probes.sort_by(|a, b| goal.compare((a.bytes, a.score), (b.bytes, b.score)));
        Found { best: self.probes.swap_remove(0), encodes }
    }
}

/// A step that is expected to miss the floor by no more than this share of a step is tried: guesses miss by as much.
const HOPE: f64 = 0.25;

/// After so many files that are all too large the curve is not to be trusted, and half of what is left is skipped.
const CREEPING: usize = 3;

/// A budget that is used to this share is used.
const FULL: f64 = 0.98;

#[cfg(test)]
mod tests;
