//! Projectors: events in, rows out.

use crate::event::{EventSet, StoredEvent, Yields, decode};
use crate::host::{QueryItem, RawEvent};

/// A read model that is built from events in the module's own SQLite database.
///
/// Export it with [`export_projector!`](crate::export_projector).
///
/// # Examples
///
/// ```standalone_crate
/// use serde::{Deserialize, Serialize};
/// use umari::prelude::*;
///
/// #[derive(Event, DomainIds, Serialize, Deserialize)]
/// #[event_type("shop.connected")]
/// struct ShopConnected {
///     #[domain_id]
///     shop_id: u64,
/// }
///
/// struct Shops {}
///
/// impl Projector for Shops {
///     type Query = SingleEvent<ShopConnected>;
///
///     fn init() -> anyhow::Result<Self> {
///         execute_batch("CREATE TABLE IF NOT EXISTS shops (shop_id TEXT PRIMARY KEY)")?;
///         Ok(Shops {})
///     }
///
///     fn handle(&mut self, event: StoredEvent<ShopConnected>) -> anyhow::Result<()> {
///         execute("INSERT INTO shops VALUES (?1)", params![event.data.shop_id.to_string()])?;
///         Ok(())
///     }
/// }
///
/// export_projector!(Shops);
///
/// # fn main() {
/// use umari_testing::prelude::*;
///
/// given(events![ShopConnected { shop_id: 42 }])
///     .project::<Shops>()
///     .then_rows("SELECT shop_id FROM shops", rows![("42",)]);
/// # }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a projector",
    label = "not a projector",
    note = "implement `umari::projector::Projector` for it"
)]
pub trait Projector: Sized {
    /// The events to read.
    type Query: EventSet + ?Sized;

    /// Creates tables and prepares statements. Called once for each instance, inside a
    /// transaction.
    ///
    /// # Errors
    ///
    /// Whatever keeps the projector from starting; the host tries again later.
    fn init() -> anyhow::Result<Self>;

    /// Handles one event, inside a savepoint that an error rolls back.
    ///
    /// # Errors
    ///
    /// Whatever keeps the projector from going on; the host delivers the event again later.
    fn handle(
        &mut self,
        event: StoredEvent<<Self::Query as Yields>::Yielded>,
    ) -> anyhow::Result<()>;
}

/// The events to deliver to `P`. The exported glue and test harnesses share this function.
#[must_use]
pub fn query<P: Projector>() -> Vec<QueryItem> {
    subscription::<P::Query>()
}

/// Delivers one stored event to a projector; an event whose data key has been deleted is passed
/// over. The exported glue and test harnesses share this function.
///
/// # Errors
///
/// A [`SerializationError`](crate::event::SerializationError) for an event that cannot be read, or what [`Projector::handle`] returned.
pub fn handle<P: Projector>(projector: &mut P, event: &RawEvent) -> anyhow::Result<()> {
    for event in decode::<P::Query>(event)? {
        projector.handle(event)?;
    }
    Ok(())
}

/// What a reader without bindings reads: by type, and by the fixed values of `#[scope(..)]`.
pub(crate) fn subscription<Q: EventSet + ?Sized>() -> Vec<QueryItem> {
    crate::boundary::subscription(&Q::selected_by())
}
