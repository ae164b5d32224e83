//! Readers that go on from states that were kept.

use super::running::Readers;
use super::selection::Query;
use crate::fold::FoldError;
use crate::host::{self, ReaderQuery, Transaction};

/// What takes readers with snapshots through a transaction.
///
/// By address, and only in what such a reader says of itself: a module without snapshots carries
/// nothing of this, and does not import it.
pub(crate) struct Hooks {
    pub(super) resume: fn(&mut dyn Transaction, &mut dyn Readers) -> Result<(), FoldError>,
    pub(super) keep: fn(&mut dyn Transaction, &mut dyn Readers),
}

pub(crate) const HOOKS: Hooks = Hooks { resume, keep };

/// The hooks, where one of the readers has snapshots.
pub(super) fn hooks(readers: &mut dyn Readers) -> Option<&'static Hooks> {
    let mut found = None;
    readers.each(&mut |reader| found = found.or(reader.hooks()));
    found
}

/// Lets the readers go on from what was kept for them.
fn resume(transaction: &mut dyn Transaction, readers: &mut dyn Readers) -> Result<(), FoldError> {
    let mut queries = Vec::new();
    let mut covered = Ok(());
    readers.each(&mut |reader| {
        let mut query = Query::new();
        if covered.is_ok() {
            covered = query.cover(reader.selection());
        }
        let (key, query) = (reader.key(), query.into_items());
        queries.push(ReaderQuery { key, query });
    });
    covered?;
    let mut kept = host::resume(transaction, &queries)?.into_iter();
    let (mut place, mut useless) = (0, Vec::new());
    readers.each(&mut |reader| {
        if let Some(kept) = kept.next().flatten()
            && !reader.resume(&kept)
        {
            useless.push(place);
        }
        place += 1;
    });
    for place in useless {
        host::discard(transaction, place);
    }
    Ok(())
}

/// Offers the states to the host that enough events led to.
fn keep(transaction: &mut dyn Transaction, readers: &mut dyn Readers) {
    #[cfg(not(target_family = "wasm"))]
    let every = transaction.wants_every_state();
    #[cfg(target_family = "wasm")]
    let every = false;
    let mut place = 0;
    readers.each(&mut |reader| {
        let due = |interval| every || reader.events() >= interval;
        // Fields that are no JSON are no key.
        if reader.kept_after().is_some_and(due)
            && reader.key().is_some()
            && let Some(state) = reader.encode()
        {
            host::keep(transaction, place, state);
        }
        place += 1;
    });
}
