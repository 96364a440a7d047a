//! The pipeline: header → limits → decode → resize → plan → contest → select.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::animation::{self, Animation};
use crate::answer::{Answer, answer};
use crate::attempt::Contest;
use crate::cancel::Cancel;
use crate::candidate::{self, Candidate};
use crate::codec::{self, Format, Header, InputFormat, Metadata};
use crate::color::{Conversion, Profile};
use crate::decode::{self, Colors, Resizing, Treatment};
use crate::error::{Error, Result, catch};
use crate::image::ImageBuffer;
use crate::limits::CALL_OVERHEAD_BYTES;
use crate::options::Options;
use crate::race;
use crate::resample;
use crate::score::{comparison_memory, is_small, reference_memory};
use crate::scout::Lore;
use crate::warning::{Warning, WarningCode};

/// The answer to one call.
#[derive(Debug, Clone)]
pub struct Optimized {
    /// Format of the answer: one of [`crate::codec::Format`], or the input's.
    pub format: &'static str,
    /// Size of the picture as a page shows it, in CSS pixels: those of the picture, unless it is density-corrected
    /// ([`Header::layout_size`]).
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
    /// A data URL or a colour, if one was asked for; a picture that is wholly transparent has no colour.
    pub placeholder: Option<String>,
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
    let (width, height) = header.shown_size();
    let size = geometry.map_or((width.into(), height.into()), |geometry| geometry.size);
    let resizing = geometry.map_or(0, |_| {
        pixels * resample::RESULT_BYTES_PER_PIXEL + decoded.max(pixels) * resample::BETWEEN_BYTES_PER_PIXEL
    });
    // The original without its metadata is a second copy.
    let files = 2 * input_bytes as u64 + CALL_OVERHEAD_BYTES;
    if header.is_animated() {
        return files + resizing + animation::memory_needed(header, size, options);
    }
    // Two palettes of a photograph are made and judged side by side.
    let formats = options.formats().len() as u64 + u64::from(options.may_try_palettes());
    let second = if options.may_try_palettes() { Format::Png.bytes_per_pixel() } else { 0 };
    let encoders = options.formats().iter().map(|format| format.bytes_per_pixel()).sum::<u64>() + second;
    let bytes_per_sample = if options.lossless() && header.bit_depth > 8 { 2 } else { 1 };
    let judge = if options.goal().needs_score() {
        let references = 1 + u64::from(options.flatten().is_some() && header.has_alpha);
        references * reference_memory(size) + formats * comparison_memory(size)
    } else {
        0
    };
    files + decoded * decode::bytes_per_pixel(header) + resizing + pixels * encoders * bytes_per_sample + judge
}

/// Memory that variants of one picture need, one after the other.
#[must_use]
pub fn memory_needed_for_all(header: &Header, input_bytes: usize, variants: &[Options]) -> u64 {
    variants.iter().map(|options| memory_needed(header, input_bytes, options)).max().unwrap_or(0)
}

/// Makes every variant of one input in the current rayon pool, the answers in their order. `header` was read from `input`.
///
/// One variant after the other, each on all threads, from the smallest: what a search learned of one size tells the next
/// where to begin.
pub fn optimize(
    header: &Header,
    input: &Arc<Vec<u8>>,
    variants: &[Options],
    cancel: &Cancel,
) -> Result<Vec<Optimized>> {
    let queued = cancel.elapsed();
    cancel.check()?;
    let mut order: Vec<usize> = (0..variants.len()).collect();
    order.sort_by_key(|&index| variants[index].geometry(header).map_or(u64::MAX, |geometry| geometry.pixels()));
    let mut answers: Vec<Option<Optimized>> = variants.iter().map(|_| None).collect();
    // Decoded once as sRGB, and once as it is, where both are asked for.
    let mut sources: [Option<Source>; 2] = [None, None];
    let mut learned: Option<(usize, Lore)> = None;
    for index in order {
        let options = &variants[index];
        let place = &mut sources[usize::from(options.keep_profile())];
        let source = match place {
            Some(source) => source,
            None => place.insert(Source::open(header, input, options.keep_profile(), cancel)?),
        };
        let lore = learned.take().filter(|(teacher, _)| variants[*teacher].differs_in_size_only(options));
        let (answer, lore) = variant(source, options, lore.as_ref().map(|(_, lore)| lore), queued, cancel)?;
        learned = (!is_small(answer.width, answer.height)).then_some((index, lore));
        answers[index] = Some(answer);
    }
    answers.into_iter().map(|answer| answer.ok_or_else(|| Error::internal("a variant was left out"))).collect()
}

