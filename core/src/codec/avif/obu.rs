//! The units of an AV1 stream (OBUs; AV1 specification, 5.3 to 5.5): which of them a decoder gets to see.
//!
//! A still picture needs a sequence header, frame headers, frames and tile groups. Everything else is left out before a
//! decoder sees it, because decoders were seen to break over it: metadata, padding, lists of tiles, repeated headers, and
//! what follows the picture.

use super::boxes::corrupt;
use super::sequence::SequenceHeader;
use crate::error::Result;
use crate::limits::MAX_AVIF_FRAMES;

// Types of OBUs (AV1 specification, 6.2.2).
const SEQUENCE_HEADER: u8 = 1;
const TEMPORAL_DELIMITER: u8 = 2;
const FRAME_HEADER: u8 = 3;
const TILE_GROUP: u8 = 4;
const FRAME: u8 = 6;

/// The picture of one AV1 item: its sequence header, and the OBUs that a decoder needs, each with its size.
#[derive(Debug)]
pub(super) struct Stream {
    pub header: SequenceHeader,
    pub obus: Vec<u8>,
}

/// One unit of a stream.
struct Obu<'a> {
    kind: u8,
    /// With extension byte, but without a size.
    header: &'a [u8],
    payload: &'a [u8],
}

/// The units of a stream; an error ends it.
fn obus(data: &[u8]) -> impl Iterator<Item = Result<Obu<'_>>> {
    let mut rest = data;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let obu = next_obu(rest);
        rest = obu.as_ref().map_or(&[], |(_, rest)| *rest);
        Some(obu.map(|(obu, _)| obu))
    })
}

fn next_obu(data: &[u8]) -> Result<(Obu<'_>, &[u8])> {
    let cut = || corrupt("its AV1 stream is cut");
    let first = data.first().ok_or_else(cut)?;
    if first & 0x80 != 0 {
        return Err(corrupt("its AV1 stream is broken (a forbidden bit is set)"));
    }
    let (kind, has_extension, has_size) = (first >> 3 & 0xF, first & 4 != 0, first & 2 != 0);
    let (header, rest) = data.split_at_checked(1 + usize::from(has_extension)).ok_or_else(cut)?;
    let (size, rest) = if has_size { leb128(rest)? } else { (rest.len() as u64, rest) };
    let size = usize::try_from(size).unwrap_or(usize::MAX);
    let (payload, rest) = rest.split_at_checked(size).ok_or_else(cut)?;
    Ok((Obu { kind, header, payload }, rest))
}

/// A number of up to eight bytes, seven bits each, and what follows it.
fn leb128(bytes: &[u8]) -> Result<(u64, &[u8])> {
    let mut number = 0;
    for (index, byte) in bytes.iter().take(8).enumerate() {
        number |= u64::from(byte & 0x7F) << (7 * index);
        if byte & 0x80 == 0 {
            return Ok((number, &bytes[index + 1..]));
        }
    }
    Err(corrupt("its AV1 stream is cut"))
}

impl Stream {
    /// What a decoder needs of an item. An error if an OBU is cut, if sequence headers differ, or if there is no frame or
    /// more than [`MAX_AVIF_FRAMES`].
    pub(super) fn of(data: &[u8]) -> Result<Self> {
        let mut header: Option<(&[u8], SequenceHeader)> = None;
        let mut kept = Vec::with_capacity(data.len());
        let (mut frames, mut shown, mut ended) = (0, false, false);
        for obu in obus(data) {
            let obu = obu?;
            let begins_frame = matches!(obu.kind, FRAME_HEADER | FRAME);
            // A picture without layers is its first frame that is shown. What follows is read on, so that no cut goes
            // unnoticed.
            ended |= begins_frame && shown || obu.kind == TEMPORAL_DELIMITER && frames > 0;
            let is_needed = begins_frame || matches!(obu.kind, SEQUENCE_HEADER | TILE_GROUP);
            if ended || !is_needed {
                continue;
            }
            match (&header, obu.kind == SEQUENCE_HEADER) {
                (None, true) => header = Some((obu.payload, SequenceHeader::parse(obu.payload)?)),
                (None, false) => return Err(corrupt("its AV1 stream has no header")),
                (Some((payload, _)), true) if *payload == obu.payload => continue,
                (Some(_), true) => return Err(corrupt("its AV1 stream has two different headers")),
                (Some((_, header)), false) => {
                    frames += usize::from(begins_frame);
                    shown |= begins_frame && !header.layered && header.shows(obu.payload)?;
                }
            }
            if frames > MAX_AVIF_FRAMES {
                return Err(corrupt(format!("a picture has more than {MAX_AVIF_FRAMES} AV1 frames")));
            }
            obu.write_to(&mut kept);
        }
        match header {
            Some((_, header)) if frames > 0 => Ok(Self { header, obus: kept }),
            _ => Err(corrupt("a picture has no AV1 frame")),
        }
    }
}

