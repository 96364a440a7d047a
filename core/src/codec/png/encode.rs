//! Encoding by oxipng.

use std::sync::Arc;

use oxipng::{BitDepth, ColorType, Deflater, FilterStrategy, Options, RawImage};
use rayon::prelude::*;

use super::XMP_KEYWORD;
use crate::cancel::Cancel;
use crate::codec::{Effort, Encoder, Target};
use crate::color::{Gamma, Profile};
use crate::content::looks_drawn;
use crate::error::{Error, Result};
use crate::image::{ImageBuffer, Pixels};

/// Peak of encoding with the seven filters of `best` at once: each trial holds a filtered copy and its output, about 7
/// bytes per RGBA pixel.
pub(in crate::codec) const BYTES_PER_PIXEL: u64 = 56;

/// Below this density after a quick trial the image is drawn rather than photographed, PNG may win the race, and a slow
/// deflate pays. A photo has 0.5 to 1 byte per pixel, ten times what a lossy rival needs: nobody gets the bytes that a slow
/// deflate saves, and it comes in one piece that no second thread can share. Two photos of 3 megapixels: level 7 takes
/// 0.3 to 0.5 s, level 9 three times as long for 2 to 3 % fewer bytes.
const DRAWN_BYTES_PER_PIXEL: f64 = 0.5;

/// Filters that are tried and the deflate levels: a quick trial of every filter, then one thorough run of the best.
struct Plan {
    filters: Vec<FilterStrategy>,
    /// libdeflate level for drawings and for photos.
    drawn: u8,
    photo: u8,
}

impl Plan {
    /// Filters as in oxipng's presets 1, 2 and 4, but only the one that photographs want in a hurry; levels measured on the
    /// corpus: 9 is the last before the near-optimal parsers, 11 gains up to 5 % on drawings, 12 rarely more than 0.3 %.
    /// `drawn`: whether the picture is, or has few colours.
    fn new(effort: Effort, drawn: impl Fn() -> bool) -> Self {
        use FilterStrategy as F;
        match effort {
            Effort::Instant | Effort::Fast if !drawn() => Self { filters: vec![F::Bigrams], drawn: 6, photo: 6 },
            Effort::Instant | Effort::Fast => Self { filters: vec![F::NONE, F::Bigrams], drawn: 9, photo: 6 },
            Effort::Balanced => Self { filters: vec![F::NONE, F::SUB, F::Entropy, F::Bigrams], drawn: 11, photo: 7 },
            Effort::Best => {
                let filters = vec![F::NONE, F::SUB, F::PAETH, F::MinSum, F::Entropy, F::Bigrams, F::BigEnt];
                Self { filters, drawn: 12, photo: 12 }
            }
        }
    }
}

/// libdeflate level of the quick trial: the lowest that ranks filters as the thorough levels do (oxipng uses 5 too).
const TRIAL_LEVEL: u8 = 5;

pub(in crate::codec) fn encode(encoder: &Encoder<'_>, image: &ImageBuffer, target: Target) -> Result<Vec<u8>> {
    let few_colors = matches!(target, Target::Palette(_) | Target::Dithered(_));
    let plan = Plan::new(encoder.effort, || few_colors || looks_drawn(image));
    let mut raw = raw_image(&encoder.as_profiled(image))?;
    add_metadata(&mut raw, encoder);
    if let Some(profile) = encoder.profile {
        add_profile(&mut raw, profile);
    }
    let compress = |filter, level| compress(&raw, filter, level, target, encoder.cancel);
    if let [only] = plan.filters.as_slice() {
        return compress(only, plan.photo);
    }
    let quick = |filter| compress(filter, TRIAL_LEVEL);
    let trials = plan.filters.par_iter().map(quick).collect::<Result<Vec<_>>>()?;
    // Ties go to the earlier filter: `min_by_key` keeps the first.
    let (filter, trial) = plan
        .filters
        .iter()
        .zip(&trials)
        .min_by_key(|(_, file)| file.len())
        .ok_or_else(|| Error::internal("no PNG filter was tried"))?;
    let density = trial.len() as f64 / image.pixel_count() as f64;
    let level = if few_colors || density < DRAWN_BYTES_PER_PIXEL { plan.drawn } else { plan.photo };
    let thorough = compress(filter, level)?;
    // A higher level is not smaller on every image.
    Ok(trials.into_iter().chain([thorough]).min_by_key(Vec::len).unwrap_or_default())
}

