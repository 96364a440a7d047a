//! An animated input: its frames, decoded anew whenever they are wanted, its times, and which frames stand for all.
//!
//! Never are all frames in memory at once: whoever needs them goes through the file, a canvas at a time.

use std::sync::Arc;

use image::{DynamicImage, RgbaImage};

use crate::cancel::Cancel;
use crate::change::{FULL_DEPTH, changed_count, deepest_change};
use crate::codec::{self, Canvas, Encoder, Format, Header, InputFormat, Motion, Target};
use crate::decode::{self, Treatment};
use crate::error::{Error, Result};
use crate::image::ImageBuffer;
use crate::limits::{Limits, MAX_ANIMATION_PIXELS};
use crate::options::{Look, Options};
use crate::score::{Verdict, comparison_memory, reference_memory, scored_pixels};

/// Most frames that a file is judged by, spread evenly, the first and the last one among them …
const MOST_SAMPLES: usize = 12;
/// … most pixels of them together, because each keeps a prepared reference (800 MB for all),
const SAMPLED_PIXELS: u64 = 8_000_000;
/// … and the fewest: the first and the last, in which errors that add up are largest.
const LEAST_SAMPLES: usize = 2;

/// Browsers show a frame of at most this duration, in milliseconds, for [`SHOWN_INSTEAD`], in GIF and WebP alike.
const HASTY: u32 = 10;
const SHOWN_INSTEAD: u32 = 100;

/// A GIF or WebP of several frames, every one of which was decoded once.
#[derive(Debug)]
pub struct Animation {
    header: Header,
    file: Arc<Vec<u8>>,
    treatment: Arc<Treatment>,
    motion: Motion,
    /// Of each frame, in milliseconds.
    durations: Vec<u32>,
    samples: Vec<Sample>,
    changed_pixels: u64,
    /// The largest difference of any sample from the same one in the first frame, weighted by alpha; 255 where alpha differs.
    depth: u8,
}

/// A frame that others are judged by.
#[derive(Debug)]
pub struct Sample {
    index: usize,
    pub image: ImageBuffer,
}

/// Refuses an animation that would have to be encoded and has too many frames, or too many pixels in all of them.
pub fn check_limits(header: &Header, limits: &Limits) -> Result<()> {
    if !header.is_animated() || !header.frames_are_read() {
        return Ok(());
    }
    let within = |limit, actual, bound| {
        if actual > bound { Err(Error::LimitExceeded { limit, actual, bound }) } else { Ok(()) }
    };
    let frames = u64::from(header.pages);
    within("maxFrames", frames, u64::from(limits.max_frames))?;
    within("animationPixels", frames * pixel_count(header).max(header.frame_pixels), MAX_ANIMATION_PIXELS)
}

fn pixel_count(header: &Header) -> u64 {
    u64::from(header.width) * u64::from(header.height)
}

/// How many frames of an animation are judged.
#[must_use]
pub fn sample_count(header: &Header) -> usize {
    let affordable = (SAMPLED_PIXELS / scored_pixels((header.width.into(), header.height.into()))) as usize;
    affordable.clamp(LEAST_SAMPLES, MOST_SAMPLES).min(header.pages as usize)
}

/// Memory that decoding frames one by one needs, in bytes per pixel: the canvas, the one to go back to, the frame, and its
/// canonical form.
const FRAME_BYTES_PER_PIXEL: u64 = 16;

/// Memory that a call needs for an animation whose frames become this wide and high, in bytes.
#[must_use]
pub fn memory_needed(header: &Header, size: (u64, u64), options: &Options) -> u64 {
    let pixels = pixel_count(header).max(size.0 * size.1);
    if !header.frames_are_read() {
        return pixels * decode::bytes_per_pixel(header);
    }
    let samples = sample_count(header) as u64;
    // Lossy and lossless at once, each with a decoder of its own.
    let ways = if matches!(options.look(), Look::Searched { .. }) { 2 } else { 1 };
    let encoder = Format::Webp.bytes_per_pixel() + codec::ANIMATION_BYTES_PER_PIXEL;
    let judge = if options.goal().needs_score() {
        samples * reference_memory(size) + ways * comparison_memory(size)
    } else {
        0
    };
    pixels * (FRAME_BYTES_PER_PIXEL * (1 + ways) + samples * 4 + ways * encoder) + judge
}

