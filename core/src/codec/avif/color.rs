//! From the planes of an AV1 picture to 8-bit samples, row by row: chroma interpolated, one matrix, one rounding.

use crate::codec::Viewer;
use crate::color::luma_weights;

/// What samples mean, in code points of ITU-T H.273.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Description {
    pub primaries: u16,
    pub transfer: u16,
    pub matrix: u16,
    pub full_range: bool,
}

/// One plane: rows of samples, of one byte, or of two in the machine's order.
pub(super) struct Plane<B> {
    pub bytes: B,
    /// Bytes from row to row.
    pub stride: usize,
    pub wide: bool,
}

impl<B: AsRef<[u8]>> Plane<B> {
    /// The first samples of row `y`, as many as `row` is long.
    fn read(&self, y: usize, row: &mut [f32]) {
        let bytes = &self.bytes.as_ref()[y * self.stride..];
        if self.wide {
            for (sample, pair) in row.iter_mut().zip(bytes.chunks_exact(2)) {
                *sample = f32::from(u16::from_ne_bytes([pair[0], pair[1]]));
            }
        } else {
            for (sample, &byte) in row.iter_mut().zip(bytes) {
                *sample = f32::from(byte);
            }
        }
    }
}

/// A decoded picture.
pub(super) struct Planes<B> {
    pub width: usize,
    pub height: usize,
    pub luma: Plane<B>,
    /// U and V; none in a monochrome picture.
    pub chroma: Option<[Plane<B>; 2]>,
    /// Whether chroma has half the width, half the height; odd sizes round up.
    pub subsampled_x: bool,
    pub subsampled_y: bool,
}

impl<B: AsRef<[u8]>> Planes<B> {
    /// One byte per pixel, from luma alone.
    pub(super) fn gray(&self, transform: &Transform) -> Vec<u8> {
        let mut luma = vec![0.0; self.width];
        let mut gray = vec![0; self.width * self.height];
        // A decoded picture has pixels, so no row is empty.
        for (y, row) in gray.chunks_exact_mut(self.width).enumerate() {
            self.luma.read(y, &mut luma);
            for (out, &sample) in row.iter_mut().zip(&luma) {
                *out = transform.apply(0, [sample, 0.0, 0.0]);
            }
        }
        gray
    }

    /// Three bytes per pixel. Without chroma it is black.
    pub(super) fn rgb(&self, transform: &Transform, viewer: Viewer) -> Vec<u8> {
        let mut rgb = vec![0; self.width * self.height * 3];
        let Some([plane_u, plane_v]) = &self.chroma else { return rgb };
        let mut chroma = Upsampler::new(self, viewer);
        let [mut luma, mut u, mut v] = [(); 3].map(|()| vec![0.0; self.width]);
        for (y, row) in rgb.chunks_exact_mut(3 * self.width).enumerate() {
            self.luma.read(y, &mut luma);
            chroma.row(plane_u, y, &mut u);
            chroma.row(plane_v, y, &mut v);
            for (out, ((&luma, &u), &v)) in row.as_chunks_mut::<3>().0.iter_mut().zip(luma.iter().zip(&u).zip(&v)) {
                *out = [0, 1, 2].map(|channel| transform.apply(channel, [luma, u, v]));
            }
        }
        rgb
    }
}

/// Chroma samples lie in the middle of the luma samples that they stand for; the position that an AV1 stream may tell is left
/// aside, as viewers do.
struct Upsampler {
    /// Weight of the nearest sample in each direction; the next one has the rest. 3/4 is linear interpolation.
    weight: f32,
    subsampled_x: bool,
    subsampled_y: bool,
    rows: usize,
    near: Vec<f32>,
    far: Vec<f32>,
}

impl Upsampler {
    fn new<B>(planes: &Planes<B>, viewer: Viewer) -> Self {
        let half = |length: usize, halved: bool| if halved { length.div_ceil(2) } else { length };
        let columns = half(planes.width, planes.subsampled_x);
        Self {
            weight: if viewer == Viewer::Careful { 0.75 } else { 1.0 },
            subsampled_x: planes.subsampled_x,
            subsampled_y: planes.subsampled_y,
            rows: half(planes.height, planes.subsampled_y),
            near: vec![0.0; columns],
            far: vec![0.0; columns],
        }
    }

