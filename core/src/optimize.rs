//! The pipeline: header → limits → decode → resize → plan → contest → select.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::animation::{self, Animation};
use crate::attempt::{Contest, Finish, IDENTICAL};
use crate::cancel::Cancel;
use crate::candidate::{self, Candidate, Contender, Outcome, Plan};
use crate::codec::{self, Format, Header, Metadata, Target};
use crate::decode::{self, Colors, Resizing, Treatment};
use crate::error::{Error, Result, catch};
use crate::limits::CALL_OVERHEAD_BYTES;
use crate::options::Options;
use crate::race::{self, Run};
use crate::resample;
use crate::score::{REFERENCE_BYTES_PER_PIXEL, SCORE_BYTES_PER_PIXEL};
use crate::search::Goal;
use crate::select::select;
use crate::warning::{Warning, WarningCode};

/// The answer to one call.
#[derive(Debug, Clone)]
pub struct Optimized {
    /// Format of the answer: one of [`crate::codec::Format`], or the input's.
    pub format: &'static str,
    /// Size of the picture as shown, in pixels.
    pub width: u32,
    pub height: u32,
    /// Whether the answer is the input.
    pub is_original: bool,
    /// Index of the answer in `candidates`.
    pub index: usize,
    /// Whether every constraint holds for it.
    pub passed: bool,
    /// One per requested format, in that order, then the original if it was a candidate.
    pub candidates: Vec<Candidate>,
    pub warnings: Vec<Warning>,
    pub input: Header,
    /// Size of the input file.
    pub input_bytes: u64,
    pub timings: Timings,
}

/// Where the time of a call went.
#[derive(Debug, Clone, Copy, Default)]
pub struct Timings {
    /// From the call to the start of its work.
    pub queued: Duration,
    pub decode: Duration,
    /// Zero where nothing is resized.
    pub resize: Duration,
    /// From the first encoder's start to the last one's end.
    pub encode: Duration,
    pub score: Duration,
    /// From the call to its answer.
    pub total: Duration,
}

/// Memory that a call needs at its peak, in bytes, known from the header alone.
#[must_use]
pub fn memory_needed(header: &Header, input_bytes: usize, options: &Options) -> u64 {
    let decoded = u64::from(header.width) * u64::from(header.height);
    let geometry = options.geometry(header);
    let pixels = geometry.map_or(decoded, |geometry| geometry.pixels());
    let resizing = geometry.map_or(0, |_| {
        pixels * resample::RESULT_BYTES_PER_PIXEL + decoded.max(pixels) * resample::BETWEEN_BYTES_PER_PIXEL
    });
    // The original without its metadata is a second copy.
    let files = 2 * input_bytes as u64 + CALL_OVERHEAD_BYTES;
    if header.is_animated() {
        return files + resizing + decoded.max(pixels) * animation::bytes_per_pixel(header, options);
    }
    let encoders: u64 = options.formats().iter().map(|format| format.bytes_per_pixel()).sum();
    let bytes_per_sample = if options.lossless() && header.bit_depth > 8 { 2 } else { 1 };
    let judge = if options.goal().needs_score() {
        let references = 1 + u64::from(options.flatten().is_some() && header.has_alpha);
        references * REFERENCE_BYTES_PER_PIXEL + options.formats().len() as u64 * SCORE_BYTES_PER_PIXEL
    } else {
        0
    };
    files + decoded * decode::BYTES_PER_PIXEL + resizing + pixels * (encoders * bytes_per_sample + judge)
}

