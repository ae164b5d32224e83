//! What the `then` steps of an effect compare.

use serde_json::Value;
use umari::host::HttpRequest;

use super::EffectOutcome;
use crate::check::server_error;
use crate::command::cause;
use crate::events::Events;
use crate::http::Request;
use crate::metadata::{self, Metadata};
use crate::report::{Report, Shown, Verdict, diff};

impl EffectOutcome {
    pub(super) fn report(&self, headline: impl Into<String>) -> Report {
        Report::new(headline).scenario(&self.given.world.story)
    }

    fn demand_success(&self) -> Verdict {
        match &self.last.failure {
            Some((event, message)) if !self.failure_expected => Err(Box::new(
                self.report(format!(
                    "the effect failed at `{}`",
                    Shown::from(event).label()
                ))
                .cause(message.clone())
                .fix("where that is meant, call `.then_failed(\"text\")` first"),
            )),
            _ => Ok(()),
        }
    }

    pub(super) fn expect_requests(&self, expected: &[Request]) -> Verdict {
        let actual = self.actual_requests(expected);
        let expected: Vec<_> = expected.iter().map(expected_request).collect();
        if let Some(difference) = diff::entries(&expected, &actual, "header") {
            // What the effect said about its failure is a better lead than what it did not send.
            let report = self
                .report("the effect sent other requests than expected")
                .section("requests (- expected, + sent)", difference);
            return Err(Box::new(match &self.last.failure {
                Some((_, message)) => report.cause(format!("the effect failed: {message}")),
                None => report,
            }));
        }
        self.demand_success()
    }

    /// The requests that were sent, as far as the test says anything about them.
    fn actual_requests(&self, expected: &[Request]) -> Vec<Shown> {
        let requests = self.last.requests.iter().enumerate();
        requests
            .map(|(index, request)| {
                let wanted = expected.get(index);
                let wants_body = wanted.is_none_or(|wanted| wanted.json.is_some());
                let mut tags: Vec<_> = wanted
                    .into_iter()
                    .flat_map(|wanted| wanted.headers.keys())
                    .filter_map(|name| Some(format!("{name}: {}", header(request, name)?)))
                    .collect();
                tags.sort();
                Shown {
                    event_type: format!("{} {}", request.method, request.url),
                    tags,
                    payload: if wants_body {
                        body(request)
                    } else {
                        Value::Null
                    },
                }
            })
            .collect()
    }

    pub(super) fn expect_events(&self, expected: &Events) -> Verdict {
        self.demand_success()?;
        let actual: Vec<_> = self.last.emitted.iter().map(Shown::from).collect();
        if let Some(difference) = diff::events(&expected.shown(), &actual) {
            let report = self
                .report("the effect's commands emitted other events than expected")
                .section("events (- expected, + emitted)", difference);
            return Err(Box::new(match cause::lists(&expected.shown(), &actual) {
                Some(cause) => report.cause(cause),
                None => report,
            }));
        }
        self.compare_metadata(metadata::difference_of_each(
            expected.facts(),
            self.last.emitted.iter(),
        ))?;
        let mut world = self.given.world.clone();
        world.learn(expected);
        world.check_round_trips(self.start.world.log.head())
    }

    pub(super) fn expect_shredded(&self, expected: &str) -> Verdict {
        self.demand_success()?;
        if self.shredded.iter().any(|scope| scope == expected) {
            return Ok(());
        }
        Err(Box::new(
            self.report(format!("the effect did not shred `{expected}`"))
                .section("shredded", self.shredded.join("\n"))
                .cause("a scope is the name of a domain id, as tags have it, and its value"),
        ))
    }

    pub(super) fn expect_metadata(&self, expected: &Metadata) -> Verdict {
        self.demand_success()?;
        if self.last.emitted.is_empty() {
            return Err(Box::new(self.report(
                "metadata was expected, but the effect's commands emitted nothing",
            )));
        }
        self.compare_metadata(metadata::difference(expected, self.last.emitted.iter()))
    }

    fn compare_metadata(&self, difference: Option<String>) -> Verdict {
        match difference {
            None => Ok(()),
            Some(difference) => Err(Box::new(
                self.report("the events are as expected, their metadata is not")
                    .section("metadata (- expected, + emitted)", difference),
            )),
        }
    }

    pub(super) fn expect_partition_key(&self, expected: Option<&str>) -> Verdict {
        if self.last.lanes.is_empty() {
            return Err(Box::new(
                self.report("no event was delivered, so there is no partition key")
                    .cause("the effect's `Query` does not match what was given"),
            ));
        }
        let word =
            |key: Option<&str>| key.map_or_else(|| "none".to_owned(), |key| format!("{key:?}"));
        let wrong = self
            .last
            .lanes
            .iter()
            .find(|(_, lane)| lane.as_deref() != expected);
        match wrong {
            None => Ok(()),
            Some((event, lane)) => Err(Box::new(self.report(format!(
                "the partition key of `{}` is {} instead of {}",
                Shown::from(event).label(),
                word(lane.as_deref()),
                word(expected)
            )))),
        }
    }

    pub(super) fn expect_failure(&self, text: &str) -> Verdict {
        match &self.last.failure {
            Some((_, message)) if message.contains(text) => Ok(()),
            Some((_, message)) => Err(Box::new(
                self.report("the effect failed for another reason").section(
                    "message (- expected to contain, + actual)",
                    diff::lines(text, message).unwrap_or_default(),
                ),
            )),
            None => Err(Box::new(self.swallowed(self.report(format!(
                "the effect was expected to fail with {text:?}, but succeeded"
            ))))),
        }
    }

    /// Adds which answer the effect made nothing of, where there was one.
    fn swallowed(&self, report: Report) -> Report {
        let mut answers = self.last.requests.iter().zip(&self.last.answers);
        match answers.find(|(_, status)| !(200..300).contains(*status)) {
            None => report,
            Some((request, status)) => server_error::explain(report, request, *status),
        }
    }
}

fn expected_request(request: &Request) -> Shown {
    Shown {
        event_type: format!("{} {}", request.method, request.url),
        tags: request
            .headers
            .iter()
            .map(|(name, value)| format!("{name}: {value}"))
            .collect(),
        payload: request.json.clone().unwrap_or(Value::Null),
    }
}

/// The first header of this name, in any case.
pub(crate) fn header<'a>(request: &'a HttpRequest, name: &str) -> Option<&'a str> {
    let mut headers = request.headers.iter();
    headers
        .find(|(known, _)| known.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.as_str())
}

/// The body as JSON, or as text where it is none.
pub(crate) fn body(request: &HttpRequest) -> Value {
    if request.body.is_empty() {
        return Value::Null;
    }
    crate::events::json(&String::from_utf8_lossy(&request.body))
}
