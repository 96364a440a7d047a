//! From bytes to pixels: sniff, header, limits, decode.

use std::sync::Arc;

use image::{DynamicImage, ImageFormat};

use crate::cancel::Cancel;
use crate::codec::{self, ColorSpace, Header, InputFormat, Provenance, Viewer};
use crate::color::{Conversion, Profile};
use crate::error::{Error, Result, catch};
use crate::image::ImageBuffer;
use crate::limits::{Limits, MAX_PROFILE_BYTES, MAX_SIDE};
use crate::resample::resample;
use crate::resize::Geometry;
use crate::warning::{Warning, WarningCode};

/// Names the format by its first bytes; the file name and any declared type are not asked.
pub fn sniff(data: &[u8]) -> Result<InputFormat> {
    // `image` knows one of AVIF's several brands.
    if codec::is_avif(data) {
        return Ok(InputFormat::Avif);
    }
    match image::guess_format(data) {
        Ok(ImageFormat::Jpeg) => Ok(InputFormat::Jpeg),
        Ok(ImageFormat::Png) => Ok(InputFormat::Png),
        Ok(ImageFormat::WebP) => Ok(InputFormat::Webp),
        Ok(ImageFormat::Gif) => Ok(InputFormat::Gif),
        Ok(other) => Err(unsupported(format!("{other:?}").to_uppercase())),
        Err(_) => Err(unsupported(describe_unknown(data))),
    }
}

fn unsupported(detected: impl Into<String>) -> Error {
    Error::UnsupportedInput { detected: detected.into() }
}

/// Kinds of file that people do hand to an image optimiser.
fn describe_unknown(data: &[u8]) -> String {
    const HEAD: usize = 512;
    let head = String::from_utf8_lossy(&data[..data.len().min(HEAD)]).to_lowercase();
    let brand = head.get(4..12).unwrap_or_default();
    let known = match () {
        () if head.contains("<svg") => "SVG",
        () if head.contains("<!doctype html") || head.contains("<html") => "HTML",
        () if head.starts_with("%pdf") => "PDF",
        () if brand.starts_with("ftyphei") || brand.starts_with("ftypmif") => "HEIC",
        () if data.starts_with(&[0xFF, 0x0A]) || brand.starts_with("jxl ") => "JPEG XL",
        () if data.is_empty() => "no bytes",
        () => "an unknown format",
    };
    known.to_owned()
}

/// Reads the header of a file of a supported format and holds it against the limits, before any pixel memory is taken.
pub fn read_header(data: &[u8], limits: &Limits) -> Result<Header> {
    within("maxInputBytes", data.len() as u64, limits.max_input_bytes)?;
    let format = sniff(data)?;
    let header = codec::read_header(format, data)?;
    if header.width == 0 || header.height == 0 {
        return Err(Error::corrupt(format, "its width or height is 0"));
    }
    if let Some(Profile::Icc(icc)) = &header.profile {
        within("profileBytes", icc.len() as u64, MAX_PROFILE_BYTES)?;
    }
    within("width", u64::from(header.width), u64::from(MAX_SIDE))?;
    within("height", u64::from(header.height), u64::from(MAX_SIDE))?;
    within("maxPixels", u64::from(header.width) * u64::from(header.height), limits.max_pixels)?;
    within("maxPixels", header.frame_pixels, limits.max_pixels)?;
    Ok(header)
}

pub(crate) fn within(limit: &'static str, actual: u64, bound: u64) -> Result<()> {
    if actual > bound { Err(Error::LimitExceeded { limit, actual, bound }) } else { Ok(()) }
}

/// Decodes the first page of anyone's file, upright, its samples converted if a conversion is given.
pub fn decode(header: &Header, data: &[u8], conversion: Option<&Conversion>) -> Result<ImageBuffer> {
    let image = codec::decode(header, data, Viewer::Careful, Provenance::Foreign)?;
    finish(header, image, conversion)
}

/// The same as the least careful of the common viewers shows it, which is what a file has to be judged by.
pub fn show(header: &Header, data: &[u8], conversion: Option<&Conversion>) -> Result<ImageBuffer> {
    let image = codec::decode(header, data, Viewer::Careless, Provenance::Foreign)?;
    finish(header, image, conversion)
}

