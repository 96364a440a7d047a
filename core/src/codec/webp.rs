//! WebP, decoded and encoded by libwebp through `webpx`. What a file is made of is read here (`webp/container.rs`).

mod container;

pub(super) use container::{Chunk, EXIF, XMP, chunks};

use image::metadata::Orientation;
use image::{DynamicImage, RgbImage, RgbaImage};
use webpx::{
    AnimationDecoder, AnimationEncoder, ColorMode, Decoder, DecoderConfig, EncoderConfig, embed_exif, embed_xmp,
};

use super::animated::until_error;
use super::{Canvas, Canvases, ColorSpace, Effort, Encoder, Header, InputFormat, Metadata, Motion, Target};
use crate::codec::header::without_exif_signature;
use crate::color::Profile;
use crate::content::looks_drawn;
use crate::error::{Error, Result};
use crate::image::{ImageBuffer, Pixels};
use container::Container;

/// Peak of encoding, lossless or not: ARGB samples, and hash chains or statistics per block.
pub(super) const BYTES_PER_PIXEL: u64 = 40;

fn corrupt(reason: impl std::fmt::Display) -> Error {
    Error::corrupt(InputFormat::Webp, reason)
}

pub(super) fn read_header(data: &[u8]) -> Result<Header> {
    let container = Container::read(data)?;
    let Container { width, height, animated, has_alpha, frames, profile, exif, xmp } = container;
    // Chromium takes the samples of an animation for sRGB; what a still of one becomes could only be shown otherwise.
    let profile = profile.filter(|_| !animated || frames > 1);
    Ok(Header {
        format: InputFormat::Webp,
        width,
        height,
        has_alpha,
        bit_depth: 8,
        // Browsers turn no WebP, whatever its EXIF says.
        orientation: Orientation::NoTransforms,
        pages: frames,
        color_space: ColorSpace::Rgb,
        profile: profile.map(|icc| Profile::Icc(icc.to_vec())),
        metadata: Metadata {
            exif: exif.map(|exif| without_exif_signature(exif.to_vec())),
            xmp: xmp.map(<[u8]>::to_vec),
        },
        density_corrected: None,
        frame_pixels: u64::from(width) * u64::from(height),
        missing_end: false,
    })
}

/// Decodes the picture, or the first frame; of a single frame it is checked that it is the only one.
pub(super) fn decode(header: &Header, data: &[u8]) -> Result<DynamicImage> {
    if Container::read(data)?.animated {
        let mut canvases = canvases(data)?;
        let first = canvases.next().unwrap_or_else(|| Err(corrupt("it has no picture")))?;
        if !header.is_animated() {
            canvases.next().transpose()?;
        }
        return Ok(DynamicImage::ImageRgba8(first.image));
    }
    // The limits were checked before.
    let config = DecoderConfig::new().limits(webpx::Limits::none());
    let decoder = Decoder::new(data).map_err(corrupt)?.config(config);
    let (width, height) = (header.width, header.height);
    if (decoder.info().width, decoder.info().height) != (width, height) {
        return Err(corrupt("its picture is of another size than its canvas"));
    }
    let stride = width * if header.has_alpha { 4 } else { 3 };
    let mut samples = vec![0; stride as usize * height as usize];
    let picture = if header.has_alpha {
        decoder.decode_rgba_into(&mut samples, stride).map_err(corrupt)?;
        RgbaImage::from_raw(width, height, samples).map(DynamicImage::ImageRgba8)
    } else {
        decoder.decode_rgb_into(&mut samples, stride).map_err(corrupt)?;
        RgbImage::from_raw(width, height, samples).map(DynamicImage::ImageRgb8)
    };
    picture.ok_or_else(|| Error::internal("samples of another size than their picture"))
}

