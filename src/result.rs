//! Answers as JavaScript objects.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use napi::bindgen_prelude::{BufferSlice, Either, JsValue, Null, ToNapiValue, sys};
use napi::{Env, Result};
use napi_derive::napi;
use pixrace::calls::Inspected;
use pixrace::candidate::{self, Candidate as Engine};
use pixrace::codec::Header;
use pixrace::optimize::Optimized;

/// A JavaScript value that exists already. Only within the callback that made it.
#[derive(Clone, Copy)]
pub struct Handle(sys::napi_value);

impl Handle {
    pub fn new(env: &Env, value: impl ToNapiValue) -> Result<Self> {
        // SAFETY: `env` is the environment of the current callback.
        unsafe { ToNapiValue::to_napi_value(env.raw(), value) }.map(Self)
    }
}

impl ToNapiValue for Handle {
    unsafe fn to_napi_value(_env: sys::napi_env, handle: Self) -> Result<sys::napi_value> {
        Ok(handle.0)
    }
}

/// A format that pixrace writes.
#[napi(string_enum = "lowercase")]
pub enum Format {
    Avif,
    Webp,
    Jpeg,
    Png,
}

/// How a candidate ended:
/// - `won`: it is the answer and satisfies every constraint;
/// - `lost`: it is finished, and another one is smaller;
/// - `over-budget`: it has more than `maxBytes`;
/// - `below-score`: it scores below the floor;
/// - `failed`: its encoder failed or it broke a promise, as a warning says;
/// - `skipped`: it was not tried, for the reason that a warning gives;
/// - `abandoned`: it was stopped because it could no longer win.
#[napi(string_enum = "kebab-case")]
pub enum Outcome {
    Won,
    Lost,
    OverBudget,
    BelowScore,
    Failed,
    Skipped,
    Abandoned,
}

/// A requested format, or the original, after the race.
#[napi(object, object_from_js = false)]
pub struct Candidate {
    /// One of the requested formats, or the input's for the original.
    #[napi(ts_type = "Format | 'gif'")]
    pub format: &'static str,
    /// Size of the file; null if there is none.
    pub bytes: Either<f64, Null>,
    /// The quality it was encoded at, 1 to 100; null for lossless and palette candidates and the original. Of an animation it may
    /// be higher than asked for: where at a lower one nothing would move.
    pub quality: Either<u32, Null>,
    /// SSIMULACRA2 against the input (resized, if it is), of the file as a decoder shows it; 100 where every pixel is kept;
    /// null where no score was asked for. Of an animation the lowest of up to 12 of its frames.
    pub score: Either<f64, Null>,
    /// How many times its encoders ran over the whole picture.
    pub encodes: u32,
    /// Wall time of its encoders and of judging their files, in milliseconds.
    pub elapsed_ms: f64,
    pub outcome: Outcome,
    /// The file, for a finished candidate.
    #[napi(ts_type = "Buffer")]
    pub data: Option<Handle>,
}

/// Something worth knowing although the call succeeded.
#[napi(object, object_from_js = false)]
pub struct Warning {
    /// A stable name.
    #[napi(
        ts_type = "'color-profile-ignored' | 'color-profile-dropped' | 'format-skipped' | 'encode-failed' | 'metadata-dropped' | 'metadata-kept' | 'missing-end' | 'infeasible'"
    )]
    pub code: &'static str,
    /// The format that it concerns, if it concerns one.
    pub format: Option<Format>,
    /// A sentence.
    pub message: String,
}

/// In CSS pixels.
#[napi(object, object_from_js = false)]
pub struct LayoutSize {
    pub width: u32,
    pub height: u32,
}

/// What the header of an image says.
#[napi(object, object_from_js = false)]
pub struct ImageInfo {
    /// By its first bytes.
    #[napi(ts_type = "'jpeg' | 'png' | 'webp' | 'gif' | 'avif'")]
    pub format: &'static str,
    /// Width in pixels as stored, before `orientation` is applied.
    pub width: u32,
    /// Height in pixels as stored, before `orientation` is applied.
    pub height: u32,
    /// Size at which a page shows the picture unless told otherwise, upright and in CSS pixels; only where its pixels do not
    /// tell: of a JPEG that browsers "density-correct", because the resolution in its EXIF makes of its pixels just the size
    /// that EXIF gives.
    pub layout: Option<LayoutSize>,
    /// Size of the file.
    pub bytes: f64,
    /// Whether the file can be transparent somewhere: an alpha channel, a transparent colour, or gaps in frames.
    pub has_alpha: bool,
    /// Bits per sample, 1 to 16.
    pub bit_depth: u32,
    /// EXIF orientation, 1 (upright) to 8.
    pub orientation: u32,
    /// Frames of an animation; 1 for a still picture. At most 100,000 are counted.
    pub pages: u32,
    #[napi(ts_type = "'gray' | 'rgb' | 'cmyk'")]
    pub color_space: &'static str,
}