/// The same of a file that an encoder of ours has just made: its samples, whatever they mean.
pub fn show_own(header: &Header, data: &[u8]) -> Result<ImageBuffer> {
    let image = codec::decode(header, data, Viewer::Careless, Provenance::Own)?;
    finish(header, image, None)
}

/// What is done to a picture, or to every frame of one, before candidates are made of it.
#[derive(Debug, Default)]
pub struct Treatment {
    pub conversion: Option<Arc<Conversion>>,
    pub resizing: Option<Resizing>,
}

/// Another size, and the colour of what is added on its edges.
#[derive(Debug, Clone, Copy)]
pub struct Resizing {
    pub geometry: Geometry,
    pub padding: Option<[u8; 3]>,
}

impl Treatment {
    /// The whole treatment of one frame as stored.
    pub(crate) fn apply(&self, header: &Header, image: DynamicImage, cancel: &Cancel) -> Result<ImageBuffer> {
        let image = finish(header, image, self.conversion.as_deref())?;
        self.resize(image, cancel)
    }

    /// The second half, for a picture of [`decode`].
    pub fn resize(&self, image: ImageBuffer, cancel: &Cancel) -> Result<ImageBuffer> {
        let Some(Resizing { geometry, padding }) = self.resizing else { return Ok(image) };
        cancel.check()?;
        catch(|| resample(image, &geometry, padding))
    }
}

fn finish(header: &Header, image: DynamicImage, conversion: Option<&Conversion>) -> Result<ImageBuffer> {
    let mut image = match conversion {
        Some(conversion) => conversion.apply(image)?,
        None => image,
    };
    image.apply_orientation(header.orientation);
    Ok(ImageBuffer::new(image))
}

/// What becomes of the meaning of the samples.
#[derive(Debug, Default)]
pub struct Colors {
    /// How to make sRGB of them, where that is asked for and they are something else.
    pub conversion: Option<Conversion>,
    /// The profile that stays, because the samples do.
    pub kept: Option<Profile>,
    pub warning: Option<Warning>,
}

impl Colors {
    /// With `keep` samples and profile stay as they are. Inks never do: their decoder makes sRGB of them.
    #[must_use]
    pub fn of(header: &Header, keep: bool) -> Self {
        // Of high dynamic range nothing is made, so that its samples need no meaning here.
        let profile = header.profile.as_ref().filter(|_| !header.is_high_dynamic_range());
        let Some(profile) = profile else { return Self::default() };
        let inks = header.color_space == ColorSpace::Cmyk;
        match Conversion::new(profile, header.color_space) {
            Ok(None) => Self::default(),
            Ok(Some(_)) if inks => {
                let message = "The CMYK profile cannot be kept, because no format written here holds CMYK: encoded \
                               candidates are sRGB.";
                let warning = keep.then(|| Warning::new(WarningCode::ColorProfileDropped, message));
                Self { warning, ..Self::default() }
            }
            Ok(Some(_)) if keep => Self { kept: Some(profile.clone()), ..Self::default() },
            // Chromium takes the samples of every animation for sRGB.
            Ok(Some(_)) if header.is_animated() && header.frames_are_read() => Self::default(),
            Ok(conversion) => Self { conversion, ..Self::default() },
            Err(refusal) => {
                let message =
                    format!("The input's colour profile is not applied: {refusal}. Its samples are taken for sRGB.");
                Self { warning: Some(Warning::new(WarningCode::ColorProfileIgnored, message)), ..Self::default() }
            }
        }
    }
}

/// Memory that decoding needs at its peak, in bytes per pixel: the samples as stored (up to 4 × 16 bits), once more while
/// they are turned upright or brought into the canonical form. Of an AVIF libaom keeps what it knows of every block of the
/// frame (measured with 12 megapixels: 18 in all for 8 bits and 4:2:0, 21 for 10 bits, 4:4:4 and alpha), and each further
/// one of [`crate::limits::MAX_AVIF_FRAMES`] has six.
#[must_use]
pub fn bytes_per_pixel(header: &Header) -> u64 {
    if header.format == InputFormat::Avif { 40 } else { 16 }
}
