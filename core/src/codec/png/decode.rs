//! Decoding by the `png` crate: of an animation the first frame, as browsers show it before it moves.

use std::fmt::Display;
use std::io::Cursor;

use image::{DynamicImage, GrayAlphaImage, ImageBuffer as Raster, RgbaImage, imageops};
use png::{BitDepth, ColorType, FrameControl, Info, Limits, OutputInfo, Reader, Transformations};

use super::closed;
use crate::codec::InputFormat;
use crate::error::{Error, Result};
use crate::image::{gray_raster, rgb_raster};
use crate::limits::MAX_PNG_CHUNK_BYTES;

pub(super) type PngReader<'a> = Reader<Cursor<&'a [u8]>>;

/// The reader of a file, at the picture that is shown first. Samples of less than 8 bits will be expanded, but for a palette's
/// indices: the crate panics over a palette that is not whole, and takes indices beyond it for black.
pub(super) fn open(data: &[u8]) -> Result<PngReader<'_>> {
    // Pixel memory is bounded by our own limits; this one bounds what text and profile chunks may unpack to.
    let limits = Limits { bytes: MAX_PNG_CHUNK_BYTES as usize };
    let mut decoder = png::Decoder::new_with_limits(Cursor::new(data), limits);
    let indexed = decoder.read_header_info().map_err(corrupt)?.color_type == ColorType::Indexed;
    decoder.set_transformations(if indexed { Transformations::IDENTITY } else { Transformations::EXPAND });
    let mut reader = decoder.read_info().map_err(corrupt)?;
    if has_picture_of_its_own(reader.info()) {
        reader.next_frame_info().map_err(corrupt)?;
    }
    Ok(reader)
}

/// Whether the picture before the first frame is for programs that know no animations (PNG specification, third edition,
/// 4.9). Browsers do not show it.
fn has_picture_of_its_own(info: &Info<'_>) -> bool {
    info.animation_control.is_some() && info.frame_control.is_none()
}

/// The frame, if the picture is one and leaves a part of the canvas free, which is transparent.
pub(super) fn smaller_frame<'a>(info: &'a Info<'_>) -> Option<&'a FrameControl> {
    info.frame_control.as_ref().filter(|frame| (frame.width, frame.height) != (info.width, info.height))
}

pub(in crate::codec) fn decode(data: &[u8]) -> Result<DynamicImage> {
    let file = closed(data);
    let mut reader = open(&file.data)?;
    let (width, height) = reader.info().size();
    let needed = reader.output_buffer_size().ok_or_else(|| corrupt("its size is beyond what can be addressed"))?;
    let mut samples = vec![0; needed];
    let frame = reader.next_frame(&mut samples).map_err(corrupt)?;
    let info = reader.info();
    // Rows of an interlaced frame are as far apart as the canvas is wide.
    let stride = if info.interlaced { needed / height as usize } else { frame.line_size };
    let samples = close_rows(samples, &frame, stride);
    let picture = match frame.color_type {
        ColorType::Indexed => indexed(info, &frame, &samples)?,
        _ => raster(&frame, samples).ok_or_else(|| corrupt("it decodes to another size than its header says"))?,
    };
    Ok(match smaller_frame(info) {
        Some(control) => on_canvas(width, height, picture, control),
        None => picture,
    })
}

/// The samples without what lies between the rows of the frame and behind them.
fn close_rows(mut samples: Vec<u8>, frame: &OutputInfo, stride: usize) -> Vec<u8> {
    if stride == frame.line_size {
        samples.truncate(frame.buffer_size());
        return samples;
    }
    let rows = samples.chunks_exact(stride).take(frame.height as usize);
    rows.flat_map(|row| &row[..frame.line_size]).copied().collect()
}

