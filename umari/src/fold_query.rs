//! Folds outside of commands: for effects that ask before they act.

use chrono::{DateTime, Utc};

use crate::boundary::running::Evolving;
use crate::boundary::slots::{
    Append, IfDecider, IfFold, Many, One, Slots, With, WithDecider, WithFold, WithFolds,
};
use crate::boundary::{Running, replay, wanted};
use crate::command::CommandContext;
use crate::decider::Decider;
use crate::fold::{Fold, FoldError};
use crate::host::{self, AsOf, Host};

/// Runs folds over the log without deciding anything.
///
/// One registration yields its state, several a tuple of states. Folds select their events by
/// their own domain ids.
///
/// # Examples
///
/// ```
/// # use umari::prelude::*;
/// # #[derive(Event, DomainIds, Serialize, Deserialize)]
/// # struct WarrantySold { #[domain_id] shop_id: u64 }
/// # #[derive(Event, DomainIds, Serialize, Deserialize)]
/// # struct ReportWanted {}
/// # struct Report;
/// # impl Effect for Report {
/// # type Query = SingleEvent<ReportWanted>;
/// # fn init() -> anyhow::Result<Self> { Ok(Report) }
/// # fn handle(&mut self, event: StoredEvent<ReportWanted>) -> anyhow::Result<()> {
/// // In an effect: all sales, and those of two shops, in one read.
/// let (sold, per_shop) = FoldQuery::new()
///     .fold(EventCounter::<WarrantySold>::new())
///     .fold_iter([42, 43].map(|shop| EventCounter::<WarrantySold>::new().with("shop_id", shop)))
///     .run()?;
/// assert_eq!((sold, per_shop), (3, vec![2, 0]));
///
/// // And what it was before the second sale.
/// let earlier = FoldQuery::new().fold(EventCounter::<WarrantySold>::new()).as_of(1).run()?;
/// assert_eq!(earlier, 1);
/// # Ok(())
/// # }
/// # }
/// # use umari_testing::prelude::*;
/// # let sold = |shop_id| WarrantySold { shop_id };
/// # given(events![sold(42), sold(42), sold(7)])
/// #     .when_event(ReportWanted {})
/// #     .run::<Report>()
/// #     .then(events![]);
/// ```
#[must_use = "a query does nothing until `run`"]
pub struct FoldQuery<S = ()> {
    slots: S,
    as_of: Option<AsOf>,
    max_events: u64,
}

impl FoldQuery {
    /// A query without folds.
    pub fn new() -> Self {
        Self {
            slots: (),
            as_of: None,
            max_events: u64::MAX,
        }
    }
}

impl Default for FoldQuery {
    fn default() -> Self {
        Self::new()
    }
}

impl<S> FoldQuery<S> {
    /// Registers one fold.
    pub fn fold<F: Fold>(self, fold: F) -> FoldQuery<WithFold<S, F>>
    where
        IfFold<F, S>: Append<One<F>>,
    {
        self.register(One(Running::start_bound(fold)))
    }

    /// Registers a decider; its state is read, and nothing decided.
    pub fn decider<D: Decider>(self, decider: D) -> FoldQuery<WithDecider<S, D>>
    where
        IfDecider<D, S>: Append<One<Evolving<D>>>,
    {
        self.register(One(Running::start_bound(Evolving(decider))))
    }

    /// Registers one fold for each element; their states come as a `Vec`.
    pub fn fold_iter<F: Fold>(
        self,
        folds: impl IntoIterator<Item = F>,
    ) -> FoldQuery<WithFolds<S, F>>
    where
        IfFold<F, S>: Append<Many<F>>,
    {
        let running = folds.into_iter().map(Running::start_bound);
        self.register(Many(running.collect()))
    }

    fn register<N>(self, slot: N) -> FoldQuery<With<S, N>>
    where
        S: Append<N>,
    {
        FoldQuery {
            slots: self.slots.append(slot),
            as_of: self.as_of,
            max_events: self.max_events,
        }
    }

    /// Reads at most `events` events in all; one more is a [`FoldError::TooManyEvents`].
    pub fn max_events(mut self, events: u64) -> Self {
        self.max_events = events;
        self
    }

    /// Reads only up to and including a position (`u64`) or a moment (`DateTime<Utc>`).
    ///
    /// A moment is compared with the date of each event, which the host's clock gave it when it was
    /// written: read is what bears a date up to the moment, wherever it is in the log. Dates follow
    /// positions as long as that clock is not set back. Where it was, an event may be read that stands
    /// behind one that is not; a position has no such exceptions.
    pub fn as_of(mut self, bound: impl Into<AsOf>) -> Self {
        self.as_of = Some(bound.into());
        self
    }

    /// Reads only what was written up to and including a moment: [`FoldQuery::as_of`] by time.
    pub fn as_of_time(self, time: DateTime<Utc>) -> Self {
        self.as_of(time)
    }

    /// Reads the log and returns the states.
    ///
    /// # Errors
    ///
    /// A [`FoldError`] for a domain id without a value, an event that cannot be decoded, a limit that
    /// is passed, or a store that cannot be read.
    pub fn run(self) -> Result<S::States, FoldError>
    where
        S: Slots,
    {
        let mut slots = self.slots;
        let query = wanted(&mut slots)?;
        // Nothing to read, so nothing to ask the store for.
        if query.is_empty() {
            return Ok(slots.into_states());
        }
        let mut transaction = match self.as_of {
            Some(bound) => host::with(|host| Host::open_as_of(host, &query, bound))?,
            None => {
                let context = CommandContext::new();
                host::with(|host| Host::open(host, &query, &context, ""))?
            }
        };
        replay(&mut *transaction, &mut slots, "query", self.max_events)?;
        Ok(slots.into_states())
    }
}

impl From<u64> for AsOf {
    fn from(position: u64) -> Self {
        Self::Position(position)
    }
}

impl From<DateTime<Utc>> for AsOf {
    fn from(time: DateTime<Utc>) -> Self {
        Self::Time(time)
    }
}
