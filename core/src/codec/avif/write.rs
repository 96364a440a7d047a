//! The container of the files that we make: one picture, perhaps its alpha and EXIF (ISO/IEC 23008-12; AV1 Image File
//! Format 1.1). What the boxes say of a picture is what its AV1 stream says.

use super::boxes::Code;
use super::obu::sequence_header;
use super::sequence::SequenceHeader;
use crate::error::{Error, Result};

/// What goes into a file.
pub struct CodedPicture<'a> {
    /// Size in pixels.
    pub width: u32,
    pub height: u32,
    /// AV1 streams: of colour or grey, and of alpha.
    pub color: &'a [u8],
    pub alpha: Option<&'a [u8]>,
    /// Code point of H.273 if the colours are not those of sRGB; its curve, the BT.601 matrix and the full range go along.
    pub primaries: Option<u8>,
    /// A TIFF structure.
    pub exif: Option<&'a [u8]>,
}

struct Item<'a> {
    id: u16,
    kind: &'static Code,
    /// What it is to the picture.
    relation: Option<&'static Code>,
    /// Numbers of its properties, from 1, in the order of the file.
    properties: Vec<u8>,
    extents: Vec<&'a [u8]>,
}

/// A decoder that does not understand the property must not show the picture.
const ESSENTIAL: u8 = 0x80;

impl CodedPicture<'_> {
    pub fn to_avif(&self) -> Result<Vec<u8>> {
        let mut properties = Vec::new();
        let mut push = |property: Vec<u8>| {
            properties.push(property);
            properties.len() as u8
        };
        let size = push(full_box(b"ispe", &[&self.width.to_be_bytes(), &self.height.to_be_bytes()]));
        let header = sequence_header(self.color)?;
        let mut of_color = vec![size, push(av1c(&header)) | ESSENTIAL, push(pixi(&header))];
        if let Some(primaries) = self.primaries {
            // The curve of sRGB, the BT.601 matrix, the full range.
            of_color.push(push(boxed(b"colr", &[b"nclx", &[0, primaries, 0, 13, 0, 6, 0x80]])));
        }
        let mut items =
            vec![Item { id: 1, kind: b"av01", relation: None, properties: of_color, extents: vec![self.color] }];
        if let Some(exif) = self.exif {
            // The TIFF structure begins right behind this number.
            let extents = vec![&[0; 4][..], exif];
            items.push(Item { id: 3, kind: b"Exif", relation: Some(b"cdsc"), properties: Vec::new(), extents });
        }
        if let Some(alpha) = self.alpha {
            let header = sequence_header(alpha)?;
            let (config, depth) = (push(av1c(&header)) | ESSENTIAL, push(pixi(&header)));
            let name = push(full_box(b"auxC", &[b"urn:mpeg:mpegB:cicp:systems:auxiliary:alpha\0"]));
            let properties = vec![size, config, name, depth];
            items.push(Item { id: 2, kind: b"av01", relation: Some(b"auxl"), properties, extents: vec![alpha] });
        }
        let brands: [&[u8]; 4] = [b"avif", &[0; 4], b"mif1", b"miaf"];
        let file_type = boxed(b"ftyp", &brands);
        // The places of the items follow from the length of the tables, which does not depend on them.
        let tables = meta(&items, &properties, 0).len();
        let data_start = file_type.len() + tables + BOX_HEADER;
        // The picture comes last, so that its alpha is there when it is drawn.
        let data = in_file(&items).flat_map(|item| item.extents.iter().copied()).collect::<Vec<_>>();
        let end = data_start + data.iter().map(|extent| extent.len()).sum::<usize>();
        u32::try_from(end).map_err(|_| Error::internal("an AVIF of more than 4 GiB"))?;
        let parts = [file_type, meta(&items, &properties, data_start as u32), boxed(b"mdat", &data)];
        Ok(parts.concat())
    }
}

/// The items in the order of their data.
fn in_file<'i, 'a>(items: &'i [Item<'a>]) -> impl Iterator<Item = &'i Item<'a>> {
    items.iter().skip(1).chain(items.first())
}

