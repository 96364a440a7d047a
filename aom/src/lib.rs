//! AV1 still pictures by libaom, whose workers run as jobs of the current rayon pool.
//!
//! A crate of its own because calling C needs `unsafe`, and the engine forbids that.

mod context;
mod decoder;
mod workers;

use std::ffi::{CString, c_int, c_uint};
use std::fmt;
use std::mem::MaybeUninit;
use std::ptr;

use libaom_sys as ffi;

use self::context::{Context, text};
pub use self::decoder::{Frame, Plane, decode};

/// Longest side of a picture, in pixels: the frame size fields of an AV1 sequence header have 16 bits.
pub const MAX_SIDE: u32 = 65_536;

/// Coarsest quantizer; 0 is the finest. The scale of libaom's `cq-level`.
pub const MAX_QUANTIZER: u8 = 63;

/// Which samples there are beside luma.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subsampling {
    /// Luma alone.
    Monochrome,
    /// Chroma has half the width and half the height, rounded up.
    Half,
    /// Chroma has the size of luma.
    None,
}

/// Luma, Cb and Cr in full range, rows from the top without padding. The chroma planes of a monochrome picture are empty.
#[derive(Debug, Clone, Copy)]
pub enum Planes<'a> {
    EightBit([&'a [u8]; 3]),
    /// Each sample at most 1023.
    TenBit([&'a [u16]; 3]),
}

/// What is encoded. Its colours are described as sRGB with the BT.601 matrix; a monochrome picture says nothing of colours.
#[derive(Debug, Clone, Copy)]
pub struct Picture<'a> {
    /// Pixels, 1 to [`MAX_SIDE`].
    pub width: u32,
    /// Pixels, 1 to [`MAX_SIDE`].
    pub height: u32,
    pub subsampling: Subsampling,
    pub planes: Planes<'a>,
}

/// How it is encoded. The bytes are a function of picture and settings, whatever the pool.
#[derive(Debug, Clone, Copy)]
pub struct Settings<'a> {
    /// libaom's `cpu-used`, 0 (slowest) to 9.
    pub speed: u8,
    /// 0 (best) to [`MAX_QUANTIZER`].
    pub quantizer: u8,
    /// Keeps every sample; `quantizer` has no meaning then.
    pub lossless: bool,
    /// Columns and rows of tiles as powers of two, 0 to 6 each. libaom makes fewer where a tile would be smaller than its
    /// unit of 64 or 128 pixels. As many jobs as tiles run at once.
    pub tiles_log2: (u8, u8),
    /// Further options by the names of libaom's `aomenc`, without the dashes.
    pub options: &'a [(&'a str, &'a str)],
}

/// What libaom says to a picture or setting that it cannot take, or when memory ran out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AomError(String);

impl fmt::Display for AomError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl std::error::Error for AomError {}

/// Encodes one still picture in the current rayon pool, or on this thread alone outside of any.
///
/// The bytes are the OBUs that AVIF stores: sequence header and frame, without a temporal delimiter.
pub fn encode(picture: &Picture<'_>, settings: &Settings<'_>) -> Result<Vec<u8>, AomError> {
    picture.check()?;
    workers::install();
    let mut encoder = Encoder::new(picture, settings)?;
    encoder.configure(picture, settings)?;
    encoder.encode(&picture.image())
}

impl Picture<'_> {
    /// What libaom takes on trust.
    fn check(&self) -> Result<(), AomError> {
        if ![self.width, self.height].iter().all(|side| (1..=MAX_SIDE).contains(side)) {
            return Err(AomError(format!("{} x {} pixels are no AV1 picture", self.width, self.height)));
        }
        let (width, height) = (self.width as usize, self.height as usize);
        let chroma = match self.subsampling {
            Subsampling::Monochrome => 0,
            Subsampling::Half => width.div_ceil(2) * height.div_ceil(2),
            Subsampling::None => width * height,
        };
        let lengths = match self.planes {
            Planes::EightBit(planes) => planes.map(<[u8]>::len),
            Planes::TenBit(planes) => planes.map(<[u16]>::len),
        };
        if lengths != [width * height, chroma, chroma] {
            return Err(AomError(format!("planes of {lengths:?} samples do not fit {width} x {height} pixels")));
        }
        if let Planes::TenBit(planes) = self.planes
            && planes.iter().any(|plane| plane.iter().fold(0, |bits, sample| bits | sample) >= 1 << 10)
        {
            return Err(AomError("a sample has more than ten bits".to_owned()));
        }
        Ok(())
    }

    fn bit_depth(&self) -> c_uint {
        match self.planes {
            Planes::EightBit(_) => 8,
            Planes::TenBit(_) => 10,
        }
    }

    /// libaom's view of the planes, valid as long as they are.
    fn image(&self) -> ffi::aom_image_t {
        let (wide, shift) = match self.subsampling {
            Subsampling::None => (self.width, 0),
            Subsampling::Half | Subsampling::Monochrome => (self.width.div_ceil(2), 1),
        };
        let (planes, bytes) = match self.planes {
            Planes::EightBit(planes) => (planes.map(|plane| plane.as_ptr().cast_mut()), 1),
            Planes::TenBit(planes) => (planes.map(|plane| plane.as_ptr().cast_mut().cast()), 2),
        };
        // SAFETY: zeros are valid for every field: integers and nullable pointers.
        let mut image: ffi::aom_image_t = unsafe { std::mem::zeroed() };
        image.fmt = match (shift, bytes) {
            (0, 1) => ffi::AOM_IMG_FMT_I444,
            (0, _) => ffi::AOM_IMG_FMT_I44416,
            (_, 1) => ffi::AOM_IMG_FMT_I420,
            (..) => ffi::AOM_IMG_FMT_I42016,
        };
        image.bit_depth = self.bit_depth();
        image.range = ffi::AOM_CR_FULL_RANGE;
        image.monochrome = c_int::from(self.subsampling == Subsampling::Monochrome);
        (image.w, image.h) = (self.width, self.height);
        (image.d_w, image.d_h) = (self.width, self.height);
        (image.x_chroma_shift, image.y_chroma_shift) = (shift, shift);
        image.planes = planes;
        image.stride = [self.width, wide, wide].map(|samples| samples as c_int * bytes);
        image
    }
}

