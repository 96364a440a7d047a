//! How alike two pictures look: SSIMULACRA2 (<https://github.com/cloudinary/ssimulacra2>), by `fast-ssim2`.
//!
//! 100 is identical, 90 visually lossless, 70 high quality, 50 medium, 30 low; it can be negative. Both pictures are
//! compared at 8 bits per sample in sRGB. Where either uses alpha both are laid on a dark and on a light background and
//! the worse score counts; sides under 8 pixels are padded by reflection. Both rules are `fast-ssim2`'s own.

use fast_ssim2::{PixelDescriptor, PixelSlice, Ssimulacra2Config, Ssimulacra2Error, Ssimulacra2Reference};

use crate::cancel::Cancel;
use crate::error::{Error, Result};
use crate::image::{ImageBuffer, Pixels};

/// Memory that a prepared reference keeps, and that one comparison with it needs beside, in bytes per pixel, measured
/// with alpha by `core/examples/memory.rs`: pyramids of float planes, for two backgrounds.
pub const REFERENCE_BYTES_PER_PIXEL: u64 = 100;
pub const SCORE_BYTES_PER_PIXEL: u64 = 180;

/// A picture prepared to be compared with many others, from several threads at once.
pub struct Reference(Ssimulacra2Reference);

impl Reference {
    pub fn new(image: &ImageBuffer, cancel: &Cancel) -> Result<Self> {
        let config = Ssimulacra2Config::default().with_stop(cancel);
        let prepared = Ssimulacra2Reference::new_with_config(&Samples::new(image).slice()?, &config);
        prepared.map(Self).map_err(|error| failed(&error, cancel))
    }

    /// The score of `candidate`, whose size must be the reference's.
    pub fn score(&self, candidate: &ImageBuffer, cancel: &Cancel) -> Result<f64> {
        let config = Ssimulacra2Config::default().with_stop(cancel);
        let score = self.0.compare_with_config(&Samples::new(candidate).slice()?, &config);
        match score.map_err(|error| failed(&error, cancel))? {
            score if score.is_finite() => Ok(score),
            score => Err(Error::internal(format!("the score is {score}"))),
        }
    }
}

fn failed(error: &Ssimulacra2Error, cancel: &Cancel) -> Error {
    cancel.check().err().unwrap_or_else(|| Error::internal(error.to_string()))
}

/// Interleaved RGB or RGBA samples for the metric.
struct Samples {
    bytes: Vec<u8>,
    width: u32,
    height: u32,
    alpha: bool,
}

impl Samples {
    fn new(image: &ImageBuffer) -> Self {
        let image = image.to_eight_bit();
        let bytes = match image.pixels() {
            Pixels::Gray8(gray) => gray.iter().flat_map(|&v| [v; 3]).collect(),
            Pixels::Rgb8(samples) | Pixels::Rgba8(samples) => samples.as_ref().clone(),
            // `to_eight_bit` leaves none of these.
            Pixels::Gray16(_) | Pixels::Rgb16(_) | Pixels::Rgba16(_) => Vec::new(),
        };
        Self { bytes, width: image.width(), height: image.height(), alpha: image.has_alpha() }
    }

    fn slice(&self) -> Result<PixelSlice<'_>> {
        let (descriptor, channels) =
            if self.alpha { (PixelDescriptor::RGBA8_SRGB, 4) } else { (PixelDescriptor::RGB8_SRGB, 3) };
        PixelSlice::new(&self.bytes, self.width, self.height, self.width as usize * channels, descriptor)
            .map_err(|error| Error::internal(format!("{error:?}")))
    }
}
