//! Few colours in the place of many: what a palette of PNG or WebP can hold.

use image::{DynamicImage, RgbaImage};
use quantizr::{Image, Options, QuantizeResult};

use crate::error::{Error, Result};
use crate::image::{ImageBuffer, Pixels};

/// Fewest and most colours of a palette: what quantizr takes and what one byte per pixel can name.
pub const COLORS: std::ops::RangeInclusive<u16> = 2..=256;

// Drawings are not dithered. Measured as WebP on the corpus of drawings, Floyd-Steinberg lifts the score and costs more bytes than more
// colours do for the same score: a dashboard has 79.5 points with 64 plain colours in 21.2 kB and 75.0 with 32 dithered ones
// in 26.7 kB, a gradient 75.5 with 80 in 33.8 kB and 78.3 with 64 in 74.6 kB. On line art it is about even.

/// `image` in at most `colors` colours ([`COLORS`]; others are brought into that range), 8 bits per sample. Transparency
/// is part of a colour, and all fully transparent pixels get the same one.
///
/// The encoders' lossless modes turn such an image into a palette by themselves, so this is what a decoder will show.
pub fn quantize(image: &ImageBuffer, colors: u16) -> Result<ImageBuffer> {
    let image = image.to_eight_bit();
    few_colors(&image, &rgba(&image), colors, 0.0, |color| color)
}

// Photographs are. Measured as PNG on nine Kodak pictures, SSIMULACRA2 70 takes about as many bytes with dithering as
// without (0.95 to 1.05), but fewer colours, and pictures with smooth areas reach it at all. Distances in luma and half the
// colour differences are nearer to what is seen than those in RGB: 70 takes 3.41 bits per pixel instead of 4.02 on
// kodim22, 4.36 instead of 4.53 on kodim05, 3.05 instead of 2.95 on kodim15, and kodim23 gets 72 with 256 colours, not 65.

/// The same by colours that are nearest in luma and colour differences, dithered (Floyd and Steinberg).
pub fn dither(image: &ImageBuffer, colors: u16) -> Result<ImageBuffer> {
    let image = image.to_eight_bit();
    let samples: Vec<u8> = rgba(&image).as_chunks::<4>().0.iter().flat_map(|&color| to_luma(color)).collect();
    few_colors(&image, &samples, colors, 1.0, from_luma)
}

/// Luma of red, green and blue (ITU-R BT.601).
const LUMA: [f32; 3] = [0.299, 0.587, 0.114];

/// Luma and half of what blue and red differ from it by, around 128. Alpha stays.
fn to_luma([red, green, blue, alpha]: [u8; 4]) -> [u8; 4] {
    let [r, g, b] = [red, green, blue].map(f32::from);
    let luma = LUMA[0] * r + LUMA[1] * g + LUMA[2] * b;
    let difference = |sample: f32| rounded(128.0 + (sample - luma) / 2.0);
    [rounded(luma), difference(b), difference(r), alpha]
}

/// The colour that [`to_luma`] made this of, but for rounding. Fully transparent ones are all zeros.
fn from_luma([luma, blue, red, alpha]: [u8; 4]) -> [u8; 4] {
    if alpha == 0 {
        return [0; 4];
    }
    let luma = f32::from(luma);
    let [r, b] = [red, blue].map(|difference| luma + (f32::from(difference) - 128.0) * 2.0);
    let g = (luma - LUMA[0] * r - LUMA[2] * b) / LUMA[1];
    [rounded(r), rounded(g), rounded(b), alpha]
}

fn rounded(sample: f32) -> u8 {
    sample.round().clamp(0.0, 255.0) as u8
}

/// The picture of `image`'s size whose RGBA samples, or what stands for them, are `samples`, in at most `colors` of them; `shown`
/// makes colours of them again. `dithering`: share of an error that is passed on, 0 to 1.
fn few_colors(
    image: &ImageBuffer,
    samples: &[u8],
    colors: u16,
    dithering: f32,
    shown: impl Fn([u8; 4]) -> [u8; 4],
) -> Result<ImageBuffer> {
    let (width, height) = (image.width() as usize, image.height() as usize);
    let failed = |error: quantizr::Error| Error::internal(error.to_string());
    let source = Image::new(samples, width, height).map_err(failed)?;
    let mut options = Options::default();
    options.set_max_colors(i32::from(colors.clamp(*COLORS.start(), *COLORS.end()))).map_err(failed)?;
    let mut result = QuantizeResult::quantize(&source, &options);
    result.set_dithering_level(dithering).map_err(failed)?;
    let mut indices = vec![0; width * height];
    result.remap_image(&source, &mut indices).map_err(failed)?;
    let entries = result.get_palette().entries.map(|entry| shown([entry.r, entry.g, entry.b, entry.a]));
    let samples = indices.into_iter().flat_map(|index| entries[usize::from(index)]).collect();
    let raster = RgbaImage::from_raw(image.width(), image.height(), samples);
    let raster = raster.ok_or_else(|| Error::internal("the palette does not cover the image"))?;
    Ok(ImageBuffer::new(DynamicImage::ImageRgba8(raster)))
}

