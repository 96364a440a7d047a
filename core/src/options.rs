//! What a caller asks for, validated once into a type that cannot be wrong afterwards. Every default is here.

use std::time::Duration;

use crate::codec::{Effort, Format};
use crate::error::{Error, Result};
use crate::limits::{Limits, MAX_SIDE, MAX_TIMEOUT};
use crate::value::Value;

/// Quality of a format when none is given. On photographs it gives AVIF, WebP and JPEG mean SSIMULACRA2 scores within four
/// points of each other, 73 to 77 ("high quality"), so that sizes are compared at about the same look. Measured by
/// `npm run bench -- quality`; the table is in `benchmark/README.md`.
pub const DEFAULT_QUALITY: u8 = 80;

/// Names of all options, in the order of the documentation.
pub const NAMES: [&str; 16] = [
    "formats",
    "quality",
    "minScore",
    "maxBytes",
    "lossless",
    "effort",
    "strategy",
    "concurrency",
    "parallel",
    "keepOriginal",
    "resize",
    "flatten",
    "metadata",
    "colorProfile",
    "limits",
    "signal",
];

/// Options that are part of the contract and not built yet: refused, never ignored.
const NOT_YET: [&str; 3] = ["minScore", "resize", "colorProfile"];

/// Everything that one call is asked to do. Only [`Options::parse`] and `default` make one, so every field is in range.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    formats: Vec<Format>,
    quality: Qualities,
    max_bytes: Option<u64>,
    lossless: bool,
    effort: Effort,
    concurrency: Option<usize>,
    keep_original: bool,
    flatten: Option<[u8; 3]>,
    keep_metadata: bool,
    limits: Limits,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Qualities {
    avif: u8,
    webp: u8,
    jpeg: u8,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            formats: Format::ALL.to_vec(),
            quality: Qualities { avif: DEFAULT_QUALITY, webp: DEFAULT_QUALITY, jpeg: DEFAULT_QUALITY },
            max_bytes: None,
            lossless: false,
            effort: Effort::default(),
            concurrency: None,
            keep_original: true,
            flatten: None,
            keep_metadata: false,
            limits: Limits::default(),
        }
    }
}

impl Options {
    /// Formats to try, in order of preference; not empty, none twice. Default: all four.
    #[must_use]
    pub fn formats(&self) -> &[Format] {
        &self.formats
    }

    /// Quality of a format, 1 to 100; `None` where it means nothing. Default: [`DEFAULT_QUALITY`].
    #[must_use]
    pub fn quality(&self, format: Format) -> Option<u8> {
        match format {
            _ if self.lossless => None,
            Format::Avif => Some(self.quality.avif),
            Format::Webp => Some(self.quality.webp),
            Format::Jpeg => Some(self.quality.jpeg),
            Format::Png => None,
        }
    }

    /// No candidate above this passes. Default: none.
    #[must_use]
    pub fn max_bytes(&self) -> Option<u64> {
        self.max_bytes
    }

    /// Whether only pixel-identical candidates count. Default: false.
    #[must_use]
    pub fn lossless(&self) -> bool {
        self.lossless
    }

    #[must_use]
    pub fn effort(&self) -> Effort {
        self.effort
    }

    /// Threads that the call may use, codec-internal ones included. Default: the whole pool.
    #[must_use]
    pub fn concurrency(&self) -> Option<usize> {
        self.concurrency
    }

    /// Whether the input itself is a candidate. Default: true.
    #[must_use]
    pub fn keep_original(&self) -> bool {
        self.keep_original
    }

    /// Background for formats without alpha. Default: none; those formats are skipped if alpha is in use.
    #[must_use]
    pub fn flatten(&self) -> Option<[u8; 3]> {
        self.flatten
    }

    /// Whether EXIF and XMP are carried over. Default: false.
    #[must_use]
    pub fn keep_metadata(&self) -> bool {
        self.keep_metadata
    }

    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    #[must_use]
    pub fn with_limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    #[must_use]
    pub fn with_concurrency(self, concurrency: Option<usize>) -> Self {
        Self { concurrency, ..self }
    }

