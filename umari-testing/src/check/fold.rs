//! Check 3 for folds and deciders: the same history gives the same state.

use std::fmt::Debug;

use super::command::{RUNS, nondeterminism};
use crate::given::short;
use crate::report::{Report, Verdict, diff};
use crate::world::World;

/// Compares `state` with what `again` gives, as often as it takes.
pub(crate) fn determinism<R, S: PartialEq + Debug>(
    world: &World,
    state: &S,
    mut again: impl FnMut() -> Verdict<S>,
) -> Verdict {
    for _ in 1..RUNS {
        let other = again()?;
        if other == *state {
            continue;
        }
        // Which of two states comes first is chance; what the report says of them is not.
        let mut states = [format!("{state:#?}"), format!("{other:#?}")];
        states.sort();
        if states[0] == states[1] {
            // Not equal to itself, such as a number that is none.
            continue;
        }
        let name = short(std::any::type_name::<R>());
        let report = Report::new(format!(
            "`{name}` comes to different states on the same history"
        ));
        return Err(Box::new(nondeterminism(
            report.scenario(&world.story).section(
                "states (- one, + another)",
                diff::lines(&states[0], &states[1]).unwrap_or_default(),
            ),
        )));
    }
    Ok(())
}
