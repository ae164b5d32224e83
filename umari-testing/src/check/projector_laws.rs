//! Check 4: a projector's tables depend on the history alone.

use std::time::Duration;

use umari::host::RawEvent;
use umari::projector::Projector;

use super::PROJECTOR_LAWS;
use crate::given::short;
use crate::projector::{Disturbance, Run, replay};
use crate::report::{Report, Shown, Verdict, diff};
use crate::world::World;

/// Up to here each position is disturbed on its own; in longer histories all are at once.
const SINGLE_EVENTS_MAX: usize = 8;

/// Compares an undisturbed run with disturbed ones.
///
/// Each is also a rebuild from scratch, and is interrupted and restarted at the same event. Only
/// where one differs are the three told apart.
pub(crate) fn check<P: Projector>(world: &World, events: &[RawEvent], once: &Run) -> Verdict {
    let mut later = world.clone();
    later.now += Duration::from_secs(60 * 60);
    let laws = Laws {
        world,
        later,
        events,
        expected: once.dump(),
    };
    if events.len() > SINGLE_EVENTS_MAX {
        return laws.hold_at::<P>(None);
    }
    (0..events.len()).try_for_each(|index| laws.hold_at::<P>(Some(index)))
}

struct Laws<'a> {
    world: &'a World,
    /// The same with a clock that has moved on, as it will have when a projector is rebuilt.
    later: World,
    events: &'a [RawEvent],
    /// The tables of the undisturbed run.
    expected: String,
}

impl Laws<'_> {
    fn hold_at<P: Projector>(&self, place: Option<usize>) -> Verdict {
        let Err(report) = self.holds::<P>(Disturbance::Both(place)) else {
            return Ok(());
        };
        self.holds::<P>(Disturbance::None)?;
        self.holds::<P>(Disturbance::Restart(place))?;
        self.holds::<P>(Disturbance::Interrupt(place))?;
        Err(report)
    }

    fn holds<P: Projector>(&self, disturbance: Disturbance) -> Verdict {
        let words = self.words(disturbance);
        let run = replay::<P>(&self.later, self.events, disturbance, &words)?;
        let name = short(std::any::type_name::<P>());
        let difference = diff::lines(&self.expected, &run.dump());
        let report = match (run.failure(), difference) {
            (None, None) => return Ok(()),
            (Some((event, message)), _) => {
                Report::new(format!("`{name}` fails when it is {words}"))
                    .scenario(&self.world.story)
                    .section("stopped at", Shown::from(event).label())
                    .cause(message.clone())
            }
            (None, Some(difference)) => {
                Report::new(format!("`{name}` has other rows when it is {words}"))
                    .scenario(&self.world.story)
                    .section("rows (- handled once, + disturbed)", difference)
            }
        };
        Err(Box::new(report.fix(fix(disturbance))))
    }

    fn words(&self, disturbance: Disturbance) -> String {
        let place = |at: Option<usize>| match at.and_then(|index| self.events.get(index)) {
            Some(event) => format!("event {} ({})", event.position, Shown::from(event).label()),
            None => "every event".to_owned(),
        };
        match disturbance {
            Disturbance::None => "rebuilt from scratch".to_owned(),
            Disturbance::Restart(at) => format!("restarted after {}", place(at)),
            Disturbance::Interrupt(at) => format!("interrupted at {}", place(at)),
            Disturbance::Both(at) => format!("interrupted at and restarted after {}", place(at)),
        }
    }
}

fn fix(disturbance: Disturbance) -> String {
    let fix = match disturbance {
        Disturbance::None => {
            "rows may depend on events alone: no clock, no random value, no order of a hash map"
        }
        Disturbance::Restart(_) => {
            "a new instance begins with `init` on the tables that are there: keep state in tables, \
             not in the struct, and let `init` leave existing rows alone"
        }
        Disturbance::Interrupt(_) | Disturbance::Both(_) => {
            "what an interrupted `handle` wrote is rolled back, what it changed in a static is \
             not: keep state in tables"
        }
    };
    format!("{fix}\nor, if it is meant, `.without(check::{PROJECTOR_LAWS}, \"why\")`")
}
