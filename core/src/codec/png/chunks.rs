//! The chunks that a file consists of (PNG specification, third edition, 5.3).

use std::borrow::Cow;

/// Bytes of the signature before the first chunk.
pub(in crate::codec) const SIGNATURE_BYTES: usize = 8;

const LENGTH_KIND_AND_CHECKSUM: usize = 12;

/// One whole chunk: what it is, and where the next one begins.
pub(in crate::codec) struct Chunk {
    pub kind: [u8; 4],
    pub end: usize,
}

/// The chunk that begins at `start`, its checksum not verified; `None` if not all of it is there.
pub(in crate::codec) fn chunk_at(data: &[u8], start: usize) -> Option<Chunk> {
    let length = u32::from_be_bytes(*data.get(start..)?.first_chunk()?) as usize;
    let kind = *data.get(start + 4..)?.first_chunk()?;
    let end = start.checked_add(length)?.checked_add(LENGTH_KIND_AND_CHECKSUM)?;
    (end <= data.len()).then_some(Chunk { kind, end })
}

pub(in crate::codec) fn write_chunk(kind: [u8; 4], content: &[u8]) -> Vec<u8> {
    let body = [&kind, content].concat();
    let length = (content.len() as u32).to_be_bytes();
    [&length[..], &body, &crc32fast::hash(&body).to_be_bytes()].concat()
}

/// A file that ends as it should.
pub(in crate::codec) struct Closed<'a> {
    pub data: Cow<'a, [u8]>,
    /// Whether "IEND" had to be put there. Then nothing else is missing, as far as chunks tell: whether those of the
    /// picture are all there shows when it is decoded.
    pub missing_end: bool,
}

/// `data` with "IEND" at its end. A file that breaks off within the content of a chunk of the picture, or before there is
/// one, stays as it is.
pub(in crate::codec) fn closed(data: &[u8]) -> Closed<'_> {
    let (mut start, mut has_picture) = (SIGNATURE_BYTES, false);
    // Every round takes twelve bytes or more.
    while let Some(Chunk { kind, end }) = chunk_at(data, start) {
        if &kind == b"IEND" {
            return Closed { data: data.into(), missing_end: false };
        }
        has_picture |= &kind == b"IDAT";
        start = end;
    }
    let broken_off = data.get(start + 4..start + 8).filter(|_| data.len() > start + 8);
    if !has_picture || broken_off.is_some_and(|kind| matches!(kind, b"IDAT" | b"fdAT")) {
        return Closed { data: data.into(), missing_end: false };
    }
    let whole = [&data[..start], &write_chunk(*b"IEND", &[])].concat();
    Closed { data: whole.into(), missing_end: true }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(kinds: &[&[u8; 4]]) -> Vec<u8> {
        let chunks = kinds.iter().flat_map(|kind| write_chunk(**kind, b"content"));
        [0; SIGNATURE_BYTES].into_iter().chain(chunks).collect()
    }

    /// Cut anywhere behind the picture a file is closed; cut within it, or before it, it stays cut.
    #[test]
    fn only_a_missing_end_is_put_right() {
        let whole = file(&[b"IHDR", b"IDAT", b"tEXt"]);
        let text = whole.len() - write_chunk(*b"tEXt", b"content").len();
        for cut in 0..=whole.len() {
            let Closed { data, missing_end } = closed(&whole[..cut]);
            let kept = if cut < whole.len() { text } else { cut };
            assert_eq!(missing_end, cut >= text, "{cut}");
            assert_eq!(missing_end, data.ends_with(&write_chunk(*b"IEND", &[])), "{cut}");
            assert!(!missing_end || data.len() == kept + 12, "{cut}");
        }
        let more = file(&[b"IHDR", b"IDAT", b"IDAT"]);
        assert!(!closed(&more[..more.len() - 1]).missing_end, "within the second part");
        assert!(
            closed(&more[..more.len() - 11]).missing_end,
            "within its head, where nothing says that it had content"
        );
        let ended = file(&[b"IHDR", b"IDAT", b"IEND"]);
        assert!(!closed(&ended).missing_end);
        assert!(closed(&ended[..ended.len() - 1]).missing_end);
    }
}
