//! Who runs, and when: contenders in heats, so that what cannot win any more never starts.
//!
//! Each contender's own result depends on the picture alone, and so does the order of the heats: neither the number of
//! threads nor the clock decides anything here.

use std::time::Duration;

use rayon::prelude::*;

use crate::attempt::{Contest, Finish};
use crate::candidate::{Contender, Plan};
use crate::codec::Format;
use crate::error::{Error, Result, catch};
use crate::ladder::Method;
use crate::options::Strategy;
use crate::score::IDENTICAL;
use crate::scout::{Estimate, Lore, Promise, scout};
use crate::search::{Found, Goal, Probe};

/// What became of a contender.
#[derive(Debug)]
pub enum Run {
    Finished(Finish),
    Failed(Error),
    /// It could not win any more, before its first encode or after some.
    Abandoned {
        encodes: u32,
        elapsed: Duration,
    },
}

impl Run {
    #[must_use]
    pub fn encodes(&self) -> u32 {
        match self {
            Self::Finished(finish) => finish.found.encodes,
            Self::Abandoned { encodes, .. } => *encodes,
            Self::Failed(_) => 0,
        }
    }

    #[must_use]
    pub fn elapsed(&self) -> Duration {
        match self {
            Self::Finished(finish) => finish.elapsed,
            Self::Abandoned { elapsed, .. } => *elapsed,
            Self::Failed(_) => Duration::ZERO,
        }
    }
}

/// Runs every contender of `plan` that `strategy` wants: one result for each, and what was learned. `original` is the size of
/// the input if it is a candidate too, `lore` what the contest over another size of the same picture taught. `Err` only if the
/// whole call ends.
pub fn hold(
    contest: &mut Contest<'_>,
    plan: &Plan,
    strategy: Strategy,
    original: Option<u64>,
    lore: Option<&Lore>,
) -> Result<(Vec<Run>, Lore)> {
    contest.goal.on_trust &= may_be_trusted(contest, plan);
    let favourite = favourite(contest.goal, plan, strategy);
    let estimates = prepare(contest, plan, strategy, favourite, lore)?;
    let entries: Vec<Entry> = plan.contenders.iter().zip(&estimates).collect();
    let runs = match strategy {
        Strategy::Race => race(contest, &entries, favourite, original)?,
        Strategy::All => race_each(contest, &entries)?,
    };
    let lore = Lore::new(entries.iter().zip(&runs).map(|((contender, estimate), run)| {
        let curve = if let Run::Finished(finish) = run { &finish.curve } else { &estimate.curve };
        (*contender, curve)
    }));
    Ok((runs, lore))
}

/// What can be expected of each contender. Prepares what files are judged by, if they are to be: on trust that is known only
/// when the samples have been looked at.
fn prepare(
    contest: &mut Contest<'_>,
    plan: &Plan,
    strategy: Strategy,
    favourite: Option<usize>,
    lore: Option<&Lore>,
) -> Result<Vec<Estimate>> {
    // Where every format makes one file, there is nothing to guess and nobody to leave out.
    let certain = strategy == Strategy::All && !contest.goal.needs_score();
    let look_around = || {
        if certain {
            return Ok(plan.contenders.iter().map(|contender| Estimate::unseen(contest, contender)).collect());
        }
        match lore.and_then(|lore| lore.recall(contest, &plan.contenders)) {
            Some(estimates) => Ok(estimates),
            None => scout(contest, &plan.contenders, favourite, &plan.image),
        }
    };
    if !contest.goal.on_trust {
        let (prepared, estimates) = rayon::join(|| catch(|| contest.prepare(plan)), || catch(look_around));
        return prepared.and(estimates);
    }
    let estimates: Vec<Estimate> = catch(look_around)?;
    let mut entries = plan.contenders.iter().zip(&estimates).enumerate();
    let goal = contest.goal;
    contest.goal.on_trust =
        entries.all(|(index, entry)| favourite.is_some_and(|only| only != index) || deserves_trust(goal, entry));
    contest.prepare(plan)?;
    Ok(estimates)
}

