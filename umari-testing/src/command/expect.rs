//! What `then` compares, and what it says where the two differ.

use std::collections::BTreeSet;
use std::fmt;

use serde_json::Value;
use umari::command::ExecuteOutput;

use super::Outcome;
use super::run::{Class, Ended, Failure, Run};
use crate::events::{Events, Fact};
use crate::metadata::{self, Metadata};
use crate::report::{Report, Shown, Verdict, boundary, count, diff};

impl Outcome {
    /// A report that begins with the scenario.
    pub(super) fn report(&self, headline: impl Into<String>) -> Report {
        Report::new(headline).scenario(&self.run.after.story)
    }

    /// Adds which given events the folds saw.
    fn with_boundary(&self, report: Report) -> Box<Report> {
        let grid = boundary::grid(&self.run.traces, self.run.before.log.events());
        Box::new(report.section("boundary", grid))
    }

    pub(crate) fn demand_success(&self, because: &str) -> Verdict<&ExecuteOutput> {
        match &self.run.ended {
            Ended::Done(output) => Ok(output),
            ended => {
                let report = self
                    .report(format!("{because}, but the command {}", ended.verb()))
                    .cause(ended.to_string());
                Err(self.with_boundary(self.other_decision(report)))
            }
        }
    }

    fn demand_failure(&self, expected: &str, class: Class) -> Verdict<&Failure> {
        if let Ended::Failed(failure) = &self.run.ended
            && failure.class == class
        {
            return Ok(failure);
        }
        let report = match &self.run.ended {
            Ended::Done(_) => {
                let report = self
                    .report(format!("{expected}, but the command succeeded"))
                    .section("emitted", diff::list(&self.run.shown()));
                match self.run.traces.iter().find_map(|trace| trace.duplicate) {
                    Some(position) => report.cause(format!(
                        "the idempotency key was used before, by the event at position {position}"
                    )),
                    None => self.other_decision(report),
                }
            }
            ended => self
                .report(format!("{expected}, but the command {}", ended.verb()))
                .cause(ended.to_string()),
        };
        Err(self.with_boundary(report))
    }

    pub(super) fn expect_events(&self, expected: &Events) -> Verdict {
        let because = match expected.facts().len() {
            0 => "no event was expected".to_owned(),
            number => format!("{} expected", counted(number)),
        };
        self.demand_success(&because)?;
        let (shown, actual) = (expected.shown(), self.run.shown());
        if let Some(difference) = diff::events(&shown, &actual) {
            let report = self
                .report("the emitted events are not the expected ones")
                .section("events (- expected, + emitted)", difference);
            let report = match self.event_cause(&shown, &actual) {
                Some(cause) => report.cause(cause),
                None => report,
            };
            return Err(self.with_boundary(report));
        }
        self.compare_metadata(
            metadata::difference_of_each(expected.facts(), self.run.emitted()),
            "metadata (- expected, + emitted)",
        )?;
        let mut world = self.run.after.clone();
        world.learn(expected);
        world.check_round_trips(self.run.before.log.head())
    }

    pub(super) fn expect_contained(&self, fact: &Fact) -> Verdict {
        let expected = fact.shown();
        self.demand_success(&format!("`{}` was expected", expected.event_type))?;
        let actual = self.run.shown();
        if actual.contains(&expected) {
            return Ok(());
        }
        // The nearest event, if there is one, says more than the whole list.
        let near: Vec<_> = actual
            .iter()
            .filter(|event| event.event_type == expected.event_type)
            .collect();
        let report = match near.as_slice() {
            [near] => self
                .report(format!(
                    "`{}` was emitted with other fields",
                    expected.event_type
                ))
                .section(
                    "event (- expected, + emitted)",
                    diff::events(&[expected], &[(*near).clone()]).unwrap_or_default(),
                ),
            _ => self
                .report(format!("`{}` was not emitted", expected.event_type))
                .section(
                    "events (- expected, + emitted)",
                    diff::events(&[expected], &actual).unwrap_or_default(),
                ),
        };
        let near: Vec<_> = near.into_iter().cloned().collect();
        let near = if near.is_empty() { &actual } else { &near };
        let report = match self.event_cause(std::slice::from_ref(&fact.shown()), near) {
            Some(cause) => report.cause(cause),
            None => report,
        };
        Err(self.with_boundary(report))
    }

    pub(super) fn missing_event(&self, name: &str) -> Box<Report> {
        let shown = self.run.shown();
        let emitted: Vec<_> = shown.iter().map(Shown::label).collect();
        let report = self.report(format!("`{name}` was not emitted"));
        let report = match (shown.as_slice(), self.event_cause(&[], &shown)) {
            ([], Some(cause)) => report.section("emitted", "nothing").cause(cause),
            ([other], _) => report.section("emitted", emitted.join("\n")).cause(format!(
                "`{}` was emitted instead of `{name}`",
                other.event_type
            )),
            _ => report.section("emitted", emitted.join("\n")),
        };
        self.with_boundary(report)
    }

    pub(super) fn refused_event<E: umari::event::Event>(&self) -> Box<Report> {
        let shown = self.run.shown();
        let event: Vec<_> = shown
            .into_iter()
            .filter(|event| event.event_type == E::EVENT_TYPE)
            .take(1)
            .collect();
        self.with_boundary(
            self.report(format!(
                "`{}` is not what the test's closure wants",
                E::EVENT_TYPE
            ))
            .section("emitted", diff::list(&event)),
        )
    }

    pub(super) fn expect_count(&self, name: &str, expected: usize) -> Verdict {
        self.demand_success(&format!("{expected} `{name}` expected"))?;
        let actual = self
            .run
            .emitted()
            .filter(|event| event.event_type == name)
            .count();
        if actual == expected {
            return Ok(());
        }
        Err(self.with_boundary(self.report(format!(
            "`{name}` was emitted {} instead of {}",
            times(actual),
            times(expected)
        ))))
    }

