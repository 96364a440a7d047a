//! The steps that a search can choose from, one ladder per way of making a file.

use crate::codec::{self, Format, Target};
use crate::curve::Knot;

/// A way of making a file of a format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// By quality.
    Lossy,
    /// Few colours, each pixel the nearest of them.
    Palette,
    /// Few colours, dithered.
    Dithered,
    /// Every pixel.
    Lossless,
}

impl Method {
    /// Whether it keeps few colours.
    #[must_use]
    pub fn is_palette(self) -> bool {
        matches!(self, Self::Palette | Self::Dithered)
    }
}

/// Targets from worst to best, and what they typically give.
#[derive(Debug, Clone)]
pub struct Ladder {
    pub targets: Vec<Target>,
    pub typical: &'static [Knot],
    /// Factor by which the size that a sample promises may be too large.
    pub doubt: f64,
    /// Points of SSIMULACRA2 by which a sample scores higher than the whole.
    pub bias: f64,
}

impl Ladder {
    /// Every step that `format` has.
    #[must_use]
    pub fn whole(format: Format, method: Method) -> Self {
        match (method, format) {
            (Method::Lossless, _) => Self::single(Target::Visible),
            (Method::Palette, _) => Self {
                targets: PALETTE_SIZES.map(Target::Palette).into(),
                typical: &PALETTE,
                doubt: DOUBT_LOSSLESS,
                bias: 0.0,
            },
            (Method::Dithered, _) => Self::of_photograph(method),
            (Method::Lossy, _) => Self {
                targets: codec::quality_steps(format).into_iter().map(Target::Quality).collect(),
                typical: match format {
                    Format::Avif => &AVIF,
                    Format::Webp => &WEBP,
                    Format::Jpeg | Format::Png => &JPEG,
                },
                doubt: if format == Format::Webp { DOUBT_WEBP } else { DOUBT_LOSSY },
                bias: bias(format),
            },
        }
    }

    /// The same for a photograph as PNG: palettes in finer steps, one of which is worth about 5 % of the bytes near a score of
    /// 70, and sizes that a sample tells well.
    #[must_use]
    pub fn of_photograph(method: Method) -> Self {
        let palettes = |target: fn(u16) -> Target, typical, bias| Self {
            targets: PHOTO_PALETTE_SIZES.map(target).into(),
            typical,
            doubt: DOUBT_LOSSY,
            bias,
        };
        match method {
            Method::Palette => palettes(Target::Palette, &PHOTO_PALETTE, PALETTE_BIAS),
            Method::Dithered => palettes(Target::Dithered, &PHOTO_DITHERED, DITHERED_BIAS),
            Method::Lossy | Method::Lossless => Self { doubt: DOUBT_LOSSY, ..Self::single(Target::Visible) },
        }
    }

    /// One step.
    #[must_use]
    pub fn single(target: Target) -> Self {
        Self { targets: vec![target], typical: &SINGLE, doubt: DOUBT_LOSSLESS, bias: 0.0 }
    }
}

/// Three standard deviations of what a sample says of AVIF and JPEG (its score errs by one point, which is 6 % of the bytes,
/// its size by 5 %), and of photographs in few colours; one of WebP, which AVIF leads by more than that on photographs. The
/// seams of a sample cost lossless coders most, who in drawings live from repetition.
const DOUBT_LOSSY: f64 = 1.25;
const DOUBT_WEBP: f64 = 1.3;
const DOUBT_LOSSLESS: f64 = 4.0;

/// Points by which a sample scores higher than the whole near a score of 70, on average (`core/examples/curves.rs`): AVIF
/// 0.1 ± 1.3, WebP −2.9 ± 4.2, JPEG 1.5 ± 0.9. The seams between its blocks are strong edges, which JPEG keeps well and
/// which draw WebP's adaptive quantisation away from the rest.
fn bias(format: Format) -> f64 {
    match format {
        Format::Avif | Format::Png => 0.0,
        Format::Webp => -2.5,
        Format::Jpeg => 1.5,
    }
}

/// The same for photographs in few colours, between what was found at 128 and at 256: 4.8 ± 4.3 and 2.2 ± 1.7 points plain,
/// 2.6 ± 1.9 and 2.2 ± 1.7 dithered. A sample has fewer colours than the whole.
const PALETTE_BIAS: f64 = 3.5;
const DITHERED_BIAS: f64 = 2.4;

const fn knot(step: f64, score: f64, bits_per_pixel: f64) -> Knot {
    Knot { step, score, bits_per_pixel }
}

/// Two sizes to the octave, and every one where a single colour counts.
const PALETTE_SIZES: [u16; 15] = [2, 3, 4, 5, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 256];

/// Four to the octave where photographs begin to look right.
const PHOTO_PALETTE_SIZES: [u16; 23] =
    [2, 3, 4, 6, 8, 12, 16, 20, 24, 28, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256];

/// A ladder of one step has no shape; its size is what was seen.
const SINGLE: [Knot; 2] = [knot(0.0, 100.0, 1.0), knot(1.0, 100.0, std::f64::consts::E)];

// Means over six photos and six Kodak pictures at effort 'balanced', by `core/examples/curves.rs`; the last knot of AVIF is
// an estimate. The step of AVIF is 63 less its quantizer (libaom), of WebP and JPEG the quality less 1.
const AVIF: [Knot; 7] = [
    knot(0.0, -56.3, 0.022),
    knot(10.0, 7.1, 0.07),
    knot(21.0, 43.9, 0.152),
    knot(31.0, 66.0, 0.314),
    knot(42.0, 79.1, 0.642),
    knot(52.0, 86.7, 1.178),
    knot(62.0, 92.0, 4.0),
];
const WEBP: [Knot; 7] = [
    knot(0.0, 3.5, 0.104),
    knot(16.0, 35.8, 0.199),
    knot(33.0, 50.4, 0.288),
    knot(49.0, 59.5, 0.377),
    knot(66.0, 66.3, 0.477),
    knot(82.0, 76.7, 0.776),
    knot(99.0, 89.5, 2.768),
];
const JPEG: [Knot; 7] = [
    knot(0.0, -142.4, 0.032),
    knot(16.0, 14.8, 0.175),
    knot(33.0, 46.9, 0.304),
    knot(49.0, 58.9, 0.412),
    knot(66.0, 67.3, 0.556),
    knot(82.0, 78.0, 0.897),
    knot(99.0, 93.7, 6.256),
];
// Of drawings, by the size of the palette.
const PALETTE: [Knot; 4] = [knot(0.0, -20.0, 0.15), knot(4.0, 45.0, 0.3), knot(9.0, 70.0, 0.6), knot(14.0, 90.0, 1.5)];
// Of photographs as PNG at effort 'fast': means over eight Kodak pictures and two photos.
const PHOTO_PALETTE: [Knot; 6] = [
    knot(0.0, -68.5, 0.176),
    knot(4.0, -27.8, 0.765),
    knot(10.0, 25.1, 1.672),
    knot(14.0, 50.7, 2.491),
    knot(18.0, 65.5, 3.172),
    knot(22.0, 76.9, 4.042),
];
const PHOTO_DITHERED: [Knot; 6] = [
    knot(0.0, -62.0, 0.359),
    knot(4.0, -3.1, 1.233),
    knot(10.0, 48.3, 2.316),
    knot(14.0, 62.3, 2.897),
    knot(18.0, 73.4, 3.615),
    knot(22.0, 80.6, 4.393),
];
