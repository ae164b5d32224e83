//! `umari restore`: a data directory from backups.

use host_minimal::backup::{RestoreError, Restored, restore};
use serde_json::json;

use crate::args::RestoreArgs;
use crate::backup::shown;
use crate::host::because;
use crate::output::fault::Fault;
use crate::output::{self, GOOD};

/// Restores, and says what is left to do.
pub(crate) fn run(args: &RestoreArgs) -> anyhow::Result<()> {
    let dir = &args.data_dir;
    let mut seen = shown("Restoring");
    let done = output::without_stdout(|| restore(dir, &args.files, &mut seen));
    output::clear_transient();
    let done = done.map_err(|error| {
        let fault = because(
            Fault::new(format!("{} was not restored", dir.display())),
            &error,
        );
        match error {
            RestoreError::NotEmpty { .. } => {
                fault.help("name another directory with --data-dir or UMARI_DATA_DIR")
            }
            RestoreError::OtherLog { .. } | RestoreError::NotConsecutive { .. } => {
                fault.help("name all the backups from the first one on, in their order")
            }
            _ => fault,
        }
    })?;
    if args.json {
        output::json(&json!({
            "data_dir": dir,
            "head": done.head,
            "events": done.events,
            "events_before": done.events_before,
            "keys": done.keys,
        }));
        return Ok(());
    }
    let what = format!("{} into {}", words(done), dir.display());
    output::result(&output::status_line(GOOD, "Restored", &what));
    for step in next(done, dir.join("master.key").exists()) {
        output::note(&format!("  {step}"));
    }
    Ok(())
}

fn words(done: Restored) -> String {
    let counted = |count, what: &str| match count {
        1 => format!("1 {what}"),
        count => format!("{count} {what}s"),
    };
    let mut words = counted(done.events, "event");
    if done.events_before > 0 {
        words = format!("{words} ({} were there)", done.events_before);
    }
    if let Some(keys) = done.keys {
        words = format!("{words} and {}", counted(keys, "data key"));
    }
    words
}

/// What the backup does not have.
fn next(done: Restored, has_master_key: bool) -> Vec<&'static str> {
    let mut steps = Vec::new();
    if done.keys.is_some() && !has_master_key {
        steps.push("put the original master.key into it, or set UMARI_MASTER_KEY");
    }
    steps.push("start a server on it and deploy the modules; projectors build their read models");
    steps.push("effects begin with the first event again, unless they say `start = \"latest\"`");
    steps
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_done_is_counted() {
        let mut done = Restored::default();
        assert_eq!(words(done), "0 events");
        (done.events, done.events_before, done.keys) = (1, 3, Some(2));
        assert_eq!(words(done), "1 event (3 were there) and 2 data keys");
    }

    #[test]
    fn the_master_key_is_asked_for_where_it_is_needed() {
        let asked = |keys, there| {
            let mut done = Restored::default();
            done.keys = keys;
            next(done, there)
                .iter()
                .any(|step| step.contains("master.key"))
        };
        assert!(asked(Some(0), false));
        assert!(!asked(Some(0), true) && !asked(None, false));
    }
}
