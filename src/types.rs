//! The options as TypeScript sees them. Only the declarations that napi derives from these types are used: values go
//! through [`crate::options`] to the engine, which validates them with better messages than a derived conversion has.

#![expect(dead_code, reason = "declarations for index.d.ts")]

use napi::bindgen_prelude::{Either, Object};
use napi_derive::napi;

use crate::result::Format;

/// CPU for bytes.
#[napi(string_enum = "lowercase")]
pub enum Effort {
    Fast,
    Balanced,
    Best,
}

/// What becomes of formats that cannot win.
#[napi(string_enum = "lowercase")]
pub enum Strategy {
    Race,
    All,
}

/// What happens to EXIF and XMP.
#[napi(string_enum = "lowercase")]
pub enum MetadataPolicy {
    Strip,
    Keep,
}

/// What happens to colours that are not sRGB.
#[napi(string_enum = "lowercase")]
pub enum ColorProfilePolicy {
    Srgb,
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
    /// Most pixels (width × height) of the input (of each frame of an animation), and of the result if it is resized. Default: 100,000,000.
    pub max_pixels: Option<f64>,
    /// Largest input in bytes. Default: 134,217,728 (128 MiB).
    pub max_input_bytes: Option<f64>,
    /// Most frames of an animated GIF or WebP, 1 to 99,999. Default: 2,000. All frames together may have at most 4,147,200,000
    /// pixels.
    pub max_frames: Option<u32>,
    /// Longest time from the call to its answer in milliseconds, 1 to 86,400,000, time in the queue included.
    /// Default: none. Past it the promise rejects with `ERR_PIXRACE_TIMEOUT`.
    pub timeout_ms: Option<f64>,
}

/// How a picture meets a box of another aspect ratio.
#[napi(string_enum = "lowercase")]
pub enum Fit {
    Inside,
    Cover,
    Contain,
    Fill,
}

/// The size that the picture is to have. At least one side; the other then follows the aspect ratio, whatever the fit. Sides
/// are rounded to the nearest pixel and are at least 1.
#[napi(object, object_to_js = false)]
pub struct Resize {
    /// Width of the picture as shown (orientation applied) or of the box that it has to fit, in pixels. An integer from 1 to
    /// 65,535.
    pub width: Option<u32>,
    /// Height of the same, in pixels. An integer from 1 to 65,535.
    pub height: Option<u32>,
    /// With both sides given. 'inside': the largest size that fits within the box; the aspect ratio stays. 'cover': the box is
    /// filled, and what is beyond it is cut off, as much on either side. 'contain': as inside, and padded to the box, as much
    /// on either side, with the colour of `flatten`, else transparent. 'fill': stretched to the box. Default: 'inside'.
    pub fit: Option<Fit>,
    /// Whether pixels may be enlarged. If not, 'inside' leaves a smaller picture as it is, 'fill' takes the picture's side where
    /// that is shorter, and the box of 'cover' and 'contain' shrinks, its aspect ratio kept, until nothing has to be enlarged.
    /// Either way the result has to be within `limits.maxPixels`, and no side may exceed 65,535. Default: false.
    pub enlarge: Option<bool>,
}

/// What a page shows until the picture is there.
#[napi(string_enum = "lowercase")]
pub enum Placeholder {
    Thumbhash,
    Blur,
    Color,
}

