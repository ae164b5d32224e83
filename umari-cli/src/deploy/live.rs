//! Whether what was activated comes up: it starts, and deals with the first events before it.

use std::time::{Duration, Instant};

use crate::client::Client;
use crate::client::answers::ModuleStatus;
use crate::client::problem::ApiError;
use crate::client::replay::Replay;
use crate::kind::ModuleKind;

/// Events after which a module that still catches up counts as live: it has shown that it can.
const FIRST_EVENTS: u64 = 100;
/// Failures at one place that are no chance any more. The first may be another's fault, such as a
/// service that did not answer.
const DECISIVE_FAILURES: u64 = 2;
/// How often the server is asked.
const INTERVAL: Duration = Duration::from_millis(50);

/// How a module did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It does what it is there for.
    Live,
    /// It works, and has not come far; why that is known.
    Behind(String),
    /// It does not come up.
    Failed(String),
}

/// One module that was activated, and what is known of it so far.
#[derive(Debug)]
pub(super) struct Watched<'a> {
    pub(super) kind: ModuleKind,
    pub(super) name: &'a str,
    pub(super) version: &'a str,
    /// Where it was when it was first seen.
    began: Option<u64>,
    verdict: Option<Verdict>,
}

impl<'a> Watched<'a> {
    pub(super) fn new(kind: ModuleKind, name: &'a str, version: &'a str) -> Self {
        Self {
            kind,
            name,
            version,
            began: None,
            verdict: None,
        }
    }

    pub(super) fn verdict(&self) -> Option<&Verdict> {
        self.verdict.as_ref()
    }

    fn is(&self, status: &ModuleStatus) -> bool {
        status.kind == self.kind
            && status.name == self.name
            && status.version.as_deref() == Some(self.version)
    }

    /// The replay after which it runs, where it is a new major version of a projector.
    fn replay(&self, status: &ModuleStatus) -> Option<Replay> {
        let of_it = status.kind == self.kind && status.name == self.name;
        let replay = status.replay.clone().filter(|_| of_it)?;
        let replay = Replay::read(replay).ok()?;
        (replay.version == self.version && replay.replaces.is_some()).then_some(replay)
    }

    fn look(&mut self, status: Option<&ModuleStatus>, last: bool) {
        let replay = status.and_then(|status| self.replay(status));
        let status = status.filter(|status| self.is(status));
        let began = *self
            .began
            .get_or_insert_with(|| status.and_then(|it| it.position).unwrap_or(0));
        self.verdict = match status {
            Some(status) => judge(status, began, last),
            None if replay.is_some() => replay.and_then(|replay| judge_replay(&replay, last)),
            None if last => Some(Verdict::Failed("another version is active".to_owned())),
            None => None,
        };
    }
}

