//! pixrace decodes an image once, encodes it as AVIF, WebP, JPEG and PNG in parallel inside a fixed thread budget, and
//! hands back the smallest file that meets every constraint.
//!
//! The pipeline reads from top to bottom in [`optimize`]; [`budget`] decides when and on which threads it runs.

#![forbid(unsafe_code)]

pub mod animated;
pub mod animation;
pub mod answer;
pub mod attempt;
pub mod budget;
pub mod calls;
pub mod cancel;
pub mod candidate;
pub mod change;
mod checks;
pub mod codec;
pub mod color;
pub mod content;
pub mod curve;
pub mod decode;
pub mod error;
pub mod fingerprint;
pub mod image;
pub mod ladder;
pub mod limits;
pub mod optimize;
pub mod options;
pub mod palette;
pub mod placeholder;
pub mod race;
pub mod resample;
pub mod resize;
pub mod sample;
pub mod score;
pub mod scout;
pub mod search;
pub mod select;
pub mod value;
pub mod versions;
pub mod warning;
