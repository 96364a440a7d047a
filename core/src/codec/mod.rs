//! The formats: what each can hold, and one encoder type in front of four libraries. Only `codec/x.rs` names library x
//! (AVIF has two, below `codec/avif`).

mod animated;
pub mod avif;
mod gif;
mod jpeg;
mod png;
mod strip;
mod webp;

pub(crate) use animated::{ANIMATION_BYTES_PER_PIXEL, Canvas, Canvases, Motion, canvases, plays, quality_that_sees};
pub(crate) use avif::is_avif;
pub(crate) use strip::strip;

use std::fmt;
use std::sync::OnceLock;

use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageError};

use crate::cancel::Cancel;
use crate::color::Profile;
use crate::error::{Error, Result};
use crate::image::ImageBuffer;
use crate::limits::MAX_METADATA_BYTES;
use crate::palette;

/// A format that pixrace writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    Avif,
    Webp,
    Jpeg,
    Png,
}

impl Format {
    /// All formats, in the default order of preference.
    pub const ALL: [Self; 4] = [Self::Avif, Self::Webp, Self::Jpeg, Self::Png];

    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Avif => "avif",
            Self::Webp => "webp",
            Self::Jpeg => "jpeg",
            Self::Png => "png",
        }
    }

    /// Whether the format takes a quality. PNG does not: it keeps every pixel.
    #[must_use]
    pub fn is_lossy(self) -> bool {
        self != Self::Png
    }

    /// Longest side that the format can hold, in pixels.
    #[must_use]
    pub fn max_side(self) -> u32 {
        match self {
            Self::Avif => crate::limits::AVIF_MAX_SIDE,
            Self::Webp => crate::limits::WEBP_MAX_SIDE,
            Self::Jpeg => crate::limits::JPEG_MAX_SIDE,
            Self::Png => crate::limits::MAX_SIDE,
        }
    }

    /// Whether the format can say that its samples mean this.
    #[must_use]
    pub fn can_tell(self, profile: &Profile) -> bool {
        // avif-serialize writes no ICC profile, only code points.
        self != Self::Avif || profile.primaries().is_some()
    }

    /// Memory that encoding needs at its peak, in bytes per pixel, measured by `core/examples/memory.rs`.
    #[must_use]
    pub fn bytes_per_pixel(self) -> u64 {
        match self {
            Self::Avif => avif::BYTES_PER_PIXEL,
            Self::Webp => webp::BYTES_PER_PIXEL,
            Self::Jpeg => jpeg::BYTES_PER_PIXEL,
            Self::Png => png::BYTES_PER_PIXEL,
        }
    }
}

impl fmt::Display for Format {
    /// The name as people write it: "AVIF", "WebP", "JPEG", "PNG".
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Avif => "AVIF",
            Self::Webp => "WebP",
            Self::Jpeg => "JPEG",
            Self::Png => "PNG",
        })
    }
}

/// A format that pixrace reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum InputFormat {
    Jpeg,
    Png,
    Webp,
    Gif,
    Avif,
}

impl InputFormat {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Jpeg => "jpeg",
            Self::Png => "png",
            Self::Webp => "webp",
            Self::Gif => "gif",
            Self::Avif => "avif",
        }
    }
}

impl fmt::Display for InputFormat {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Jpeg => "JPEG",
            Self::Png => "PNG",
            Self::Webp => "WebP",
            Self::Gif => "GIF",
            Self::Avif => "AVIF",
        })
    }
}

/// How the samples of a file describe colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColorSpace {
    Gray,
    Rgb,
    Cmyk,
}

impl ColorSpace {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Gray => "gray",
            Self::Rgb => "rgb",
            Self::Cmyk => "cmyk",
        }
    }
}

/// What the header of a file says, read without decoding any pixel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    pub format: InputFormat,
    /// Width and height as stored, before `orientation` is applied.
    pub width: u32,
    pub height: u32,
    /// Whether the file can say "transparent": an alpha channel or a transparent colour.
    pub has_alpha: bool,
    /// Bits per sample, 1 to 16.
    pub bit_depth: u8,
    /// How to turn the stored picture to see it upright.
    pub orientation: Orientation,
    /// Frames of an animation, 1 for a still picture; at most [`crate::limits::MAX_PAGES`].
    pub pages: u32,
    pub color_space: ColorSpace,
    /// What the samples mean, if not sRGB.
    pub profile: Option<Profile>,
    pub metadata: Metadata,
}

