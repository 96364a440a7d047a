//! Colour weighted by alpha while it is filtered, so that what is invisible does not show at an edge.
//!
//! Always with 16 bits: of a weighted colour 8 bits leave little where alpha is low, and a soft edge of one colour would come
//! out in many, which nobody sees but every encoder pays for. Not by `fast_image_resize`, whose 16-bit results differ
//! between processors with and without SIMD.

use image::{DynamicImage, ImageBuffer as Raster, Rgba};
use rayon::prelude::*;

type Deep = Raster<Rgba<u16>, Vec<u16>>;

/// Weighted colour; `None` for an image without alpha, or with samples of another type.
pub(super) fn weighted(image: &DynamicImage) -> Option<Deep> {
    let samples = match image {
        DynamicImage::ImageRgba8(rgba) => convert(rgba, weigh_8),
        DynamicImage::ImageRgba16(rgba) => convert(rgba, weigh_16),
        _ => return None,
    };
    Raster::from_raw(image.width(), image.height(), samples)
}

/// The reverse, with 16 bits or with 8.
pub(super) fn unweighted(image: &Deep, is_wide: bool) -> Option<DynamicImage> {
    let (width, height) = image.dimensions();
    if is_wide {
        Raster::from_raw(width, height, convert(image, unweigh_16)).map(DynamicImage::ImageRgba16)
    } else {
        Raster::from_raw(width, height, convert(image, unweigh_8)).map(DynamicImage::ImageRgba8)
    }
}

/// Samples that a thread converts at a time: tens of microseconds of work.
const SAMPLES_PER_PART: usize = 4 << 14;

fn convert<A: Copy + Sync, B: Copy + Default + Send>(from: &[A], one: impl Fn([A; 4]) -> [B; 4] + Sync) -> Vec<B> {
    let mut result = vec![B::default(); from.len()];
    let parts = result.par_chunks_mut(SAMPLES_PER_PART).zip(from.par_chunks(SAMPLES_PER_PART));
    parts.for_each(|(to, from)| {
        for (to, from) in to.as_chunks_mut().0.iter_mut().zip(from.as_chunks().0) {
            *to = one(*from);
        }
    });
    result
}

// Products are rounded to the nearest; none exceeds 32 bits.

fn weigh_8([r, g, b, alpha]: [u8; 4]) -> [u16; 4] {
    let weigh = |color: u8| ((u32::from(color) * u32::from(alpha) * 257 + 127) / 255) as u16;
    [weigh(r), weigh(g), weigh(b), u16::from(alpha) * 257]
}

fn weigh_16([r, g, b, alpha]: [u16; 4]) -> [u16; 4] {
    let weigh = |color: u16| ((u32::from(color) * u32::from(alpha) + 32_767) / 65_535) as u16;
    [weigh(r), weigh(g), weigh(b), alpha]
}

// What comes out invisible has no colour left. A filter may overshoot, but no colour is stronger than its alpha.

fn unweigh_8([r, g, b, alpha]: [u16; 4]) -> [u8; 4] {
    let eight = ((u32::from(alpha) * 255 + 32_767) / 65_535) as u8;
    if eight == 0 {
        return [0; 4];
    }
    // Exact enough for 8 bits, and without a division of integers per sample.
    let scale = 255.0 / f32::from(alpha);
    let unweigh = |color: u16| (f32::from(color) * scale + 0.5).min(255.0) as u8;
    [unweigh(r), unweigh(g), unweigh(b), eight]
}

fn unweigh_16([r, g, b, alpha]: [u16; 4]) -> [u16; 4] {
    if alpha == 0 {
        return [0; 4];
    }
    let scale = 65_535.0 / f64::from(alpha);
    let unweigh = |color: u16| (f64::from(color) * scale + 0.5).min(65_535.0) as u16;
    [unweigh(r), unweigh(g), unweigh(b), alpha]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every colour with every alpha is the same again.
    #[test]
    fn weighing_can_be_undone() {
        for alpha in 1..=u8::MAX {
            for color in 0..=u8::MAX {
                let pixel = [color, 255 - color, color / 2, alpha];
                assert_eq!(unweigh_8(weigh_8(pixel)), pixel);
            }
        }
        assert_eq!(unweigh_8(weigh_8([200, 100, 50, 0])), [0; 4]);
        // Where alpha has 16 bits too, colour is as exact as it can be seen.
        for alpha in [1, 300, 32_768, 65_534, 65_535] {
            for color in [0, 1, 255, 30_000, 65_535] {
                let [back, _, _, same] = unweigh_16(weigh_16([color, 0, 0, alpha]));
                let error = f64::from(back.abs_diff(color)) * f64::from(alpha) / 65_535.0;
                assert!(error <= 0.51 && same == alpha, "{color} at {alpha}: {back}");
            }
        }
    }

    #[test]
    fn what_overshoots_is_cut() {
        assert_eq!(unweigh_8([40_000, 20_000, 0, 30_000]), [255, 170, 0, 117]);
        assert_eq!(unweigh_16([40_000, 15_000, 0, 30_000]), [65_535, 32_768, 0, 30_000]);
    }
}
