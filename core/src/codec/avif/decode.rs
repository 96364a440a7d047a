//! AVIF: decoding by re_rav1d, dav1d's port to Rust with dav1d's assembly.
//!
//! Pictures of 10 and 12 bits become 8 bits, because that is what viewers show.

use image::{DynamicImage, GrayImage, RgbImage, RgbaImage};
use re_rav1d::dav1d::{
    Decoder, Error as Av1Error, Picture, PixelLayout, PlanarImageComponent as Component, Settings, pixel,
};

use super::boxes::corrupt;
use super::color::{Plane, Planes, Transform};
use super::container::{self as container, Container, Description, Item, unsupported};
use crate::codec::{ColorSpace, Header, InputFormat, Metadata, Viewer, without_exif_signature};
use crate::color::{Profile, SRGB_CURVE, TELEVISION};
use crate::error::{Result, catch};
use crate::limits::MAX_AVIF_FRAMES;

pub(crate) fn read_header(data: &[u8]) -> Result<Header> {
    let file = container::parse(data)?;
    refuse_hdr(file.color.description)?;
    // No profile of their own: colours as they are.
    let profile_of = |Description { primaries, transfer, .. }| {
        let transfer = u8::try_from(transfer).ok()?;
        // Chromium takes television's curve for sRGB's in an AVIF, though not in a PNG.
        let transfer = if TELEVISION.contains(&transfer) { SRGB_CURVE } else { transfer };
        Profile::from_cicp(u8::try_from(primaries).ok()?, transfer)
    };
    Ok(Header {
        format: InputFormat::Avif,
        width: file.color.width,
        height: file.color.height,
        has_alpha: file.alpha.is_some(),
        bit_depth: file.color.bit_depth,
        orientation: file.orientation,
        pages: file.pages,
        color_space: if file.color.monochrome { ColorSpace::Gray } else { ColorSpace::Rgb },
        profile: file.profile.map(|icc| Profile::Icc(icc.to_vec())).or_else(|| profile_of(file.color.description?)),
        metadata: Metadata { exif: file.exif().map(without_exif_signature), xmp: file.xmp() },
        density_corrected: None,
        frame_pixels: u64::from(file.color.width) * u64::from(file.color.height),
        missing_end: false,
    })
}

pub(crate) fn decode(data: &[u8], viewer: Viewer) -> Result<DynamicImage> {
    let file = container::parse(data)?;
    let picture = decode_item(&file, &file.color)?;
    let description = match file.color.description {
        Some(description) => description,
        // re_rav1d panics at numbers that no standard defines.
        None => catch(|| Ok(description_of(&picture))).map_err(|_| unsupported("an undefined kind of colour"))?,
    };
    refuse_hdr(Some(description))?;
    let (width, height) = (file.color.width, file.color.height);
    let depth = depth_of(&picture);
    let color = if picture.pixel_layout() == PixelLayout::I400 {
        let gray = planes(&picture).gray(&Transform::gray(depth, description.full_range, viewer));
        GrayImage::from_raw(width, height, gray).map(DynamicImage::ImageLuma8)
    } else {
        let transform = Transform::rgb(depth, description.full_range, description.matrix, viewer);
        let transform = transform.ok_or_else(|| unsupported(format!("matrix coefficients {}", description.matrix)))?;
        if description.matrix == 0 && picture.pixel_layout() != PixelLayout::I444 {
            return Err(corrupt("its RGB planes differ in size"));
        }
        RgbImage::from_raw(width, height, planes(&picture).rgb(&transform, viewer)).map(DynamicImage::ImageRgb8)
    };
    let color = color.ok_or_else(|| corrupt("it decodes to another size than its header says"))?;
    drop(picture);
    match &file.alpha {
        Some(alpha) => Ok(with_alpha(&file, &color, &decode_item(&file, alpha)?, viewer)),
        None => Ok(color),
    }
}

