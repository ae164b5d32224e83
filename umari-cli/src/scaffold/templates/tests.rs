//! The templates are complete, and say what the project itself says.

use std::path::Path;

use super::*;
use crate::args::Template;
use crate::scaffold::init::render;
use crate::scaffold::manifest::Manifest;
use crate::scaffold::sdk::Sdk;

/// The root of the project.
fn project() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("a root")
}

fn manifest(text: &str) -> Manifest {
    Manifest::parse(Path::new("Cargo.toml"), text.to_owned()).expect("a manifest")
}

/// Every file below a directory, but for what building and running leave there.
fn files_below(root: &Path, dir: &Path, found: &mut Vec<String>) {
    for entry in std::fs::read_dir(dir).expect("a directory") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().expect("a name");
        if path.is_dir() {
            if name != "target" && name != ".umari" {
                files_below(root, &path, found);
            }
        } else if name != "Cargo.lock" {
            let path = path.strip_prefix(root).expect("below");
            found.push(path.display().to_string().replace('\\', "/"));
        }
    }
}

#[test]
fn no_file_of_a_template_is_forgotten() {
    let templates = project().join("umari-cli/templates");
    let example = project().join("examples/warranty");
    let complete = |root: &Path, files: &[File], instead: &[File]| {
        let mut found = Vec::new();
        files_below(root, root, &mut found);
        let replaced = |it: &String| instead.iter().any(|file| file.path == it);
        found.retain(|it| !replaced(it));
        found.sort();
        let mut listed: Vec<&str> = files.iter().map(|file| file.path).collect();
        listed.sort_unstable();
        assert_eq!(found, listed, "{}", root.display());
    };
    complete(&templates.join("minimal"), MINIMAL, &[]);
    complete(&templates.join("warranty"), WARRANTY_ROOT, &[]);
    complete(&example, WARRANTY, WARRANTY_ROOT);
    for (kind, files) in [
        ("command", COMMAND),
        ("projector", PROJECTOR),
        ("effect", EFFECT),
    ] {
        complete(&templates.join("modules").join(kind), files, &[]);
    }
}

#[test]
fn versions_are_the_projects_own() {
    let own = manifest(include_str!("../../../../Cargo.toml"));
    for template in [MINIMAL[0], WARRANTY_ROOT[0]] {
        let template = manifest(template.text);
        let mut checked = 0;
        for name in [
            "anyhow",
            "axum",
            "clap",
            "indexmap",
            "schemars",
            "serde",
            "serde_json",
            "tokio",
            "ureq",
            "validator",
        ] {
            let Some(row) = template.row(name) else {
                continue;
            };
            let own = own.row(name).expect(name);
            assert_eq!(row.to_string(), own.to_string(), "{name}");
            checked += 1;
        }
        assert!(checked >= 4);
    }
    let channel = |text: &str| -> String {
        let line = text.lines().find(|it| it.starts_with("channel"));
        line.expect("a channel").to_owned()
    };
    let toolchain = include_str!("../../../../rust-toolchain.toml");
    assert_eq!(channel(COMMON[2].text), channel(toolchain));
}

#[test]
fn every_dependency_of_a_template_has_a_row() {
    for (root, files) in [(MINIMAL[0], MINIMAL), (WARRANTY_ROOT[0], WARRANTY)] {
        let root = manifest(root.text);
        for file in files.iter().filter(|it| it.path.ends_with("Cargo.toml")) {
            for name in manifest(file.text).inherited() {
                // In the example, the application is called `warranty`.
                let name = if name == "warranty" { "my-app" } else { &name };
                assert!(root.row(name).is_some(), "{}: {name}", file.path);
            }
        }
    }
}

#[test]
fn workspaces_are_laid_out_by_rustfmt_whatever_their_name() {
    let dir = tempfile::tempdir().expect("a directory");
    let longest = format!("n{}", "-n".repeat(31));
    let mut checked = 0;
    for name in ["a", "zebra", &longest, "warranty"] {
        let name = name.parse().expect("a name");
        for template in [Template::Minimal, Template::Warranty] {
            let files = render(dir.path(), &name, template, &Sdk::Version("0.1".into()));
            for (path, text) in files.expect("rendered") {
                assert!(
                    !text.contains("my-app") && !text.contains("my_app"),
                    "{path}"
                );
                if path.ends_with(".rs") {
                    let formatted = crate::scaffold::render::format(dir.path(), text.clone());
                    assert!(formatted == text, "{path} of {name}:\n{text}");
                    checked += 1;
                }
            }
        }
    }
    assert!(checked > 100);
}

#[test]
fn the_warranty_shop_is_the_example_to_the_letter() {
    let dir = tempfile::tempdir().expect("a directory");
    let name = "warranty".parse().expect("a name");
    let files = render(
        dir.path(),
        &name,
        Template::Warranty,
        &Sdk::Version("0.1".into()),
    );
    for (path, text) in files.expect("rendered") {
        let example = WARRANTY.iter().find(|it| it.path == path);
        if let Some(example) = example.filter(|_| path.ends_with(".rs")) {
            assert_eq!(text, example.text, "{path}");
        }
    }
}
