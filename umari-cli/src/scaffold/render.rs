//! Filling names into templates.

use std::io::Write as _;
use std::path::Path;
use std::process::Stdio;

use crate::build::environment::CargoEnv;

/// Replaces every placeholder by its value, in one pass: what was filled in is not looked at again.
pub(super) fn fill(text: &str, values: &[(&str, &str)]) -> String {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    'text: while let Some(c) = rest.chars().next() {
        for (placeholder, value) in values {
            if let Some(behind) = rest.strip_prefix(placeholder) {
                filled.push_str(value);
                rest = behind;
                continue 'text;
            }
        }
        filled.push(c);
        rest = &rest[c.len_utf8()..];
    }
    filled
}

/// Lays out Rust code as rustfmt does in `dir`, since names move imports and change widths. Without
/// a rustfmt the code stays as it is, which is as correct.
pub(super) fn format(dir: &Path, code: String) -> String {
    rustfmt(dir, &code).unwrap_or(code)
}

fn rustfmt(dir: &Path, code: &str) -> Option<String> {
    let mut child = CargoEnv::for_dir(dir)
        .command("rustfmt")
        .args(["--edition", "2024", "--emit", "stdout"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    // Rustfmt reads everything before it writes, so neither side waits for the other.
    child.stdin.take()?.write_all(code.as_bytes()).ok()?;
    let output = child.wait_with_output().ok()?;
    let formatted = String::from_utf8(output.stdout).ok()?;
    (output.status.success() && !formatted.is_empty()).then_some(formatted)
}

/// Whether `word` stands in the code as an identifier.
pub(super) fn has_identifier(code: &str, word: &str) -> bool {
    code.split(|c: char| !c.is_alphanumeric() && c != '_')
        .any(|it| it == word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_filled_in_is_not_a_placeholder() {
        let filled = fill("use a_b::X; // a-b", &[("a_b", "a-b"), ("a-b", "ä")]);
        assert_eq!(filled, "use a-b::X; // ä");
        assert_eq!(fill("", &[("a", "b")]), "");
    }

    #[test]
    fn identifiers_are_whole_words() {
        assert!(has_identifier("pub enum Query {", "Query"));
        assert!(!has_identifier("FoldQuery::new(), Query_2", "Query"));
    }

    #[test]
    fn code_that_rustfmt_cannot_read_stays() {
        let dir = tempfile::tempdir().expect("a directory");
        assert_eq!(format(dir.path(), "fn (".into()), "fn (");
        assert_eq!(format(dir.path(), "fn  f ( ) { }".into()), "fn f() {}\n");
    }
}