impl Animation {
    /// Goes through all frames: a broken one is an error. `None` for a still picture, and for a format of which only the
    /// first frame is read.
    pub fn open(
        header: &Header,
        file: &Arc<Vec<u8>>,
        treatment: &Arc<Treatment>,
        cancel: &Cancel,
    ) -> Result<Option<Self>> {
        if !header.is_animated() || !header.frames_are_read() {
            return Ok(None);
        }
        let frames = header.pages as usize;
        let count = sample_count(header);
        let mut wanted = (0..count).map(|sample| sample * (frames - 1) / (count - 1)).peekable();
        let (mut durations, mut samples) = (Vec::with_capacity(frames), Vec::with_capacity(count));
        let (mut changed_pixels, mut depth) = (0, 0);
        let (mut first, mut previous): (Option<RgbaImage>, Option<RgbaImage>) = (None, None);
        for (index, canvas) in codec::canvases(header.format, file)?.enumerate() {
            cancel.check()?;
            let Canvas { image, duration } = canvas?;
            let changed = previous.map_or(pixel_count(header), |previous| changed_count(&previous, &image));
            changed_pixels += changed;
            if depth < FULL_DEPTH && changed > 0 {
                depth = depth.max(deepest_change(first.get_or_insert_with(|| image.clone()), &image));
            }
            durations.push(duration);
            if wanted.next_if_eq(&index).is_some() {
                samples.push(Sample { index, image: treatment.apply(header, image.clone().into(), cancel)? });
            }
            previous = Some(image);
        }
        if durations.len() != frames || samples.len() != count {
            return Err(Error::corrupt(header.format, format!("it has {} of {frames} frames", durations.len())));
        }
        let (width, height) = (samples[0].image.width(), samples[0].image.height());
        let motion = Motion { width, height, plays: codec::plays(header.format, file)? };
        let (header, file, treatment) = (header.clone(), Arc::clone(file), Arc::clone(treatment));
        Ok(Some(Self { header, file, treatment, motion, durations, samples, changed_pixels, depth }))
    }

    #[must_use]
    pub fn first(&self) -> &ImageBuffer {
        &self.samples[0].image
    }

    /// The frame that stands for all where a single one has to.
    #[must_use]
    pub fn middle(&self) -> &ImageBuffer {
        &self.samples[self.samples.len() / 2].image
    }

    /// Frames that files are judged by, in their order.
    #[must_use]
    pub fn samples(&self) -> &[Sample] {
        &self.samples
    }

    /// Whether any frame differs from another.
    #[must_use]
    pub fn moves(&self) -> bool {
        self.depth > 0
    }

    /// The lowest quality of `format` at which it still moves, if it does at any: encoders take small changes for noise.
    #[must_use]
    pub fn lowest_quality(&self, format: Format) -> Option<u8> {
        if self.moves() { codec::quality_that_sees(format, self.depth) } else { Some(1) }
    }

    /// Pixels of the first frame and of all changes behind it: roughly what an encoder has to code.
    #[must_use]
    pub fn changed_pixels(&self) -> u64 {
        self.changed_pixels
    }

    /// Every frame and its duration in milliseconds, as candidates are to show them.
    fn frames<'a>(&'a self, cancel: &'a Cancel) -> Result<impl Iterator<Item = Result<(ImageBuffer, u32)>> + 'a> {
        let canvases = codec::canvases(self.header.format, &self.file)?;
        Ok(canvases.map(|canvas| {
            cancel.check()?;
            let Canvas { image, duration } = canvas?;
            Ok((self.treatment.apply(&self.header, image.into(), cancel)?, duration))
        }))
    }

    /// Encodes all frames. Durations stay as they are stored, but an encoder that merges frames adds them up, and then short
    /// ones are what browsers make of them; or else ten frames of 10 ms, which are shown for a second, would become one that
    /// is shown for a tenth.
    pub fn encode(&self, encoder: &Encoder<'_>, target: Target) -> Result<Vec<u8>> {
        let file = encoder.encode_animation(self.motion, self.frames(encoder.cancel)?, target)?;
        let frames = header_of(&file)?.pages as usize;
        if frames == 1 && self.moves() {
            return Err(Error::internal("the encoder left one frame of a picture that changes"));
        }
        let hasty = self.durations.iter().any(|&duration| duration <= HASTY);
        if frames == self.durations.len() || !hasty {
            return Ok(file);
        }
        let frames = self.frames(encoder.cancel)?;
        let frames = frames.map(|frame| frame.map(|(image, duration)| (image, shown_duration(duration))));
        encoder.encode_animation(self.motion, frames, target)
    }

