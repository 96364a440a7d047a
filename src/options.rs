//! The options object on its way into the engine's untyped [`Value`], which the engine validates.

use napi::bindgen_prelude::{Array, JsObjectValue, JsValue, Object, Unknown};
use napi::{Env, Result, ValueType};
use pixrace::error::Error;
use pixrace::options::Options;
use pixrace::value::Value;

use crate::error::to_js;

/// Validates the options by the engine's rules.
pub fn parse(env: &Env, options: &Unknown<'_>) -> Result<Options> {
    let mut value = to_value(options, MAX_DEPTH)?;
    if let Value::Object(entries) = &mut value {
        entries.retain(|(name, _)| name != SIGNAL);
    }
    Options::parse(&value).map_err(|error| to_js(env, &error))
}

/// The same for the variants of one call.
pub fn parse_many(env: &Env, variants: &Unknown<'_>, options: &Unknown<'_>) -> Result<Vec<Options>> {
    let mut shared = to_value(options, MAX_DEPTH)?;
    if let Value::Object(entries) = &mut shared {
        entries.retain(|(name, _)| name != SIGNAL);
    }
    Options::parse_many(&to_value(variants, MAX_DEPTH + 1)?, &shared).map_err(|error| to_js(env, &error))
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
            for key in Object::keys(&object)? {
                let entry: Unknown<'_> = object.get_named_property(&key)?;
                // `undefined` is the same as absent, and so does not count.
                if entry.get_type()? != ValueType::Undefined && entries.len() < MAX_ITEMS as usize {
                    entries.push((key, to_value(&entry, depth - 1)?));
                }
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
