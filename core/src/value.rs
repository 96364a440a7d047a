//! Untyped option values, as they come from JavaScript or a configuration file, before they are validated.

use std::fmt;

/// A value of any type. `Display` says what came, as an error message quotes it.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Not given.
    Undefined,
    Boolean(bool),
    Number(f64),
    Text(String),
    List(Vec<Value>),
    Object(Vec<(String, Value)>),
    /// Something that no option takes, by its description ("null", "a function" …).
    Other(String),
}

impl Value {
    /// The value of `key` in an object.
    #[must_use]
    pub fn get(&self, key: &str) -> &Value {
        match self {
            Self::Object(entries) => {
                entries.iter().find(|(name, _)| name == key).map_or(&Self::Undefined, |(_, value)| value)
            }
            _ => &Self::Undefined,
        }
    }
}

/// Longest quotation of a text in a message, in characters.
const MAX_QUOTE: usize = 40;

impl fmt::Display for Value {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Undefined => out.write_str("undefined"),
            Self::Boolean(value) => write!(out, "{value}"),
            Self::Number(value) if value.is_infinite() => {
                out.write_str(if *value > 0.0 { "Infinity" } else { "-Infinity" })
            }
            Self::Number(value) => write!(out, "{value}"),
            Self::Text(text) if text.chars().count() > MAX_QUOTE => {
                write!(out, "'{}…'", text.chars().take(MAX_QUOTE).collect::<String>())
            }
            Self::Text(text) => write!(out, "'{text}'"),
            Self::List(items) if items.is_empty() => out.write_str("an empty array"),
            Self::List(items) => write!(out, "an array of {}", items.len()),
            Self::Object(_) => out.write_str("an object"),
            Self::Other(description) => out.write_str(description),
        }
    }
}
