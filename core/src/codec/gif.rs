//! GIF: decoding by the `gif` crate through `image`. The first frame, drawn on the logical screen.

use std::io::Cursor;

use image::codecs::gif::GifDecoder;
use image::{DynamicImage, ImageDecoder};

use super::{ColorSpace, Header, InputFormat, header_of, image_error};
use crate::error::{Error, Result};
use crate::limits::MAX_PAGES;

pub(super) fn read_header(data: &[u8]) -> Result<Header> {
    let mut decoder = open(data)?;
    Ok(Header {
        pages: count_pages(data),
        // The decoder hands out RGBA; a GIF itself holds palettes of 8-bit colours.
        bit_depth: 8,
        color_space: ColorSpace::Rgb,
        ..header_of(InputFormat::Gif, &mut decoder)?
    })
}

pub(super) fn decode(data: &[u8]) -> Result<DynamicImage> {
    let decoder = open(data)?;
    if decoder.total_bytes() == 0 {
        return Err(Error::corrupt(InputFormat::Gif, "the logical screen is empty"));
    }
    DynamicImage::from_decoder(decoder).map_err(|error| image_error(InputFormat::Gif, error))
}

fn open(data: &[u8]) -> Result<GifDecoder<Cursor<&[u8]>>> {
    GifDecoder::new(Cursor::new(data)).map_err(|error| image_error(InputFormat::Gif, error))
}

/// Walks the block structure without unpacking a frame. A file that breaks off counts the frames before the break: the
/// decoder says what is wrong with them.
fn count_pages(data: &[u8]) -> u32 {
    let mut options = gif::DecodeOptions::new();
    options.skip_frame_decoding(true);
    let Ok(mut decoder) = options.read_info(Cursor::new(data)) else { return 1 };
    let mut pages = 0;
    while pages < MAX_PAGES && matches!(decoder.next_frame_info(), Ok(Some(_))) {
        pages += 1;
    }
    pages.max(1)
}
