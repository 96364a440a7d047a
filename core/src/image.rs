//! Decoded pixels, immutable and shared, in one canonical form.

use std::sync::Arc;

use image::{DynamicImage, GrayImage, ImageBuffer as Raster, Rgb, RgbImage, RgbaImage};

/// Samples of one image. Clones share them.
///
/// The form is canonical: alpha is there only if some pixel is not opaque, colour only if some pixel is not grey, 16
/// bits only if 8 do not say the same. So two buffers are equal exactly if every pixel is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageBuffer {
    width: u32,
    height: u32,
    pixels: Pixels,
}

/// Interleaved samples, rows from the top, no padding; sRGB-encoded; alpha is not premultiplied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pixels {
    Gray8(Arc<Vec<u8>>),
    Rgb8(Arc<Vec<u8>>),
    Rgba8(Arc<Vec<u8>>),
    Gray16(Arc<Vec<u16>>),
    Rgb16(Arc<Vec<u16>>),
    Rgba16(Arc<Vec<u16>>),
}

impl ImageBuffer {
    /// Takes a decoded image over and brings it into the canonical form.
    #[must_use]
    pub fn new(image: DynamicImage) -> Self {
        let (width, height) = (image.width(), image.height());
        Self { width, height, pixels: canonical(image) }
    }

    /// Samples that are in the canonical form, or a part of such.
    pub(crate) fn from_pixels(width: u32, height: u32, pixels: Pixels) -> Self {
        Self { width, height, pixels }
    }

    /// The samples as a raster of the `image` crate; a copy only if they are shared. `None` if they do not fill the size.
    pub(crate) fn into_dynamic(self) -> Option<DynamicImage> {
        let (width, height) = (self.width, self.height);
        match self.pixels {
            Pixels::Gray8(samples) => gray_raster(width, height, Arc::unwrap_or_clone(samples)),
            Pixels::Rgb8(samples) => rgb_raster(width, height, Arc::unwrap_or_clone(samples)),
            Pixels::Rgba8(samples) => {
                RgbaImage::from_raw(width, height, Arc::unwrap_or_clone(samples)).map(DynamicImage::ImageRgba8)
            }
            Pixels::Gray16(samples) => {
                Raster::from_raw(width, height, Arc::unwrap_or_clone(samples)).map(DynamicImage::ImageLuma16)
            }
            Pixels::Rgb16(samples) => {
                Raster::from_raw(width, height, Arc::unwrap_or_clone(samples)).map(DynamicImage::ImageRgb16)
            }
            Pixels::Rgba16(samples) => {
                Raster::from_raw(width, height, Arc::unwrap_or_clone(samples)).map(DynamicImage::ImageRgba16)
            }
        }
    }

    #[must_use]
    pub fn width(&self) -> u32 {
        self.width
    }

    #[must_use]
    pub fn height(&self) -> u32 {
        self.height
    }

    #[must_use]
    pub fn pixel_count(&self) -> u64 {
        u64::from(self.width) * u64::from(self.height)
    }

    #[must_use]
    pub fn pixels(&self) -> &Pixels {
        &self.pixels
    }

    /// Whether some pixel is not opaque.
    #[must_use]
    pub fn has_alpha(&self) -> bool {
        matches!(self.pixels, Pixels::Rgba8(_) | Pixels::Rgba16(_))
    }

    /// Bits per sample: 8 or 16.
    #[must_use]
    pub fn bit_depth(&self) -> u8 {
        match self.pixels {
            Pixels::Gray8(_) | Pixels::Rgb8(_) | Pixels::Rgba8(_) => 8,
            Pixels::Gray16(_) | Pixels::Rgb16(_) | Pixels::Rgba16(_) => 16,
        }
    }

