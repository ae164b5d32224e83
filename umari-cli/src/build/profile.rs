//! The release profile of modules: small, unless the workspace says otherwise.
//!
//! The settings reach cargo as `CARGO_PROFILE_RELEASE_*`, which would go before the workspace's
//! own, so each is set only where neither the workspace's Cargo.toml, its .cargo/config.toml nor
//! the environment has an opinion. `strip = "debuginfo"` is cargo's default and not an opinion;
//! `strip = false` or `"none"` is. There is no LTO among them: cargo does not apply it to a
//! library that is a cdylib and an rlib at once, which every module is.

use std::path::Path;

use toml_edit::{DocumentMut, Item};

/// Key in the profile, variable, value.
const SMALL: &[(&str, &str, &str)] = &[
    ("opt-level", "CARGO_PROFILE_RELEASE_OPT_LEVEL", "s"),
    ("codegen-units", "CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "1"),
    ("strip", "CARGO_PROFILE_RELEASE_STRIP", "symbols"),
];

/// The variables to set for a release build in `workspace_root`.
pub(crate) fn release_variables(workspace_root: &Path) -> Vec<(&'static str, &'static str)> {
    let files = ["Cargo.toml", ".cargo/config.toml", ".cargo/config"];
    let documents: Vec<DocumentMut> = files
        .iter()
        .filter_map(|file| std::fs::read_to_string(workspace_root.join(file)).ok())
        .filter_map(|text| text.parse().ok())
        .collect();
    chosen(&documents, |name| std::env::var_os(name).is_some())
}

fn chosen(
    documents: &[DocumentMut],
    is_set: impl Fn(&str) -> bool,
) -> Vec<(&'static str, &'static str)> {
    let decided = |key: &str| documents.iter().any(|document| has_opinion(document, key));
    SMALL
        .iter()
        .filter(|(key, variable, _)| !is_set(variable) && !decided(key))
        .map(|(_, variable, value)| (*variable, *value))
        .collect()
}

fn has_opinion(document: &DocumentMut, key: &str) -> bool {
    let value = document
        .get("profile")
        .and_then(|profile| profile.get("release"))
        .and_then(|release| release.get(key));
    match value.map(Item::as_str) {
        None => false,
        Some(Some("debuginfo")) if key == "strip" => false,
        Some(_) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables(toml: &str, set: &[&str]) -> Vec<&'static str> {
        let document = toml.parse::<DocumentMut>().expect("toml");
        chosen(&[document], |name| set.contains(&name))
            .into_iter()
            .map(|(name, _)| name)
            .collect()
    }

    #[test]
    fn a_workspace_without_a_profile_builds_small() {
        let expected: Vec<&str> = SMALL.iter().map(|(_, variable, _)| *variable).collect();
        assert_eq!(variables("[workspace]", &[]), expected);
        assert_eq!(
            variables(
                "[profile.release]\ndebug = false\nstrip = \"debuginfo\"",
                &[]
            ),
            expected
        );
    }

    #[test]
    fn each_setting_of_the_workspace_stands() {
        let left = variables("[profile.release]\nopt-level = 3\nstrip = false", &[]);
        assert_eq!(left, ["CARGO_PROFILE_RELEASE_CODEGEN_UNITS"]);
        let left = variables(
            "[profile.dev]\nopt-level = 3",
            &["CARGO_PROFILE_RELEASE_STRIP"],
        );
        assert_eq!(
            left,
            [
                "CARGO_PROFILE_RELEASE_OPT_LEVEL",
                "CARGO_PROFILE_RELEASE_CODEGEN_UNITS"
            ]
        );
    }
}
