//! AbortSignals and the calls that they stop.

use std::cell::RefCell;

use napi::bindgen_prelude::{FnArgs, Function, FunctionRef, JsObjectValue, JsValue, Object, ObjectRef, Unknown};
use napi::{Env, Error, Result, Status};

/// What happens to a call when its signal aborts, with the signal's reason.
type Stop = Box<dyn FnOnce(Error)>;

/// A signal with calls in flight. However many they are, they share one listener: Node warns of a leak at eleven.
struct Watched {
    signal: ObjectRef<false>,
    listener: FunctionRef<(), ()>,
    calls: Vec<(Watch, Stop)>,
}

/// Names a call for [`unwatch`].
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Watch(u64);

/// References belong to their JavaScript thread, so they stay there while the calls travel.
#[derive(Default)]
struct Registry {
    last: u64,
    watched: Vec<Watched>,
}

thread_local! {
    static REGISTRY: RefCell<Registry> = RefCell::default();
}

/// Throws the signal's reason, which may be any value, if the signal is aborted already.
pub fn throw_if_aborted(env: &Env, signal: &Object<'_>) -> Result<()> {
    if !signal.get_named_property::<bool>("aborted")? {
        return Ok(());
    }
    env.throw(signal.get_named_property::<Unknown<'_>>("reason")?)?;
    Err(Error::new(Status::PendingException, ""))
}

fn reason(signal: &Object<'_>) -> Result<Error> {
    Ok(Error::from_unknown_without_coercion(signal.get_named_property::<Unknown<'_>>("reason")?))
}

/// Calls `stop` once with the signal's reason as soon as the signal aborts, unless [`unwatch`] comes first.
pub fn watch(env: &Env, signal: &Object<'_>, stop: impl FnOnce(Error) + 'static) -> Result<Watch> {
    let position = position_of(env, signal)?;
    if position.is_none() {
        let watched = Watched { signal: signal.create_ref()?, listener: listen(env, signal)?, calls: Vec::new() };
        REGISTRY.with_borrow_mut(|registry| registry.watched.push(watched));
    }
    Ok(REGISTRY.with_borrow_mut(|registry| {
        registry.last += 1;
        let watch = Watch(registry.last);
        let position = position.unwrap_or(registry.watched.len() - 1);
        registry.watched[position].calls.push((watch, Box::new(stop)));
        watch
    }))
}

/// Forgets a call that is done. The last one of a signal takes the listener off it.
pub fn unwatch(env: &Env, watch: Watch) -> Result<()> {
    let idle = REGISTRY.with_borrow_mut(|registry| {
        let holds = |watched: &Watched| watched.calls.iter().any(|(call, _)| *call == watch);
        let position = registry.watched.iter().position(holds)?;
        let calls = &mut registry.watched[position].calls;
        calls.retain(|(call, _)| *call != watch);
        calls.is_empty().then(|| registry.watched.swap_remove(position))
    });
    idle.map_or(Ok(()), |watched| release(env, watched))
}

fn position_of(env: &Env, signal: &Object<'_>) -> Result<Option<usize>> {
    REGISTRY.with_borrow(|registry| {
        for (position, watched) in registry.watched.iter().enumerate() {
            if env.strict_equals(watched.signal.get_value(env)?, *signal)? {
                return Ok(Some(position));
            }
        }
        Ok(None)
    })
}

/// Puts a listener on `signal` that stops its calls.
fn listen(env: &Env, signal: &Object<'_>) -> Result<FunctionRef<(), ()>> {
    let listener: Function<'_, (), ()> = env.create_function_from_closure("onAbort", |context| {
        let signal: Object<'_> = context.this()?;
        let position = position_of(context.env, &signal)?;
        let watched = position.map(|at| REGISTRY.with_borrow_mut(|registry| registry.watched.swap_remove(at)));
        if let Some(mut watched) = watched {
            for (_, stop) in watched.calls.drain(..) {
                stop(reason(&signal)?);
            }
            release(context.env, watched)?;
        }
        Ok(())
    })?;
    method(signal, "addEventListener")?.apply(*signal, ("abort", listener.to_unknown()).into())?;
    listener.create_ref()
}

fn release(env: &Env, watched: Watched) -> Result<()> {
    let signal = watched.signal.get_value(env)?;
    let listener = watched.listener.borrow_back(env)?;
    method(&signal, "removeEventListener")?.apply(signal, ("abort", listener.to_unknown()).into())?;
    watched.signal.unref(env)
}

type ListenerMethod<'env> = Function<'env, FnArgs<(&'static str, Unknown<'env>)>, ()>;

fn method<'env>(signal: &Object<'env>, name: &str) -> Result<ListenerMethod<'env>> {
    signal.get_named_property(name)
}
