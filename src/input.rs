//! The caller's bytes, copied: what happens to his buffer later changes nothing.

use napi::bindgen_prelude::{ArrayBuffer, JsObjectValue, JsValue, TypedArray, TypedArrayType, Unknown};
use napi::{Env, Result};
use pixrace::error::Error;

use crate::error::to_js;
use crate::options::describe;

/// Copies a `Uint8Array` (a `Buffer` is one). `name` is the argument's, for the message.
pub fn copy(env: &Env, name: &str, input: &Unknown<'_>) -> Result<Vec<u8>> {
    let refuse = |received: String| {
        let expected = "a non-empty Uint8Array or Buffer with the bytes of an image file".to_owned();
        to_js(env, &Error::InvalidOption { option: name.to_owned(), expected, received })
    };
    if !input.is_typedarray()? {
        return Err(refuse(describe(input)?));
    }
    // SAFETY: `is_typedarray` said that it is one.
    let array = unsafe { input.cast::<TypedArray<'_>>() }?;
    if array.typed_array_type != TypedArrayType::Uint8 {
        return Err(refuse("a typed array of another kind".to_owned()));
    }
    if array.arraybuffer.is_empty() {
        let buffer: Unknown<'_> = array.get_named_property("buffer")?;
        // SAFETY: `is_arraybuffer` said that it is one; a SharedArrayBuffer is not, and cannot be detached.
        let detached = buffer.is_arraybuffer()? && unsafe { buffer.cast::<ArrayBuffer<'_>>() }?.is_detached()?;
        return Err(refuse(if detached { "a detached one" } else { "an empty one" }.to_owned()));
    }
    Ok(array.arraybuffer.to_vec())
}
