//! Takes descriptive metadata out of a file and leaves everything that is shown: coded pixels are copied byte by byte,
//! profile and orientation stay. Files may carry far more than EXIF and XMP (thumbnails, comments, the states of editors),
//! so each format has a list of what stays.
//!
//! Every walk goes once through the file and keeps nothing of it, whatever its lengths claim.

use image::metadata::Orientation;

use super::gif::{Block, Gif};
use super::png::{SIGNATURE_BYTES, chunk_at, write_chunk};
use super::{Header, InputFormat, Metadata, avif, exif, jpeg, png, read_header, webp};

/// `data`, whose header was read, without metadata. `None` if they cannot be taken out, or if the rest would be read as
/// another picture.
pub(crate) fn strip(header: &Header, data: &[u8]) -> Option<Vec<u8>> {
    let stripped = match header.format {
        InputFormat::Jpeg => strip_jpeg(header, data),
        InputFormat::Png => strip_png(&png::closed(data).data, header.orientation),
        InputFormat::Webp => strip_webp(data),
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
        let png::Chunk { kind, end } = chunk_at(data, start)?;
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

/// WebP: what is shown and the profile. No viewer turns it, so that nothing stands for its EXIF block.
fn strip_webp(data: &[u8]) -> Option<Vec<u8>> {
    const SHOWN: [&[u8; 4]; 7] = [b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"ANIM", b"ANMF", b"ICCP"];
    let mut copy = Copy::new(data, None);
    for webp::Chunk { kind, range, .. } in webp::chunks(data) {
        if SHOWN.contains(&kind) {
            copy.up_to(range.end)?;
        } else {
            copy.replace(range.start, range.end, &[])?;
        }
    }
    let mut out = copy.finish()?;
    if out.get(12..16)? == b"VP8X" {
        *out.get_mut(20)? &= !(webp::EXIF | webp::XMP);
    }
    let size = u32::try_from(out.len() - 8).ok()?;
    out[4..8].copy_from_slice(&size.to_le_bytes());
    Some(out)
}

/// GIF: the blocks that some viewer may show something of, and how often it repeats; to a block that breaks off.
fn strip_gif(data: &[u8]) -> Option<Vec<u8>> {
    let mut copy = Copy::new(data, None);
    for (range, block) in Gif::open(data)?.blocks() {
        match block {
            Block::Frame(_) | Block::Repeat(_) | Block::Shown | Block::Trailer => copy.up_to(range.end)?,
            Block::Xmp(_) | Block::Other | Block::Broken { .. } => copy.replace(range.start, range.end, &[])?,
        }
    }
    copy.finish()
}