    /// Whether both show the same: equal but for the colour of fully transparent pixels.
    #[must_use]
    pub fn looks_like(&self, other: &Self) -> bool {
        let same_pixel = |(a, b): (&[u8], &[u8])| a == b || (a[3] == 0 && b[3] == 0);
        match (&self.pixels, &other.pixels) {
            (Pixels::Rgba8(a), Pixels::Rgba8(b)) if (self.width, self.height) == (other.width, other.height) => {
                a.chunks_exact(4).zip(b.chunks_exact(4)).all(same_pixel)
            }
            _ => self == other,
        }
    }

    /// The same image with 8 bits per sample, each rounded to the nearest, in the canonical form again: alpha that is all but
    /// opaque becomes opaque, colour that is all but grey grey. No copy when it has 8 already.
    #[must_use]
    pub fn to_eight_bit(&self) -> Self {
        let pixels = match &self.pixels {
            Pixels::Gray16(samples) => Pixels::Gray8(Arc::new(round_samples(samples))),
            Pixels::Rgb16(samples) => canonical_rgb8(round_samples(samples)),
            Pixels::Rgba16(samples) => canonical_rgba8(round_samples(samples)),
            eight => eight.clone(),
        };
        Self { pixels, ..*self }
    }

    /// Grey samples three times each, which is not the canonical form: for an encoder that needs colour. No copy of others.
    pub(crate) fn to_color(&self) -> Self {
        fn triple<T: Copy>(gray: &[T]) -> Arc<Vec<T>> {
            Arc::new(gray.iter().flat_map(|&sample| [sample; 3]).collect())
        }
        let pixels = match &self.pixels {
            Pixels::Gray8(samples) => Pixels::Rgb8(triple(samples)),
            Pixels::Gray16(samples) => Pixels::Rgb16(triple(samples)),
            color => color.clone(),
        };
        Self { pixels, ..*self }
    }

    /// The same image on an opaque `background`, blended on the sRGB-encoded values as browsers do. Expects 8 bits.
    #[must_use]
    pub fn flatten(&self, background: [u8; 3]) -> Self {
        let Pixels::Rgba8(samples) = &self.pixels else { return self.clone() };
        let mut flat = Vec::with_capacity(samples.len() / 4 * 3);
        for pixel in samples.chunks_exact(4) {
            let alpha = u32::from(pixel[3]);
            for (&top, &bottom) in pixel.iter().zip(&background) {
                let sum = u32::from(top) * alpha + u32::from(bottom) * (255 - alpha);
                flat.push(((sum + 127) / 255) as u8);
            }
        }
        Self { pixels: Pixels::Rgb8(Arc::new(flat)), ..*self }
    }
}

fn round_samples(samples: &[u16]) -> Vec<u8> {
    samples.iter().map(|&sample| ((u32::from(sample) * 255 + 32_767) / 65_535) as u8).collect()
}

fn canonical(image: DynamicImage) -> Pixels {
    match narrow(drop_alpha(image)) {
        DynamicImage::ImageLuma8(gray) => Pixels::Gray8(Arc::new(gray.into_raw())),
        DynamicImage::ImageRgb8(rgb) => canonical_rgb8(rgb.into_raw()),
        DynamicImage::ImageLuma16(gray) => Pixels::Gray16(Arc::new(gray.into_raw())),
        DynamicImage::ImageRgb16(rgb) => match gray_of(rgb.as_raw()) {
            Some(gray) => Pixels::Gray16(Arc::new(gray)),
            None => Pixels::Rgb16(Arc::new(rgb.into_raw())),
        },
        DynamicImage::ImageRgba16(rgba) => Pixels::Rgba16(Arc::new(rgba.into_raw())),
        other => Pixels::Rgba8(Arc::new(other.into_rgba8().into_raw())),
    }
}

fn canonical_rgb8(samples: Vec<u8>) -> Pixels {
    match gray_of(&samples) {
        Some(gray) => Pixels::Gray8(Arc::new(gray)),
        None => Pixels::Rgb8(Arc::new(samples)),
    }
}