/// An input, decoded if it is a still picture.
struct Source<'a> {
    header: &'a Header,
    input: Arc<Vec<u8>>,
    conversion: Option<Arc<Conversion>>,
    kept: Option<Profile>,
    warnings: Vec<Warning>,
    still: Option<ImageBuffer>,
    decode: Duration,
}

impl<'a> Source<'a> {
    fn open(header: &'a Header, input: &Arc<Vec<u8>>, keep_profile: bool, cancel: &Cancel) -> Result<Self> {
        cancel.check()?;
        let started = Instant::now();
        let Colors { conversion, kept, warning } = Colors::of(header, keep_profile);
        let moves = header.is_animated() && header.frames_are_read();
        let still = if moves { None } else { Some(catch(|| decode::decode(header, input, conversion.as_ref()))?) };
        let missing_end =
            || Warning::new(WarningCode::MissingEnd, "The input lacks the mark at its end; its picture is whole.");
        let warnings = warning.into_iter().chain(header.missing_end.then(missing_end)).collect();
        let (conversion, input) = (conversion.map(Arc::new), Arc::clone(input));
        Ok(Self { header, input, conversion, kept, warnings, still, decode: started.elapsed() })
    }
}

/// One answer, and what its searches learned.
fn variant(
    source: &Source<'_>,
    options: &Options,
    lore: Option<&Lore>,
    queued: Duration,
    cancel: &Cancel,
) -> Result<(Optimized, Lore)> {
    let Source { header, input, conversion, kept, warnings, still, decode } = source;
    let started = Instant::now();
    let resizing = options.geometry(header).map(|geometry| Resizing { geometry, padding: options.flatten() });
    let treatment = Arc::new(Treatment { conversion: conversion.clone(), resizing });
    let animation = catch(|| Animation::open(header, input, &treatment, cancel))?;
    let image = match (&animation, still) {
        (Some(animation), _) => animation.middle().clone(),
        (None, Some(still)) => treatment.resize(still.clone(), cancel)?,
        (None, None) => return Err(Error::internal("a picture that neither moves nor is still")),
    };
    // An animation is decoded and resized in one.
    let took = started.elapsed();
    let (decode, resize) = match (&animation, resizing) {
        (Some(_), _) => (took, Duration::ZERO),
        (None, Some(_)) => (*decode, took),
        (None, None) => (*decode, Duration::ZERO),
    };
    // An animation begins with its first frame, whichever stands for it elsewhere.
    let first = animation.as_ref().map_or(&image, Animation::first);
    let placeholder = match options.placeholder().filter(|_| !header.is_high_dynamic_range()) {
        Some(kind) => catch(|| kind.of(&in_srgb(first.clone(), header, kept.as_ref())?, cancel))?,
        None => None,
    };
    let prepared = Instant::now();
    let mut warnings = warnings.clone();
    let profile = kept.as_ref();
    let (metadata, dropped) = kept_metadata(header, input, &image, options);
    warnings.extend(dropped);
    let plan = if header.is_high_dynamic_range() {
        candidate::plan_high_dynamic_range(&image, options)
    } else if header.is_animated() {
        candidate::plan_animated(header, animation.as_ref(), &image, profile, options)
    } else {
        candidate::plan(header, &image, profile, options)
    };
    let mut contest = Contest::new(options, &metadata, profile, animation.as_ref(), cancel);
    // Only what was asked for is a candidate: a size is asked for in pixels, and a page shows them all.
    let has_size = resizing.is_none() && (options.resize().is_none() || header.density_corrected.is_none());
    let original = (options.keep_original() && has_size).then(|| original(header, input, options));
    let original = original.map(|(file, warning)| {
        warnings.extend(warning);
        file
    });
    let original_bytes = original.as_ref().map(|file| file.len() as u64);
    let (runs, lore) = race::hold(&mut contest, &plan, options.strategy(), original_bytes, lore)?;
    let encode = prepared.elapsed();
    let Answer { candidates, selection } = answer(options.formats(), &plan, &runs, original, &contest, &mut warnings)?;
    let winner = &candidates[selection.index];
    let (width, height) = layout_size(header, &image, options);
    let answer = Optimized {
        format: winner.format.map_or(header.format.as_str(), |format| format.as_str()),
        width,
        height,
        is_original: winner.format.is_none(),
        index: selection.index,
        passed: selection.passed,
        candidates,
        warnings,
        placeholder,
        input: Header::clone(header),
        input_bytes: input.len() as u64,
        timings: Timings { queued, decode, resize, encode, score: contest.judge_time(), total: cancel.elapsed() },
    };
    Ok((answer, lore))
}

