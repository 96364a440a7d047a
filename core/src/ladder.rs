//! The steps that a search can choose from, one ladder per way of making a file.

use crate::codec::{self, Format, Target};
use crate::curve::Knot;

/// A way of making a file of a format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// By quality.
    Lossy,
    /// Few colours, and those exactly.
    Palette,
    /// Every pixel.
    Lossless,
}

/// Targets from worst to best, and what they typically give.
#[derive(Debug, Clone)]
pub struct Ladder {
    pub targets: Vec<Target>,
    pub typical: &'static [Knot],
}

impl Ladder {
    /// Every step that `format` has.
    #[must_use]
    pub fn whole(format: Format, method: Method) -> Self {
        match (method, format) {
            (Method::Lossless, _) => Self::single(Target::Visible),
            (Method::Palette, _) => {
                Self { targets: PALETTE_SIZES.map(Target::Palette).into(), typical: &PALETTE }
            }
            (Method::Lossy, _) => Self {
                targets: codec::quality_steps(format).into_iter().map(Target::Quality).collect(),
                typical: match format {
                    Format::Avif => &AVIF,
                    Format::Webp => &WEBP,
                    Format::Jpeg | Format::Png => &JPEG,
                },
            },
        }
    }

    /// One step.
    #[must_use]
    pub fn single(target: Target) -> Self {
        Self { targets: vec![target], typical: &SINGLE }
    }
}

const fn knot(step: f64, score: f64, bits_per_pixel: f64) -> Knot {
    Knot { step, score, bits_per_pixel }
}

/// Two sizes to the octave, and every one where a single colour counts.
const PALETTE_SIZES: [u16; 15] = [2, 3, 4, 5, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 256];

/// A ladder of one step has no shape; its size is what was seen.
const SINGLE: [Knot; 2] = [knot(0.0, 100.0, 1.0), knot(1.0, 100.0, std::f64::consts::E)];

// Mean over the photographs of the benchmark (`npm run bench -- curves`); the step is the quality less one, for AVIF the
// index of its quantizer, for palettes (over the drawings) that of its size.
const AVIF: [Knot; 5] =
    [knot(0.0, 0.0, 0.03), knot(20.0, 45.0, 0.15), knot(35.0, 67.0, 0.5), knot(50.0, 83.0, 1.5), knot(62.0, 91.0, 4.0)];
const WEBP: [Knot; 6] = [
    knot(0.0, -10.0, 0.15),
    knot(29.0, 50.0, 0.5),
    knot(54.0, 62.0, 0.75),
    knot(72.0, 70.0, 1.0),
    knot(84.0, 80.0, 1.6),
    knot(99.0, 91.0, 4.0),
];
const JPEG: [Knot; 6] = [
    knot(0.0, -60.0, 0.12),
    knot(29.0, 42.0, 0.45),
    knot(54.0, 60.0, 0.7),
    knot(71.0, 70.0, 1.0),
    knot(84.0, 80.0, 1.7),
    knot(99.0, 92.0, 5.5),
];
const PALETTE: [Knot; 4] = [knot(0.0, -20.0, 0.15), knot(4.0, 45.0, 0.3), knot(9.0, 70.0, 0.6), knot(14.0, 90.0, 1.5)];