fn raster(frame: &OutputInfo, samples: Vec<u8>) -> Option<DynamicImage> {
    let OutputInfo { width, height, .. } = *frame;
    if frame.bit_depth == BitDepth::Sixteen {
        let wide = samples.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])).collect();
        return match frame.color_type {
            ColorType::Grayscale => Raster::from_raw(width, height, wide).map(DynamicImage::ImageLuma16),
            ColorType::GrayscaleAlpha => Raster::from_raw(width, height, wide).map(DynamicImage::ImageLumaA16),
            ColorType::Rgb => Raster::from_raw(width, height, wide).map(DynamicImage::ImageRgb16),
            ColorType::Rgba => Raster::from_raw(width, height, wide).map(DynamicImage::ImageRgba16),
            ColorType::Indexed => None,
        };
    }
    match frame.color_type {
        ColorType::Grayscale => gray_raster(width, height, samples),
        ColorType::GrayscaleAlpha => GrayAlphaImage::from_raw(width, height, samples).map(DynamicImage::ImageLumaA8),
        ColorType::Rgb => rgb_raster(width, height, samples),
        ColorType::Rgba => RgbaImage::from_raw(width, height, samples).map(DynamicImage::ImageRgba8),
        ColorType::Indexed => None,
    }
}

/// What any index can be: as many as a byte has.
const INDICES: usize = 256;

/// The colour of every index: bytes behind the last whole colour are left out, and indices beyond them show the last one, as
/// in browsers (libpng refuses the one and shows black for the other).
fn palette_of(info: &Info<'_>) -> Result<[[u8; 4]; INDICES]> {
    let colors = info.palette.as_deref().unwrap_or_default().chunks_exact(3);
    let alphas = info.trns.as_deref().unwrap_or_default().iter().copied();
    let mut colors = colors.zip(alphas.chain(std::iter::repeat(u8::MAX)));
    let mut last = None;
    let mut table = [[0; 4]; INDICES];
    for entry in &mut table {
        last = colors.next().map(|(rgb, alpha)| [rgb[0], rgb[1], rgb[2], alpha]).or(last);
        *entry = last.ok_or_else(|| corrupt("its palette has no colour"))?;
    }
    Ok(table)
}

/// The colours of packed indices of 1 to 8 bits, the leftmost in the highest bits.
fn indexed(info: &Info<'_>, frame: &OutputInfo, samples: &[u8]) -> Result<DynamicImage> {
    let table = palette_of(info)?;
    let depth = frame.bit_depth as usize;
    let colors = samples.chunks_exact(frame.line_size).flat_map(|row| {
        (0..frame.width as usize).map(move |x| {
            let shift = 8 - depth - x * depth % 8;
            usize::from(row[x * depth / 8] >> shift) & ((1 << depth) - 1)
        })
    });
    let colors = colors.map(|index| table[index]);
    let picture = if info.trns.is_some() {
        RgbaImage::from_raw(frame.width, frame.height, colors.flatten().collect()).map(DynamicImage::ImageRgba8)
    } else {
        rgb_raster(frame.width, frame.height, colors.flat_map(|[r, g, b, _]| [r, g, b]).collect())
    };
    picture.ok_or_else(|| corrupt("it decodes to another size than its header says"))
}

/// The frame at its place. What lies under a first frame is transparent, so that both ways of blending do the same.
fn on_canvas(width: u32, height: u32, frame: DynamicImage, control: &FrameControl) -> DynamicImage {
    let (x, y) = (control.x_offset.into(), control.y_offset.into());
    if frame.color().bytes_per_pixel() > frame.color().channel_count() {
        let mut canvas = Raster::new(width, height);
        imageops::replace(&mut canvas, &frame.into_rgba16(), x, y);
        DynamicImage::ImageRgba16(canvas)
    } else {
        let mut canvas = RgbaImage::new(width, height);
        imageops::replace(&mut canvas, &frame.into_rgba8(), x, y);
        DynamicImage::ImageRgba8(canvas)
    }
}

pub(super) fn corrupt(reason: impl Display) -> Error {
    Error::corrupt(InputFormat::Png, reason)
}
