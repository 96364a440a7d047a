//! AVIF. Writing: the picture as AV1 wants it (`planes`), one of two engines (`aom`, `rav1e`), and the container (`write`).
//! Reading: the container (`boxes`, `container`, `metadata`, `grid`), what of AV1's stream a decoder may see (`obu`,
//! `sequence`), one of two decoders (`decoder`), and colour (`color`), all put together by `decode`.
//!
//! The engine is libaom; a build without the cargo feature `aom` needs no cmake and has rav1e instead.

#[cfg(feature = "aom")]
mod aom;
mod boxes;
mod color;
mod container;
mod decode;
mod decoder;
mod grid;
mod metadata;
mod obu;
mod planes;
#[cfg(not(feature = "aom"))]
mod rav1e;
mod sequence;
mod write;

#[cfg(feature = "aom")]
use aom as engine;
#[cfg(not(feature = "aom"))]
use rav1e as engine;

pub(crate) use self::container::is_avif;
pub(crate) use self::decode::{decode, read_header};
pub(crate) use self::metadata::blank_metadata;
pub use self::planes::{BIT_DEPTH, PlaneSet, Sampling};
pub use self::write::CodedPicture;
use super::{Draft, Effort, Encoder, Source, Target};
use crate::color::Profile;
use crate::error::{Error, Result};
use crate::image::ImageBuffer;

/// Memory that encoding needs at its peak, in bytes per pixel.
pub(super) const BYTES_PER_PIXEL: u64 = engine::BYTES_PER_PIXEL;

/// The lowest quality of each quantizer that the engine has, ascending: all that differ. 1 is among them.
#[must_use]
pub fn quality_steps() -> Vec<u8> {
    let mut steps: Vec<u8> = (1..=100).collect();
    steps.dedup_by_key(|quality| engine::quantizer(*quality));
    steps
}

/// Alpha edges show more than colour errors, and cost little: ravif's curve (ravif 0.13, `alpha_quality`).
fn alpha_quality(quality: u8) -> u8 {
    let quality = f32::from(quality);
    f32::midpoint(quality, 100.0).min(quality + quality / 4.0 + 2.0) as u8
}

pub(super) fn encode(encoder: &Encoder<'_>, source: &Source<'_>, target: Target) -> Result<Vec<u8>> {
    let Target::Quality(quality) = target else {
        return Err(Error::internal("this AVIF encoder cannot keep every pixel"));
    };
    let planes = source.planes.get_or_init(|| Planes::new(source.image, Sampling::of(source.image)));
    encode_planes(encoder, planes.as_ref().map_err(Error::clone)?, quality)
}

/// With 'best' an encode takes three times as long as with 'balanced', whose file says where to begin.
pub(super) fn draft<'a>(encoder: &Encoder<'a>) -> Option<Draft<'a>> {
    let (points, bytes) = engine::BEST_TO_BALANCED.filter(|_| encoder.effort == Effort::Best)?;
    Some(Draft { encoder: Encoder { effort: Effort::Balanced, ..*encoder }, points, bytes })
}

/// A picture as AV1 takes it: its colours, and its alpha as a picture of its own.
#[derive(Debug)]
pub struct Planes {
    color: PlaneSet,
    alpha: Option<PlaneSet>,
}

impl Planes {
    /// Converts with chroma at full or half resolution.
    pub fn new(image: &ImageBuffer, sampling: Sampling) -> Result<Self> {
        let alpha = image.has_alpha().then(|| PlaneSet::alpha(image)).transpose()?;
        Ok(Self { color: PlaneSet::color(image, sampling)?, alpha })
    }
}