    /// Chroma for each pixel of row `y` of the picture.
    fn row<B: AsRef<[u8]>>(&mut self, plane: &Plane<B>, y: usize, out: &mut [f32]) {
        if self.subsampled_y {
            let near = y / 2;
            // Beyond the edge the outermost row repeats.
            let far = if y.is_multiple_of(2) { near.saturating_sub(1) } else { (near + 1).min(self.rows - 1) };
            plane.read(near, &mut self.near);
            plane.read(far, &mut self.far);
            for (near, &far) in self.near.iter_mut().zip(&self.far) {
                *near = blend(*near, far, self.weight);
            }
        } else {
            plane.read(y, &mut self.near);
        }
        if self.subsampled_x { widen(&self.near, self.weight, out) } else { out.copy_from_slice(&self.near) }
    }
}

fn blend(near: f32, far: f32, weight: f32) -> f32 {
    near * weight + far * (1.0 - weight)
}

/// Two samples for each of `row`, less the last if `out` has an odd length.
fn widen(row: &[f32], weight: f32, out: &mut [f32]) {
    let last = row.len() - 1;
    out[0] = row[0];
    // Between two samples lie the right half of the one and the left half of the other.
    for (pair, out) in row.windows(2).zip(out[1..].chunks_exact_mut(2)) {
        out[0] = blend(pair[0], pair[1], weight);
        out[1] = blend(pair[1], pair[0], weight);
    }
    if let Some(end) = out.get_mut(2 * last + 1) {
        *end = row[last];
    }
}

/// From Y, U, V as stored to channels of 0 to 255.
pub(super) struct Transform {
    /// What Y, U and V are at zero.
    zero: [f32; 3],
    /// For each channel a factor of Y, of U and of V.
    channels: [[f32; 3]; 3],
    /// Bits that the channels have beyond eight at first; they are cut off.
    surplus: u8,
}

/// How samples become numbers: 0 to 1 for luma, −½ to ½ for chroma (H.273, 8.3).
struct Levels {
    /// What to take away from a sample.
    zero: f64,
    /// What to multiply it by.
    gain: f64,
}

impl Levels {
    fn luma(bit_depth: u8, full_range: bool) -> Self {
        let step = f64::from(1 << (bit_depth - 8));
        if full_range {
            Self { zero: 0.0, gain: 1.0 / (256.0 * step - 1.0) }
        } else {
            Self { zero: 16.0 * step, gain: 1.0 / (219.0 * step) }
        }
    }

    fn chroma(bit_depth: u8, full_range: bool) -> Self {
        let step = f64::from(1 << (bit_depth - 8));
        let levels = if full_range { 256.0 * step - 1.0 } else { 224.0 * step };
        Self { zero: 128.0 * step, gain: 1.0 / levels }
    }
}

impl Transform {
    /// For one channel from luma.
    pub(super) fn gray(bit_depth: u8, full_range: bool, viewer: Viewer) -> Self {
        let luma = Levels::luma(bit_depth, full_range);
        Self::new([[1.0, 0.0, 0.0]; 3], [&luma, &luma, &luma], surplus(bit_depth, viewer))
    }

    /// For red, green and blue by matrix coefficients of H.273, table 4. `None` for some that are not supported.
    pub(super) fn rgb(bit_depth: u8, description: Description, viewer: Viewer) -> Option<Self> {
        let Description { primaries, matrix, full_range, .. } = description;
        let surplus = surplus(bit_depth, viewer);
        let [luma, chroma] = [Levels::luma, Levels::chroma].map(|levels| levels(bit_depth, full_range));
        // The weights of red and blue in luma.
        let (kr, kb) = match matrix {
            // The planes are green, blue and red.
            0 => {
                let weights = [[0.0, 0.0, 1.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]];
                return Some(Self::new(weights, [&luma, &luma, &luma], surplus));
            }
            1 => (0.2126, 0.0722),
            // 2 is "unspecified", for which viewers take BT.601.
            2 | 5 | 6 => (0.299, 0.114),
            4 => (0.30, 0.11),
            7 => (0.212, 0.087),
            // YCgCo: the planes are luma, green less the mean of red and blue, and red less blue.
            8 => {
                let weights = [[1.0, -1.0, 1.0], [1.0, 1.0, 0.0], [1.0, -1.0, -1.0]];
                return Some(Self::new(weights, [&luma, &chroma, &chroma], surplus));
            }
            9 => (0.2627, 0.0593),
            // Derived from the primaries.
            12 => luma_weights(u8::try_from(primaries).ok()?)?,
            _ => return None,
        };
        let kg = 1.0 - kr - kb;
        let (red, blue) = (2.0 * (1.0 - kr), 2.0 * (1.0 - kb));
        let weights = [[1.0, 0.0, red], [1.0, -kb * blue / kg, -kr * red / kg], [1.0, blue, 0.0]];
        Some(Self::new(weights, [&luma, &chroma, &chroma], surplus))
    }

