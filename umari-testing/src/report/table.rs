//! Text tables.

use umari::host::Rows;
use umari::sqlite::{ParamList, SqliteValue};

/// Lays out `rows` in columns two spaces apart, without trailing blanks.
pub(crate) fn columns(rows: &[Vec<String>]) -> String {
    let widths = widths(rows);
    let mut text = String::new();
    for row in rows {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            line.push_str(cell);
            line.push_str(&" ".repeat(width - cell.chars().count() + 2));
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// Rows of a list before it is cut in the middle.
pub(crate) const ROWS_MAX: usize = 40;

/// The first and the last of `rows`, and a row that says how many are left out.
pub(crate) fn elide(mut rows: Vec<Vec<String>>) -> Vec<Vec<String>> {
    if rows.len() > ROWS_MAX {
        let left_out = rows.len() - ROWS_MAX;
        let gap = vec!["..".to_owned(), format!("{left_out} more")];
        rows.splice(ROWS_MAX / 2..ROWS_MAX / 2 + left_out, [gap]);
    }
    rows
}

/// A query's result as a table with a header and a rule.
pub(crate) fn rows(result: &Rows) -> String {
    let mut cells: Vec<Vec<String>> = vec![result.columns.clone()];
    cells.extend(
        result
            .rows
            .iter()
            .map(|row| row.iter().map(value).collect()),
    );
    let widths = widths(&cells);
    cells.insert(1, widths.iter().map(|width| "-".repeat(*width)).collect());
    columns(&cells)
}

/// A value as SQL would write it, but for text, which stands bare where that is unambiguous.
pub(crate) fn value(value: &SqliteValue) -> String {
    match value {
        SqliteValue::Null => "NULL".to_owned(),
        SqliteValue::Integer(integer) => integer.to_string(),
        SqliteValue::Real(real) => format!("{real:?}"),
        SqliteValue::Text(text) if is_plain(text) => text.clone(),
        SqliteValue::Text(text) => format!("{text:?}"),
        SqliteValue::Blob(blob) => {
            let hex: String = blob.iter().map(|byte| format!("{byte:02x}")).collect();
            format!("x'{hex}'")
        }
    }
}

/// The values that a query was given, with the names of their parameters.
pub(crate) fn parameters(params: ParamList<'_>) -> String {
    let rows: Vec<_> = match params {
        ParamList::Positional(values) => (1..)
            .zip(values)
            .map(|(number, bound)| vec![format!("?{number}"), value(bound)])
            .collect(),
        ParamList::Named(values) => values
            .iter()
            .map(|(name, bound)| vec![(*name).to_owned(), value(bound)])
            .collect(),
    };
    columns(&rows)
}

/// Text that nobody would take for another type, or misread for its blanks.
fn is_plain(text: &str) -> bool {
    !text.is_empty()
        && text.trim() == text
        && text != "NULL"
        && text.parse::<f64>().is_err()
        && !text.chars().any(|c| c.is_control() || c == '"')
}

fn widths(rows: &[Vec<String>]) -> Vec<usize> {
    let count = rows.iter().map(Vec::len).max().unwrap_or(0);
    (0..count)
        .map(|column| {
            rows.iter()
                .filter_map(|row| row.get(column))
                .map(|cell| cell.chars().count())
                .max()
                .unwrap_or(0)
        })
        .collect()
}
