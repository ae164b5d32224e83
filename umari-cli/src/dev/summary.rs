//! What `umari dev` says when everything runs.

use std::fmt::Write as _;
use std::time::Duration;

use serde_json::json;

use crate::deploy::{Deployed, Outcome};
use crate::kind::ModuleKind;
use crate::output::table::{Align, Table};
use crate::output::{FAINT, GOOD, STRONG, WARN, paint, units};

/// The end of a start.
#[derive(Debug)]
pub(super) struct Summary<'a> {
    /// The API's URL.
    pub(super) url: String,
    /// The data directory.
    pub(super) data_dir: String,
    /// What runs.
    pub(super) deployed: &'a [Deployed],
    /// Lines to try.
    pub(super) try_lines: Vec<String>,
    /// How many modules do not run, because they were not built or were refused.
    pub(super) missing: usize,
    /// Whether changes are waited for.
    pub(super) watching: bool,
    /// Whether anything was compiled or uploaded.
    pub(super) cold: bool,
    /// Time since the process started.
    pub(super) took: Duration,
}

impl Summary<'_> {
    /// The summary as text. The last line is stable; scripts may wait for it.
    pub(super) fn render(&self) -> String {
        let mut text = String::from("\n");
        if !self.deployed.is_empty() {
            let _ = writeln!(text, "{}\n", self.table().render("  "));
        }
        let _ = writeln!(text, "  api     {}", self.url);
        let _ = writeln!(text, "  data    {}", self.data_dir);
        if self.watching {
            let _ = writeln!(
                text,
                "  {}",
                paint(FAINT, "what you edit is rebuilt and swapped; Ctrl-C stops")
            );
        }
        if !self.try_lines.is_empty() {
            let _ = writeln!(text, "\n  {}", paint(STRONG, "try"));
            for line in &self.try_lines {
                let _ = writeln!(text, "    {line}");
            }
        }
        let _ = write!(text, "\n{}", self.last_line());
        text
    }

    /// The summary for `--json`.
    pub(super) fn document(&self) -> serde_json::Value {
        json!({
            "event": if self.missing == 0 { "ready" } else { "not-ready" },
            "url": self.url,
            "data_dir": self.data_dir,
            "modules": self.deployed.len(),
            "missing": self.missing,
            "start": self.start(),
            "took_ms": u64::try_from(self.took.as_millis()).unwrap_or(u64::MAX),
        })
    }

    fn last_line(&self) -> String {
        let count = |count: usize| {
            if count == 1 {
                "1 module".to_owned()
            } else {
                format!("{count} modules")
            }
        };
        let running = count(self.deployed.len());
        if self.missing == 0 {
            let took = units::duration(self.took);
            return format!(
                "{} {running} on {} ({} start {took})",
                paint(GOOD, "ready:"),
                self.url,
                self.start()
            );
        }
        let next = if self.watching {
            "; waiting for a change"
        } else {
            ""
        };
        let missing = count(self.missing);
        format!(
            "{} {missing} missing, {running} on {}{next}",
            paint(WARN, "not ready:"),
            self.url
        )
    }

    fn start(&self) -> &'static str {
        if self.cold { "cold" } else { "warm" }
    }

    fn table(&self) -> Table {
        let mut table = Table::new(&[
            ("KIND", Align::Left),
            ("MODULE", Align::Left),
            ("VERSION", Align::Left),
            ("SIZE", Align::Right),
            ("", Align::Left),
            ("URL", Align::Left),
        ]);
        for it in self.deployed {
            let path = match it.kind {
                ModuleKind::Command => format!("/commands/{}/execute", it.name),
                kind => format!("/{}/{}", kind.plural(), it.name),
            };
            let (kind, size, outcome) = (
                it.kind.to_string(),
                units::bytes(it.size),
                it.outcome.name().to_owned(),
            );
            table.row([
                kind,
                it.name.clone(),
                it.version.clone(),
                size,
                outcome,
                path,
            ]);
        }
        table
    }
}

