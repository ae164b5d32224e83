//! The release profile of modules: small, unless the workspace says otherwise.
//!
//! The settings reach cargo as `CARGO_PROFILE_RELEASE_*`, which would go before the workspace's
//! own, so each is set only where neither the workspace's Cargo.toml, its .cargo/config.toml nor
//! the environment has an opinion. `strip = "debuginfo"` is cargo's default and not an opinion;
//! `strip = false` or `"none"` is.

use std::path::Path;

use toml_edit::DocumentMut;

/// How modules are built.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Profile {
    /// With cargo's profile for development.
    Debug,
    /// Small, but each crate by itself: an edit is swapped in sooner than across crates.
    #[default]
    Quick,
    /// As small as they get, to be deployed.
    Small,
}

/// Optimisation across crates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lto {
    /// Of all crates at once.
    Fat,
    /// Crate by crate, with what the others have.
    Thin,
}

impl Lto {
    /// Its name in a profile and on the compiler's command line.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Fat => "fat",
            Self::Thin => "thin",
        }
    }
}

/// What a release build is told, and what the profile then says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Release {
    /// The variables to set.
    pub(crate) variables: Vec<(&'static str, &'static str)>,
    /// The LTO of the modules.
    pub(crate) lto: Option<Lto>,
    /// Whether names are taken out.
    pub(crate) strip: bool,
}

/// Key in the profile, variable, value.
type Setting = (&'static str, &'static str, &'static str);

const SMALL: &[Setting] = &[
    ("opt-level", "CARGO_PROFILE_RELEASE_OPT_LEVEL", "z"),
    ("codegen-units", "CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "1"),
    STRIP,
];
const STRIP: Setting = ("strip", "CARGO_PROFILE_RELEASE_STRIP", "symbols");
const LTO: Setting = ("lto", "CARGO_PROFILE_RELEASE_LTO", "fat");

impl Release {
    /// The settings of a release build in `workspace_root`.
    pub(crate) fn of(workspace_root: &Path) -> Self {
        // What cargo gives precedence comes first.
        let files = [".cargo/config.toml", ".cargo/config", "Cargo.toml"];
        let documents: Vec<DocumentMut> = files
            .iter()
            .filter_map(|file| std::fs::read_to_string(workspace_root.join(file)).ok())
            .filter_map(|text| text.parse().ok())
            .collect();
        Self::chosen(&documents, |name| {
            std::env::var_os(name).map(|value| value.to_string_lossy().into_owned())
        })
    }

    fn chosen(documents: &[DocumentMut], variable: impl Fn(&str) -> Option<String>) -> Self {
        let opinion = |(key, name, _): Setting| {
            variable(name).or_else(|| documents.iter().find_map(|it| opinion(it, key)))
        };
        let mut variables = Vec::new();
        for &(key, name, value) in SMALL.iter().chain([&LTO]) {
            if opinion((key, name, value)).is_none() {
                variables.push((name, value));
            }
        }
        let lto = match opinion(LTO).as_deref().unwrap_or(LTO.2) {
            "true" | "fat" => Some(Lto::Fat),
            "thin" => Some(Lto::Thin),
            _ => None,
        };
        let strip = opinion(STRIP).unwrap_or_else(|| STRIP.2.to_owned());
        Self {
            variables,
            lto,
            strip: ["true", "symbols"].contains(&strip.as_str()),
        }
    }

    /// The variables for a build without LTO of ours.
    pub(crate) fn quick(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        let quick = |(name, _): &(&'static str, &'static str)| *name != LTO.1;
        self.variables.iter().copied().filter(quick)
    }
}

/// What a file says about a key of the release profile.
fn opinion(document: &DocumentMut, key: &str) -> Option<String> {
    let value = document.get("profile")?.get("release")?.get(key)?;
    match value.as_str() {
        Some("debuginfo") if key == "strip" => None,
        Some(text) => Some(text.to_owned()),
        None => Some(
            value
                .as_value()
                .map(|value| value.to_string().trim().to_owned())
                .unwrap_or_default(),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(toml: &str, set: &[(&str, &str)]) -> Release {
        let document = toml.parse::<DocumentMut>().expect("toml");
        Release::chosen(&[document], |name| {
            let set = set.iter().find(|(set, _)| *set == name);
            set.map(|(_, value)| (*value).to_owned())
        })
    }

    fn variables(release: &Release) -> Vec<&'static str> {
        release.variables.iter().map(|(name, _)| *name).collect()
    }

    #[test]
    fn a_workspace_without_a_profile_builds_small() {
        let all = [
            "CARGO_PROFILE_RELEASE_OPT_LEVEL",
            "CARGO_PROFILE_RELEASE_CODEGEN_UNITS",
            "CARGO_PROFILE_RELEASE_STRIP",
            "CARGO_PROFILE_RELEASE_LTO",
        ];
        let debuginfo = "[profile.release]\ndebug = false\nstrip = \"debuginfo\"";
        for toml in ["[workspace]", debuginfo] {
            let release = chosen(toml, &[]);
            assert_eq!(variables(&release), all);
            assert_eq!((release.lto, release.strip), (Some(Lto::Fat), true));
            let quick: Vec<&str> = release.quick().map(|(name, _)| name).collect();
            assert_eq!(quick, all[..3]);
        }
    }

    #[test]
    fn each_setting_of_the_workspace_stands() {
        let release = chosen(
            "[profile.release]\nopt-level = 3\nstrip = false\nlto = \"thin\"",
            &[],
        );
        assert_eq!(variables(&release), ["CARGO_PROFILE_RELEASE_CODEGEN_UNITS"]);
        assert_eq!((release.lto, release.strip), (Some(Lto::Thin), false));
        let release = chosen(
            "[profile.dev]\nopt-level = 3\n[profile.release]\nlto = true",
            &[
                ("CARGO_PROFILE_RELEASE_STRIP", "none"),
                ("CARGO_PROFILE_RELEASE_LTO", "off"),
            ],
        );
        assert_eq!(
            variables(&release),
            [
                "CARGO_PROFILE_RELEASE_OPT_LEVEL",
                "CARGO_PROFILE_RELEASE_CODEGEN_UNITS"
            ]
        );
        assert_eq!((release.lto, release.strip), (None, false));
    }
}
