//! The option `placeholder`: what a page shows until the picture is there, small enough to be written into it.

use std::sync::Arc;

use image::DynamicImage;
use rayon::prelude::*;
use thumbhash::{rgba_to_thumb_hash, thumb_hash_to_rgba};

use crate::cancel::Cancel;
use crate::checks::keyword;
use crate::codec::{Effort, Encoder, Format, Metadata, Target};
use crate::error::{Error, Result};
use crate::image::{ImageBuffer, Pixels};
use crate::resample::resample;
use crate::resize::Resize;
use crate::value::Value;

/// What stands for the picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Placeholder {
    /// A data URL of the picture that its ThumbHash (<https://evanw.github.io/thumbhash/>) describes: smooth, to be shown as
    /// it is.
    ThumbHash,
    /// A data URL of the picture in at most [`BLUR`] pixels, to be blurred by the page.
    Blur,
    /// The average colour.
    Color,
}

/// A kind of data URL. The pictures are WebP: of a third to a tenth of PNG's bytes at these sizes, alpha included, where a
/// JPEG's tables alone take 600.
#[derive(Debug)]
pub struct Form {
    /// Longest side of the picture in pixels.
    pub side: u32,
    /// Of the colours.
    quality: u8,
    /// Alpha is rounded to multiples of this: it is kept without loss, so that its last bits are most of the bytes.
    alpha_step: u8,
    /// Most characters of the URL; a picture that does not fit is halved until it does.
    pub characters: usize,
}

/// 16 pixels are what a blur of a twentieth of the width leaves. Measured on the corpus: 100 to 260 characters, with alpha up to
/// 380.
pub const BLUR: Form = Form { side: 16, quality: 75, alpha_step: 17, characters: 500 };

/// 32 pixels are what ThumbHash renders; nothing more is in it. A high quality and every alpha, because nothing blurs it.
/// Measured on the corpus: 110 to 390 characters, with alpha up to 790.
pub const THUMB: Form = Form { side: 32, quality: 90, alpha_step: 1, characters: 1000 };

/// Longest side that ThumbHash takes; more would not change it.
const HASHED_SIDE: u32 = 100;

impl Placeholder {
    /// # Errors
    /// [`Error::InvalidOption`].
    pub(crate) fn parse(options: &Value) -> Result<Option<Self>> {
        Ok(keyword(options, "placeholder", &["thumbhash", "blur", "color"])?.map(|word| match word {
            "blur" => Self::Blur,
            "color" => Self::Color,
            _ => Self::ThumbHash,
        }))
    }

    /// `None` for the colour of a picture that is wholly transparent. Depends on the pixels alone.
    pub fn of(self, image: &ImageBuffer, cancel: &Cancel) -> Result<Option<String>> {
        match self {
            Self::Color => Ok(average(image).map(|[r, g, b]| format!("#{r:02x}{g:02x}{b:02x}"))),
            Self::Blur => data_url(image, &BLUR, cancel).map(Some),
            Self::ThumbHash => {
                let shown = rendered(image)?;
                data_url(&shown, &THUMB, cancel).map(Some)
            }
        }
    }
}

/// The picture within a square of `side` pixels.
fn shrunk(image: &ImageBuffer, side: u32) -> Result<ImageBuffer> {
    match Resize::inside(side, false).geometry((image.width(), image.height())) {
        Some(geometry) => resample(image.clone(), &geometry, None),
        None => Ok(image.clone()),
    }
}

