//! The engine libaom.

use pixrace_aom::{MAX_QUANTIZER, Picture, Planes, Settings, Subsampling};

use super::planes::{PlaneSet, Sampling};
use crate::cancel::Cancel;
use crate::codec::Effort;
use crate::content::Content;
use crate::error::{Error, Result};

/// With alpha, a little above what `core/examples/memory.rs` shows: 39 on one thread, 52 on two, 49 on four.
pub(super) const BYTES_PER_PIXEL: u64 = 56;

/// libaom's speed, 0 (slowest) to 9. Measured on photos at a score of 70, against 6: 5 takes 9 % fewer bytes and 4.6 times
/// as long (half of that with [`FEWER_SHAPES`]), 8 takes 11 % more and 0.4 of the time, 9 takes 29 % more. Gradients win
/// most from 5, 30 %, and cost little.
fn speed(effort: Effort, content: Content) -> u8 {
    match effort {
        Effort::Instant if content == Content::Photo => 9,
        Effort::Instant | Effort::Fast => 8,
        Effort::Balanced if content == Content::Gradients => 5,
        Effort::Balanced => 6,
        Effort::Best => 5,
    }
}

/// What a file of effort 'best' has beyond one of 'balanced' at the same quality: points of SSIMULACRA2 and factor of its
/// bytes. Measured at qualities 50 and 60, near a score of 70: 1.1 ± 0.6 points on nine photos, 1.9 on five Kodak pictures,
/// and 0.97 of the bytes (± 4 %) on all of them.
pub(super) const BEST_TO_BALANCED: Option<(f64, f64)> = Some((1.2, 0.97));

/// What makes files smaller at equal SSIMULACRA2 score, by aomenc's names. Found by a sweep whose tables are in
/// `benchmark/avif.md`.
const OPTIONS: [(&str, &str); 7] = [
    ("tune", "ssim"),
    ("enable-qm", "1"),
    ("qm-min", "6"),
    ("qm-max", "11"),
    ("deltaq-mode", "0"),
    ("enable-chroma-deltaq", "1"),
    ("dist-metric", "qm-psnr"),
];

/// What speed 5 tries beyond 6 and hardly ever needs: together 1.3 % of the bytes.
const FEWER_SHAPES: [(&str, &str); 2] = [("reduced-tx-type-set", "1"), ("enable-1to4-partitions", "0")];

/// Tools for screen content, which smooth photographs trick libaom into trying: on one of the benchmark's photos encoding
/// then took seven times as long, for 11 % more bytes.
const NO_SCREEN_TOOLS: [(&str, &str); 2] = [("enable-palette", "0"), ("enable-intrabc", "0")];

/// libaom's quantizer, [`BEST_QUANTIZER`] to 63, of a quality from 1 to 100. Linear like libavif's (libavif 1.0,
/// `avifQualityToQuantizer`), but between these ends, so that every quantizer has a quality.
pub(super) fn quantizer(quality: u8) -> u8 {
    const STEPS: u16 = 99;
    let coarseness = u16::from(100_u8.saturating_sub(quality)).min(STEPS);
    let range = u16::from(MAX_QUANTIZER - BEST_QUANTIZER);
    BEST_QUANTIZER + ((coarseness * range + STEPS / 2) / STEPS) as u8
}

/// 0 is AV1's lossless mode, which together with the settings above shows another picture.
const BEST_QUANTIZER: u8 = 1;

/// Columns and rows of tiles, as powers of two. Tiles are what encodes in parallel; they cost up to 1 % of the bytes.
/// Their number follows from the dimensions alone, so that no byte depends on the number of threads: two from half a
/// megapixel, four from one, then one per megapixel, rounded down to a power of two. The longer side is divided first.
fn tiles_log2(width: u32, height: u32) -> (u8, u8) {
    let pixels = u64::from(width) * u64::from(height);
    let tiles = (pixels >> 18).min(4).max(pixels >> 20).clamp(1, MAX_TILES);
    let (mut columns, mut rows) = (0, 0);
    for _ in 0..tiles.ilog2() {
        if width >> columns >= height >> rows {
            columns += 1;
        } else {
            rows += 1;
        }
    }
    (columns, rows)
}

/// Of drawings, whose files are so small that tiles cost 7 %.
const ONE_TILE: (u8, u8) = (0, 0);

/// More no machine has cores for.
const MAX_TILES: u64 = 64;

pub(super) fn encode_planes(set: &PlaneSet, quality: u8, effort: Effort, cancel: &Cancel) -> Result<Vec<u8>> {
    cancel.check()?;
    let (subsampling, [cb, cr]) = match &set.chroma {
        None => (Subsampling::Monochrome, [&[][..]; 2]),
        Some((Sampling::Half, chroma)) => (Subsampling::Half, chroma.each_ref().map(Vec::as_slice)),
        Some((Sampling::Full, chroma)) => (Subsampling::None, chroma.each_ref().map(Vec::as_slice)),
    };
    let planes = Planes::TenBit([&set.luma, cb, cr]);
    let picture = Picture { width: set.width, height: set.height, subsampling, planes };
    let speed = speed(effort, set.content);
    let screen: &[_] = if set.content == Content::Areas { &[] } else { &NO_SCREEN_TOOLS };
    let shapes: &[_] = if speed == 5 { &FEWER_SHAPES } else { &[] };
    let settings = Settings {
        speed,
        quantizer: quantizer(quality),
        lossless: false,
        tiles_log2: if set.content == Content::Photo { tiles_log2(set.width, set.height) } else { ONE_TILE },
        options: &[&OPTIONS, screen, shapes].concat(),
    };
    let file = pixrace_aom::encode(&picture, &settings).map_err(|error| Error::internal(error.to_string()))?;
    cancel.check()?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_quantizer_has_a_quality() {
        let mut quantizers: Vec<_> = (1..=100).rev().map(quantizer).collect();
        assert!(quantizers.is_sorted());
        quantizers.dedup();
        assert_eq!(quantizers, (BEST_QUANTIZER..=MAX_QUANTIZER).collect::<Vec<_>>());
    }

    #[test]
    fn tiles_follow_from_the_size() {
        let sizes = [(1, 1), (768, 512), (960, 640), (640, 960), (2048, 1365), (4000, 3000), (10_000, 10_000)];
        let tiles = sizes.map(|(width, height)| tiles_log2(width, height));
        assert_eq!(tiles, [(0, 0), (0, 0), (1, 0), (0, 1), (1, 1), (2, 1), (3, 3)]);
    }
}