/// Every option may be left out. An unknown key, a wrong type or a value out of range is an
/// `ERR_PIXRACE_INVALID_OPTION` that names the option, what was expected and what came.
#[napi(object, object_to_js = false)]
pub struct OptimizeOptions {
    /// Formats to try, in order of preference: ties go to the earlier. Not empty, none twice. Default: all four, in the
    /// order avif, webp, jpeg, png.
    pub formats: Option<Vec<Format>>,
    /// Encodes each format once, at 1 (smallest) to 100 (best) on its encoder's own scale: one number for all lossy formats
    /// or one per format (80 where left out). PNG keeps every pixel. From 90 on JPEG keeps colour at full resolution, and WebP,
    /// which cannot, keeps every pixel of drawings and small pictures. Excludes `minScore` and `lossless`. Default: none; the
    /// quality is searched.
    pub quality: Option<Either<u32, Qualities>>,
    /// The smallest file whose SSIMULACRA2 against the input is at least this, 0 to 100: 50 medium, 70 high, 90 visually
    /// lossless. Each format's quality is searched, in at most 7 encodes per way of encoding. Of pictures with a side under 256
    /// pixels the mean error is bounded too, so that they often score higher. Excludes `quality` and `lossless`. Default: 70, unless `maxBytes`, `quality` or `lossless` is given.
    pub min_score: Option<f64>,
    /// No candidate above this many bytes passes. An integer of at least 1. Without `minScore`, `quality` and `lossless`: the
    /// best-looking file that fits is searched. Default: none.
    pub max_bytes: Option<f64>,
    /// Only pixel-identical candidates, proven by decoding them: PNG, and WebP up to 8 bits per sample. Of an animation the
    /// colour of fully transparent pixels does not count. Default: false.
    pub lossless: Option<bool>,
    /// Whether files that a search made are decoded and scored. false takes a sample's word for it: with `minScore` the most
    /// promising format (with `strategy: 'all'` each) is encoded once, at the quality that is expected to reach it, and has no
    /// score. Where a sample says too little it is as with true: for drawings, animations and pictures of less than about
    /// 200,000 pixels, for a `minScore` that a format may not reach, and with `maxBytes`. Default: true.
    pub verify: Option<bool>,
    /// CPU for bytes. Default: 'balanced'.
    pub effort: Option<Effort>,
    /// 'race': a format that can no longer win is abandoned and has no file. 'all': every format is finished, as a `<picture>`
    /// needs it. The answer is the same, but for a rare photograph with `verify: false` that is smaller in another format
    /// than AVIF. Default: 'race'.
    pub strategy: Option<Strategy>,
    /// Most threads that this call may use, codec-internal ones included. An integer of at least 1; more than the
    /// process's pool has (one per available core, or `PIXRACE_THREADS`) is the whole pool. Output bytes do not depend
    /// on it. Default: the whole pool.
    pub concurrency: Option<u32>,
    /// false is `concurrency: 1`. Default: true.
    pub parallel: Option<bool>,
    /// Whether the input itself is a candidate, so that the answer is never larger. A picture that `resize` gives another size
    /// is none. Default: true.
    pub keep_original: Option<bool>,
    /// The size that the picture is to have. Filtered by Lanczos3 where it shrinks and by Catmull-Rom where it is enlarged, on
    /// sRGB-encoded samples, as browsers and sharp do. Everything else refers to the resized picture: scores, `lossless`,
    /// width and height of the result. Default: the picture's own size.
    pub resize: Option<Resize>,
    /// Background for formats without alpha and of the padding of `fit: 'contain'`, as '#rrggbb'. Default: none; if the image
    /// uses alpha, JPEG is skipped with a warning.
    pub flatten: Option<String>,
    /// 'strip' leaves EXIF and XMP out of encoded candidates, 'keep' carries them along with the orientation reset.
    /// Orientation is applied to the pixels either way. Default: 'strip'.
    pub metadata: Option<MetadataPolicy>,
    /// 'srgb' converts the input's colours to sRGB by its profile (ICC, PNG's gAMA, cHRM and cICP, AVIF's code points).
    /// 'keep' leaves samples and profile as they are and embeds the profile; AVIF can say Display P3 and BT.2020 and is skipped
    /// for others. CMYK becomes sRGB either way. Default: 'srgb', with `lossless` 'keep'.
    pub color_profile: Option<ColorProfilePolicy>,
    /// What a page shows until the picture is there, made of the decoded (and resized) picture: the result's `placeholder`.
    /// 'thumbhash': a `data:` URL of at most 1000 characters (on photographs 170 to 390) with the picture that its ThumbHash
    /// describes, smooth and 32 pixels at its longest side, to be shown as it is. 'blur': a `data:` URL of at most 500
    /// characters (on photographs 130 to 260) with the picture in at most 16 pixels, to be blurred by CSS. Both are WebP, with
    /// alpha if the picture has it, and of its aspect ratio. 'color': the average colour as '#rrggbb', the mean of the
    /// sRGB-encoded values weighted by alpha. No other byte of the answer depends on it. Default: none.
    pub placeholder: Option<Placeholder>,
    /// Bounds against hostile input.
    pub limits: Option<Limits>,
    /// Stops queued and running work; the promise rejects with the signal's reason.
    #[napi(ts_type = "AbortSignal")]
    pub signal: Option<Object<'static>>,
}
