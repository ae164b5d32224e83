//! What a story has brought to light, and how it is told.

use std::fmt::Write as _;

use super::rules::Broken;
use super::story::{Step, moments};
use crate::command::{Call, Run};
use crate::report::{Report, count};
use crate::world::World;

/// What was found, without the story: shrinking looks for a shorter story that ends the same way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Key {
    /// An invariant, by its place, does not hold.
    Broken(usize),
    /// A command, by its place, panicked.
    Panicked(usize),
    /// A command failed.
    Failed(usize),
    /// A check found something in a command: what, without the names and values.
    Checked(usize, String),
    /// The test itself is wrong.
    Fault,
}

/// A story's end.
pub(crate) struct Finding {
    pub(crate) key: Key,
    report: Box<Report>,
    causes: Vec<String>,
    fix: Option<String>,
    meeting: Option<Box<Meeting>>,
    /// What the last call read.
    boundary: String,
}

/// Two calls at the same moment.
pub(crate) struct Meeting {
    first: String,
    second: String,
    /// Which events of the first the second reads.
    late: String,
}

impl Meeting {
    pub(crate) fn new(first: &Call, second: &Call, late: String) -> Self {
        Self {
            first: first.name().to_owned(),
            second: second.name().to_owned(),
            late,
        }
    }
}

/// Where a story was found, and what became of it.
pub(crate) struct Place {
    /// From 1.
    pub(crate) story: u32,
    pub(crate) stories: u32,
    pub(crate) seed: u64,
    /// How many calls it had before it was shrunk.
    pub(crate) calls: usize,
}

impl Finding {
    fn new(key: Key, report: impl Into<Box<Report>>) -> Self {
        Self {
            key,
            report: report.into(),
            causes: Vec::new(),
            fix: None,
            meeting: None,
            boundary: String::new(),
        }
    }

    pub(crate) fn broken(rule: usize, broken: Broken, world: &World) -> Self {
        let report = Report::new(broken.headline)
            .scenario(&world.story)
            .section("state", broken.state);
        Self {
            causes: broken.message.into_iter().collect(),
            ..Self::new(Key::Broken(rule), report)
        }
    }

    pub(crate) fn ended(key: Key, name: &str, run: &Run) -> Self {
        let report = Report::new(format!("`{name}` {}", run.ended.verb()));
        let fix = "a command that cannot do what it is asked to returns an error of its own words, \
                   which is a rejection: `anyhow::bail!(..)`, or `Rejection::new(..)`";
        Self {
            causes: vec![run.ended.to_string()],
            fix: matches!(key, Key::Panicked(_)).then(|| fix.to_owned()),
            ..Self::new(key, report.scenario(&run.after.story))
        }
    }

    pub(crate) fn checked(command: usize, report: Box<Report>) -> Self {
        // The headline begins with a name in backquotes, and simpler inputs have other tags in it.
        let headline = report.headline();
        let what = headline.split('`').nth(2).unwrap_or(headline).to_owned();
        Self::new(Key::Checked(command, what), report)
    }

    /// What no story is to blame for.
    pub(crate) fn fault(report: Box<Report>) -> Self {
        Self::new(Key::Fault, report)
    }

    /// The finding was made where two calls met.
    pub(crate) fn with(mut self, meeting: Meeting) -> Self {
        self.meeting = Some(Box::new(meeting));
        self
    }

    /// The finding was made after a call that came alone.
    pub(crate) fn with_boundary(mut self, grid: String) -> Self {
        self.boundary = grid;
        self
    }

    /// Says that the calls do no harm one after the other, which leaves but one cause.
    pub(crate) fn blame_the_boundary(&mut self) {
        let Some(meeting) = &self.meeting else {
            return;
        };
        let (first, second) = (&meeting.first, &meeting.second);
        let (call, other) = if first == second {
            (
                format!("the second call of `{second}`"),
                "the first".to_owned(),
            )
        } else {
            (format!("`{second}`"), format!("`{first}`"))
        };
        self.causes.push(format!(
            "one after the other these calls keep it; at the same moment {call} commits although {other} has just \
             changed what its decision rests on, so its boundary is too narrow"
        ));
        self.fix = Some(format!(
            "let a fold of the `Command` in `{second}` read what it decides on, rather than a `FoldQuery` beside it, \
             the input, or a fold with a narrower scope"
        ));
    }

    /// As it is before anything was called.
    pub(crate) fn at_once(mut self) -> Box<Report> {
        self.causes
            .push("it does not hold before the first call: look at the history".to_owned());
        let causes = self.causes.join("\n");
        Box::new(self.report.cause(causes))
    }

    pub(crate) fn into_report(self, steps: &[Step], world: &World, place: &Place) -> Box<Report> {
        if self.key == Key::Fault {
            return self.report;
        }
        let mut report = self
            .report
            .section("boundary of the last call", self.boundary);
        if let Some(meeting) = &self.meeting {
            report = report.section("what the second reads of the first", meeting.late.as_str());
        }
        let code = code(steps, world, &self.key, self.meeting.is_some());
        let left = steps.len();
        let shrunk = match place.calls - left {
            0 => String::new(),
            _ => format!(", shrunk from {} to {left}", count(place.calls, "call")),
        };
        let again = match place.seed {
            0 => String::new(),
            seed => format!(" (`.seed({seed})`, or `PROPTEST_RNG_SEED={seed}`)"),
        };
        Box::new(
            report
                .cause(self.causes.join("\n"))
                .fix(self.fix.unwrap_or_default())
                .section("as a test of its own", code)
                .section(
                    "found",
                    format!(
                        "in story {} of {} from seed {}{shrunk}; the same seed{again} finds it again",
                        place.story, place.stories, place.seed
                    ),
                ),
        )
    }
}

/// The story as steps that can be copied.
fn code(steps: &[Step], world: &World, key: &Key, is_race: bool) -> String {
    let mut text = if world.log.head() == 0 {
        "given_nothing()\n".to_owned()
    } else {
        "given(..) // the history of this invariant\n".to_owned()
    };
    for (step, rival) in moments(steps) {
        let (name, json) = (step.call.name(), raw(step.call.input()));
        let _ = match rival {
            None => writeln!(text, "    .when_json({name}, {json})"),
            Some(rival) => writeln!(
                text,
                "    .when_racing((\n        ({name}, serde_json::from_str({json}).unwrap()),\n        \
                 ({}, serde_json::from_str({}).unwrap()),\n    ))",
                rival.call.name(),
                raw(rival.call.input()),
            ),
        };
    }
    text.push_str(match key {
        Key::Checked(..) => "    .receipt(); // the check runs at the last call\n",
        Key::Broken(_) if is_race => "    .then_conflict();\n",
        _ => "    .then_rejected(\"what speaks against it\");\n",
    });
    text
}

/// JSON as a raw string of Rust.
fn raw(json: &str) -> String {
    let mut hashes = "#".to_owned();
    while json.contains(&format!("\"{hashes}")) {
        hashes.push('#');
    }
    format!("r{hashes}\"{json}\"{hashes}")
}
