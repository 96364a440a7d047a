//! How alike two pictures look: SSIMULACRA2 (<https://github.com/cloudinary/ssimulacra2>), by `fast-ssim2`.
//!
//! 100 is identical, 90 visually lossless, 70 high quality, 50 medium, 30 low; it can be negative. Both pictures are
//! compared at 8 bits per sample in sRGB. Where either uses alpha both are laid on a dark and on a light background and
//! the worse score counts, which is `fast-ssim2`'s own rule.
//!
//! SSIMULACRA2 looks at six scales, and a picture whose shorter side has at most 112 pixels has fewer. The sum then gives
//! each scale the weights of others, and one and the same quality scores 91 at 8 pixels, 27 to 30 at 32 to 56 and 79 from
//! 120 on. So sides of less than [`LEAST_SIDE`] are continued by mirror images until there are six: the same quality then
//! scores 78 to 80 from 8 to 256 pixels (`npm run bench -- sizes`). Other tools' values differ there.

mod small;

use small::Tolerance;

use fast_ssim2::{PixelDescriptor, PixelSlice, Ssimulacra2Config, Ssimulacra2Error, Ssimulacra2Reference};

use crate::cancel::Cancel;
use crate::error::{Error, Result};
use crate::image::{ImageBuffer, Pixels};

/// Memory that a prepared reference keeps, and that one comparison with it needs beside, in bytes per pixel, measured
/// with alpha by `core/examples/memory.rs`: pyramids of float planes, for two backgrounds.
const REFERENCE_BYTES_PER_PIXEL: u64 = 100;
const COMPARISON_BYTES_PER_PIXEL: u64 = 180;

/// Memory that a reference of a picture of so many pixels across and down keeps, in bytes.
#[must_use]
pub fn reference_memory(size: (u64, u64)) -> u64 {
    scored_pixels(size) * REFERENCE_BYTES_PER_PIXEL
}

/// Memory that one comparison with it needs beside, in bytes.
#[must_use]
pub fn comparison_memory(size: (u64, u64)) -> u64 {
    scored_pixels(size) * COMPARISON_BYTES_PER_PIXEL
}

/// Whether a picture of these pixels is small: its error is bounded too, so that what one size of it needs says little of
/// what the next one does.
#[must_use]
pub fn is_small(width: u32, height: u32) -> bool {
    width.min(height) < small::FULL_SIDE
}

/// Pixels of a picture and of the mirror images that it is scored with.
pub(crate) fn scored_pixels((width, height): (u64, u64)) -> u64 {
    width.max(LEAST_SIDE as u64) * height.max(LEAST_SIDE as u64)
}

/// A picture prepared to be compared with many others, from several threads at once.
pub struct Reference {
    prepared: Ssimulacra2Reference,
    /// Of a small picture.
    tolerance: Option<Tolerance>,
}

/// What a comparison finds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Verdict {
    /// SSIMULACRA2.
    pub score: f64,
    /// What a floor is held against: of a small picture not more than what its mean error is worth.
    pub judged: f64,
}

impl Verdict {
    /// Of a picture of which every pixel is kept.
    pub const IDENTICAL: Self = Self { score: IDENTICAL, judged: IDENTICAL };

    /// The worse of both, in each respect.
    #[must_use]
    pub fn worse(self, other: Self) -> Self {
        Self { score: self.score.min(other.score), judged: self.judged.min(other.judged) }
    }
}

/// SSIMULACRA2 of a picture with itself.
pub const IDENTICAL: f64 = 100.0;

impl Reference {
    pub fn new(image: &ImageBuffer, cancel: &Cancel) -> Result<Self> {
        let config = Ssimulacra2Config::default().with_stop(cancel);
        let prepared = Ssimulacra2Reference::new_with_config(&Samples::new(image).slice()?, &config);
        let prepared = prepared.map_err(|error| failed(&error, cancel))?;
        Ok(Self { prepared, tolerance: Tolerance::of(image) })
    }

    /// Whether `candidate`, whose size must be the reference's, looks right.
    pub fn judge(&self, candidate: &ImageBuffer, cancel: &Cancel) -> Result<Verdict> {
        let score = self.score(candidate, cancel)?;
        let worth = self.tolerance.as_ref().map_or(f64::INFINITY, |tolerance| tolerance.score(candidate));
        Ok(Verdict { score, judged: score.min(worth) })
    }

    /// The score of `candidate`, whose size must be the reference's.
    pub fn score(&self, candidate: &ImageBuffer, cancel: &Cancel) -> Result<f64> {
        let config = Ssimulacra2Config::default().with_stop(cancel);
        let score = self.prepared.compare_with_config(&Samples::new(candidate).slice()?, &config);
        match score.map_err(|error| failed(&error, cancel))? {
            score if score.is_finite() => Ok(score),
            score => Err(Error::internal(format!("the score is {score}"))),
        }
    }
}

fn failed(error: &Ssimulacra2Error, cancel: &Cancel) -> Error {
    cancel.check().err().unwrap_or_else(|| Error::internal(error.to_string()))
}

/// Sides that are shorter are continued by mirror images. 113 pixels would do for six scales; from a power of two each scale
/// is made of whole pixels of the one before, and scores then differ less from size to size.
const LEAST_SIDE: usize = 128;

/// Which of `length` pixels stands at `position` where they and their mirror images take turns.
fn mirror(position: usize, length: usize) -> usize {
    let place = position % (2 * length);
    place.min(2 * length - 1 - place)
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
        Self { bytes, width: image.width(), height: image.height(), alpha: image.has_alpha() }.mirrored()
    }

    /// The picture and its mirror images side by side, up to [`LEAST_SIDE`].
    fn mirrored(self) -> Self {
        let (width, height) = (self.width as usize, self.height as usize);
        let (wide, high) = (width.max(LEAST_SIDE), height.max(LEAST_SIDE));
        if (wide, high) == (width, height) {
            return self;
        }
        let channels = self.bytes.len() / (width * height);
        let columns: Vec<_> = (0..wide).map(|x| mirror(x, width) * channels).collect();
        let row = |y: usize| {
            let row = &self.bytes[mirror(y, height) * width * channels..][..width * channels];
            columns.iter().flat_map(move |&x| &row[x..x + channels]).copied()
        };
        let bytes = (0..high).flat_map(row).collect();
        Self { bytes, width: wide as u32, height: high as u32, ..self }
    }

    fn slice(&self) -> Result<PixelSlice<'_>> {
        let (descriptor, channels) =
            if self.alpha { (PixelDescriptor::RGBA8_SRGB, 4) } else { (PixelDescriptor::RGB8_SRGB, 3) };
        PixelSlice::new(&self.bytes, self.width, self.height, self.width as usize * channels, descriptor)
            .map_err(|error| Error::internal(format!("{error:?}")))
    }
}