/// libwebp's `method`, 0 to 6. Measured on the corpus: 2 takes a third of the time of 4 for 4 % more bytes, 6 half as
/// much again for 4 % fewer.
fn method(effort: Effort) -> u8 {
    match effort {
        Effort::Instant | Effort::Fast => 2,
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
        Effort::Instant | Effort::Fast => (2, 75.0),
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
            config.sharp_yuv(!matches!(encoder.effort, Effort::Instant | Effort::Fast))
        }
        // `exact` keeps the colour under transparent pixels.
        Target::Visible | Target::Palette(_) | Target::Dithered(_) | Target::Lossless => {
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

fn open_animation(data: &[u8]) -> Result<AnimationDecoder> {
    // No threads of its own; the limits were checked before.
    AnimationDecoder::with_options_limits(data, ColorMode::Rgba, false, &webpx::Limits::none()).map_err(corrupt)
}

/// How often the animation plays, 0 for ever.
pub(super) fn plays(data: &[u8]) -> Result<u16> {
    Ok(open_animation(data)?.info().loop_count as u16)
}

/// Every frame, composed. A still picture is one frame of no duration.
pub(super) fn canvases(data: &[u8]) -> Result<Canvases<'static>> {
    let mut decoder = open_animation(data)?;
    Ok(until_error(move || {
        let frame = decoder.next_frame().map_err(corrupt)?;
        let Some(mut frame) = frame else { return Ok(None) };
        // Nobody sees these colours, blending loses them, and equal pixels are coded in fewer bytes.
        frame.data.chunks_exact_mut(4).filter(|pixel| pixel[3] == 0).for_each(|pixel| pixel.fill(0));
        let image = RgbaImage::from_raw(frame.width, frame.height, frame.data);
        let image = image.ok_or_else(|| Error::internal("a frame of another size than its canvas"))?;
        Ok(Some(Canvas { image, duration: frame.duration_ms }))
    }))
}

/// Memory that an animation's encoder keeps from frame to frame, in bytes per pixel: the picture, a copy of it, the one before
/// and that one disposed, as ARGB. Encoding one of them takes [`BYTES_PER_PIXEL`] beside.
pub(super) const ANIMATION_BYTES_PER_PIXEL: u64 = 16;

/// libwebp takes what differs by no more than this for the same (`QualityToMaxDiff` in its `anim_encode.c`), and an animation
/// in which nothing differs by more becomes a still picture.
fn overlooked(quality: u8) -> f64 {
    let share = (f64::from(quality) / 100.0).sqrt();
    (31.0 * (1.0 - share) + share).round()
}

pub(super) fn quality_that_sees(depth: u8) -> Option<u8> {
    (1..=100).find(|&quality| overlooked(quality) < f64::from(depth))
}

/// By libwebp's animation encoder, of which `webpx` lets nobody choose the method: it is 4. Frames whose changes are smaller
/// than what the quality lets through are merged with the one before.
pub(super) fn encode_animation(
    encoder: &Encoder<'_>,
    motion: Motion,
    frames: impl Iterator<Item = Result<(ImageBuffer, u32)>>,
    target: Target,
) -> Result<Vec<u8>> {
    let failed = |error: webpx::At<webpx::Error>| Error::internal(error.to_string());
    // A frame of few colours takes fewer bytes lossless, and then looks better too.
    let mixed = matches!(target, Target::Quality(_));
    let Motion { width, height, plays } = motion;
    let mut animation = AnimationEncoder::with_options(width, height, mixed, u32::from(plays)).map_err(failed)?;
    if let Some(profile) = encoder.profile {
        animation.set_icc_profile(profile.to_icc()?);
    }
    match target {
        Target::Quality(quality) => animation.set_quality(f32::from(quality)),
        Target::Visible | Target::Lossless => {
            animation.set_lossless(true);
            animation.set_quality(match encoder.effort {
                Effort::Instant | Effort::Fast => 30.0,
                Effort::Balanced => 75.0,
                Effort::Best => 100.0,
            });
        }
        Target::Palette(_) | Target::Dithered(_) => return Err(Error::internal("an animation gets no palette")),
    }
    // libwebp looks at differences only, so that it may wrap.
    let mut time = 0_u32;
    for frame in frames {
        let (image, duration) = frame?;
        let now = time.cast_signed();
        match image.to_color().pixels() {
            Pixels::Rgba8(samples) => animation.add_frame_rgba(samples, now),
            Pixels::Rgb8(samples) => animation.add_frame_rgb(samples, now),
            _ => return Err(Error::internal("WebP holds 8 bits per sample")),
        }
        .map_err(failed)?;
        time = time.wrapping_add(duration);
    }
    let mut file = animation.finish(time.cast_signed()).map_err(failed)?;
    if let Some(exif) = &encoder.metadata.exif {
        file = embed_exif(&file, exif).map_err(failed)?;
    }
    if let Some(xmp) = &encoder.metadata.xmp {
        file = embed_xmp(&file, xmp).map_err(failed)?;
    }
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cancel::Cancel;
    use crate::codec::{Format, Metadata};
    use image::GrayImage;

    fn frames_of(depth: u8, quality: u8) -> usize {
        let (metadata, cancel) = (Metadata::default(), Cancel::new(None));
        let encoder =
            Encoder { format: Format::Webp, effort: Effort::Fast, metadata: &metadata, profile: None, cancel: &cancel };
        let frame = |shade| {
            let raster = GrayImage::from_pixel(16, 16, image::Luma([shade]));
            Ok((ImageBuffer::new(DynamicImage::ImageLuma8(raster)), 50))
        };
        let frames = [frame(100), frame(100 + depth)].into_iter();
        let motion = Motion { width: 16, height: 16, plays: 0 };
        let file = encode_animation(&encoder, motion, frames, Target::Quality(quality)).unwrap();
        canvases(&file).unwrap().count()
    }

    /// Our copy of libwebp's rule: at the lowest quality that sees a change there are two frames, below there is one.
    #[test]
    fn small_changes_are_overlooked_below_a_quality() {
        assert_eq!((quality_that_sees(0), quality_that_sees(1)), (None, None));
        assert_eq!(frames_of(1, 100), 1);
        for depth in 2..40 {
            let lowest = quality_that_sees(depth).unwrap();
            assert_eq!(frames_of(depth, lowest), 2, "{depth} at {lowest}");
            assert!(lowest == 1 || frames_of(depth, lowest - 1) == 1, "{depth} below {lowest}");
        }
    }
}
