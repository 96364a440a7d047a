//! Animations of every format: which are read, frame by frame, and which are written.

use image::RgbaImage;

use super::{Encoder, Format, InputFormat, Target, gif, webp};
use crate::error::{Error, Result};
use crate::image::ImageBuffer;

/// What all frames of an animation share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Motion {
    /// Size of the canvas in pixels.
    pub width: u32,
    pub height: u32,
    /// How often it plays, 0 for ever.
    pub plays: u16,
}

/// One frame as shown: the whole canvas as stored, before it is turned upright, with every fully transparent pixel black;
/// and for how long, in milliseconds.
pub(crate) struct Canvas {
    pub image: RgbaImage,
    pub duration: u32,
}

/// Frames, decoded one after the other; the last item is the first error.
pub(crate) type Canvases<'a> = Box<dyn Iterator<Item = Result<Canvas>> + 'a>;

pub(super) fn until_error<'a>(mut next: impl FnMut() -> Result<Option<Canvas>> + 'a) -> Canvases<'a> {
    let mut ended = false;
    Box::new(std::iter::from_fn(move || {
        let item = if ended { None } else { next().transpose() };
        ended = !matches!(item, Some(Ok(_)));
        item
    }))
}

/// The frames of a file of a format for which [`super::Header::frames_are_read`].
pub(crate) fn canvases(format: InputFormat, data: &[u8]) -> Result<Canvases<'_>> {
    match format {
        InputFormat::Gif => gif::canvases(data),
        InputFormat::Webp => webp::canvases(data),
        other => Err(Error::internal(format!("frames of {other} are not read"))),
    }
}

/// How often such a file plays, 0 for ever.
pub(crate) fn plays(format: InputFormat, data: &[u8]) -> Result<u16> {
    match format {
        InputFormat::Gif => gif::plays(data),
        InputFormat::Webp => webp::plays(data),
        other => Err(Error::internal(format!("frames of {other} are not read"))),
    }
}

/// The lowest quality at which an encoder of animations sees a change of `depth` steps of a sample, if any does.
pub(crate) fn quality_that_sees(format: Format, depth: u8) -> Option<u8> {
    if format == Format::Webp { webp::quality_that_sees(depth) } else { None }
}

/// Memory that an encoder of animations keeps from frame to frame, in bytes per pixel of the canvas.
pub(crate) const ANIMATION_BYTES_PER_PIXEL: u64 = webp::ANIMATION_BYTES_PER_PIXEL;

impl Encoder<'_> {
    /// Makes an animation of pictures with 8 bits per sample and their durations in milliseconds. As WebP, and not with
    /// [`Target::Palette`].
    pub(crate) fn encode_animation(
        &self,
        motion: Motion,
        frames: impl Iterator<Item = Result<(ImageBuffer, u32)>>,
        target: Target,
    ) -> Result<Vec<u8>> {
        match self.format {
            Format::Webp => webp::encode_animation(self, motion, frames, target),
            other => Err(Error::internal(format!("animated {other} is not written"))),
        }
    }
}
