//! The pixels of another size: filtering by `fast_image_resize`, shared out to the threads of the current rayon pool.
//!
//! Lanczos3 shrinks. Catmull-Rom enlarges: Lanczos3 would draw a visible second line beside every hard edge, and sharp
//! enlarges with it too. Samples are filtered as they are encoded (sRGB), as browsers, sharp and most tools do: a correct
//! average of light would have to be linear, but thin dark lines would then come out lighter than everywhere else.

mod alpha;

use std::num::NonZeroU32;
use std::ops::Range;

use fast_image_resize::pixels::{U8, U8x3, U8x4, U16, U16x3, U16x4};
use fast_image_resize::{
    FilterType, ImageView, ImageViewMut, IntoImageView, IntoImageViewMut, PixelTrait, ResizeAlg, ResizeOptions, Resizer,
};
use image::{DynamicImage, ImageBuffer as Raster, Pixel, Rgb, Rgba};
use rayon::prelude::*;

use crate::error::{Error, Result};
use crate::image::ImageBuffer;
use crate::resize::{Geometry, Span};

/// Memory that scaling needs at its peak, in bytes per pixel of the larger of both pictures (samples between the two
/// passes, 4 × 16 bits) and of the result (the same, and once more while it is padded or brought into the canonical form).
/// The picture itself, and its colour weighted by alpha, are counted with decoding, which is over.
pub const BETWEEN_BYTES_PER_PIXEL: u64 = 8;
pub const RESULT_BYTES_PER_PIXEL: u64 = 16;

/// The picture with another geometry, its padding transparent or of the given colour.
pub fn resample(image: ImageBuffer, geometry: &Geometry, background: Option<[u8; 3]>) -> Result<ImageBuffer> {
    let source = image.into_dynamic().ok_or_else(unviewable)?;
    // Pixels that are only cut out or padded stay as they are.
    let weighs = source.color().has_alpha() && (geometry.across.scales() || geometry.down.scales());
    let scaled = if weighs {
        let is_wide = is_wide(&source);
        let weighted = alpha::weighted(&source).ok_or_else(unviewable)?;
        drop(source);
        let scaled = scale::<U16x4>(DynamicImage::ImageRgba16(weighted), geometry)?;
        alpha::unweighted(&scaled.into_rgba16(), is_wide).ok_or_else(unviewable)?
    } else {
        scale_plainly(source, geometry)?
    };
    let size = (side(geometry.size.0)?, side(geometry.size.1)?);
    let is_padded = (scaled.width(), scaled.height()) != size;
    Ok(ImageBuffer::new(if is_padded { pad(scaled, size, background) } else { scaled }))
}

fn scale_plainly(source: DynamicImage, geometry: &Geometry) -> Result<DynamicImage> {
    match source {
        DynamicImage::ImageLuma8(_) => scale::<U8>(source, geometry),
        DynamicImage::ImageRgb8(_) => scale::<U8x3>(source, geometry),
        DynamicImage::ImageRgba8(_) => scale::<U8x4>(source, geometry),
        DynamicImage::ImageLuma16(_) => scale::<U16>(source, geometry),
        DynamicImage::ImageRgb16(_) => scale::<U16x3>(source, geometry),
        DynamicImage::ImageRgba16(_) => scale::<U16x4>(source, geometry),
        _ => Err(unviewable()),
    }
}

/// Whether samples have 16 bits.
fn is_wide(image: &DynamicImage) -> bool {
    image.color().bytes_per_pixel() > image.color().channel_count()
}

