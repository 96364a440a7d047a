//! What can go wrong, by whose fault it is. Each variant has one stable code.

use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;
use std::time::Duration;

use crate::codec::InputFormat;

pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a call has no result. `Display` is one sentence for a person; [`Error::code`] is for a program.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The caller's mistake: an option that is unknown, of the wrong type, out of range, or in conflict with another.
    #[error("Invalid option `{option}`: expected {expected}, received {received}.")]
    InvalidOption { option: String, expected: String, received: String },

    /// The bytes are no image, or one of a kind that is not read.
    #[error("Unsupported input: {detected}. Supported are JPEG, PNG, WebP, GIF and AVIF.")]
    UnsupportedInput { detected: String },

    /// The bytes say that they are an image of a supported format, and are broken.
    #[error("Corrupt {format} input: {reason}.")]
    CorruptInput { format: InputFormat, reason: String },

    /// The input, or the picture that it is resized to, is larger than a limit allows.
    #[error("Limit exceeded: {limit} is {actual}, at most {bound} is allowed.")]
    LimitExceeded { limit: &'static str, actual: u64, bound: u64 },

    /// No requested format could be encoded and the original was not a candidate.
    #[error("No candidate: {reasons}.")]
    NoCandidate { reasons: String },

    /// `limits.timeoutMs` ran out, queueing included.
    #[error("Timed out after {} ms.", .after.as_millis())]
    Timeout { after: Duration },

    /// The caller's signal stopped the call.
    #[error("The call was aborted.")]
    Aborted,

    /// A defect of pixrace or of a codec: a panic was caught.
    #[error("Internal error: {message}. Please report it with the image that causes it.")]
    Internal { message: String },
}

impl Error {
    /// The stable code that JavaScript sees as `error.code`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::InvalidOption { .. } => "ERR_PIXRACE_INVALID_OPTION",
            Self::UnsupportedInput { .. } => "ERR_PIXRACE_UNSUPPORTED_INPUT",
            Self::CorruptInput { .. } => "ERR_PIXRACE_CORRUPT_INPUT",
            Self::LimitExceeded { .. } => "ERR_PIXRACE_LIMIT_EXCEEDED",
            Self::NoCandidate { .. } => "ERR_PIXRACE_NO_CANDIDATE",
            Self::Timeout { .. } => "ERR_PIXRACE_TIMEOUT",
            Self::Aborted => "ABORT_ERR",
            Self::Internal { .. } => "ERR_PIXRACE_INTERNAL",
        }
    }

    /// Whether the whole call ends with this error, not only the candidate that met it.
    #[must_use]
    pub fn ends_call(&self) -> bool {
        matches!(self, Self::Timeout { .. } | Self::Aborted)
    }

    pub(crate) fn corrupt(format: InputFormat, reason: impl std::fmt::Display) -> Self {
        let reason = reason.to_string();
        Self::CorruptInput { format, reason: reason.trim_end_matches('.').to_owned() }
    }

    pub(crate) fn internal(message: impl Into<String>) -> Self {
        Self::Internal { message: message.into() }
    }
}

thread_local! {
    /// How many [`catch`]es the thread is within.
    static CATCHING: Cell<u32> = const { Cell::new(0) };
}

/// Counts as one [`catch`] while it lives.
struct Quiet;

impl Quiet {
    fn begin() -> Self {
        static HOOK: Once = Once::new();
        HOOK.call_once(|| {
            let others = panic::take_hook();
            panic::set_hook(Box::new(move |panic| {
                // What is caught has its message in an error, and a process's stderr belongs to its program.
                if CATCHING.get() == 0 {
                    others(panic);
                }
            }));
        });
        CATCHING.set(CATCHING.get() + 1);
        Self
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        CATCHING.set(CATCHING.get() - 1);
    }
}

/// For the life of a thread whose panics are all caught, here or by those who wait for it: a pool's.
pub(crate) fn quiet_thread() {
    std::mem::forget(Quiet::begin());
}

/// Runs `work` and turns a panic (a codec unwinding, a decoder meeting hostile input) into [`Error::Internal`]. Nothing of it
/// is printed.
pub fn catch<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    let _quiet = Quiet::begin();
    panic::catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|payload| {
        let message = payload
            .downcast_ref::<String>()
            .map(String::as_str)
            .or_else(|| payload.downcast_ref::<&str>().copied())
            .unwrap_or("a panic without a message");
        Err(Error::internal(message))
    })
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use rayon::prelude::*;

    use super::*;

    /// A panic becomes a value, with its message, whether it is a `&str` or a `String`.
    #[test]
    fn panics_become_internal_errors() {
        let number = 7;
        let formatted: Result<()> = catch(|| panic!("broken {number}"));
        assert_eq!(formatted, Err(Error::internal("broken 7")));
        let literal: Result<()> = catch(|| panic!("broken"));
        assert_eq!(literal, Err(Error::internal("broken")));
        assert_eq!(catch(|| Ok(1)), Ok(1));
    }

    /// Only within `catch` is the hook silent: nested, after a panic, and on no other thread.
    #[test]
    fn quiet_ends_with_the_catch() {
        let nested = catch(|| {
            let inner: Result<()> = catch(|| panic!("inner"));
            assert!(inner.is_err() && CATCHING.get() == 1);
            std::thread::scope(|scope| scope.spawn(|| assert_eq!(CATCHING.get(), 0)).join()).unwrap();
            Ok(())
        });
        assert_eq!((nested, CATCHING.get()), (Ok(()), 0));
    }

    /// A part of a call that runs on another thread of a pool panics there.
    #[test]
    fn panics_of_a_pool_reach_the_catch() {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(2).start_handler(|_| quiet_thread()).build().unwrap();
        let parts = |index: usize| if index == 9 { panic!("part {index}") } else { index };
        let result = catch(|| Ok(pool.install(|| (0..64).into_par_iter().map(parts).sum::<usize>())));
        assert_eq!(result, Err(Error::internal("part 9")));
    }

    /// Runs the tests of panics above in a process of their own and looks at what it prints.
    #[test]
    fn nothing_of_a_caught_panic_is_printed() {
        let tests = ["panics_become_internal_errors", "panics_of_a_pool_reach_the_catch", "quiet_ends_with_the_catch"];
        let child = Command::new(std::env::current_exe().unwrap())
            .args(tests.map(|test| format!("error::tests::{test}")))
            .args(["--exact", "--nocapture"])
            .output()
            .unwrap();
        let (printed, stderr) = (String::from_utf8_lossy(&child.stdout), String::from_utf8_lossy(&child.stderr));
        assert!(printed.contains("3 passed"), "{printed}");
        assert_eq!(stderr, "");
    }
}
