//! GIF: decoding by the `gif` crate, of the first frame through `image`. Frames are drawn on the logical screen.

use std::io::Cursor;

use gif::{ColorOutput, DecodeOptions, Decoder, DisposalMethod};
use image::codecs::gif::GifDecoder;
use image::{DynamicImage, ImageDecoder, Rgba, RgbaImage};

use super::animated::until_error;
use super::strip::after_blocks;
use super::{Canvas, Canvases, ColorSpace, Header, InputFormat, header_of, image_error};
use crate::error::{Error, Result};
use crate::limits::{DEFAULT_MAX_PIXELS, MAX_ANIMATION_PIXELS, MAX_PAGES};

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

/// Decodes the first frame.
pub(super) fn decode(header: &Header, data: &[u8]) -> Result<DynamicImage> {
    let decoder = open(data)?;
    if decoder.total_bytes() == 0 {
        return Err(empty_screen());
    }
    let image = DynamicImage::from_decoder(decoder).map_err(|error| image_error(InputFormat::Gif, error))?;
    if header.pages == 1 && breaks_off(data) {
        return Err(Error::corrupt(InputFormat::Gif, "it breaks off behind its first frame"));
    }
    Ok(image)
}

fn open(data: &[u8]) -> Result<GifDecoder<Cursor<&[u8]>>> {
    GifDecoder::new(Cursor::new(data)).map_err(|error| image_error(InputFormat::Gif, error))
}

fn empty_screen() -> Error {
    Error::corrupt(InputFormat::Gif, "the logical screen is empty")
}

/// Walks the block structure without unpacking a frame. A file that breaks off counts the frames before the break: the
/// decoder says what is wrong with them.
fn count_pages(data: &[u8]) -> u32 {
    let mut options = DecodeOptions::new();
    options.skip_frame_decoding(true);
    let Ok(mut decoder) = options.read_info(Cursor::new(data)) else { return 1 };
    let mut pages = 0;
    while pages < MAX_PAGES && matches!(decoder.next_frame_info(), Ok(Some(_))) {
        pages += 1;
    }
    pages.max(1)
}

/// A block of a GIF, as far as it matters here (GIF89a; Netscape's extension).
enum Block {
    Image,
    /// How often to repeat the animation, 0 for ever.
    Repeat(u16),
    Other,
    Trailer,
    /// It does not end within the file, or is none.
    Broken {
        unfinished: bool,
    },
}

/// Every block up to the trailer or to where the file breaks off.
fn blocks(data: &[u8]) -> impl Iterator<Item = Block> {
    const LOOPING: [&[u8; 11]; 2] = [b"NETSCAPE2.0", b"ANIMEXTS1.0"];
    let colors = |flags: u8| if flags & 0x80 == 0 { 0 } else { 3 << (1 + usize::from(flags & 7)) };
    let mut start = 13 + data.get(10).map_or(0, |&flags| colors(flags));
    std::iter::from_fn(move || {
        let kind = *data.get(start)?;
        let end = match kind {
            0x21 => after_blocks(data, start + 2),
            0x2C => data.get(start + 9).and_then(|&flags| after_blocks(data, start + 11 + colors(flags))),
            _ => Some(data.len()),
        };
        let body = &data[start..end.unwrap_or(data.len())];
        start = end.unwrap_or(data.len());
        Some(match (kind, body) {
            (0x21 | 0x2C, _) if end.is_none() => Block::Broken { unfinished: true },
            (0x2C, _) => Block::Image,
            // Label, a block with the name, and one with a 1 and the number.
            (0x21, [_, 0xFF, 11, rest @ ..]) => match rest.split_first_chunk::<11>() {
                Some((name, [3, 1, low, high, ..])) if LOOPING.contains(&name) => {
                    Block::Repeat(u16::from_le_bytes([*low, *high]))
                }
                _ => Block::Other,
            },
            (0x21, _) => Block::Other,
            (0x3B, _) => Block::Trailer,
            _ => Block::Broken { unfinished: false },
        })
    })
}

/// Whether a file of one frame is the rest of a longer one: it ends within a block, or without a trailer although it
/// announces that it repeats. Some writers forget the trailer of a still picture.
fn breaks_off(data: &[u8]) -> bool {
    let mut repeats = false;
    for block in blocks(data) {
        match block {
            Block::Trailer => return false,
            Block::Broken { unfinished } => return unfinished || repeats,
            Block::Repeat(_) => repeats = true,
            Block::Image | Block::Other => {}
        }
    }
    repeats
}

