//! JPEG: decoding by `zune-jpeg`, encoding by mozjpeg.

use image::DynamicImage;
use image::metadata::Orientation;
use mozjpeg::{ColorSpace as MozColor, Compress, Marker};
use zune_core::bytestream::ZCursor;
use zune_core::colorspace::ColorSpace as ZuneColor;
use zune_core::options::DecoderOptions;
use zune_jpeg::JpegDecoder;

use super::{ColorSpace, Effort, Encoder, Header, InputFormat, Metadata, Target};
use crate::error::{Error, Result};
use crate::image::{ImageBuffer, Pixels, gray_raster, rgb_raster};
use crate::limits::MAX_SIDE;

/// Peak of encoding: progressive mode keeps every DCT coefficient.
pub(super) const BYTES_PER_PIXEL: u64 = 10;

/// From this quality on chroma is not subsampled (4:4:4 instead of 4:2:0): who asks for it wants crisp colour edges.
const FULL_CHROMA_QUALITY: u8 = 90;

/// Rows between two looks at the cancel token: four rows of MCUs.
const ROWS_PER_CHECK: usize = 64;

pub(super) fn read_header(data: &[u8]) -> Result<Header> {
    reject_unsupported_process(data)?;
    let mut decoder = open(data, ZuneColor::RGB);
    decoder.decode_headers().map_err(corrupt)?;
    let info = decoder.info().ok_or_else(|| Error::corrupt(InputFormat::Jpeg, "it has no frame header"))?;
    let exif = decoder.exif().cloned().map(super::without_exif_signature);
    let orientation = exif.as_deref().and_then(Orientation::from_exif_chunk).unwrap_or(Orientation::NoTransforms);
    Ok(Header {
        format: InputFormat::Jpeg,
        width: u32::from(info.width),
        height: u32::from(info.height),
        has_alpha: false,
        bit_depth: 8,
        orientation,
        pages: 1,
        color_space: match info.components {
            1 => ColorSpace::Gray,
            4 => ColorSpace::Cmyk,
            _ => ColorSpace::Rgb,
        },
        profile: decoder.icc_profile(),
        metadata: Metadata { exif, xmp: decoder.xmp().cloned() },
    })
}

pub(super) fn decode(header: &Header, data: &[u8]) -> Result<DynamicImage> {
    let gray = header.color_space == ColorSpace::Gray;
    let mut decoder = open(data, if gray { ZuneColor::Luma } else { ZuneColor::RGB });
    let samples = decoder.decode().map_err(corrupt)?;
    let raster = if gray { gray_raster } else { rgb_raster };
    raster(header.width, header.height, samples)
        .ok_or_else(|| Error::corrupt(InputFormat::Jpeg, "it decodes to another size than its header says"))
}

/// Strict: a picture that breaks off is an error, not half grey.
fn open(data: &[u8], color: ZuneColor) -> JpegDecoder<ZCursor<&[u8]>> {
    let options = DecoderOptions::default()
        .set_strict_mode(true)
        .set_max_width(MAX_SIDE as usize)
        .set_max_height(MAX_SIDE as usize)
        .jpeg_set_out_colorspace(color);
    JpegDecoder::new_with_options(ZCursor::new(data), options)
}

fn corrupt(error: impl std::fmt::Debug) -> Error {
    Error::corrupt(InputFormat::Jpeg, format!("{error:?}").replace('"', ""))
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
    let mut position = 2;
    while position + 4 < data.len() {
        if data[position] != 0xFF {
            position += 1;
            continue;
        }
        let marker = data[position + 1];
        let length = usize::from(u16::from_be_bytes([data[position + 2], data[position + 3]]));
        match marker {
            // DHT, JPG and DAC lie in the middle of the frame markers.
            0xC4 | 0xC8 | 0xCC => position += 2 + length,
            0xC0..=0xCF => return Some((marker, data[position + 4])),
            // Fill bytes and markers without a length.
            0x00 | 0x01 | 0xD0..=0xD8 | 0xFF => position += 1,
            // Image data or the end before any frame header.
            0xD9 | 0xDA => return None,
            _ => position += 2 + length,
        }
    }
    None
}

pub(super) fn encode(encoder: &Encoder<'_>, image: &ImageBuffer, target: Target) -> Result<Vec<u8>> {
    let Target::Quality(quality) = target else {
        return Err(Error::internal("JPEG cannot keep every pixel"));
    };
    let (color, channels, samples) = match image.pixels() {
        Pixels::Gray8(samples) => (MozColor::JCS_GRAYSCALE, 1, samples),
        Pixels::Rgb8(samples) => (MozColor::JCS_RGB, 3, samples),
        _ => return Err(Error::internal("JPEG holds opaque pixels of 8 bits per sample")),
    };
    let mut compress = Compress::new(color);
    compress.set_size(image.width() as usize, image.height() as usize);
    match encoder.effort {
        // Resets quality and sampling, so it comes first.
        Effort::Fast => compress.set_fastest_defaults(),
        Effort::Balanced => {}
        Effort::Best => compress.set_use_scans_in_trellis(true),
    }
    compress.set_optimize_coding(true);
    compress.set_quality(f32::from(quality));
    let chroma = if quality >= FULL_CHROMA_QUALITY { (1, 1) } else { (2, 2) };
    if channels == 3 {
        compress.set_chroma_sampling_pixel_sizes(chroma, chroma);
    }
    let io = |error: std::io::Error| Error::internal(error.to_string());
    let mut started = compress.start_compress(Vec::new()).map_err(io)?;
    write_metadata(&mut started, encoder.metadata);
    for rows in samples.chunks(image.width() as usize * channels * ROWS_PER_CHECK) {
        encoder.cancel.check()?;
        started.write_scanlines(rows).map_err(io)?;
    }
    started.finish().map_err(io)
}

fn write_metadata<W: std::io::Write>(started: &mut mozjpeg::compress::CompressStarted<W>, metadata: &Metadata) {
    if let Some(exif) = &metadata.exif {
        started.write_marker(Marker::APP(1), &[b"Exif\0\0", exif.as_slice()].concat());
    }
    if let Some(xmp) = &metadata.xmp {
        started.write_marker(Marker::APP(1), &[b"http://ns.adobe.com/xap/1.0/\0", xmp.as_slice()].concat());
    }
}
