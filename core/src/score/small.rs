//! How large the errors of a small picture may be. SSIMULACRA2 forgives what contrast around it masks, and a small picture
//! is full of contrast: at one score the mean error of a photograph doubles from 256 pixels to 24. So a small picture has
//! to keep a bound on its mean error too, in levels of 8-bit sRGB, over all channels, on the worse of a dark and a light
//! background where alpha is used.

use crate::image::{ImageBuffer, Pixels};

/// Pictures whose shorter side has so many pixels are judged by SSIMULACRA2 alone; below it the bound on the error
/// tightens gradually, in proportion to what is missing.
pub(super) const FULL_SIDE: u32 = 256;

/// The bound near no pixels, at a score of [`SCORE`]: a share of the picture's own [`contrast`], and not more levels than
/// these. Fitted on ten photographs, resized and cropped to 8 to 256 pixels, so that the mean error is on average no more
/// than a quarter above what it is at 256 pixels (`npm run bench -- sizes`).
const CONTRAST_SHARE: f64 = 0.45;
const MOST_LEVELS: f64 = 4.2;

/// An error that nobody sees: what rounding in YCbCr costs.
const LEAST_LEVELS: f64 = 1.0;

/// The score that the bound stands for, and how many points an error e times as large costs: 33 to 36 at 16 to 256 pixels, on
/// the same pictures in WebP, JPEG and AVIF.
const SCORE: f64 = 70.0;
const POINTS_PER_E_FOLD: f64 = 33.0;

const BLACK: [u8; 3] = [0; 3];
const WHITE: [u8; 3] = [255; 3];

/// What a small picture tolerates.
pub(super) struct Tolerance(Vec<View>);

/// The picture on a background, and the mean error that is worth [`SCORE`] points on it.
struct View {
    background: [u8; 3],
    samples: Vec<u8>,
    bound: f64,
}

impl Tolerance {
    /// `None` for a picture that is not small.
    pub(super) fn of(image: &ImageBuffer) -> Option<Self> {
        let side = image.width().min(image.height());
        if side >= FULL_SIDE {
            return None;
        }
        let missing = 1.0 - f64::from(side) / f64::from(FULL_SIDE);
        let view = |background| {
            let samples = samples(image, background);
            let share = CONTRAST_SHARE * contrast(&samples, image.width() as usize * 3);
            View { background, samples, bound: share.clamp(LEAST_LEVELS, MOST_LEVELS) / missing }
        };
        let backgrounds: &[_] = if image.has_alpha() { &[BLACK, WHITE] } else { &[WHITE] };
        Some(Self(backgrounds.iter().copied().map(view).collect()))
    }

    /// The score that the mean error of `candidate` is worth, without an upper end.
    pub(super) fn score(&self, candidate: &ImageBuffer) -> f64 {
        let worth = |view: &View| {
            let candidate = samples(candidate, view.background);
            let error = mean(view.samples.iter().zip(&candidate).map(|(a, b)| f64::from(a.abs_diff(*b))));
            SCORE - POINTS_PER_E_FOLD * (error / view.bound).ln()
        };
        self.0.iter().map(worth).fold(f64::INFINITY, f64::min)
    }
}

/// Red, green and blue of each pixel.
fn samples(image: &ImageBuffer, background: [u8; 3]) -> Vec<u8> {
    match image.to_eight_bit().flatten(background).to_color().pixels() {
        Pixels::Rgb8(samples) => samples.as_ref().clone(),
        // A flat picture in colour of 8 bits is none of these.
        _ => Vec::new(),
    }
}

/// How much samples differ from those to the right and below. The square of the mean root, so that a few hard edges on even
/// ground, as in drawings, count little: they hide no error beside them.
fn contrast(samples: &[u8], stride: usize) -> f64 {
    let across = samples.chunks_exact(stride).flat_map(|row| row.iter().zip(row.iter().skip(3)));
    let pairs = across.chain(samples.iter().zip(samples.iter().skip(stride)));
    mean(pairs.map(|(a, b)| f64::from(a.abs_diff(*b)).sqrt())).powi(2)
}

/// 0 of nothing.
fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, count) = values.fold((0.0, 0_u64), |(sum, count), value| (sum + value, count + 1));
    sum / count.max(1) as f64
}

#[cfg(test)]
mod tests {
    use image::{DynamicImage, Rgb, RgbImage, Rgba, RgbaImage};

    use super::*;

    fn picture(side: u32, shift: u8) -> ImageBuffer {
        let raster = RgbImage::from_fn(side, side, |x, y| {
            Rgb([(x * 37 % 200) as u8 + shift, (y * 53 % 190) as u8 + shift, ((x + y) % 2 * 90) as u8 + shift])
        });
        ImageBuffer::new(DynamicImage::ImageRgb8(raster))
    }

    fn worth(side: u32, shift: u8) -> f64 {
        Tolerance::of(&picture(side, 0)).unwrap().score(&picture(side, shift))
    }

    #[test]
    fn the_bound_fades_with_size() {
        assert!(Tolerance::of(&picture(256, 0)).is_none());
        let at = [8, 32, 64, 128, 224].map(|side| worth(side, 6));
        assert!(at.is_sorted() && at[0] < 60.0 && at[4] > 90.0, "{at:?}");
    }

    #[test]
    fn a_larger_error_is_worth_less() {
        assert!(worth(32, 0).is_infinite());
        let (one, two) = (worth(32, 4), worth(32, 8));
        assert!((one - two - POINTS_PER_E_FOLD * std::f64::consts::LN_2).abs() < 1e-9, "{one} {two}");
    }

    /// An even picture has no contrast that would hide an error, and one level is no error.
    #[test]
    fn even_pictures_tolerate_little() {
        let even = |level| ImageBuffer::new(DynamicImage::ImageRgb8(RgbImage::from_pixel(1, 1, Rgb([level, 90, 90]))));
        let tolerance = Tolerance::of(&even(60)).unwrap();
        assert!(tolerance.score(&even(62)) > SCORE && tolerance.score(&even(67)) < SCORE);
    }

    /// An error of alpha shows on one of two backgrounds at least.
    #[test]
    fn alpha_counts_on_the_worse_background() {
        let glass = |level, alpha| {
            ImageBuffer::new(DynamicImage::ImageRgba8(RgbaImage::from_pixel(4, 4, Rgba([level, level, level, alpha]))))
        };
        for level in [0, 255] {
            let tolerance = Tolerance::of(&glass(level, 128)).unwrap();
            assert!(tolerance.score(&glass(level, 140)) < SCORE, "{level}");
            assert!(tolerance.score(&glass(level, 128)) > 100.0, "{level}");
        }
    }
}
