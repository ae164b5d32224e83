//! Every locked payload, through every fold.

use std::rc::Rc;

use umari::decider::Decider;
use umari::fold::{Fold, FoldError};
use umari::host::{Host, NewEvent};
use umari::prelude::FoldQuery;

use super::compare::Registered;
use super::file::{Entry, Golden, LockFile};
use crate::engine::{Engine, Role};
use crate::events::{Events, Fact, chain};
use crate::given::short;
use crate::panics;
use crate::report::{Report, Verdict, boundary};
use crate::shared::Shared;
use crate::world::World;

/// A fold or decider of any type, which can be run as often as there are payloads.
pub(crate) struct Replay {
    name: String,
    run: Box<dyn Fn() -> Result<(), String>>,
}

impl Replay {
    pub(crate) fn fold<F: Fold>(fold: F) -> Self {
        let fold = Rc::new(fold);
        Self::new::<F>(move || FoldQuery::new().fold(Shared::from(&fold)).run().map(drop))
    }

    pub(crate) fn decider<D: Decider>(decider: D) -> Self {
        let decider = Rc::new(decider);
        Self::new::<D>(move || {
            let query = FoldQuery::new().decider(Shared::from(&decider));
            query.run().map(drop)
        })
    }

    fn new<R>(query: impl Fn() -> Result<(), FoldError> + 'static) -> Self {
        Self {
            name: short(std::any::type_name::<R>()),
            run: Box::new(move || match panics::catch(&query) {
                Ok(Ok(())) => Ok(()),
                Ok(Err(error)) => Err(Shared::<R>::unwrap_name(&chain(&error))),
                Err(panic) => Err(format!("it panicked: {panic}")),
            }),
        }
    }

    /// What the fold panicked or failed with, if it did.
    fn run(&self, engine: &Rc<Engine>) -> Result<(), String> {
        let _guard = umari::host::install(Rc::clone(engine) as Rc<dyn Host>);
        (self.run)()
    }
}

/// Runs `fold` over as many histories as there are locked payloads: the samples in their order, with
/// the payload in the place of the sample of its type.
pub(crate) fn check(fold: &Replay, lock: &LockFile, registered: &Registered) -> Verdict {
    let mut read_any = false;
    let mut last = None;
    for entry in lock.entries() {
        for golden in &entry.payloads {
            let (world, position) = history(entry, golden, registered)?;
            let engine = Engine::new(&world, Role::Fold);
            let result = fold.run(&engine);
            read_any |= engine
                .traces
                .borrow()
                .iter()
                .any(|trace| trace.read.contains(&position));
            if let Err(cause) = result {
                return Err(Box::new(
                    Report::new(format!(
                        "`{}` does not get over a stored `{}` of version {}",
                        fold.name, entry.event_type, entry.version
                    ))
                    .scenario(&world.story)
                    .section("locked payload", golden.data.to_string())
                    .cause(cause)
                    .fix("let the fold, or the upcast of the event, take what stores hold"),
                ));
            }
            last = Some((world, engine));
        }
    }
    match last {
        Some((world, engine)) if !read_any => Err(Box::new(
            Report::new(format!("`{}` reads none of the locked events", fold.name))
                .section(
                    "boundary",
                    boundary::grid(&engine.traces.borrow(), world.log.events()),
                )
                .cause("it selects by domain ids that no sample has, so nothing was proven of it")
                .fix("give the fold the domain ids of the samples, or register what it reads"),
        )),
        _ => Ok(()),
    }
}

/// The history for one locked payload, and its position there.
fn history(entry: &Entry, golden: &Golden, registered: &Registered) -> Verdict<(World, u64)> {
    let mut world = World::new();
    let mut position = 0;
    for sample in &registered.samples {
        if sample.kind.is_named(&entry.event_type) {
            let locked = Events::new().with_fact(Fact::stored(stored(entry, golden)));
            world.append("locked", &locked)?;
            position = world.log.head();
        } else {
            world.append("sample", &Events::new().with_fact(sample.fact.clone()))?;
        }
    }
    Ok((world, position))
}

fn stored(entry: &Entry, golden: &Golden) -> NewEvent {
    let is_scope = |tag: &&String| {
        let name = tag.split(':').next();
        name.is_some() && name == entry.crypto_scope.as_deref()
    };
    NewEvent {
        event_type: entry.event_type.clone(),
        schema_version: entry.version,
        tags: golden.tags.clone(),
        encryption_scope: golden.tags.iter().find(is_scope).cloned(),
        payload: golden.data.to_string(),
    }
}