/// Runs one call in the current rayon pool. `header` was read from `input`.
pub fn optimize(header: &Header, input: Arc<Vec<u8>>, options: &Options, cancel: &Cancel) -> Result<Optimized> {
    let queued = cancel.elapsed();
    cancel.check()?;
    let started = Instant::now();
    let input_bytes = input.len() as u64;
    let Colors { conversion, kept, warning } = Colors::of(header, options.keep_profile());
    let resizing = options.geometry(header).map(|geometry| Resizing { geometry, padding: options.flatten() });
    let treatment = Arc::new(Treatment { conversion, resizing });
    let animation = catch(|| Animation::open(header, &input, &treatment, cancel))?;
    let image = match &animation {
        Some(animation) => animation.middle().clone(),
        None => catch(|| decode::decode(header, &input, treatment.conversion.as_ref()))?,
    };
    let decoded = Instant::now();
    let image = if animation.is_some() { image } else { treatment.resize(image, cancel)? };
    let resized = if treatment.resizing.is_some() { Instant::now() } else { decoded };
    let mut warnings: Vec<_> = warning.into_iter().collect();
    let profile = kept.as_ref();
    let (metadata, dropped) = kept_metadata(header, options);
    warnings.extend(dropped);
    let plan = if header.is_animated() {
        candidate::plan_animated(header, animation.as_ref(), &image, profile, options)
    } else {
        candidate::plan(&image, profile, options)
    };
    let contest = Contest::new(options, &metadata, profile, animation.as_ref(), cancel);
    // Only what was asked for is a candidate.
    let original = if options.keep_original() && treatment.resizing.is_none() {
        let (original, warning) = original(header, input, options);
        warnings.extend(warning);
        Some(original)
    } else {
        None
    };
    let original_bytes = original.as_ref().map(|file| file.len() as u64);
    let runs = race::hold(&contest, &plan, options.strategy(), original_bytes)?;
    let encoded = Instant::now();
    let mut candidates = Vec::with_capacity(options.formats().len() + 1);
    for &format in options.formats() {
        let runs = plan.contenders.iter().zip(&runs).filter(|(contender, _)| contender.format == format);
        let (candidate, more) = standing(format, &runs.collect::<Vec<_>>(), &plan, &contest);
        candidates.push(candidate);
        warnings.extend(more);
    }
    candidates.extend(original.map(|file| unchanged(file, &contest)));
    let goal = options.goal();
    let selection = select(&mut candidates, goal).ok_or_else(|| no_candidate(&warnings))?;
    if !selection.passed {
        warnings.push(infeasible(goal, &candidates));
    }
    let winner = &candidates[selection.index];
    Ok(Optimized {
        format: winner.format.map_or(header.format.as_str(), |format| format.as_str()),
        width: image.width(),
        height: image.height(),
        is_original: winner.format.is_none(),
        index: selection.index,
        passed: selection.passed,
        candidates,
        warnings,
        input: header.clone(),
        input_bytes,
        timings: Timings {
            queued,
            decode: decoded - started,
            resize: resized - decoded,
            encode: encoded - resized,
            score: contest.judge_time(),
            total: cancel.elapsed(),
        },
    })
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
        score: best.found.best.score,
        encodes,
        elapsed,
        ..Candidate::without_file(format, Outcome::Lost)
    };
    (candidate, failed.or(warning))
}

/// The input, without its metadata unless they are wanted.
fn original(header: &Header, input: Arc<Vec<u8>>, options: &Options) -> (Arc<Vec<u8>>, Option<Warning>) {
    if options.keep_metadata() {
        return (input, None);
    }
    // A failure here is no reason to lose the answer.
    let stripped = catch(|| Ok(codec::strip(header, &input))).unwrap_or_default();
    match stripped {
        Some(stripped) => (Arc::new(stripped), None),
        None if header.metadata == Metadata::default() => (input, None),
        None => {
            let message = "The original keeps its metadata: they share bytes with the picture, or the file is damaged.";
            (input, Some(Warning::new(WarningCode::MetadataKept, message)))
        }
    }
}

/// The original as a candidate.
fn unchanged(file: Arc<Vec<u8>>, contest: &Contest<'_>) -> Candidate {
    Candidate {
        format: None,
        data: Some(file),
        quality: None,
        score: contest.goal.needs_score().then_some(IDENTICAL),
        encodes: 0,
        elapsed: Duration::ZERO,
        outcome: Outcome::Lost,
    }
}

fn kept_metadata(header: &Header, options: &Options) -> (Metadata, Vec<Warning>) {
    if !options.keep_metadata() {
        return (Metadata::default(), Vec::new());
    }
    let (metadata, too_large) = header.metadata.for_output();
    let warn = |name| Warning::new(WarningCode::MetadataDropped, format!("The {name} block is too large to keep."));
    (metadata, too_large.into_iter().map(warn).collect())
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
            format!("No candidate scores at least {least} (minScore); the best-looking one is returned.")
        }
    };
    Warning::new(WarningCode::Infeasible, message)
}

fn no_candidate(warnings: &[Warning]) -> Error {
    let reasons: Vec<_> =
        warnings.iter().filter(|w| w.format.is_some()).map(|w| w.message.trim_end_matches('.')).collect();
    Error::NoCandidate { reasons: reasons.join("; ") }
}