/// `quality` is 1 to 100, on libavif's scale with libaom and on ravif's with rav1e.
pub fn encode_planes(encoder: &Encoder<'_>, planes: &Planes, quality: u8) -> Result<Vec<u8>> {
    let Encoder { effort, cancel, metadata, profile, .. } = *encoder;
    let Planes { color, alpha } = planes;
    let encode = |set: &PlaneSet, quality| engine::encode_planes(set, quality, effort, cancel);
    let (color_file, alpha_file) = rayon::join(
        || encode(color, quality),
        || alpha.as_ref().map(|alpha| encode(alpha, alpha_quality(quality))).transpose(),
    );
    let (color_file, alpha_file) = (color_file?, alpha_file?);
    let picture = CodedPicture {
        width: color.width,
        height: color.height,
        color: &color_file,
        alpha: alpha_file.as_deref(),
        primaries: profile.and_then(Profile::primaries),
        exif: metadata.exif.as_deref(),
    };
    picture.to_avif()
}

#[cfg(test)]
mod tests {
    use image::{DynamicImage, GrayImage, RgbImage, RgbaImage};
    #[cfg(feature = "aom")]
    use pixrace_aom::Subsampling;

    use super::*;
    use crate::cancel::Cancel;
    use crate::codec::{Effort, Format, Metadata, Provenance, Viewer};

    fn picture(width: u32, height: u32, channels: u32) -> ImageBuffer {
        let sample = |index: usize| (index * index / 7 % 251) as u8;
        let raw = (0..(width * height * channels) as usize).map(sample).collect();
        let raster = match channels {
            1 => GrayImage::from_raw(width, height, raw).map(DynamicImage::ImageLuma8),
            3 => RgbImage::from_raw(width, height, raw).map(DynamicImage::ImageRgb8),
            _ => RgbaImage::from_raw(width, height, raw).map(DynamicImage::ImageRgba8),
        };
        ImageBuffer::new(raster.unwrap())
    }

