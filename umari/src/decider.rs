//! Deciders: a decision and the state that it stands on, in one value.
//!
//! The shape is that of Jérémie Chassaing's functional event sourcing decider
//! (<https://thinkbeforecoding.com/post/2021/12/17/functional-event-sourcing-decider>): an initial state,
//! a function that evolves it by an event, and a function that decides which events a command
//! leads to.

use crate::command::Emit;
use crate::domain_id::DomainIds;
use crate::event::{EventSet, StoredEvent, Yields};
use crate::snapshot::Snapshot;

/// Business logic as three pure functions.
///
/// [`Command::decide`](crate::command::Command::decide) runs it as a command, and
/// [`FoldQuery::decider`](crate::fold_query::FoldQuery::decider) reads its state. Beside a
/// [`Fold`](crate::fold::Fold), whose state begins as its default and is decided on elsewhere, a
/// decider names its own beginning and its own decision, so that both can be tested as values.
///
/// # Examples
///
/// ```
/// use umari::prelude::*;
///
/// #[derive(Event, DomainIds, Serialize, Deserialize)]
/// #[event_type("seat.reserved")]
/// struct SeatReserved {
///     #[domain_id]
///     show_id: u64,
///     seats: u32,
/// }
///
/// #[derive(DomainIds, Serialize, Deserialize)]
/// struct Reserve {
///     #[domain_id]
///     show_id: u64,
///     seats: u32,
/// }
///
/// #[derive(DomainIds, FromDomainIds)]
/// struct Seats {
///     #[domain_id]
///     show_id: u64,
/// }
///
/// impl Decider for Seats {
///     type Events = SingleEvent<SeatReserved>;
///     type State = u32;
///     type Input = Reserve;
///
///     fn initial(&self) -> u32 {
///         100
///     }
///
///     fn evolve(&self, free: u32, event: StoredEvent<SeatReserved>) -> u32 {
///         free - event.data.seats
///     }
///
///     fn decide(&self, input: Reserve, free: u32) -> anyhow::Result<Emit> {
///         anyhow::ensure!(input.seats <= free, "only {free} seats are free");
///         Ok(emit![SeatReserved { show_id: input.show_id, seats: input.seats }])
///     }
/// }
///
/// #[export_command(name = "reserve-seats")]
/// fn execute(input: Reserve, context: CommandContext) -> anyhow::Result<ExecuteOutput> {
///     Command::new(input, context).decide::<Seats>()
/// }
///
/// let seats = Seats { show_id: 7 };
/// assert_eq!(seats.decide(Reserve { show_id: 7, seats: 2 }, seats.initial()).unwrap().len(), 1);
/// assert!(seats.decide(Reserve { show_id: 7, seats: 2 }, 1).is_err());
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a decider",
    label = "not a decider",
    note = "implement `umari::decider::Decider` for it"
)]
pub trait Decider: DomainIds + 'static {
    /// The events to read.
    type Events: EventSet + ?Sized;

    /// What they add up to.
    type State: 'static;

    /// What is decided on.
    type Input;

    /// How many events it may read; see [`Fold::MAX_EVENTS`](crate::fold::Fold::MAX_EVENTS).
    const MAX_EVENTS: u64 = u64::MAX;

    /// Whether its state is kept between calls; see [`Fold::SNAPSHOT`](crate::fold::Fold::SNAPSHOT).
    const SNAPSHOT: Snapshot<Self> = Snapshot::NEVER;

    /// The state before the first event.
    fn initial(&self) -> Self::State;

    /// The state after one more event. Events come in the order of the log.
    fn evolve(
        &self,
        state: Self::State,
        event: StoredEvent<<Self::Events as Yields>::Yielded>,
    ) -> Self::State;

    /// The events that `input` leads to.
    ///
    /// # Errors
    ///
    /// Whatever speaks against it: a [`Rejection`](crate::command::Rejection), or any error.
    fn decide(&self, input: Self::Input, state: Self::State) -> anyhow::Result<Emit>;
}
