//! An error manager for libjpeg that takes damaged image data for an error.
//!
//! libjpeg only warns when image data breaks off or makes no sense, and fills the rest with grey. This manager unwinds with
//! the warning's text instead, like mozjpeg's own does for errors. It is a crate of its own because installing callbacks
//! needs `unsafe`, and the engine forbids that.

use std::ffi::c_int;
use std::mem::MaybeUninit;

use mozjpeg::Decompress;
use mozjpeg::decompress::DecompressBuilder;
use mozjpeg_sys as ffi;

/// How the warnings begin that say that pixels are missing or wrong (`jerror.h`; the numbers differ between builds of the
/// library). The others are about odd headers or surplus bytes.
const DAMAGE: [&str; 5] = [
    "Premature end of JPEG file",
    "Corrupt JPEG data: premature end of data segment",
    "Corrupt JPEG data: bad Huffman code",
    "Corrupt JPEG data: bad arithmetic code",
    "Corrupt JPEG data: found marker",
];

/// A decoder that unwinds on errors and on damage, with a `String` as payload: wrap its use in `catch_unwind`.
#[must_use]
pub fn strict_decoder() -> DecompressBuilder<'static> {
    let mut manager = MaybeUninit::<ffi::jpeg_error_mgr>::zeroed();
    // SAFETY: zeros are valid for every field (nullable functions and pointers, integers), and `jpeg_std_error` only
    // writes to the struct that it is given.
    let mut manager = unsafe {
        ffi::jpeg_std_error(manager.assume_init_mut());
        manager.assume_init()
    };
    manager.error_exit = Some(on_error);
    manager.emit_message = Some(on_message);
    Decompress::with_err(manager)
}

extern "C-unwind" fn on_error(info: &mut ffi::jpeg_common_struct) {
    unwind(message(info));
}

/// `level` is −1 for a warning, 0 and more for traces.
extern "C-unwind" fn on_message(info: &mut ffi::jpeg_common_struct, level: c_int) {
    if level < 0 {
        let text = message(info);
        if DAMAGE.iter().any(|damage| text.starts_with(damage)) {
            unwind(text);
        }
    }
}

/// Without the panic hook: this is no defect of the program.
fn unwind(text: String) -> ! {
    std::panic::resume_unwind(Box::new(text))
}

/// `JMSG_LENGTH_MAX` of `jpeglib.h`.
const MESSAGE_BYTES: usize = 200;

type Declared = unsafe extern "C-unwind" fn(&mut ffi::jpeg_common_struct, &[u8; 80]);
type FormatMessage = unsafe extern "C-unwind" fn(&mut ffi::jpeg_common_struct, *mut u8);

/// What libjpeg has to say, in its own words.
fn message(info: &mut ffi::jpeg_common_struct) -> String {
    let mut text = [0_u8; MESSAGE_BYTES];
    // SAFETY: libjpeg hands every callback a struct whose manager is the one that holds the callback: ours. The binding
    // declares the buffer of `format_message` as a shared reference to 80 bytes; the C function takes a pointer and writes up
    // to `MESSAGE_BYTES`, so it is called as what it is.
    unsafe {
        if let Some(declared) = (*info.err).format_message {
            std::mem::transmute::<Declared, FormatMessage>(declared)(info, text.as_mut_ptr());
        }
    }
    let length = text.iter().position(|byte| *byte == 0).unwrap_or(text.len());
    String::from_utf8_lossy(&text[..length]).into_owned()
}
