//! The answer of a contest: what stands for each format, the winner, and the warnings that go with them.

use std::sync::Arc;
use std::time::Duration;

use crate::attempt::{Contest, Finish};
use crate::candidate::{Candidate, Contender, Outcome, Plan};
use crate::codec::{Format, Target};
use crate::error::{Error, Result};
use crate::race::Run;
use crate::score::IDENTICAL;
use crate::search::Goal;
use crate::select::{Selection, select};
use crate::warning::{Warning, WarningCode};

/// Candidates in the order of the requested formats, then the original if it is one, and which of them is the answer.
pub struct Answer {
    pub candidates: Vec<Candidate>,
    pub selection: Selection,
}

/// Names the winner. Adds what went wrong, and which constraint cannot be met, to `warnings`.
pub fn answer(
    formats: &[Format],
    plan: &Plan,
    runs: &[Run],
    original: Option<Arc<Vec<u8>>>,
    contest: &Contest<'_>,
    warnings: &mut Vec<Warning>,
) -> Result<Answer> {
    let mut candidates = Vec::with_capacity(formats.len() + 1);
    for &format in formats {
        let runs = plan.contenders.iter().zip(runs).filter(|(contender, _)| contender.format == format);
        let (candidate, more) = standing(format, &runs.collect::<Vec<_>>(), plan, contest);
        candidates.push(candidate);
        warnings.extend(more);
    }
    candidates.extend(original.map(|file| unchanged(file, contest)));
    let selection = select(&mut candidates, contest.goal).ok_or_else(|| no_candidate(warnings))?;
    if !selection.passed {
        warnings.push(infeasible(contest.goal, &candidates));
    }
    Ok(Answer { candidates, selection })
}

/// What stands for a requested format: the best of its finished files, or why there is none.
fn standing(
    format: Format,
    runs: &[(&Contender, &Run)],
    plan: &Plan,
    contest: &Contest<'_>,
) -> (Candidate, Option<Warning>) {
    if let Some(skipped) = plan.skipped.iter().find(|skipped| skipped.format == format) {
        let warning = Warning::of(WarningCode::FormatSkipped, format, &skipped.reason);
        return (Candidate::without_file(format, Outcome::Skipped), Some(warning));
    }
    let finished = runs.iter().filter_map(|(_, run)| if let Run::Finished(finish) = run { Some(finish) } else { None });
    let file = |finish: &&Finish| (finish.found.best.bytes, finish.found.best.score);
    let best = finished.min_by(|a, b| contest.goal.compare(file(a), file(b)));
    let encodes = runs.iter().map(|(_, run)| run.encodes()).sum();
    let elapsed = runs.iter().map(|(_, run)| run.elapsed()).sum();
    let failure = runs.iter().find_map(|(_, run)| if let Run::Failed(error) = run { Some(error) } else { None });
    let failed =
        failure.map(|error| Warning::of(WarningCode::EncodeFailed, format, format!("{format} failed: {error}")));
    let Some(best) = best else {
        let outcome = if failure.is_some() { Outcome::Failed } else { Outcome::Abandoned };
        return (Candidate { encodes, elapsed, ..Candidate::without_file(format, outcome) }, failed);
    };
    let dropped = contest.encoder(format).dropped_metadata();
    let warning = dropped
        .map(|name| Warning::of(WarningCode::MetadataDropped, format, format!("{format} cannot carry {name} here.")));
    let candidate = Candidate {
        data: Some(Arc::clone(&best.found.best.file)),
        quality: if let Target::Quality(quality) = best.target { Some(quality) } else { None },
        score: best.found.best.reported,
        judged: best.found.best.score,
        encodes,
        elapsed,
        ..Candidate::without_file(format, Outcome::Lost)
    };
    (candidate, failed.or(warning))
}

/// The original as a candidate.
fn unchanged(file: Arc<Vec<u8>>, contest: &Contest<'_>) -> Candidate {
    let score = contest.goal.needs_score().then_some(IDENTICAL);
    Candidate {
        format: None,
        data: Some(file),
        quality: None,
        score,
        judged: score,
        encodes: 0,
        elapsed: Duration::ZERO,
        outcome: Outcome::Lost,
    }
}

/// Names the constraint that nothing satisfies, and what is returned instead.
fn infeasible(goal: Goal, candidates: &[Candidate]) -> Warning {
    let fits = candidates.iter().filter_map(Candidate::bytes).any(|bytes| goal.fits(bytes));
    let message = match (goal.max_bytes, goal.min_score) {
        (Some(most), _) if !fits => {
            format!("No candidate has at most {most} bytes (maxBytes); the smallest one is returned.")
        }
        (Some(most), Some(least)) => format!(
            "No candidate has at most {most} bytes (maxBytes) and a score of at least {least} (minScore) at once; the \
             best-looking one within maxBytes is returned."
        ),
        (_, least) => {
            let least = least.unwrap_or_default();
            let scores = candidates.iter().filter_map(|candidate| candidate.score).any(|score| score >= least);
            let why = if scores { " with as small an error as a picture of this size needs" } else { "" };
            format!("No candidate scores at least {least} (minScore){why}; the best-looking one is returned.")
        }
    };
    Warning::new(WarningCode::Infeasible, message)
}

fn no_candidate(warnings: &[Warning]) -> Error {
    let reasons: Vec<_> =
        warnings.iter().filter(|w| w.format.is_some()).map(|w| w.message.trim_end_matches('.')).collect();
    Error::NoCandidate { reasons: reasons.join("; ") }
}
