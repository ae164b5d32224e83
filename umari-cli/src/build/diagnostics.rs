//! What cargo and the compiler say during a build, and who is at fault.
//!
//! On a terminal cargo's status lines (`Compiling x`) pass through one transient line and only
//! what needs reading stays. Elsewhere every line is kept, as cargo prints it.

use std::collections::BTreeMap;

use cargo_metadata::diagnostic::{Diagnostic, DiagnosticLevel};
use cargo_metadata::{CompilerMessage, PackageId};

use crate::output;

/// Cargo's status verbs. Lines that begin with one say what goes on, not what is wrong.
const STATUS_VERBS: &[&str] = &[
    "Adding",
    "Blocking",
    "Building",
    "Checking",
    "Compiling",
    "Dirty",
    "Downloaded",
    "Downloading",
    "Finished",
    "Fresh",
    "Locking",
    "Removing",
    "Running",
    "Unpacking",
    "Updating",
    "Verifying",
];

/// The messages of one build, and its errors by package.
#[derive(Debug, Default)]
pub(crate) struct Diagnostics {
    repeat_warnings: bool,
    waiting: BTreeMap<PackageId, Vec<String>>,
    errors: BTreeMap<PackageId, Vec<String>>,
    seen: Vec<String>,
}

impl Diagnostics {
    /// No message yet. `repeat_warnings` says whether warnings of crates that were up to date are
    /// shown again.
    pub(crate) fn new(repeat_warnings: bool) -> Self {
        Self {
            repeat_warnings,
            ..Self::default()
        }
    }

    /// A message of the compiler. Errors are shown at once, warnings when the crate is complete.
    pub(crate) fn message(&mut self, message: &CompilerMessage) {
        let rendered = message
            .message
            .rendered
            .clone()
            .unwrap_or_else(|| message.message.message.clone());
        match message.message.level {
            DiagnosticLevel::Error | DiagnosticLevel::Ice => {
                if !is_summary(&message.message) {
                    self.errors
                        .entry(message.package_id.clone())
                        .or_default()
                        .push(headline(&message.message));
                }
                self.show(rendered);
            }
            _ => self
                .waiting
                .entry(message.package_id.clone())
                .or_default()
                .push(rendered),
        }
    }

    /// A crate is complete.
    pub(crate) fn finished(&mut self, package: &PackageId, fresh: bool) {
        let warnings = self.waiting.remove(package).unwrap_or_default();
        if !fresh || self.repeat_warnings {
            warnings.into_iter().for_each(|warning| self.show(warning));
        }
    }

    /// The build is over: shows what never completed, and gives the errors by package.
    pub(crate) fn end(mut self) -> BTreeMap<PackageId, Vec<String>> {
        for warning in std::mem::take(&mut self.waiting).into_values().flatten() {
            self.show(warning);
        }
        self.errors
    }

    /// A crate that is a cdylib and an rlib, or is built twice, says the same thing twice.
    fn show(&mut self, rendered: String) {
        if !self.seen.contains(&rendered) {
            output::progress(rendered.trim_end());
            self.seen.push(rendered);
        }
    }
}

/// A line of cargo's stderr.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum CargoLine {
    /// What cargo is doing: the verb and what it is about.
    Status(String, String),
    /// A crate that could not be compiled.
    Failed(String),
    /// Anything else.
    Text,
}

/// Reads one line of cargo's stderr.
pub(crate) fn classify(line: &str) -> CargoLine {
    let plain = anstream::adapter::strip_str(line).to_string();
    let plain = plain.trim();
    if let Some((verb, rest)) = plain.split_once(' ')
        && STATUS_VERBS.contains(&verb)
    {
        return CargoLine::Status(verb.to_owned(), rest.trim().to_owned());
    }
    let failed = [
        "error: could not compile `",
        "error: failed to run custom build command for `",
    ];
    for opening in failed {
        if let Some(rest) = plain.strip_prefix(opening) {
            let name = rest.split(['`', ' ']).next().unwrap_or_default();
            return CargoLine::Failed(name.to_owned());
        }
    }
    CargoLine::Text
}

/// An error as one line: what, and where.
fn headline(diagnostic: &Diagnostic) -> String {
    let code = diagnostic
        .code
        .as_ref()
        .map(|code| format!("[{}]", code.code))
        .unwrap_or_default();
    let place = diagnostic.spans.iter().find(|span| span.is_primary);
    let place = place.map(|span| {
        format!(
            " ({}:{}:{})",
            span.file_name, span.line_start, span.column_start
        )
    });
    let message = diagnostic.message.lines().next().unwrap_or_default();
    format!("error{code}: {message}{}", place.unwrap_or_default())
}

/// The compiler's closing lines, which count the errors above them.
fn is_summary(diagnostic: &Diagnostic) -> bool {
    diagnostic.spans.is_empty() && diagnostic.message.starts_with("aborting due to")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn status_lines_are_told_from_errors() {
        let status = |verb: &str, rest: &str| CargoLine::Status(verb.into(), rest.into());
        assert_eq!(
            classify("   Compiling serde v1.0.0"),
            status("Compiling", "serde v1.0.0")
        );
        assert_eq!(
            classify("\u{1b}[1m\u{1b}[32m   Compiling\u{1b}[0m x v1 (/p)"),
            status("Compiling", "x v1 (/p)")
        );
        let blocking = "    Blocking waiting for file lock on build directory";
        assert_eq!(
            classify(blocking),
            status("Blocking", "waiting for file lock on build directory")
        );
        assert_eq!(
            classify("error: no matching package named `x` found"),
            CargoLine::Text
        );
        assert_eq!(classify("warning: unused"), CargoLine::Text);
        assert_eq!(classify(""), CargoLine::Text);
    }

    #[test]
    fn the_crate_at_fault_is_named() {
        let line = "error: could not compile `sell-warranty` (lib) due to 2 previous errors; 1 warning emitted";
        assert_eq!(classify(line), CargoLine::Failed("sell-warranty".into()));
        let line = "error: failed to run custom build command for `ring v0.17.14`";
        assert_eq!(classify(line), CargoLine::Failed("ring".into()));
    }

    #[test]
    fn errors_are_counted_by_package_without_the_closing_lines() {
        let mut diagnostics = Diagnostics::default();
        for (level, text, spans) in [
            (
                "error",
                "mismatched types",
                r#"[{"file_name":"src/lib.rs","byte_start":0,"byte_end":1,"line_start":12,
              "line_end":12,"column_start":5,"column_end":6,"is_primary":true,"text":[],"label":null,
              "suggested_replacement":null,"suggestion_applicability":null,"expansion":null}]"#,
            ),
            ("error", "aborting due to 1 previous error", "[]"),
            ("warning", "unused variable", "[]"),
        ] {
            let json = format!(
                r#"{{"package_id":"p#1.0.0","target":{{"name":"p","kind":["cdylib"],"crate_types":["cdylib"],
                "src_path":"/p/src/lib.rs","edition":"2024"}},"message":{{"message":"{text}","code":{{"code":"E0308",
                "explanation":null}},"level":"{level}","spans":{spans},"children":[],"rendered":"{text}\n"}}}}"#
            );
            diagnostics.message(&serde_json::from_str(&json).expect("a message"));
        }
        let errors = diagnostics.end();
        let expected = vec!["error[E0308]: mismatched types (src/lib.rs:12:5)".to_owned()];
        assert_eq!(errors.into_values().collect::<Vec<_>>(), [expected]);
    }
}
