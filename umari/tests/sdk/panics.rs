//! Panics as values.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::Once;

/// A panic: what it said, and the line of the code that it named.
pub(crate) struct Panic {
    pub(crate) message: String,
    pub(crate) file: String,
    pub(crate) line: u32,
}

thread_local! {
    static PLACE: RefCell<Option<(String, u32)>> = const { RefCell::new(None) };
}

/// The panic of `work`, which must panic.
#[track_caller]
pub(crate) fn panic_of<T>(work: impl FnOnce() -> T) -> Panic {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let previous = take_hook();
        set_hook(Box::new(move |info| {
            let place = info.location().map(|at| (at.file().to_owned(), at.line()));
            PLACE.set(place);
            previous(info);
        }));
    });
    let Err(payload) = catch_unwind(AssertUnwindSafe(work)) else {
        panic!("it did not panic");
    };
    let message = payload.downcast::<String>().expect("a formatted message");
    let (file, line) = PLACE.take().expect("a place");
    Panic {
        message: *message,
        file,
        line,
    }
}
