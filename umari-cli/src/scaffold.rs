//! Making workspaces and growing them: `umari init` and `umari new`.
//!
//! `templates` holds the files, `render` fills in the names, and `changes` writes everything or
//! nothing. `init` begins a workspace. `place` finds the workspace and the shared library that
//! `module` and `event` add to; `manifest` and `source` are their edits of what the user wrote.

mod changes;
mod error;
mod event;
mod init;
mod manifest;
mod module;
mod name;
mod place;
mod render;
mod sdk;
mod source;
mod templates;

use std::path::{Path, PathBuf};

use serde_json::json;

use crate::args::{InitArgs, Lang, NewArgs, NewKind};
use crate::kind::ModuleKind;
use crate::output::fault::Fault;
use crate::output::{self, BUSY, GOOD};

use changes::Changes;
use error::ScaffoldError;
use name::{EventName, Name};
use place::Place;

/// What was made, as the user is told.
#[derive(Debug)]
struct Made {
    /// The directory or file that is new.
    path: PathBuf,
    /// What to type next.
    next: Vec<String>,
}

/// `umari init`.
pub(crate) fn init(args: &InitArgs) -> anyhow::Result<()> {
    let made = init::create(args).map_err(Fault::from)?;
    if args.json {
        output::json(&json!({
            "event": "created",
            "kind": "workspace",
            "name": args.name,
            "path": made.path,
            "template": args.template.name(),
            "sdk": made.sdk.document(),
            "files": made.files,
        }));
        return Ok(());
    }
    let template = args.template.name();
    output::status(
        GOOD,
        "Created",
        &format!("{} ({template}, {})", args.name, made.sdk),
    );
    if let sdk::Sdk::Path(_) = made.sdk {
        output::status(
            BUSY,
            "Note",
            "the SDK is a path on this machine; for others and for CI, name its git URL in Cargo.toml",
        );
    }
    for (verb, line) in [
        ("Next", format!("cd {}", args.name)),
        ("", "cargo test".to_owned()),
        ("", "umari dev".to_owned()),
        ("", "umari new --help".to_owned()),
    ] {
        output::status(BUSY, verb, &line);
    }
    output::result(&made.path.display().to_string());
    Ok(())
}

/// `umari new`.
pub(crate) fn new(args: &NewArgs) -> anyhow::Result<()> {
    let (changes, made) = plan(args).map_err(Fault::from)?;
    let written = changes.apply().map_err(Fault::from)?;
    if args.json {
        output::json(&json!({
            "event": "created",
            "kind": kind_name(args.what),
            "name": args.name,
            "path": made.path,
            "files": written.created,
            "changed": written.changed,
        }));
        return Ok(());
    }
    for file in &written.created {
        output::status(GOOD, "Created", &shown(file));
    }
    for file in &written.changed {
        output::status(GOOD, "Changed", &shown(file));
    }
    for (index, line) in made.next.iter().enumerate() {
        output::status(BUSY, if index == 0 { "Next" } else { "" }, line);
    }
    output::result(&shown(&made.path));
    Ok(())
}

/// What `umari new` would write.
fn plan(args: &NewArgs) -> Result<(Changes, Made), ScaffoldError> {
    if args.lang == Lang::Js {
        return Err(ScaffoldError::Language);
    }
    let kind = match args.what {
        NewKind::Command => ModuleKind::Command,
        NewKind::Projector => ModuleKind::Projector,
        NewKind::Effect => ModuleKind::Effect,
        NewKind::Event => {
            let name: EventName = args.name.parse()?;
            let place = Place::find(&args.path, args.shared.as_deref())?;
            return event::plan(&place, &name);
        }
    };
    let name: Name = args.name.parse()?;
    let place = Place::find(&args.path, args.shared.as_deref())?;
    module::plan(&place, kind, &name)
}

fn kind_name(kind: NewKind) -> &'static str {
    match kind {
        NewKind::Command => "command",
        NewKind::Projector => "projector",
        NewKind::Effect => "effect",
        NewKind::Event => "event",
    }
}

/// A path as the user would write it here.
fn shown(path: &Path) -> String {
    let here = std::env::current_dir()
        .and_then(|here| here.canonicalize())
        .unwrap_or_default();
    path.strip_prefix(&here)
        .unwrap_or(path)
        .display()
        .to_string()
}