fn side(pixels: u64) -> Result<u32> {
    u32::try_from(pixels).map_err(|_| Error::internal("a side beyond every limit"))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Axis {
    Across,
    Down,
}

fn scale<P: PixelTrait>(source: DynamicImage, geometry: &Geometry) -> Result<DynamicImage> {
    let Geometry { across, down, .. } = *geometry;
    // An axis that shrinks comes first: what lies between is then never larger than both pictures. Of two that do the same,
    // down is the quicker first with 8 bits and across with 16.
    let across_first = if across.shrinks() == down.shrinks() { is_wide(&source) } else { across.shrinks() };
    if across_first {
        let kept = reach(down, source.height());
        let between = pass::<P>(&source, Axis::Across, across, &kept)?;
        drop(source);
        pass::<P>(&between, Axis::Down, from(down, &kept), &(0..between.width()))
    } else {
        let kept = reach(across, source.width());
        let between = pass::<P>(&source, Axis::Down, down, &kept)?;
        drop(source);
        pass::<P>(&between, Axis::Across, from(across, &kept), &(0..between.height()))
    }
}

/// How far a filter looks, in pixels of the smaller scale: three for Lanczos3, two for Catmull-Rom, one for rounding.
const FILTER_REACH: f64 = 4.0;

/// The pixels of an axis of `side` that scaling `span` looks at.
fn reach(span: Span, side: u32) -> Range<u32> {
    let margin = FILTER_REACH * (span.length / span.to as f64).max(1.0);
    let start = (span.start - margin).floor().max(0.0) as u32;
    let end = (span.start + span.length + margin).ceil().min(f64::from(side)) as u32;
    start..end
}

/// The same span when only `kept` is there.
fn from(span: Span, kept: &Range<u32>) -> Span {
    Span { start: span.start - f64::from(kept.start), ..span }
}

/// Scales one axis, of those rows or columns that are in `kept`. The parts that threads work on are side by side: no sample
/// of one depends on another's, so that no byte depends on their number.
fn pass<P: PixelTrait>(source: &DynamicImage, axis: Axis, span: Span, kept: &Range<u32>) -> Result<DynamicImage> {
    let (to, lines) = (side(span.to)?, kept.end - kept.start);
    let (width, height) = if axis == Axis::Across { (to, lines) } else { (lines, to) };
    let mut target = DynamicImage::new(width, height, source.color());
    let filter = if span.shrinks() { FilterType::Lanczos3 } else { FilterType::CatmullRom };
    let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(filter)).use_alpha(false);
    let options = |lines: u32| match axis {
        Axis::Across => options.crop(span.start, 0.0, span.length, f64::from(lines)),
        Axis::Down => options.crop(0.0, span.start, f64::from(lines), span.length),
    };
    let from = source.image_view::<P>().ok_or_else(unviewable)?;
    let mut target_view = target.image_view_mut::<P>().ok_or_else(unviewable)?;
    let (all, parts) = (nonzero(lines), parts(lines, span.length + span.to as f64));
    if axis == Axis::Across {
        let from = from.split_by_height(kept.start, all, parts).ok_or_else(unviewable)?;
        let into = target_view.split_by_height_mut(0, all, parts).ok_or_else(unviewable)?;
        let strips = from.into_par_iter().zip(into);
        strips.try_for_each(|(from, mut into)| filter_part::<P>(&from, &mut into, &options(from.height())))?;
    } else {
        let from = from.split_by_width(kept.start, all, parts).ok_or_else(unviewable)?;
        let into = target_view.split_by_width_mut(0, all, parts).ok_or_else(unviewable)?;
        let strips = from.into_par_iter().zip(into);
        strips.try_for_each(|(from, mut into)| filter_part::<P>(&from, &mut into, &options(from.width())))?;
    }
    drop(target_view);
    Ok(target)
}

fn filter_part<P: PixelTrait>(
    from: &impl ImageView<Pixel = P>,
    into: &mut impl ImageViewMut<Pixel = P>,
    options: &ResizeOptions,
) -> Result<()> {
    Resizer::new().resize_typed::<P>(from, into, options).map_err(|error| Error::internal(error.to_string()))
}

/// Pixels that are worth a thread of their own: about a millisecond of work, a few times what preparing the filter takes.
const PIXELS_PER_PART: f64 = 262_144.0;

/// How many threads share `lines` lines of so many pixels.
fn parts(lines: u32, pixels: f64) -> NonZeroU32 {
    let worth = (f64::from(lines) * pixels / PIXELS_PER_PART) as u32;
    nonzero((rayon::current_num_threads() as u32).min(worth).min(lines))
}

fn nonzero(number: u32) -> NonZeroU32 {
    NonZeroU32::new(number).unwrap_or(NonZeroU32::MIN)
}

fn unviewable() -> Error {
    Error::internal("samples that cannot be scaled")
}

/// Lays the picture on the middle of a larger one: transparent, or of one colour. A picture that is transparent itself
/// stays so.
fn pad(image: DynamicImage, size: (u32, u32), background: Option<[u8; 3]>) -> DynamicImage {
    let [r, g, b] = background.unwrap_or_default();
    let rgba @ [r, g, b, _] = [r, g, b, if background.is_some() { u8::MAX } else { 0 }];
    let wide = rgba.map(|sample| u16::from(sample) * 257);
    let has_alpha = image.color().has_alpha() || background.is_none();
    match (is_wide(&image), has_alpha) {
        (false, false) => on(&image.into_rgb8(), size, Rgb([r, g, b])).into(),
        (false, true) => on(&image.into_rgba8(), size, Rgba(rgba)).into(),
        (true, false) => on(&image.into_rgb16(), size, Rgb([wide[0], wide[1], wide[2]])).into(),
        (true, true) => on(&image.into_rgba16(), size, Rgba(wide)).into(),
    }
}

fn on<P: Pixel>(image: &Raster<P, Vec<P::Subpixel>>, size: (u32, u32), background: P) -> Raster<P, Vec<P::Subpixel>> {
    let mut canvas = Raster::from_pixel(size.0, size.1, background);
    let (left, top) = ((size.0 - image.width()) / 2, (size.1 - image.height()) / 2);
    let samples = |pixels: u32| pixels as usize * usize::from(P::CHANNEL_COUNT);
    let (left, row) = (samples(left), samples(image.width()));
    let below = canvas.chunks_exact_mut(samples(size.0)).skip(top as usize);
    for (to, from) in below.zip(image.chunks_exact(row)) {
        to[left..left + row].copy_from_slice(from);
    }
    canvas
}

#[cfg(test)]
mod tests;
