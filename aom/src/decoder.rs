//! Decoding of one still picture.

use std::ffi::{c_int, c_uint};
use std::ptr;

use libaom_sys as ffi;

use crate::context::Context;
use crate::{AomError, workers};

/// A decoded picture, in memory of libaom's.
pub struct Frame {
    /// Holds what `image` points to, and is not used any more.
    _context: Context,
    image: *const ffi::aom_image_t,
}

// SAFETY: nobody but the frame has the context, whose state is not bound to a thread, and nothing writes to it any more.
unsafe impl Send for Frame {}
// SAFETY: as above: a shared frame is only read.
unsafe impl Sync for Frame {}

/// Rows of samples from the top: of one byte each up to 8 bits, or else of two in the machine's order.
#[derive(Debug, Clone, Copy)]
pub struct Plane<'a> {
    /// The last row may be shorter than the others.
    pub bytes: &'a [u8],
    /// Bytes from row to row.
    pub stride: usize,
    /// Whether samples have two bytes.
    pub wide: bool,
}

/// Decodes the last picture that `obus` show, of the highest layer if it has several, film grain included; `None` if they
/// show none. At most `threads` jobs of the current rayon pool at once. Whatever is not AV1 is an error.
///
/// libaom takes memory by the size that the sequence header tells: the caller has looked at that.
pub fn decode(obus: &[u8], threads: usize) -> Result<Option<Frame>, AomError> {
    workers::install();
    let mut context = Context::blank();
    let config = ffi::aom_codec_dec_cfg_t { threads: threads as c_uint, w: 0, h: 0, allow_lowbitdepth: 1 };
    // SAFETY: the context is blank, the interface comes from libaom, and libaom copies the configuration.
    let answer = unsafe {
        let version = ffi::AOM_DECODER_ABI_VERSION as c_int;
        ffi::aom_codec_dec_init_ver(context.raw(), ffi::aom_codec_av1_dx(), &raw const config, 0, version)
    };
    context.check(answer)?;
    // It keeps the coefficients of the whole frame, which doubles the memory.
    context.control(ffi::AV1D_SET_ROW_MT, 0)?;
    // SAFETY: the context is initialised; libaom only reads the bytes, during this call.
    let answer = unsafe { ffi::aom_codec_decode(context.raw(), obus.as_ptr(), obus.len(), ptr::null_mut()) };
    context.check(answer)?;
    let mut position = ptr::null();
    // SAFETY: the context is initialised and `position` is null. The image holds until the next call for this context.
    let image = unsafe { ffi::aom_codec_get_frame(context.raw(), &raw mut position) };
    Ok((!image.is_null()).then_some(Frame { _context: context, image }))
}

impl Frame {
    fn image(&self) -> &ffi::aom_image_t {
        // SAFETY: not null, libaom's own, and valid as long as the context, which this frame has.
        unsafe { &*self.image }
    }

    /// Width and height in pixels.
    #[must_use]
    pub fn size(&self) -> (u32, u32) {
        (self.image().d_w, self.image().d_h)
    }

    /// 8, 10 or 12.
    #[must_use]
    pub fn bit_depth(&self) -> u8 {
        self.image().bit_depth as u8
    }

    /// Whether there is luma alone.
    #[must_use]
    pub fn is_monochrome(&self) -> bool {
        self.image().monochrome != 0
    }

    /// Whether chroma has half the width, and half the height, rounded up.
    #[must_use]
    pub fn subsampling(&self) -> (bool, bool) {
        (self.image().x_chroma_shift == 1, self.image().y_chroma_shift == 1)
    }

    /// Luma, Cb or Cr: 0, 1 or 2. The last two only if it is not monochrome.
    #[must_use]
    pub fn plane(&self, index: usize) -> Option<Plane<'_>> {
        let image = self.image();
        let luma = index == 0;
        if index > 2 || (!luma && self.is_monochrome()) {
            return None;
        }
        let halved = |side: u32, shift: u32| if luma { side } else { (side + shift) >> shift } as usize;
        let (width, height) = (halved(image.d_w, image.x_chroma_shift), halved(image.d_h, image.y_chroma_shift));
        let wide = image.fmt & ffi::AOM_IMG_FMT_HIGHBITDEPTH != 0;
        let stride = usize::try_from(image.stride[index]).ok()?;
        let row = width << usize::from(wide);
        let start = image.planes[index];
        if start.is_null() || height == 0 || row > stride {
            return None;
        }
        // SAFETY: libaom's plane has `height` rows of `row` bytes, `stride` apart, as long as the context exists.
        let bytes = unsafe { std::slice::from_raw_parts(start, (height - 1) * stride + row) };
        Some(Plane { bytes, stride, wide })
    }
}
