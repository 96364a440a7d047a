//! Faults of the implementation that pixrace grew out of, each as a test that fails if it comes back. Faults 3 and 4 are
//! tested where the code is (`optimize.rs`, `fingerprint.rs`), fault 6 in Node (`__test__/threads.test.mjs`), fault 7 in
//! `avif_threads.rs`.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use image::{DynamicImage, RgbaImage};
use pixrace::budget::Budget;
use pixrace::calls::OptimizeCall;
use pixrace::cancel::Cancel;
use pixrace::candidate::Outcome;
use pixrace::codec::Format;
use pixrace::error::Result;
use pixrace::optimize::Optimized;
use pixrace::options::Options;
use pixrace::value::Value;

/// A drawing with noise: `width` × 200 pixels, opaque or not.
fn png(width: u32, alpha: bool) -> Vec<u8> {
    let raster = RgbaImage::from_fn(width, 200, |x, y| {
        let noise = (x * 7919 + y * 104_729) % 61;
        image::Rgba([(x % 256) as u8, (y + noise) as u8, noise as u8, if alpha { x as u8 } else { 255 }])
    });
    let mut file = std::io::Cursor::new(Vec::new());
    DynamicImage::ImageRgba8(raster).write_to(&mut file, image::ImageFormat::Png).unwrap();
    file.into_inner()
}

fn optimize(threads: usize, input: Vec<u8>, entries: &[(&str, Value)]) -> Result<Optimized> {
    let entries = entries.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    let options = Options::parse(&Value::Object(entries)).unwrap();
    let mut answers = Budget::new(threads, u64::MAX).run(OptimizeCall::new(input, vec![options]), Cancel::new(None))?;
    Ok(answers.remove(0))
}

/// Fault 1: with `1 < concurrency < formats.length` only the first `concurrency` formats were encoded.
#[test]
fn fewer_threads_than_formats_drop_no_format() {
    for concurrency in 1..=5 {
        let answer = optimize(4, png(300, false), &[("concurrency", Value::Number(f64::from(concurrency)))]).unwrap();
        let finished: Vec<_> = answer.candidates.iter().filter(|c| c.data.is_some()).map(|c| c.format).collect();
        let expected: Vec<_> = Format::ALL.into_iter().map(Some).chain([None]).collect();
        assert_eq!(finished, expected, "concurrency {concurrency}");
    }
}

/// Fault 2: no budget below the size at quality 50 could ever be met. What fits the budget passes, however small.
#[test]
fn a_budget_below_the_size_at_quality_50_is_met() {
    let only = |name: &str| ("formats", Value::List(vec![Value::Text(name.to_owned())]));
    let original = ("keepOriginal", Value::Boolean(false));
    for format in ["avif", "webp", "jpeg"] {
        let half = optimize(2, png(300, false), &[only(format), original.clone(), ("quality", Value::Number(50.0))]);
        let budget = half.unwrap().candidates[0].bytes().unwrap() - 1;
        let entries = [
            only(format),
            original.clone(),
            ("quality", Value::Number(20.0)),
            ("maxBytes", Value::Number(budget as f64)),
        ];
        let answer = optimize(2, png(300, false), &entries).unwrap();
        assert!(answer.passed, "{format}");
        assert_eq!(answer.candidates[0].outcome, Outcome::Won, "{format}");
    }
}

/// Fault 5: JPEG dropped the alpha channel and could still win.
#[test]
fn jpeg_does_not_take_part_where_alpha_is_in_use() {
    let jpeg = |answer: &Optimized| answer.candidates.iter().position(|c| c.format == Some(Format::Jpeg)).unwrap();
    let answer = optimize(2, png(256, true), &[]).unwrap();
    assert_eq!(answer.candidates[jpeg(&answer)].outcome, Outcome::Skipped);
    assert!(answer.warnings.iter().any(|w| w.format == Some(Format::Jpeg) && w.message.contains("transparency")));
    let flattened = optimize(2, png(256, true), &[("flatten", Value::Text("#ffffff".to_owned()))]).unwrap();
    assert!(flattened.candidates[jpeg(&flattened)].data.is_some());
}
