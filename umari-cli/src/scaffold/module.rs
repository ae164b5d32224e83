//! A new module in a workspace.

use std::path::{Path, PathBuf};

use super::changes::Changes;
use super::error::ScaffoldError;
use super::manifest::Manifest;
use super::name::Name;
use super::place::Place;
use super::render::{fill, format, has_identifier};
use super::{Made, templates};
use crate::kind::ModuleKind;

/// What makes a module of this kind.
pub(super) fn plan(
    place: &Place,
    kind: ModuleKind,
    name: &Name,
) -> Result<(Changes, Made), ScaffoldError> {
    let dir = place.module_dir(kind, name);
    let root_manifest = place.root.join("Cargo.toml");
    let mut root = Manifest::read(&root_manifest)?;
    require_free(place, &root, &dir, name)?;

    let files = match kind {
        ModuleKind::Command => templates::COMMAND,
        ModuleKind::Projector => templates::PROJECTOR,
        ModuleKind::Effect => templates::EFFECT,
    };
    let (snake, pascal) = (name.snake(), type_name(kind, name, files));
    let shared_snake = place.shared.replace('-', "_");
    let values = [
        ("my-app", place.shared.as_str()),
        ("my_app", shared_snake.as_str()),
        ("my-module", name.kebab()),
        ("my_module", snake.as_str()),
        ("MyModule", pascal.as_str()),
    ];
    let mut changes = Changes::new(&place.root, name.kebab());
    for file in files {
        let (path, text) = (dir.join(file.path), fill(file.text, &values));
        if file.path.ends_with(".rs") {
            changes.create(path, format(&place.root, text));
            continue;
        }
        let manifest = adapt(Manifest::parse(&path, text)?, &root);
        for dependency in manifest.inherited() {
            require_row(place, &mut root, &dependency)?;
        }
        changes.create(path, manifest.text());
    }
    root.add_member(&relative(&place.root, &dir))?;
    root.save(&mut changes);
    let next = vec![
        format!("cargo test -p {name}"),
        format!(
            "put your own events into {}/src/lib.rs",
            relative(&place.root, &dir)
        ),
    ];
    Ok((changes, Made { path: dir, next }))
}

/// Sees to it that the workspace says where a dependency comes from.
pub(super) fn require_row(
    place: &Place,
    root: &mut Manifest,
    name: &str,
) -> Result<(), ScaffoldError> {
    if root.row(name).is_some() {
        return Ok(());
    }
    let row = if name == place.shared {
        let mut table = toml_edit::InlineTable::new();
        table.insert("path", relative(&place.root, &place.shared_dir).into());
        Some(toml_edit::Value::InlineTable(table))
    } else if name.starts_with("umari") {
        sdk_row(place, root, name)?
    } else {
        let known = templates::minimal_manifest().to_owned();
        Manifest::parse(Path::new("Cargo.toml"), known)?.row(name)
    };
    let row = row.ok_or_else(|| ScaffoldError::Edit {
        path: place.root.join("Cargo.toml"),
        why: format!("[workspace.dependencies] does not say where `{name}` comes from"),
        help: "add it there, as a path, a git URL or a version",
    })?;
    root.set_row(name, row.decorated(" ", ""))
}

/// The SDK's crates come from where the shared library has them, or one of them from beside the
/// other.
fn sdk_row(
    place: &Place,
    root: &Manifest,
    name: &str,
) -> Result<Option<toml_edit::Value>, ScaffoldError> {
    let shared = Manifest::read(&place.shared_dir.join("Cargo.toml"))?;
    let own = |name: &str| {
        shared
            .own_dependency(name)
            .map(|value| rebased(&value, &place.root, &place.shared_dir))
    };
    let beside = || root.row("umari").or_else(|| own("umari"));
    Ok(own(name).or_else(|| Some(sibling(&beside()?, name))))
}

/// A dependency without its features, with its path as seen from the root.
fn rebased(value: &toml_edit::Value, root: &Path, dir: &Path) -> toml_edit::Value {
    let Some(table) = value.as_inline_table() else {
        return value.clone();
    };
    let mut table = table.clone();
    for key in ["features", "default-features", "optional"] {
        table.remove(key);
    }
    if let Some(path) = table.get("path").and_then(toml_edit::Value::as_str) {
        let path = dir.join(path);
        let path = path.canonicalize().unwrap_or(path);
        table.insert("path", relative(root, &path).into());
    }
    table.fmt();
    toml_edit::Value::InlineTable(table)
}

/// Another crate of the same source.
fn sibling(value: &toml_edit::Value, name: &str) -> toml_edit::Value {
    let mut value = value.clone();
    if let Some(table) = value.as_inline_table_mut() {
        for key in ["features", "default-features", "package"] {
            table.remove(key);
        }
        if let Some(path) = table.get("path").and_then(toml_edit::Value::as_str) {
            let path = Path::new(path).with_file_name(name);
            table.insert("path", slashed(&path).into());
        }
        table.fmt();
    }
    value
}

/// Neither the name nor the place may be taken.
fn require_free(
    place: &Place,
    root: &Manifest,
    dir: &Path,
    name: &Name,
) -> Result<(), ScaffoldError> {
    let taken = |by: String| {
        Err(ScaffoldError::Taken {
            name: name.to_string(),
            by,
        })
    };
    if let Some(package) = place.package_named(name) {
        return taken(format!("the workspace has a package `{package}`"));
    }
    let known = Manifest::parse(Path::new(""), templates::minimal_manifest().to_owned())?;
    for spelled in [name.kebab().to_owned(), name.snake()] {
        if root.row(&spelled).is_some() || known.row(&spelled).is_some() {
            return taken(format!("modules use a library `{spelled}`"));
        }
    }
    if dir.symlink_metadata().is_ok() {
        return Err(ScaffoldError::Exists {
            path: dir.to_owned(),
            what: "it is not a package of the workspace",
        });
    }
    Ok(())
}

/// Leaves out of the manifest what the workspace has nothing to say about.
fn adapt(mut manifest: Manifest, root: &Manifest) -> Manifest {
    if !root.has(&["workspace", "lints"]) {
        manifest.remove("lints");
    }
    if !root.has(&["workspace", "package", "edition"]) {
        manifest.set_in_package("edition", "2024".into());
    }
    manifest
}

/// The name of a module's type: one that its code does not use for something else.
fn type_name(kind: ModuleKind, name: &Name, files: &[templates::File]) -> String {
    let pascal = name.pascal();
    if files.iter().any(|it| has_identifier(it.text, &pascal)) {
        return match kind {
            ModuleKind::Effect => pascal + "Effect",
            _ => pascal + "Projector",
        };
    }
    pascal
}

/// A path as manifests have it: from the root, with forward slashes; absolute where it is elsewhere.
fn relative(root: &Path, path: &Path) -> String {
    match path.strip_prefix(root) {
        Ok(inside) if inside.as_os_str().is_empty() => ".".to_owned(),
        Ok(inside) => slashed(inside),
        Err(_) => path.display().to_string(),
    }
}

fn slashed(path: &Path) -> String {
    let path: PathBuf = path.to_owned();
    path.display().to_string().replace('\\', "/")
}
