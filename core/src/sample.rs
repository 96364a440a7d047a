//! A small picture that stands for a large one: blocks from all over it, side by side.
//!
//! What an encoder makes of the sample, in bytes per pixel and in SSIMULACRA2, is nearly what it makes of the whole, in a
//! fraction of the time. A search takes its first guess from it, and a race its order.

use std::sync::Arc;

use crate::image::{ImageBuffer, Pixels};

/// Side of a block in pixels: two superblocks of AV1, sixteen blocks of JPEG, so that no transform crosses a seam, and
/// large enough that four of the metric's six scales see little of the seams.
const BLOCK: usize = 128;

/// A sample has this share of the pixels …
const SHARE: usize = 8;
/// … but not fewer blocks than these, which a small picture needs to be known …
pub const LEAST_BLOCKS: usize = 12;
/// … or these, where time is what counts: in 640 pixels the look that is expected then errs by 1.7 points instead of 1.6
/// (standard deviations at effort 'fast' over the Kodak pictures and photos, as in `npm run bench -- verify`),
pub const FEW_BLOCKS: usize = 6;
/// nor more than these, which are enough for a large one.
const MOST_BLOCKS: usize = 32;

/// A sample of `image`, of at least so many blocks, or `None` if it is too small for a sample to be much smaller. Expects
/// 8 bits per sample.
#[must_use]
pub fn sample(image: &ImageBuffer, least: usize) -> Option<ImageBuffer> {
    let (width, height) = (image.width() as usize, image.height() as usize);
    let wanted = (width * height / SHARE / (BLOCK * BLOCK)).clamp(least, MOST_BLOCKS);
    // A grid of about `wanted` cells as square as possible; the block lies in the middle of its cell.
    let columns = ((wanted * width) as f64 / height as f64).sqrt().round().clamp(1.0, wanted as f64) as usize;
    let rows = wanted.div_ceil(columns);
    let fits = width >= columns * BLOCK && height >= rows * BLOCK;
    if !fits || width * height < 2 * columns * rows * BLOCK * BLOCK {
        return None;
    }
    // Aligned to the blocks of a JPEG that the picture may come from.
    let start = |cell: usize, cells: usize, side: usize| ((2 * cell + 1) * side / (2 * cells) - BLOCK / 2) & !15;
    let left: Vec<_> = (0..columns).map(|cell| start(cell, columns, width)).collect();
    let top: Vec<_> = (0..rows).map(|cell| start(cell, rows, height)).collect();
    let gather = |samples: &Arc<Vec<u8>>, channels: usize| {
        let mut out = Vec::with_capacity(columns * rows * BLOCK * BLOCK * channels);
        for y in top.iter().flat_map(|&top| top..top + BLOCK) {
            for x in &left {
                let from = (y * width + x) * channels;
                out.extend_from_slice(&samples[from..from + BLOCK * channels]);
            }
        }
        Arc::new(out)
    };
    let pixels = match image.pixels() {
        Pixels::Gray8(samples) => Pixels::Gray8(gather(samples, 1)),
        Pixels::Rgb8(samples) => Pixels::Rgb8(gather(samples, 3)),
        Pixels::Rgba8(samples) => Pixels::Rgba8(gather(samples, 4)),
        Pixels::Gray16(_) | Pixels::Rgb16(_) | Pixels::Rgba16(_) => return None,
    };
    Some(ImageBuffer::from_pixels((columns * BLOCK) as u32, (rows * BLOCK) as u32, pixels))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gradient(width: usize, height: usize) -> ImageBuffer {
        let samples = (0..width * height).flat_map(|i| [(i % width / 16) as u8, (i / width / 16) as u8, 7]).collect();
        ImageBuffer::from_pixels(width as u32, height as u32, Pixels::Rgb8(Arc::new(samples)))
    }

    #[test]
    fn a_sample_is_much_smaller_and_from_everywhere() {
        let whole = gradient(2048, 1536);
        let small = sample(&whole, LEAST_BLOCKS).unwrap();
        assert!(small.pixel_count() * 6 < whole.pixel_count());
        let Pixels::Rgb8(samples) = small.pixels() else { panic!("colour stays") };
        assert_eq!(samples.len() as u64, small.pixel_count() * 3);
        // Every eighth of the width and height is in it.
        for channel in [0, 1] {
            let side = if channel == 0 { 128 } else { 96 };
            for part in 0..8 {
                let range = part * side / 8..(part + 1) * side / 8;
                assert!(samples.iter().skip(channel).step_by(3).any(|&v| range.contains(&usize::from(v))), "{part}");
            }
        }
    }

    #[test]
    fn small_and_narrow_pictures_have_none() {
        let small = gradient(640, 427);
        assert_eq!(sample(&small, LEAST_BLOCKS), None);
        assert_eq!(sample(&small, FEW_BLOCKS).map(|few| few.pixel_count()), Some((FEW_BLOCKS * BLOCK * BLOCK) as u64));
        for (width, height) in [(1, 1), (400, 400), (4000, 40), (100, 9000)] {
            assert_eq!(sample(&gradient(width, height), LEAST_BLOCKS), None);
        }
    }
}