    fn new(weights: [[f64; 3]; 3], levels: [&Levels; 3], surplus: u8) -> Self {
        let factor = |channel: [f64; 3], plane: usize| {
            (channel[plane] * levels[plane].gain * f64::from(max_sample(surplus))) as f32
        };
        Self {
            zero: levels.map(|levels| levels.zero as f32),
            channels: weights.map(|channel| [0, 1, 2].map(|plane| factor(channel, plane))),
            surplus,
        }
    }

    #[inline]
    fn apply(&self, channel: usize, [y, u, v]: [f32; 3]) -> u8 {
        /// 1.5 × 2^23: a number that is added to it is rounded to an integer, in the lowest bits. Unlike `as`, which
        /// looks after overflow, this is fast on vectors.
        const ROUND: f32 = 12_582_912.0;
        let [by_y, by_u, by_v] = self.channels[channel];
        let [zero_y, zero_u, zero_v] = self.zero;
        let value = (y - zero_y) * by_y + (u - zero_u) * by_u + (v - zero_v) * by_v;
        let rounded = (value.clamp(0.0, max_sample(self.surplus)) + ROUND).to_bits();
        (rounded >> self.surplus) as u8
    }
}

fn surplus(bit_depth: u8, viewer: Viewer) -> u8 {
    if viewer == Viewer::Careless { bit_depth - 8 } else { 0 }
}

/// Of a channel with so many bits beyond eight, at most four.
fn max_sample(surplus: u8) -> f32 {
    f32::from((256_u16 << surplus) - 1)
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "sixteenths of integers are exact")]
mod tests {
    use super::*;

    fn plane(samples: &[u8], stride: usize) -> Plane<Vec<u8>> {
        Plane { bytes: samples.to_vec(), stride, wide: false }
    }

    fn rgb(bit_depth: u8, full_range: bool, matrix: u16, viewer: Viewer) -> Option<Transform> {
        Transform::rgb(bit_depth, Description { primaries: 1, transfer: 13, matrix, full_range }, viewer)
    }

    fn pixel(transform: &Transform, yuv: [f32; 3]) -> [u8; 3] {
        [0, 1, 2].map(|channel| transform.apply(channel, yuv))
    }

    /// Black, white and the primaries at the ends of each range, in 8, 10 and 12 bits (values of BT.601 and BT.709).
    #[test]
    fn ends_of_both_ranges() {
        let limited = rgb(8, false, 1, Viewer::Careful).unwrap();
        assert_eq!(pixel(&limited, [16.0, 128.0, 128.0]), [0; 3]);
        assert_eq!(pixel(&limited, [235.0, 128.0, 128.0]), [255; 3]);
        assert_eq!(pixel(&limited, [0.0, 128.0, 128.0]), [0; 3]);
        assert_eq!(pixel(&limited, [62.5594, 102.336, 240.0]), [255, 0, 0]);
        for depth in [8, 10, 12] {
            let (max, middle) = (f32::from((1_u16 << depth) - 1), f32::from(1_u16 << (depth - 1)));
            let full = rgb(depth, true, 6, Viewer::Careful).unwrap();
            assert_eq!(pixel(&full, [max, middle, middle]), [255; 3], "{depth} bits");
            let green = [0.587 * max, middle - 0.331_264 * max, middle - 0.418_688 * max];
            assert_eq!(pixel(&full, green), [0, 255, 0], "{depth} bits");
            let gray = Transform::gray(depth, false, Viewer::Careful);
            assert_eq!([64.0, 940.0].map(|level| gray.apply(0, [level / 1024.0 * (max + 1.0), 0.0, 0.0])), [0, 255]);
        }
    }