/// Where the time went, in milliseconds.
#[napi(object, object_from_js = false)]
pub struct Timings {
    pub decode_ms: f64,
    /// 0 where nothing is resized.
    pub resize_ms: f64,
    /// From the first encoder's start to the last one's end, judging included.
    pub encode_ms: f64,
    /// Time spent on judging, on all threads together.
    pub score_ms: f64,
    /// From the call to its answer.
    pub total_ms: f64,
    /// From the call to the start of its work.
    pub queued_ms: f64,
}

/// The answer of `optimize`.
#[napi(object, object_from_js = false)]
pub struct OptimizeResult {
    /// The smallest file that satisfies every constraint; with `maxBytes` alone, the best-looking one. If none does (`passed`
    /// is false), the best-looking file within `maxBytes`, else the smallest.
    #[napi(ts_type = "Buffer")]
    pub data: Handle,
    /// Format of `data`: one of the requested formats, or the input's if the original won.
    #[napi(ts_type = "Format | 'gif'")]
    pub format: &'static str,
    /// Width of the picture in `data` as a page shows it, in CSS pixels: its own, unless the input is a JPEG that is
    /// density-corrected (see `ImageInfo.layout`) and no `resize` was asked for.
    pub width: u32,
    /// Height of the picture in `data` as a page shows it, in CSS pixels.
    pub height: u32,
    /// The quality of `data`, 1 to 100; null for lossless and palette candidates and the original.
    pub quality: Either<u32, Null>,
    /// SSIMULACRA2 of `data` against the input (resized, if it is); null where none was asked for, or with
    /// `verify: false` none was computed.
    pub score: Either<f64, Null>,
    /// Whether `data` is the original: the input, without its metadata unless `metadata` is `'keep'`.
    pub is_original: bool,
    /// Whether every constraint holds for `data`; of a score that `verify: false` leaves out, whether it is expected to.
    pub passed: bool,
    /// One per requested format, in that order, then the original if it was a candidate.
    pub candidates: Vec<Candidate>,
    pub warnings: Vec<Warning>,
    /// What the option `placeholder` asked for: a `data:` URL, or a colour as '#rrggbb'. Null if nothing was asked for, and for
    /// the colour of a picture that is wholly transparent.
    pub placeholder: Either<String, Null>,
    pub input: ImageInfo,
    pub timings: Timings,
}

/// What this build consists of.
#[napi(object, object_from_js = false)]
pub struct Versions {
    pub pixrace: String,
    /// Role of each codec library → its name and version.
    #[napi(ts_type = "Record<string, string>")]
    pub codecs: BTreeMap<String, String>,
    /// Instruction sets that the codecs choose from at run time.
    pub simd: Vec<String>,
}

impl Versions {
    pub fn current() -> Self {
        use pixrace::versions::{CODECS, PIXRACE, simd};
        Self {
            pixrace: PIXRACE.to_owned(),
            codecs: CODECS.map(|(role, version)| (role.to_owned(), version.to_owned())).into(),
            simd: simd().into_iter().map(str::to_owned).collect(),
        }
    }
}

/// The answer to a call of one variant.
pub fn optimize_result(env: &Env, mut answers: Vec<Optimized>) -> Result<Handle> {
    let answer = answers.pop().ok_or_else(|| napi::Error::from_reason("a call without an answer"))?;
    result_of(env, answer)
}

/// All answers, as an array.
pub fn optimize_results(env: &Env, answers: Vec<Optimized>) -> Result<Handle> {
    let results = answers.into_iter().map(|answer| result_of(env, answer)).collect::<Result<Vec<_>>>()?;
    Handle::new(env, results)
}

