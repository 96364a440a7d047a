//! The key under which an answer may be kept: equal keys, equal bytes.

use crate::limits::Limits;
use crate::options::Options;
use crate::versions::{CODECS, PIXRACE};

/// BLAKE3 of everything that decides the bytes of an answer, as 64 hexadecimal digits: the input, every option with its
/// defaults filled in, and the version of pixrace and of every codec library. What changes no byte is left out: the
/// number of threads and the limits.
#[must_use]
pub fn cache_key(input: &[u8], options: &Options) -> String {
    key(input, options, &format!("{PIXRACE} {CODECS:?}"))
}

fn key(input: &[u8], options: &Options, engine: &str) -> String {
    // The derived text names every field, so that no later option can be forgotten here.
    let options = format!("{:?}", options.clone().with_limits(Limits::default()).with_concurrency(None));
    let mut hasher = blake3::Hasher::new();
    for part in [engine.as_bytes(), options.as_bytes(), input] {
        // With the length in front, no two splits of the same bytes are alike.
        hasher.update(&(part.len() as u64).to_le_bytes()).update(part);
    }
    hasher.finalize().to_hex().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Value;

    fn options(entries: &[(&str, Value)]) -> Options {
        let entries = entries.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        Options::parse(&Value::Object(entries)).unwrap()
    }

    fn formats(names: &[&str]) -> (&'static str, Value) {
        ("formats", Value::List(names.iter().map(|name| Value::Text((*name).to_owned())).collect()))
    }

    fn text(text: &str) -> Value {
        Value::Text(text.to_owned())
    }

    fn resize(entries: &[(&str, Value)]) -> (&'static str, Value) {
        ("resize", Value::Object(entries.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()))
    }

    /// Seed fault 4: the format list, its order, every other option, the input and the engine's versions are in the key.
    #[test]
    fn whatever_changes_bytes_changes_the_key() {
        let keys = [
            key(b"input", &Options::default(), "1"),
            key(b"inpux", &Options::default(), "1"),
            key(b"input", &Options::default(), "2"),
            key(b"input", &options(&[formats(&["avif", "webp"])]), "1"),
            key(b"input", &options(&[formats(&["webp", "avif"])]), "1"),
            key(b"input", &options(&[("quality", Value::Number(79.0))]), "1"),
            key(b"input", &options(&[("maxBytes", Value::Number(79.0))]), "1"),
            key(b"input", &options(&[("minScore", Value::Number(71.0))]), "1"),
            key(b"input", &options(&[("strategy", Value::Text("all".to_owned()))]), "1"),
            key(b"input", &options(&[("lossless", Value::Boolean(true))]), "1"),
            key(b"input", &options(&[("verify", Value::Boolean(false))]), "1"),
            key(b"input", &options(&[("effort", text("fast"))]), "1"),
            key(b"input", &options(&[("effort", text("fast")), ("verify", Value::Boolean(false))]), "1"),
            key(b"input", &options(&[("effort", Value::Text("best".to_owned()))]), "1"),
            key(b"input", &options(&[("keepOriginal", Value::Boolean(false))]), "1"),
            key(b"input", &options(&[resize(&[("width", Value::Number(79.0))])]), "1"),
            key(b"input", &options(&[resize(&[("height", Value::Number(79.0))])]), "1"),
            key(b"input", &options(&[resize(&[("width", Value::Number(79.0)), ("fit", text("fill"))])]), "1"),
            key(
                b"input",
                &options(&[resize(&[("width", Value::Number(79.0)), ("enlarge", Value::Boolean(true))])]),
                "1",
            ),
            key(b"input", &options(&[("flatten", Value::Text("#000000".to_owned()))]), "1"),
            key(b"input", &options(&[("placeholder", text("blur"))]), "1"),
            key(b"input", &options(&[("placeholder", text("color"))]), "1"),
            key(b"input", &options(&[("metadata", Value::Text("keep".to_owned()))]), "1"),
            key(b"input", &options(&[("colorProfile", Value::Text("keep".to_owned()))]), "1"),
        ];
        let different: std::collections::HashSet<_> = keys.iter().collect();
        assert_eq!(different.len(), keys.len());
    }

    #[test]
    fn what_changes_no_byte_does_not() {
        let limits = Value::Object(vec![("timeoutMs".to_owned(), Value::Number(5.0))]);
        let same =
            options(&[("concurrency", Value::Number(2.0)), ("limits", limits), ("minScore", Value::Number(70.0))]);
        assert_eq!(cache_key(b"input", &same), cache_key(b"input", &Options::default()));
        // Nothing is searched here that could be verified.
        let fixed = |verify| {
            let fast = ("effort", text("fast"));
            options(&[("quality", Value::Number(79.0)), fast, ("verify", Value::Boolean(verify))])
        };
        assert_eq!(cache_key(b"input", &fixed(false)), cache_key(b"input", &fixed(true)));
    }
}
