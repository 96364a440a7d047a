//! GIF: what its header says, and its pictures. The blocks are read here (`gif/blocks.rs`), the LZW codes are unpacked by weezl.

mod blocks;
mod screen;

pub(super) use blocks::{Block, Gif};

use image::DynamicImage;
use image::metadata::Orientation;

use super::animated::until_error;
use super::{Canvases, ColorSpace, Header, InputFormat, Metadata};
use crate::error::{Error, Result};
use crate::limits::MAX_PAGES;
use blocks::{Area, Disposal, Frame};
use screen::Screen;

fn corrupt(reason: impl std::fmt::Display) -> Error {
    Error::corrupt(InputFormat::Gif, reason)
}

fn open(data: &[u8]) -> Result<Gif<'_>> {
    Gif::open(data).ok_or_else(|| corrupt("it ends before its first block"))
}

/// Walks through the blocks without unpacking a frame. Of a file that breaks off, decoding says what is wrong. A profile
/// ("ICCRGBG1012") is ignored, as viewers do.
pub(super) fn read_header(data: &[u8]) -> Result<Header> {
    let gif = open(data)?;
    let (mut size, mut has_alpha, mut cleared) = (gif.screen, false, false);
    let (mut frame_pixels, mut xmp, mut ending) = (0, None, Ending::default());
    for (_, block) in gif.blocks() {
        match &block {
            Block::Xmp(packet) => xmp = xmp.or(Some(*packet)),
            Block::Frame(Frame { area, transparent, disposal, .. }) => {
                if ending.frames == 0 {
                    size = canvas_size(gif, *area);
                    has_alpha = (area.width, area.height) != size;
                    cleared = *disposal == Disposal::Restore;
                } else {
                    has_alpha |= cleared;
                }
                has_alpha |= transparent.is_some();
                cleared |= *disposal == Disposal::Clear;
                frame_pixels = frame_pixels.max(u64::from(area.width) * u64::from(area.height));
            }
            _ => {}
        }
        ending.pass(&block);
    }
    if ending.frames == 0 {
        return Err(corrupt("it has no picture"));
    }
    Ok(Header {
        format: InputFormat::Gif,
        width: size.0,
        height: size.1,
        has_alpha,
        bit_depth: 8,
        orientation: Orientation::NoTransforms,
        pages: ending.frames.min(MAX_PAGES),
        color_space: ColorSpace::Rgb,
        profile: None,
        metadata: Metadata { exif: None, xmp: xmp.map(<[u8]>::to_vec) },
        density_corrected: None,
        frame_pixels,
        missing_end: ending.is_missing(),
    })
}

/// The logical screen, grown to the first frame: browsers and libvips do so, and cut off what later frames have outside.
fn canvas_size(gif: Gif<'_>, first: Area) -> (u32, u32) {
    let (width, height) = gif.screen;
    (width.max(first.left + first.width), height.max(first.top + first.height))
}

/// What the blocks tell of the end of the file.
#[derive(Debug, Default)]
struct Ending {
    frames: u32,
    trailer: bool,
    /// It repeats, or ends within a block in front of a frame: then frames are missing too.
    more: bool,
}

impl Ending {
    fn pass(&mut self, block: &Block<'_>) {
        match block {
            Block::Frame(_) => self.frames += 1,
            Block::Trailer => self.trailer = true,
            Block::Repeat(_) | Block::Broken { unfinished: true } => self.more = true,
            _ => {}
        }
    }

    /// Whether nothing but the trailer is missing: some writers forget that of a still picture.
    fn is_missing(&self) -> bool {
        !self.trailer && !self.more && self.frames == 1
    }
}

/// Decodes the first frame; of a still picture it is checked that it is whole.
pub(super) fn decode(header: &Header, data: &[u8]) -> Result<DynamicImage> {
    let mut canvases = canvases(data)?;
    let first = canvases.next().unwrap_or_else(|| Err(corrupt("it has no picture")))?;
    if !header.is_animated() {
        canvases.next().transpose()?;
    }
    Ok(DynamicImage::ImageRgba8(first.image))
}

/// How often the animation plays, 0 for ever. A GIF says how often it repeats, and the last word counts. Browsers do so
/// after having shown it once, and libwebp's gif2webp and libvips read so too; without a word it plays once.
pub(super) fn plays(data: &[u8]) -> Result<u16> {
    let repeats =
        open(data)?.blocks().filter_map(|(_, block)| if let Block::Repeat(n) = block { Some(n) } else { None });
    Ok(match repeats.last() {
        Some(0) => 0,
        Some(times) => times.saturating_add(1),
        None => 1,
    })
}

