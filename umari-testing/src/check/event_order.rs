//! A projector loses no update where events of different domain ids come in another order.

use umari::host::RawEvent;
use umari::projector::Projector;

use super::EVENT_ORDER;
use crate::engine::database::Change;
use crate::given::short;
use crate::projector::{Disturbance, Run, replay};
use crate::report::story::event_cells;
use crate::report::{Report, Shown, Verdict, diff, table};
use crate::world::World;

/// Events that are moved forward, one for each type: a history of many tells no more than that of few.
const MOVES_MAX: usize = 8;

/// Lets each event that found its rows come as early as it may, and looks whether it still does.
pub(crate) fn check<P: Projector>(world: &World, events: &[RawEvent], once: &Run) -> Verdict {
    let mut types: Vec<&str> = Vec::new();
    for (index, event) in events.iter().enumerate() {
        if types.len() == MOVES_MAX || types.contains(&event.event_type.as_str()) {
            continue;
        }
        let found = once.changes(index).iter().any(|change| change.rows > 0);
        let place = Place::of(events, index);
        if found && !place.jumped.is_empty() {
            types.push(&event.event_type);
            place.check::<P>(world, events, once)?;
        }
    }
    Ok(())
}

/// An event, and what it may come before.
struct Place {
    index: usize,
    /// What must come before it, in order.
    before: Vec<usize>,
    /// What came before it, and need not.
    jumped: Vec<usize>,
}

impl Place {
    fn of(events: &[RawEvent], index: usize) -> Self {
        let mut before = vec![index];
        let mut jumped = Vec::new();
        for earlier in (0..index).rev() {
            let is_tied = |later: &usize| tied(&events[earlier], &events[*later]);
            if before.iter().any(is_tied) {
                before.insert(0, earlier);
            } else {
                jumped.insert(0, earlier);
            }
        }
        before.pop();
        Self {
            index,
            before,
            jumped,
        }
    }

    /// The order in which the event comes after `kept` of those that it may jump.
    fn order(&self, events: &[RawEvent], kept: usize) -> Vec<usize> {
        let (kept, jumped) = self.jumped.split_at(kept);
        let mut order = self.before.clone();
        order.extend(kept);
        order.push(self.index);
        order.extend(jumped);
        order.extend(self.index + 1..events.len());
        order
    }

    fn check<P: Projector>(&self, world: &World, events: &[RawEvent], once: &Run) -> Verdict {
        let Some(earliest) = self.miss::<P>(world, events, once, 0)? else {
            return Ok(());
        };
        // The last event that it must not jump is the one that made the rows.
        let mut missed = (earliest, 0);
        for kept in (1..self.jumped.len()).rev() {
            if let Some(miss) = self.miss::<P>(world, events, once, kept)? {
                missed = (miss, kept);
                break;
            }
        }
        let (miss, kept) = missed;
        Err(Box::new(self.report::<P>(world, events, &miss, kept)))
    }

    /// What is lost in this order: a statement that finds no row any more, and other tables for it.
    fn miss<P: Projector>(
        &self,
        world: &World,
        events: &[RawEvent],
        once: &Run,
        kept: usize,
    ) -> Verdict<Option<Miss>> {
        let order = self.order(events, kept);
        let place = self.before.len() + kept;
        let events: Vec<_> = order.iter().map(|index| events[*index].clone()).collect();
        let words = "handed its events in another order";
        let run = replay::<P>(world, &events, Disturbance::None, words)?;
        // A projector that stops has noticed by itself.
        if run.failure().is_some() {
            return Ok(None);
        }
        let now = run.changes(place);
        let lost = |change: &&Change| {
            let is_same = |other: &&Change| other.sql == change.sql;
            change.rows > 0 && now.iter().filter(is_same).all(|other| other.rows == 0)
        };
        let Some(change) = once.changes(self.index).iter().find(lost) else {
            return Ok(None);
        };
        Ok(diff::lines(&once.dump(), &run.dump()).map(|rows| Miss {
            sql: change.sql.clone(),
            rows,
        }))
    }

    fn report<P: Projector>(
        &self,
        world: &World,
        events: &[RawEvent],
        miss: &Miss,
        kept: usize,
    ) -> Report {
        let name = short(std::any::type_name::<P>());
        let event = Shown::from(&events[self.index]).label();
        let earlier = Shown::from(&events[self.jumped[kept]]).label();
        let order = self.order(events, kept);
        let order: Vec<_> = order
            .iter()
            .map(|index| event_cells(&events[*index]))
            .collect();
        Report::new(format!(
            "`{name}` loses an update when `{event}` comes before `{earlier}`"
        ))
        .scenario(&world.story)
        .section("order", table::columns(&table::elide(order)))
        .section("finds no row in this order", &*miss.sql)
        .section("rows (- as given, + in this order)", &*miss.rows)
        .cause(
            "the two share no domain id, so no command that writes one depends on the other, and \
             they may be written in either order",
        )
        .fix(format!(
            "keep what comes early: `INSERT .. ON CONFLICT .. DO UPDATE`, or a table of its own; where one \
             can only follow the other, mark the field that says so with `#[domain_id]`, \
             or `.without(check::{EVENT_ORDER}, \"why\")`"
        ))
    }
}

struct Miss {
    sql: String,
    /// The difference of the tables.
    rows: String,
}

/// Whether the order of two events is more than chance: they share a domain id, or belong to one
/// call or one causal chain. An event without domain ids is about everything.
fn tied(one: &RawEvent, other: &RawEvent) -> bool {
    one.tags.is_empty()
        || other.tags.is_empty()
        || one.tags.iter().any(|tag| other.tags.contains(tag))
        || one.correlation_id == other.correlation_id
}
