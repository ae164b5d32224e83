//! The native side of the seam: a host per thread, installed by a test harness.

use std::cell::RefCell;
use std::marker::PhantomData;
use std::rc::Rc;

use super::{Host, KeptState, ReaderQuery, Transaction, TransactionError};

thread_local! {
    /// A stack, so that a harness may run inside another's scenario.
    static HOSTS: RefCell<Vec<Rc<dyn Host>>> = const { RefCell::new(Vec::new()) };
}

/// Keeps a host installed for the current thread; dropping it uninstalls the host.
#[must_use = "the host is uninstalled when this is dropped"]
#[derive(Debug)]
pub struct Installed {
    depth: usize,
    /// Belongs to the thread that installed it.
    not_send: PhantomData<*const ()>,
}

/// Installs `host` for the current thread until the returned guard is dropped.
///
/// Hosts nest: the last one installed answers.
pub fn install(host: Rc<dyn Host>) -> Installed {
    HOSTS.with_borrow_mut(|hosts| {
        hosts.push(host);
        Installed {
            depth: hosts.len(),
            not_send: PhantomData,
        }
    })
}

impl Drop for Installed {
    fn drop(&mut self) {
        HOSTS.with_borrow_mut(|hosts| hosts.truncate(self.depth - 1));
    }
}

/// Runs `call` with the host of the current thread.
///
/// # Panics
///
/// Panics where no host is installed, and says how a test gets one.
#[track_caller]
pub(crate) fn with<T>(call: impl FnOnce(&dyn Host) -> T) -> T {
    let host = HOSTS.with_borrow(|hosts| hosts.last().cloned());
    let Some(host) = host else {
        panic!(
            "umari: this code asked its host for something, but no host is installed on this thread; \
             in a test, run it through umari-testing, for example \
             `umari_testing::given(events![..]).when(execute, input).then(events![..])`"
        );
    };
    call(&*host)
}

/// Tells the host of the current thread something, if there is one.
pub(crate) fn observe(tell: impl FnOnce(&dyn Host)) {
    let host = HOSTS.with_borrow(|hosts| hosts.last().cloned());
    if let Some(host) = host {
        tell(&*host);
    }
}

/// [`Transaction::resume`].
pub(crate) fn resume(
    transaction: &mut dyn Transaction,
    readers: &[ReaderQuery],
) -> Result<Vec<Option<KeptState>>, TransactionError> {
    transaction.resume(readers)
}

/// [`Transaction::discard`].
pub(crate) fn discard(transaction: &mut dyn Transaction, reader: usize) {
    transaction.discard(reader);
}

/// [`Transaction::keep`].
pub(crate) fn keep(transaction: &mut dyn Transaction, reader: usize, state: String) {
    transaction.keep(reader, state);
}