fn compress(raw: &RawImage, filter: &FilterStrategy, level: u8, target: Target, cancel: &Cancel) -> Result<Vec<u8>> {
    cancel.check()?;
    // Reductions that change no sample (palette, grey, bit depth) are on by default.
    let options = Options {
        optimize_alpha: target != Target::Lossless,
        filters: [filter.clone()].into_iter().collect(),
        deflater: Deflater::Libdeflater { compression: level },
        ..Options::default()
    };
    raw.create_optimized_png(&options).map_err(|error| Error::internal(error.to_string()))
}

fn raw_image(image: &ImageBuffer) -> Result<RawImage> {
    let (color, depth, samples) = match image.pixels() {
        Pixels::Gray8(samples) => (ColorType::Grayscale { transparent_shade: None }, BitDepth::Eight, bytes(samples)),
        Pixels::Rgb8(samples) => (ColorType::RGB { transparent_color: None }, BitDepth::Eight, bytes(samples)),
        Pixels::Rgba8(samples) => (ColorType::RGBA, BitDepth::Eight, bytes(samples)),
        Pixels::Gray16(samples) => {
            (ColorType::Grayscale { transparent_shade: None }, BitDepth::Sixteen, big_endian(samples))
        }
        Pixels::Rgb16(samples) => (ColorType::RGB { transparent_color: None }, BitDepth::Sixteen, big_endian(samples)),
        Pixels::Rgba16(samples) => (ColorType::RGBA, BitDepth::Sixteen, big_endian(samples)),
    };
    RawImage::new(image.width(), image.height(), color, depth, samples)
        .map_err(|error| Error::internal(error.to_string()))
}

/// oxipng owns its samples, so they are copied.
fn bytes(samples: &Arc<Vec<u8>>) -> Vec<u8> {
    samples.as_ref().clone()
}

fn big_endian(samples: &[u16]) -> Vec<u8> {
    samples.iter().flat_map(|sample| sample.to_be_bytes()).collect()
}

fn add_metadata(raw: &mut RawImage, encoder: &Encoder<'_>) {
    if let Some(exif) = &encoder.metadata.exif {
        raw.add_png_chunk(*b"eXIf", exif.clone());
    }
    if let Some(xmp) = &encoder.metadata.xmp {
        // iTXt: keyword, 0, not compressed, method 0, no language, no translated keyword (PNG specification 11.3.3.4).
        let mut chunk = [XMP_KEYWORD.as_bytes(), &[0; 5]].concat();
        chunk.extend_from_slice(xmp);
        raw.add_png_chunk(*b"iTXt", chunk);
    }
}

/// The chunks that [`super::profile_of`] reads.
fn add_profile(raw: &mut RawImage, profile: &Profile) {
    match profile {
        Profile::Icc(icc) => raw.add_icc_profile(icc),
        // Matrix 0 and the full range: RGB as it is (PNG specification, 11.3.2.6).
        Profile::Cicp { primaries, transfer } => raw.add_png_chunk(*b"cICP", vec![*primaries, *transfer, 0, 1]),
        Profile::Gamma(Gamma { exponent, chromaticities }) => {
            raw.add_png_chunk(*b"gAMA", exponent.to_be_bytes().to_vec());
            if let Some(chromaticities) = chromaticities {
                raw.add_png_chunk(*b"cHRM", chromaticities.iter().flat_map(|number| number.to_be_bytes()).collect());
            }
        }
    }
}