/// Every candidate's file becomes one `Buffer` without a copy, and `data` is the winner's.
fn result_of(env: &Env, answer: Optimized) -> Result<Handle> {
    let Optimized { index, input_bytes, .. } = answer;
    let input = image_info(&answer.input, input_bytes);
    let candidates = answer.candidates.into_iter().map(|candidate| self::candidate(env, candidate, input.format));
    let candidates = candidates.collect::<Result<Vec<_>>>()?;
    let winner = &candidates[index];
    let data = winner.data.ok_or_else(|| napi::Error::from_reason("the winner has no file"))?;
    let result = OptimizeResult {
        data,
        format: answer.format,
        width: answer.width,
        height: answer.height,
        quality: winner.quality,
        score: winner.score,
        is_original: answer.is_original,
        passed: answer.passed,
        candidates,
        warnings: answer.warnings.into_iter().map(Warning::from).collect(),
        placeholder: nullable(answer.placeholder),
        input,
        timings: Timings {
            decode_ms: milliseconds(answer.timings.decode),
            resize_ms: milliseconds(answer.timings.resize),
            encode_ms: milliseconds(answer.timings.encode),
            score_ms: milliseconds(answer.timings.score),
            total_ms: milliseconds(answer.timings.total),
            queued_ms: milliseconds(answer.timings.queued),
        },
    };
    Handle::new(env, result)
}

fn candidate(env: &Env, candidate: Engine, input_format: &'static str) -> Result<Candidate> {
    let bytes = nullable(candidate.bytes().map(|bytes| bytes as f64));
    let data = candidate.data.map(|data| {
        let owned = Arc::try_unwrap(data).unwrap_or_else(|shared| shared.as_ref().clone());
        BufferSlice::from_data(env, owned).map(|buffer| Handle(buffer.raw()))
    });
    Ok(Candidate {
        format: candidate.format.map_or(input_format, pixrace::codec::Format::as_str),
        bytes,
        quality: nullable(candidate.quality.map(u32::from)),
        score: nullable(candidate.score),
        encodes: candidate.encodes,
        elapsed_ms: milliseconds(candidate.elapsed),
        outcome: candidate.outcome.into(),
        data: data.transpose()?,
    })
}

fn nullable<T>(value: Option<T>) -> Either<T, Null>
where
    T: napi::bindgen_prelude::TypeName,
{
    value.map_or(Either::B(Null), Either::A)
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

fn image_info(header: &Header, bytes: u64) -> ImageInfo {
    let (width, height) = header.layout_size();
    ImageInfo {
        format: header.format.as_str(),
        width: header.width,
        height: header.height,
        layout: header.density_corrected.map(|_| LayoutSize { width, height }),
        bytes: bytes as f64,
        has_alpha: header.has_alpha,
        bit_depth: u32::from(header.bit_depth),
        orientation: u32::from(header.orientation.to_exif()),
        pages: header.pages,
        color_space: header.color_space.as_str(),
    }
}

impl From<&Inspected> for ImageInfo {
    fn from(inspected: &Inspected) -> Self {
        image_info(&inspected.header, inspected.bytes)
    }
}

impl From<pixrace::warning::Warning> for Warning {
    fn from(warning: pixrace::warning::Warning) -> Self {
        Self { code: warning.code.as_str(), format: warning.format.map(Format::from), message: warning.message }
    }
}

impl From<pixrace::codec::Format> for Format {
    fn from(format: pixrace::codec::Format) -> Self {
        match format {
            pixrace::codec::Format::Avif => Self::Avif,
            pixrace::codec::Format::Webp => Self::Webp,
            pixrace::codec::Format::Jpeg => Self::Jpeg,
            pixrace::codec::Format::Png => Self::Png,
        }
    }
}

impl From<candidate::Outcome> for Outcome {
    fn from(outcome: candidate::Outcome) -> Self {
        match outcome {
            candidate::Outcome::Won => Self::Won,
            candidate::Outcome::Lost => Self::Lost,
            candidate::Outcome::OverBudget => Self::OverBudget,
            candidate::Outcome::BelowScore => Self::BelowScore,
            candidate::Outcome::Failed => Self::Failed,
            candidate::Outcome::Skipped => Self::Skipped,
            candidate::Outcome::Abandoned => Self::Abandoned,
        }
    }
}
