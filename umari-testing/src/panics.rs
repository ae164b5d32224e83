//! Panics of the code under test, with the line that they came from.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind, set_hook, take_hook};
use std::sync::Once;

use crate::engine::sweep::Killed;

thread_local! {
    /// Whether code under test is running on this thread.
    static LISTENING: Cell<bool> = const { Cell::new(false) };
    /// Whether nobody needs to hear of it, since the same panic has been heard before.
    static QUIET: Cell<bool> = const { Cell::new(false) };
    /// Where the last panic of this thread was.
    static PLACE: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Runs code under test; its panic as text. A module that the crash sweep kills goes on unwinding.
pub(crate) fn catch<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    listen();
    let before = LISTENING.replace(true);
    PLACE.set(None);
    let result = catch_unwind(AssertUnwindSafe(work));
    LISTENING.set(before);
    result.map_err(|payload| {
        if payload.is::<Killed>() {
            resume_unwind(payload);
        }
        let text = text(&*payload);
        match PLACE.take() {
            Some(place) => format!("{text}, at {place}"),
            None => text,
        }
    })
}

/// Runs code under test again and again, without the messages of its panics on standard error.
#[cfg(feature = "proptest")]
pub(crate) fn quietly<T>(work: impl FnOnce() -> T) -> T {
    let before = QUIET.replace(true);
    let result = work();
    QUIET.set(before);
    result
}

/// Only the panic hook knows where a panic was. Ours notes it, and hands on to the one before.
fn listen() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let previous = take_hook();
        set_hook(Box::new(move |info| {
            if LISTENING.get() {
                PLACE.set(info.location().map(ToString::to_string));
            }
            if !(LISTENING.get() && QUIET.get()) {
                previous(info);
            }
        }));
    });
}

fn text(payload: &(dyn Any + Send)) -> String {
    payload
        .downcast_ref::<&str>()
        .map(ToString::to_string)
        .or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a panic without a message".to_owned())
}