/// Expects 8 bits per sample.
fn rgba(image: &ImageBuffer) -> Vec<u8> {
    match image.pixels() {
        Pixels::Gray8(gray) => gray.iter().flat_map(|&v| [v, v, v, u8::MAX]).collect(),
        Pixels::Rgb8(rgb) => rgb.chunks_exact(3).flat_map(|p| [p[0], p[1], p[2], u8::MAX]).collect(),
        Pixels::Rgba8(rgba) => rgba.as_ref().clone(),
        // `to_eight_bit` leaves none of these.
        Pixels::Gray16(_) | Pixels::Rgb16(_) | Pixels::Rgba16(_) => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cancel::Cancel;
    use crate::codec::{Effort, Encoder, Format, Metadata, Target};
    use crate::decode;
    use crate::limits::Limits;
    use std::collections::HashSet;

    /// A disc of many colours with a soft edge on a fully transparent ground that hides colours of its own.
    fn picture() -> ImageBuffer {
        let raster = RgbaImage::from_fn(96, 64, |x, y| {
            let distance = (f64::from(x) - 48.0).hypot(f64::from(y) - 32.0);
            let alpha = ((30.0 - distance) * 20.0).clamp(0.0, 255.0) as u8;
            let hidden = if alpha == 0 { (x * 7919 + y * 104_729) % 251 } else { 0 };
            image::Rgba([(x * 2) as u8, (y * 3) as u8, (x + y + hidden) as u8, alpha])
        });
        ImageBuffer::new(DynamicImage::ImageRgba8(raster))
    }

    fn encode(format: Format, image: &ImageBuffer, target: Target) -> Vec<u8> {
        let (metadata, cancel) = (Metadata::default(), Cancel::new(None));
        Encoder { format, effort: Effort::Fast, metadata: &metadata, profile: None, cancel: &cancel }
            .encode(image, target)
            .unwrap()
    }

    fn shown(file: &[u8]) -> ImageBuffer {
        let header = decode::read_header(file, &Limits::default()).unwrap();
        decode::decode(&header, file, None).unwrap()
    }

    #[test]
    fn there_are_at_most_as_many_colours_as_asked_for() {
        let image = picture();
        for colors in [2, 3, 16, 256] {
            let rgba = rgba(&quantize(&image, colors).unwrap());
            let found: HashSet<_> = rgba.chunks_exact(4).collect();
            assert!((2..=usize::from(colors)).contains(&found.len()), "{} of {colors}", found.len());
        }
    }

    #[test]
    fn clear_stays_clear_and_solid_stays_solid() {
        let image = picture();
        let (before, after) = (rgba(&image), rgba(&quantize(&image, 64).unwrap()));
        for (before, after) in before.chunks_exact(4).zip(after.chunks_exact(4)) {
            match before[3] {
                0 => assert_eq!(after, [0; 4]),
                u8::MAX => assert!(after[3] > 247, "{before:?} became {after:?}"),
                alpha => assert!(after[3].abs_diff(alpha) < 64, "{before:?} became {after:?}"),
            }
        }
    }

    /// Of a gradient in few colours a block is near the mean of the original only if errors are passed on.
    #[test]
    fn dithering_keeps_the_mean_of_what_lies_between_two_colours() {
        let raster = image::RgbImage::from_fn(256, 64, |x, _| image::Rgb([x as u8, 90, 255 - x as u8]));
        let image = ImageBuffer::new(DynamicImage::ImageRgb8(raster));
        let worst = |few: &ImageBuffer| {
            let (before, after) = (rgba(&image), rgba(few));
            let mean = |samples: &[u8], left: usize| {
                let block = (0..64).flat_map(|y| (left..left + 8).map(move |x| (y * 256 + x) * 4));
                block.map(|at| f64::from(samples[at])).sum::<f64>() / 512.0
            };
            (16..240).step_by(8).map(|left| (mean(&before, left) - mean(&after, left)).abs()).fold(0.0, f64::max)
        };
        let (plain, dithered) = (worst(&quantize(&image, 8).unwrap()), worst(&dither(&image, 8).unwrap()));
        assert!(plain > 8.0 && dithered < plain / 2.0, "{plain} and {dithered}");
    }

    /// Dithered pictures too have no more colours than asked for; clear stays clear, and grey grey.
    #[test]
    fn dithering_keeps_what_palettes_promise() {
        let (image, few) = (picture(), dither(&picture(), 16).unwrap());
        let few = rgba(&few);
        assert!(few.chunks_exact(4).collect::<HashSet<_>>().len() <= 16);
        let clear =
            rgba(&image).chunks_exact(4).zip(few.chunks_exact(4)).filter(|(a, b)| a[3] == 0 && b[3] > 8).count();
        assert_eq!(clear, 0);
        let gray = image::GrayImage::from_fn(64, 64, |x, y| image::Luma([(x * 3 + y) as u8]));
        let gray = dither(&ImageBuffer::new(DynamicImage::ImageLuma8(gray)), 8).unwrap();
        assert!(matches!(gray.pixels(), Pixels::Gray8(_)));
        // No colour is far from what luma and differences, rounded, make of it.
        for color in [[255, 0, 0, 255], [0, 255, 0, 9], [0, 0, 255, 255], [1, 2, 3, 255], [255, 255, 255, 0]] {
            let back = from_luma(to_luma(color));
            let near = color.iter().zip(back).all(|(a, b)| a.abs_diff(b) <= 2);
            assert!(near || (color[3] == 0 && back == [0; 4]), "{color:?} became {back:?}");
        }
    }

    /// What the search scores without a decoder is what a decoder shows; PNG holds it as a palette (colour type 3).
    #[test]
    fn a_decoder_shows_the_quantised_picture() {
        let image = picture();
        let opaque = image.flatten([200, 30, 60]);
        for image in [&image, &opaque] {
            let expected = quantize(image, 32).unwrap();
            for format in [Format::Png, Format::Webp] {
                let file = encode(format, image, Target::Palette(32));
                assert_eq!(shown(&file), expected, "{format}");
                assert!(format != Format::Png || file[25] == 3, "colour type {}", file[25]);
                assert_eq!(shown(&encode(format, image, Target::Dithered(32))), dither(image, 32).unwrap(), "{format}");
            }
        }
    }

    #[test]
    fn one_pixel_and_one_colour_work() {
        let raster = RgbaImage::from_pixel(1, 1, image::Rgba([1, 2, 3, 128]));
        let image = ImageBuffer::new(DynamicImage::ImageRgba8(raster));
        for format in [Format::Png, Format::Webp] {
            assert_eq!(shown(&encode(format, &image, Target::Palette(2))), image, "{format}");
        }
    }

    /// `Lossless` keeps hidden colours too; `Visible` keeps all that can be seen.
    #[test]
    fn lossless_keeps_every_sample_and_visible_all_that_can_be_seen() {
        let image = picture();
        let seen = |image: &ImageBuffer| -> Vec<u8> {
            rgba(image)
                .chunks_exact(4)
                .flat_map(|p| if p[3] == 0 { [0; 4] } else { [p[0], p[1], p[2], p[3]] })
                .collect()
        };
        for format in [Format::Png, Format::Webp] {
            assert_eq!(shown(&encode(format, &image, Target::Lossless)), image, "{format}");
            let visible = encode(format, &image, Target::Visible);
            assert_eq!(seen(&shown(&visible)), seen(&image), "{format}");
            assert!(visible.len() < encode(format, &image, Target::Lossless).len(), "{format}");
        }
    }

    /// Grey, few colours, two tones, 16 bits: oxipng's reductions change no sample.
    #[test]
    fn png_keeps_every_kind_of_sample() {
        let wide = |x: u32, y: u32| (x * 641 + y * 77) as u16;
        let kinds = [
            DynamicImage::ImageLuma8(image::GrayImage::from_fn(40, 9, |x, y| image::Luma([(x * 6 + y) as u8]))),
            DynamicImage::ImageLuma8(image::GrayImage::from_fn(40, 9, |x, y| image::Luma([((x ^ y) & 1) as u8 * 255]))),
            DynamicImage::ImageRgb8(image::RgbImage::from_fn(40, 9, |x, y| {
                image::Rgb([(x % 5) as u8, 7, (y % 3) as u8])
            })),
            DynamicImage::ImageLuma16(image::ImageBuffer::from_fn(40, 9, |x, y| image::Luma([wide(x, y)]))),
            DynamicImage::ImageRgba16(image::ImageBuffer::from_fn(40, 9, |x, y| {
                image::Rgba([wide(x, y), 3, wide(y, x), (x * 1600) as u16])
            })),
        ];
        for image in kinds.map(ImageBuffer::new) {
            assert_eq!(shown(&encode(Format::Png, &image, Target::Lossless)), image);
        }
    }
}
