//! JPEG: decoding and encoding by mozjpeg.

use image::DynamicImage;
use image::metadata::Orientation;
use mozjpeg::{ColorSpace as MozColor, Compress, Marker};
use pixrace_jpeg_errors::strict_decoder;

use super::{CRISP_QUALITY, ColorSpace, Effort, Encoder, Header, InputFormat, Metadata, Target, exif};
use crate::color::{Conversion, Profile};
use crate::error::{Error, Result, catch};
use crate::image::{ImageBuffer, Pixels, gray_raster, rgb_raster};
use crate::limits::MAX_JPEG_SCANS;

/// Peak of encoding: progressive mode keeps every DCT coefficient.
pub(super) const BYTES_PER_PIXEL: u64 = 10;

const EXIF_AND_XMP: Marker = Marker::APP(1);
const ICC: Marker = Marker::APP(2);
pub(super) const EXIF_SIGNATURE: &[u8] = b"Exif\0\0";
const XMP_SIGNATURE: &[u8] = b"http://ns.adobe.com/xap/1.0/\0";
pub(super) const ICC_SIGNATURE: &[u8] = b"ICC_PROFILE\0";

/// Rows between two looks at the cancel token: four rows of MCUs.
const ROWS_PER_CHECK: usize = 64;

pub(super) fn read_header(data: &[u8]) -> Result<Header> {
    reject_unsupported_process(data)?;
    guard(|| {
        let decoder = strict_decoder().with_markers(&[EXIF_AND_XMP, ICC]).from_mem(data)?;
        let segments = |kind, signature: &'static [u8]| {
            let of_kind = decoder.markers().filter(move |segment| segment.marker == kind);
            of_kind.filter_map(move |segment| segment.data.strip_prefix(signature)).map(<[u8]>::to_vec)
        };
        let exif = segments(EXIF_AND_XMP, EXIF_SIGNATURE).next();
        let orientation = exif.as_deref().and_then(Orientation::from_exif_chunk);
        let size = (decoder.width() as u32, decoder.height() as u32);
        let density_corrected = exif.as_deref().and_then(|exif| exif::density_corrected(exif, size));
        Ok(Header {
            format: InputFormat::Jpeg,
            width: size.0,
            height: size.1,
            has_alpha: false,
            bit_depth: 8,
            orientation: orientation.unwrap_or(Orientation::NoTransforms),
            pages: 1,
            color_space: match decoder.color_space() {
                MozColor::JCS_GRAYSCALE => ColorSpace::Gray,
                MozColor::JCS_CMYK | MozColor::JCS_YCCK => ColorSpace::Cmyk,
                _ => ColorSpace::Rgb,
            },
            profile: join_profile(segments(ICC, ICC_SIGNATURE)).map(Profile::Icc),
            metadata: Metadata { exif, xmp: segments(EXIF_AND_XMP, XMP_SIGNATURE).next() },
            density_corrected,
            frame_pixels: u64::from(size.0) * u64::from(size.1),
            missing_end: false,
        })
    })
}

pub(super) fn decode(header: &Header, data: &[u8]) -> Result<DynamicImage> {
    if count_scans(data) > MAX_JPEG_SCANS {
        return Err(Error::corrupt(InputFormat::Jpeg, format!("it has more than {MAX_JPEG_SCANS} scans")));
    }
    let mut samples: Vec<u8> = guard(|| {
        let decoder = strict_decoder().from_mem(data)?;
        let mut started = match header.color_space {
            ColorSpace::Gray => decoder.grayscale()?,
            ColorSpace::Rgb => decoder.rgb()?,
            ColorSpace::Cmyk => decoder.to_colorspace(MozColor::JCS_CMYK)?,
        };
        let samples = started.read_scanlines()?;
        // Reads to the end of the file, so that missing data behind the last row is noticed too.
        started.finish()?;
        Ok(samples)
    })?;
    match header.color_space {
        ColorSpace::Gray => gray_raster(header.width, header.height, samples),
        ColorSpace::Rgb => rgb_raster(header.width, header.height, samples),
        ColorSpace::Cmyk => {
            rgb_raster(header.width, header.height, rgb_of_cmyk(&mut samples, header.profile.as_ref())?)
        }
    }
    .ok_or_else(|| Error::corrupt(InputFormat::Jpeg, "it decodes to another size than its header says"))
}

