//! What an AVIF file says of its pictures (ISO/IEC 23008-12; AV1 Image File Format 1.1): size, orientation, colour, alpha,
//! and where the coded data lies.
//!
//! avif-parse, the library at hand, tells neither orientation nor colour description, profile, EXIF or XMP.

use std::borrow::Cow;
use std::ops::Range;

use image::metadata::Orientation;

use super::boxes::{Association, Code, Kind, Location, Meta, Reader, boxes, child, corrupt};
use super::color::Description;
use super::grid::Grid;
use super::obu::sequence_header;
use crate::error::{Error, Result};
use crate::limits::MAX_PAGES;

/// The two names of alpha, of MIAF and of HEIF.
const ALPHA: [&[u8]; 2] = [b"urn:mpeg:mpegB:cicp:systems:auxiliary:alpha", b"urn:mpeg:hevc:2015:auxid:1"];

/// Properties that are applied, or change no pixel.
const KNOWN_PROPERTIES: [&Code; 8] = [b"ispe", b"pixi", b"av1C", b"colr", b"irot", b"imir", b"auxC", b"pasp"];

/// An AVIF with one picture, coded as one AV1 item or a grid of them, and perhaps a second one for alpha.
pub(super) struct Container<'a> {
    pub(super) file: File<'a>,
    /// The item that the picture is.
    pub(super) primary: u32,
    pub color: Picture,
    pub alpha: Option<Picture>,
    /// Whether colours were multiplied by alpha.
    pub premultiplied: bool,
    pub orientation: Orientation,
    pub profile: Option<&'a [u8]>,
    /// Frames of the image sequence, if the file says that it has one; 1 otherwise.
    pub pages: u32,
}

/// A picture, and the coded pictures that it is made of.
pub(super) struct Picture {
    pub width: u32,
    pub height: u32,
    /// What all tiles share.
    pub tile: Tile,
    pub columns: usize,
    /// Row by row; a picture that is no grid is one tile of its own size.
    pub tiles: Vec<u32>,
    /// What the file says of its colours, or else its AV1 stream, as far as the file goes.
    pub description: Option<Description>,
}

/// What the container says of one coded picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tile {
    pub width: u32,
    pub height: u32,
    /// 8, 10 or 12.
    pub bit_depth: u8,
    pub monochrome: bool,
}

/// Whether the file type box names AVIF, as a still picture or as a sequence. What is no AVIF but of the same family of
/// containers (HEIC, MP4) does not.
pub(crate) fn is_avif(data: &[u8]) -> bool {
    has_brand(data, b"avif") || has_brand(data, b"avis")
}

/// Whether `brand` is the major brand or among the compatible ones, as far as the file goes.
fn has_brand(data: &[u8], brand: &Code) -> bool {
    let Some((length, rest)) = data.split_first_chunk::<4>() else { return false };
    let end = (u32::from_be_bytes(*length) as usize).min(data.len());
    let Some(brands) = rest.strip_prefix(b"ftyp").and_then(|_| data.get(8..end)) else { return false };
    // The second word is the minor version.
    brands.chunks_exact(4).enumerate().any(|(word, code)| word != 1 && code == brand)
}

/// Reads the tables. The coded data itself may be missing.
pub(super) fn parse(data: &[u8]) -> Result<Container<'_>> {
    let (mut meta, mut pages) = (None, 1);
    for part in boxes(data) {
        match part {
            Ok((name, body)) if &name == b"meta" && meta.is_none() => meta = Some(Meta::parse(body)?),
            Ok((name, body)) if &name == b"moov" && has_brand(data, b"avis") => {
                pages = count_frames(body).unwrap_or(1).clamp(1, MAX_PAGES);
            }
            // The head of a file is enough to know what it says.
            Err(_) if meta.is_some() => break,
            part => drop(part?),
        }
    }
    let meta = meta.ok_or_else(|| match pages {
        1 => corrupt("it has no item tables"),
        _ => unsupported("an image sequence but no still picture"),
    })?;
    File { data, meta }.container(pages)
}

