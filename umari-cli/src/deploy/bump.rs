//! Raising a version in a Cargo.toml.

use std::path::Path;

use cargo_metadata::semver::{BuildMetadata, Prerelease, Version};
use toml_edit::{DocumentMut, value};

use crate::output::fault::Fault;

/// The next patch version that the server does not have.
pub(super) fn next_patch(version: &Version, taken: &[&str]) -> Version {
    let mut next = version.clone();
    next.build = BuildMetadata::EMPTY;
    // 1.0.0-rc.1 comes before 1.0.0, so that is the next one.
    if next.pre.is_empty() {
        next.patch += 1;
    }
    next.pre = Prerelease::EMPTY;
    while taken.contains(&next.to_string().as_str()) {
        next.patch += 1;
    }
    next
}

/// Writes the version into a manifest and leaves everything else as it stands.
pub(super) fn write_version(manifest: &Path, version: &Version) -> Result<(), Fault> {
    let fault = |why: String| {
        Fault::new(format!(
            "the version in {} cannot be raised",
            manifest.display()
        ))
        .why(why)
    };
    let text = std::fs::read_to_string(manifest).map_err(|error| fault(error.to_string()))?;
    let mut document: DocumentMut = text
        .parse()
        .map_err(|error: toml_edit::TomlError| fault(error.to_string()))?;
    let current = document
        .get_mut("package")
        .and_then(|package| package.get_mut("version"));
    let Some(current) = current.filter(|current| current.is_str()) else {
        return Err(
            fault("it has no version of its own, but inherits the workspace's".to_owned())
                .help("raise the version in the workspace's Cargo.toml, or give the crate its own"),
        );
    };
    let decor = current.as_value().map(|value| value.decor().clone());
    *current = value(version.to_string());
    if let (Some(decor), Some(current)) = (decor, current.as_value_mut()) {
        *current.decor_mut() = decor;
    }
    std::fs::write(manifest, document.to_string()).map_err(|error| fault(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;

    #[test]
    fn the_next_patch_is_one_that_is_free() {
        let next = |version: &str, taken: &[&str]| {
            next_patch(&Version::parse(version).expect("a version"), taken).to_string()
        };
        assert_eq!(next("1.0.0", &["1.0.0"]), "1.0.1");
        assert_eq!(next("1.0.0", &["1.0.0", "1.0.1", "1.0.2"]), "1.0.3");
        assert_eq!(next("1.0.0-rc.1", &["1.0.0-rc.1"]), "1.0.0");
        assert_eq!(next("1.0.0+a", &["1.0.0+a"]), "1.0.1");
    }

    #[test]
    fn only_the_version_changes() {
        let dir = tempfile::tempdir().expect("a directory");
        let manifest = dir.path().join("Cargo.toml");
        let text = "# a shop\n[package]\nname    = \"x\"\nversion = \"1.0.0\"   # ours\n\n[lib]\ncrate-type = [\"cdylib\"]\n";
        std::fs::write(&manifest, text).expect("written");
        write_version(&manifest, &Version::new(1, 0, 1)).expect("raised");
        expect![[r#"
            # a shop
            [package]
            name    = "x"
            version = "1.0.1"   # ours

            [lib]
            crate-type = ["cdylib"]
        "#]]
        .assert_eq(&std::fs::read_to_string(&manifest).expect("read"));
    }

    #[test]
    fn an_inherited_version_is_left_to_its_owner() {
        let dir = tempfile::tempdir().expect("a directory");
        let manifest = dir.path().join("Cargo.toml");
        std::fs::write(
            &manifest,
            "[package]\nname = \"x\"\nversion.workspace = true\n",
        )
        .expect("written");
        let fault = write_version(&manifest, &Version::new(1, 0, 1)).unwrap_err();
        assert!(
            fault.render().contains("inherits the workspace's"),
            "{}",
            fault.render()
        );
    }
}