    pub(super) fn expect_rejected(&self, text: &str) -> Verdict {
        let expected = format!("a rejection with {text:?} was expected");
        let failure = self.demand_failure(&expected, Class::Rejected)?;
        if failure.message.contains(text) {
            return Ok(());
        }
        Err(self.with_boundary(
            self.report("the command was rejected for another reason")
                .section(
                    "message (- expected to contain, + actual)",
                    lines(text, &failure.message),
                ),
        ))
    }

    pub(super) fn rejection<T>(&self) -> Verdict<&T>
    where
        T: fmt::Display + fmt::Debug + Send + Sync + 'static,
    {
        let name = crate::given::short(std::any::type_name::<T>());
        let expected = format!("a rejection with a `{name}` was expected");
        let failure = self.demand_failure(&expected, Class::Rejected)?;
        match failure.error.downcast_ref::<T>() {
            Some(error) => Ok(error),
            None => Err(self.with_boundary(
                self.report("the command was rejected with an error of another type")
                    .section("expected", name)
                    .section("actual", format!("{:#}", failure.error)),
            )),
        }
    }

    pub(super) fn refused_error<T: fmt::Debug>(&self, error: &T) -> Box<Report> {
        self.with_boundary(
            self.report("the rejection is not what the test's closure wants")
                .section("error", format!("{error:#?}")),
        )
    }

    pub(super) fn expect_invalid(&self, field: &str) -> Verdict {
        let expected = format!("the field `{field}` was expected to be invalid");
        let failure = self.demand_failure(&expected, Class::Invalid)?;
        if failure.fields.iter().any(|known| known == field) {
            return Ok(());
        }
        Err(Box::new(
            self.report(format!(
                "the input is invalid, but not because of `{field}`"
            ))
            .section("fields", failure.fields.join("\n"))
            .cause(&*failure.message),
        ))
    }

    pub(super) fn expect_conflict(&self) -> Verdict {
        self.demand_failure("a conflict was expected", Class::Conflict)
            .map(drop)
    }

    pub(super) fn expect_tags(&self, expected: &[String]) -> Verdict {
        self.demand_success("tags were expected")?;
        let expected: BTreeSet<_> = expected.iter().cloned().collect();
        let actual: BTreeSet<_> = self
            .run
            .emitted()
            .flat_map(|event| event.tags.iter().cloned())
            .collect();
        if expected == actual {
            return Ok(());
        }
        let (expected, actual): (Vec<_>, Vec<_>) =
            (expected.into_iter().collect(), actual.into_iter().collect());
        Err(Box::new(
            self.report("the emitted events carry other tags")
                .section(
                    "tags (- expected, + emitted)",
                    diff::lines(&expected.join("\n"), &actual.join("\n")).unwrap_or_default(),
                )
                .fix("a field becomes a tag when it is marked `#[domain_id]`"),
        ))
    }

    pub(super) fn expect_metadata(&self, expected: &Metadata) -> Verdict {
        self.demand_success("metadata was expected")?;
        if self.run.emitted().next().is_none() {
            return Err(self.with_boundary(
                self.report("metadata was expected, but the command emitted nothing"),
            ));
        }
        self.compare_metadata(
            metadata::difference(expected, self.run.emitted()),
            "metadata (- expected, + emitted)",
        )
    }

    fn compare_metadata(&self, difference: Option<String>, title: &'static str) -> Verdict {
        match difference {
            None => Ok(()),
            Some(difference) => Err(Box::new(
                self.report("the events are as expected, their metadata is not")
                    .section(title, difference),
            )),
        }
    }

    pub(super) fn expect_read(&self, expected: &Events) -> Verdict {
        let read: BTreeSet<u64> = self
            .run
            .traces
            .iter()
            .flat_map(|trace| trace.read.iter().copied())
            .collect();
        let events = self.run.before.log.events();
        let events = events.filter(|event| read.contains(&event.position));
        let read: Vec<Shown> = events.clone().map(Shown::from).collect();
        // A shredded event is read without its payload; only what it is counts.
        let bare = |event: &Shown| event.payload == Value::Null;
        let mut wanted = expected.shown();
        for (wanted, read) in wanted.iter_mut().zip(&read) {
            if bare(read) {
                wanted.payload = Value::Null;
            }
        }
        match diff::events(&wanted, &read) {
            None => self.compare_metadata(
                metadata::difference_of_each(expected.facts(), events),
                "metadata (- expected, + read)",
            ),
            Some(difference) => {
                let report = self
                    .report("the command read other events than expected")
                    .section("events (- expected, + read)", difference);
                Err(self.with_boundary(self.read_cause(report, &wanted)))
            }
        }
    }
}

/// Compares two runs: how they ended, and what they emitted, field by field.
pub(crate) fn compare_runs(first: &Run, second: &Run) -> Option<String> {
    let ended = diff::lines(&first.ended.to_string(), &second.ended.to_string());
    let events = diff::events(&first.shown(), &second.shown());
    match (ended, events) {
        (None, None) => None,
        (ended, events) => Some(ended.unwrap_or_default() + &events.unwrap_or_default()),
    }
}

fn times(number: usize) -> String {
    match number {
        0 => "never".to_owned(),
        1 => "once".to_owned(),
        number => format!("{number} times"),
    }
}

fn counted(number: usize) -> String {
    let were = if number == 1 { "was" } else { "were" };
    format!("{} {were}", count(number, "event"))
}

fn lines(expected: &str, actual: &str) -> String {
    diff::lines(expected, actual).unwrap_or_default()
}
