//! Who decodes an AV1 stream, by whose file it is in.
//!
//! libaom's decoder reports whatever is wrong with a stream as an error. re_rav1d, dav1d's port to Rust, is quicker on one
//! thread, but a panic inside of it ends the process: its entry points are C functions. So it only gets to see what our own
//! encoder has just made, and in builds without libaom everything.

use re_rav1d::dav1d::{self as rav1d, PixelLayout, PlanarImageComponent as Component};

use super::boxes::corrupt;
use super::color::{Plane, Planes};
use super::sequence::SequenceHeader;
use crate::codec::Provenance;
#[cfg(feature = "aom")]
use crate::error::Error;
use crate::error::Result;
use crate::limits::MAX_AVIF_FRAMES;

/// A decoded picture, in its decoder's memory.
pub(super) enum Frame {
    #[cfg(feature = "aom")]
    Aom(pixrace_aom::Frame),
    Rav1d(rav1d::Picture),
}

/// Samples of a plane: in its decoder's memory, or of a canvas.
pub(super) enum Samples<'a> {
    Owned(Vec<u8>),
    #[cfg(feature = "aom")]
    Slice(&'a [u8]),
    Rav1d(rav1d::Plane, std::marker::PhantomData<&'a ()>),
}

impl AsRef<[u8]> for Samples<'_> {
    fn as_ref(&self) -> &[u8] {
        match self {
            Self::Owned(bytes) => bytes,
            #[cfg(feature = "aom")]
            Self::Slice(bytes) => bytes,
            Self::Rav1d(plane, _) => plane,
        }
    }
}

/// Decodes the picture of a stream ([`super::obu::Stream`]), whose header was held against the limits. An error unless it
/// has the size, depth and planes that the header says.
pub(super) fn decode(header: &SequenceHeader, obus: Vec<u8>, provenance: Provenance) -> Result<Frame> {
    let frame = match provenance {
        #[cfg(feature = "aom")]
        Provenance::Foreign => by_aom(&obus)?,
        _ => by_rav1d(header, obus)?,
    };
    let shape = (header.width, header.height, header.bit_depth, header.monochrome, header.subsampling);
    if frame.shape() == shape { Ok(frame) } else { Err(corrupt("it decodes to another picture than its header says")) }
}

#[cfg(feature = "aom")]
fn by_aom(obus: &[u8]) -> Result<Frame> {
    let frame = pixrace_aom::decode(obus, rayon::current_num_threads());
    let frame = frame.map_err(|error| corrupt(format!("its AV1 stream is broken ({error})")))?;
    frame.map(Frame::Aom).ok_or_else(|| corrupt("its AV1 stream holds no picture"))
}

/// On this thread.
fn by_rav1d(header: &SequenceHeader, obus: Vec<u8>) -> Result<Frame> {
    let mut settings = rav1d::Settings::new();
    settings.set_n_threads(1);
    settings.set_max_frame_delay(1);
    // Of a layered picture the best layer alone.
    settings.set_all_layers(false);
    settings.set_frame_size_limit(header.width.saturating_mul(header.height));
    match first_picture(&settings, obus) {
        Ok(picture) => Ok(Frame::Rav1d(picture)),
        Err(rav1d::Error::Again) => Err(corrupt("its AV1 stream holds no picture")),
        Err(error) => Err(corrupt(format!("its AV1 stream is broken ({error})"))),
    }
}

fn first_picture(settings: &rav1d::Settings, data: Vec<u8>) -> Result<rav1d::Picture, rav1d::Error> {
    let unless_again = |result: Result<(), rav1d::Error>| match result {
        Err(error) if error.is_again() => Ok(()),
        other => other,
    };
    let mut decoder = rav1d::Decoder::with_settings(settings)?;
    unless_again(decoder.send_data(data, None, None, None))?;
    for _ in 0..=MAX_AVIF_FRAMES {
        match decoder.get_picture() {
            Err(error) if error.is_again() => unless_again(decoder.send_pending_data())?,
            result => return result,
        }
    }
    Err(rav1d::Error::Again)
}

impl Frame {
    /// Width, height, bits, whether it is monochrome, and how its chroma is subsampled.
    fn shape(&self) -> (u32, u32, u8, bool, (bool, bool)) {
        match self {
            #[cfg(feature = "aom")]
            Self::Aom(frame) => {
                let (width, height) = frame.size();
                (width, height, frame.bit_depth(), frame.is_monochrome(), frame.subsampling())
            }
            Self::Rav1d(picture) => {
                let layout = picture.pixel_layout();
                let subsampling = match layout {
                    PixelLayout::I400 | PixelLayout::I420 => (true, true),
                    PixelLayout::I422 => (true, false),
                    PixelLayout::I444 => (false, false),
                };
                let depth = picture.bit_depth() as u8;
                (picture.width(), picture.height(), depth, layout == PixelLayout::I400, subsampling)
            }
        }
    }

    pub(super) fn planes(&self) -> Result<Planes<Samples<'_>>> {
        let (width, height, _, monochrome, (subsampled_x, subsampled_y)) = self.shape();
        let chroma = if monochrome { None } else { Some([self.plane(1)?, self.plane(2)?]) };
        let (width, height) = (width as usize, height as usize);
        Ok(Planes { width, height, luma: self.plane(0)?, chroma, subsampled_x, subsampled_y })
    }

    #[cfg_attr(not(feature = "aom"), expect(clippy::unnecessary_wraps, reason = "a plane of libaom may be missing"))]
    fn plane(&self, index: usize) -> Result<Plane<Samples<'_>>> {
        match self {
            #[cfg(feature = "aom")]
            Self::Aom(frame) => {
                let plane = frame.plane(index).ok_or_else(|| Error::internal("a decoded picture lacks a plane"))?;
                Ok(Plane { bytes: Samples::Slice(plane.bytes), stride: plane.stride, wide: plane.wide })
            }
            Self::Rav1d(picture) => {
                let component = [Component::Y, Component::U, Component::V][index];
                let bytes = Samples::Rav1d(picture.plane(component), std::marker::PhantomData);
                Ok(Plane { bytes, stride: picture.stride(component) as usize, wide: picture.bit_depth() > 8 })
            }
        }
    }
}