    /// Levels of 10 bits, rounded and cut.
    #[test]
    fn what_is_beyond_eight_bits_is_rounded_or_cut() {
        let shown =
            |transform: Transform| [0, 3, 4, 7, 512, 1022, 1023].map(|y| transform.apply(0, [y as f32, 0.0, 0.0]));
        assert_eq!(shown(Transform::gray(10, true, Viewer::Careful)), [0, 1, 1, 2, 128, 255, 255]);
        assert_eq!(shown(Transform::gray(10, true, Viewer::Careless)), [0, 0, 1, 1, 128, 255, 255]);
        let eight_bits = rgb(8, true, 6, Viewer::Careless).unwrap();
        assert_eq!(pixel(&eight_bits, [200.0, 128.0, 128.0]), [200; 3]);
    }

    /// 8-bit RGB planes come out as they went in; what nobody defines is refused.
    #[test]
    fn identity_is_exact() {
        let transform = rgb(8, true, 0, Viewer::Careful).unwrap();
        for level in 0..=255 {
            let other = f32::from(255 - level);
            assert_eq!(pixel(&transform, [f32::from(level), other, 7.0]), [7, level, 255 - level]);
        }
        assert!(rgb(8, true, 3, Viewer::Careful).is_none());
    }

    /// YCgCo by its definition; what is derived from the primaries of BT.709 is its matrix.
    #[test]
    fn further_matrices() {
        let ycgco = rgb(8, true, 8, Viewer::Careful).unwrap();
        let [red, green, blue] = [200.0, 90.0, 30.0];
        let (cg, co) = (green / 2.0 - (red + blue) / 4.0, (red - blue) / 2.0);
        let y = green / 2.0 + (red + blue) / 4.0;
        assert_eq!(pixel(&ycgco, [y, 128.0 + cg, 128.0 + co]), [200, 90, 30]);
        let [derived, own] = [12, 1].map(|matrix| rgb(10, false, matrix, Viewer::Careful).unwrap());
        for sample in [[300.0, 600.0, 400.0], [800.0, 500.0, 600.0]] {
            assert_eq!(pixel(&derived, sample), pixel(&own, sample));
        }
    }

    /// Weights 9, 3, 3 and 1 of 16 in the middle, edges repeated, for odd and even sizes.
    #[test]
    fn chroma_is_interpolated() {
        let planes = |width, height| Planes {
            width,
            height,
            luma: plane(&[], 0),
            chroma: None,
            subsampled_x: true,
            subsampled_y: true,
        };
        let chroma = plane(&[16, 32, 0, 48, 64, 0], 3);
        let mut upsampler = Upsampler::new(&planes(4, 4), Viewer::Careful);
        let mut rows = [[0.0; 4]; 4];
        for (y, row) in rows.iter_mut().enumerate() {
            upsampler.row(&chroma, y, row);
        }
        assert_eq!(rows[0], [16.0, 20.0, 28.0, 32.0]);
        assert_eq!(rows[1], [24.0, 28.0, 36.0, 40.0]);
        assert_eq!(rows[3], [48.0, 52.0, 60.0, 64.0]);
        let mut odd = [0.0; 3];
        Upsampler::new(&planes(3, 3), Viewer::Careful).row(&chroma, 2, &mut odd);
        assert_eq!(odd, [40.0, 44.0, 52.0]);
        Upsampler::new(&planes(3, 3), Viewer::Careless).row(&chroma, 2, &mut odd);
        assert_eq!(odd, [48.0, 48.0, 64.0]);
        let mut one = [0.0];
        Upsampler::new(&planes(1, 1), Viewer::Careful).row(&chroma, 0, &mut one);
        assert_eq!(one, [16.0]);
    }

    #[test]
    fn wide_samples_are_read_in_the_order_of_the_machine() {
        let bytes: Vec<u8> = [1023_u16, 4].into_iter().flat_map(u16::to_ne_bytes).collect();
        let luma = Plane { bytes, stride: 4, wide: true };
        let planes = Planes { width: 2, height: 1, luma, chroma: None, subsampled_x: false, subsampled_y: false };
        assert_eq!(planes.gray(&Transform::gray(10, true, Viewer::Careful)), [255, 1]);
    }
}