    /// Fails unless every frame of `file`, which was made of this animation, shows the same pixels.
    pub fn prove_identical(&self, file: &[u8], cancel: &Cancel) -> Result<()> {
        let mut frames = self.frames(cancel)?;
        self.compare(file, cancel, 0..self.durations.len(), |_, shown| {
            let (frame, _) = frames.next().unwrap_or_else(|| Err(Error::internal("a frame is gone")))?;
            let same = frame == *shown;
            if same { Ok(()) } else { Err(Error::internal("the encoded file does not show the same pixels")) }
        })
    }

    /// The worst of what `judge` says of what `file`, which was made of this animation, shows instead of each sample.
    pub fn worst_verdict(
        &self,
        file: &[u8],
        cancel: &Cancel,
        mut judge: impl FnMut(usize, &ImageBuffer) -> Result<Verdict>,
    ) -> Result<Verdict> {
        let mut worst = Verdict::IDENTICAL;
        let indices = self.samples.iter().map(|sample| sample.index);
        self.compare(file, cancel, indices, |place, shown| {
            worst = worst.worse(judge(place, shown)?);
            Ok(())
        })?;
        Ok(worst)
    }

    /// Hands what `file` shows at the time of each wanted frame to `look`, beside the frame's place in `wanted`, which rises.
    fn compare(
        &self,
        file: &[u8],
        cancel: &Cancel,
        wanted: impl Iterator<Item = usize>,
        mut look: impl FnMut(usize, &ImageBuffer) -> Result<()>,
    ) -> Result<()> {
        let header = header_of(file)?;
        let count = header.pages as usize;
        let merged = count != self.durations.len();
        let mut wanted = wanted.enumerate().peekable();
        let times = self.times();
        let mut span = 0..0;
        for (index, canvas) in codec::canvases(InputFormat::Webp, file)?.enumerate() {
            cancel.check()?;
            let Canvas { image, duration } = canvas?;
            span = span.end..span.end + u64::from(duration);
            let last = index + 1 == count;
            let mut image = Some(image);
            let mut buffer = None;
            while let Some((place, _)) =
                wanted.next_if(|&(_, frame)| if merged { last || span.contains(&times[frame]) } else { frame == index })
            {
                if let Some(image) = image.take() {
                    buffer = Some(ImageBuffer::new(DynamicImage::ImageRgba8(image)));
                }
                buffer.as_ref().map_or(Ok(()), |buffer| look(place, buffer))?;
            }
        }
        if wanted.peek().is_some() { Err(Error::internal("the encoded file lacks frames")) } else { Ok(()) }
    }

    /// When each frame starts in a file of merged frames, in milliseconds.
    fn times(&self) -> Vec<u64> {
        let hasty = self.durations.iter().any(|&duration| duration <= HASTY);
        let lasting = |&duration: &u32| u64::from(if hasty { shown_duration(duration) } else { duration });
        let end = self.durations.iter().map(lasting);
        end.scan(0, |time, duration| Some(std::mem::replace(time, *time + duration))).collect()
    }
}

fn shown_duration(duration: u32) -> u32 {
    if duration <= HASTY { SHOWN_INSTEAD } else { duration }
}

