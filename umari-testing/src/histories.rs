//! Arbitrary histories.

use std::fmt;

use proptest::collection::{SizeRange, vec};
use proptest::strategy::{BoxedStrategy, NewTree, Strategy, Union};
use proptest::test_runner::TestRunner;
use umari::event::Event;

use crate::events::{Events, Fact};

/// Histories of any events, in any order: what could be in a log that several releases and
/// several modules have written to.
///
/// The result is a [`Strategy`] that yields [`Events`], for use in `proptest!`. A projector that
/// is run over such histories is held to its [laws](crate::check::PROJECTOR_LAWS), whatever the order of the
/// events, and to what the test says besides:
///
/// ```
/// use umari::prelude::*;
/// use umari_testing::prelude::*;
/// use umari_testing::proptest::prelude::*;
///
/// #[derive(Debug, Event, DomainIds, Serialize, Deserialize)]
/// #[event_type("plan.created")]
/// struct PlanCreated {
///     #[domain_id]
///     plan_id: i64,
/// }
///
/// #[derive(Debug, Event, DomainIds, Serialize, Deserialize)]
/// #[event_type("plan.sold")]
/// struct PlanSold {
///     #[domain_id]
///     plan_id: i64,
/// }
///
/// # #[derive(EventSet)]
/// # enum Query { Created(PlanCreated), Sold(PlanSold) }
/// # struct Plans;
/// # impl Projector for Plans {
/// #     type Query = Query;
/// #     fn init() -> anyhow::Result<Self> {
/// #         execute_batch("CREATE TABLE IF NOT EXISTS plans (plan_id INTEGER PRIMARY KEY, sold INTEGER)")?;
/// #         Ok(Self)
/// #     }
/// #     fn handle(&mut self, event: StoredEvent<Query>) -> anyhow::Result<()> {
/// #         match event.data {
/// #             Query::Created(plan) => execute("INSERT OR IGNORE INTO plans VALUES (?1, 0)", params![plan.plan_id])?,
/// #             Query::Sold(plan) => execute("UPDATE plans SET sold = sold + 1 WHERE plan_id = ?1", params![plan.plan_id])?,
/// #         };
/// #         Ok(())
/// #     }
/// # }
/// proptest! {
/// #   #![proptest_config(ProptestConfig { cases: 16, failure_persistence: None, ..ProptestConfig::default() })]
/// #   /*
///     #[test]
/// #   */
///     fn plans_take_any_history(
///         history in histories()
///             .event((1..4_i64).prop_map(|plan_id| PlanCreated { plan_id }))
///             .event((1..4_i64).prop_map(|plan_id| PlanSold { plan_id }))
///     ) {
///         let history = given(history);
///         let plans = history.fold(EventFold::<PlanCreated>::new());
///         let ids: std::collections::BTreeSet<_> = plans.events.iter().map(|plan| plan.data.plan_id).collect();
///         history.project::<Plans>().then_rows("SELECT count(*) FROM plans", rows![[ids.len()]]);
///     }
/// }
/// # plans_take_any_history();
/// ```
///
/// Few values for domain ids, as here, make events meet; many keep them apart.
pub fn histories() -> Histories {
    Histories {
        events: Vec::new(),
        length: (0..=20).into(),
    }
}

/// A strategy for histories, made by [`histories`].
#[derive(Clone)]
#[must_use]
pub struct Histories {
    events: Vec<BoxedStrategy<Fact>>,
    length: SizeRange,
}

impl Histories {
    /// Such events may be in it, as often as those of the other strategies.
    pub fn event<S>(mut self, event: S) -> Self
    where
        S: Strategy + 'static,
        S::Value: Event,
    {
        self.events
            .push(event.prop_map(|event| Fact::new(&event)).boxed());
        self
    }

    /// How many events a history has; without it, up to 20.
    pub fn length(mut self, events: impl Into<SizeRange>) -> Self {
        self.length = events.into();
        self
    }
}

impl fmt::Debug for Histories {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Histories")
            .field("events", &self.events.len())
            .field("length", &self.length)
            .finish()
    }
}

impl Strategy for Histories {
    type Tree = <BoxedStrategy<Events> as Strategy>::Tree;
    type Value = Events;

    fn new_tree(&self, runner: &mut TestRunner) -> NewTree<Self> {
        if self.events.is_empty() {
            return Err("`histories()` has no event: add `.event(strategy)`".into());
        }
        vec(Union::new(self.events.clone()), self.length.clone())
            .prop_map(|facts| facts.into_iter().fold(Events::new(), Events::with_fact))
            .boxed()
            .new_tree(runner)
    }
}
