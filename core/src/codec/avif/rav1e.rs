//! The engine rav1e.
//!
//! It is driven directly and not through ravif: ravif derives the number of tiles from the number of threads, so its bytes
//! depend on the machine, or else builds thread pools of its own, outside every budget.

use rav1e::prelude::*;

use super::planes::{BIT_DEPTH, PlaneSet, Sampling};
use crate::cancel::Cancel;
use crate::codec::Effort;
use crate::error::{Error, Result};

/// Peak of encoding with alpha on four threads: planes of 16-bit samples for source, reconstruction and filtering.
pub(super) const BYTES_PER_PIXEL: u64 = 48;

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
        Effort::Instant | Effort::Fast => 10,
        Effort::Balanced => 8,
        Effort::Best => 4,
    }
}

/// Not measured.
pub(super) const BEST_TO_BALANCED: Option<(f64, f64)> = None;

/// The AV1 quantiser, 0 (best) to 255, by ravif's curve (ravif 0.13, `quality_to_quantizer`), so that a quality means
/// what users of cavif and ravif know.
pub(super) fn quantizer(quality: u8) -> u8 {
    let q = f32::from(quality) / 100.0;
    let x = if q >= 0.82 {
        (1.0 - q) * 2.6
    } else if q > 0.25 {
        q.mul_add(-0.5, 1.0 - 0.125)
    } else {
        1.0 - q
    };
    (x * 255.0).round() as u8
}

pub(super) fn encode_planes(set: &PlaneSet, quality: u8, effort: Effort, cancel: &Cancel) -> Result<Vec<u8>> {
    let failed = |error: &dyn std::fmt::Display| Error::internal(error.to_string());
    // Without a pool of its own rav1e runs in the current one, which the budget chose.
    let mut context: Context<u16> = Config::new()
        .with_encoder_config(config(set, quality, effort))
        .new_context()
        .map_err(|error| failed(&error))?;
    let mut frame = context.new_frame();
    fill(&mut frame, set);
    cancel.check()?;
    context.send_frame(frame).map_err(|error| failed(&error))?;
    context.flush();
    let mut bytes = Vec::new();
    loop {
        cancel.check()?;
        match context.receive_packet() {
            Ok(packet) => bytes.extend(packet.data),
            Err(EncoderStatus::Encoded) => {}
            Err(EncoderStatus::LimitReached) => return Ok(bytes),
            Err(error) => return Err(failed(&error)),
        }
    }
}

#[expect(clippy::default_trait_access, reason = "rav1e does not export the plane's offset type")]
fn fill(frame: &mut Frame<u16>, set: &PlaneSet) {
    let width = set.width as usize;
    let luma = std::iter::once((&set.luma, width));
    let chroma = set.chroma.iter().flat_map(|(sampling, planes)| {
        let wide = if *sampling == Sampling::Half { width.div_ceil(2) } else { width };
        planes.iter().map(move |plane| (plane, wide))
    });
    for ((samples, width), plane) in luma.chain(chroma).zip(&mut frame.planes) {
        // The plane itself is larger: rav1e rounds its sides up to blocks.
        let mut slice = plane.mut_slice(Default::default());
        for (y, row) in samples.chunks_exact(width).enumerate() {
            slice[y][..width].copy_from_slice(row);
        }
    }
}

fn config(set: &PlaneSet, quality: u8, effort: Effort) -> EncoderConfig {
    let mut speed_settings = SpeedSettings::from_preset(speed(effort));
    // A still picture has no other frame to look at.
    speed_settings.multiref = false;
    speed_settings.rdo_lookahead_frames = 1;
    speed_settings.scene_detection_mode = SceneDetectionSpeed::None;
    let (width, height) = (set.width as usize, set.height as usize);
    let quantizer = quantizer(quality);
    EncoderConfig {
        width,
        height,
        bit_depth: BIT_DEPTH.into(),
        chroma_sampling: match set.chroma {
            None => ChromaSampling::Cs400,
            Some((Sampling::Half, _)) => ChromaSampling::Cs420,
            Some((Sampling::Full, _)) => ChromaSampling::Cs444,
        },
        pixel_range: PixelRange::Full,
        color_description: set.chroma.is_some().then_some(ColorDescription {
            color_primaries: ColorPrimaries::BT709,
            transfer_characteristics: TransferCharacteristics::SRGB,
            matrix_coefficients: MatrixCoefficients::BT601,
        }),
        still_picture: true,
        quantizer: quantizer.into(),
        min_quantizer: quantizer,
        tiles: tiles(width * height),
        speed_settings,
        ..EncoderConfig::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quality_spans_the_quantizer() {
        assert_eq!([1, 25, 80, 100].map(quantizer), [252, 191, 121, 0]);
    }

    #[test]
    fn tiles_follow_from_the_size() {
        let sizes = [1, 768 * 512, 960 * 640, 1 << 20, 1 << 21, 4000 * 3000, 100_000_000];
        assert_eq!(sizes.map(tiles), [1, 1, 2, 4, 4, 22, 64]);
    }
}
