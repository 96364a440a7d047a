//! The chunks of a WebP (RFC 9649), read where they lie: nothing is decoded or kept, whatever they claim. Their order, flags
//! and sizes are held against each other as libwebp's demultiplexer does, which browsers and libvips show files by. So flags
//! without a chunk are hints, and chunks without their flag do not count.

use std::ops::Range;

use super::corrupt;
use crate::error::Result;
use crate::limits::MAX_PAGES;

/// What the chunks of a file say.
#[derive(Debug, Default)]
pub struct Container<'a> {
    /// Size of the canvas in pixels.
    pub width: u32,
    pub height: u32,
    /// Whether it is said to be an animation, of one frame perhaps.
    pub animated: bool,
    pub has_alpha: bool,
    /// Frames, as far as the file goes; at least 1.
    pub frames: u32,
    pub profile: Option<&'a [u8]>,
    pub exif: Option<&'a [u8]>,
    pub xmp: Option<&'a [u8]>,
}

pub struct Chunk<'a> {
    pub kind: &'a [u8; 4],
    /// As far as the file goes.
    pub body: &'a [u8],
    /// Where it lies, with its head and its padding.
    pub range: Range<usize>,
}

/// Of the chunk "RIFF" and of "WEBP".
const HEAD: usize = 12;

/// Bits of "VP8X".
const PROFILE: u8 = 0x20;
const ALPHA: u8 = 0x10;
pub const EXIF: u8 = 0x08;
pub const XMP: u8 = 0x04;
const ANIMATION: u8 = 0x02;

/// Every chunk up to the end that the file announces, or has.
pub fn chunks(data: &[u8]) -> impl Iterator<Item = Chunk<'_>> {
    let size = data.get(4..).and_then(<[u8]>::first_chunk).map_or(0, |size| u32::from_le_bytes(*size) as usize);
    let data = &data[..data.len().min(size.saturating_add(8))];
    chunks_from(data, HEAD)
}

fn chunks_from(data: &[u8], mut start: usize) -> impl Iterator<Item = Chunk<'_>> {
    std::iter::from_fn(move || {
        let (kind, rest) = data.get(start..)?.split_first_chunk::<4>()?;
        let (length, rest) = rest.split_first_chunk::<4>()?;
        let length = u32::from_le_bytes(*length) as usize;
        let body = &rest[..length.min(rest.len())];
        // Chunks of an odd length are padded.
        let padded = length.saturating_add(length & 1).min(rest.len());
        let range = start..start + 8 + padded;
        start = range.end;
        Some(Chunk { kind, body, range })
    })
}

/// A coded picture, as its own first bytes describe it.
struct Picture {
    width: u32,
    height: u32,
    has_alpha: bool,
}

impl Picture {
    /// `None` for chunks of another kind, and for one that breaks off.
    fn of(chunk: &Chunk<'_>) -> Option<Self> {
        match (chunk.kind, chunk.body) {
            // A frame tag, a start code, and sizes of 14 bits with a scale above them (RFC 6386, 9.1).
            (b"VP8 ", &[_, _, _, 0x9D, 0x01, 0x2A, w0, w1, h0, h1, ..]) => {
                let side = |bytes| u32::from(u16::from_le_bytes(bytes) & 0x3FFF);
                Some(Self { width: side([w0, w1]), height: side([h0, h1]), has_alpha: false })
            }
            // A signature, sizes less 1 of 14 bits each, and whether alpha is in use (RFC 9649, 3.4).
            (b"VP8L", &[0x2F, a, b, c, d, ..]) => {
                let bits = u32::from_le_bytes([a, b, c, d]);
                let side = |shift: u32| (bits >> shift & 0x3FFF) + 1;
                Some(Self { width: side(0), height: side(14), has_alpha: bits >> 28 & 1 == 1 })
            }
            _ => None,
        }
    }
}

/// A number of 24 bits.
fn number(bytes: &[u8]) -> u32 {
    bytes.iter().take(3).rev().fold(0, |number, &byte| number << 8 | u32::from(byte))
}

impl<'a> Container<'a> {
    /// Of a file that breaks off, what comes before counts.
    pub fn read(data: &'a [u8]) -> Result<Self> {
        let mut chunks = chunks(data);
        let first = chunks.next().ok_or_else(|| corrupt("it has no chunk"))?;
        if let Some(Picture { width, height, has_alpha }) = Picture::of(&first) {
            return Ok(Self { width, height, has_alpha, frames: 1, ..Self::default() });
        }
        let (b"VP8X", &[flags, _, _, _, ref size @ ..]) = (first.kind, first.body) else {
            return Err(corrupt("it does not begin with a picture"));
        };
        if size.len() < 6 {
            return Err(corrupt("it breaks off"));
        }
        let (width, height) = (1 + number(size), 1 + number(&size[3..]));
        let mut container = Self { width, height, animated: flags & ANIMATION != 0, ..Self::default() };
        container.read_extended(flags, chunks)?;
        container.frames = container.frames.clamp(1, MAX_PAGES);
        Ok(container)
    }

    /// What follows "VP8X".
    fn read_extended(&mut self, flags: u8, chunks: impl Iterator<Item = Chunk<'a>>) -> Result<()> {
        let (mut alpha_chunk, mut cleared) = (false, false);
        for chunk in chunks {
            let body = Some(chunk.body);
            match chunk.kind {
                b"ICCP" if flags & PROFILE != 0 => self.profile = self.profile.or(body),
                b"EXIF" if flags & EXIF != 0 => self.exif = self.exif.or(body),
                b"XMP " if flags & XMP != 0 => self.xmp = self.xmp.or(body),
                b"ALPH" => alpha_chunk = true,
                b"VP8 " | b"VP8L" if !self.animated && self.frames == 0 => {
                    self.frames = 1;
                    let Some(picture) = Picture::of(&chunk) else { continue };
                    if (picture.width, picture.height) != (self.width, self.height) {
                        return Err(corrupt("its picture is of another size than its canvas"));
                    }
                    self.has_alpha = picture.has_alpha || (alpha_chunk && flags & ALPHA != 0);
                }
                b"ANMF" if self.animated => self.read_frame(chunk.body, &mut cleared)?,
                _ => {}
            }
        }
        Ok(())
    }

