//! What encoder and decoder share: libaom's context, its controls and its errors.

use std::ffi::{CStr, c_char, c_int};

use libaom_sys as ffi;

use crate::AomError;

/// The state of an encoder or a decoder, freed when dropped.
pub(crate) struct Context(ffi::aom_codec_ctx_t);

impl Drop for Context {
    fn drop(&mut self) {
        // SAFETY: the context is zeroed or libaom's own; libaom refuses one that it has no state of.
        unsafe { ffi::aom_codec_destroy(self.raw()) };
    }
}

impl Context {
    /// One that is still to be initialised.
    pub(crate) fn blank() -> Self {
        // SAFETY: zeros are what a context is before it is initialised (integers and nullable pointers).
        Self(unsafe { std::mem::zeroed() })
    }

    pub(crate) fn raw(&mut self) -> *mut ffi::aom_codec_ctx_t {
        &raw mut self.0
    }

    /// Only for controls that take one `int` or `unsigned int`: the same in a call with variable arguments.
    pub(crate) fn control(&mut self, id: impl TryInto<c_int>, value: c_int) -> Result<(), AomError> {
        let Ok(id) = id.try_into() else { return Err(AomError("a control has no number".to_owned())) };
        // SAFETY: the context is initialised and each control passed here takes one integer.
        let answer = unsafe { ffi::aom_codec_control(self.raw(), id, value) };
        self.check(answer)
    }

    pub(crate) fn check(&mut self, answer: ffi::aom_codec_err_t) -> Result<(), AomError> {
        if answer == ffi::AOM_CODEC_OK {
            return Ok(());
        }
        // SAFETY: both texts are libaom's own, the second may be null; they hold as long as the context.
        unsafe {
            let detail = text(ffi::aom_codec_error_detail(&raw const self.0));
            let general = text(ffi::aom_codec_err_to_string(answer));
            Err(AomError(if detail.is_empty() { general } else { format!("{general}: {detail}") }))
        }
    }
}

/// # Safety
/// `text` must be null or end in a zero.
pub(crate) unsafe fn text(text: *const c_char) -> String {
    if text.is_null() {
        return String::new();
    }
    // SAFETY: not null, and ended by the caller's promise.
    unsafe { CStr::from_ptr(text).to_string_lossy().into_owned() }
}