impl Obu<'_> {
    /// With its size, which the last one of a stream may do without.
    fn write_to(&self, out: &mut Vec<u8>) {
        const HAS_SIZE: u8 = 2;
        out.extend(self.header.iter().enumerate().map(|(at, byte)| if at == 0 { byte | HAS_SIZE } else { *byte }));
        let mut size = self.payload.len();
        while size >= 0x80 {
            out.push(size as u8 | 0x80);
            size >>= 7;
        }
        out.push(size as u8);
        out.extend_from_slice(self.payload);
    }
}

/// The sequence header of a stream of which nothing else is wanted.
pub(super) fn sequence_header(data: &[u8]) -> Result<SequenceHeader> {
    for obu in obus(data) {
        let obu = obu?;
        if obu.kind == SEQUENCE_HEADER {
            return SequenceHeader::parse(obu.payload);
        }
    }
    Err(corrupt("its AV1 stream has no header"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sequence header of a reduced still picture of 4 × 4 grey pixels, 8 bits, full range.
    const HEADER: [u8; 5] = [0x18, 0x04, 0x7C, 0x05, 0x40];

    fn obu(kind: u8, payload: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        Obu { kind, header: &[kind << 3], payload }.write_to(&mut out);
        out
    }

    fn kinds(data: &[u8]) -> Vec<u8> {
        let Stream { obus: kept, .. } = Stream::of(data).unwrap();
        obus(&kept).map(|obu| obu.unwrap().kind).collect()
    }

    fn refusal(data: &[u8]) -> String {
        Stream::of(data).unwrap_err().to_string()
    }

    /// Metadata, padding, lists of tiles, repeated headers and reserved kinds never reach a decoder, wherever they are.
    #[test]
    fn only_what_a_still_picture_needs_is_kept() {
        let header = obu(1, &HEADER);
        let others: Vec<u8> = [0, 2, 5, 7, 8, 9, 14, 15].iter().flat_map(|&kind| obu(kind, &[1, 2, 3])).collect();
        let parts =
            [&others[..], &header, &others[..5], &obu(3, &[0]), &obu(7, &[0]), &obu(4, &[9; 300]), &obu(5, &[1])];
        assert_eq!(kinds(&parts.concat()), [1, 3, 4]);
        // The last one may lack its size.
        let mut open = [header.clone(), vec![6 << 3]].concat();
        open.extend([7; 200]);
        let Stream { obus: kept, .. } = Stream::of(&open).unwrap();
        assert_eq!(kept[header.len()..][..3], [6 << 3 | 2, 0xC8, 1]);
        assert_eq!(kept.len(), header.len() + 3 + 200);
    }

    /// Without layers a picture is one frame, and another temporal unit is another picture.
    #[test]
    fn what_follows_the_picture_is_left_out() {
        let (header, frame) = (obu(1, &HEADER), obu(6, &[1; 9]));
        assert_eq!(kinds(&[&header[..], &frame, &frame].concat()), [1, 6]);
        assert_eq!(kinds(&[&header[..], &frame, &obu(2, &[]), &header, &frame].concat()), [1, 6]);
        assert_eq!(kinds(&[&header[..], &header, &frame].concat()), [1, 6]);
    }

    #[test]
    fn broken_streams_are_refused() {
        let (header, frame) = (obu(1, &HEADER), obu(6, &[1; 9]));
        let mut other = HEADER;
        other[3] ^= 1;
        assert!(refusal(&frame).contains("no header"));
        assert!(refusal(&header).contains("no AV1 frame"));
        assert!(refusal(&[]).contains("no AV1 frame"));
        assert!(refusal(&[&header[..], &obu(1, &other), &frame].concat()).contains("two different headers"));
        assert!(refusal(&[&header[..], &frame[..5]].concat()).contains("cut"));
        assert!(refusal(&[&header[..], &frame, &[0x12, 0xFF]].concat()).contains("cut"));
        assert!(refusal(&[&header[..], &[0x80 | 6 << 3 | 2, 0]].concat()).contains("forbidden"));
        assert!(refusal(&[&obu(1, &HEADER[..3]), &frame[..]].concat()).contains("cut"));
    }
}
