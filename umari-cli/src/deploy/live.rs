//! Whether what was activated comes up: it starts, and deals with the first events before it.

use std::time::{Duration, Instant};

use crate::client::Client;
use crate::client::answers::ModuleStatus;
use crate::client::problem::ApiError;
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

    fn look(&mut self, status: Option<&ModuleStatus>, last: bool) {
        let status = status.filter(|status| self.is(status));
        let began = *self
            .began
            .get_or_insert_with(|| status.and_then(|it| it.position).unwrap_or(0));
        self.verdict = match status {
            Some(status) => judge(status, began, last),
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
            let status = modules.iter().find(|status| module.is(status));
            module.look(status, last);
        }
        let failed = |it: &Watched<'_>| matches!(it.verdict, Some(Verdict::Failed(_)));
        if watched.iter().any(failed) || watched.iter().all(|it| it.verdict.is_some()) {
            return Ok(());
        }
        std::thread::sleep(INTERVAL);
    }
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
