//! The boxes of an AVIF file: numbers, nesting, and the tables of the "meta" box (ISO/IEC 14496-12, 8.11). No box is
//! trusted: every length is checked against the bytes that are there, and every table has a bound.

use crate::codec::InputFormat;
use crate::error::{Error, Result};
use crate::limits::MAX_AVIF_ENTRIES;

/// A four-character code.
pub(super) type Code = [u8; 4];

pub(super) fn corrupt(reason: impl std::fmt::Display) -> Error {
    Error::corrupt(InputFormat::Avif, reason)
}

/// Big-endian numbers from the front of a slice.
#[derive(Clone, Copy)]
pub(super) struct Reader<'a>(pub &'a [u8]);

impl<'a> Reader<'a> {
    pub(super) fn take(&mut self, length: usize) -> Result<&'a [u8]> {
        let (head, rest) = self.0.split_at_checked(length).ok_or_else(|| corrupt("a box ends too early"))?;
        self.0 = rest;
        Ok(head)
    }

    /// A number of 0 to 8 bytes.
    pub(super) fn number(&mut self, bytes: usize) -> Result<u64> {
        Ok(self.take(bytes)?.iter().fold(0, |number, &byte| number << 8 | u64::from(byte)))
    }

    pub(super) fn u8(&mut self) -> Result<u8> {
        Ok(self.number(1)? as u8)
    }

    pub(super) fn u16(&mut self) -> Result<u16> {
        Ok(self.number(2)? as u16)
    }

    pub(super) fn u32(&mut self) -> Result<u32> {
        Ok(self.number(4)? as u32)
    }

    pub(super) fn code(&mut self) -> Result<Code> {
        Ok(self.u32()?.to_be_bytes())
    }

    /// Version and flags of a full box.
    pub(super) fn version(&mut self) -> Result<(u8, u32)> {
        let word = self.u32()?;
        Ok(((word >> 24) as u8, word & 0x00FF_FFFF))
    }

    /// An item's number: 16 bits in boxes of low version, 32 in later ones.
    fn id(&mut self, wide: bool) -> Result<u32> {
        if wide { self.u32() } else { self.u16().map(u32::from) }
    }
}

/// The boxes of a row, by name; an error ends it.
pub(super) fn boxes(data: &[u8]) -> impl Iterator<Item = Result<(Code, &[u8])>> {
    let mut rest = Reader(data);
    std::iter::from_fn(move || {
        if rest.0.is_empty() {
            return None;
        }
        let part = next_box(&mut rest);
        if part.is_err() {
            rest.0 = &[];
        }
        Some(part)
    })
}

fn next_box<'a>(rest: &mut Reader<'a>) -> Result<(Code, &'a [u8])> {
    let (size, name) = (rest.u32()?, rest.code()?);
    let length = match size {
        // To the end of the file.
        0 => rest.0.len() as u64,
        1 => rest.number(8)?.checked_sub(16).ok_or_else(|| corrupt("a box is shorter than its header"))?,
        _ => u64::from(size).checked_sub(8).ok_or_else(|| corrupt("a box is shorter than its header"))?,
    };
    // What does not fit into memory is longer than the file.
    Ok((name, rest.take(usize::try_from(length).unwrap_or(usize::MAX))?))
}

pub(super) fn child<'a>(data: &'a [u8], wanted: &[u8]) -> Option<&'a [u8]> {
    boxes(data).filter_map(Result::ok).find(|(name, _)| name == wanted).map(|(_, body)| body)
}

/// The item tables.
#[derive(Default)]
pub(super) struct Meta<'a> {
    pub primary: Option<u32>,
    pub kinds: Vec<(u32, Kind)>,
    pub locations: Vec<Location>,
    pub references: Vec<Reference>,
    pub properties: Vec<(Code, &'a [u8])>,
    pub associations: Vec<Association>,
    /// Items may lie here instead of in the file.
    pub idat: &'a [u8],
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Av1,
    Exif,
    Xmp,
    Other(Code),
}

pub(super) struct Location {
    pub item: u32,
    pub in_idat: bool,
    /// Offset and length; length 0 means to the end.
    pub extents: Vec<(u64, u64)>,
}

pub(super) struct Reference {
    pub kind: Code,
    pub from: u32,
    pub to: u32,
}

pub(super) struct Association {
    pub item: u32,
    pub essential: bool,
    /// Index into the properties, from 1; 0 is none.
    pub property: usize,
}

