//! What differs between two runs of a projector.

use umari::host::Rows;
use umari::sqlite::SqliteValue;

use super::Section;
use super::wire::{Cell, Failure, Table};
use crate::projector::{Run, dumped};
use crate::report::{Shown, diff};
use crate::world::World;

pub(super) fn differences(
    world: &World,
    run: &Run,
    failure: Option<&Failure>,
    tables: Vec<Table>,
) -> Vec<Section> {
    let mut sections = Vec::new();
    let native = run.failure().map(|(event, message)| {
        let message = without_place(message, failure);
        format!(
            "stopped at {} {}: {message}\n",
            event.position,
            Shown::from(event).label()
        )
    });
    let native = native.unwrap_or_else(|| "handled everything\n".to_owned());
    if let Some(difference) = diff::lines(&native, &outcome(world, failure)) {
        sections.push(("outcome (- native, + component)", difference));
    }
    let component: String = tables
        .into_iter()
        .map(|table| dumped(&table.name.clone(), rows(table)))
        .collect();
    if let Some(difference) = diff::lines(&run.dump(), &component) {
        sections.push(("rows (- native, + component)", difference));
    }
    sections
}

/// What a component did with its events, in words.
pub(super) fn outcome(world: &World, failure: Option<&Failure>) -> String {
    let Some(failure) = failure else {
        return "handled everything\n".to_owned();
    };
    let message = match &failure.panic {
        Some(words) => format!("panicked: {words}"),
        None => failure.message.clone(),
    };
    let Some(position) = failure.position else {
        return format!("did not start: {message}\n");
    };
    let mut events = world.log.events();
    match events.find(|event| event.position == position) {
        Some(event) => format!(
            "stopped at {position} {}: {message}\n",
            Shown::from(event).label()
        ),
        None => format!("stopped at {position}: {message}\n"),
    }
}

/// The native message of a panic also says where; that of the component is taken, where it is the
/// same but for that.
pub(super) fn without_place(native: &str, component: Option<&Failure>) -> String {
    let words = component.and_then(|failure| failure.panic.as_deref());
    let same = words.map(|words| format!("panicked: {words}"));
    match same {
        Some(same) if native.starts_with(&same) => same,
        _ => native.to_owned(),
    }
}

fn rows(table: Table) -> Rows {
    let row = |row: Vec<Cell>| row.into_iter().map(value).collect();
    Rows {
        columns: table.columns,
        rows: table.rows.into_iter().map(row).collect(),
    }
}

fn value(cell: Cell) -> SqliteValue {
    match cell {
        Cell::Null => SqliteValue::Null,
        Cell::Integer(integer) => SqliteValue::Integer(integer),
        Cell::Real(real) => SqliteValue::Real(real.parse().unwrap_or(f64::NAN)),
        Cell::Text(text) => SqliteValue::Text(text),
        Cell::Blob(blob) => SqliteValue::Blob(blob),
    }
}
