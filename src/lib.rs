//! The door: JavaScript values in, one call into the engine, JavaScript values out. Nothing is decided here.

mod allocator;
mod call;
mod error;
mod in_flight;
mod input;
mod options;
mod result;
mod signal;
mod types;

use napi::bindgen_prelude::{Object, Unknown, retain_current_module_for_unload_safety};
use napi::{Env, Result};
use napi_derive::napi;

use pixrace::budget::Budget;
use pixrace::calls::{InspectCall, OptimizeCall, ScoreCall};
use pixrace::cancel::Cancel;

use crate::result::{Handle, ImageInfo, Versions, optimize_result, optimize_results};

/// Runs in each environment (the main thread's, each worker's) that loads the addon.
#[napi(module_exports)]
pub fn load(_exports: Object, env: Env) -> Result<()> {
    allocator::keep_pages();
    // Node unloads an addon with the last environment that loaded it, but the budget's threads live on.
    retain_current_module_for_unload_safety();
    in_flight::stop_with(env)
}

/// Encodes an image in every requested format at once and resolves with the smallest file that satisfies all
/// constraints.
///
/// The input is copied before the call returns. All work runs on pixrace's own threads, never on the event loop.
///
/// Rejects with an `Error` whose `code` is one of `ERR_PIXRACE_INVALID_OPTION`, `ERR_PIXRACE_UNSUPPORTED_INPUT`,
/// `ERR_PIXRACE_CORRUPT_INPUT`, `ERR_PIXRACE_LIMIT_EXCEEDED`, `ERR_PIXRACE_NO_CANDIDATE`, `ERR_PIXRACE_TIMEOUT` or
/// `ERR_PIXRACE_INTERNAL`; if `signal` aborts, with the signal's reason.
#[napi(
    ts_args_type = "input: Uint8Array, options?: OptimizeOptions | undefined",
    ts_return_type = "Promise<OptimizeResult>"
)]
pub fn optimize<'env>(env: &'env Env, input: Unknown<'env>, options: Unknown<'env>) -> Result<Object<'env>> {
    call::promise(env, || {
        let signal = options::signal(env, &options)?;
        let options = options::parse(env, &options)?;
        let cancel = Cancel::new(options.limits().timeout);
        let call = OptimizeCall::new(input::copy(env, "input", &input)?, vec![options]);
        Ok(call::Prepared { call, cancel, signal, convert: optimize_result })
    })
}

/// Makes several variants of one image, as a `srcset` needs them: the image is decoded once, and what the search learned of
/// one size tells the next where to begin. Resolves with one result for each, in their order.
///
/// Each variant has the options of `optimize` except `concurrency`, `parallel`, `limits` and `signal`, which belong to the whole
/// call; what it leaves out is taken from `options`. A result may differ by a step of quality from what `optimize` would give;
/// it satisfies the same constraints.
///
/// Rejects like `optimize`; an invalid option of a variant is named as in `variants[2].resize.width`. 1 to 32 variants.
#[napi(
    ts_args_type = "input: Uint8Array, variants: Array<Omit<OptimizeOptions, 'concurrency' | 'parallel' | 'limits' | 'signal'>>, options?: OptimizeOptions | undefined",
    ts_return_type = "Promise<OptimizeResult[]>"
)]
pub fn optimize_many<'env>(
    env: &'env Env,
    input: Unknown<'env>,
    variants: Unknown<'env>,
    options: Unknown<'env>,
) -> Result<Object<'env>> {
    call::promise(env, || {
        let signal = options::signal(env, &options)?;
        let variants = options::parse_many(env, &variants, &options)?;
        let cancel = Cancel::new(variants.first().and_then(|options| options.limits().timeout));
        let call = OptimizeCall::new(input::copy(env, "input", &input)?, variants);
        Ok(call::Prepared { call, cancel, signal, convert: optimize_results })
    })
}

/// The same as `optimize`, on the calling thread's time: it blocks until the answer is there. `signal` is looked at
/// once, before the work starts. For scripts; a server wants `optimize`.
#[napi(ts_args_type = "input: Uint8Array, options?: OptimizeOptions | undefined", ts_return_type = "OptimizeResult")]
pub fn optimize_sync<'env>(env: &'env Env, input: Unknown<'env>, options: Unknown<'env>) -> Result<Handle> {
    let signal = options::signal(env, &options)?;
    if let Some(signal) = signal {
        signal::throw_if_aborted(env, &signal)?;
    }
    let options = options::parse(env, &options)?;
    let cancel = Cancel::new(options.limits().timeout);
    let call = OptimizeCall::new(input::copy(env, "input", &input)?, vec![options]);
    let answer = Budget::global().run(call, cancel).map_err(|error| error::to_js(env, &error))?;
    optimize_result(env, answer)
}

/// Reads the header of an image; no pixel is decoded.
///
/// Rejects like `optimize`, with `ERR_PIXRACE_UNSUPPORTED_INPUT`, `ERR_PIXRACE_CORRUPT_INPUT`,
/// `ERR_PIXRACE_LIMIT_EXCEEDED` (the default limits hold) or `ERR_PIXRACE_INVALID_OPTION` (the input is no
/// `Uint8Array`, is empty or is detached).
#[napi(ts_args_type = "input: Uint8Array", ts_return_type = "Promise<ImageInfo>")]
pub fn inspect<'env>(env: &'env Env, input: Unknown<'env>) -> Result<Object<'env>> {
    call::promise(env, || {
        let call = InspectCall { input: input::copy(env, "input", &input)? };
        let convert = |env: &Env, answer| Handle::new(env, ImageInfo::from(&answer));
        Ok(call::Prepared { call, cancel: Cancel::new(None), signal: None, convert })
    })
}

/// SSIMULACRA2 of `candidate` against `reference`, two image files of the same shown size: 100 is identical, 90 visually
/// lossless, 70 high quality, 50 medium; it can be negative.
///
/// Both are compared upright, at 8 bits per sample. Where either uses alpha, both are laid on a dark and on a light
/// background. Sides under 128 pixels are continued by mirror images, so that a score means the same at every size; other
/// tools' values differ there. An AVIF is shown as by sharp, the least careful of its common
/// viewers: bits beyond 8 are cut off, not rounded, and subsampled chroma is not interpolated. Rejects like `inspect`.
#[napi(ts_args_type = "reference: Uint8Array, candidate: Uint8Array", ts_return_type = "Promise<number>")]
pub fn score<'env>(env: &'env Env, reference: Unknown<'env>, candidate: Unknown<'env>) -> Result<Object<'env>> {
    call::promise(env, || {
        let reference = input::copy(env, "reference", &reference)?;
        let candidate = input::copy(env, "candidate", &candidate)?;
        let call = ScoreCall { reference, candidate };
        Ok(call::Prepared {
            call,
            cancel: Cancel::new(None),
            signal: None,
            convert: |env, score| Handle::new(env, score),
        })
    })
}

/// Versions of pixrace and of every codec library, and the SIMD instruction sets that this processor offers them.
#[napi]
#[must_use]
pub fn versions() -> Versions {
    Versions::current()
}
