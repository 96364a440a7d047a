//! How much changes from one frame of an animation to another.

use image::{Rgba, RgbaImage};

/// A change that no encoder takes for noise: more need not be known.
pub const FULL_DEPTH: u8 = 64;

/// The largest difference of any sample, weighted by alpha; 255 where alpha differs.
#[must_use]
pub fn deepest_change(before: &RgbaImage, after: &RgbaImage) -> u8 {
    let depth = |(a, b): (&Rgba<u8>, &Rgba<u8>)| {
        let colors = (0..3).map(|i| u32::from(a[i].abs_diff(b[i])) * u32::from(a[3])).max().unwrap_or(0);
        if a[3] == b[3] { colors.div_ceil(255) as u8 } else { u8::MAX }
    };
    before.pixels().zip(after.pixels()).map(depth).max().unwrap_or(0)
}

/// How many pixels differ.
#[must_use]
pub fn changed_count(before: &RgbaImage, after: &RgbaImage) -> u64 {
    let pixels = before.as_raw().chunks_exact(4).zip(after.as_raw().chunks_exact(4));
    pixels.filter(|(before, after)| before != after).count() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_counted_and_measured() {
        let canvas = |pixels: [[u8; 4]; 3]| RgbaImage::from_raw(3, 1, pixels.concat()).unwrap();
        let before = canvas([[10, 20, 30, 255], [9, 9, 9, 100], [0; 4]]);
        let after = canvas([[10, 25, 28, 255], [9, 9, 19, 100], [0; 4]]);
        assert_eq!((changed_count(&before, &after), deepest_change(&before, &after)), (2, 5));
        assert_eq!((changed_count(&before, &before), deepest_change(&before, &before)), (0, 0));
        let appeared = canvas([[10, 20, 30, 255], [9, 9, 9, 100], [0, 0, 0, 1]]);
        assert_eq!(deepest_change(&before, &appeared), 255);
    }
}
