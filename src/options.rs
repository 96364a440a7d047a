//! The options object: its type for TypeScript, and its way into the engine's untyped [`Value`], which the engine validates.

use napi::bindgen_prelude::{Array, Either, JsObjectValue, JsValue, Object, Unknown};
use napi::{Env, Result, ValueType};
use napi_derive::napi;
use pixrace::error::Error;
use pixrace::options::Options;
use pixrace::value::Value;

use crate::error::to_js;

/// A format that pixrace writes.
#[napi(string_enum = "lowercase")]
pub enum Format {
    Avif,
    Webp,
    Jpeg,
    Png,
}

/// CPU for bytes.
#[napi(string_enum = "lowercase")]
pub enum Effort {
    Fast,
    Balanced,
    Best,
}

/// Which formats are finished.
#[napi(string_enum = "lowercase")]
pub enum Strategy {
    All,
}

/// What happens to EXIF and XMP.
#[napi(string_enum = "lowercase")]
pub enum MetadataPolicy {
    Strip,
    Keep,
}

/// One quality per lossy format; a format that is left out gets the default.
#[napi(object, object_to_js = false)]
pub struct Qualities {
    /// 1 to 100.
    pub avif: Option<u32>,
    /// 1 to 100.
    pub webp: Option<u32>,
    /// 1 to 100.
    pub jpeg: Option<u32>,
}

/// Bounds against hostile input.
#[napi(object, object_to_js = false)]
pub struct Limits {
    /// Most pixels (width × height) of the input. Default: 100,000,000.
    pub max_pixels: Option<f64>,
    /// Largest input in bytes. Default: 134,217,728 (128 MiB).
    pub max_input_bytes: Option<f64>,
    /// Longest time from the call to its answer in milliseconds, 1 to 86,400,000, time in the queue included.
    /// Default: none. Past it the promise rejects with `ERR_PIXRACE_TIMEOUT`.
    pub timeout_ms: Option<f64>,
}

/// Every option may be left out. An unknown key, a wrong type or a value out of range is an
/// `ERR_PIXRACE_INVALID_OPTION` that names the option, what was expected and what came.
#[napi(object, object_to_js = false)]
pub struct OptimizeOptions {
    /// Formats to try, in order of preference: ties go to the earlier. Not empty, none twice. Default: all four, in the
    /// order avif, webp, jpeg, png.
    pub formats: Option<Vec<Format>>,
    /// 1 (smallest) to 100 (best), on each encoder's own scale, for all lossy formats or one per format. PNG keeps every
    /// pixel and has no quality. Excludes `lossless`. Default: 80 each.
    pub quality: Option<Either<u32, Qualities>>,
    /// No candidate above this many bytes passes. An integer of at least 1. Default: none.
    pub max_bytes: Option<f64>,
    /// Only pixel-identical candidates, proven by decoding them: PNG, and WebP up to 8 bits per sample. Default: false.
    pub lossless: Option<bool>,
    /// CPU for bytes. Default: 'balanced'.
    pub effort: Option<Effort>,
    /// 'all': every format is finished. The only strategy of this version, and its default.
    pub strategy: Option<Strategy>,
    /// Most threads that this call may use, codec-internal ones included. An integer of at least 1; more than the
    /// process's pool has (one per available core, or `PIXRACE_THREADS`) is the whole pool. Output bytes do not depend
    /// on it. Default: the whole pool.
    pub concurrency: Option<u32>,
    /// false is `concurrency: 1`. Default: true.
    pub parallel: Option<bool>,
    /// Whether the input itself is a candidate, so that the answer is never larger. Default: true.
    pub keep_original: Option<bool>,
    /// Background for formats without alpha, as '#rrggbb'. Default: none; if the image uses alpha, JPEG is skipped with a
    /// warning.
    pub flatten: Option<String>,
    /// 'strip' leaves EXIF and XMP out of encoded candidates, 'keep' carries them along with the orientation reset.
    /// Orientation is applied to the pixels either way. Default: 'strip'.
    pub metadata: Option<MetadataPolicy>,
    /// Bounds against hostile input.
    pub limits: Option<Limits>,
    /// Stops queued and running work; the promise rejects with the signal's reason.
    #[napi(ts_type = "AbortSignal")]
    pub signal: Option<Object<'static>>,
}

