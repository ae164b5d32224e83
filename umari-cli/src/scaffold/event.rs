//! A new event in the shared library.

use std::fs;
use std::path::Path;

use super::changes::{Changes, io};
use super::error::ScaffoldError;
use super::manifest::Manifest;
use super::module::require_row;
use super::name::EventName;
use super::place::Place;
use super::render::{fill, format, has_identifier};
use super::source::{add_export, add_module};
use super::{Made, templates};

/// What makes an event: a file of its own, and the lines that make it known.
pub(super) fn plan(place: &Place, name: &EventName) -> Result<(Changes, Made), ScaffoldError> {
    let sources = place.shared_source.parent().unwrap_or(&place.shared_dir);
    let file = sources.join("events").join(format!("{}.rs", name.snake()));
    if file.symlink_metadata().is_ok() {
        return Err(ScaffoldError::Exists {
            path: file,
            what: "the shared library has an event of this name",
        });
    }
    let mut changes = Changes::new(&place.root, &place.shared);
    let (snake, pascal, object) = (name.snake(), name.pascal(), name.object());
    let event_type = name.event_type();
    let values = [
        ("my_object.happened", event_type.as_str()),
        ("my_object", object.as_str()),
        ("MyEvent", pascal.as_str()),
    ];
    let code = format(&place.root, fill(templates::EVENT, &values));
    changes.create(file.clone(), code);

    let module = format!("mod {snake};");
    let export = format!("pub use {snake}::{pascal};");
    let nested = sources.join("events/mod.rs");
    let flat = sources.join("events.rs");
    match [flat.clone(), nested].into_iter().find(|it| it.is_file()) {
        Some(events) => {
            let before = read(&events)?;
            if has_identifier(&before, &pascal) {
                return Err(ScaffoldError::Taken {
                    name: name.kebab().to_owned(),
                    by: format!("{} has a `{pascal}`", events.display()),
                });
            }
            let after = add_export(&add_module(&before, &module), &export);
            changes.edit(&events, &before, after);
        }
        None => {
            let text = format!("//! Everything that can happen.\n\n{module}\n\n{export}\n");
            changes.create(flat, text);
        }
    }
    let library = read(&place.shared_source)?;
    let known = ["mod events;", "mod events {"];
    if !known.iter().any(|it| library.contains(it)) {
        let after = add_module(&library, "pub mod events;");
        changes.edit(&place.shared_source, &library, after);
    }
    depend(place, &mut changes)?;
    let shared = place.shared.replace('-', "_");
    let next = vec![
        format!("cargo test -p {}", place.shared),
        format!("use {shared}::events::{pascal};"),
    ];
    Ok((changes, Made { path: file, next }))
}

/// The shared library needs the SDK's prelude and serde for its events, and the harness for tests.
fn depend(place: &Place, changes: &mut Changes) -> Result<(), ScaffoldError> {
    let needed = [
        ("dependencies", "serde"),
        ("dependencies", "umari"),
        ("dev-dependencies", "umari-testing"),
    ];
    let mut root = Manifest::read(&place.root.join("Cargo.toml"))?;
    // The root of the workspace may be the shared library itself.
    let mut library = (place.shared_dir != place.root)
        .then(|| Manifest::read(&place.shared_dir.join("Cargo.toml")))
        .transpose()?;
    for (table, name) in needed {
        let inherited = {
            let library = library.as_mut().unwrap_or(&mut root);
            library.inherit(table, name);
            library.inherited().iter().any(|it| it == name)
        };
        if inherited {
            require_row(place, &mut root, name)?;
        }
    }
    root.save(changes);
    if let Some(library) = library {
        library.save(changes);
    }
    Ok(())
}

fn read(path: &Path) -> Result<String, ScaffoldError> {
    fs::read_to_string(path).map_err(io("read", path))
}