/// An encoder of one frame.
struct Encoder(Context);

impl Encoder {
    fn new(picture: &Picture<'_>, settings: &Settings<'_>) -> Result<Self, AomError> {
        let mut config = MaybeUninit::uninit();
        // SAFETY: libaom fills the struct when it answers OK; the interface is a constant of the library.
        let config: &mut ffi::aom_codec_enc_cfg_t = unsafe {
            let interface = ffi::aom_codec_av1_cx();
            let answer = ffi::aom_codec_enc_config_default(interface, config.as_mut_ptr(), ffi::AOM_USAGE_ALL_INTRA);
            if answer != ffi::AOM_CODEC_OK {
                return Err(AomError(text(ffi::aom_codec_err_to_string(answer))));
            }
            config.assume_init_mut()
        };
        let monochrome = picture.subsampling == Subsampling::Monochrome;
        (config.g_w, config.g_h) = (picture.width, picture.height);
        // One frame: libaom writes a still picture with the reduced header.
        config.g_limit = 1;
        config.g_bit_depth = picture.bit_depth();
        config.g_input_bit_depth = picture.bit_depth();
        // The profiles of AV1: 0 (main) for 4:2:0 and luma alone, 1 (high) for 4:4:4.
        config.g_profile = c_uint::from(picture.subsampling == Subsampling::None);
        config.monochrome = c_uint::from(monochrome);
        // Jobs, not threads. Their number decides nothing but who encodes which tile.
        config.g_threads = 1 << (settings.tiles_log2.0.min(6) + settings.tiles_log2.1.min(6)).min(6);
        config.rc_end_usage = ffi::AOM_Q;
        let flags = if picture.bit_depth() > 8 { ffi::AOM_CODEC_USE_HIGHBITDEPTH } else { 0 };
        let mut context = Context::blank();
        // SAFETY: the context is blank, interface and configuration come from libaom, which copies the configuration.
        let answer = unsafe {
            let version = ffi::AOM_ENCODER_ABI_VERSION as c_int;
            ffi::aom_codec_enc_init_ver(context.raw(), ffi::aom_codec_av1_cx(), config, flags.into(), version)
        };
        context.check(answer)?;
        Ok(Self(context))
    }

