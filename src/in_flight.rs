//! The calls in flight of each JavaScript environment (the main thread's or a worker's): they end with it.

use std::cell::RefCell;
use std::collections::HashMap;

use napi::{Env, Result};
use pixrace::budget::Budget;
use pixrace::cancel::Cancel;

/// Names a call for [`remove`].
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Key(u64);

#[derive(Default)]
struct InFlight {
    last: u64,
    calls: HashMap<Key, Cancel>,
}

// An environment has a thread of its own.
thread_local! {
    static IN_FLIGHT: RefCell<InFlight> = RefCell::default();
}

/// To be called once for each environment. When it ends, nobody can take an answer any more: its calls are stopped, so that
/// a terminated worker holds neither threads nor memory for longer than until the next check of each.
pub fn stop_with(env: Env) -> Result<()> {
    env.add_env_cleanup_hook((), |()| {
        let calls = IN_FLIGHT.with_borrow_mut(|in_flight| std::mem::take(&mut in_flight.calls));
        if calls.is_empty() {
            return;
        }
        calls.values().for_each(Cancel::stop);
        Budget::global().notice_cancelled();
    })?;
    Ok(())
}

pub fn insert(cancel: Cancel) -> Key {
    IN_FLIGHT.with_borrow_mut(|in_flight| {
        in_flight.last += 1;
        let key = Key(in_flight.last);
        in_flight.calls.insert(key, cancel);
        key
    })
}

pub fn remove(key: Key) {
    IN_FLIGHT.with_borrow_mut(|in_flight| in_flight.calls.remove(&key));
}