    fn encoded(threads: usize, image: &ImageBuffer, quality: u8, sampling: Sampling) -> Vec<u8> {
        let (metadata, cancel) = (Metadata::default(), Cancel::new(None));
        let encoder =
            Encoder { format: Format::Avif, effort: Effort::Fast, metadata: &metadata, profile: None, cancel: &cancel };
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| encode_planes(&encoder, &Planes::new(image, sampling).unwrap(), quality)).unwrap()
    }

    #[test]
    fn no_byte_depends_on_the_threads() {
        let images = [picture(1300, 900, 3), picture(1300, 900, 4), picture(800, 700, 1), picture(17, 3, 3)];
        for (image, sampling) in images.iter().zip([Sampling::Full, Sampling::Full, Sampling::Full, Sampling::Half]) {
            let alone = encoded(1, image, 60, sampling);
            for threads in [2, 3, 8] {
                assert!(encoded(threads, image, 60, sampling) == alone, "{threads} threads, {image:.0?}");
            }
        }
    }

    #[test]
    fn every_size_and_kind_is_encoded() {
        for (width, height) in [(1, 1), (7, 5), (17, 3), (2, 65), (129, 1)] {
            for channels in [1, 3, 4] {
                for sampling in [Sampling::Full, Sampling::Half] {
                    let file = encoded(1, &picture(width, height, channels), 50, sampling);
                    assert_eq!(&file[4..12], b"ftypavif", "{width} x {height}, {channels} channels, {sampling:?}");
                }
            }
        }
    }

    /// Each pixel at its place, at widths and heights that no block size divides.
    #[test]
    fn what_is_encoded_is_what_is_shown() {
        for (width, height) in [(64, 48), (61, 43), (17, 130)] {
            for sampling in [Sampling::Full, Sampling::Half] {
                let slope = |x: u32, y: u32| image::Rgb([(x * 3) as u8, y as u8, 90]);
                let raster = RgbImage::from_fn(width, height, slope);
                let image = ImageBuffer::new(DynamicImage::ImageRgb8(raster.clone()));
                let shown =
                    decode(&encoded(2, &image, 90, sampling), Viewer::Careful, Provenance::Own).unwrap().to_rgb8();
                let pairs = raster.iter().zip(shown.iter());
                let worst = pairs.map(|(a, b)| a.abs_diff(*b)).max().unwrap();
                assert!(shown.dimensions() == (width, height) && worst < 24, "{width} x {height}: {worst}");
            }
        }
    }

    /// Whoever decodes: AV1 defines every sample.
    #[test]
    #[cfg(feature = "aom")]
    fn both_decoders_show_the_same() {
        let same = |file: &[u8], kind: &str| {
            for viewer in [Viewer::Careful, Viewer::Careless] {
                let own = decode(file, viewer, Provenance::Own).unwrap();
                for threads in [1, 3] {
                    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
                    let foreign = pool.install(|| decode(file, viewer, Provenance::Foreign)).unwrap();
                    assert!(foreign == own, "{kind}, {threads} threads");
                }
            }
        };
        for (width, height) in [(1, 1), (61, 43), (130, 17), (1200, 900)] {
            for channels in [1, 3, 4] {
                for sampling in [Sampling::Full, Sampling::Half] {
                    let file = encoded(2, &picture(width, height, channels), 50, sampling);
                    same(&file, &format!("{width} x {height}, {channels} channels, {sampling:?}"));
                }
            }
        }
        for subsampling in [Subsampling::None, Subsampling::Half, Subsampling::Monochrome] {
            same(&eight_bits(61, 43, subsampling), &format!("8 bits, {subsampling:?}"));
        }
    }

    /// A file of a kind that is not written yet.
    #[cfg(feature = "aom")]
    fn eight_bits(width: u32, height: u32, subsampling: Subsampling) -> Vec<u8> {
        let luma: Vec<u8> = (0..width * height).map(|index| (index * index / 7 % 251) as u8).collect();
        let chroma = match subsampling {
            Subsampling::None => &luma[..],
            Subsampling::Half => &luma[..(width.div_ceil(2) * height.div_ceil(2)) as usize],
            Subsampling::Monochrome => &[],
        };
        let planes = pixrace_aom::Planes::EightBit([&luma, chroma, chroma]);
        let picture = pixrace_aom::Picture { width, height, subsampling, planes };
        let settings =
            pixrace_aom::Settings { speed: 8, quantizer: 20, lossless: false, tiles_log2: (0, 0), options: &[] };
        let color = &pixrace_aom::encode(&picture, &settings).unwrap();
        CodedPicture { width, height, color, alpha: None, primaries: None, exif: None }.to_avif().unwrap()
    }

    #[test]
    fn better_quality_takes_more_bytes() {
        let image = picture(200, 150, 3);
        let sizes = [1, 30, 60, 90, 100].map(|quality| encoded(2, &image, quality, Sampling::Full).len());
        assert!(sizes.is_sorted(), "{sizes:?}");
        assert!(sizes[4] > 2 * sizes[0], "{sizes:?}");
    }

    #[test]
    fn a_cancelled_encoder_gives_up() {
        let (metadata, cancel) = (Metadata::default(), Cancel::new(None));
        cancel.stop();
        let encoder =
            Encoder { format: Format::Avif, effort: Effort::Fast, metadata: &metadata, profile: None, cancel: &cancel };
        let planes = Planes::new(&picture(9, 9, 3), Sampling::Full).unwrap();
        assert_eq!(encode_planes(&encoder, &planes, 50), Err(Error::Aborted));
    }

    #[test]
    fn steps_are_the_qualities_that_differ() {
        let steps = quality_steps();
        assert_eq!(steps[0], 1);
        assert!(steps.is_sorted_by(|a, b| a < b && engine::quantizer(*a) > engine::quantizer(*b)));
        let quantizers = (1..=100).map(engine::quantizer).collect::<std::collections::HashSet<_>>();
        assert_eq!(steps.len(), quantizers.len());
    }

    #[test]
    fn alpha_gets_the_better_quality() {
        assert_eq!([1, 50, 80, 100].map(alpha_quality), [3, 64, 90, 100]);
    }
}
