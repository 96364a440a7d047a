//! The pipeline: header → limits → decode → plan → encode every format at once → select.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::cancel::Cancel;
use crate::candidate::{self, Candidate, Outcome, Plan};
use crate::codec::{Encoder, Header, Metadata, Target};
use crate::decode;
use crate::error::{Error, Result, catch};
use crate::image::ImageBuffer;
use crate::limits::{CALL_OVERHEAD_BYTES, Limits};
use crate::options::Options;
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
    /// From the first encoder's start to the last one's end.
    pub encode: Duration,
    pub score: Duration,
    /// From the call to its answer.
    pub total: Duration,
}

/// Memory that a call needs at its peak, in bytes, known from the header alone.
#[must_use]
pub fn memory_needed(header: &Header, input_bytes: usize, options: &Options) -> u64 {
    let pixels = u64::from(header.width) * u64::from(header.height);
    let encoders: u64 = options.formats().iter().map(|format| format.bytes_per_pixel()).sum();
    let bytes_per_sample = if options.lossless() && header.bit_depth > 8 { 2 } else { 1 };
    input_bytes as u64 + pixels * (decode::BYTES_PER_PIXEL + encoders * bytes_per_sample) + CALL_OVERHEAD_BYTES
}

/// Runs one call in the current rayon pool. `header` was read from `input`.
pub fn optimize(header: &Header, input: Arc<Vec<u8>>, options: &Options, cancel: &Cancel) -> Result<Optimized> {
    let queued = cancel.elapsed();
    cancel.check()?;
    let started = Instant::now();
    let input_bytes = input.len() as u64;
    let image = catch(|| decode::decode(header, &input))?;
    let decoded = Instant::now();
    let mut warnings = input_warnings(header);
    let (metadata, dropped) = kept_metadata(header, options);
    warnings.extend(dropped);
    let plans = candidate::plan(&image, options);
    let finished = race(&plans, |plan| run(plan, options, &metadata, cancel))?;
    let encoded = Instant::now();
    let mut candidates = Vec::with_capacity(finished.len() + 1);
    for (candidate, warning) in finished {
        candidates.push(candidate);
        warnings.extend(warning);
    }
    if options.keep_original() {
        candidates.push(original(input));
    }
    let selection = select(&mut candidates, options.max_bytes()).ok_or_else(|| no_candidate(&warnings))?;
    if !selection.passed {
        warnings.push(infeasible(options));
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
            encode: encoded - decoded,
            score: Duration::ZERO,
            total: cancel.elapsed(),
        },
    })
}

/// Runs every plan at once; one result per plan, in the same order.
fn race<T: Send>(plans: &[Plan], run: impl Fn(&Plan) -> Result<T> + Sync) -> Result<Vec<T>> {
    let mut slots: Vec<Option<Result<T>>> = plans.iter().map(|_| None).collect();
    let mut tasks: Vec<_> = plans.iter().zip(&mut slots).collect();
    tasks.sort_by_key(|(plan, _)| plan.format().start_rank());
    let run = &run;
    rayon::scope(|scope| {
        for (plan, slot) in tasks {
            scope.spawn(move |_| *slot = Some(run(plan)));
        }
    });
    let lost = || Err(Error::internal("a candidate was lost"));
    slots.into_iter().map(|slot| slot.unwrap_or_else(lost)).collect()
}

