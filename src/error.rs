//! Engine errors as JavaScript `Error`s with a stable `code`.

use napi::bindgen_prelude::{JsObjectValue, JsValue};
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