    /// Validates `value`: `Undefined` for the defaults, or an object.
    ///
    /// # Errors
    /// [`Error::InvalidOption`] with the name, what was expected and what came.
    pub fn parse(value: &Value) -> Result<Self> {
        let entries = match value {
            Value::Undefined => return Ok(Self::default()),
            Value::Object(entries) => entries,
            other => return Err(invalid("options", "an object", other)),
        };
        reject_unknown("", entries, &NAMES)?;
        for name in NOT_YET {
            if value.get(name) != &Value::Undefined {
                return Err(invalid(
                    name,
                    "it to be absent, because this version does not have it yet",
                    value.get(name),
                ));
            }
        }
        if keyword(value, "strategy", &["all", "race"])? == Some("race") {
            return Err(invalid("strategy", "'all', the only strategy of this version", value.get("strategy")));
        }
        let default = Self::default();
        let options = Self {
            formats: formats(value.get("formats"))?.unwrap_or(default.formats),
            quality: qualities(value.get("quality"), default.quality)?,
            max_bytes: integer(value, "maxBytes", 1..=MAX_SAFE_INTEGER)?,
            lossless: boolean(value, "lossless")?.unwrap_or(default.lossless),
            effort: effort(value)?.unwrap_or(default.effort),
            concurrency: concurrency(value)?,
            keep_original: boolean(value, "keepOriginal")?.unwrap_or(default.keep_original),
            flatten: color(value.get("flatten"))?,
            keep_metadata: keyword(value, "metadata", &["strip", "keep"])? == Some("keep"),
            limits: limits(value.get("limits"))?,
        };
        if options.lossless && value.get("quality") != &Value::Undefined {
            return Err(invalid("quality", "no quality beside `lossless: true`", value.get("quality")));
        }
        Ok(options)
    }
}

/// `Number.MAX_SAFE_INTEGER` of JavaScript.
const MAX_SAFE_INTEGER: u64 = (1 << 53) - 1;

fn invalid(option: &str, expected: impl Into<String>, received: impl std::fmt::Display) -> Error {
    Error::InvalidOption { option: option.to_owned(), expected: expected.into(), received: received.to_string() }
}

fn reject_unknown(prefix: &str, entries: &[(String, Value)], known: &[&str]) -> Result<()> {
    match entries.iter().find(|(name, value)| *value != Value::Undefined && !known.contains(&name.as_str())) {
        None => Ok(()),
        Some((name, value)) => {
            let expected = format!("one of the options {}", known.join(", "));
            Err(invalid(&format!("{prefix}{name}"), expected, format!("an unknown option with the value {value}")))
        }
    }
}

fn boolean(object: &Value, name: &str) -> Result<Option<bool>> {
    match object.get(name) {
        Value::Undefined => Ok(None),
        Value::Boolean(value) => Ok(Some(*value)),
        other => Err(invalid(name, "true or false", other)),
    }
}

fn keyword<'a>(object: &'a Value, name: &str, allowed: &[&str]) -> Result<Option<&'a str>> {
    match object.get(name) {
        Value::Undefined => Ok(None),
        Value::Text(text) if allowed.contains(&text.as_str()) => Ok(Some(text)),
        other => Err(invalid(name, one_of(allowed), other)),
    }
}

fn one_of(allowed: &[&str]) -> String {
    let quoted: Vec<_> = allowed.iter().map(|word| format!("'{word}'")).collect();
    format!("one of {}", quoted.join(", "))
}

fn integer(object: &Value, name: &str, range: std::ops::RangeInclusive<u64>) -> Result<Option<u64>> {
    whole_number(object.get(name), name, range)
}

