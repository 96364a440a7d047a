//! A call of the engine as a promise.

use napi::bindgen_prelude::Object;
use napi::{Env, JsDeferred, Result};
use pixrace::budget::{Budget, Call};
use pixrace::cancel::Cancel;

use crate::error::{self, to_js};
use crate::in_flight::{self, Key};
use crate::result::Handle;
use crate::signal::{self, Watch};

/// A call with everything that was read from its arguments.
pub struct Prepared<'env, C: Call> {
    pub call: C,
    pub cancel: Cancel,
    pub signal: Option<Object<'env>>,
    /// Makes the JavaScript value of the answer.
    pub convert: fn(&Env, C::Answer) -> Result<Handle>,
}

/// Runs on the JavaScript thread when the promise settles.
type Settlement = Box<dyn FnOnce(Env) -> Result<Handle>>;
type Deferred = JsDeferred<Handle, Settlement>;

/// A promise of the answer to the call that `prepare` makes; whatever goes wrong rejects it, nothing throws. No thread
/// of libuv's pool takes part: the budget's threads settle the promise through the event loop's queue.
pub fn promise<'env, C: Call>(
    env: &'env Env,
    prepare: impl FnOnce() -> Result<Prepared<'env, C>>,
) -> Result<Object<'env>> {
    let (deferred, promise): (Deferred, _) = env.create_deferred()?;
    if let Err(error) = prepare().and_then(|prepared| submit(env, prepared, deferred.clone())) {
        let reason = error::thrown(env)?.unwrap_or(error);
        deferred.resolve(Box::new(move |_| Err(reason)));
    }
    Ok(promise)
}

fn submit<C: Call>(env: &Env, prepared: Prepared<'_, C>, deferred: Deferred) -> Result<()> {
    let Prepared { call, cancel, signal, convert } = prepared;
    if let Some(signal) = &signal {
        signal::throw_if_aborted(env, signal)?;
    }
    let key = in_flight::insert(cancel.clone());
    let watch = signal.map(|signal| stop_on_abort(env, &signal, key, cancel.clone(), deferred.clone()));
    let watch = watch.transpose().inspect_err(|_| in_flight::remove(key))?;
    Budget::global().submit(call, cancel, move |answer| {
        let settlement: Settlement = Box::new(move |env| {
            in_flight::remove(key);
            if let Some(watch) = watch {
                signal::unwatch(&env, watch)?;
            }
            convert(&env, answer.map_err(|error| to_js(&env, &error))?)
        });
        // If the signal was first, this changes nothing.
        deferred.resolve(settlement);
    });
    Ok(())
}

/// Rejects at once, whatever the call is doing; its threads and memory follow at its next check.
fn stop_on_abort(env: &Env, signal: &Object<'_>, key: Key, cancel: Cancel, deferred: Deferred) -> Result<Watch> {
    signal::watch(env, signal, move |reason| {
        in_flight::remove(key);
        // Before the engine hears of it: its answer to a cancelled call would not be the signal's reason.
        deferred.resolve(Box::new(move |_| Err(reason)));
        cancel.stop();
        Budget::global().notice_cancelled();
    })
}