fn meta(items: &[Item<'_>], properties: &[Vec<u8>], data_start: u32) -> Vec<u8> {
    let handler = full_box(b"hdlr", &[&[0; 4], b"pict", &[0; 13]]);
    let primary = full_box(b"pitm", &[&1_u16.to_be_bytes()]);
    let count = (items.len() as u16).to_be_bytes();
    let mut entries = vec![count.to_vec()];
    entries.extend(items.iter().map(|item| {
        let (id, no_protection, no_name) = (item.id.to_be_bytes(), [0; 2], [0]);
        versioned_box(b"infe", 2, &[&id, &no_protection, item.kind, &no_name])
    }));
    let relations = items.iter().filter_map(|item| {
        let of = |relation| boxed(relation, &[&item.id.to_be_bytes(), &1_u16.to_be_bytes(), &1_u16.to_be_bytes()]);
        item.relation.map(of)
    });
    let relations: Vec<_> = relations.collect();
    let described: Vec<_> = items.iter().filter(|item| !item.properties.is_empty()).collect();
    let mut associations = (described.len() as u32).to_be_bytes().to_vec();
    for item in described {
        associations.extend(item.id.to_be_bytes());
        associations.push(item.properties.len() as u8);
        associations.extend(&item.properties);
    }
    let mut parts = vec![handler, primary, locations(items, data_start), full_box(b"iinf", &slices(&entries))];
    if !relations.is_empty() {
        parts.push(full_box(b"iref", &slices(&relations)));
    }
    let container = boxed(b"ipco", &slices(properties));
    parts.push(boxed(b"iprp", &[&container, &full_box(b"ipma", &[&associations])]));
    full_box(b"meta", &slices(&parts))
}

/// Offsets and lengths of 32 bits, from the start of the file.
fn locations(items: &[Item<'_>], data_start: u32) -> Vec<u8> {
    let mut body = vec![0x44, 0];
    body.extend((items.len() as u16).to_be_bytes());
    let mut offset = data_start;
    for item in in_file(items) {
        body.extend(item.id.to_be_bytes());
        body.extend([0; 2]);
        body.extend((item.extents.len() as u16).to_be_bytes());
        for extent in &item.extents {
            body.extend(offset.to_be_bytes());
            body.extend((extent.len() as u32).to_be_bytes());
            offset = offset.wrapping_add(extent.len() as u32);
        }
    }
    full_box(b"iloc", &[&body])
}

/// AV1 Codec ISO Media File Format Binding, 2.3.
fn av1c(header: &SequenceHeader) -> Vec<u8> {
    const MARKER_AND_VERSION: u8 = 0x81;
    let flags = [
        header.tier,
        header.bit_depth > 8,
        header.bit_depth > 10,
        header.monochrome,
        header.subsampling.0,
        header.subsampling.1,
    ];
    let flags = flags.iter().fold(0, |byte, &flag| byte << 1 | u8::from(flag));
    let profile_and_level = header.profile << 5 | header.level;
    boxed(b"av1C", &[&[MARKER_AND_VERSION, profile_and_level, flags << 2 | header.chroma_position, 0]])
}

/// The depth of each channel (ISO/IEC 23008-12, 6.5.6).
fn pixi(header: &SequenceHeader) -> Vec<u8> {
    let channels = if header.monochrome { 1 } else { 3 };
    full_box(b"pixi", &[&[channels], &vec![header.bit_depth; channels.into()]])
}

/// Bytes of a box's length and name.
const BOX_HEADER: usize = 8;

fn boxed(name: &Code, parts: &[&[u8]]) -> Vec<u8> {
    let length = BOX_HEADER + parts.iter().map(|part| part.len()).sum::<usize>();
    let mut bytes = Vec::with_capacity(length);
    bytes.extend((length as u32).to_be_bytes());
    bytes.extend(name);
    for part in parts {
        bytes.extend_from_slice(part);
    }
    bytes
}

/// A box with version 0 and no flags.
fn full_box(name: &Code, parts: &[&[u8]]) -> Vec<u8> {
    versioned_box(name, 0, parts)
}

fn versioned_box(name: &Code, version: u8, parts: &[&[u8]]) -> Vec<u8> {
    let head: &[u8] = &[version, 0, 0, 0];
    boxed(name, &[&[head], parts].concat())
}

fn slices(parts: &[Vec<u8>]) -> Vec<&[u8]> {
    parts.iter().map(Vec::as_slice).collect()
}
