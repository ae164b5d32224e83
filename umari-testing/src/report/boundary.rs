//! The boundary grid: which given event each fold's query item saw, and why it missed the rest.

use std::fmt::Write as _;

use umari::host::{QueryItem, RawEvent};

use super::story::event_cells;
use super::table;
use crate::engine::log::matches;
use crate::engine::transaction::Trace;

/// One row for each event up to the head of the read, one column for each query item.
///
/// The seam shows query items and not folds, so a column is labelled by what it asks for. Folds
/// that ask for the same thing share a column.
pub(crate) fn grid<'a>(
    traces: &[Trace],
    all: impl Iterator<Item = &'a RawEvent> + Clone,
) -> String {
    let mut text = String::new();
    for trace in traces {
        let events: Vec<_> = all
            .clone()
            .filter(|event| event.position <= trace.condition.after)
            .collect();
        let query = &trace.condition.query;
        if query.is_empty() {
            text.push_str("this command reads nothing: it has no fold\n");
        } else if events.is_empty() {
            text.push_str(
                if trace.condition.after == 0 && all.clone().next().is_some() {
                    "nothing had happened by then; these were asked for:\n"
                } else {
                    "the log was empty; these were asked for:\n"
                },
            );
            text.push_str(&legend(query));
        } else {
            text.push_str(&cells(query, &events));
        }
    }
    text
}

fn legend(query: &[QueryItem]) -> String {
    let mut text = String::new();
    for (index, item) in query.iter().enumerate() {
        let _ = writeln!(text, "{}  {}", name(index), item_label(item));
    }
    text
}

/// The legend of the columns, and the rows below a header of their names.
pub(crate) fn cells(query: &[QueryItem], events: &[&RawEvent]) -> String {
    let shredded = events.iter().any(|event| event.payload.is_none());
    let mut header = vec![String::new(); if shredded { 4 } else { 3 }];
    header.extend((0..query.len()).map(name));
    let mut rows = Vec::new();
    for event in events {
        let mut row = event_cells(event);
        if shredded {
            row.resize(4, String::new());
        }
        row.extend(query.iter().map(|item| cell(item, event)));
        rows.push(row);
    }
    let mut rows = table::elide(rows);
    rows.insert(0, header);
    format!("{}\n{}", legend(query), table::columns(&rows))
}

/// Why `item` reads `event`, or does not.
pub(crate) fn cell(item: &QueryItem, event: &RawEvent) -> String {
    if matches(item, &event.event_type, &event.tags) {
        return if event.payload.is_some() {
            "read"
        } else {
            "read, skipped (shredded)"
        }
        .to_owned();
    }
    if !item.types.is_empty() && !item.types.contains(&event.event_type) {
        return "other type".to_owned();
    }
    let missing: Vec<_> = item
        .tags
        .iter()
        .filter(|tag| !event.tags.contains(tag))
        .map(String::as_str)
        .collect();
    format!("missing tag {}", missing.join(", "))
}

/// A query item in words, as in `shop.connected {shop_id:42}`.
pub(crate) fn item_label(item: &QueryItem) -> String {
    let types = if item.types.is_empty() {
        "any type".to_owned()
    } else {
        item.types.join(" | ")
    };
    super::label(&types, &item.tags)
}

/// `A` to `Z`, then by number.
fn name(index: usize) -> String {
    match u8::try_from(index) {
        Ok(index) if index < 26 => char::from(b'A' + index).to_string(),
        _ => format!("item {}", index + 1),
    }
}