/// Whether a sample can tell how files will look: of no animation, and not what a palette does.
fn may_be_trusted(contest: &Contest<'_>, plan: &Plan) -> bool {
    contest.animation.is_none() && plan.contenders.iter().all(|contender| !contender.method.is_palette())
}

/// Who runs alone on trust, unless it fails or what it makes does not look right: AVIF, which no other format beat in any call
/// of `npm run bench -- verify` that was taken on trust.
fn favourite(goal: Goal, plan: &Plan, strategy: Strategy) -> Option<usize> {
    let avif = || plan.contenders.iter().position(|contender| contender.format == Format::Avif);
    if goal.on_trust && strategy == Strategy::Race { avif() } else { None }
}

/// Whether it did tell, and the best quality of the format will surely do.
fn deserves_trust(goal: Goal, (contender, Estimate { curve, promise }): Entry) -> bool {
    let best = || curve.score_at(curve.steps() - 1);
    contender.method == Method::Lossless || (promise.is_some() && goal.looks_right(Some(best() - MARGIN)))
}

/// Points by which a sample may flatter the best quality: on photographs of which lossy WebP ends at 87 to 89, by three.
const MARGIN: f64 = 4.0;

/// A race for each format.
fn race_each(contest: &Contest<'_>, entries: &[Entry]) -> Result<Vec<Run>> {
    // Every format is a race of its own ways, which the original has no part in.
    let mut groups: Vec<_> = entries.chunk_by(|a, b| a.0.format == b.0.format).enumerate().collect();
    groups.sort_by_key(|(_, group)| start_rank(group[0].0.format));
    let hold_one = |&(place, group): &(usize, &[Entry])| race(contest, group, None, None).map(|runs| (place, runs));
    let mut runs = groups.par_iter().with_max_len(1).map(hold_one).collect::<Result<Vec<_>>>()?;
    runs.sort_by_key(|&(place, _)| place);
    Ok(runs.into_iter().flat_map(|(_, runs)| runs).collect())
}

/// Two threads start with a half of the list each: with AVIF and with PNG, which take longest, so that the short ones fill
/// the gaps.
fn start_rank(format: Format) -> u8 {
    match format {
        Format::Avif => 0,
        Format::Webp => 1,
        Format::Png => 2,
        Format::Jpeg => 3,
    }
}

type Entry<'a> = (&'a Contender, &'a Estimate);

/// Contenders that promise at most this much more than the most promising one start with it.
const FIRST_HEAT: f64 = 1.05;

/// Runs the contenders of one group, of which only the best is wanted.
fn race(contest: &Contest<'_>, group: &[Entry], favourite: Option<usize>, original: Option<u64>) -> Result<Vec<Run>> {
    let goal = contest.goal;
    let mut runs: Vec<Option<Run>> = group.iter().map(|_| None).collect();
    let mut leader = original.map(|bytes| (bytes, Some(IDENTICAL))).filter(|&(bytes, score)| goal.is_met(bytes, score));
    let first = favourite.map_or_else(|| first_heat(goal, group), |favourite| vec![favourite]);
    for heat in [first.clone(), (0..group.len()).filter(|index| !first.contains(index)).collect()] {
        let open = |index: &usize| match favourite {
            Some(favourite) if *index != favourite => leader.is_none(),
            _ => can_win(goal, group[*index], leader),
        };
        let starters: Vec<usize> = heat.into_iter().filter(open).collect();
        let rival = leader.map(|(bytes, _)| bytes).filter(|_| !goal.best_look);
        let finished: Vec<Result<Run>> = starters
            .par_iter()
            .with_max_len(1)
            .map(|&index| {
                let (contender, estimate) = group[index];
                match contest.run(contender, estimate.curve.clone(), rival) {
                    Ok(Finish { found, elapsed, .. }) if gave_up(goal, &found, rival) => {
                        Ok(Run::Abandoned { encodes: found.encodes, elapsed })
                    }
                    Ok(finish) => Ok(Run::Finished(finish)),
                    Err(error) if error.ends_call() => Err(error),
                    Err(error) => Ok(Run::Failed(error)),
                }
            })
            .collect();
        for (index, run) in starters.into_iter().zip(finished) {
            let run = run?;
            if let Run::Finished(Finish { found, .. }) = &run {
                let file = (found.best.bytes, found.best.score);
                let better = leader.is_none_or(|leader| goal.compare(file, leader).is_lt());
                if goal.is_met(file.0, file.1) && better {
                    leader = Some(file);
                }
            }
            runs[index] = Some(run);
        }
    }
    let never = || Run::Abandoned { encodes: 0, elapsed: Duration::ZERO };
    Ok(runs.into_iter().map(|run| run.unwrap_or_else(never)).collect())
}