    fn configure(&mut self, picture: &Picture<'_>, settings: &Settings<'_>) -> Result<(), AomError> {
        for (name, value) in settings.options {
            self.set_option(name, value)?;
        }
        self.0.control(ffi::AOME_SET_CPUUSED, c_int::from(settings.speed))?;
        self.0.control(ffi::AOME_SET_CQ_LEVEL, c_int::from(settings.quantizer))?;
        self.0.control(ffi::AV1E_SET_LOSSLESS, c_int::from(settings.lossless))?;
        self.0.control(ffi::AV1E_SET_TILE_COLUMNS, c_int::from(settings.tiles_log2.0))?;
        self.0.control(ffi::AV1E_SET_TILE_ROWS, c_int::from(settings.tiles_log2.1))?;
        // Its bytes differ between one worker and several.
        self.0.control(ffi::AV1E_SET_ROW_MT, 0)?;
        self.0.control(ffi::AV1E_SET_COLOR_RANGE, ffi::AOM_CR_FULL_RANGE as c_int)?;
        if picture.subsampling != Subsampling::Monochrome {
            self.0.control(ffi::AV1E_SET_COLOR_PRIMARIES, ffi::AOM_CICP_CP_BT_709 as c_int)?;
            self.0.control(ffi::AV1E_SET_TRANSFER_CHARACTERISTICS, ffi::AOM_CICP_TC_SRGB as c_int)?;
            self.0.control(ffi::AV1E_SET_MATRIX_COEFFICIENTS, ffi::AOM_CICP_MC_BT_601 as c_int)?;
        }
        Ok(())
    }

    fn set_option(&mut self, name: &str, value: &str) -> Result<(), AomError> {
        let [c_name, c_value] = [name, value].map(CString::new);
        let (Ok(c_name), Ok(c_value)) = (c_name, c_value) else {
            return Err(AomError("an option has a zero in its text".to_owned()));
        };
        // SAFETY: the context is initialised and both texts end in a zero; libaom copies what it keeps.
        let answer = unsafe { ffi::aom_codec_set_option(self.0.raw(), c_name.as_ptr(), c_value.as_ptr()) };
        self.0.check(answer).map_err(|AomError(why)| AomError(format!("option {name}={value}: {why}")))
    }

    fn encode(&mut self, image: &ffi::aom_image_t) -> Result<Vec<u8>, AomError> {
        let mut bytes = Vec::new();
        // The frame, and then the order to hold nothing back.
        for frame in [ptr::from_ref(image), ptr::null()] {
            // SAFETY: the context is initialised; the planes have the lengths that their sizes ask for (`check`), and
            // libaom only reads them, during this call.
            let answer = unsafe { ffi::aom_codec_encode(self.0.raw(), frame, 0, 1, 0) };
            self.0.check(answer)?;
            self.take_packets(&mut bytes);
        }
        // A temporal delimiter: an OBU header that says it has a size, and size 0. AVIF leaves it out.
        if bytes.starts_with(&[0x12, 0x00]) {
            bytes.drain(..2);
        }
        if bytes.is_empty() {
            return Err(AomError("libaom encoded nothing".to_owned()));
        }
        Ok(bytes)
    }

    fn take_packets(&mut self, bytes: &mut Vec<u8>) {
        let mut position = ptr::null();
        loop {
            // SAFETY: the context is initialised and `position` is null or what libaom left in it.
            let packet = unsafe { ffi::aom_codec_get_cx_data(self.0.raw(), &raw mut position).as_ref() };
            let Some(packet) = packet else { return };
            if packet.kind == ffi::AOM_CODEC_CX_FRAME_PKT {
                // SAFETY: a packet of this kind has the member `frame`, whose buffer holds until the next call.
                unsafe {
                    let frame = packet.data.frame;
                    bytes.extend_from_slice(std::slice::from_raw_parts(frame.buf.cast::<u8>(), frame.sz));
                }
            }
        }
    }
}