impl Header {
    /// Width and height of the picture as shown, in pixels.
    #[must_use]
    pub fn shown_size(&self) -> (u32, u32) {
        use Orientation as O;
        match self.orientation {
            O::Rotate90 | O::Rotate270 | O::Rotate90FlipH | O::Rotate270FlipH => (self.height, self.width),
            O::NoTransforms | O::Rotate180 | O::FlipHorizontal | O::FlipVertical => (self.width, self.height),
        }
    }

    #[must_use]
    pub fn is_animated(&self) -> bool {
        self.pages > 1
    }

    /// Whether frames behind the first one can be decoded.
    #[must_use]
    pub fn frames_are_read(&self) -> bool {
        matches!(self.format, InputFormat::Gif | InputFormat::Webp)
    }
}

/// Descriptive data that travels beside the pixels.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Metadata {
    /// A TIFF structure, without the "Exif\0\0" signature of JPEG.
    pub exif: Option<Vec<u8>>,
    /// An XMP packet.
    pub xmp: Option<Vec<u8>>,
}

impl Metadata {
    /// The same with the orientation tag set to upright, because orientation is applied to the pixels; blocks that are
    /// too large for every format are left out and named.
    #[must_use]
    pub fn for_output(&self) -> (Self, Vec<&'static str>) {
        let mut dropped = Vec::new();
        let mut bounded = |name, block: &Option<Vec<u8>>| match block {
            Some(block) if block.len() > MAX_METADATA_BYTES => {
                dropped.push(name);
                None
            }
            other => other.clone(),
        };
        let mut exif = bounded("EXIF", &self.exif);
        let xmp = bounded("XMP", &self.xmp);
        if let Some(exif) = exif.as_mut() {
            // `None` says that there was no orientation to reset.
            let _: Option<Orientation> = Orientation::remove_from_exif_chunk(exif);
        }
        (Self { exif, xmp }, dropped)
    }
}

/// Reads the header of `data`, which was sniffed as `format`.
pub(crate) fn read_header(format: InputFormat, data: &[u8]) -> Result<Header> {
    match format {
        InputFormat::Jpeg => jpeg::read_header(data),
        InputFormat::Png => png::read_header(data),
        InputFormat::Webp => webp::read_header(data),
        InputFormat::Gif => gif::read_header(data),
        InputFormat::Avif => avif::read_header(data),
    }
}

/// Whose picture of a file is wanted. Viewers differ in YCbCr that is not whole or has more than 8 bits, as in AVIF; of the
/// other formats all of them make the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Viewer {
    /// Interpolates chroma and rounds to 8 bits once, at the end, as browsers do.
    Careful,
    /// Repeats chroma and cuts the bits of RGB that are too many off, as libheif and libvips do, and with them sharp. What it
    /// shows scores lower: by 0.05 points on average, by 0.25 on some photographs.
    Careless,
}

/// Decodes the pixels, as stored, of a file whose header was read and found within the limits.
pub(crate) fn decode(header: &Header, data: &[u8], viewer: Viewer) -> Result<DynamicImage> {
    match header.format {
        InputFormat::Jpeg => jpeg::decode(header, data),
        InputFormat::Png => png::decode(data),
        InputFormat::Webp => webp::decode(data),
        InputFormat::Gif => gif::decode(header, data),
        InputFormat::Avif => avif::decode(data, viewer),
    }
}

/// The part of a header that every decoder of the `image` crate can tell.
fn header_of(format: InputFormat, decoder: &mut impl ImageDecoder) -> Result<Header> {
    let error = |error| image_error(format, error);
    let (width, height) = decoder.dimensions();
    let color = decoder.original_color_type();
    let exif = decoder.exif_metadata().map_err(error)?.map(without_exif_signature);
    let orientation = exif.as_deref().and_then(Orientation::from_exif_chunk).unwrap_or(Orientation::NoTransforms);
    let color_type = decoder.color_type();
    Ok(Header {
        format,
        width,
        height,
        has_alpha: color_type.has_alpha(),
        bit_depth: (color.bits_per_pixel() / u16::from(color.channel_count())) as u8,
        orientation,
        pages: 1,
        color_space: if color_type.has_color() { ColorSpace::Rgb } else { ColorSpace::Gray },
        profile: decoder.icc_profile().map_err(error)?.map(Profile::Icc),
        metadata: Metadata { exif, xmp: decoder.xmp_metadata().map_err(error)? },
    })
}

