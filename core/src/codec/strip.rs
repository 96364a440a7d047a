//! Takes descriptive metadata out of a file and leaves everything that is shown: coded pixels are copied byte by byte,
//! profile and orientation stay. Files may carry far more than EXIF and XMP (thumbnails, comments, the states of editors),
//! so each format has a list of what stays.
//!
//! Every walk goes once through the file and keeps nothing of it, whatever its lengths claim.

use image::metadata::Orientation;

use super::png::{Chunk, SIGNATURE_BYTES, chunk_at, write_chunk};
use super::{Header, InputFormat, Metadata, avif, exif, jpeg, png, read_header};

/// `data`, whose header was read, without metadata. `None` if they cannot be taken out, or if the rest would be read as
/// another picture.
pub(crate) fn strip(header: &Header, data: &[u8]) -> Option<Vec<u8>> {
    let stripped = match header.format {
        InputFormat::Jpeg => strip_jpeg(header, data),
        InputFormat::Png => strip_png(&png::closed(data).data, header.orientation),
        InputFormat::Webp => strip_webp(data, header.orientation),
        InputFormat::Gif => strip_gif(data),
        InputFormat::Avif => avif::blank_metadata(data),
    }?;
    // A missing end is put there.
    let bare = |header: &Header| Header { metadata: Metadata::default(), missing_end: false, ..header.clone() };
    let same = read_header(header.format, &stripped).is_ok_and(|after| bare(&after) == bare(header));
    same.then_some(stripped)
}

/// A copy of a file that leaves pieces out.
struct Copy<'a> {
    data: &'a [u8],
    /// Up to where the file was copied or left out.
    done: usize,
    out: Vec<u8>,
    /// What stands for the EXIF block, if it says how the picture is shown.
    exif: Option<Vec<u8>>,
}

impl<'a> Copy<'a> {
    fn new(data: &'a [u8], exif: Option<Vec<u8>>) -> Self {
        Self { data, done: 0, out: Vec::with_capacity(data.len()), exif }
    }

    fn turned(data: &'a [u8], orientation: Orientation) -> Self {
        let turned = orientation != Orientation::NoTransforms;
        Self::new(data, turned.then(|| exif::minimal(orientation, None)))
    }

    fn up_to(&mut self, end: usize) -> Option<()> {
        self.out.extend_from_slice(self.data.get(self.done..end)?);
        self.done = end;
        Some(())
    }

    /// Leaves `start..end` out and puts `instead` there.
    fn replace(&mut self, start: usize, end: usize, instead: &[u8]) -> Option<()> {
        self.up_to(start)?;
        self.out.extend_from_slice(instead);
        self.done = end;
        Some(())
    }

    /// The copy, if the EXIF block found its place.
    fn finish(self) -> Option<Vec<u8>> {
        self.exif.is_none().then_some(self.out)
    }
}

/// JPEG: the segments that viewers need, up to the end of the first picture. What lies behind it are previews, videos or
/// gain maps, which are lost without their descriptions.
fn strip_jpeg(header: &Header, data: &[u8]) -> Option<Vec<u8>> {
    let density = header.density_corrected.map(|size| ((header.width, header.height), size));
    let says_something = density.is_some() || header.orientation != Orientation::NoTransforms;
    let mut copy = Copy::new(data, says_something.then(|| exif::minimal(header.orientation, density)));
    let mut end = 2;
    for (marker, content) in jpeg::segments(data) {
        let length = usize::from(u16::from_be_bytes([data[content - 2], data[content - 1]]));
        end = content - 2 + length;
        let body = data.get(content..end)?;
        if body.starts_with(jpeg::EXIF_SIGNATURE) && marker == 0xE1 {
            let instead = copy.exif.take().map(|exif| jpeg_segment(marker, &exif));
            copy.replace(content - 4, end, &instead.unwrap_or_default())?;
        } else if !stays_in_jpeg(marker, body) {
            copy.replace(content - 4, end, &[])?;
        }
    }
    let rest = data.get(end..)?.windows(2).position(|pair| pair == [0xFF, 0xD9])?;
    copy.up_to(end + rest + 2)?;
    copy.finish()
}

fn jpeg_segment(marker: u8, exif: &[u8]) -> Vec<u8> {
    let body = [jpeg::EXIF_SIGNATURE, exif].concat();
    let length = (body.len() as u16 + 2).to_be_bytes();
    [&[0xFF, marker, length[0], length[1]][..], &body].concat()
}

/// JFIF's density, the profile and Adobe's colour transform are all that viewers look at of APP0 to APP15 and comments.
fn stays_in_jpeg(marker: u8, body: &[u8]) -> bool {
    match marker {
        0xE0 => body.starts_with(b"JFIF\0"),
        0xE2 => body.starts_with(jpeg::ICC_SIGNATURE),
        0xEE => body.starts_with(b"Adobe"),
        0xE0..=0xEF | 0xFE => false,
        _ => true,
    }
}

