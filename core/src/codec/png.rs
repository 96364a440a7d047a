//! PNG: headers and colours. Decoding by the `png` crate, encoding by oxipng.

mod chunks;
mod decode;
mod encode;

use std::ops::RangeInclusive;

use image::metadata::Orientation;
use png::{ColorType, Info};

pub(super) use self::chunks::{Chunk, SIGNATURE_BYTES, chunk_at, closed, write_chunk};
pub(super) use self::decode::decode;
use self::decode::{open, smaller_frame};
pub(super) use self::encode::{BYTES_PER_PIXEL, encode};
use super::{ColorSpace, Header, InputFormat, Metadata, without_exif_signature};
use crate::color::{Conversion, Gamma, Profile};
use crate::error::Result;
use crate::limits::{MAX_PAGES, MAX_PNG_CHUNK_BYTES};

const XMP_KEYWORD: &str = "XML:com.adobe.xmp";

pub(super) fn read_header(data: &[u8]) -> Result<Header> {
    let file = closed(data);
    let reader = open(&file.data)?;
    let info = reader.info();
    let (width, height) = info.size();
    let frames = info.animation_control.map_or(1, |control| control.num_frames).clamp(1, MAX_PAGES);
    let exif = info.exif_metadata.as_deref();
    // Viewers do not look behind the signature that some writers take along from JPEG.
    let orientation = exif.and_then(Orientation::from_exif_chunk).unwrap_or(Orientation::NoTransforms);
    let has_alpha = matches!(info.color_type, ColorType::GrayscaleAlpha | ColorType::Rgba) || info.trns.is_some();
    let is_gray = matches!(info.color_type, ColorType::Grayscale | ColorType::GrayscaleAlpha);
    let color_space = if is_gray { ColorSpace::Gray } else { ColorSpace::Rgb };
    Ok(Header {
        format: InputFormat::Png,
        width,
        height,
        has_alpha: has_alpha || smaller_frame(info).is_some(),
        bit_depth: info.bit_depth as u8,
        orientation,
        pages: frames,
        color_space,
        profile: profile_of(info, color_space),
        metadata: Metadata { exif: exif.map(|exif| without_exif_signature(exif.to_vec())), xmp: xmp_of(info) },
        density_corrected: None,
        frame_pixels: u64::from(width) * u64::from(height),
        // Frames may be missing too.
        missing_end: file.missing_end && frames == 1,
    })
}

/// Exponents that are taken for sRGB's curve, as all browsers do: writers mean it by 45,455. Chromium's bounds, measured.
const NEUTRAL_EXPONENTS: RangeInclusive<u32> = 43_182..=47_727;

/// Code points that Chromium knows (ITU-T H.273, tables 2 and 3). Of others, unspecified and reserved ones among them, it
/// takes no notice, whatever the other one says.
const KNOWN_PRIMARIES: [u8; 11] = [1, 4, 5, 6, 7, 8, 9, 10, 11, 12, 22];
const KNOWN_TRANSFERS: [u8; 13] = [1, 4, 5, 6, 7, 8, 11, 13, 14, 15, 16, 17, 18];
const BT709: u8 = 1;
const XV_YCC: u8 = 11;

/// What the samples mean, by the first of these chunks that says something: "cICP", "iCCP", "sRGB", then "gAMA" and "cHRM"
/// (PNG specification, third edition, 4.3). A profile of another kind of samples ends the search; a damaged one stays only
/// where there is nothing after it, to be warned of.
fn profile_of(info: &Info<'_>, space: ColorSpace) -> Option<Profile> {
    let points = info.coding_independent_code_points.filter(|points| {
        points.is_video_full_range_image
            && KNOWN_PRIMARIES.contains(&points.color_primaries)
            && KNOWN_TRANSFERS.contains(&points.transfer_function)
    });
    if let Some(points) = points {
        // The two differ in light that no sample of a PNG is.
        let transfer = if points.transfer_function == XV_YCC { BT709 } else { points.transfer_function };
        return Profile::from_cicp(points.color_primaries, transfer);
    }
    let icc = info.icc_profile.as_ref().map(|icc| Profile::Icc(icc.to_vec()));
    match icc {
        Some(icc) if Conversion::is_damaged(&icc, space) => gamma_of(info).or(Some(icc)),
        Some(icc) => Some(icc),
        None => gamma_of(info),
    }
}

/// The curve and the primaries that "sRGB", "gAMA" and "cHRM" tell, if not sRGB's.
fn gamma_of(info: &Info<'_>) -> Option<Profile> {
    if info.srgb.is_some() {
        return None;
    }
    // Browsers ask for chromaticities only beside a gamma, and then for both, however near to sRGB they are.
    let exponent = info.gama_chunk.map(png::ScaledFloat::into_scaled).filter(|&exponent| exponent > 0)?;
    let chromaticities = info.chrm_chunk.map(|chrm| {
        [chrm.white, chrm.red, chrm.green, chrm.blue]
            .map(|(x, y)| [x.into_scaled(), y.into_scaled()])
            .as_flattened()
            .try_into()
    });
    let chromaticities = chromaticities.and_then(Result::ok);
    let neutral = chromaticities.is_none() && NEUTRAL_EXPONENTS.contains(&exponent);
    (!neutral).then_some(Profile::Gamma(Gamma { exponent, chromaticities }))
}

/// The XMP packet, compressed or not.
fn xmp_of(info: &Info<'_>) -> Option<Vec<u8>> {
    const MOST: usize = MAX_PNG_CHUNK_BYTES as usize;
    let text = info.utf8_text.iter().find(|chunk| chunk.keyword == XMP_KEYWORD).cloned();
    let packet = text.and_then(|mut chunk| {
        chunk.decompress_text_with_limit(MOST).ok()?;
        chunk.get_text().ok().map(String::into_bytes)
    });
    packet.or_else(|| {
        let mut chunk = info.compressed_latin1_text.iter().find(|chunk| chunk.keyword == XMP_KEYWORD)?.clone();
        chunk.decompress_text_with_limit(MOST).ok()?;
        // The chunk's Latin-1 is a costume: each character is one byte of the packet, which is UTF-8.
        chunk.get_text().ok().map(|text| text.chars().map(|byte| byte as u8).collect())
    })
}