impl<'a> Meta<'a> {
    pub(super) fn parse(body: &'a [u8]) -> Result<Self> {
        let mut body = Reader(body);
        body.version()?;
        let mut meta = Self::default();
        for part in boxes(body.0) {
            let (name, content) = part?;
            let mut content = Reader(content);
            match &name {
                b"pitm" => {
                    let wide = content.version()?.0 > 0;
                    meta.primary = Some(content.id(wide)?);
                }
                b"iinf" => meta.read_kinds(content)?,
                b"iloc" => meta.read_locations(content)?,
                b"iref" => meta.read_references(content)?,
                b"iprp" => meta.read_properties(content)?,
                b"idat" => meta.idat = content.0,
                _ => {}
            }
        }
        Ok(meta)
    }

    fn read_kinds(&mut self, mut content: Reader<'a>) -> Result<()> {
        let wide_count = content.version()?.0 > 0;
        content.id(wide_count)?;
        for part in boxes(content.0) {
            let (name, entry) = part?;
            let mut entry = Reader(entry);
            let (version, _) = entry.version()?;
            // Older entries have no type.
            if &name != b"infe" || version < 2 {
                continue;
            }
            let item = entry.id(version > 2)?;
            let protected = entry.u16()? != 0;
            let kind = match entry.code()? {
                _ if protected => Kind::Other(*b"prot"),
                code if &code == b"av01" => Kind::Av1,
                code if &code == b"Exif" => Kind::Exif,
                // Behind the item's name, which ends with a zero byte, follows the content type.
                code if &code == b"mime" && entry.0.split(|&byte| byte == 0).nth(1) == Some(b"application/rdf+xml") => {
                    Kind::Xmp
                }
                code => Kind::Other(code),
            };
            push(&mut self.kinds, (item, kind))?;
        }
        Ok(())
    }

    fn read_locations(&mut self, mut content: Reader<'a>) -> Result<()> {
        let (version, _) = content.version()?;
        let sizes = content.u16()?;
        let size = |shift: u16| usize::from(sizes >> shift & 0xF);
        let (offset_size, length_size, base_size) = (size(12), size(8), size(4));
        let index_size = if version == 0 { 0 } else { size(0) };
        if [offset_size, length_size, base_size, index_size].iter().any(|size| *size > 8) {
            return Err(corrupt("its item locations have numbers of more than 64 bits"));
        }
        for _ in 0..content.id(version > 1)? {
            let item = content.id(version > 1)?;
            let method = if version == 0 { 0 } else { content.u16()? & 0xF };
            let elsewhere = content.u16()? != 0;
            let base = content.number(base_size)?;
            let mut extents = Vec::new();
            for _ in 0..content.u16()? {
                content.take(index_size)?;
                let offset = content.number(offset_size)?.checked_add(base);
                let length = content.number(length_size)?;
                push(
                    &mut extents,
                    (offset.ok_or_else(|| corrupt("an item lies beyond the end of the file"))?, length),
                )?;
            }
            // An item in another file, or within another item, is as good as missing.
            if !elsewhere && method < 2 {
                push(&mut self.locations, Location { item, in_idat: method == 1, extents })?;
            }
        }
        Ok(())
    }

    fn read_references(&mut self, mut content: Reader<'a>) -> Result<()> {
        let wide = content.version()?.0 > 0;
        for part in boxes(content.0) {
            let (kind, body) = part?;
            let mut body = Reader(body);
            let from = body.id(wide)?;
            for _ in 0..body.u16()? {
                push(&mut self.references, Reference { kind, from, to: body.id(wide)? })?;
            }
        }
        Ok(())
    }

    fn read_properties(&mut self, content: Reader<'a>) -> Result<()> {
        for part in boxes(content.0) {
            let (name, body) = part?;
            match &name {
                b"ipco" => {
                    for property in boxes(body) {
                        push(&mut self.properties, property?)?;
                    }
                }
                b"ipma" => self.read_associations(Reader(body))?,
                _ => {}
            }
        }
        Ok(())
    }

    fn read_associations(&mut self, mut content: Reader<'a>) -> Result<()> {
        let (version, flags) = content.version()?;
        for _ in 0..content.u32()? {
            let item = content.id(version > 0)?;
            for _ in 0..content.u8()? {
                // One or two bytes, the first bit of which says "essential".
                let (word, bits) = if flags & 1 == 1 { (content.u16()?, 15) } else { (content.u8()?.into(), 7) };
                let property = usize::from(word & ((1 << bits) - 1));
                push(&mut self.associations, Association { item, essential: word >> bits == 1, property })?;
            }
        }
        Ok(())
    }
}

fn push<T>(table: &mut Vec<T>, entry: T) -> Result<()> {
    if table.len() == MAX_AVIF_ENTRIES {
        return Err(corrupt(format!("one of its tables has more than {MAX_AVIF_ENTRIES} entries")));
    }
    table.push(entry);
    Ok(())
}
