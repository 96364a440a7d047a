//! The token that stops a call: by its caller, or by the clock.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::error::{Error, Result};

/// Asked by every stage of a call whether to go on. Clones share one state.
#[derive(Debug, Clone)]
pub struct Cancel(Arc<State>);

#[derive(Debug)]
struct State {
    stopped: AtomicBool,
    started: Instant,
    timeout: Option<Duration>,
}

impl Cancel {
    /// The clock of `timeout` starts now, so that waiting in the queue counts.
    #[must_use]
    pub fn new(timeout: Option<Duration>) -> Self {
        Self(Arc::new(State { stopped: AtomicBool::new(false), started: Instant::now(), timeout }))
    }

    /// Stops the call at its next check.
    pub fn stop(&self) {
        self.0.stopped.store(true, Ordering::Relaxed);
    }

    /// When the timeout runs out, if there is one.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        self.0.timeout.map(|timeout| self.0.started + timeout)
    }

    /// How long ago the call was made.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.0.started.elapsed()
    }

    /// `Err` when the call is to end: [`Error::Aborted`] or [`Error::Timeout`].
    pub fn check(&self) -> Result<()> {
        if self.0.stopped.load(Ordering::Relaxed) {
            return Err(Error::Aborted);
        }
        match self.0.timeout {
            Some(after) if self.elapsed() >= after => Err(Error::Timeout { after }),
            _ => Ok(()),
        }
    }
}

/// For libraries that poll a stop token of this trait (WebP, SSIMULACRA2).
impl enough::Stop for Cancel {
    fn check(&self) -> std::result::Result<(), enough::StopReason> {
        match self.check() {
            Ok(()) => Ok(()),
            Err(Error::Timeout { .. }) => Err(enough::StopReason::TimedOut),
            Err(_) => Err(enough::StopReason::Cancelled),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clone_sees_the_stop() {
        let cancel = Cancel::new(None);
        let clone = cancel.clone();
        assert_eq!(clone.check(), Ok(()));
        cancel.stop();
        assert_eq!(clone.check(), Err(Error::Aborted));
    }

    #[test]
    fn the_clock_starts_with_the_token() {
        let after = Duration::from_millis(1);
        let cancel = Cancel::new(Some(after));
        std::thread::sleep(after);
        assert_eq!(cancel.check(), Err(Error::Timeout { after }));
    }
}
