//! The formats: what each can hold, and one encoder type in front of four libraries. Only `codec/x.rs` names library x
//! (GIF's is named below `codec/gif`, and AVIF has two, below `codec/avif`).

mod animated;
pub mod avif;
mod exif;
mod gain_map;
mod gif;
mod header;
mod jpeg;
mod png;
mod strip;
mod webp;

pub(crate) use animated::{ANIMATION_BYTES_PER_PIXEL, Canvas, Canvases, Motion, canvases, plays, quality_that_sees};
pub(crate) use avif::is_avif;
pub(crate) use gain_map::lost_with;
use header::without_exif_signature;
pub use header::{ColorSpace, Header, InputFormat, Metadata};
pub(crate) use strip::strip;

use std::fmt;
use std::sync::OnceLock;

use image::DynamicImage;

use crate::cancel::Cancel;
use crate::color::Profile;
use crate::error::Result;
use crate::image::ImageBuffer;
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
        // Of an AVIF only code points are written.
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

/// Whose file is decoded, which decides whom it is entrusted to: only AVIF has two decoders (`codec/avif/decoder.rs`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Provenance {
    /// Anyone's. Nothing that it says is trusted.
    Foreign,
    /// What our own encoder has just made.
    Own,
}

/// Decodes the pixels, as stored, of a file whose header was read and found within the limits.
pub(crate) fn decode(header: &Header, data: &[u8], viewer: Viewer, provenance: Provenance) -> Result<DynamicImage> {
    match header.format {
        InputFormat::Jpeg => jpeg::decode(header, data),
        InputFormat::Png => png::decode(data),
        InputFormat::Webp => webp::decode(header, data),
        InputFormat::Gif => gif::decode(header, data),
        InputFormat::Avif => avif::decode(data, viewer, provenance),
    }
}

/// CPU for bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Effort {
    /// 'fast' with `verify: false`: for files that are wanted at once.
    Instant,
    Fast,
    #[default]
    Balanced,
    Best,
}

/// From this quality on colour edges are to be crisp: JPEG keeps chroma at full resolution (4:4:4 instead of 4:2:0). WebP cannot,
/// and keeps every pixel where that costs little ([`crate::candidate`]).
pub(crate) const CRISP_QUALITY: u8 = 90;

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
    /// The same by [`crate::palette::dither`], which suits photographs.
    Dithered(u16),
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
        let few_colors = match target {
            Target::Palette(colors) => Some(palette::quantize(image, colors)?),
            Target::Dithered(colors) => Some(palette::dither(image, colors)?),
            Target::Quality(_) | Target::Visible | Target::Lossless => None,
        };
        let image = few_colors.as_ref().unwrap_or(image);
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
        // An AVIF gets no item for it.
        (self.format == Format::Avif && self.metadata.xmp.is_some()).then_some("XMP")
    }
}