fn canonical_rgba8(samples: Vec<u8>) -> Pixels {
    if samples.chunks_exact(4).any(|pixel| pixel[3] != u8::MAX) {
        return Pixels::Rgba8(Arc::new(samples));
    }
    canonical_rgb8(samples.chunks_exact(4).flat_map(|pixel| [pixel[0], pixel[1], pixel[2]]).collect())
}

/// Leaves luma or RGB if every pixel is opaque, RGBA otherwise.
fn drop_alpha(image: DynamicImage) -> DynamicImage {
    match image {
        DynamicImage::ImageLumaA8(la) if la.pixels().all(|pixel| pixel.0[1] == u8::MAX) => {
            DynamicImage::ImageLuma8(DynamicImage::ImageLumaA8(la).into_luma8())
        }
        DynamicImage::ImageLumaA16(la) if la.pixels().all(|pixel| pixel.0[1] == u16::MAX) => {
            DynamicImage::ImageLuma16(DynamicImage::ImageLumaA16(la).into_luma16())
        }
        DynamicImage::ImageRgba8(rgba) if rgba.pixels().all(|pixel| pixel.0[3] == u8::MAX) => {
            DynamicImage::ImageRgb8(DynamicImage::ImageRgba8(rgba).into_rgb8())
        }
        DynamicImage::ImageRgba16(rgba) if rgba.pixels().all(|pixel| pixel.0[3] == u16::MAX) => {
            DynamicImage::ImageRgb16(DynamicImage::ImageRgba16(rgba).into_rgb16())
        }
        DynamicImage::ImageLumaA8(_) => DynamicImage::ImageRgba8(image.into_rgba8()),
        DynamicImage::ImageLumaA16(_) => DynamicImage::ImageRgba16(image.into_rgba16()),
        other => other,
    }
}

/// Leaves 8 bits if both bytes of every 16-bit sample are equal, which is how 8 bits are widened to 16.
fn narrow(image: DynamicImage) -> DynamicImage {
    fn eight(samples: &[u16]) -> Option<Vec<u8>> {
        samples.iter().map(|&sample| (sample % 257 == 0).then_some((sample / 257) as u8)).collect()
    }
    let (width, height) = (image.width(), image.height());
    let narrowed = match &image {
        DynamicImage::ImageLuma16(raster) => {
            eight(raster).and_then(|raw| GrayImage::from_raw(width, height, raw)).map(DynamicImage::ImageLuma8)
        }
        DynamicImage::ImageRgb16(raster) => {
            eight(raster).and_then(|raw| RgbImage::from_raw(width, height, raw)).map(DynamicImage::ImageRgb8)
        }
        DynamicImage::ImageRgba16(raster) => {
            eight(raster).and_then(|raw| RgbaImage::from_raw(width, height, raw)).map(DynamicImage::ImageRgba8)
        }
        _ => None,
    };
    narrowed.unwrap_or(image)
}

/// One sample per pixel if the three of every pixel are equal.
fn gray_of<T: Copy + PartialEq>(rgb: &[T]) -> Option<Vec<T>> {
    let is_gray = rgb.chunks_exact(3).all(|pixel| pixel[0] == pixel[1] && pixel[1] == pixel[2]);
    is_gray.then(|| rgb.iter().step_by(3).copied().collect())
}

/// An RGB raster of 8-bit samples, for decoders that hand back bare bytes. `None` if the length does not fit.
pub(crate) fn rgb_raster(width: u32, height: u32, samples: Vec<u8>) -> Option<DynamicImage> {
    Raster::<Rgb<u8>, _>::from_raw(width, height, samples).map(DynamicImage::ImageRgb8)
}