/// How often the animation plays, 0 for ever. A GIF says how often it repeats, which browsers do after having shown it
/// once, and libwebp's gif2webp and libvips read so too; without a word it plays once.
pub(super) fn plays(data: &[u8]) -> u16 {
    let repeats = blocks(data).find_map(|block| if let Block::Repeat(times) = block { Some(times) } else { None });
    match repeats {
        Some(0) => 0,
        Some(times) => times.saturating_add(1),
        None => 1,
    }
}

/// Every frame, as browsers compose them: what is disposed becomes transparent, whatever the background colour; what lies
/// outside the screen is not seen.
pub(super) fn canvases(data: &[u8]) -> Result<Canvases<'_>> {
    let mut options = DecodeOptions::new();
    options.set_color_output(ColorOutput::RGBA);
    let decoder = options.read_info(Cursor::new(data)).map_err(corrupt)?;
    let (width, height) = (u32::from(decoder.width()), u32::from(decoder.height()));
    if width == 0 || height == 0 {
        return Err(empty_screen());
    }
    let mut screen = Screen { decoder, canvas: RgbaImage::new(width, height), disposal: Disposal::Keep, pixels: 0 };
    Ok(until_error(move || screen.next_frame()))
}

fn corrupt(error: gif::DecodingError) -> Error {
    Error::corrupt(InputFormat::Gif, error)
}

/// Left, top, width and height.
type Area = (u32, u32, u32, u32);

/// What happens to a frame before the next one is drawn.
enum Disposal {
    Keep,
    Clear(Area),
    Restore(RgbaImage),
}

struct Screen<'a> {
    decoder: Decoder<Cursor<&'a [u8]>>,
    canvas: RgbaImage,
    disposal: Disposal,
    /// Of all frames so far.
    pixels: u64,
}

impl Screen<'_> {
    fn next_frame(&mut self) -> Result<Option<Canvas>> {
        match std::mem::replace(&mut self.disposal, Disposal::Keep) {
            Disposal::Keep => {}
            Disposal::Clear(area) => clear(&mut self.canvas, area),
            Disposal::Restore(before) => self.canvas = before,
        }
        let Some(frame) = self.decoder.next_frame_info().map_err(corrupt)? else { return Ok(None) };
        let (width, height) = (u32::from(frame.width), u32::from(frame.height));
        let area = (u32::from(frame.left), u32::from(frame.top), width, height);
        self.disposal = match frame.dispose {
            DisposalMethod::Any | DisposalMethod::Keep => Disposal::Keep,
            DisposalMethod::Background => Disposal::Clear(area),
            DisposalMethod::Previous => Disposal::Restore(self.canvas.clone()),
        };
        // Hundredths of a second.
        let duration = u32::from(frame.delay) * 10;
        let interlaced = frame.interlaced;
        self.check_size(u64::from(width) * u64::from(height))?;
        self.draw(area, interlaced)?;
        Ok(Some(Canvas { image: self.canvas.clone(), duration }))
    }

    /// A frame may be far larger than the screen, and costs time for every pixel of it.
    fn check_size(&mut self, pixels: u64) -> Result<()> {
        self.pixels += pixels;
        let canvas = self.canvas.pixels().len() as u64;
        if pixels > canvas.max(DEFAULT_MAX_PIXELS) {
            return Err(Error::LimitExceeded { limit: "maxPixels", actual: pixels, bound: DEFAULT_MAX_PIXELS });
        }
        if self.pixels > MAX_ANIMATION_PIXELS {
            let (actual, bound) = (self.pixels, MAX_ANIMATION_PIXELS);
            return Err(Error::LimitExceeded { limit: "animationPixels", actual, bound });
        }
        Ok(())
    }

    /// Row by row, so that a frame takes no memory of its own.
    fn draw(&mut self, (left, top, width, height): Area, interlaced: bool) -> Result<()> {
        if width == 0 || height == 0 {
            return Ok(());
        }
        let mut row = vec![0; 4 * width as usize];
        for y in row_order(height, interlaced) {
            // The decoder leaves pixels alone whose colour is not in the palette.
            row.fill(0);
            if !self.decoder.fill_buffer(&mut row).map_err(corrupt)? {
                return Err(Error::corrupt(InputFormat::Gif, "a frame is truncated"));
            }
            if top + y >= self.canvas.height() {
                continue;
            }
            for (x, pixel) in (left..self.canvas.width()).zip(row.chunks_exact(4)) {
                if pixel[3] != 0 {
                    self.canvas.put_pixel(x, top + y, Rgba([pixel[0], pixel[1], pixel[2], pixel[3]]));
                }
            }
        }
        Ok(())
    }
}