/// At which a page shows every candidate, unless told otherwise.
fn layout_size(header: &Header, image: &ImageBuffer, options: &Options) -> (u32, u32) {
    let corrected = header.density_corrected.is_some() && options.resize().is_none();
    if corrected { header.layout_size() } else { (image.width(), image.height()) }
}

/// The picture as it looks, whatever profile its samples keep: nothing tells a placeholder's.
fn in_srgb(image: ImageBuffer, header: &Header, kept: Option<&Profile>) -> Result<ImageBuffer> {
    let conversion = kept.and_then(|profile| Conversion::new(profile, header.color_space).ok().flatten());
    let Some(conversion) = conversion else { return Ok(image) };
    let samples = image.into_dynamic().ok_or_else(|| Error::internal("samples that cannot be converted"))?;
    conversion.apply(samples).map(ImageBuffer::new)
}

/// The input, without its metadata unless they are wanted.
fn original(header: &Header, input: &Arc<Vec<u8>>, options: &Options) -> (Arc<Vec<u8>>, Option<Warning>) {
    if options.keep_metadata() {
        return (Arc::clone(input), None);
    }
    // A failure here is no reason to lose the answer.
    let stripped = catch(|| Ok(codec::strip(header, input))).unwrap_or_default();
    match stripped {
        Some(stripped) => (Arc::new(stripped), None),
        None if header.metadata == Metadata::default() => (Arc::clone(input), None),
        None => {
            let message = "The original keeps its metadata: they share bytes with the picture, or the file is damaged.";
            (Arc::clone(input), Some(Warning::new(WarningCode::MetadataKept, message)))
        }
    }
}

fn kept_metadata(header: &Header, input: &[u8], image: &ImageBuffer, options: &Options) -> (Metadata, Vec<Warning>) {
    let keep = options.keep_metadata();
    let (metadata, too_large) =
        header.output_metadata(keep, (image.width(), image.height()), options.resize().is_some());
    let warn = |message| Warning::new(WarningCode::MetadataDropped, message);
    let mut warnings: Vec<_> =
        too_large.iter().map(|name| warn(format!("The {name} block is too large to keep."))).collect();
    if keep && header.format == InputFormat::Jpeg {
        let lost = codec::lost_with(input);
        warnings.extend(
            lost.map(|what| warn(format!("{what} of the JPEG cannot be kept: encoded candidates have one picture."))),
        );
    }
    (metadata, warnings)
}
