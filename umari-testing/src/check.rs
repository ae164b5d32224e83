//! The checks that run without being asked, and how to switch one off.
//!
//! | check | runs | says |
//! |---|---|---|
//! | [`SELF_RACE`] | after every successful `when` | two calls at the same moment cannot both commit |
//! | [`IDEMPOTENCY`] | after every successful `when` | a second call with the same key writes nothing |
//! | [`DETERMINISM`] | after every `when` | the same call on the same history decides the same |
//! | [`PROJECTOR_LAWS`] | at every `project` | restarts, interruptions and rebuilds change no row |
//! | [`CRASH_SWEEP`] | after every successful `run` of an effect | a crash at any point loses and doubles nothing |
//! | [`ROUND_TRIP`] | at every `given` and `then` | events come back from the log as they went in |
//!
//! [`without`](crate::Given::without) switches one off for a scenario, and asks for the reason.
//!
//! # Where a check does not apply
//!
//! A command that panicked is not called again, and one that was refused is checked for
//! determinism alone. Commands that an effect calls are left to the crash sweep. A projector that
//! stopped at an event is not disturbed, and in a history of more than eight events it is
//! disturbed at all of them at once. The sweep follows the first delivery of an effect that
//! succeeds, up to 256 crash points; it is not repeated for redeliveries. An emitted event makes
//! its round trip where the scenario names its type: in a `given` or in the `then` that expects
//! it.
//!
//! # When two calls are rivals
//!
//! The self-race check runs a successful command a second time on the snapshot that the first
//! run read. Where the first append makes the second conflict, all is well. Where both would
//! commit, that is a fault only if the two calls are rivals, and they are when one of the emitted
//! events
//!
//! - is of a type that a fold of the command reads, but lacks the tags by which it is read: the
//!   command looks for such events and would not find its own; or
//! - is the first in the log with some domain id: it brings something into existence, and two
//!   calls would do so twice, because no fold of the command would see it.
//!
//! Everything else is taken for independent facts about things that exist already, such as one
//! more reconnection of a shop or one more view of a page. A call with an idempotency key has no
//! rival, and neither has a command whose events carry ids that it makes up itself.

use std::collections::BTreeMap;
use std::fmt;

pub(crate) mod command;
pub(crate) mod crash_sweep;
pub(crate) mod projector_laws;
pub(crate) mod self_race;

/// A check that runs without being asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Check(&'static str);

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// Two calls of a command at the same moment cannot both commit where they are rivals.
pub const SELF_RACE: Check = Check("SELF_RACE");
/// A command called twice with one idempotency key writes once.
pub const IDEMPOTENCY: Check = Check("IDEMPOTENCY");
/// A command called twice on the same history decides the same.
pub const DETERMINISM: Check = Check("DETERMINISM");
/// A projector's tables do not depend on restarts, interruptions and rebuilds.
pub const PROJECTOR_LAWS: Check = Check("PROJECTOR_LAWS");
/// An effect that is killed at any point and redelivered does what it does undisturbed.
pub const CRASH_SWEEP: Check = Check("CRASH_SWEEP");
/// Events come back from the log as they went in.
pub const ROUND_TRIP: Check = Check("ROUND_TRIP");

/// The checks that a scenario has switched off, and why.
#[derive(Debug, Clone, Default)]
pub(crate) struct Waivers {
    reasons: BTreeMap<Check, String>,
}

impl Waivers {
    #[track_caller]
    pub(crate) fn waive(&mut self, check: Check, reason: &str) {
        assert!(
            !reason.trim().is_empty(),
            "`.without(check::{check}, ..)` needs a reason: say why this scenario may break the rule"
        );
        self.reasons.insert(check, reason.to_owned());
    }

    pub(crate) fn runs(&self, check: Check) -> bool {
        !self.reasons.contains_key(&check)
    }
}