/// Waits until there is a verdict on every module, for `patience` at most; then each gets one. Ends
/// early when one has failed: the others do not matter then.
pub(super) fn wait(
    client: &Client,
    watched: &mut [Watched<'_>],
    patience: Duration,
) -> Result<(), ApiError> {
    let deadline = Instant::now() + patience;
    loop {
        let last = Instant::now() >= deadline;
        let modules = client.modules()?.modules;
        for module in watched.iter_mut().filter(|it| it.verdict.is_none()) {
            let status = modules
                .iter()
                .find(|status| status.kind == module.kind && status.name == module.name);
            module.look(status, last);
        }
        let failed = |it: &Watched<'_>| matches!(it.verdict, Some(Verdict::Failed(_)));
        if watched.iter().any(failed) || watched.iter().all(|it| it.verdict.is_some()) {
            return Ok(());
        }
        std::thread::sleep(INTERVAL);
    }
}

/// What the replay of a new major version means; the version before it runs meanwhile.
fn judge_replay(replay: &Replay, last: bool) -> Option<Verdict> {
    if let Some(failure) = &replay.failure {
        let why = match failure.position {
            Some(event) => format!(
                "it fails at the event at position {event}: {}",
                failure.message
            ),
            None => failure.message.clone(),
        };
        return Some(Verdict::Failed(why));
    }
    last.then(|| {
        let Replay { position, head, .. } = replay;
        Verdict::Behind(format!("its replay is at position {position} of {head}"))
    })
}

/// What a module's status means; `None` where time will tell. `last` says that there is none left.
fn judge(status: &ModuleStatus, began: u64, last: bool) -> Option<Verdict> {
    let position = status.position.unwrap_or(0);
    let word = status.status.as_deref().unwrap_or_default();
    if let Some(error) = status.last_error_line() {
        let decisive = status.failures().is_none_or(|it| it >= DECISIVE_FAILURES);
        let why = match status.failed_at() {
            Some(event) => format!("it fails at the event at position {event}: {error}"),
            None => format!("it does not start: {error}"),
        };
        return (decisive || last).then_some(Verdict::Failed(why));
    }
    let caught_up = status.head.is_some_and(|head| position >= head);
    match word {
        "broken" | "stopped" | "stalled" => Some(Verdict::Failed(format!("it is {word}"))),
        "starting" if last => Some(Verdict::Failed("it did not start in time".to_owned())),
        "starting" => None,
        "catching-up" if caught_up || position >= began + FIRST_EVENTS => Some(Verdict::Live),
        "catching-up" if last => Some(Verdict::Behind(format!(
            "it is at position {position} of {}",
            status.head.unwrap_or(position)
        ))),
        "catching-up" => None,
        _ => Some(Verdict::Live),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn status(word: &str, position: u64, error: Option<(Option<u64>, u64)>) -> ModuleStatus {
        let error = error.map(|(position, attempts)| {
            json!({ "message": "no such table", "position": position, "attempts": attempts })
        });
        serde_json::from_value(json!({
            "kind": "projector", "name": "plans", "version": "1.1.0", "status": word,
            "position": position, "head": 500, "last_error": error,
        }))
        .expect("a status")
    }

    fn failed(why: &str) -> Option<Verdict> {
        Some(Verdict::Failed(why.to_owned()))
    }

    #[test]
    fn a_module_is_live_when_it_has_shown_that_it_can() {
        assert_eq!(judge(&status("starting", 0, None), 0, false), None);
        assert_eq!(
            judge(&status("live", 500, None), 500, false),
            Some(Verdict::Live)
        );
        assert_eq!(
            judge(&status("ready", 0, None), 0, false),
            Some(Verdict::Live)
        );
        let catching_up = |position| judge(&status("catching-up", position, None), 300, false);
        assert_eq!(catching_up(300 + FIRST_EVENTS - 1), None);
        assert_eq!(catching_up(300 + FIRST_EVENTS), Some(Verdict::Live));
        assert_eq!(
            judge(&status("catching-up", 500, None), 499, false),
            Some(Verdict::Live)
        );
    }

    #[test]
    fn one_failure_may_be_chance_and_two_are_none() {
        let at_event =
            |attempts, last| judge(&status("retrying", 7, Some((Some(8), attempts))), 7, last);
        assert_eq!(at_event(DECISIVE_FAILURES - 1, false), None);
        let why = "it fails at the event at position 8: no such table";
        assert_eq!(at_event(DECISIVE_FAILURES - 1, true), failed(why));
        assert_eq!(at_event(DECISIVE_FAILURES, false), failed(why));
        let at_start = judge(&status("retrying", 0, Some((None, 2))), 0, false);
        assert_eq!(at_start, failed("it does not start: no such table"));
    }

    #[test]
    fn a_new_major_version_is_judged_by_its_replay() {
        let look = |replay: serde_json::Value, last| {
            let mut status = status("live", 500, None);
            status.replay = Some(replay);
            let mut watched = Watched::new(ModuleKind::Projector, "plans", "2.0.0");
            watched.look(Some(&status), last);
            watched.verdict().cloned()
        };
        let replay = |version: &str, failure: serde_json::Value| {
            json!({ "name": "plans", "version": version, "replaces": "1.1.0", "state": "replaying",
                    "position": 7, "head": 500, "failure": failure })
        };
        let failure = json!({ "message": "no such table", "position": 8 });
        assert_eq!(look(replay("2.0.0", json!(null)), false), None);
        let behind = "its replay is at position 7 of 500";
        assert_eq!(
            look(replay("2.0.0", json!(null)), true),
            Some(Verdict::Behind(behind.to_owned()))
        );
        let why = "it fails at the event at position 8: no such table";
        assert_eq!(look(replay("2.0.0", failure.clone()), false), failed(why));
        assert_eq!(look(replay("3.0.0", failure), false), None, "another one's");
    }

    #[test]
    fn the_end_of_patience_decides() {
        let late = |word| judge(&status(word, 3, None), 0, true);
        assert_eq!(late("starting"), failed("it did not start in time"));
        assert_eq!(
            late("catching-up"),
            Some(Verdict::Behind("it is at position 3 of 500".into()))
        );
        assert_eq!(late("stalled"), failed("it is stalled"));
        let mut gone = Watched::new(ModuleKind::Projector, "plans", "1.2.0");
        gone.look(Some(&status("live", 3, None)), false);
        assert_eq!(gone.verdict(), None);
        gone.look(Some(&status("live", 3, None)), true);
        assert_eq!(gone.verdict().cloned(), failed("another version is active"));
    }
}
