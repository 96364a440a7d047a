//! What the header of a file says, whatever its format.

use std::fmt;

use image::ImageDecoder;
use image::metadata::Orientation;

use super::image_error;
use crate::color::Profile;
use crate::error::Result;
use crate::limits::MAX_METADATA_BYTES;

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

    /// Whether its colours are of high dynamic range (PQ or HLG), which is neither converted nor written.
    #[must_use]
    pub fn is_high_dynamic_range(&self) -> bool {
        self.profile.as_ref().is_some_and(Profile::is_high_dynamic_range)
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

/// The part of a header that every decoder of the `image` crate can tell.
pub(super) fn header_of(format: InputFormat, decoder: &mut impl ImageDecoder) -> Result<Header> {
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
pub(super) fn without_exif_signature(mut exif: Vec<u8>) -> Vec<u8> {
    if exif.starts_with(b"Exif\0\0") {
        exif.drain(..6);
    }
    exif
}
