//! Engine errors as JavaScript `Error`s with a stable `code`.

use napi::bindgen_prelude::{JsObjectValue, JsValue, Unknown, check_status, sys};
use napi::{Env, Error as JsError, Result};
use pixrace::error::Error;

/// An `Error` object with `code`, and with the parts of the message that a program may want.
pub fn to_js(env: &Env, error: &Error) -> JsError {
    build(env, error).unwrap_or_else(|failure| failure)
}

fn build(env: &Env, error: &Error) -> Result<JsError> {
    let mut object = env.create_error(JsError::from_reason(error.to_string()))?;
    object.set_named_property("code", error.code())?;
    match error {
        Error::InvalidOption { option, expected, received } => {
            object.set_named_property("option", option.as_str())?;
            object.set_named_property("expected", expected.as_str())?;
            object.set_named_property("received", received.as_str())?;
        }
        Error::UnsupportedInput { detected } => object.set_named_property("detected", detected.as_str())?,
        Error::CorruptInput { format, .. } => object.set_named_property("format", format.as_str())?,
        Error::LimitExceeded { limit, actual, bound } => {
            object.set_named_property("limit", *limit)?;
            object.set_named_property("actual", *actual as f64)?;
            object.set_named_property("bound", *bound as f64)?;
        }
        Error::Timeout { after } => object.set_named_property("timeoutMs", after.as_millis() as f64)?,
        _ => {}
    }
    Ok(JsError::from_unknown_without_coercion(object.to_unknown()))
}

/// What was thrown in JavaScript meanwhile (by a getter of the options, or as the reason of an abort), taken back so that it
/// can reject a promise.
pub fn thrown(env: &Env) -> Result<Option<JsError>> {
    let mut pending = false;
    let mut exception = std::ptr::null_mut();
    // SAFETY: `env` is the environment of the current callback, and the pointers are to locals.
    unsafe {
        check_status!(sys::napi_is_exception_pending(env.raw(), &raw mut pending))?;
        if !pending {
            return Ok(None);
        }
        check_status!(sys::napi_get_and_clear_last_exception(env.raw(), &raw mut exception))?;
        Ok(Some(JsError::from_unknown_without_coercion(Unknown::from_raw_unchecked(env.raw(), exception))))
    }
}
