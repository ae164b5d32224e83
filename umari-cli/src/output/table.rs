//! Tables in plain text: columns as wide as their widest cell, two spaces between them.

use super::{STRONG, paint};

/// How a column's cells stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Align {
    /// Text.
    Left,
    /// Numbers and sizes.
    Right,
}

/// A table that is rendered when it is complete.
#[derive(Debug, Clone)]
pub(crate) struct Table {
    columns: Vec<(String, Align)>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with these headings.
    pub(crate) fn new(columns: &[(&str, Align)]) -> Self {
        let columns = columns.iter();
        Self {
            columns: columns
                .map(|(name, align)| ((*name).to_owned(), *align))
                .collect(),
            rows: Vec::new(),
        }
    }

    /// Adds a row. Missing cells are empty, cells beyond the last column are dropped.
    pub(crate) fn row(&mut self, cells: impl Into<Vec<String>>) {
        self.rows.push(cells.into());
    }

    /// Whether there is no row.
    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The table as lines, each after `indent`, without trailing spaces.
    pub(crate) fn render(&self, indent: &str) -> String {
        let widths: Vec<usize> = (0..self.columns.len())
            .map(|column| {
                let cells = self.rows.iter().map(|row| width(row.get(column)));
                cells
                    .chain([self.columns[column].0.chars().count()])
                    .max()
                    .unwrap_or(0)
            })
            .collect();
        let heading: Vec<String> = self.columns.iter().map(|(name, _)| name.clone()).collect();
        let mut lines = vec![format!(
            "{indent}{}",
            paint(STRONG, self.line(&heading, &widths))
        )];
        lines.extend(
            self.rows
                .iter()
                .map(|row| format!("{indent}{}", self.line(row, &widths))),
        );
        lines.join("\n")
    }

    fn line(&self, row: &[String], widths: &[usize]) -> String {
        let mut line = String::new();
        for (column, (_, align)) in self.columns.iter().enumerate() {
            let cell = row.get(column).map_or("", String::as_str);
            let pad = " ".repeat(widths[column].saturating_sub(cell.chars().count()));
            if column > 0 {
                line.push_str("  ");
            }
            match align {
                Align::Left => line.extend([cell, &pad]),
                Align::Right => line.extend([pad.as_str(), cell]),
            }
        }
        line.trim_end().to_owned()
    }
}

fn width(cell: Option<&String>) -> usize {
    cell.map_or(0, |cell| cell.chars().count())
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let mut table = Table::new(&[
            ("MODULE", Align::Left),
            ("SIZE", Align::Right),
            ("STATE", Align::Left),
        ]);
        table.row(["plans".into(), "98.1 KB".into(), "running".into()]);
        table.row(["register-webhooks".into(), "1.2 MB".into(), String::new()]);
        expect![[r#"
              MODULE                SIZE  STATE
              plans              98.1 KB  running
              register-webhooks   1.2 MB"#]]
        .assert_eq(&anstream::adapter::strip_str(&table.render("")).to_string());
    }
}
