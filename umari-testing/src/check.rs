//! The checks that run without being asked, and how to switch one off.
//!
//! | check | runs | says |
//! |---|---|---|
//! | [`SELF_RACE`] | after every successful `when` | two calls at the same moment cannot both commit |
//! | [`IDEMPOTENCY`] | after every successful `when` | a second call with the same key writes nothing |
//! | [`DETERMINISM`] | after every `when`, at every `then_state` | the same history and input give the same result |
//! | [`CLOCK`] | after every `when` | times in events are the scenario's, not the machine's |
//! | [`PROJECTOR_LAWS`] | at every `project` | restarts, interruptions and rebuilds change no row |
//! | [`EVENT_ORDER`] | at every `project` | no update is lost where unrelated events come in another order |
//! | [`CRASH_SWEEP`] | after every successful `run` of an effect | a crash at any point loses and doubles nothing |
//! | [`SERVER_ERROR`] | after every successful `run` of an effect | a request that is answered with 500 is not forgotten |
//! | [`COMPONENT`] | after every `when`, `project` and `run`, with the feature `component` | the built component does the same |
//! | [`ROUND_TRIP`] | at every `given` and `then` | events come back from the log as they went in |
//! | [`UPCAST_LOSS`] | wherever an event of an earlier version is read | its upcast ignores nothing that it says |
//! | [`REOPENED`] | in `then_survives_shredding` | what was rejected stays rejected when data is shredded |
//! | [`PLAINTEXT`] | in `then_survives_shredding` | nothing repeats in the clear what is shredded |
//!
//! [`without`](crate::Given::without) switches one off for a scenario, and asks for the reason.
//!
//! # Where a check does not apply
//!
//! A command that panicked is not called again, and one that was refused is checked for
//! determinism alone. Commands that an effect calls are left to the crash sweep. A projector that
//! stopped at an event is not disturbed, and in a history of more than eight events it is
//! disturbed at all of them at once. The sweep follows the first delivery of an effect that
//! succeeds, up to 256 crash points; it is not repeated for redeliveries, and left out where the
//! scenario itself scripts a target that fails. An emitted event makes its round trip where the
//! scenario names its type: in a `given` or in the `then` that expects it.
//!
//! # How determinism is found out
//!
//! Two hash maps with the same two keys are in the same order as often as not. So a command, and the
//! fold of a `then_state`, runs 32 times on the same history: a decision between two keys that hangs
//! on their order passes once in 2^31 scenarios, and no test fails only sometimes. The report puts the
//! two results into an order of their own, so that it reads the same each time.
//! [`fold`](crate::Given::fold) hands a state out that need not be comparable, and runs once.
//!
//! # Whose clock it is
//!
//! A scenario begins on 2026-01-01 and its clock moves only when it is told to. Modules ask for
//! the time with [`umari::clock::now`], and get the scenario's. `SystemTime::now()` and chrono's
//! `Utc::now()` are the machine's, which nothing can change natively. [`CLOCK`] finds what a command
//! takes from there into an event: a value within a minute of the machine's clock that is neither in the
//! input nor in the history, written as RFC 3339, as today's date, or as a number of seconds, milli-,
//! micro- or nanoseconds. A decision that hangs on it shows no such value; where a `then` fails, the
//! report names a time of the scenario on which the two clocks disagree. The check needs the clocks to
//! be apart by a day at least, as they are unless [`at`](crate::Given::at) says otherwise. What is decided
//! the same by both clocks is not found: give times between them, such as a coupon that expired in
//! 2020 with a scenario `at` a time before.
//!
//! # What the host promises a projector
//!
//! Each event is handled exactly once as far as its own file goes: what `handle` wrote and the position
//! are committed together, and what an interrupted `handle` wrote is rolled back. So an `UPDATE .. + 1`
//! counts right. What can count twice, or not at all, lies outside of that: `init`, which runs again
//! after each restart, and the fields of the struct, which a restart empties. [`PROJECTOR_LAWS`] also
//! moves the scenario's clock on by an hour before it rebuilds.
//!
//! # In which orders events may come
//!
//! A projector gets the events in the order of the log. Events that share a domain id are in the
//! log in an order that commands saw to; of others production may write the second first.
//! [`EVENT_ORDER`] lets one event of each type (up to eight types) come as early as it may: after all
//! that it is tied to, by a domain id, by one call, or by one causal chain (correlation id). An event
//! without domain ids is tied to all. It fails only where an `UPDATE` or `DELETE` that found rows in the
//! order of the scenario finds none, and the tables end up different for it. A projector that notices
//! and stops, that makes the row itself, or whose rows merely count in the order of arrival is left
//! alone. What it cannot know is an order that holds for reasons outside of the log, which is what
//! `without` is for.
//!
//! # When an answer is no
//!
//! [`SERVER_ERROR`] answers each successful request of an effect (up to 32) with 500, once, in a run of
//! its own. All is well where `handle` returns an error and the next delivery makes up for it, where it
//! sends the request again by itself, and where it emits another event than otherwise: it has then
//! recorded what happened. A `GET` whose answer it can do without may fail, too.
//!
//! # What an upcast may do
//!
//! Rename, convert, split and join, as long as every value of the old event makes a difference to what is
//! read. [`UPCAST_LOSS`] tries other values for each field, so that it need not guess from names. An upcast
//! that makes no event of it drops all on purpose.
//!
//! # When data is shredded
//!
//! [`Outcome::then_survives_shredding`](crate::Outcome::then_survives_shredding), and its like for folds,
//! projectors and effects, repeat a scenario with each encryption scope shredded. That is asked for,
//! since whether a rule outlives personal data is a decision. Domain ids and event types are never encrypted,
//! so they are no secrets here; neither are texts of less than four characters, what the input says, and what
//! events that do not carry the scope say too.
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

