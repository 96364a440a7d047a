//! What kind of picture it is, from its pixels: a cheap test before expensive tries.

use std::collections::HashSet;
use std::hash::Hash;

use crate::image::{ImageBuffer, Pixels};

/// Share of pixels that equal their left neighbour from which on a picture is drawn. Measured: photos reach 0.48 (a night
/// sky), drawings without gradients have 0.79 to 0.94.
const DRAWN_REPEATS: f64 = 0.6;

/// Most colours of a picture that is drawn although few neighbours are equal, as gradients are. Measured in as many rows: a
/// translucent gradient has 1,700, every photo more than this.
const DRAWN_COLORS: usize = 4096;

/// For that to mean anything, at least so many pixels per colour: a small photo has few colours too.
const PIXELS_PER_COLOR: usize = 16;

/// Rows that are looked at, at most, evenly spread.
const ROWS: usize = 256;

/// What a picture looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    /// Photographed, or as rich as a photograph.
    Photo,
    /// Drawn in areas of one colour: a screenshot, a chart, a page of text.
    Areas,
    /// Drawn in few colours that change from pixel to pixel, as gradients do.
    Gradients,
}

impl Content {
    /// Depends on the pixels alone; takes one or two milliseconds at any size.
    #[must_use]
    pub fn of(image: &ImageBuffer) -> Self {
        let width = image.width() as usize;
        let (counts, gray) = match image.pixels() {
            Pixels::Gray8(samples) => (Counts::of::<_, 1>(samples, width), true),
            Pixels::Gray16(samples) => (Counts::of::<_, 1>(samples, width), true),
            Pixels::Rgb8(samples) => (Counts::of::<_, 3>(samples, width), false),
            Pixels::Rgba8(samples) => (Counts::of::<_, 4>(samples, width), false),
            Pixels::Rgb16(samples) => (Counts::of::<_, 3>(samples, width), false),
            Pixels::Rgba16(samples) => (Counts::of::<_, 4>(samples, width), false),
        };
        match counts.repeats() >= DRAWN_REPEATS {
            true => Self::Areas,
            // Grey has no more than 256 colours, drawn or not.
            false if !gray && counts.few_colors() => Self::Gradients,
            false => Self::Photo,
        }
    }
}

/// Whether the picture is rather drawn than photographed, so that lossless and palette candidates deserve a try.
#[must_use]
pub fn looks_drawn(image: &ImageBuffer) -> bool {
    Content::of(image) != Content::Photo
}

/// What the rows that were looked at consist of.
#[derive(Debug, Default)]
struct Counts {
    pixels: usize,
    /// Pixels that differ from their left neighbour; the first of a row does.
    changes: usize,
    /// Different colours, up to a little more than [`DRAWN_COLORS`].
    colors: usize,
}

impl Counts {
    fn of<T: Copy + Eq + Hash, const N: usize>(samples: &[T], width: usize) -> Self {
        let (pixels, _) = samples.as_chunks::<N>();
        let step = (pixels.len() / width).div_ceil(ROWS);
        let mut colors = HashSet::new();
        let mut counts = Self::default();
        for row in pixels.chunks_exact(width).step_by(step) {
            counts.pixels += width;
            let mut left = None;
            for pixel in row {
                if left != Some(pixel) {
                    counts.changes += 1;
                    if colors.len() <= DRAWN_COLORS {
                        colors.insert(*pixel);
                    }
                }
                left = Some(pixel);
            }
        }
        Self { colors: colors.len(), ..counts }
    }

    fn repeats(&self) -> f64 {
        1.0 - self.changes as f64 / self.pixels as f64
    }

    fn few_colors(&self) -> bool {
        self.colors <= DRAWN_COLORS && self.colors * PIXELS_PER_COLOR <= self.pixels
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::{DynamicImage, GrayImage, Luma, Rgb, RgbImage};

    fn color(pixel: impl Fn(u32, u32) -> [u8; 3]) -> ImageBuffer {
        ImageBuffer::new(DynamicImage::ImageRgb8(RgbImage::from_fn(300, 300, |x, y| Rgb(pixel(x, y)))))
    }

    fn gray(sample: impl Fn(u32, u32) -> u8) -> ImageBuffer {
        ImageBuffer::new(DynamicImage::ImageLuma8(GrayImage::from_fn(300, 300, |x, y| Luma([sample(x, y)]))))
    }

    fn noise(x: u32, y: u32) -> u8 {
        ((x * 7919 + y * 104_729).wrapping_mul(2_654_435_761) >> 24) as u8
    }

    #[test]
    fn areas_and_gradients_are_drawn_and_noise_is_not() {
        assert!(looks_drawn(&color(|x, y| [(x / 50) as u8, (y / 50) as u8, 9])), "areas");
        assert!(looks_drawn(&color(|x, _| [(x % 256) as u8, 20, 9])), "a gradient");
        assert!(looks_drawn(&gray(|x, y| (x / 50 + y / 50) as u8)), "grey areas");
        assert!(!looks_drawn(&color(|x, y| [noise(x, y), noise(y, x), noise(x + y, y)])), "noise");
        assert!(!looks_drawn(&gray(noise)), "grey noise");
    }

    #[test]
    fn the_smallest_image_has_an_answer() {
        let raster = RgbImage::from_pixel(1, 1, Rgb([1, 2, 3]));
        assert!(!looks_drawn(&ImageBuffer::new(DynamicImage::ImageRgb8(raster))));
    }
}