    /// `cleared`: whether the background is seen before this frame.
    fn read_frame(&mut self, body: &[u8], cleared: &mut bool) -> Result<()> {
        const FRAME_HEAD: usize = 16;
        // Offsets are stored halved, and sizes are those of the picture, whatever stands here.
        let Some((head, _)) = body.split_first_chunk::<FRAME_HEAD>() else { return Ok(()) };
        let (left, top) = (2 * number(head), 2 * number(&head[3..]));
        let mut alpha_chunk = false;
        // A picture and its alpha.
        for chunk in chunks_from(body, FRAME_HEAD).take(2) {
            alpha_chunk |= chunk.kind == b"ALPH";
            let Some(Picture { width, height, has_alpha }) = Picture::of(&chunk) else { continue };
            if left + width > self.width || top + height > self.height {
                return Err(corrupt("a frame reaches beyond its canvas"));
            }
            let covers = (width, height) == (self.width, self.height);
            self.has_alpha |= has_alpha || alpha_chunk || *cleared || (self.frames == 0 && !covers);
            *cleared = head[FRAME_HEAD - 1] & 1 != 0;
            self.frames += 1;
            break;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunk(kind: &[u8; 4], body: &[u8]) -> Vec<u8> {
        let padding = &[0][..body.len() % 2];
        [&kind[..], &(body.len() as u32).to_le_bytes(), body, padding].concat()
    }

    fn file(chunks: &[Vec<u8>]) -> Vec<u8> {
        chunk(b"RIFF", &[b"WEBP", &chunks.concat()[..]].concat())
    }

    /// The first bytes of a picture of this size.
    fn picture(width: u32, height: u32, alpha: bool) -> Vec<u8> {
        let bits = (width - 1) | (height - 1) << 14 | u32::from(alpha) << 28;
        chunk(b"VP8L", &[&[0x2F][..], &bits.to_le_bytes()].concat())
    }

    fn canvas(flags: u8) -> Vec<u8> {
        chunk(b"VP8X", &[flags, 0, 0, 0, 9, 0, 0, 5, 0, 0])
    }

    /// A frame of 4 × 4 pixels at this place.
    fn frame(left: u8, flags: u8) -> Vec<u8> {
        let head = [left / 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, flags];
        chunk(b"ANMF", &[&head[..], &picture(4, 4, false)].concat())
    }

    /// Width, height, frames and alpha.
    fn read(chunks: &[Vec<u8>]) -> Option<(u32, u32, u32, bool)> {
        let file = file(chunks);
        Container::read(&file).ok().map(|read| (read.width, read.height, read.frames, read.has_alpha))
    }

    #[test]
    fn sizes_are_held_against_each_other() {
        assert_eq!(read(&[picture(16_383, 7, true)]), Some((16_383, 7, 1, true)));
        assert_eq!(read(&[canvas(0), picture(10, 6, false)]), Some((10, 6, 1, false)));
        assert_eq!(read(&[canvas(0), picture(10, 7, false)]), None);
        assert_eq!(read(&[canvas(ANIMATION), frame(6, 0)]), Some((10, 6, 1, true)));
        assert_eq!(read(&[canvas(ANIMATION), frame(8, 0)]), None);
        assert_eq!(read(&[canvas(ANIMATION), frame(0, 0), frame(6, 0)]), Some((10, 6, 2, true)));
        assert_eq!(read(&[canvas(ANIMATION), frame(0, 0), frame(254, 0)]), None);
    }

    #[test]
    fn alpha_is_what_is_left_open() {
        let whole = |alpha, flags| {
            let head = [0, 0, 0, 0, 0, 0, 9, 0, 0, 5, 0, 0, 1, 0, 0, flags];
            chunk(b"ANMF", &[&head[..], &picture(10, 6, alpha)].concat())
        };
        let has_alpha = |frames: &[Vec<u8>]| read(&[&[canvas(ANIMATION)], frames].concat()).map(|read| read.3);
        assert_eq!(has_alpha(&[whole(false, 1)]), Some(false));
        assert_eq!(has_alpha(&[whole(true, 0)]), Some(true));
        assert_eq!(has_alpha(&[whole(false, 0), frame(2, 1)]), Some(false));
        assert_eq!(has_alpha(&[whole(false, 1), frame(2, 0)]), Some(true));
    }

    /// Whatever is missing, nothing beyond the end is asked for.
    #[test]
    fn a_file_that_breaks_off_is_read_as_far_as_it_goes() {
        let whole = file(&[canvas(ANIMATION | EXIF), frame(0, 0), frame(2, 0), chunk(b"EXIF", &[7; 9])]);
        for length in 0..whole.len() {
            let Ok(read) = Container::read(&whole[..length]) else { continue };
            assert_eq!((read.width, read.height), (10, 6));
        }
        assert_eq!(Container::read(&whole).unwrap().exif, Some(&[7; 9][..]));
        assert_eq!(Container::read(&whole[..whole.len() - 3]).unwrap().exif, Some(&[7; 7][..]));
        assert_eq!(Container::read(&whole[..70]).unwrap().frames, 1);
    }
}
