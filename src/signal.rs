//! An AbortSignal and the call that it stops.

use std::cell::RefCell;
use std::collections::HashMap;

use napi::bindgen_prelude::{Function, FunctionRef, JsObjectValue, Object, ObjectRef, Unknown};
use napi::{Env, Error, Result};

/// Listeners of calls in flight. A long-lived signal must not collect the listeners of calls that are done; the
/// references belong to their JavaScript thread, so they stay there while the call travels.
#[derive(Default)]
struct Listeners {
    next: u64,
    entries: HashMap<u64, (ObjectRef<false>, FunctionRef<(), ()>)>,
}

thread_local! {
    static LISTENERS: RefCell<Listeners> = RefCell::default();
}

/// Names a listener for [`stop_listening`].
#[derive(Clone, Copy)]
pub struct Listener(u64);

/// The reason of `signal` if it is aborted already.
pub fn throw_if_aborted(signal: &Object<'_>) -> Result<()> {
    if signal.get_named_property::<bool>("aborted")? { Err(reason(signal)?) } else { Ok(()) }
}

fn reason(signal: &Object<'_>) -> Result<Error> {
    Ok(Error::from_unknown_without_coercion(signal.get_named_property::<Unknown<'_>>("reason")?))
}

/// Calls `stop` once with the signal's reason, as soon as the signal aborts.
pub fn listen(env: &Env, signal: &Object<'_>, stop: impl FnOnce(Error) + 'static) -> Result<Listener> {
    let stop = RefCell::new(Some(stop));
    let listener: Function<'_, (), ()> = env.create_function_from_closure("onAbort", move |context| {
        if let Some(stop) = stop.borrow_mut().take() {
            stop(reason(&context.this()?)?);
        }
        Ok(())
    })?;
    let add: Function<'_, napi::bindgen_prelude::FnArgs<(&str, Unknown<'_>)>, ()> =
        signal.get_named_property("addEventListener")?;
    add.apply(*signal, ("abort", napi::bindgen_prelude::JsValue::to_unknown(&listener)).into())?;
    let entry = (signal.create_ref()?, listener.create_ref()?);
    Ok(LISTENERS.with_borrow_mut(|listeners| {
        listeners.next += 1;
        listeners.entries.insert(listeners.next, entry);
        Listener(listeners.next)
    }))
}

/// Takes the listener off its signal. On the JavaScript thread that [`listen`] ran on.
pub fn stop_listening(env: &Env, listener: Listener) -> Result<()> {
    let entry = LISTENERS.with_borrow_mut(|listeners| listeners.entries.remove(&listener.0));
    let Some((signal, listener)) = entry else { return Ok(()) };
    let object = signal.get_value(env)?;
    let remove: Function<'_, napi::bindgen_prelude::FnArgs<(&str, Unknown<'_>)>, ()> =
        object.get_named_property("removeEventListener")?;
    let function = listener.borrow_back(env)?;
    remove.apply(object, ("abort", napi::bindgen_prelude::JsValue::to_unknown(&function)).into())?;
    signal.unref(env)
}