/// An interlaced frame comes in four passes (GIF89a, appendix E).
fn row_order(height: u32, interlaced: bool) -> impl Iterator<Item = u32> {
    const PASSES: [(u32, usize); 4] = [(0, 8), (4, 8), (2, 4), (1, 2)];
    let passes: &[(u32, usize)] = if interlaced { &PASSES } else { &[(0, 1)] };
    passes.iter().flat_map(move |&(start, step)| (start..height).step_by(step))
}

fn clear(canvas: &mut RgbaImage, (left, top, width, height): Area) {
    for y in top..(top + height).min(canvas.height()) {
        for x in left..(left + width).min(canvas.width()) {
            canvas.put_pixel(x, y, Rgba([0; 4]));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A screen of 2 × 1 pixels in black, red, and what follows.
    fn file(parts: &[&[u8]]) -> Vec<u8> {
        let head = [b"GIF89a\x02\0\x01\0\x80\0\0", &[0, 0, 0, 255, 0, 0][..]].concat();
        [&[&head[..]], parts].concat().concat()
    }

    /// One pixel at the left: a clear code, the colour and an end code, of 3 bits each.
    fn frame(color: u8, dispose: u8, delay: u8) -> Vec<u8> {
        let codes = 4 | u16::from(color) << 3 | 5 << 6;
        let [low, high] = codes.to_le_bytes();
        let control = [0x21, 0xF9, 4, dispose << 2, delay, 0, 0, 0];
        [&control[..], &[0x2C, 0, 0, 0, 0, 1, 0, 1, 0, 0, 2, 2, low, high, 0]].concat()
    }

    const REPEAT_TWICE: &[u8] = b"\x21\xFF\x0BNETSCAPE2.0\x03\x01\x02\0\0";
    const TRAILER: &[u8] = b";";

    #[test]
    fn an_interlaced_frame_has_every_row_once() {
        for height in 0..40 {
            let mut rows: Vec<u32> = row_order(height, true).collect();
            rows.sort_unstable();
            assert!(rows.into_iter().eq(row_order(height, false)));
        }
        assert!(row_order(10, true).eq([0, 8, 4, 2, 6, 1, 3, 5, 7, 9]));
    }

    /// Repeating twice is playing three times, and it may be said anywhere.
    #[test]
    fn plays_are_one_more_than_repeats() {
        let frame = frame(1, 0, 7);
        assert_eq!(plays(&file(&[&frame, &frame, TRAILER])), 1);
        assert_eq!(plays(&file(&[REPEAT_TWICE, &frame, TRAILER])), 3);
        assert_eq!(plays(&file(&[&frame, REPEAT_TWICE, &frame])), 3);
        assert_eq!(plays(&file(&[&frame, b"\x21\xFF\x0BANIMEXTS1.0\x03\x01\0\0\0"])), 0);
        assert_eq!(plays(b"GIF89a"), 1);
    }

    #[test]
    fn a_rest_of_an_animation_is_no_still() {
        let frame = frame(1, 0, 7);
        assert!(!breaks_off(&file(&[REPEAT_TWICE, &frame, TRAILER])));
        assert!(!breaks_off(&file(&[&frame])));
        assert!(!breaks_off(&file(&[&frame, b"\0\0"])));
        assert!(breaks_off(&file(&[REPEAT_TWICE, &frame])));
        assert!(breaks_off(&file(&[REPEAT_TWICE, &frame, b"\0\0"])));
        assert!(breaks_off(&file(&[&frame, &frame[..5]])));
        assert!(breaks_off(&file(&[&frame, &frame[..20]])));
    }

    /// What is disposed to the background becomes transparent, what is restored becomes what it was.
    #[test]
    fn frames_are_disposed_as_browsers_do() {
        let frames = [frame(1, 1, 7), frame(0, 3, 8), frame(0, 2, 0), frame(1, 0, 9)];
        let left = |canvas: Result<Canvas>| canvas.map(|canvas| (canvas.image.get_pixel(0, 0).0, canvas.duration));
        let whole = file(&[&frames.concat(), TRAILER]);
        let shown: Result<Vec<_>> = canvases(&whole).unwrap().map(left).collect();
        let (red, black) = ([255, 0, 0, 255], [0, 0, 0, 255]);
        assert_eq!(shown, Ok(vec![(red, 70), (black, 80), (black, 0), (red, 90)]));
        // A colour that is not in the table is none.
        let cleared = file(&[&frames[..3].concat(), &frame(3, 0, 0), TRAILER]);
        assert_eq!(left(canvases(&cleared).unwrap().last().unwrap()), Ok(([0; 4], 0)));
        let cut = &whole[..whole.len() - 5];
        assert!(canvases(cut).unwrap().last().unwrap().is_err());
        assert!(canvases(cut).unwrap().count() <= 5);
    }
}