/// Inverted CMYK, which is what Adobe's programs write and browsers expect, as sRGB: by its profile, or without one by
/// multiplying what each ink lets through, as browsers do.
fn rgb_of_cmyk(samples: &mut [u8], profile: Option<&Profile>) -> Result<Vec<u8>> {
    let conversion = profile.and_then(|profile| Conversion::new(profile, ColorSpace::Cmyk).ok().flatten());
    if let Some(conversion) = conversion {
        for sample in samples.iter_mut() {
            *sample = u8::MAX - *sample;
        }
        return conversion.apply_to_inks(samples);
    }
    let product = |ink: u8, black: u8| ((u16::from(ink) * u16::from(black) + 127) / 255) as u8;
    Ok(samples.chunks_exact(4).flat_map(|ink| [0, 1, 2].map(|channel| product(ink[channel], ink[3]))).collect())
}

/// Runs libjpeg, which reports errors and damage by unwinding.
fn guard<T>(work: impl FnOnce() -> std::io::Result<T>) -> Result<T> {
    match catch(|| Ok(work())) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(Error::corrupt(InputFormat::Jpeg, error)),
        Err(Error::Internal { message }) => Err(Error::corrupt(InputFormat::Jpeg, message)),
        Err(other) => Err(other),
    }
}

/// Puts the segments of a profile together: their number, from 1, and their count precede the data (ICC.1:2022, B.4). `None`
/// unless they are just those, as browsers do; what comes when all are there is not looked at.
fn join_profile(segments: impl Iterator<Item = Vec<u8>>) -> Option<Vec<u8>> {
    let mut parts: Vec<Option<Vec<u8>>> = Vec::new();
    for mut segment in segments.filter(|segment| segment.len() > 2) {
        let data = segment.split_off(2);
        let (number, count) = (usize::from(segment[0]), usize::from(segment[1]));
        if parts.is_empty() {
            parts.resize(count, None);
        }
        let same_count = parts.len() == count;
        let free = parts.get_mut(number.checked_sub(1)?).filter(|part| part.is_none() && same_count)?;
        *free = Some(data);
        if parts.iter().all(Option::is_some) {
            return Some(parts.into_iter().flatten().flatten().collect());
        }
    }
    None
}

/// Browsers show baseline and progressive Huffman-coded JPEGs of 8 bits; so does the decoder. The others are sound files
/// of an unsupported kind, not corrupt ones. Markers as in ITU-T T.81, table B.1.
fn reject_unsupported_process(data: &[u8]) -> Result<()> {
    let Some((marker, precision)) = find_frame_header(data) else { return Ok(()) };
    let kind = match marker {
        0xC0..=0xC2 if precision == 8 => return Ok(()),
        0xC0..=0xC2 => format!("{precision}-bit JPEG"),
        0xC3 | 0xCB => "lossless JPEG".to_owned(),
        0xC9 | 0xCA => "arithmetic-coded JPEG".to_owned(),
        _ => "hierarchical JPEG".to_owned(),
    };
    Err(Error::UnsupportedInput { detected: kind })
}

/// Marker and sample precision of the first frame header.
fn find_frame_header(data: &[u8]) -> Option<(u8, u8)> {
    // DHT, JPG and DAC lie in the middle of the frame markers.
    let is_frame = |marker| matches!(marker, 0xC0..=0xCF) && !matches!(marker, 0xC4 | 0xC8 | 0xCC);
    let (marker, start) = segments(data).find(|(marker, _)| is_frame(*marker) || *marker == START_OF_SCAN)?;
    (marker != START_OF_SCAN).then_some((marker, *data.get(start)?))
}

fn count_scans(data: &[u8]) -> usize {
    segments(data).filter(|(marker, _)| *marker == START_OF_SCAN).count()
}

const START_OF_SCAN: u8 = 0xDA;

/// Every segment with a length, as its marker and where its content begins; image data in between is passed over.
pub(super) fn segments(data: &[u8]) -> impl Iterator<Item = (u8, usize)> {
    let mut position = 2;
    std::iter::from_fn(move || {
        while position + 3 < data.len() {
            let (marker, length) = (data[position + 1], [data[position + 2], data[position + 3]]);
            match (data[position], marker) {
                // The end.
                (0xFF, 0xD9) => return None,
                // Image data, fill bytes, stuffed bytes, and markers without a length.
                (0..=0xFE, _) | (0xFF, 0x00 | 0x01 | 0xD0..=0xD8 | 0xFF) => position += 1,
                (0xFF, _) => {
                    let content = position + 4;
                    position += 2 + usize::from(u16::from_be_bytes(length));
                    return Some((marker, content));
                }
            }
        }
        None
    })
}

/// What is in the segment whose content begins there, as far as the file goes.
pub(super) fn body(data: &[u8], content: usize) -> &[u8] {
    let length =
        data.get(content - 2..content).map_or(0, |bytes| usize::from(u16::from_be_bytes([bytes[0], bytes[1]])));
    let end = (content + length.saturating_sub(2)).min(data.len());
    data.get(content..end).unwrap_or_default()
}