/// The same for one grey sample per pixel.
pub(crate) fn gray_raster(width: u32, height: u32, samples: Vec<u8>) -> Option<DynamicImage> {
    GrayImage::from_raw(width, height, samples).map(DynamicImage::ImageLuma8)
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::{ImageBuffer as Any, LumaA, Rgba};

    /// The same picture in four sample layouts is one and the same buffer.
    #[test]
    fn layouts_that_say_the_same_become_equal() {
        let gray = ImageBuffer::new(DynamicImage::ImageLuma8(GrayImage::from_raw(2, 1, vec![0, 200]).unwrap()));
        let rgb = RgbImage::from_raw(2, 1, vec![0, 0, 0, 200, 200, 200]).unwrap();
        let rgba = DynamicImage::ImageRgb8(rgb.clone()).into_rgba8();
        let wide = DynamicImage::ImageRgb8(rgb.clone()).into_rgba16();
        assert_eq!(gray.pixels(), &Pixels::Gray8(Arc::new(vec![0, 200])));
        assert_eq!(ImageBuffer::new(DynamicImage::ImageRgb8(rgb)), gray);
        assert_eq!(ImageBuffer::new(DynamicImage::ImageRgba8(rgba)), gray);
        assert_eq!(ImageBuffer::new(DynamicImage::ImageRgba16(wide)), gray);
    }

    /// One translucent pixel keeps the alpha channel, one odd low byte keeps 16 bits.
    #[test]
    fn what_is_in_use_stays() {
        let la = Any::<LumaA<u8>, _>::from_raw(2, 1, vec![9, 255, 9, 254]).unwrap();
        let buffer = ImageBuffer::new(DynamicImage::ImageLumaA8(la));
        assert_eq!(buffer.pixels(), &Pixels::Rgba8(Arc::new(vec![9, 9, 9, 255, 9, 9, 9, 254])));
        let deep = Any::<Rgb<u16>, _>::from_raw(1, 1, vec![257, 514, 515]).unwrap();
        let buffer = ImageBuffer::new(DynamicImage::ImageRgb16(deep));
        assert_eq!(buffer.bit_depth(), 16);
        assert_eq!(buffer.to_eight_bit().pixels(), &Pixels::Rgb8(Arc::new(vec![1, 2, 2])));
    }

    /// Rounding is to the nearest 8-bit value: 0 and 65,535 stay the ends, half steps go up.
    #[test]
    fn sixteen_bits_round_to_nearest() {
        assert_eq!(round_samples(&[0, 128, 129, 385, 386, 65_406, 65_407, 65_535]), [0, 0, 1, 1, 2, 254, 255, 255]);
    }

    /// 65,407 is the least alpha that rounds to opaque; then colour counts by its 8 bits too.
    #[test]
    fn what_rounds_to_opaque_or_grey_is_so() {
        let eight = |samples: Vec<u16>| {
            let raster = Any::<Rgba<u16>, _>::from_raw(1, 1, samples).unwrap();
            ImageBuffer::new(DynamicImage::ImageRgba16(raster)).to_eight_bit().pixels().clone()
        };
        assert_eq!(eight(vec![0, 300, 65_535, 65_407]), Pixels::Rgb8(Arc::new(vec![0, 1, 255])));
        assert_eq!(eight(vec![1, 2, 3, 65_534]), Pixels::Gray8(Arc::new(vec![0])));
        assert_eq!(eight(vec![1, 2, 3, 65_406]), Pixels::Rgba8(Arc::new(vec![0, 0, 0, 254])));
        let raster = Any::<Rgb<u16>, _>::from_raw(1, 1, vec![257, 258, 259]).unwrap();
        let grey = ImageBuffer::new(DynamicImage::ImageRgb16(raster)).to_eight_bit();
        assert_eq!(grey.pixels(), &Pixels::Gray8(Arc::new(vec![1])));
    }

    #[test]
    fn flatten_blends_onto_the_background() {
        let rgba = Any::<Rgba<u8>, _>::from_raw(2, 1, vec![255, 0, 0, 128, 0, 0, 0, 0]).unwrap();
        let flat = ImageBuffer::new(DynamicImage::ImageRgba8(rgba)).flatten([255, 255, 255]);
        assert_eq!(flat.pixels(), &Pixels::Rgb8(Arc::new(vec![255, 127, 127, 255, 255, 255])));
    }
}
