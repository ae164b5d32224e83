//! The checks that run without being asked, and how to switch one off.
//!
//! | check | runs | says |
//! |---|---|---|
//! | [`SELF_RACE`] | after every successful `when` | two calls at the same moment cannot both commit |
//! | [`IDEMPOTENCY`] | after every successful `when` | a second call with the same key writes nothing |
//! | [`DETERMINISM`] | after every `when`, at every `then_state` | the same history and input give the same result |
//! | [`CLOCK`] | after every `when` | times in events are the scenario's, not the machine's |
//! | [`SNAPSHOT`] | after every `when`, at every `fold`, `decider` and `then_state` | a fold with snapshots goes on from any of its states |
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
//! Each is shown by an example: code with a fault, what the report says of it, and code without. There,
//! `fails(scenario, text)` asserts that a scenario fails with a report that says `text`; the seats are those
//! of a theatre, and `booked(7)` is a `seat.booked`.
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
//! # What a snapshot may change
//!
//! Nothing. Scenarios read every event, as if there were none. For a fold or decider that opted in,
//! [`SNAPSHOT`] cuts its history after each event that it read (up to 32), however many its
//! `Snapshot::after` asks for, writes its state there and reads it back, and goes on. The state in the end is
//! compared by its JSON, and what comes of it by the decision, or by `PartialEq` where the step has it: so a field
//! with `#[serde(skip)]` is found where a test makes it matter. What is in another order each time, such as a
//! hash set, is compared without it. Folds that an effect asks are left to tests of their own.
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
mod list;
pub(crate) mod projector_laws;
pub(crate) mod self_race;
pub(crate) mod server_error;
pub(crate) mod shred_sweep;
pub(crate) mod snapshot;
pub(crate) mod upcast_loss;

pub use self::list::{
    CLOCK, COMPONENT, CRASH_SWEEP, DETERMINISM, EVENT_ORDER, IDEMPOTENCY, PLAINTEXT,
    PROJECTOR_LAWS, REOPENED, ROUND_TRIP, SELF_RACE, SERVER_ERROR, SNAPSHOT, UPCAST_LOSS,
};

/// A check that runs without being asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Check(&'static str);

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

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