/// What the picture's ThumbHash describes. The hash knows the aspect ratio only roughly; the picture's own is put back.
fn rendered(image: &ImageBuffer) -> Result<ImageBuffer> {
    let unreadable = || Error::internal("the ThumbHash cannot be rendered");
    let small = shrunk(image, HASHED_SIDE)?.to_eight_bit().into_dynamic().ok_or_else(unreadable)?.into_rgba8();
    let hash = rgba_to_thumb_hash(small.width() as usize, small.height() as usize, &small);
    let (width, height, samples) = thumb_hash_to_rgba(&hash).map_err(|()| unreadable())?;
    let (width, height) = (width as u32, height as u32);
    let raster = image::RgbaImage::from_raw(width, height, samples).ok_or_else(unreadable)?;
    let rendered = ImageBuffer::new(DynamicImage::ImageRgba8(raster));
    let aspect = Resize::inside(THUMB.side, true).geometry((image.width(), image.height()));
    let (across, down) = aspect.map_or((image.width().into(), image.height().into()), |geometry| geometry.size);
    match Resize::fill(across as u32, down as u32).geometry((width, height)) {
        Some(geometry) => resample(rendered, &geometry, None),
        None => Ok(rendered),
    }
}

fn data_url(image: &ImageBuffer, form: &Form, cancel: &Cancel) -> Result<String> {
    let metadata = Metadata::default();
    let encoder = Encoder { format: Format::Webp, effort: Effort::Best, metadata: &metadata, profile: None, cancel };
    let mut side = form.side;
    loop {
        let tiny = coarse(&shrunk(image, side)?.to_eight_bit(), form.alpha_step);
        let file = encoder.encode(&tiny, Target::Quality(form.quality))?;
        let url = format!("data:image/webp;base64,{}", base64(&file));
        if url.len() <= form.characters || side == 1 {
            return Ok(url);
        }
        side /= 2;
    }
}

/// The same with alpha in steps.
fn coarse(image: &ImageBuffer, step: u8) -> ImageBuffer {
    let Pixels::Rgba8(samples) = image.pixels() else { return image.clone() };
    let mut samples = samples.as_ref().clone();
    for alpha in samples.iter_mut().skip(3).step_by(4) {
        let step = u16::from(step);
        *alpha = ((u16::from(*alpha) + step / 2) / step * step) as u8;
    }
    ImageBuffer::from_pixels(image.width(), image.height(), Pixels::Rgba8(Arc::new(samples)))
}

/// RFC 4648, section 4.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let bits = group.iter().fold(0_u32, |bits, &byte| bits << 8 | u32::from(byte)) << (8 * (3 - group.len()));
        for digit in 0..4 {
            let known = digit <= group.len();
            text.push(if known { DIGITS[(bits >> (18 - 6 * digit) & 63) as usize] as char } else { '=' });
        }
    }
    text
}

/// The mean of every pixel's sRGB-encoded colour, weighted by alpha, rounded to the nearest; `None` if nothing is visible.
fn average(image: &ImageBuffer) -> Option<[u8; 3]> {
    let (eight, sixteen) = (u64::from(u8::MAX), u64::from(u16::MAX));
    match image.pixels() {
        Pixels::Gray8(samples) => mean(samples, eight, |&[v]: &[u8; 1]| [v, v, v, u8::MAX].map(u64::from)),
        Pixels::Rgb8(samples) => mean(samples, eight, |&[r, g, b]: &[u8; 3]| [r, g, b, u8::MAX].map(u64::from)),
        Pixels::Rgba8(samples) => mean(samples, eight, |&pixel: &[u8; 4]| pixel.map(u64::from)),
        Pixels::Gray16(samples) => mean(samples, sixteen, |&[v]: &[u16; 1]| [v, v, v, u16::MAX].map(u64::from)),
        Pixels::Rgb16(samples) => mean(samples, sixteen, |&[r, g, b]: &[u16; 3]| [r, g, b, u16::MAX].map(u64::from)),
        Pixels::Rgba16(samples) => mean(samples, sixteen, |&pixel: &[u16; 4]| pixel.map(u64::from)),
    }
}

/// Pixels that a thread sums up at a time: tens of microseconds of work.
const PIXELS_PER_PART: usize = 1 << 16;

