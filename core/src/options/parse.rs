//! Untyped values become options, or an error that says what was expected and what came.

use std::time::Duration;

use crate::checks::{MAX_SAFE_INTEGER, boolean, integer, invalid, keyword, one_of, reject_unknown, whole_number};
use crate::codec::{Effort, Format};
use crate::error::{Error, Result};
use crate::limits::{Limits, MAX_PAGES, MAX_SIDE, MAX_TIMEOUT, MAX_VARIANTS};
use crate::placeholder::Placeholder;
use crate::resize::Resize;
use crate::value::Value;

use super::{DEFAULT_MIN_SCORE, DEFAULT_QUALITY, Look, Options, Qualities, Strategy};

/// Names of all options, in the order of the documentation.
pub const NAMES: [&str; 18] = [
    "formats",
    "quality",
    "minScore",
    "maxBytes",
    "lossless",
    "verify",
    "effort",
    "strategy",
    "concurrency",
    "parallel",
    "keepOriginal",
    "resize",
    "flatten",
    "metadata",
    "colorProfile",
    "placeholder",
    "limits",
    "signal",
];

impl Options {
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
        let default = Self::default();
        let max_bytes = integer(value, "maxBytes", 1..=MAX_SAFE_INTEGER)?;
        let look = look(value, max_bytes)?;
        let color_profile = keyword(value, "colorProfile", &["srgb", "keep"])?;
        Ok(Self {
            formats: formats(value.get("formats"))?.unwrap_or(default.formats),
            look,
            max_bytes,
            effort: effort(value, look)?.unwrap_or(default.effort),
            strategy: strategy(value)?.unwrap_or(default.strategy),
            concurrency: concurrency(value)?,
            keep_original: boolean(value, "keepOriginal")?.unwrap_or(default.keep_original),
            resize: Resize::parse(value.get("resize"))?,
            flatten: color(value.get("flatten"))?,
            keep_metadata: keyword(value, "metadata", &["strip", "keep"])? == Some("keep"),
            keep_profile: color_profile.map_or(look == Look::Identical, |word| word == "keep"),
            placeholder: Placeholder::parse(value)?,
            limits: limits(value.get("limits"))?,
        })
    }
}

impl Options {
    /// Validates variants of one call, each with the options of `shared` that it does not give itself. What belongs to the
    /// whole call is not for a variant.
    ///
    /// # Errors
    /// As [`Options::parse`]; what a variant says itself is named as in `variants[2].resize.width`.
    pub fn parse_many(variants: &Value, shared: &Value) -> Result<Vec<Self>> {
        let expected = format!("an array of 1 to {MAX_VARIANTS} objects");
        let Value::List(items) = variants else { return Err(invalid("variants", expected, variants)) };
        if items.is_empty() || items.len() > MAX_VARIANTS {
            return Err(invalid("variants", expected, format!("{} items", items.len())));
        }
        // What is wrong with the call is said before any variant.
        Self::parse(shared)?;
        let shared: &[_] = if let Value::Object(entries) = shared { entries } else { &[] };
        items.iter().enumerate().map(|(index, item)| variant(index, item, shared)).collect()
    }
}

fn variant(index: usize, item: &Value, shared: &[(String, Value)]) -> Result<Options> {
    let Value::Object(own) = item else { return Err(invalid(&format!("variants[{index}]"), "an object", item)) };
    for (name, value) in own {
        if OF_THE_CALL.contains(&name.as_str()) {
            let expected = "it beside the variants, because it belongs to the whole call";
            return Err(invalid(&format!("variants[{index}].{name}"), expected, value));
        }
    }
    let inherited = shared.iter().filter(|(name, _)| own.iter().all(|(other, _)| other != name));
    let merged = Value::Object(own.iter().chain(inherited).cloned().collect());
    Options::parse(&merged).map_err(|error| match error {
        Error::InvalidOption { option, expected, received } => {
            Error::InvalidOption { option: format!("variants[{index}].{option}"), expected, received }
        }
        other => other,
    })
}

/// Options that say how a call runs, not what it makes.
const OF_THE_CALL: [&str; 4] = ["concurrency", "parallel", "limits", "signal"];

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