/// Ancillary chunks that change what is shown (PNG, third edition, 11.3).
const SHOWN_PNG_CHUNKS: [&[u8; 4]; 14] = [
    b"tRNS", b"cHRM", b"gAMA", b"iCCP", b"sBIT", b"sRGB", b"cICP", b"mDCV", b"cLLI", b"bKGD", b"pHYs", b"acTL",
    b"fcTL", b"fdAT",
];

fn strip_png(data: &[u8], orientation: Orientation) -> Option<Vec<u8>> {
    let mut copy = Copy::turned(data, orientation);
    let mut start = SIGNATURE_BYTES;
    loop {
        let Chunk { kind, end } = chunk_at(data, start)?;
        // A small first letter: not needed to show the picture.
        let critical = kind[0].is_ascii_uppercase();
        if &kind == b"eXIf" {
            let instead = copy.exif.take().map(|exif| write_chunk(kind, &exif));
            copy.replace(start, end, &instead.unwrap_or_default())?;
        } else if !critical && !SHOWN_PNG_CHUNKS.contains(&&kind) {
            copy.replace(start, end, &[])?;
        }
        if &kind == b"IEND" {
            copy.up_to(end)?;
            return copy.finish();
        }
        start = end;
    }
}

fn strip_webp(data: &[u8], orientation: Orientation) -> Option<Vec<u8>> {
    const SHOWN: [&[u8; 4]; 7] = [b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"ANIM", b"ANMF", b"ICCP"];
    let size = u32::from_le_bytes(*data.get(4..)?.first_chunk()?) as usize;
    let end = size.checked_add(8)?.min(data.len());
    let mut copy = Copy::turned(data, orientation);
    let turned = copy.exif.is_some();
    let mut start = 12;
    while start < end {
        let kind: &[u8; 4] = data.get(start..)?.first_chunk()?;
        let length = u32::from_le_bytes(*data.get(start + 4..)?.first_chunk()?) as usize;
        // Chunks of an odd length are padded; some writers forget that at the end of a file.
        let next = start.checked_add(8)?.checked_add(length.next_multiple_of(2))?.min(end);
        if kind == b"EXIF" {
            let instead = copy.exif.take().map(|exif| webp_chunk(*kind, &exif));
            copy.replace(start, next, &instead.unwrap_or_default())?;
        } else if !SHOWN.contains(&kind) {
            copy.replace(start, next, &[])?;
        }
        start = next;
    }
    copy.up_to(end)?;
    let mut out = copy.finish()?;
    if out.get(12..16)? == b"VP8X" {
        // Bits of the WebP container specification.
        const EXIF: u8 = 0x08;
        const XMP: u8 = 0x04;
        let flags = out.get_mut(20)?;
        *flags = *flags & !(EXIF | XMP) | if turned { EXIF } else { 0 };
    }
    let size = u32::try_from(out.len() - 8).ok()?;
    out[4..8].copy_from_slice(&size.to_le_bytes());
    Some(out)
}

/// Of an even length, as EXIF with one entry is.
fn webp_chunk(kind: [u8; 4], content: &[u8]) -> Vec<u8> {
    [&kind, &(content.len() as u32).to_le_bytes(), content].concat()
}

/// GIF: comments and the blocks of applications, but for the number of loops and the profile (GIF89a; Netscape's extension).
fn strip_gif(data: &[u8]) -> Option<Vec<u8>> {
    const SHOWN: [&[u8; 11]; 3] = [b"NETSCAPE2.0", b"ANIMEXTS1.0", b"ICCRGBG1012"];
    let colors = |flags: u8| if flags & 0x80 == 0 { 0 } else { 3 << (1 + usize::from(flags & 7)) };
    let mut copy = Copy::new(data, None);
    let mut start = 13 + colors(*data.get(10)?);
    loop {
        match data.get(start)? {
            0x21 => {
                let end = after_blocks(data, start + 2)?;
                let label = *data.get(start + 1)?;
                let shown = || data.get(start + 3..)?.first_chunk::<11>().map(|name| SHOWN.contains(&name));
                if label == 0xFE || (label == 0xFF && !shown()?) {
                    copy.replace(start, end, &[])?;
                }
                start = end;
            }
            0x2C => start = after_blocks(data, start + 11 + colors(*data.get(start + 9)?))?,
            0x3B => {
                copy.up_to(start + 1)?;
                return copy.finish();
            }
            _ => return None,
        }
    }
}

/// Where a row of sub-blocks, each with its length in front, ends behind the empty one.
pub(super) fn after_blocks(data: &[u8], mut position: usize) -> Option<usize> {
    loop {
        match *data.get(position)? {
            0 => return Some(position + 1),
            length => position += 1 + usize::from(length),
        }
    }
}