/// Encodes one format, or says why not. `Err` only if the whole call ends: anything else is a warning.
fn run(plan: &Plan, options: &Options, metadata: &Metadata, cancel: &Cancel) -> Result<(Candidate, Option<Warning>)> {
    let (format, target, image) = match plan {
        Plan::Encode { format, target, image } => (*format, *target, image),
        Plan::Skip { format, reason } => {
            let warning = Warning::of(WarningCode::FormatSkipped, *format, reason);
            return Ok((Candidate::without_file(*format, Outcome::Skipped), Some(warning)));
        }
    };
    let started = Instant::now();
    let encoder = Encoder { format, effort: options.effort(), metadata, cancel };
    let result = catch(|| {
        let file = encoder.encode(image, target)?;
        if options.lossless() { prove_identical(&file, image).map(|()| file) } else { Ok(file) }
    });
    let elapsed = started.elapsed();
    let quality = match target {
        Target::Quality(quality) => Some(quality),
        Target::Visible | Target::Palette(_) | Target::Lossless => None,
    };
    match result {
        Err(error) if error.ends_call() => Err(error),
        Err(error) => {
            let warning = Warning::of(WarningCode::EncodeFailed, format, format!("{format} failed: {error}"));
            let candidate = Candidate { encodes: 1, elapsed, ..Candidate::without_file(format, Outcome::Failed) };
            Ok((candidate, Some(warning)))
        }
        Ok(file) => {
            let warning = encoder.dropped_metadata().map(|name| {
                Warning::of(WarningCode::MetadataDropped, format, format!("{format} cannot carry {name} here."))
            });
            let candidate = Candidate {
                data: Some(Arc::new(file)),
                quality,
                encodes: 1,
                elapsed,
                ..Candidate::without_file(format, Outcome::Lost)
            };
            Ok((candidate, warning))
        }
    }
}

/// Decodes `file` and compares every pixel: a promise of identity is proven, not assumed.
fn prove_identical(file: &[u8], image: &ImageBuffer) -> Result<()> {
    let limits = Limits { max_pixels: image.pixel_count(), max_input_bytes: u64::MAX, timeout: None };
    let shown = decode::read_header(file, &limits).and_then(|header| decode::decode(&header, file))?;
    if shown == *image { Ok(()) } else { Err(Error::internal("the encoded file does not show the same pixels")) }
}

fn original(input: Arc<Vec<u8>>) -> Candidate {
    Candidate {
        format: None,
        data: Some(input),
        quality: None,
        score: None,
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

fn input_warnings(header: &Header) -> Vec<Warning> {
    let mut warnings = Vec::new();
    if header.pages > 1 {
        let message = format!("The input has {} frames; only the first one is encoded.", header.pages);
        warnings.push(Warning::new(WarningCode::FirstPageOnly, message));
    }
    if header.has_foreign_profile() {
        let message = "The input's colour profile is not applied: encoded candidates show its samples as sRGB.";
        warnings.push(Warning::new(WarningCode::ColorProfileIgnored, message));
    }
    warnings
}

fn infeasible(options: &Options) -> Warning {
    let most = options.max_bytes().unwrap_or(u64::MAX);
    Warning::new(
        WarningCode::Infeasible,
        format!("No candidate has at most {most} bytes (maxBytes); the smallest one is returned."),
    )
}

fn no_candidate(warnings: &[Warning]) -> Error {
    let reasons: Vec<_> =
        warnings.iter().filter(|w| w.format.is_some()).map(|w| w.message.trim_end_matches('.')).collect();
    Error::NoCandidate { reasons: reasons.join("; ") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::{Effort, Format};
    use image::{DynamicImage, GrayImage};

    /// Seed fault 3: what cannot be decoded is not "identical". The guard of `lossless` fails closed.
    #[test]
    fn only_an_equal_picture_is_identical() {
        let picture = |samples: &[u8]| {
            let raster = GrayImage::from_raw(2, 2, samples.to_vec()).unwrap();
            ImageBuffer::new(DynamicImage::ImageLuma8(raster))
        };
        let image = picture(&[1, 2, 3, 4]);
        let (metadata, cancel) = (Metadata::default(), Cancel::new(None));
        let encoder = Encoder { format: Format::Png, effort: Effort::Fast, metadata: &metadata, cancel: &cancel };
        let file = encoder.encode(&image, Target::Lossless).unwrap();
        assert_eq!(prove_identical(&file, &image), Ok(()));
        assert!(prove_identical(&file, &picture(&[1, 2, 3, 5])).is_err());
        assert!(prove_identical(&file[..file.len() - 20], &image).is_err());
        assert!(prove_identical(b"no image at all", &image).is_err());
    }
}