/// `quality`, `minScore` and `lossless` say the same thing in three ways: at most one of the first two, and none beside
/// the last. None at all is the default floor, or with `maxBytes` the best look that fits.
fn look(object: &Value, max_bytes: Option<u64>) -> Result<Look> {
    let quality = qualities(object.get("quality"))?;
    let min_score = min_score(object.get("minScore"))?;
    let on_trust = boolean(object, "verify")? == Some(false) && max_bytes.is_none();
    match (quality, min_score, boolean(object, "lossless")? == Some(true)) {
        (Some(_), _, true) => Err(invalid("quality", "no quality beside `lossless: true`", object.get("quality"))),
        (Some(_), Some(_), _) => Err(invalid("quality", "no quality beside `minScore`", object.get("quality"))),
        (None, Some(_), true) => {
            Err(invalid("minScore", "no minScore beside `lossless: true`", object.get("minScore")))
        }
        (None, None, true) => Ok(Look::Identical),
        (Some(qualities), None, false) => Ok(Look::Fixed(qualities)),
        (None, Some(floor), false) => Ok(Look::Searched { min_score: Some(floor), on_trust }),
        (None, None, false) if max_bytes.is_some() => Ok(Look::Searched { min_score: None, on_trust }),
        (None, None, false) => Ok(Look::Searched { min_score: Some(DEFAULT_MIN_SCORE), on_trust }),
    }
}

fn min_score(value: &Value) -> Result<Option<f64>> {
    match value {
        Value::Undefined => Ok(None),
        Value::Number(score) if (0.0..=100.0).contains(score) => Ok(Some(*score)),
        other => Err(invalid("minScore", "a number from 0 to 100", other)),
    }
}

fn strategy(object: &Value) -> Result<Option<Strategy>> {
    let word = keyword(object, "strategy", &["race", "all"])?;
    Ok(word.map(|word| if word == "all" { Strategy::All } else { Strategy::Race }))
}

fn qualities(value: &Value) -> Result<Option<Qualities>> {
    let Value::Object(entries) = value else {
        let expected = "an integer from 1 to 100, or an object with one for avif, webp or jpeg";
        let all = whole_number(value, "quality", 1..=100).map_err(|_| invalid("quality", expected, value))?;
        return Ok(all.map(|all| Qualities { avif: all as u8, webp: all as u8, jpeg: all as u8 }));
    };
    reject_unknown("quality.", entries, &["avif", "webp", "jpeg"])?;
    let one = |name| -> Result<u8> {
        let quality = whole_number(value.get(name), &format!("quality.{name}"), 1..=100)?;
        Ok(quality.map_or(DEFAULT_QUALITY, |quality| quality as u8))
    };
    Ok(Some(Qualities { avif: one("avif")?, webp: one("webp")?, jpeg: one("jpeg")? }))
}

fn effort(object: &Value, look: Look) -> Result<Option<Effort>> {
    Ok(keyword(object, "effort", &["fast", "balanced", "best"])?.map(|word| match word {
        "fast" if matches!(look, Look::Searched { on_trust: true, .. }) => Effort::Instant,
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
    reject_unknown("limits.", entries, &["maxPixels", "maxInputBytes", "maxFrames", "timeoutMs"])?;
    let most_pixels = u64::from(MAX_SIDE) * u64::from(MAX_SIDE);
    let pixels = whole_number(value.get("maxPixels"), "limits.maxPixels", 1..=most_pixels)?;
    let bytes = whole_number(value.get("maxInputBytes"), "limits.maxInputBytes", 1..=MAX_SAFE_INTEGER)?;
    // A header counts no more than MAX_PAGES.
    let frames = whole_number(value.get("maxFrames"), "limits.maxFrames", 1..=u64::from(MAX_PAGES) - 1)?;
    let most_milliseconds = MAX_TIMEOUT.as_millis() as u64;
    let timeout = whole_number(value.get("timeoutMs"), "limits.timeoutMs", 1..=most_milliseconds)?;
    Ok(Limits {
        max_pixels: pixels.unwrap_or(default.max_pixels),
        max_input_bytes: bytes.unwrap_or(default.max_input_bytes),
        max_frames: frames.map_or(default.max_frames, |frames| frames as u32),
        timeout: timeout.map(Duration::from_millis),
    })
}
