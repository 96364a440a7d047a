//! The plan: which formats to try, and why not the others; and what became of each.

use std::sync::Arc;
use std::time::Duration;

use crate::codec::{Format, Target};
use crate::image::ImageBuffer;
use crate::options::Options;

/// What one requested format is about to do.
#[derive(Debug, Clone)]
pub enum Plan {
    Encode {
        format: Format,
        target: Target,
        image: ImageBuffer,
    },
    /// With the reason, as a sentence.
    Skip {
        format: Format,
        reason: String,
    },
}

impl Plan {
    #[must_use]
    pub fn format(&self) -> Format {
        match self {
            Self::Encode { format, .. } | Self::Skip { format, .. } => *format,
        }
    }
}

/// One plan per requested format, in that order.
#[must_use]
pub fn plan(image: &ImageBuffer, options: &Options) -> Vec<Plan> {
    // Without `lossless` every format gets the same 8 bits per sample.
    let image = if options.lossless() { image.clone() } else { image.to_eight_bit() };
    let flat = options.flatten().filter(|_| image.has_alpha()).map(|background| image.flatten(background));
    options
        .formats()
        .iter()
        .map(|&format| match obstacle(format, &image, options) {
            Some(reason) => Plan::Skip { format, reason },
            None => Plan::Encode {
                format,
                target: options.quality(format).map_or(Target::Lossless, Target::Quality),
                image: if format == Format::Jpeg { flat.as_ref().unwrap_or(&image).clone() } else { image.clone() },
            },
        })
        .collect()
}

/// Why `format` cannot hold this image or keep these promises.
fn obstacle(format: Format, image: &ImageBuffer, options: &Options) -> Option<String> {
    let longest = image.width().max(image.height());
    if longest > format.max_side() {
        let side = format.max_side();
        return Some(format!("{format} cannot hold a side of {longest} pixels (at most {side})."));
    }
    if options.lossless() {
        return match format {
            Format::Avif => Some("AVIF cannot keep every pixel with the engine of this version.".to_owned()),
            Format::Jpeg => Some("JPEG cannot keep every pixel.".to_owned()),
            Format::Webp if image.bit_depth() > 8 => {
                Some("WebP holds 8 bits per sample, and this image needs 16.".to_owned())
            }
            Format::Webp | Format::Png => None,
        };
    }
    (format == Format::Jpeg && image.has_alpha() && options.flatten().is_none()).then(|| {
        "JPEG has no transparency, and this image uses it; set `flatten` to a background colour to allow JPEG."
            .to_owned()
    })
}

/// How a candidate ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    Won,
    Lost,
    OverBudget,
    BelowScore,
    Failed,
    Skipped,
    Abandoned,
}

/// One requested format, or the original, after the race.
#[derive(Debug, Clone)]
pub struct Candidate {
    /// `None` for the original.
    pub format: Option<Format>,
    /// The finished file.
    pub data: Option<Arc<Vec<u8>>>,
    pub quality: Option<u8>,
    /// SSIMULACRA2 against the input, where it was computed.
    pub score: Option<f64>,
    /// How many times the encoder ran.
    pub encodes: u32,
    pub elapsed: Duration,
    pub outcome: Outcome,
}

impl Candidate {
    /// One that has no file: skipped or failed.
    #[must_use]
    pub fn without_file(format: Format, outcome: Outcome) -> Self {
        Self {
            format: Some(format),
            data: None,
            quality: None,
            score: None,
            encodes: 0,
            elapsed: Duration::ZERO,
            outcome,
        }
    }

    #[must_use]
    pub fn bytes(&self) -> Option<u64> {
        self.data.as_ref().map(|data| data.len() as u64)
    }
}
