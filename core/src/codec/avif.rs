//! AVIF: encoding by rav1e, wrapped into a file by avif-serialize.
//!
//! rav1e is driven directly and not through ravif: ravif derives the number of tiles from the number of threads, so its
//! bytes depend on the machine, or else builds thread pools of its own, outside every budget.

use avif_serialize::Aviffy;
use avif_serialize::constants::MatrixCoefficients as FileMatrix;
use rav1e::prelude::*;

use super::{Effort, Encoder, Target};
use crate::error::{Error, Result};
use crate::image::{ImageBuffer, Pixels};

/// Peak of encoding with alpha on four threads: planes of 16-bit samples for source, reconstruction and filtering.
pub(super) const BYTES_PER_PIXEL: u64 = 48;

/// Ten bits per sample: finer steps than eight at every rate, for the same bytes.
const BIT_DEPTH: usize = 10;
const MAX_SAMPLE: f32 = ((1 << BIT_DEPTH) - 1) as f32;

/// Tiles are what encodes in parallel. Their number follows from the dimensions alone, so that no byte depends on the
/// number of threads: two from half a megapixel, four from one, then one per half a megapixel (rav1e rounds up to a
/// grid). They cost about 1 % of bytes (measured on the corpus: 0.0 to 0.7 % for two, 0.4 to 1.0 % for eight at 3
/// megapixels) and let one image use as many cores. More than [`MAX_TILES`] no machine has cores for.
fn tiles(pixels: usize) -> usize {
    (pixels >> 18).min(4).max(pixels >> 19).clamp(1, MAX_TILES)
}

const MAX_TILES: usize = 64;

/// rav1e's speed, 0 (slowest) to 10. Measured on the corpus at equal score: 10 needs 2 to 15 % more bytes than 8 and 0.6
/// of its time; 6 to 8 are level in bytes while 6 takes twice the time; 4 is where bytes fall again.
fn speed(effort: Effort) -> u8 {
    match effort {
        Effort::Fast => 10,
        Effort::Balanced => 8,
        Effort::Best => 4,
    }
}

/// The AV1 quantiser, 0 (best) to 255, by ravif's curve (ravif 0.13, `quality_to_quantizer`), so that a quality means
/// what users of cavif and ravif know.
fn quantizer(quality: f32) -> usize {
    let q = quality / 100.0;
    let x = if q >= 0.82 {
        (1.0 - q) * 2.6
    } else if q > 0.25 {
        q.mul_add(-0.5, 1.0 - 0.125)
    } else {
        1.0 - q
    };
    (x * 255.0).round() as usize
}

/// Alpha edges show more than colour errors, and cost little: ravif's curve again.
fn alpha_quality(quality: f32) -> f32 {
    f32::midpoint(quality, 100.0).min(quality + quality / 4.0 + 2.0)
}

pub(super) fn encode(encoder: &Encoder<'_>, image: &ImageBuffer, target: Target) -> Result<Vec<u8>> {
    let Target::Quality(quality) = target else {
        return Err(Error::internal("this AVIF encoder cannot keep every pixel"));
    };
    let quality = f32::from(quality);
    let (width, height) = (image.width() as usize, image.height() as usize);
    let plane_set = |sampling, quality| PlaneSet { encoder, width, height, sampling, quantizer: quantizer(quality) };
    let (color, alpha) = match image.pixels() {
        Pixels::Gray8(samples) => {
            let luma = samples.iter().map(|&sample| [ten_bits(sample), 0, 0]);
            (plane_set(ChromaSampling::Cs400, quality).encode(luma), None)
        }
        Pixels::Rgb8(samples) => {
            let ycc = samples.chunks_exact(3).map(ycbcr);
            (plane_set(ChromaSampling::Cs444, quality).encode(ycc), None)
        }
        Pixels::Rgba8(samples) => {
            let ycc = visible_colors(samples).map(|rgb| ycbcr(&rgb));
            let alpha = samples.iter().skip(3).step_by(4).map(|&sample| [ten_bits(sample), 0, 0]);
            let (color, alpha) = rayon::join(
                || plane_set(ChromaSampling::Cs444, quality).encode(ycc),
                || plane_set(ChromaSampling::Cs400, alpha_quality(quality)).encode(alpha),
            );
            (color, Some(alpha?))
        }
        _ => return Err(Error::internal("AVIF is made from 8 bits per sample")),
    };
    let color = color?;
    let mut file = Aviffy::new();
    file.set_matrix_coefficients(FileMatrix::Bt601);
    file.set_monochrome(matches!(image.pixels(), Pixels::Gray8(_)));
    if let Some(exif) = &encoder.metadata.exif {
        file.set_exif(exif.clone());
    }
    Ok(file.to_vec(&color, alpha.as_deref(), image.width(), image.height(), BIT_DEPTH as u8))
}

/// One AV1 picture: colour, grey or alpha.
struct PlaneSet<'a> {
    encoder: &'a Encoder<'a>,
    width: usize,
    height: usize,
    sampling: ChromaSampling,
    quantizer: usize,
}