pub(super) fn encode(encoder: &Encoder<'_>, image: &ImageBuffer, target: Target) -> Result<Vec<u8>> {
    let Target::Quality(quality) = target else {
        return Err(Error::internal("JPEG cannot keep every pixel"));
    };
    let image = &encoder.as_profiled(image);
    let (color, channels, samples) = match image.pixels() {
        Pixels::Gray8(samples) => (MozColor::JCS_GRAYSCALE, 1, samples),
        Pixels::Rgb8(samples) => (MozColor::JCS_RGB, 3, samples),
        _ => return Err(Error::internal("JPEG holds opaque pixels of 8 bits per sample")),
    };
    let mut compress = Compress::new(color);
    compress.set_size(image.width() as usize, image.height() as usize);
    match encoder.effort {
        // Resets quality and sampling, so it comes first.
        Effort::Instant | Effort::Fast => compress.set_fastest_defaults(),
        Effort::Balanced => {}
        Effort::Best => compress.set_use_scans_in_trellis(true),
    }
    compress.set_optimize_coding(true);
    compress.set_quality(f32::from(quality));
    let chroma = if quality >= CRISP_QUALITY { (1, 1) } else { (2, 2) };
    if channels == 3 {
        compress.set_chroma_sampling_pixel_sizes(chroma, chroma);
    }
    let io = |error: std::io::Error| Error::internal(error.to_string());
    let mut started = compress.start_compress(Vec::new()).map_err(io)?;
    write_metadata(&mut started, encoder.metadata);
    if let Some(profile) = encoder.profile {
        write_profile(&mut started, &profile.to_icc()?);
    }
    for rows in samples.chunks(image.width() as usize * channels * ROWS_PER_CHECK) {
        encoder.cancel.check()?;
        started.write_scanlines(rows).map_err(io)?;
    }
    started.finish().map_err(io)
}

/// In segments, each with its number and their count (ICC.1:2022, B.4). mozjpeg's own function counts from 0, not from 1.
fn write_profile<W: std::io::Write>(started: &mut mozjpeg::compress::CompressStarted<W>, icc: &[u8]) {
    /// What a segment holds beside its length, the signature and two numbers. 128 of them hold the largest profile.
    const MOST_BYTES: usize = 65_533 - ICC_SIGNATURE.len() - 2;
    let segments = icc.chunks(MOST_BYTES);
    let count = segments.len() as u8;
    for (number, segment) in (1..=count).zip(segments) {
        started.write_marker(ICC, &[ICC_SIGNATURE, &[number, count], segment].concat());
    }
}

fn write_metadata<W: std::io::Write>(started: &mut mozjpeg::compress::CompressStarted<W>, metadata: &Metadata) {
    if let Some(exif) = &metadata.exif {
        started.write_marker(EXIF_AND_XMP, &[EXIF_SIGNATURE, exif.as_slice()].concat());
    }
    if let Some(xmp) = &metadata.xmp {
        started.write_marker(EXIF_AND_XMP, &[XMP_SIGNATURE, xmp.as_slice()].concat());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn joined(segments: &[&[u8]]) -> Option<Vec<u8>> {
        join_profile(segments.iter().map(|segment| segment.to_vec()))
    }

    /// As Chromium 156 was found to read them: a segment without its numbers or data is none, and whatever comes when all are
    /// there is not looked at.
    #[test]
    fn segments_of_a_profile_are_one_to_their_count() {
        let whole = Some(b"abc".to_vec());
        assert_eq!(joined(&[b"\x01\x01abc"]), whole);
        assert_eq!(joined(&[b"\x02\x02c", b"\x01\x02ab"]), whole);
        assert_eq!(joined(&[b"", b"\x01", b"\x01\x01", b"\x01\x01abc", b"\x00\x01x", b"\x01\x01x"]), whole);
        assert_eq!(joined(&[b"\x01\x03a", b"\x02\x03b", b"\x03\x03c"]), whole);
    }

    #[test]
    fn other_numbers_are_no_profile() {
        let wrong: [&[&[u8]]; 9] = [
            &[],
            &[b"\x00\x01abc"],
            &[b"\x00\x01abc", b"\x01\x01abc"],
            &[b"\x01\x00abc"],
            &[b"\x02\x01abc"],
            &[b"\x01\x02abc"],
            &[b"\x01\x02ab", b"\x01\x02c", b"\x02\x02c"],
            &[b"\x01\x02ab", b"\x02\x03c"],
            &[b"\x01\x03ab", b"\x02\x03", b"\x03\x03c"],
        ];
        for segments in wrong {
            assert_eq!(joined(segments), None, "{segments:?}");
        }
    }
}
