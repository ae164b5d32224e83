//! The scenario in words.

use std::rc::Rc;

use umari::host::RawEvent;

use super::paint::{Tone, paint};
use super::table;

/// Longer texts, such as inputs, are cut here, in characters.
const TEXT_CHARS_MAX: usize = 160;

/// What happened so far, one line for each given event and each call.
#[derive(Debug, Clone, Default)]
pub(crate) struct Story {
    lines: Vec<Line>,
}

#[derive(Debug, Clone)]
struct Line {
    keyword: &'static str,
    /// One cell of text, or the cells of an event, which stand below each other.
    cells: Rc<[String]>,
}

impl Story {
    /// Adds events under `keyword`, one to a line.
    pub(crate) fn events<'a>(
        &mut self,
        keyword: &'static str,
        events: impl Iterator<Item = &'a RawEvent>,
    ) {
        let rows = table::elide(events.map(event_cells).collect());
        self.lines.extend(rows.into_iter().map(|cells| Line {
            keyword,
            cells: cells.into(),
        }));
    }

    /// Adds a line.
    pub(crate) fn line(&mut self, keyword: &'static str, text: &str) {
        self.lines.push(Line {
            keyword,
            cells: [cut(text)].into(),
        });
    }

    pub(crate) fn render(&self) -> String {
        if self.lines.is_empty() {
            return "given  no events\n".to_owned();
        }
        let width = self
            .lines
            .iter()
            .map(|line| line.keyword.len())
            .max()
            .unwrap_or(0);
        let events: Vec<Vec<String>> = self
            .lines
            .iter()
            .filter(|line| line.cells.len() > 1)
            .map(|line| line.cells.to_vec())
            .collect();
        let events = table::columns(&events);
        let mut events = events.lines();
        let mut text = String::new();
        let mut last = "";
        for line in &self.lines {
            // Calls are told apart even where one follows the other.
            let repeated = line.keyword == last && line.keyword != "when";
            let keyword = if repeated { "" } else { line.keyword };
            let pad = " ".repeat(width - keyword.len());
            let body = match &*line.cells {
                [text] => text,
                _ => events.next().unwrap_or_default(),
            };
            text.push_str(&format!("{}{pad}  {body}\n", paint(Tone::Dim, keyword)));
            last = line.keyword;
        }
        text
    }
}

/// Position, type, domain ids, and what became of the payload.
pub(crate) fn event_cells(event: &RawEvent) -> Vec<String> {
    let mut cells = vec![
        event.position.to_string(),
        event.event_type.clone(),
        event.tags.join(", "),
    ];
    if event.payload.is_none() {
        cells.push("(shredded)".to_owned());
    }
    cells
}

/// `text` on one line, cut where it is too long to read.
pub(crate) fn cut(text: &str) -> String {
    let text = text.replace('\n', " ");
    match text.char_indices().nth(TEXT_CHARS_MAX) {
        Some((end, _)) => format!("{} …", &text[..end]),
        None => text,
    }
}