pub(crate) mod clock;
pub(crate) mod command;
pub(crate) mod crash_sweep;
pub(crate) mod event_order;
pub(crate) mod fold;
pub(crate) mod projector_laws;
pub(crate) mod self_race;
pub(crate) mod server_error;
pub(crate) mod shred_sweep;
pub(crate) mod upcast_loss;

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
/// Times in a command's events come from the scenario's clock, the input or the history.
pub const CLOCK: Check = Check("CLOCK");
/// A projector's tables do not depend on restarts, interruptions and rebuilds.
pub const PROJECTOR_LAWS: Check = Check("PROJECTOR_LAWS");
/// A projector loses no update where events of different domain ids come in another order.
pub const EVENT_ORDER: Check = Check("EVENT_ORDER");
/// An effect that is killed at any point and redelivered does what it does undisturbed.
pub const CRASH_SWEEP: Check = Check("CRASH_SWEEP");
/// An effect whose request is answered with 500 tries again, or records that it failed.
pub const SERVER_ERROR: Check = Check("SERVER_ERROR");
/// Events come back from the log as they went in.
pub const ROUND_TRIP: Check = Check("ROUND_TRIP");

/// An upcast carries over whatever an old event says.
pub const UPCAST_LOSS: Check = Check("UPCAST_LOSS");

/// What a command rejects it rejects still when the data that it is based on is shredded.
pub const REOPENED: Check = Check("REOPENED");
/// Nothing repeats in the clear what a shredded event said.
pub const PLAINTEXT: Check = Check("PLAINTEXT");
/// The built WASM component does what the native code does.
///
/// It runs with the feature `component`: under `umari test`, or by hand with
/// `umari build && cargo test --features umari-testing/component`. Each `when`, `project` and `run`
/// happens on the component too, in the host that production runs, with the same history, clock,
/// variables and HTTP target. Compared are
///
/// - of a command the outcome with code and message, the events with tags, version and encryption
///   scope, and the queries that it read by;
/// - of a projector the rows of every table, or the event that it stopped at and why;
/// - of an effect the requests with the headers that it set, the events, the partition keys, and the
///   event that it stopped at and why.
///
/// Ids and times that the host mints are not compared. A component that is missing, or older than its
/// sources, fails the test.
///
/// What no component exports runs natively alone: a command without `#[export_command]`, the closures of
/// [`when_called`](crate::Given::when_called), a fold. So does a JSON text that the input cannot be read
/// from, and a race. Of the projectors and effects in a crate one is exported; switch this check off
/// where a test runs another of the same kind.
pub const COMPONENT: Check = Check("COMPONENT");

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
