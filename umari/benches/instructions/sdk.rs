//! The work, as a user of the SDK writes it.

use umari::host::{NewEvent, QueryItem, RawEvent};
use umari::prelude::*;

use crate::domain::{Input, PlanCreated, SHOP, Sales, WarrantySold, created, input, plan_id, sold};
use crate::host::{events, run};
use crate::plain;

#[derive(DomainIds, FromDomainIds)]
pub(crate) struct PlanFold {
    #[domain_id]
    plan_id: Uuid,
}

#[derive(EventSet)]
pub(crate) enum PlanEvents {
    #[scope(plan_id)]
    Created(PlanCreated),
    #[scope(plan_id)]
    Sold(WarrantySold),
}

impl Fold for PlanFold {
    type Events = PlanEvents;
    type State = Sales;

    fn apply(&self, sales: &mut Sales, event: StoredEvent<PlanEvents>) {
        match event.data {
            PlanEvents::Created(created) => {
                assert_eq!(created.plan_id, self.plan_id);
                sales.title = Some(created.title);
            }
            PlanEvents::Sold(sold) => {
                sales.sold += 1;
                sales.characters += sold.customer_email.len();
            }
        }
    }
}

/// The log is made before a measurement begins to differ between rounds, so it is a copy here and in
/// the plain code.
fn log() -> Vec<RawEvent> {
    plain::LOG.with(Clone::clone)
}

pub(crate) fn query() -> Vec<QueryItem> {
    run(Vec::new(), |memory| {
        Command::new(input(), CommandContext::new())
            .fold::<PlanFold>()
            .fold::<EventCounter<PlanCreated>>()
            .execute(|_, _| Ok(emit![]))
            .expect("nothing to fail");
        memory.query.take()
    })
}

pub(crate) fn fold() -> Sales {
    run(log(), |_| {
        FoldQuery::new()
            .fold(PlanFold { plan_id: plan_id() })
            .run()
            .expect("events that can be read")
    })
}

pub(crate) fn emit() -> (Vec<NewEvent>, ExecuteOutput) {
    run(Vec::new(), |memory| {
        let output = Command::new(input(), CommandContext::new())
            .execute(|_, ()| {
                let first = emit![created()];
                Ok((1..10).fold(first, |emit, number| emit.event(sold(number))))
            })
            .expect("events that can be written");
        (memory.committed.take(), output)
    })
}

pub(crate) fn command() -> (Vec<NewEvent>, ExecuteOutput) {
    run(log(), |memory| {
        let output = sell(input(), CommandContext::new()).expect("a plan");
        (memory.committed.take(), output)
    })
}

fn sell(input: Input, context: CommandContext) -> anyhow::Result<ExecuteOutput> {
    Command::new(input, context)
        .fold::<PlanFold>()
        .execute(|input, sales| {
            anyhow::ensure!(sales.title.is_some(), "there is no such plan");
            assert_eq!(input.shop_id, SHOP);
            Ok(emit![sold(u128::from(sales.sold) + 1)])
        })
}

/// Both sides do the same work.
pub(crate) fn check_against_plain() {
    assert_eq!(events(), log());
    assert_eq!(query(), plain::query());
    assert_eq!(fold(), plain::fold());
    assert_eq!(emit(), plain::emit());
    assert_eq!(command(), plain::command());
}
