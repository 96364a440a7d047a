//! EXIF and XMP of an AVIF file.

use std::borrow::Cow;
use std::ops::Range;

use super::boxes::{Kind, Location};
use super::container::{Container, parse};

/// EXIF without a tag, behind four bytes that say how far behind them it begins.
const NO_EXIF: &[u8] = b"\0\0\0\0MM\0*\0\0\0\x08\0\0\0\0\0\0";

/// A copy of the file in which EXIF and XMP say nothing any more. They are written over in place: to take them out, every
/// table of offsets would have to be written anew. `None` if there are none, or if they share bytes with anything else.
pub(crate) fn blank_metadata(data: &[u8]) -> Option<Vec<u8>> {
    let Container { file, .. } = parse(data).ok()?;
    let mut blanked = data.to_vec();
    let mut blanks: Vec<Range<usize>> = Vec::new();
    let kind_of = |item| file.meta.kinds.iter().find(|(id, _)| *id == item).map(|(_, kind)| *kind);
    let is_metadata = |location: &&Location| matches!(kind_of(location.item), Some(Kind::Exif | Kind::Xmp));
    for location in file.meta.locations.iter().filter(is_metadata) {
        let places = file.places(location).collect::<Option<Vec<_>>>()?;
        let is_exif = kind_of(location.item) == Some(Kind::Exif);
        // White space is an empty packet of XMP.
        let filler = if is_exif { 0 } else { b' ' };
        if blanks.len() + places.len() > MOST_BLANKS {
            return None;
        }
        for place in &places {
            blanked[place.clone()].fill(filler);
        }
        for (position, &byte) in places.iter().cloned().flatten().zip(NO_EXIF).filter(|_| is_exif) {
            blanked[position] = byte;
        }
        blanks.extend(places);
    }
    let apart = |a: &Range<usize>, b: &Range<usize>| a.end <= b.start || b.end <= a.start;
    let mut others = file.meta.locations.iter().filter(|location| !is_metadata(location)).flat_map(|l| file.places(l));
    let shared = others.any(|place| place.is_none_or(|place| !blanks.iter().all(|blank| apart(blank, &place))));
    (!blanks.is_empty() && !shared).then_some(blanked)
}

/// Most extents of metadata: files have one to three, and each may claim to be as long as the file.
const MOST_BLANKS: usize = 16;

impl Container<'_> {
    /// A TIFF structure.
    pub(super) fn exif(&self) -> Option<Vec<u8>> {
        let data = self.described_by(Kind::Exif)?;
        // Four bytes say how far behind them the structure begins.
        let (offset, rest) = data.split_first_chunk::<4>()?;
        rest.get(u32::from_be_bytes(*offset) as usize..).map(<[u8]>::to_vec)
    }

    pub(super) fn xmp(&self) -> Option<Vec<u8>> {
        self.described_by(Kind::Xmp).map(Cow::into_owned)
    }

    /// The first item of `kind` that describes the picture.
    fn described_by(&self, kind: Kind) -> Option<Cow<'_, [u8]>> {
        let mut items = self.file.meta.kinds.iter().filter(|(_, other)| *other == kind).map(|(id, _)| *id);
        let id = items.find(|&id| self.file.refers(b"cdsc", id, self.primary))?;
        self.file.data_of(id).ok()
    }
}
