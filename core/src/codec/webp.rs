//! WebP: decoding by `image-webp` through `image`, encoding by libwebp through `webpx`.

use std::io::Cursor;

use image::DynamicImage;
use image::codecs::webp::WebPDecoder;
use webpx::EncoderConfig;

use super::{Effort, Encoder, Header, InputFormat, Target, header_of, image_error};
use crate::content::looks_drawn;
use crate::error::{Error, Result};
use crate::image::{ImageBuffer, Pixels};
use crate::limits::MAX_PAGES;

/// Peak of encoding, lossless or not: ARGB samples, and hash chains or statistics per block.
pub(super) const BYTES_PER_PIXEL: u64 = 40;

pub(super) fn read_header(data: &[u8]) -> Result<Header> {
    let mut decoder = open(data)?;
    let pages = if decoder.has_animation() { count_pages(data) } else { 1 };
    Ok(Header { pages, ..header_of(InputFormat::Webp, &mut decoder)? })
}

pub(super) fn decode(data: &[u8]) -> Result<DynamicImage> {
    DynamicImage::from_decoder(open(data)?).map_err(|error| image_error(InputFormat::Webp, error))
}

fn open(data: &[u8]) -> Result<WebPDecoder<Cursor<&[u8]>>> {
    WebPDecoder::new(Cursor::new(data)).map_err(|error| image_error(InputFormat::Webp, error))
}

fn count_pages(data: &[u8]) -> u32 {
    let frames = image_webp::WebPDecoder::new(Cursor::new(data)).map(|decoder| decoder.num_frames());
    frames.unwrap_or(1).clamp(1, MAX_PAGES)
}

/// libwebp's `method`, 0 to 6. Measured on the corpus: 2 takes a third of the time of 4 for 4 % more bytes, 6 half as
/// much again for 4 % fewer.
fn method(effort: Effort) -> u8 {
    match effort {
        Effort::Fast => 2,
        Effort::Balanced => 4,
        Effort::Best => 6,
    }
}

/// libwebp's `method` and `quality`, which in lossless mode is effort too. Measured on the corpus of drawings: from quality
/// 75 on a longer search for repeats saves up to five sixths (87 kB become 14 kB), quality 100 up to a fifth more. Method 6
/// with 100 tries every transform: a third smaller on gradients, which only lossless files care for, equal elsewhere, and
/// ten times as long; on a photo it is 1 % in twenty times the time.
fn lossless_preset(effort: Effort, image: &ImageBuffer, target: Target) -> (u8, f32) {
    match effort {
        Effort::Fast => (2, 75.0),
        Effort::Best if target == Target::Lossless => (6, if looks_drawn(image) { 100.0 } else { 75.0 }),
        Effort::Balanced | Effort::Best => (4, 100.0),
    }
}

// `sharp_yuv` subsamples chroma so that saturated edges keep their colour: measured, 0.2 to 1.2 points of SSIMULACRA2 on photos
// for the same bytes and 0.1 s more at 3 megapixels; on small drawings it is the difference between right and wrong.

pub(super) fn encode(encoder: &Encoder<'_>, image: &ImageBuffer, target: Target) -> Result<Vec<u8>> {
    let mut config = match target {
        Target::Quality(quality) => {
            let config = EncoderConfig::new().quality(f32::from(quality)).method(method(encoder.effort));
            config.sharp_yuv(encoder.effort != Effort::Fast)
        }
        // `exact` keeps the colour under transparent pixels.
        Target::Visible | Target::Palette(_) | Target::Lossless => {
            let (method, quality) = lossless_preset(encoder.effort, image, target);
            EncoderConfig::new_lossless().method(method).quality(quality).exact(target == Target::Lossless)
        }
    };
    if let Some(exif) = &encoder.metadata.exif {
        config = config.exif(exif.clone());
    }
    if let Some(xmp) = &encoder.metadata.xmp {
        config = config.xmp(xmp.clone());
    }
    if let Some(profile) = encoder.profile {
        config = config.icc_profile(profile.to_icc()?);
    }
    let (width, height) = (image.width(), image.height());
    // WebP has no grey mode.
    let image = image.to_color();
    let result = match image.pixels() {
        Pixels::Rgba8(samples) => config.encode_rgba(samples, width, height, encoder.cancel),
        Pixels::Rgb8(samples) => config.encode_rgb(samples, width, height, encoder.cancel),
        _ => return Err(Error::internal("WebP holds 8 bits per sample")),
    };
    result.map_err(|error| {
        // A stop comes back as an encode error: say what stopped it.
        encoder.cancel.check().err().unwrap_or_else(|| Error::internal(error.to_string()))
    })
}