/// Some writers repeat JPEG's signature in other containers; the TIFF structure begins behind it.
fn without_exif_signature(mut exif: Vec<u8>) -> Vec<u8> {
    if exif.starts_with(b"Exif\0\0") {
        exif.drain(..6);
    }
    exif
}

fn image_error(format: InputFormat, error: ImageError) -> Error {
    match error {
        ImageError::Unsupported(inner) => Error::UnsupportedInput { detected: format!("{format} with {inner}") },
        ImageError::Decoding(inner) => Error::corrupt(format, inner),
        other => Error::corrupt(format, other),
    }
}

/// CPU for bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Effort {
    Fast,
    #[default]
    Balanced,
    Best,
}

/// What an encoder is asked to keep.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Target {
    /// 1 (smallest) to 100 (best), on the encoder's own scale. PNG has none and keeps every pixel that can be seen.
    Quality(u8),
    /// Every pixel that can be seen: colour hidden under full transparency may change. For PNG and WebP.
    Visible,
    /// At most this many colours, 2 to 256, transparency included, and then as [`Target::Visible`]: what a decoder shows
    /// is [`crate::palette::quantize`]. For PNG and WebP.
    Palette(u16),
    /// Every pixel, hidden ones included.
    Lossless,
}

/// Qualities that give different files, ascending.
#[must_use]
pub fn quality_steps(format: Format) -> Vec<u8> {
    match format {
        Format::Avif => avif::quality_steps(),
        Format::Webp | Format::Jpeg | Format::Png => (1..=100).collect(),
    }
}

/// A picture, and what an encoder converts it to, once for all the files that are made of it.
#[derive(Debug)]
pub struct Source<'a> {
    pub image: &'a ImageBuffer,
    planes: OnceLock<Result<avif::Planes>>,
}

impl<'a> Source<'a> {
    #[must_use]
    pub fn new(image: &'a ImageBuffer) -> Self {
        Self { image, planes: OnceLock::new() }
    }
}

/// A quicker encoder, and what its files say of those it stands for.
#[derive(Debug, Clone, Copy)]
pub struct Draft<'a> {
    pub encoder: Encoder<'a>,
    /// Points of SSIMULACRA2 to add.
    pub points: f64,
    /// What to multiply the bytes by.
    pub bytes: f64,
}

/// One of the four encoders with its settings. Encoding is a pure function of the image, the settings and the target:
/// no byte depends on the number of threads.
#[derive(Debug, Clone, Copy)]
pub struct Encoder<'a> {
    pub format: Format,
    pub effort: Effort,
    pub metadata: &'a Metadata,
    /// What the samples mean, if not sRGB; to be told in the file. See [`Format::can_tell`].
    pub profile: Option<&'a Profile>,
    pub cancel: &'a Cancel,
}

impl<'a> Encoder<'a> {
    /// Encodes in the current rayon pool. `Err` for a cancelled call, or with the encoder's own words.
    pub fn encode(&self, image: &ImageBuffer, target: Target) -> Result<Vec<u8>> {
        self.encode_source(&Source::new(image), target)
    }

    /// The same for one of many files of a picture.
    pub fn encode_source(&self, source: &Source<'_>, target: Target) -> Result<Vec<u8>> {
        let image = source.image;
        self.cancel.check()?;
        if let Target::Palette(colors) = target {
            return self.encode(&palette::quantize(image, colors)?, Target::Visible);
        }
        match self.format {
            Format::Avif => avif::encode(self, source, target),
            Format::Webp => webp::encode(self, image, target),
            Format::Jpeg => jpeg::encode(self, image, target),
            Format::Png => png::encode(self, image, target),
        }
    }

    /// The picture as its profile describes it: a profile of three channels says nothing of grey samples.
    fn as_profiled(&self, image: &ImageBuffer) -> ImageBuffer {
        match self.profile {
            Some(profile) if !profile.is_gray() => image.to_color(),
            _ => image.clone(),
        }
    }

    /// What to look with before this encoder is worth its time.
    #[must_use]
    pub fn draft(&self) -> Option<Draft<'a>> {
        if self.format == Format::Avif { avif::draft(self) } else { None }
    }

    /// Metadata that this encoder's container cannot hold, by name.
    #[must_use]
    pub fn dropped_metadata(&self) -> Option<&'static str> {
        // avif-serialize writes an Exif item but no XMP item.
        (self.format == Format::Avif && self.metadata.xmp.is_some()).then_some("XMP")
    }
}
