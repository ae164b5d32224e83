//! The boundary grid: which given event each fold saw, and why it missed the rest.

use std::fmt::Write as _;

use umari::host::{QueryItem, RawEvent, Reading};

use super::story::event_cells;
use super::table;
use crate::engine::log::matches;
use crate::engine::transaction::Trace;

mod fold;

/// One row for each event up to the head of the read, one column for each fold.
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
        let columns: Vec<_> = match &*trace.readings {
            [] => trace.condition.query.iter().map(item_column).collect(),
            readings => readings.iter().map(fold_column).collect(),
        };
        if columns.is_empty() {
            text.push_str("this command reads nothing: it has no fold\n");
        } else if events.is_empty() {
            text.push_str(
                if trace.condition.after == 0 && all.clone().next().is_some() {
                    "nothing had happened by then; these were asked for:\n"
                } else {
                    "the log was empty; these were asked for:\n"
                },
            );
            text.push_str(&legend(&columns));
        } else {
            text.push_str(&layout(&columns, &events));
        }
    }
    text
}

/// The same for a query alone: one column for each of its items.
pub(crate) fn cells(query: &[QueryItem], events: &[&RawEvent]) -> String {
    let columns: Vec<_> = query.iter().map(item_column).collect();
    layout(&columns, events)
}

/// What reads: a line of the legend for each thing that it asks for, and its cell for an event.
struct Column<'a> {
    legend: Vec<String>,
    cell: Box<dyn Fn(&RawEvent) -> String + 'a>,
}

fn item_column(item: &QueryItem) -> Column<'_> {
    Column {
        legend: vec![item_label(item)],
        cell: Box::new(|event| cell(item, event)),
    }
}

fn fold_column(reading: &Reading) -> Column<'_> {
    Column {
        legend: fold::legend(reading),
        cell: Box::new(|event| fold::cell(reading, event)),
    }
}

fn legend(columns: &[Column<'_>]) -> String {
    let mut text = String::new();
    for (index, column) in columns.iter().enumerate() {
        let name = name(index);
        let indent = " ".repeat(name.chars().count());
        for (index, line) in column.legend.iter().enumerate() {
            let margin = if index == 0 { &name } else { &indent };
            let _ = writeln!(text, "{margin}  {line}");
        }
    }
    text
}

/// The legend of the columns, and the rows below a header of their names.
fn layout(columns: &[Column<'_>], events: &[&RawEvent]) -> String {
    let shredded = events.iter().any(|event| event.payload.is_none());
    let mut header = vec![String::new(); if shredded { 4 } else { 3 }];
    header.extend((0..columns.len()).map(name));
    let mut rows = Vec::new();
    for event in events {
        let mut row = event_cells(event);
        if shredded {
            row.resize(4, String::new());
        }
        row.extend(columns.iter().map(|column| (column.cell)(event)));
        rows.push(row);
    }
    let mut rows = table::elide(rows);
    rows.insert(0, header);
    format!("{}\n{}", legend(columns), table::columns(&rows))
}

/// The cell of an event that is read.
fn read(event: &RawEvent) -> String {
    let read = match event.payload {
        Some(_) => "read",
        None => "read, skipped (shredded)",
    };
    read.to_owned()
}

/// Why `item` reads `event`, or does not.
pub(crate) fn cell(item: &QueryItem, event: &RawEvent) -> String {
    if matches(item, &event.event_type, &event.tags) {
        return read(event);
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