/// The header of a file of ours.
fn header_of(file: &[u8]) -> Result<Header> {
    let limits = Limits { max_pixels: u64::MAX, max_input_bytes: u64::MAX, ..Limits::default() };
    decode::read_header(file, &limits)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::Effort;
    use crate::codec::Metadata;

    /// A WebP that shows these shades of grey, each as long as it says.
    fn webp(frames: &[(u8, u32)]) -> Vec<u8> {
        let (metadata, cancel) = (Metadata::default(), Cancel::new(None));
        let encoder =
            Encoder { format: Format::Webp, effort: Effort::Fast, metadata: &metadata, profile: None, cancel: &cancel };
        let picture = |&(shade, duration)| {
            let raster = image::GrayImage::from_pixel(4, 4, image::Luma([shade]));
            Ok((ImageBuffer::new(DynamicImage::ImageLuma8(raster)), duration))
        };
        let motion = Motion { width: 4, height: 4, plays: 3 };
        encoder.encode_animation(motion, frames.iter().map(picture), Target::Lossless).unwrap()
    }

    fn animation(frames: &[(u8, u32)]) -> Animation {
        let file = webp(frames);
        let header = header_of(&file).unwrap();
        Animation::open(&header, &Arc::new(file), &Arc::default(), &Cancel::new(None)).unwrap().unwrap()
    }

    fn header(width: u32, height: u32, pages: u32) -> Header {
        Header { pages, ..Header::plain(InputFormat::Gif, width, height) }
    }

    #[test]
    fn large_canvases_have_few_samples() {
        assert_eq!(sample_count(&header(320, 240, 3)), 3);
        assert_eq!(sample_count(&header(320, 240, 100)), 12);
        assert_eq!(sample_count(&header(1920, 1080, 100)), 3);
        assert_eq!(sample_count(&header(10_000, 10_000, 100)), 2);
        let frames: Vec<_> = (0..30).map(|shade| (shade * 8, 50)).collect();
        let indices = animation(&frames).samples.iter().map(|sample| sample.index).collect::<Vec<_>>();
        assert_eq!(animation(&frames).changed_pixels(), 30 * 16);
        assert_eq!(indices, [0, 2, 5, 7, 10, 13, 15, 18, 21, 23, 26, 29]);
    }

    #[test]
    fn frames_and_their_pixels_are_bounded() {
        let limits = Limits { max_frames: 10, ..Limits::default() };
        let refused = |header| match check_limits(&header, &limits) {
            Err(Error::LimitExceeded { limit, .. }) => limit,
            other => panic!("{other:?}"),
        };
        assert_eq!(check_limits(&header(9, 9, 10), &limits), Ok(()));
        assert_eq!(refused(header(9, 9, 11)), "maxFrames");
        assert_eq!(refused(header(30_000, 30_000, 10)), "animationPixels");
        let apng = Header { format: InputFormat::Png, ..header(9, 9, 11) };
        assert_eq!(check_limits(&apng, &limits), Ok(()));
    }

    /// Frames that were merged are found by their times; if none was, by their places, whatever they last.
    #[test]
    fn frames_are_found_at_their_times() {
        let cancel = Cancel::new(None);
        let long = animation(&[(10, 30), (20, 50), (30, 20), (40, 60)]);
        let same =
            |animation: &Animation, frames: &[(u8, u32)]| animation.prove_identical(&webp(frames), &cancel).is_ok();
        assert!(same(&long, &[(10, 30), (20, 50), (30, 20), (40, 60)]));
        assert!(!same(&long, &[(10, 30), (20, 50), (31, 20), (40, 60)]));
        let short = animation(&[(10, 0), (20, 0), (10, 5), (20, 0)]);
        assert!(same(&short, &[(10, 0), (20, 0), (10, 5), (20, 0)]));
        assert!(!same(&short, &[(10, 0), (20, 0), (10, 5), (21, 0)]));
        assert!(!same(&long, &[(10, 80), (30, 20), (40, 60)]));
        let look = |frames: &[(u8, u32)]| {
            let mut seen = Vec::new();
            long.compare(&webp(frames), &cancel, [0, 1, 3].into_iter(), |place, shown| {
                let crate::image::Pixels::Gray8(samples) = shown.pixels() else { panic!("not grey") };
                seen.push((place, samples[0]));
                Ok(())
            })
            .unwrap();
            seen
        };
        assert_eq!(look(&[(10, 80), (30, 20), (40, 60)]), [(0, 10), (1, 10), (2, 40)]);
        assert_eq!(look(&[(10, 30), (20, 130)]), [(0, 10), (1, 20), (2, 20)]);
        assert_eq!(look(&[(7, 160)]), [(0, 7), (1, 7), (2, 7)]);
    }

    #[test]
    fn all_frames_or_none() {
        let mut file = webp(&[(10, 30), (20, 50), (30, 20)]);
        let header = header_of(&file).unwrap();
        let cancel = Cancel::new(None);
        assert_eq!(
            Animation::open(&header, &Arc::new(file.clone()), &Arc::default(), &cancel).unwrap().unwrap().motion.plays,
            3
        );
        let more = Header { pages: 4, ..header.clone() };
        assert!(matches!(
            Animation::open(&more, &Arc::new(file.clone()), &Arc::default(), &cancel),
            Err(Error::CorruptInput { .. })
        ));
        file.truncate(file.len() - 6);
        assert!(matches!(
            Animation::open(&header, &Arc::new(file), &Arc::default(), &cancel),
            Err(Error::CorruptInput { .. })
        ));
        cancel.stop();
        let file = Arc::new(webp(&[(10, 30), (20, 50), (30, 20)]));
        assert!(matches!(Animation::open(&header, &file, &Arc::default(), &cancel), Err(Error::Aborted)));
    }
}
