//! Structural differences: events by field, rows by line, values by path.

use std::collections::BTreeSet;

use serde_json::Value;

use super::Shown;
use super::paint::{Tone, paint};

/// What an index in the alignment of two lists means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pair {
    Both(usize, usize),
    Expected(usize),
    Actual(usize),
}

/// The lines of a difference between two values; `-` is expected, `+` is actual.
#[derive(Debug, Default)]
pub(crate) struct Fields {
    lines: Vec<(char, String)>,
    differs: bool,
}

impl Fields {
    /// Compares field by field.
    pub(crate) fn compare(expected: &Value, actual: &Value) -> Self {
        let mut fields = Self::default();
        fields.walk("", Some(expected), Some(actual));
        fields
    }

    /// Every field of one value, all with one sign.
    fn only(sign: char, value: &Value) -> Self {
        let mut fields = Self::default();
        if !value.is_null() {
            fields.leaves(sign, "", value);
        }
        fields
    }

    /// Compares two lists of tags, as lines that begin with `word`.
    fn tags(&mut self, word: &str, expected: &[String], actual: &[String]) {
        for tag in expected.iter().filter(|tag| !actual.contains(tag)) {
            self.push('-', format!("{word} {tag}"));
        }
        for tag in actual.iter().filter(|tag| !expected.contains(tag)) {
            self.push('+', format!("{word} {tag}"));
        }
    }

    pub(crate) fn differs(&self) -> bool {
        self.differs
    }

    pub(crate) fn render(&self) -> String {
        self.lines
            .iter()
            .map(|(sign, line)| signed(*sign, line))
            .collect()
    }

    fn push(&mut self, sign: char, line: String) {
        self.differs |= sign != ' ';
        self.lines.push((sign, line));
    }

    fn walk(&mut self, path: &str, expected: Option<&Value>, actual: Option<&Value>) {
        match (expected, actual) {
            (Some(Value::Object(expected)), Some(Value::Object(actual))) => {
                let keys: BTreeSet<_> = expected.keys().chain(actual.keys()).collect();
                for key in keys {
                    self.walk(&member(path, key), expected.get(key), actual.get(key));
                }
            }
            (Some(Value::Array(expected)), Some(Value::Array(actual))) => {
                for index in 0..expected.len().max(actual.len()) {
                    self.walk(
                        &element(path, index),
                        expected.get(index),
                        actual.get(index),
                    );
                }
            }
            (Some(expected), Some(actual)) if expected == actual => {
                self.leaves(' ', path, actual);
            }
            _ => {
                if let Some(expected) = expected {
                    self.leaves('-', path, expected);
                }
                if let Some(actual) = actual {
                    self.leaves('+', path, actual);
                }
            }
        }
    }

    fn leaves(&mut self, sign: char, path: &str, value: &Value) {
        match value {
            Value::Object(members) if !members.is_empty() => {
                let keys: BTreeSet<_> = members.keys().collect();
                for key in keys {
                    self.leaves(sign, &member(path, key), &members[key]);
                }
            }
            Value::Array(elements) if !elements.is_empty() => {
                for (index, value) in elements.iter().enumerate() {
                    self.leaves(sign, &element(path, index), value);
                }
            }
            leaf if path.is_empty() => self.push(sign, leaf.to_string()),
            leaf => self.push(sign, format!("{path}: {leaf}")),
        }
    }
}

/// Compares two lists of events; `None` where they are equal in type, payload, tags and order.
pub(crate) fn events(expected: &[Shown], actual: &[Shown]) -> Option<String> {
    entries(expected, actual, "tag")
}

