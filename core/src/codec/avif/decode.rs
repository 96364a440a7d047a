//! AVIF: from the container to a picture.
//!
//! Pictures of 10 and 12 bits become 8 bits, because that is what viewers show.

use image::{DynamicImage, GrayImage, RgbImage, RgbaImage};

use super::boxes::corrupt;
use super::color::{Description, Planes, Transform};
use super::container::{self as container, Container, Picture, unsupported};
use super::decoder::{self, Samples};
use super::grid::Canvas;
use super::obu::Stream;
use super::sequence::SequenceHeader;
use crate::codec::{ColorSpace, Header, InputFormat, Metadata, Provenance, Viewer, without_exif_signature};
use crate::color::{Profile, SRGB_CURVE, TELEVISION};
use crate::error::{Error, Result};
use crate::limits::REPEATED_TILE_BYTES;

pub(crate) fn read_header(data: &[u8]) -> Result<Header> {
    let file = container::parse(data)?;
    // No profile of their own: colours as they are.
    let profile_of = |Description { primaries, transfer, .. }| {
        let transfer = u8::try_from(transfer).ok()?;
        // Chromium takes television's curve for sRGB's in an AVIF, though not in a PNG.
        let transfer = if TELEVISION.contains(&transfer) { SRGB_CURVE } else { transfer };
        Profile::from_cicp(u8::try_from(primaries).ok()?, transfer)
    };
    let tile = file.color.tile;
    Ok(Header {
        format: InputFormat::Avif,
        width: file.color.width,
        height: file.color.height,
        has_alpha: file.alpha.is_some(),
        bit_depth: tile.bit_depth,
        orientation: file.orientation,
        pages: file.pages,
        color_space: if tile.monochrome { ColorSpace::Gray } else { ColorSpace::Rgb },
        profile: file.profile.map(|icc| Profile::Icc(icc.to_vec())).or_else(|| profile_of(file.color.description?)),
        metadata: Metadata { exif: file.exif().map(without_exif_signature), xmp: file.xmp() },
        density_corrected: None,
        frame_pixels: u64::from(file.color.width) * u64::from(file.color.height),
        missing_end: false,
    })
}

pub(crate) fn decode(data: &[u8], viewer: Viewer, provenance: Provenance) -> Result<DynamicImage> {
    let file = container::parse(data)?;
    file.file.check_complete()?;
    let color = with_planes(&file, &file.color, provenance, |planes, header| {
        let description = file.color.description.unwrap_or(header.description);
        to_image(planes, header.bit_depth, description, viewer)
    })?;
    let Some(alpha) = &file.alpha else { return Ok(color) };
    // The range of alpha is that of its stream; a colour description has no meaning for it.
    let alpha = with_planes(&file, alpha, provenance, |planes, header| {
        Ok(planes.gray(&Transform::gray(header.bit_depth, header.description.full_range, viewer)))
    })?;
    Ok(with_alpha(&file, &color, &alpha))
}

/// Decodes the tiles of a picture one by one, each held against the container before memory is taken, and hands on the
/// planes of the whole.
fn with_planes<T>(
    file: &Container<'_>,
    picture: &Picture,
    provenance: Provenance,
    look: impl FnOnce(&Planes<Samples<'_>>, &SequenceHeader) -> Result<T>,
) -> Result<T> {
    let mut laid_out: Option<(Canvas, SequenceHeader)> = None;
    let mut bytes = 0;
    for (index, &id) in picture.tiles.iter().enumerate() {
        let data = file.file.data_of(id)?;
        bytes += data.len();
        if bytes > file.file.data.len() + REPEATED_TILE_BYTES {
            return Err(corrupt("the tiles of its grid are larger than the file"));
        }
        let Stream { header, obus } = Stream::of(&data)?;
        if (header.width, header.height) != (picture.tile.width, picture.tile.height) {
            return Err(corrupt("its AV1 stream has another size than its header says"));
        }
        if (header.bit_depth, header.monochrome) != (picture.tile.bit_depth, picture.tile.monochrome) {
            return Err(corrupt("its AV1 stream has another pixel format than its header says"));
        }
        let frame = decoder::decode(&header, obus, provenance)?;
        let planes = frame.planes()?;
        if (picture.width, picture.height) == (header.width, header.height) {
            return look(&planes, &header);
        }
        let (canvas, _) = match &mut laid_out {
            Some(laid_out) => laid_out,
            None => laid_out.insert((Canvas::new(picture, &planes)?, header)),
        };
        canvas.put(picture, index, &planes)?;
    }
    let (canvas, header) = laid_out.ok_or_else(|| corrupt("its grid has no tiles"))?;
    look(&canvas.into_planes(), &header)
}

fn to_image(
    planes: &Planes<Samples<'_>>,
    bit_depth: u8,
    description: Description,
    viewer: Viewer,
) -> Result<DynamicImage> {
    let (width, height) = (planes.width as u32, planes.height as u32);
    let image = if planes.chroma.is_none() {
        let gray = planes.gray(&Transform::gray(bit_depth, description.full_range, viewer));
        GrayImage::from_raw(width, height, gray).map(DynamicImage::ImageLuma8)
    } else {
        let transform = Transform::rgb(bit_depth, description, viewer);
        let transform = transform.ok_or_else(|| unsupported(format!("matrix coefficients {}", description.matrix)))?;
        if description.matrix == 0 && (planes.subsampled_x || planes.subsampled_y) {
            return Err(corrupt("its RGB planes differ in size"));
        }
        RgbImage::from_raw(width, height, planes.rgb(&transform, viewer)).map(DynamicImage::ImageRgb8)
    };
    image.ok_or_else(|| Error::internal("a decoded picture of another size"))
}

fn with_alpha(file: &Container<'_>, color: &DynamicImage, alpha: &[u8]) -> DynamicImage {
    let mut rgba: RgbaImage = color.to_rgba8();
    for (pixel, &alpha) in rgba.pixels_mut().zip(alpha) {
        let [r, g, b, _] = pixel.0;
        let colors = if file.premultiplied { [r, g, b].map(|color| divided(color, alpha)) } else { [r, g, b] };
        pixel.0 = [colors[0], colors[1], colors[2], alpha];
    }
    DynamicImage::ImageRgba8(rgba)
}

/// Undoes the multiplication by alpha.
fn divided(color: u8, alpha: u8) -> u8 {
    let (color, alpha) = (u16::from(color), u16::from(alpha));
    (color * 255 + alpha / 2).checked_div(alpha).unwrap_or(0).min(255) as u8
}