/// The line for one module that was swapped while the session runs.
pub(super) fn swap_line(deployed: &Deployed, took: Duration) -> String {
    let Deployed {
        kind,
        name,
        version,
        size,
        outcome,
    } = deployed;
    let back = if *outcome == Outcome::Activated {
        ", stored before"
    } else {
        ""
    };
    let (verb, size, took) = (
        paint(GOOD, "swapped:"),
        units::bytes(*size),
        units::duration(took),
    );
    format!("{verb} {kind} {name} {version} ({size}{back}) in {took}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;

    fn plain(text: &str) -> String {
        anstream::adapter::strip_str(text).to_string()
    }

    fn deployed() -> Vec<Deployed> {
        let module = |kind, name: &str, version: &str, size, outcome| Deployed {
            kind,
            name: name.to_owned(),
            version: version.to_owned(),
            size,
            outcome,
        };
        vec![
            module(
                ModuleKind::Command,
                "connect-shop",
                "1.0.0",
                112_340,
                Outcome::Uploaded,
            ),
            module(
                ModuleKind::Projector,
                "plans",
                "1.0.0+dev.0123456789ab",
                98_100,
                Outcome::Unchanged,
            ),
            module(
                ModuleKind::Effect,
                "register-webhooks",
                "1.0.0",
                1_204_000,
                Outcome::Activated,
            ),
        ]
    }

    fn summary(deployed: &[Deployed]) -> Summary<'_> {
        Summary {
            url: "http://127.0.0.1:3000".into(),
            data_dir: "examples/warranty/.umari".into(),
            deployed,
            try_lines: vec!["curl -s http://127.0.0.1:3000/events".into()],
            missing: 0,
            watching: true,
            cold: true,
            took: Duration::from_millis(12_340),
        }
    }

    #[test]
    fn the_summary_ends_with_the_ready_line() {
        expect![[r#"

              KIND       MODULE             VERSION                     SIZE             URL
              command    connect-shop       1.0.0                   112.3 KB  uploaded   /commands/connect-shop/execute
              projector  plans              1.0.0+dev.0123456789ab   98.1 KB  unchanged  /projectors/plans
              effect     register-webhooks  1.0.0                     1.2 MB  activated  /effects/register-webhooks

              api     http://127.0.0.1:3000
              data    examples/warranty/.umari
              what you edit is rebuilt and swapped; Ctrl-C stops

              try
                curl -s http://127.0.0.1:3000/events

            ready: 3 modules on http://127.0.0.1:3000 (cold start 12.3 s)"#]]
        .assert_eq(&plain(&summary(&deployed()).render()));
    }

    #[test]
    fn a_start_with_missing_modules_is_not_ready() {
        let deployed = &deployed()[..1];
        let mut summary = summary(deployed);
        summary.missing = 2;
        let text = plain(&summary.render());
        let last = text.lines().last();
        let expected =
            "not ready: 2 modules missing, 1 module on http://127.0.0.1:3000; waiting for a change";
        assert_eq!(last, Some(expected));
        assert_eq!(summary.document()["event"], "not-ready");
    }

    #[test]
    fn scripts_get_the_same_as_json() {
        let deployed = deployed();
        let mut summary = summary(&deployed);
        summary.cold = false;
        expect![[r#"{"data_dir":"examples/warranty/.umari","event":"ready","missing":0,"modules":3,"start":"warm","took_ms":12340,"url":"http://127.0.0.1:3000"}"#]]
            .assert_eq(&summary.document().to_string());
    }

    #[test]
    fn a_swap_is_one_line() {
        let took = Duration::from_millis(1_800);
        let lines: Vec<String> = deployed()
            .iter()
            .map(|it| plain(&swap_line(it, took)))
            .collect();
        expect![[r#"
            swapped: command connect-shop 1.0.0 (112.3 KB) in 1.8 s
            swapped: projector plans 1.0.0+dev.0123456789ab (98.1 KB) in 1.8 s
            swapped: effect register-webhooks 1.0.0 (1.2 MB, stored before) in 1.8 s"#]]
        .assert_eq(&lines.join("\n"));
    }
}