/// Compares two lists of what is shown as events are; `tag` says what their tags are.
pub(crate) fn entries(expected: &[Shown], actual: &[Shown], tag: &str) -> Option<String> {
    if expected == actual {
        return None;
    }
    let mut text = String::new();
    for pair in align(expected, actual, |a, b| a.event_type == b.event_type) {
        match pair {
            Pair::Both(e, a) => {
                let (expected, actual) = (&expected[e], &actual[a]);
                text.push_str(&format!("  {}  {}\n", a + 1, actual.event_type));
                let mut fields = Fields::compare(&expected.payload, &actual.payload);
                fields.tags(tag, &expected.tags, &actual.tags);
                if fields.differs() {
                    text.push_str(&indent(&fields.render()));
                }
            }
            Pair::Expected(e) => text.push_str(&entry('-', e, &expected[e])),
            Pair::Actual(a) => text.push_str(&entry('+', a, &actual[a])),
        }
    }
    Some(text)
}

/// A list of events, compared with nothing.
pub(crate) fn list(events: &[Shown]) -> String {
    events
        .iter()
        .enumerate()
        .map(|(index, event)| entry(' ', index, event))
        .collect()
}

fn entry(sign: char, index: usize, event: &Shown) -> String {
    let head = format!("{}  {}", index + 1, event.event_type);
    let fields = Fields::only(sign, &event.payload);
    if sign == ' ' {
        return format!("  {head}\n{}", indent(&fields.render()));
    }
    signed(sign, &head) + &indent(&fields.render())
}

/// Compares two texts line by line; `None` where they are equal.
pub(crate) fn lines(expected: &str, actual: &str) -> Option<String> {
    if expected == actual {
        return None;
    }
    let expected: Vec<_> = expected.lines().collect();
    let actual: Vec<_> = actual.lines().collect();
    let pairs = align(&expected, &actual, |_, _| false);
    Some(
        pairs
            .into_iter()
            .map(|pair| match pair {
                Pair::Both(_, a) => signed(' ', actual[a]),
                Pair::Expected(e) => signed('-', expected[e]),
                Pair::Actual(a) => signed('+', actual[a]),
            })
            .collect(),
    )
}

/// Pairs what is equal (a longest common subsequence); in the gaps, what is `alike`.
fn align<T: PartialEq>(expected: &[T], actual: &[T], alike: impl Fn(&T, &T) -> bool) -> Vec<Pair> {
    let (rows, columns) = (expected.len(), actual.len());
    let mut longest = vec![vec![0_usize; columns + 1]; rows + 1];
    for e in (0..rows).rev() {
        for a in (0..columns).rev() {
            longest[e][a] = if expected[e] == actual[a] {
                longest[e + 1][a + 1] + 1
            } else {
                longest[e + 1][a].max(longest[e][a + 1])
            };
        }
    }
    let mut pairs = Vec::new();
    let (mut e, mut a) = (0, 0);
    while e < rows || a < columns {
        let both = e < rows && a < columns;
        // What is equal is paired; so is what is alike, where that costs no equal pair.
        let pairs_up = both
            && (expected[e] == actual[a]
                || (alike(&expected[e], &actual[a]) && longest[e + 1][a + 1] == longest[e][a]));
        if pairs_up {
            pairs.push(Pair::Both(e, a));
            (e, a) = (e + 1, a + 1);
        } else if e < rows && (a == columns || longest[e + 1][a] >= longest[e][a + 1]) {
            pairs.push(Pair::Expected(e));
            e += 1;
        } else {
            pairs.push(Pair::Actual(a));
            a += 1;
        }
    }
    pairs
}

fn signed(sign: char, line: &str) -> String {
    let line = format!("{sign} {line}");
    let line = match sign {
        '-' => paint(Tone::Minus, &line),
        '+' => paint(Tone::Plus, &line),
        _ => paint(Tone::Dim, &line),
    };
    format!("{line}\n")
}

fn indent(text: &str) -> String {
    text.lines().map(|line| format!("     {line}\n")).collect()
}

fn member(path: &str, key: &str) -> String {
    if path.is_empty() {
        key.to_owned()
    } else {
        format!("{path}.{key}")
    }
}

fn element(path: &str, index: usize) -> String {
    format!("{path}[{index}]")
}