/// Validates the options by the engine's rules.
pub fn parse(env: &Env, options: &Unknown<'_>) -> Result<Options> {
    let mut value = to_value(options, MAX_DEPTH)?;
    if let Value::Object(entries) = &mut value {
        entries.retain(|(name, _)| name != SIGNAL);
    }
    Options::parse(&value).map_err(|error| to_js(env, &error))
}

const SIGNAL: &str = "signal";

/// The `signal` among the options, if there is one. It is the one option that lives in JavaScript.
pub fn signal<'env>(env: &'env Env, options: &Unknown<'env>) -> Result<Option<Object<'env>>> {
    if options.get_type()? != ValueType::Object {
        return Ok(None);
    }
    let signal: Unknown<'_> = options.coerce_to_object()?.get_named_property(SIGNAL)?;
    match signal.get_type()? {
        ValueType::Undefined => return Ok(None),
        ValueType::Object => {
            let object = signal.coerce_to_object()?;
            let listens = object.get_named_property::<Unknown<'_>>("addEventListener")?.get_type()?;
            let aborted = object.get_named_property::<Unknown<'_>>("aborted")?.get_type()?;
            if listens == ValueType::Function && aborted == ValueType::Boolean {
                return Ok(Some(object));
            }
        }
        _ => {}
    }
    let (option, expected) = (SIGNAL.to_owned(), "an AbortSignal".to_owned());
    Err(to_js(env, &Error::InvalidOption { option, expected, received: describe(&signal)? }))
}

/// How deep options nest: the object, its `limits` or `quality`, and their numbers.
const MAX_DEPTH: u32 = 3;

/// Most items of a list or keys of an object that are looked at: more than any valid options have.
const MAX_ITEMS: u32 = 64;

fn to_value(value: &Unknown<'_>, depth: u32) -> Result<Value> {
    // SAFETY of the casts: `get_type` said what the value is.
    Ok(match value.get_type()? {
        ValueType::Undefined => Value::Undefined,
        ValueType::Boolean => Value::Boolean(unsafe { value.cast() }?),
        ValueType::Number => Value::Number(unsafe { value.cast() }?),
        ValueType::String => Value::Text(unsafe { value.cast() }?),
        ValueType::Object if depth > 0 && value.is_array()? => {
            let list = unsafe { value.cast::<Array<'_>>() }?;
            let mut items = Vec::new();
            for index in 0..list.len().min(MAX_ITEMS) {
                let item: Option<Unknown<'_>> = list.get(index)?;
                items.push(item.map_or(Ok(Value::Undefined), |item| to_value(&item, depth - 1))?);
            }
            Value::List(items)
        }
        ValueType::Object if depth > 0 && !value.is_typedarray()? => {
            let object = value.coerce_to_object()?;
            let mut entries = Vec::new();
            for key in Object::keys(&object)?.into_iter().take(MAX_ITEMS as usize) {
                let entry: Unknown<'_> = object.get_named_property(&key)?;
                let entry = to_value(&entry, depth - 1)?;
                entries.push((key, entry));
            }
            Value::Object(entries)
        }
        ValueType::Object => Value::Other("an object".to_owned()),
        ValueType::Null => Value::Other("null".to_owned()),
        other => Value::Other(format!("a {}", other.to_string().to_lowercase())),
    })
}

/// What came, as an error message quotes it.
pub fn describe(value: &Unknown<'_>) -> Result<String> {
    Ok(to_value(value, 1)?.to_string())
}
