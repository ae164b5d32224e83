//! `umari doctor`: what keeps this machine from building modules or running a host, each with what
//! to do about it.
//!
//! A check says what it found in one line. It changes nothing: what is missing and would be made by
//! the next command is no fault.

mod data;
mod machine;
mod tools;
mod versions;

use std::process::ExitCode;
use std::time::Duration;

use serde::Serialize;
use serde_json::json;

use crate::args::DoctorArgs;
use crate::output::fault::{EXIT_FAILURE, EXIT_OK, Fault};
use crate::output::{self, BAD, BUSY, FAINT, GOOD, STRONG, WARN, paint};

/// Whoever does not answer in this time is not well, or no server of ours.
const PATIENCE: Duration = Duration::from_secs(5);

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum State {
    /// As it should be.
    Ok,
    /// Not there, and not needed before it is made.
    None,
    /// It works, and may not for long, or not for everything.
    Warning,
    /// Something will not work.
    Fault,
}

/// What one check found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Check {
    /// What was looked at, in one word.
    name: &'static str,
    state: State,
    /// What was found.
    found: String,
    /// Why, where it is not as it should be.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    why: Vec<String>,
    /// What to do about it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    fix: Vec<String>,
}

impl Check {
    fn new(name: &'static str, state: State, found: impl Into<String>) -> Self {
        Self {
            name,
            state,
            found: found.into(),
            why: Vec::new(),
            fix: Vec::new(),
        }
    }

    fn ok(name: &'static str, found: impl Into<String>) -> Self {
        Self::new(name, State::Ok, found)
    }

    /// A failure of the command that would fail, in its own words.
    fn fault(name: &'static str, fault: &Fault) -> Self {
        let mut check = Self::new(name, State::Fault, fault.to_string());
        check.why = fault.causes().to_vec();
        check.fix = fault.advice().to_vec();
        check
    }

    fn why(mut self, why: impl Into<String>) -> Self {
        self.why.push(why.into());
        self
    }

    fn fix(mut self, fix: impl Into<String>) -> Self {
        self.fix.push(fix.into());
        self
    }
}

/// Looks at everything, shows it, and fails where something is wrong.
pub(crate) fn run(args: &DoctorArgs) -> anyhow::Result<ExitCode> {
    let mut checks = vec![versions::program()];
    checks.extend(tools::checks(&args.path));
    let server = args.url.as_deref();
    checks.extend(server.map(|url| versions::server(url, args.api_key.clone())));
    checks.push(machine::address(args.addr));
    checks.extend(data::checks(args));
    let count = |state| checks.iter().filter(|check| check.state == state).count();
    let (faults, warnings) = (count(State::Fault), count(State::Warning));
    if args.json {
        output::json(&json!({ "checks": checks, "faults": faults, "warnings": warnings }));
    } else {
        output::result(&render(&checks));
        output::result(&summary(faults, warnings));
    }
    Ok(ExitCode::from(if faults == 0 {
        EXIT_OK
    } else {
        EXIT_FAILURE
    }))
}

fn render(checks: &[Check]) -> String {
    let width = checks.iter().map(|check| check.name.len()).max();
    let width = width.unwrap_or_default();
    let mut lines = Vec::new();
    for check in checks {
        let (style, word) = match check.state {
            State::Ok => (GOOD, "ok"),
            State::None => (FAINT, "none"),
            State::Warning => (WARN, "warning"),
            State::Fault => (BAD, "fault"),
        };
        lines.push(format!(
            "{}{}  {:width$}  {}",
            " ".repeat("warning".len() - word.len()),
            paint(style, word),
            check.name,
            indent(&check.found, width)
        ));
        let under = |label: &str, text: &String| {
            let pad = " ".repeat("warning".len() + 2 + width - label.len());
            format!("{pad}{}  {}", paint(BUSY, label), indent(text, width))
        };
        lines.extend(check.why.iter().map(|why| under("why", why)));
        lines.extend(check.fix.iter().map(|fix| under("fix", fix)));
    }
    lines.join("\n")
}

/// Keeps the lines of a text under its first.
fn indent(text: &str, width: usize) -> String {
    let columns = "warning".len() + width + 4;
    let next = format!("\n{}", " ".repeat(columns));
    text.trim_end().replace('\n', &next)
}

fn summary(faults: usize, warnings: usize) -> String {
    let counted = |count, one: &str, more: &str| match count {
        1 => format!("1 {one}"),
        count => format!("{count} {more}"),
    };
    let warnings = counted(warnings, "warning", "warnings");
    match faults {
        0 => format!("{}: no fault, {warnings}", paint(STRONG, "healthy")),
        faults => format!(
            "{}: {warnings}",
            paint(BAD, counted(faults, "fault", "faults"))
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;

    #[test]
    fn a_fault_stands_with_its_reason_and_its_fix() {
        let checks = [
            Check::ok("versions", "umari 0.1.0"),
            Check::new("space", State::Warning, "0.9 GB free").fix("make room"),
            Check::fault(
                "target",
                &Fault::new("no target")
                    .why("the first line\nthe second")
                    .help("install it"),
            ),
        ];
        let text = format!("{}\n{}", render(&checks), summary(1, 1));
        expect![[r#"
                 ok  versions  umari 0.1.0
            warning  space     0.9 GB free
                          fix  make room
              fault  target    no target
                          why  the first line
                               the second
                          fix  install it
            1 fault: 1 warning"#]]
        .assert_eq(&anstream::adapter::strip_str(&text).to_string());
    }

    #[test]
    fn no_fault_is_healthy() {
        let text = anstream::adapter::strip_str(&summary(0, 2)).to_string();
        assert_eq!(text, "healthy: no fault, 2 warnings");
    }
}
