//! Checks of single option values, with messages that say what was expected and what came.

use crate::error::{Error, Result};
use crate::value::Value;

/// `Number.MAX_SAFE_INTEGER` of JavaScript.
pub(crate) const MAX_SAFE_INTEGER: u64 = (1 << 53) - 1;

pub(crate) fn invalid(option: &str, expected: impl Into<String>, received: impl std::fmt::Display) -> Error {
    Error::InvalidOption { option: option.to_owned(), expected: expected.into(), received: received.to_string() }
}

pub(crate) fn reject_unknown(prefix: &str, entries: &[(String, Value)], known: &[&str]) -> Result<()> {
    match entries.iter().find(|(name, value)| *value != Value::Undefined && !known.contains(&name.as_str())) {
        None => Ok(()),
        Some((name, value)) => {
            let expected = format!("one of the options {}", known.join(", "));
            Err(invalid(&format!("{prefix}{name}"), expected, format!("an unknown option with the value {value}")))
        }
    }
}

pub(crate) fn boolean(object: &Value, name: &str) -> Result<Option<bool>> {
    boolean_of(object.get(name), name)
}

/// As for [`whole_number`], `name` is what a message calls the option.
pub(crate) fn boolean_of(value: &Value, name: &str) -> Result<Option<bool>> {
    match value {
        Value::Undefined => Ok(None),
        Value::Boolean(value) => Ok(Some(*value)),
        other => Err(invalid(name, "true or false", other)),
    }
}

pub(crate) fn keyword<'a>(object: &'a Value, name: &str, allowed: &[&str]) -> Result<Option<&'a str>> {
    keyword_of(object.get(name), name, allowed)
}

/// As for [`whole_number`], `name` is what a message calls the option.
pub(crate) fn keyword_of<'a>(value: &'a Value, name: &str, allowed: &[&str]) -> Result<Option<&'a str>> {
    match value {
        Value::Undefined => Ok(None),
        Value::Text(text) if allowed.contains(&text.as_str()) => Ok(Some(text)),
        other => Err(invalid(name, one_of(allowed), other)),
    }
}

pub(crate) fn one_of(allowed: &[&str]) -> String {
    let quoted: Vec<_> = allowed.iter().map(|word| format!("'{word}'")).collect();
    format!("one of {}", quoted.join(", "))
}

pub(crate) fn integer(object: &Value, name: &str, range: std::ops::RangeInclusive<u64>) -> Result<Option<u64>> {
    whole_number(object.get(name), name, range)
}

/// `name` is what a message calls the option; it may be nested (`limits.maxPixels`).
pub(crate) fn whole_number(value: &Value, name: &str, range: std::ops::RangeInclusive<u64>) -> Result<Option<u64>> {
    match value {
        Value::Undefined => Ok(None),
        Value::Number(number)
            if number.fract() == 0.0 && *number >= *range.start() as f64 && *number <= *range.end() as f64 =>
        {
            Ok(Some(*number as u64))
        }
        other if *range.end() == MAX_SAFE_INTEGER => {
            Err(invalid(name, format!("an integer of at least {}", range.start()), other))
        }
        other => Err(invalid(name, format!("an integer from {} to {}", range.start(), range.end()), other)),
    }
}