/// Every frame, composed. The size of the canvas was held against the limits before.
pub(super) fn canvases(data: &[u8]) -> Result<Canvases<'_>> {
    let gif = open(data)?;
    let mut blocks = gif.blocks();
    let mut screen: Option<Screen> = None;
    let mut ending = Ending::default();
    Ok(until_error(move || {
        for (_, block) in blocks.by_ref() {
            ending.pass(&block);
            if let Block::Frame(frame) = block {
                if !frame.can_be_whole() {
                    return Err(corrupt("a frame is truncated"));
                }
                let (width, height) = canvas_size(gif, frame.area);
                return screen.get_or_insert_with(|| Screen::new(width, height)).show(&frame).map(Some);
            }
        }
        if ending.trailer || ending.is_missing() { Ok(None) } else { Err(corrupt("it breaks off")) }
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::Canvas;

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

    /// Repeating twice is playing three times, and it may be said anywhere; the last word counts.
    #[test]
    fn plays_are_one_more_than_repeats() {
        let frame = frame(1, 0, 7);
        let for_ever = b"\x21\xFF\x0BANIMEXTS1.0\x03\x01\0\0\0";
        assert_eq!(plays(&file(&[&frame, &frame, TRAILER])), Ok(1));
        assert_eq!(plays(&file(&[REPEAT_TWICE, &frame, TRAILER])), Ok(3));
        assert_eq!(plays(&file(&[&frame, REPEAT_TWICE, &frame])), Ok(3));
        assert_eq!(plays(&file(&[&frame, for_ever])), Ok(0));
        assert_eq!(plays(&file(&[for_ever, &frame, REPEAT_TWICE])), Ok(3));
        assert_eq!(plays(&file(&[REPEAT_TWICE, for_ever, &frame])), Ok(0));
        // A number of one byte, or of another kind, is none.
        for no in [b"\x02\x01\x02\0".as_slice(), b"\x03\x02\x02\0\0", b"\x04\x01\x02\0\0\0", b"\0"] {
            assert_eq!(plays(&file(&[b"\x21\xFF\x0BNETSCAPE2.0", no, &frame])), Ok(1), "{no:?}");
        }
        assert!(plays(b"GIF89a").is_err());
    }

    /// Whether it is decoded, and whether only the end is said to be missing.
    fn still(parts: &[&[u8]]) -> (bool, bool) {
        let file = file(parts);
        let header = read_header(&file).unwrap();
        (decode(&header, &file).is_ok(), header.missing_end)
    }

    #[test]
    fn a_rest_of_an_animation_is_no_still() {
        let frame = frame(1, 0, 7);
        assert_eq!(still(&[REPEAT_TWICE, &frame, TRAILER]), (true, false));
        assert_eq!(still(&[&frame]), (true, true));
        assert_eq!(still(&[&frame, b"\0\0"]), (true, true));
        // All pixels and their end, but no end of the block.
        assert_eq!(still(&[&frame[..frame.len() - 1]]), (true, true));
        assert_eq!(still(&[&frame[..frame.len() - 3]]), (false, true));
        assert_eq!(still(&[REPEAT_TWICE, &frame]), (false, false));
        assert_eq!(still(&[REPEAT_TWICE, &frame, b"\0\0"]), (false, false));
        assert_eq!(still(&[&frame, &frame[..5]]), (false, false));
        let cut = file(&[&frame, &frame[..20]]);
        assert_eq!(read_header(&cut).unwrap().pages, 2);
        assert!(canvases(&cut).unwrap().last().unwrap().is_err());
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
        let cut = &whole[..whole.len() - 5];
        assert!(canvases(cut).unwrap().last().unwrap().is_err());
        assert!(canvases(cut).unwrap().count() <= 5);
    }

    /// In nothing but the walk, whatever the frames claim to be.
    #[test]
    fn a_header_tells_the_size_that_is_shown_and_the_largest_frame() {
        let area = |left: u8, size: u8| [0x2C, left, 0, 1, 0, size, size, size, size, 0, 2, 0];
        let header = |parts: &[&[u8]]| {
            let header = read_header(&file(&[&parts.concat(), TRAILER])).unwrap();
            (header.width, header.height, header.pages, header.frame_pixels)
        };
        let side = 0x0101;
        assert_eq!(header(&[&area(0, 0)]), (2, 1, 1, 0));
        assert_eq!(header(&[&area(7, 0)]), (7, 1, 1, 0));
        assert_eq!(header(&[&area(7, 1)]), (7 + side, 1 + side, 1, u64::from(side * side)));
        assert_eq!(header(&[&area(0, 0), &area(0, 255)]), (2, 1, 2, 65_535 * 65_535));
    }
}
