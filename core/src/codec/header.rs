//! What the header of a file says, whatever its format.

use std::fmt;

use image::metadata::Orientation;

use super::exif;
use crate::color::Profile;
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
    /// Width and height at which a page shows the picture before it is turned, in CSS pixels, where the file makes them others
    /// than its pixels: a JPEG by the resolution in its EXIF.
    pub density_corrected: Option<(u32, u32)>,
    /// Pixels of the largest frame; more than of the picture where a frame is larger than what is shown of it.
    pub frame_pixels: u64,
    /// Whether nothing but the mark at the end of the file is missing.
    pub missing_end: bool,
}

impl Header {
    /// One of a still, opaque picture in sRGB.
    #[cfg(test)]
    pub(crate) fn plain(format: InputFormat, width: u32, height: u32) -> Self {
        Self {
            format,
            width,
            height,
            has_alpha: false,
            bit_depth: 8,
            orientation: Orientation::NoTransforms,
            pages: 1,
            color_space: ColorSpace::Rgb,
            profile: None,
            metadata: Metadata::default(),
            density_corrected: None,
            frame_pixels: u64::from(width) * u64::from(height),
            missing_end: false,
        }
    }

    /// Width and height of the picture as shown, in pixels.
    #[must_use]
    pub fn shown_size(&self) -> (u32, u32) {
        self.upright((self.width, self.height))
    }

    /// Width and height at which a page shows it unless told otherwise, in CSS pixels.
    #[must_use]
    pub fn layout_size(&self) -> (u32, u32) {
        self.upright(self.density_corrected.unwrap_or((self.width, self.height)))
    }

    fn upright(&self, (width, height): (u32, u32)) -> (u32, u32) {
        if self.is_turned() { (height, width) } else { (width, height) }
    }

    /// Whether the sides change places.
    fn is_turned(&self) -> bool {
        use Orientation as O;
        matches!(self.orientation, O::Rotate90 | O::Rotate270 | O::Rotate90FlipH | O::Rotate270FlipH)
    }

    /// Metadata of a file that is made of the picture, upright and of `size` in pixels, and which blocks are left out because
    /// they are too large for every format. With `keep` EXIF and XMP, without it only what its layout size needs: that of this
    /// picture, or, if it was `resized`, one for every pixel.
    #[must_use]
    pub fn output_metadata(&self, keep: bool, size: (u32, u32), resized: bool) -> (Metadata, Vec<&'static str>) {
        let layout = self.density_corrected.filter(|_| !resized).map(|_| self.layout_size());
        let minimal = || layout.map(|layout| exif::minimal(Orientation::NoTransforms, Some((size, layout))));
        if !keep {
            return (Metadata { exif: minimal(), xmp: None }, Vec::new());
        }
        let (mut metadata, dropped) = self.metadata.for_output();
        if let Some(block) = metadata.exif.as_mut() {
            if layout.is_some() && self.is_turned() {
                exif::swap_sides(block);
            }
            // What said nothing of the picture as it was may fit it as it is now, or in another format.
            if exif::density_corrected(block, size) != layout {
                exif::forget_density(block);
            }
        } else {
            metadata.exif = minimal();
        }
        (metadata, dropped)
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
    fn for_output(&self) -> (Self, Vec<&'static str>) {
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

/// Some writers repeat JPEG's signature in other containers; the TIFF structure begins behind it.
pub(super) fn without_exif_signature(mut exif: Vec<u8>) -> Vec<u8> {
    if exif.starts_with(b"Exif\0\0") {
        exif.drain(..6);
    }
    exif
}