/// `name` is what a message calls the option; it may be nested (`limits.maxPixels`).
fn whole_number(value: &Value, name: &str, range: std::ops::RangeInclusive<u64>) -> Result<Option<u64>> {
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

fn formats(value: &Value) -> Result<Option<Vec<Format>>> {
    let names = Format::ALL.map(Format::as_str);
    let expected = format!("a non-empty array of different formats, each {}", one_of(&names));
    let items = match value {
        Value::Undefined => return Ok(None),
        Value::List(items) if !items.is_empty() => items,
        other => return Err(invalid("formats", expected, other)),
    };
    let mut formats = Vec::with_capacity(Format::ALL.len());
    for item in items {
        let known = Format::ALL.into_iter().find(|format| *item == Value::Text(format.as_str().to_owned()));
        match known {
            None => return Err(invalid("formats", expected, format!("{item} in it"))),
            Some(format) if formats.contains(&format) => {
                return Err(invalid("formats", expected, format!("{item} more than once")));
            }
            Some(format) => formats.push(format),
        }
    }
    Ok(Some(formats))
}

fn qualities(value: &Value, default: Qualities) -> Result<Qualities> {
    let Value::Object(entries) = value else {
        let expected = "an integer from 1 to 100, or an object with one for avif, webp or jpeg";
        return match whole_number(value, "quality", 1..=100) {
            Ok(None) => Ok(default),
            Ok(Some(all)) => Ok(Qualities { avif: all as u8, webp: all as u8, jpeg: all as u8 }),
            Err(_) => Err(invalid("quality", expected, value)),
        };
    };
    reject_unknown("quality.", entries, &["avif", "webp", "jpeg"])?;
    let one = |name, default| -> Result<u8> {
        let quality = whole_number(value.get(name), &format!("quality.{name}"), 1..=100)?;
        Ok(quality.map_or(default, |quality| quality as u8))
    };
    Ok(Qualities {
        avif: one("avif", default.avif)?,
        webp: one("webp", default.webp)?,
        jpeg: one("jpeg", default.jpeg)?,
    })
}

fn effort(object: &Value) -> Result<Option<Effort>> {
    Ok(keyword(object, "effort", &["fast", "balanced", "best"])?.map(|word| match word {
        "fast" => Effort::Fast,
        "best" => Effort::Best,
        _ => Effort::Balanced,
    }))
}

/// `parallel: false` is `concurrency: 1`, and nothing else beside it.
fn concurrency(object: &Value) -> Result<Option<usize>> {
    let threads = integer(object, "concurrency", 1..=MAX_SAFE_INTEGER)?.map(|threads| threads as usize);
    match (boolean(object, "parallel")?, threads) {
        (Some(false), Some(threads)) if threads > 1 => {
            Err(invalid("concurrency", "1 or nothing beside `parallel: false`", threads))
        }
        (Some(false), _) => Ok(Some(1)),
        (_, threads) => Ok(threads),
    }
}

fn color(value: &Value) -> Result<Option<[u8; 3]>> {
    let expected = "a colour as '#rrggbb'";
    let text = match value {
        Value::Undefined => return Ok(None),
        Value::Text(text) => text,
        other => return Err(invalid("flatten", expected, other)),
    };
    let digits = text.strip_prefix('#').filter(|hex| hex.len() == 6 && hex.bytes().all(|b| b.is_ascii_hexdigit()));
    match digits.and_then(|hex| u32::from_str_radix(hex, 16).ok()) {
        Some(rgb) => Ok(Some([(rgb >> 16) as u8, (rgb >> 8) as u8, rgb as u8])),
        None => Err(invalid("flatten", expected, value)),
    }
}

fn limits(value: &Value) -> Result<Limits> {
    let default = Limits::default();
    let entries = match value {
        Value::Undefined => return Ok(default),
        Value::Object(entries) => entries,
        other => return Err(invalid("limits", "an object", other)),
    };
    reject_unknown("limits.", entries, &["maxPixels", "maxInputBytes", "timeoutMs"])?;
    let most_pixels = u64::from(MAX_SIDE) * u64::from(MAX_SIDE);
    let pixels = whole_number(value.get("maxPixels"), "limits.maxPixels", 1..=most_pixels)?;
    let bytes = whole_number(value.get("maxInputBytes"), "limits.maxInputBytes", 1..=MAX_SAFE_INTEGER)?;
    let most_milliseconds = MAX_TIMEOUT.as_millis() as u64;
    let timeout = whole_number(value.get("timeoutMs"), "limits.timeoutMs", 1..=most_milliseconds)?;
    Ok(Limits {
        max_pixels: pixels.unwrap_or(default.max_pixels),
        max_input_bytes: bytes.unwrap_or(default.max_input_bytes),
        timeout: timeout.map(Duration::from_millis),
    })
}
