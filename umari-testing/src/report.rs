//! What a failing step tells the person who has to fix it.

use std::fmt::Write as _;

use serde_json::Value;
use umari::host::RawEvent;

pub(crate) mod boundary;
pub(crate) mod diff;
pub(crate) mod near_miss;
pub(crate) mod paint;
pub(crate) mod story;
pub(crate) mod table;

use self::paint::{Tone, paint};
use self::story::Story;

/// A failure: one line that says what is wrong, the scenario, and titled sections of evidence.
#[derive(Debug)]
pub(crate) struct Report {
    headline: String,
    sections: Vec<(&'static str, String)>,
}

impl Report {
    pub(crate) fn new(headline: impl Into<String>) -> Self {
        Self {
            headline: headline.into(),
            sections: Vec::new(),
        }
    }

    /// The one line that says what is wrong.
    pub(crate) fn headline(&self) -> &str {
        &self.headline
    }

    pub(crate) fn scenario(self, story: &Story) -> Self {
        self.section("scenario", story.render())
    }

    /// Adds a section; an empty body is left out.
    pub(crate) fn section(mut self, title: &'static str, body: impl Into<String>) -> Self {
        let body = body.into();
        if !body.trim().is_empty() {
            self.sections.push((title, body));
        }
        self
    }

    /// Adds lines to a section that may be there already.
    pub(crate) fn also(mut self, title: &'static str, body: impl Into<String>) -> Self {
        let body = body.into();
        let known = self.sections.iter_mut().find(|(known, _)| *known == title);
        match known {
            Some((_, text)) => {
                text.push('\n');
                text.push_str(&body);
                self
            }
            None => self.section(title, body),
        }
    }

    /// Adds why it probably happened.
    pub(crate) fn cause(self, cause: impl Into<String>) -> Self {
        self.section("cause", cause)
    }

    /// Adds what to do about it.
    pub(crate) fn fix(self, fix: impl Into<String>) -> Self {
        self.section("fix", fix)
    }

    /// Fails the test, at the line that called the step.
    #[track_caller]
    pub(crate) fn fail(&self) -> ! {
        panic!("{}", self.render())
    }

    fn render(&self) -> String {
        let mut text = paint(Tone::Bold, &self.headline);
        text.push('\n');
        for (title, body) in &self.sections {
            let _ = writeln!(text, "\n{}", paint(Tone::Title, title));
            for line in body.trim_end().lines().map(str::trim_end) {
                text.push_str(if line.is_empty() { "" } else { "  " });
                text.push_str(line);
                text.push('\n');
            }
        }
        text
    }
}

/// The result of a check or an expectation.
pub(crate) type Verdict<T = ()> = Result<T, Box<Report>>;

/// Unwraps a verdict, failing the test at the caller's line.
#[track_caller]
pub(crate) fn demand<T>(verdict: Verdict<T>) -> T {
    // A closure would not know the caller.
    match verdict {
        Ok(value) => value,
        Err(report) => report.fail(),
    }
}

/// An event as the reports show it: what it is called, how it is found, what it says.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Shown {
    pub(crate) event_type: String,
    pub(crate) tags: Vec<String>,
    pub(crate) payload: Value,
}

impl Shown {
    pub(crate) fn new(event_type: &str, tags: &[String], payload: Option<&str>) -> Self {
        let payload = payload.map_or(Value::Null, |text| {
            serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned()))
        });
        Self {
            event_type: event_type.to_owned(),
            tags: tags.to_vec(),
            payload,
        }
    }

    /// The event's name and domain ids, as in `shop.connected {shop_id:42}`.
    pub(crate) fn label(&self) -> String {
        label(&self.event_type, &self.tags)
    }
}

impl From<&RawEvent> for Shown {
    fn from(event: &RawEvent) -> Self {
        Self::new(&event.event_type, &event.tags, event.payload.as_deref())
    }
}

/// A name and tags, as in `shop.connected {shop_id:42}`.
pub(crate) fn label(name: &str, tags: &[String]) -> String {
    if tags.is_empty() {
        name.to_owned()
    } else {
        format!("{name} {{{}}}", tags.join(", "))
    }
}

/// The innermost values of a JSON value, each with its path.
pub(crate) fn leaves(value: &Value) -> Vec<(String, Value)> {
    fn walk(path: String, value: &Value, found: &mut Vec<(String, Value)>) {
        match value {
            Value::Object(members) => {
                for (key, value) in members {
                    let path = if path.is_empty() {
                        key.clone()
                    } else {
                        format!("{path}.{key}")
                    };
                    walk(path, value, found);
                }
            }
            Value::Array(elements) => {
                for (index, value) in elements.iter().enumerate() {
                    walk(format!("{path}[{index}]"), value, found);
                }
            }
            leaf => found.push((path, leaf.clone())),
        }
    }
    let mut found = Vec::new();
    walk(String::new(), value, &mut found);
    found
}

/// `1 event`, `2 events`.
pub(crate) fn count(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}