fn mean<T: Sync, const N: usize>(
    samples: &[T],
    most: u64,
    rgba: impl Fn(&[T; N]) -> [u64; 4] + Sync,
) -> Option<[u8; 3]> {
    let part = |part: &[T]| {
        // Below 2^49 each.
        let mut sums = [0; 4];
        for pixel in part.as_chunks::<N>().0 {
            let [r, g, b, alpha] = rgba(pixel);
            for (sum, weighted) in sums.iter_mut().zip([r * alpha, g * alpha, b * alpha, alpha]) {
                *sum += weighted;
            }
        }
        sums.map(u128::from)
    };
    let add = |a: [u128; 4], b: [u128; 4]| [a[0] + b[0], a[1] + b[1], a[2] + b[2], a[3] + b[3]];
    let sums = samples.par_chunks(PIXELS_PER_PART * N).map(part).reduce(|| [0; 4], add);
    let [r, g, b, alpha] = sums;
    let whole = alpha * u128::from(most);
    let eight = |sum: u128| ((2 * 255 * sum + whole) / (2 * whole)) as u8;
    (alpha > 0).then(|| [eight(r), eight(g), eight(b)])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(width: u32, height: u32, pixels: Pixels) -> ImageBuffer {
        ImageBuffer::from_pixels(width, height, pixels)
    }

    fn of(placeholder: Placeholder, image: &ImageBuffer) -> Option<String> {
        placeholder.of(image, &Cancel::new(None)).unwrap()
    }

    /// What a data URL shows: the reverse of [`base64`], with decoding by the engine.
    fn shown(url: &str) -> ImageBuffer {
        let text = url.strip_prefix("data:image/webp;base64,").unwrap();
        let digit = |c: u8| match c {
            b'A'..=b'Z' => c - b'A',
            b'a'..=b'z' => c - b'a' + 26,
            b'0'..=b'9' => c - b'0' + 52,
            b'+' => 62,
            _ => 63,
        };
        let digits: Vec<_> = text.trim_end_matches('=').bytes().map(|c| u32::from(digit(c))).collect();
        let group = |four: &[u32]| {
            let bits = four.iter().enumerate().fold(0, |bits, (i, digit)| bits | (digit << (18 - 6 * i)));
            [(bits >> 16) as u8, (bits >> 8) as u8, bits as u8][..four.len() - 1].to_vec()
        };
        let file: Vec<u8> = digits.chunks(4).flat_map(group).collect();
        let header = crate::decode::read_header(&file, &crate::limits::Limits::default()).unwrap();
        crate::decode::decode(&header, &file, None).unwrap()
    }

    fn noise(count: usize) -> Vec<u8> {
        let mut seed = 7_u32;
        let next = |_| {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (seed >> 24) as u8
        };
        (0..count).map(next).collect()
    }

    #[test]
    fn alpha_in_steps_is_the_nearest() {
        let rounded = |alpha, step| {
            let image = coarse(&picture(1, 1, Pixels::Rgba8(Arc::new(vec![1, 2, 3, alpha]))), step);
            let Pixels::Rgba8(samples) = image.pixels() else { panic!("alpha stays") };
            samples[3]
        };
        assert_eq!([0, 8, 9, 247, 255].map(|alpha| rounded(alpha, 17)), [0, 0, 17, 255, 255]);
        assert_eq!([0, 1, 254, 255].map(|alpha| rounded(alpha, 1)), [0, 1, 254, 255]);
    }

    #[test]
    fn base64_is_that_of_rfc_4648() {
        let examples = ["", "f", "fo", "foo", "foob", "fooba", "foobar"];
        let encoded = ["", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy"];
        assert_eq!(examples.map(|text| base64(text.as_bytes())), encoded);
        assert_eq!(base64(&[0xFB, 0xEF, 0xBE, 0xFF]), "++++/w==");
    }

    #[test]
    fn the_colour_is_the_mean_weighted_by_alpha() {
        let color = |pixels| of(Placeholder::Color, &picture(2, 1, pixels));
        assert_eq!(color(Pixels::Gray8(Arc::new(vec![0, 255]))).unwrap(), "#808080");
        assert_eq!(color(Pixels::Rgb8(Arc::new(vec![255, 0, 10, 255, 1, 20]))).unwrap(), "#ff010f");
        assert_eq!(color(Pixels::Rgba8(Arc::new(vec![200, 0, 0, 255, 0, 200, 9, 0]))).unwrap(), "#c80000");
        assert_eq!(color(Pixels::Rgba8(Arc::new(vec![100, 0, 0, 30, 0, 100, 0, 90]))).unwrap(), "#194b00");
        assert_eq!(color(Pixels::Gray16(Arc::new(vec![65_535, 65_021]))).unwrap(), "#fefefe");
        assert_eq!(color(Pixels::Rgb16(Arc::new(vec![65_535, 0, 257, 65_535, 0, 257]))).unwrap(), "#ff0001");
        assert_eq!(color(Pixels::Rgba16(Arc::new(vec![65_535, 0, 0, 1, 0, 65_535, 0, 1]))).unwrap(), "#808000");
        assert_eq!(color(Pixels::Rgba8(Arc::new(vec![9, 9, 9, 0, 5, 5, 5, 0]))), None);
    }

    /// Every layout, the smallest picture, the narrowest; noise, which takes the most bytes, with alpha too.
    #[test]
    fn a_data_url_is_bounded_and_keeps_the_aspect_ratio() {
        let wide = |count| Arc::new(noise(count).into_iter().map(|v| u16::from(v) * 256 + 3).collect::<Vec<u16>>());
        for (width, height) in [(1_u32, 1_u32), (2000, 1), (1, 700), (33, 17), (640, 480), (300, 400)] {
            let n = (width * height) as usize;
            for pixels in [
                Pixels::Gray8(Arc::new(noise(n))),
                Pixels::Rgb8(Arc::new(noise(n * 3))),
                Pixels::Rgba8(Arc::new(noise(n * 4))),
                Pixels::Gray16(wide(n)),
                Pixels::Rgb16(wide(n * 3)),
                Pixels::Rgba16(wide(n * 4)),
            ] {
                let image = picture(width, height, pixels);
                for (placeholder, form) in [(Placeholder::Blur, BLUR), (Placeholder::ThumbHash, THUMB)] {
                    let url = of(placeholder, &image).unwrap();
                    assert!(url.len() <= form.characters, "{placeholder:?} {width}×{height}: {}", url.len());
                    let shown = shown(&url);
                    let longest = shown.width().max(shown.height());
                    assert!(longest <= form.side, "{placeholder:?} {width}×{height}: {longest}");
                    let wanted = Resize::inside(longest, true).geometry((width, height));
                    let size = wanted.map_or((width.into(), height.into()), |geometry| geometry.size);
                    assert_eq!((u64::from(shown.width()), u64::from(shown.height())), size, "{placeholder:?}");
                }
            }
        }
    }

    /// Left blue, right orange, and the lower half see-through.
    #[test]
    fn a_data_url_shows_the_picture() {
        let pixel = |x: u32, y: u32| {
            let [r, g, b] = if x < 200 { [20, 60, 200] } else { [240, 150, 30] };
            [r, g, b, if y < 150 { 255 } else { 60 }]
        };
        let samples = (0..300).flat_map(|y| (0..400).flat_map(move |x| pixel(x, y))).collect();
        let image = picture(400, 300, Pixels::Rgba8(Arc::new(samples)));
        // ThumbHash keeps a few waves of colour, which round the edge off.
        for (placeholder, tolerance) in [(Placeholder::Blur, 12), (Placeholder::ThumbHash, 64)] {
            let shown = shown(&of(placeholder, &image).unwrap());
            let Pixels::Rgba8(samples) = shown.pixels() else { panic!("alpha stays") };
            for (x, y) in [(1, 1), (3, 1), (1, 3), (3, 3)] {
                let at = (shown.height() * y / 4 * shown.width() + shown.width() * x / 4) as usize * 4;
                let wanted = pixel(400 * x / 4, 300 * y / 4);
                for (found, wanted) in samples[at..at + 4].iter().zip(wanted) {
                    assert!(found.abs_diff(wanted) <= tolerance, "{placeholder:?} {x} {y}: {:?}", &samples[at..at + 4]);
                }
            }
        }
    }
}