pub(super) fn unsupported(what: impl std::fmt::Display) -> Error {
    Error::UnsupportedInput { detected: format!("AVIF with {what}") }
}

/// Number of samples of the first track of pictures.
fn count_frames(moov: &[u8]) -> Option<u32> {
    let tracks = boxes(moov).filter_map(Result::ok).filter(|(name, _)| name == b"trak");
    let mut pictures = tracks.filter_map(|(_, track)| {
        let media = child(track, b"mdia")?;
        let handler = child(media, b"hdlr")?;
        (handler.get(8..12)? == b"pict").then_some(media)
    });
    let table =
        ["minf", "stbl", "stsz"].iter().try_fold(pictures.next()?, |body, name| child(body, name.as_bytes()))?;
    Some(u32::from_be_bytes(table.get(8..12)?.try_into().ok()?))
}

pub(super) struct File<'a> {
    pub data: &'a [u8],
    pub meta: Meta<'a>,
}

impl<'a> File<'a> {
    fn container(self, pages: u32) -> Result<Container<'a>> {
        let primary = self.meta.primary.ok_or_else(|| corrupt("it names no primary item"))?;
        let color = self.picture(primary)?;
        let (alpha, premultiplied) = match self.alpha_of(primary) {
            Some(id) => (Some(self.picture(id)?), self.refers(b"prem", primary, id)),
            // Each tile of a grid may have its own.
            None => match color.tiles.iter().map(|&tile| self.alpha_of(tile)).collect::<Option<Vec<_>>>() {
                Some(tiles) if tiles != [primary] => (Some(self.grid_of(&Grid::like(&color), tiles)?), false),
                _ => (None, false),
            },
        };
        if alpha.as_ref().is_some_and(|alpha| (alpha.width, alpha.height) != (color.width, color.height)) {
            return Err(corrupt("its alpha has another size"));
        }
        let orientation = self.orientation_of(primary)?;
        let described_as = |kind: &[u8]| self.properties(primary, *b"colr").find_map(|body| body.strip_prefix(kind));
        let profile = described_as(b"prof").or_else(|| described_as(b"rICC"));
        Ok(Container { primary, color, alpha, premultiplied, orientation, profile, pages, file: self })
    }

    fn picture(&self, id: u32) -> Result<Picture> {
        let is_grid = matches!(self.kind_of(id), Some(Kind::Other(code)) if &code == b"grid");
        let mut picture = if is_grid {
            self.refuse_unknown_properties(id)?;
            let grid = Grid::parse(&self.data_of(id)?)?;
            if self.size_of(id)? != (grid.width, grid.height) {
                return Err(corrupt("its grid has another size"));
            }
            let references = self.meta.references.iter().filter(|r| &r.kind == b"dimg" && r.from == id);
            self.grid_of(&grid, references.map(|reference| reference.to).collect())?
        } else {
            let tile = self.tile(id)?;
            let Tile { width, height, .. } = tile;
            Picture { width, height, tile, columns: 1, tiles: vec![id], description: None }
        };
        // The bytes of the stream may be missing where only the head of a file is there.
        let from_stream = || Some(sequence_header(&self.data_of(*picture.tiles.first()?).ok()?).ok()?.description);
        picture.description = self.description_of(id)?.or_else(from_stream);
        Ok(picture)
    }

    fn grid_of(&self, grid: &Grid, tiles: Vec<u32>) -> Result<Picture> {
        let first = *tiles.first().ok_or_else(|| corrupt("its grid has no tiles"))?;
        let tile = self.tile(first)?;
        for &other in &tiles {
            if self.tile(other)? != tile {
                return Err(corrupt("the tiles of its grid differ"));
            }
        }
        grid.check(&tile, tiles.len())?;
        let Grid { width, height, columns, .. } = *grid;
        Ok(Picture { width, height, tile, columns, tiles, description: None })
    }

    fn kind_of(&self, id: u32) -> Option<Kind> {
        self.meta.kinds.iter().find(|(item, _)| *item == id).map(|(_, kind)| *kind)
    }

    fn refuse_unknown_properties(&self, id: u32) -> Result<()> {
        let mut essential = self.associations(id).filter(|(_, association)| association.essential);
        match essential.find(|(name, _)| !KNOWN_PROPERTIES.contains(&name)) {
            Some((name, _)) => Err(unsupported(format!("the property \"{}\"", name.escape_ascii()))),
            None => Ok(()),
        }
    }

    fn size_of(&self, id: u32) -> Result<(u32, u32)> {
        let extent = self.properties(id, *b"ispe").next().ok_or_else(|| corrupt("a picture has no size"))?;
        let mut extent = Reader(extent);
        extent.version()?;
        Ok((extent.u32()?, extent.u32()?))
    }

    fn tile(&self, id: u32) -> Result<Tile> {
        match self.kind_of(id) {
            Some(Kind::Av1) => {}
            Some(Kind::Other(code)) => {
                return Err(unsupported(format!("a picture of type \"{}\"", code.escape_ascii())));
            }
            _ => return Err(corrupt("its picture is not there")),
        }
        self.refuse_unknown_properties(id)?;
        let (width, height) = self.size_of(id)?;
        let config = self.properties(id, *b"av1C").next();
        let config = config.ok_or_else(|| corrupt("a picture has no AV1 configuration"))?;
        // AV1 Codec ISO Media File Format Binding, 2.3.3: the third byte is tier, high bit depth, twelve bits, monochrome ….
        let flags = Reader(config.get(2..).unwrap_or_default()).u8()?;
        let bit_depth = match (flags & 0x40 != 0, flags & 0x20 != 0) {
            (false, _) => 8,
            (true, false) => 10,
            (true, true) => 12,
        };
        // Version and flags, the number of channels, the depth of each, and in later editions more.
        let depths = self.properties(id, *b"pixi").next().and_then(|body| body.get(4..)?.split_first());
        if depths.is_some_and(|(&count, depths)| depths.iter().take(count.into()).any(|&depth| depth != bit_depth)) {
            return Err(corrupt("its boxes differ in depth"));
        }
        Ok(Tile { width, height, bit_depth, monochrome: flags & 0x10 != 0 })
    }

    fn description_of(&self, id: u32) -> Result<Option<Description>> {
        let Some(body) = self.properties(id, *b"colr").find_map(|body| body.strip_prefix(b"nclx")) else {
            return Ok(None);
        };
        let mut body = Reader(body);
        let primaries = body.u16()?;
        Ok(Some(Description {
            primaries,
            transfer: body.u16()?,
            matrix: body.u16()?,
            full_range: body.u8()? & 0x80 != 0,
        }))
    }

    /// Turned anticlockwise by "irot", then mirrored by "imir", whatever the order of their associations (MIAF, 7.3.6.7).
    fn orientation_of(&self, id: u32) -> Result<Orientation> {
        use Orientation as O;
        let value = |name| self.properties(id, name).next().map(|body| Reader(body).u8()).transpose();
        let quarters = value(*b"irot")?.unwrap_or(0) & 3;
        // 0 exchanges top and bottom, 1 left and right.
        let mirror = value(*b"imir")?.map(|axis| axis & 1);
        Ok(match (quarters, mirror) {
            (0, None) => O::NoTransforms,
            (1, None) => O::Rotate270,
            (2, None) => O::Rotate180,
            (_, None) => O::Rotate90,
            (0, Some(0)) | (2, Some(1)) => O::FlipVertical,
            (0 | 2, Some(_)) => O::FlipHorizontal,
            (1, Some(0)) | (3, Some(1)) => O::Rotate90FlipH,
            (_, Some(_)) => O::Rotate270FlipH,
        })
    }

    fn alpha_of(&self, primary: u32) -> Option<u32> {
        let auxiliaries = self.meta.references.iter().filter(|r| &r.kind == b"auxl" && r.to == primary);
        auxiliaries.map(|reference| reference.from).find(|&id| {
            let mut names =
                self.properties(id, *b"auxC").filter_map(|body| body.get(4..)?.split(|&byte| byte == 0).next());
            names.any(|name| ALPHA.contains(&name))
        })
    }

    pub(super) fn refers(&self, kind: &Code, from: u32, to: u32) -> bool {
        self.meta.references.iter().any(|r| (&r.kind, r.from, r.to) == (kind, from, to))
    }

    fn associations(&self, id: u32) -> impl Iterator<Item = (Code, &Association)> {
        let of_item = self.meta.associations.iter().filter(move |association| association.item == id);
        of_item.filter_map(|association| {
            let (name, _) = self.meta.properties.get(association.property.checked_sub(1)?)?;
            Some((*name, association))
        })
    }

    fn properties(&self, id: u32, wanted: Code) -> impl Iterator<Item = &'a [u8]> {
        let wanted = self.associations(id).filter(move |(name, _)| *name == wanted);
        wanted.map(|(_, association)| self.meta.properties[association.property - 1].1)
    }

    /// Where the extents of an item lie in the file; `None` for one that is not all there.
    pub(super) fn places(&self, location: &Location) -> impl Iterator<Item = Option<Range<usize>>> {
        let (source, base) = match location.in_idat {
            // An empty one may lie nowhere.
            true if !self.meta.idat.is_empty() => {
                (self.meta.idat, self.meta.idat.as_ptr().addr() - self.data.as_ptr().addr())
            }
            true => (self.meta.idat, 0),
            false => (self.data, 0),
        };
        location.extents.iter().map(move |&(offset, length)| {
            let start = usize::try_from(offset).ok()?;
            let length = usize::try_from(length).ok()?;
            let end = if length == 0 { source.len() } else { start.checked_add(length)? };
            source.get(start..end)?;
            Some(base + start..base + end)
        })
    }

    /// An error if any byte of any item is missing, so that no cut goes unnoticed.
    pub(super) fn check_complete(&self) -> Result<()> {
        let mut places = self.meta.locations.iter().flat_map(|location| self.places(location));
        if places.all(|place| place.is_some()) { Ok(()) } else { Err(corrupt("part of its data is missing")) }
    }

    /// The bytes of an item; an error if any of them is missing.
    pub(super) fn data_of(&self, id: u32) -> Result<Cow<'a, [u8]>> {
        let location = self.meta.locations.iter().find(|location| location.item == id);
        self.data_at(location.ok_or_else(|| corrupt("its picture is not there"))?)
    }

    fn data_at(&self, location: &Location) -> Result<Cow<'a, [u8]>> {
        let data = self.data;
        let missing = || corrupt("part of its data is missing");
        let mut parts = self.places(location).map(|place| Ok(&data[place.ok_or_else(missing)?]));
        if location.extents.len() == 1 {
            return parts.next().ok_or_else(missing)?.map(Cow::Borrowed);
        }
        let mut joined = Vec::new();
        for part in parts {
            joined.extend_from_slice(part?);
            // Overlapping extents could make much of little.
            if joined.len() > data.len() {
                return Err(corrupt("an item is larger than the file"));
            }
        }
        Ok(Cow::Owned(joined))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// In the file, in its "idat" box, and in one that is not there, which must not be looked for at an address.
    #[test]
    fn places_are_in_the_file() {
        let data = b"0123456789";
        let place = |idat, in_idat, extent| {
            let file = File { data, meta: Meta { idat, ..Meta::default() } };
            let location = Location { item: 1, in_idat, extents: vec![extent] };
            file.places(&location).next().unwrap()
        };
        assert_eq!(place(&data[4..8], false, (2, 3)), Some(2..5));
        assert_eq!(place(&data[4..8], true, (1, 2)), Some(5..7));
        assert_eq!(place(&data[4..8], true, (1, 0)), Some(5..8));
        assert_eq!(place(&data[4..8], true, (1, 4)), None);
        assert_eq!(place(&[], true, (0, 0)), Some(0..0));
        assert_eq!(place(&[], true, (0, 1)), None);
        assert_eq!(place(&[], false, (u64::MAX, 1)), None);
    }
}