fn with_alpha(file: &Container<'_>, color: &DynamicImage, alpha: &Picture, viewer: Viewer) -> DynamicImage {
    // The range of alpha is that of its stream; a colour description has no meaning for it.
    let alpha = planes(alpha).gray(&Transform::gray(depth_of(alpha), is_full_range(alpha), viewer));
    let mut rgba: RgbaImage = color.to_rgba8();
    for (pixel, alpha) in rgba.pixels_mut().zip(alpha) {
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

/// Viewers map high dynamic range to what their screen can show. Without that the picture would be dull and pale.
fn refuse_hdr(description: Option<Description>) -> Result<()> {
    // H.273, table 3.
    match description.map(|description| description.transfer) {
        Some(16) => Err(unsupported("high dynamic range (PQ)")),
        Some(18) => Err(unsupported("high dynamic range (HLG)")),
        _ => Ok(()),
    }
}

/// Decodes one picture on this thread. Its size is that of the header, or it is an error before memory is taken.
fn decode_item(file: &Container<'_>, item: &Item) -> Result<Picture> {
    let data = file.data(item)?;
    match count_frames(&data)? {
        0 => return Err(corrupt("a picture has no AV1 frame")),
        1..=MAX_AVIF_FRAMES => {}
        _ => return Err(corrupt(format!("a picture has more than {MAX_AVIF_FRAMES} AV1 frames"))),
    }
    let mut settings = Settings::new();
    settings.set_n_threads(1);
    settings.set_max_frame_delay(1);
    // Of a layered picture the best layer alone.
    settings.set_all_layers(false);
    settings.set_frame_size_limit(item.width.saturating_mul(item.height));
    let picture = first_picture(&settings, data).map_err(|error| match error {
        Av1Error::Again => corrupt("its AV1 stream holds no picture"),
        error => corrupt(format!("its AV1 stream is broken ({error})")),
    })?;
    let layout = picture.pixel_layout();
    if (picture.width(), picture.height()) != (item.width, item.height) {
        return Err(corrupt("it decodes to another size than its header says"));
    }
    if depth_of(&picture) != item.bit_depth || (layout == PixelLayout::I400) != item.monochrome {
        return Err(corrupt("it decodes to another pixel format than its header says"));
    }
    Ok(picture)
}

fn first_picture(settings: &Settings, data: Vec<u8>) -> Result<Picture, Av1Error> {
    let unless_again = |result: Result<(), Av1Error>| match result {
        Err(error) if error.is_again() => Ok(()),
        other => other,
    };
    let mut decoder = Decoder::with_settings(settings)?;
    unless_again(decoder.send_data(data, None, None, None))?;
    for _ in 0..=MAX_AVIF_FRAMES {
        match decoder.get_picture() {
            Err(error) if error.is_again() => unless_again(decoder.send_pending_data())?,
            result => return result,
        }
    }
    Err(Av1Error::Again)
}

/// Counts the frame headers of a stream of OBUs (AV1 specification, 5.3). An error if the last OBU is cut.
fn count_frames(mut obus: &[u8]) -> Result<usize> {
    const FRAME_HEADER: u8 = 3;
    const FRAME: u8 = 6;
    let mut frames = 0;
    while let Some((&header, rest)) = obus.split_first() {
        let (kind, has_extension, has_size) = (header >> 3 & 0xF, header & 4 != 0, header & 2 != 0);
        let rest = rest.get(usize::from(has_extension)..).ok_or_else(|| corrupt("its AV1 stream is cut"))?;
        let (size, rest) = if has_size { leb128(rest)? } else { (rest.len() as u64, rest) };
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        obus = rest.get(size..).ok_or_else(|| corrupt("its AV1 stream is cut"))?;
        frames += usize::from(matches!(kind, FRAME_HEADER | FRAME));
    }
    Ok(frames)
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

fn depth_of(picture: &Picture) -> u8 {
    picture.bit_depth() as u8
}

fn is_full_range(picture: &Picture) -> bool {
    picture.color_range() == pixel::YUVRange::Full
}

/// What the stream itself says, in the code points of H.273.
fn description_of(picture: &Picture) -> Description {
    use pixel::{MatrixCoefficients as Matrix, TransferCharacteristic as Transfer};
    Description {
        // Of a stream alone viewers do not ask for them.
        primaries: 2,
        transfer: match picture.transfer_characteristic() {
            Transfer::PerceptualQuantizer => 16,
            Transfer::HybridLogGamma => 18,
            _ => 2,
        },
        matrix: match picture.matrix_coefficients() {
            Matrix::Identity => 0,
            Matrix::BT709 => 1,
            Matrix::Unspecified => 2,
            Matrix::BT470M => 4,
            Matrix::BT470BG | Matrix::ST170M => 6,
            Matrix::ST240M => 7,
            Matrix::YCgCo => 8,
            Matrix::BT2020NonConstantLuminance => 9,
            Matrix::BT2020ConstantLuminance => 10,
            // Any that is not supported.
            _ => 255,
        },
        full_range: is_full_range(picture),
    }
}

fn planes(picture: &Picture) -> Planes<re_rav1d::dav1d::Plane> {
    let plane = |component| Plane {
        bytes: picture.plane(component),
        stride: picture.stride(component) as usize,
        wide: picture.bit_depth() > 8,
    };
    let (subsampled_x, subsampled_y) = match picture.pixel_layout() {
        PixelLayout::I420 => (true, true),
        PixelLayout::I422 => (true, false),
        PixelLayout::I400 | PixelLayout::I444 => (false, false),
    };
    let has_chroma = picture.pixel_layout() != PixelLayout::I400;
    Planes {
        width: picture.width() as usize,
        height: picture.height() as usize,
        luma: plane(Component::Y),
        chroma: has_chroma.then(|| [plane(Component::U), plane(Component::V)]),
        subsampled_x,
        subsampled_y,
    }
}
