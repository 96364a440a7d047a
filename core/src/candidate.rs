//! The plan: which files to try to make, and why not others; and what became of each format.

use std::sync::Arc;
use std::time::Duration;

use crate::codec::{Format, Target};
use crate::image::ImageBuffer;
use crate::ladder::{Ladder, Method};
use crate::options::{Look, Options};

/// One way of making a file of one requested format. A format may have several; the best one stands for it.
#[derive(Debug, Clone)]
pub struct Contender {
    pub format: Format,
    pub method: Method,
    /// What it encodes: the picture, on a background where the format needs one.
    pub image: ImageBuffer,
    pub ladder: Ladder,
}

/// A requested format that cannot hold this image or keep these promises.
#[derive(Debug, Clone)]
pub struct Skipped {
    pub format: Format,
    /// As a sentence.
    pub reason: String,
}

/// Everything that a call is about to try.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The picture as every candidate is to show it: 8 bits per sample unless `lossless`.
    pub image: ImageBuffer,
    pub contenders: Vec<Contender>,
    pub skipped: Vec<Skipped>,
}

/// The plan for `image`, contenders in the order of the requested formats.
#[must_use]
pub fn plan(image: &ImageBuffer, options: &Options) -> Plan {
    // Without `lossless` every format gets the same 8 bits per sample.
    let image = if options.lossless() { image.clone() } else { image.to_eight_bit() };
    let flat = options.flatten().filter(|_| image.has_alpha()).map(|background| image.flatten(background));
    let (mut contenders, mut skipped) = (Vec::new(), Vec::new());
    for &format in options.formats() {
        if let Some(reason) = obstacle(format, &image, options) {
            skipped.push(Skipped { format, reason });
            continue;
        }
        let image = if format == Format::Jpeg { flat.as_ref().unwrap_or(&image) } else { &image };
        contenders.extend(ladders(format, options).into_iter().map(|(method, ladder)| Contender {
            format,
            method,
            image: image.clone(),
            ladder,
        }));
    }
    Plan { image, contenders, skipped }
}

/// The ways to make a file of `format` that these options allow.
fn ladders(format: Format, options: &Options) -> Vec<(Method, Ladder)> {
    let lossless = (Method::Lossless, Ladder::single(Target::Lossless));
    match (options.look(), format) {
        (Look::Identical, _) | (Look::Fixed(_), Format::Png) => vec![lossless],
        (Look::Fixed(qualities), _) => {
            vec![(Method::Lossy, Ladder::single(Target::Quality(qualities.of(format))))]
        }
        (Look::Searched { .. }, Format::Avif | Format::Jpeg) => {
            vec![(Method::Lossy, Ladder::whole(format, Method::Lossy))]
        }
        (Look::Searched { .. }, Format::Webp) => {
            vec![(Method::Lossy, Ladder::whole(format, Method::Lossy)), lossless]
        }
        (Look::Searched { .. }, Format::Png) => {
            vec![(Method::Palette, Ladder::whole(format, Method::Palette)), lossless]
        }
    }
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
    /// Where it was encoded by quality.
    pub quality: Option<u8>,
    /// SSIMULACRA2 against the input, where it was computed; 100 where every pixel is kept.
    pub score: Option<f64>,
    /// How many times an encoder ran over the whole picture for this format.
    pub encodes: u32,
    pub elapsed: Duration,
    pub outcome: Outcome,
}

impl Candidate {
    /// One that has no file: skipped, failed or abandoned.
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