impl PlaneSet<'_> {
    /// `pixels` in rows from the top; one of grey or alpha has its sample first.
    fn encode(&self, pixels: impl Iterator<Item = [u16; 3]>) -> Result<Vec<u8>> {
        let failed = |error: &dyn std::fmt::Display| Error::internal(error.to_string());
        // Without a pool of its own rav1e runs in the current one, which the budget chose.
        let mut context: Context<u16> =
            Config::new().with_encoder_config(self.config()).new_context().map_err(|error| failed(&error))?;
        let mut frame = context.new_frame();
        self.fill(&mut frame, pixels);
        self.encoder.cancel.check()?;
        context.send_frame(frame).map_err(|error| failed(&error))?;
        context.flush();
        let mut bytes = Vec::new();
        loop {
            self.encoder.cancel.check()?;
            match context.receive_packet() {
                Ok(packet) => bytes.extend(packet.data),
                Err(EncoderStatus::Encoded) => {}
                Err(EncoderStatus::LimitReached) => return Ok(bytes),
                Err(error) => return Err(failed(&error)),
            }
        }
    }

    #[expect(clippy::default_trait_access, reason = "rav1e does not export the plane's offset type")]
    fn fill(&self, frame: &mut Frame<u16>, mut pixels: impl Iterator<Item = [u16; 3]>) {
        let planes = if self.sampling == ChromaSampling::Cs400 { 1 } else { 3 };
        let mut slices: Vec<_> =
            frame.planes.iter_mut().take(planes).map(|p| p.mut_slice(Default::default())).collect();
        for y in 0..self.height {
            let mut rows: Vec<_> = slices.iter_mut().map(|slice| slice[y].iter_mut()).collect();
            for pixel in pixels.by_ref().take(self.width) {
                for (row, sample) in rows.iter_mut().zip(pixel) {
                    if let Some(place) = row.next() {
                        *place = sample;
                    }
                }
            }
        }
    }

    fn config(&self) -> EncoderConfig {
        let mut speed_settings = SpeedSettings::from_preset(speed(self.encoder.effort));
        // A still picture has no other frame to look at.
        speed_settings.multiref = false;
        speed_settings.rdo_lookahead_frames = 1;
        speed_settings.scene_detection_mode = SceneDetectionSpeed::None;
        EncoderConfig {
            width: self.width,
            height: self.height,
            bit_depth: BIT_DEPTH,
            chroma_sampling: self.sampling,
            pixel_range: PixelRange::Full,
            color_description: (self.sampling != ChromaSampling::Cs400).then_some(ColorDescription {
                color_primaries: ColorPrimaries::BT709,
                transfer_characteristics: TransferCharacteristics::SRGB,
                matrix_coefficients: MatrixCoefficients::BT601,
            }),
            still_picture: true,
            quantizer: self.quantizer,
            min_quantizer: self.quantizer as u8,
            tiles: tiles(self.width * self.height),
            speed_settings,
            ..EncoderConfig::default()
        }
    }
}

/// 8 to 10 bits by repeating the high bits, so that 255 becomes 1023.
fn ten_bits(sample: u8) -> u16 {
    (u16::from(sample) << 2) | (u16::from(sample) >> 6)
}

/// Full-range YCbCr with the BT.601 luma weights (ITU-R BT.601-7, 2.5.1), the matrix of sRGB JPEGs.
fn ycbcr(rgb: &[u8]) -> [u16; 3] {
    const WEIGHTS: [f32; 3] = [0.299, 0.587, 0.114];
    const CENTRE: f32 = (1 << (BIT_DEPTH - 1)) as f32;
    let [r, g, b] = [0, 1, 2].map(|channel| f32::from(rgb[channel]) * (MAX_SAMPLE / 255.0));
    let y = WEIGHTS[0] * r + WEIGHTS[1] * g + WEIGHTS[2] * b;
    let cb = (b - y) / (2.0 * (1.0 - WEIGHTS[2])) + CENTRE;
    let cr = (r - y) / (2.0 * (1.0 - WEIGHTS[0])) + CENTRE;
    [y, cb, cr].map(|sample| sample.round().clamp(0.0, MAX_SAMPLE) as u16)
}

/// The colours of an RGBA image, where transparent pixels repeat the last visible one: nobody sees them, and noise under
/// them would cost bytes.
fn visible_colors(rgba: &[u8]) -> impl Iterator<Item = [u8; 3]> + Send {
    let mut last = [0; 3];
    rgba.chunks_exact(4).map(move |pixel| {
        if pixel[3] > 0 {
            last = [pixel[0], pixel[1], pixel[2]];
        }
        last
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quality_spans_the_quantizer() {
        assert_eq!([1, 25, 80, 100].map(|quality| quantizer(quality as f32)), [252, 191, 121, 0]);
    }

    #[test]
    fn tiles_follow_from_the_size() {
        let sizes = [1, 768 * 512, 960 * 640, 1 << 20, 1 << 21, 4000 * 3000, 100_000_000];
        assert_eq!(sizes.map(tiles), [1, 1, 2, 4, 4, 22, 64]);
    }

    #[test]
    fn ends_and_greys_are_exact() {
        assert_eq!(ycbcr(&[0, 0, 0]), [0, 512, 512]);
        assert_eq!(ycbcr(&[255, 255, 255]), [1023, 512, 512]);
        assert_eq!(ycbcr(&[0, 0, 255])[1], 1023);
        assert_eq!([0, 128, 255].map(ten_bits), [0, 514, 1023]);
    }

    #[test]
    fn transparent_pixels_repeat_their_neighbour() {
        let rgba = [9, 9, 9, 0, 1, 2, 3, 4, 7, 7, 7, 0];
        assert_eq!(visible_colors(&rgba).collect::<Vec<_>>(), [[0; 3], [1, 2, 3], [1, 2, 3]]);
    }
}