/// Whether a search was left because a file that looks right would be larger than the rival.
fn gave_up<F>(goal: Goal, found: &Found<F>, rival: Option<u64>) -> bool {
    let Probe { bytes, score, .. } = found.best;
    rival.is_some_and(|rival| bytes >= rival) && !goal.looks_right(score)
}

/// The most promising contenders, the best first; all of them where nothing is known.
fn first_heat(goal: Goal, group: &[Entry]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..group.len()).collect();
    let promises: Option<Vec<Promise>> = group.iter().map(|(_, estimate)| estimate.promise).collect();
    let Some(promises) = promises else { return order };
    let file = |index: usize| (promises[index].bytes as u64, Some(promises[index].score));
    order.sort_by(|&a, &b| goal.compare(file(a), file(b)));
    let Some(&best) = order.first() else { return order };
    let best = promises[best];
    let most = if goal.on_trust { best.bytes } else { best.bytes * FIRST_HEAT };
    order.retain(|&index| {
        let Promise { bytes, score, .. } = promises[index];
        let near = if goal.best_look { score >= best.score - TOLERANCE } else { bytes <= most };
        near && may_look_right(goal, promises[index])
    });
    order
}

/// Points by which a promised score may be wrong.
const TOLERANCE: f64 = 6.0;

fn may_look_right(goal: Goal, promise: Promise) -> bool {
    goal.looks_right(Some(promise.score + TOLERANCE))
}

/// Whether a contender may still beat the leader, if its promise errs by as much as promises did on the corpus.
fn can_win(goal: Goal, (contender, estimate): Entry, leader: Option<(u64, Option<f64>)>) -> bool {
    let (Some((bytes, score)), Some(promise)) = (leader, estimate.promise) else { return true };
    if goal.best_look {
        return contender.method == Method::Lossless && promise.bytes / contender.ladder.doubt < bytes as f64
            || promise.score.min(IDENTICAL) + TOLERANCE > score.unwrap_or(0.0);
    }
    let doubt = match promise.rough {
        // Nor of the sizes has anybody a second look.
        _ if goal.on_trust => 1.0,
        true => DOUBT_ANIMATION,
        false => contender.ladder.doubt,
    };
    // A quality that a sample did not find may exist; a palette has no more colours than it has.
    let hopeless = contender.method.is_palette() && !may_look_right(goal, promise);
    promise.bytes / doubt < bytes as f64 && !hopeless
}

/// [`Ladder::doubt`](crate::ladder::Ladder::doubt) for animations, whose changes may be coded far better or worse than the
/// frame that was looked at.
const DOUBT_ANIMATION: f64 = 4.0;

#[cfg(test)]
mod tests {
    use super::*;

    /// Only a search that its rival ended is abandoned: not one that ran out of steps below the rival's size.
    #[test]
    fn a_search_is_given_up_for_a_rival_only() {
        let goal = Goal { min_score: Some(70.0), ..Goal::default() };
        let found = |bytes, score| Found {
            best: Probe { step: 0, file: (), bytes, score: Some(score), reported: Some(score) },
            encodes: 1,
        };
        assert!(gave_up(goal, &found(100, 60.0), Some(100)));
        assert!(!gave_up(goal, &found(99, 60.0), Some(100)));
        assert!(!gave_up(goal, &found(100, 70.0), Some(100)));
        assert!(!gave_up(goal, &found(100, 60.0), None));
    }
}
