//! What has to be done so that a server runs what was built. Decided without a server, so that
//! every case can be tested.

use std::collections::BTreeMap;

use cargo_metadata::semver::{BuildMetadata, Version};
use host_minimal::modules::ModuleSettings;

use crate::build::artifact::digest;
use crate::client::answers::{ModuleDetail, StoredVersion};

/// How many digits of a digest make a development version.
const DEV_DIGEST_CHARS: usize = 12;

/// How versions are treated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Policy {
    /// The version in Cargo.toml is the version on the server.
    Release {
        /// Whether the version shall run.
        activate: bool,
    },
    /// New content under an old version gets a version of its own.
    Dev,
}

impl Policy {
    /// Whether what is deployed shall run.
    pub(crate) fn activates(self) -> bool {
        !matches!(self, Self::Release { activate: false })
    }
}

/// What was built.
#[derive(Debug)]
pub(crate) struct Wanted<'a> {
    /// The version in its Cargo.toml.
    pub(crate) version: &'a Version,
    /// The digest of its content.
    pub(crate) sha256: &'a str,
    /// Its environment variables.
    pub(crate) env: &'a BTreeMap<String, String>,
    /// How it shall run.
    pub(crate) settings: &'a ModuleSettings,
}

/// What to do with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    /// Nothing: the server has it, and it runs or shall not.
    Keep { version: String },
    /// Let a stored version run.
    Activate { version: String },
    /// Store it under this version.
    Upload { version: String },
    /// The version is taken by other content.
    Conflict { version: String },
    /// The content is the same, but a server does not show the values of variables. Storing it
    /// once more under this version changes nothing and tells: it succeeds where they are the
    /// same.
    Ask {
        version: String,
        same: Box<Step>,
        differs: Box<Step>,
    },
}

impl Step {
    /// The version that it is about.
    pub(crate) fn version(&self) -> &str {
        match self {
            Self::Keep { version }
            | Self::Activate { version }
            | Self::Upload { version }
            | Self::Conflict { version }
            | Self::Ask { version, .. } => version,
        }
    }
}

/// Decides about one module.
pub(crate) fn plan(wanted: &Wanted<'_>, detail: &ModuleDetail, policy: Policy) -> Step {
    let version = wanted.version.to_string();
    let other = match policy {
        Policy::Release { .. } => Step::Conflict {
            version: version.clone(),
        },
        Policy::Dev => wanted.dev_step(detail),
    };
    let Some(stored) = detail
        .versions
        .iter()
        .find(|stored| stored.version == version)
    else {
        return Step::Upload { version };
    };
    if !wanted.may_be(stored) {
        return other;
    }
    let same = keep_or_activate(&version, detail, policy);
    if wanted.env.is_empty() {
        return same;
    }
    Step::Ask {
        version,
        same: Box::new(same),
        differs: Box::new(other),
    }
}

fn keep_or_activate(version: &str, detail: &ModuleDetail, policy: Policy) -> Step {
    let version = version.to_owned();
    if policy.activates() && detail.active.as_ref() != Some(&version) {
        Step::Activate { version }
    } else {
        Step::Keep { version }
    }
}

impl Wanted<'_> {
    /// Whether a stored version can be this content with these variables and settings, as far as
    /// is shown.
    fn may_be(&self, stored: &StoredVersion) -> bool {
        let same_names = stored.env.len() == self.env.len()
            && stored.env.iter().all(|it| self.env.contains_key(it));
        same_names
            && stored.settings == self.settings.to_json()
            && stored.sha256.eq_ignore_ascii_case(self.sha256)
    }

    /// What to do where the version in Cargo.toml is taken: a development version has content,
    /// variables and settings in its name, so a stored one of that name is the same.
    fn dev_step(&self, detail: &ModuleDetail) -> Step {
        let version = dev_version(self.version, &self.identity());
        if detail
            .versions
            .iter()
            .any(|stored| stored.version == version)
        {
            keep_or_activate(&version, detail, Policy::Dev)
        } else {
            Step::Upload { version }
        }
    }

    /// A digest over content, variables and settings; the content's own where there are none.
    fn identity(&self) -> String {
        let mut all = self.sha256.to_ascii_lowercase();
        if self.env.is_empty() && *self.settings == ModuleSettings::default() {
            return all;
        }
        for (key, value) in self.env {
            all.push_str(&format!("\0{key}={value}"));
        }
        // No variable begins so: its name would be empty.
        all.push_str(&format!("\0={}", self.settings.to_json()));
        digest(all.as_bytes())
    }
}

/// `1.0.0` as `1.0.0+dev.0123456789ab`.
fn dev_version(version: &Version, sha256: &str) -> String {
    let digits: String = sha256.chars().take(DEV_DIGEST_CHARS).collect();
    let build = if version.build.is_empty() {
        format!("dev.{digits}")
    } else {
        format!("{}.dev.{digits}", version.build)
    };
    let mut dev = version.clone();
    match BuildMetadata::new(&build) {
        Ok(build) => dev.build = build,
        // Letters, digits, dots and hyphens only, so this cannot happen; the version stays valid.
        Err(_) => dev.build = BuildMetadata::EMPTY,
    }
    dev.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const RELEASE: Policy = Policy::Release { activate: true };
    const STORE_ONLY: Policy = Policy::Release { activate: false };

    fn detail(active: Option<&str>, versions: &[(&str, &str)]) -> ModuleDetail {
        let stored = |(version, sha256): &(&str, &str)| StoredVersion {
            version: (*version).to_owned(),
            sha256: (*sha256).to_owned(),
            env: Vec::new(),
            settings: json!({}),
        };
        ModuleDetail {
            active: active.map(str::to_owned),
            versions: versions.iter().map(stored).collect(),
        }
    }

    fn decide(
        version: &str,
        sha256: &str,
        detail: &ModuleDetail,
        policy: Policy,
    ) -> (&'static str, String) {
        let version = Version::parse(version).expect("a version");
        match plan(
            &Wanted {
                version: &version,
                sha256,
                env: &BTreeMap::new(),
                settings: &ModuleSettings::default(),
            },
            detail,
            policy,
        ) {
            Step::Keep { version } => ("keep", version),
            Step::Activate { version } => ("activate", version),
            Step::Upload { version } => ("upload", version),
            Step::Conflict { version } => ("conflict", version),
            Step::Ask { version, .. } => ("ask", version),
        }
    }

    #[test]
    fn a_release_never_changes_a_stored_version() {
        let server = detail(Some("1.0.0"), &[("1.0.0", "aa"), ("1.0.1", "bb")]);
        assert_eq!(
            decide("1.0.0", "aa", &server, RELEASE),
            ("keep", "1.0.0".into())
        );
        assert_eq!(
            decide("1.0.0", "AA", &server, RELEASE),
            ("keep", "1.0.0".into())
        );
        assert_eq!(
            decide("1.0.1", "bb", &server, RELEASE),
            ("activate", "1.0.1".into())
        );
        assert_eq!(
            decide("1.0.1", "bb", &server, STORE_ONLY),
            ("keep", "1.0.1".into())
        );
        assert_eq!(
            decide("1.0.1", "cc", &server, RELEASE),
            ("conflict", "1.0.1".into())
        );
        assert_eq!(
            decide("1.0.2", "cc", &server, RELEASE),
            ("upload", "1.0.2".into())
        );
        assert_eq!(
            decide("1.0.2", "cc", &ModuleDetail::default(), RELEASE),
            ("upload", "1.0.2".into())
        );
    }

    #[test]
    fn development_finds_a_version_for_every_content() {
        const SHA: &str = "0123456789abcdef";
        let empty = ModuleDetail::default();
        assert_eq!(
            decide("1.0.0", SHA, &empty, Policy::Dev),
            ("upload", "1.0.0".into())
        );
        let old = detail(Some("1.0.0"), &[("1.0.0", "aa")]);
        assert_eq!(
            decide("1.0.0", "aa", &old, Policy::Dev),
            ("keep", "1.0.0".into())
        );
        assert_eq!(
            decide("1.0.0", SHA, &old, Policy::Dev),
            ("upload", "1.0.0+dev.0123456789ab".into())
        );
        let new = detail(
            Some("1.0.0+dev.0123456789ab"),
            &[("1.0.0", "aa"), ("1.0.0+dev.0123456789ab", SHA)],
        );
        assert_eq!(
            decide("1.0.0", SHA, &new, Policy::Dev),
            ("keep", "1.0.0+dev.0123456789ab".into())
        );
        // Back to what it was: the stored version runs again.
        assert_eq!(
            decide("1.0.0", "aa", &new, Policy::Dev),
            ("activate", "1.0.0".into())
        );
        // A raised version is a version of its own, even with content that the server has.
        assert_eq!(
            decide("1.0.1", SHA, &new, Policy::Dev),
            ("upload", "1.0.1".into())
        );
        // 1.0.0 is no version of 1.0.0-rc.1, nor the other way round.
        assert_eq!(
            decide("1.0.0-rc.1", "aa", &new, Policy::Dev),
            ("upload", "1.0.0-rc.1".into())
        );
        assert_eq!(
            decide(
                "1.0.0+win",
                SHA,
                &detail(None, &[("1.0.0+win", "aa")]),
                Policy::Dev
            )
            .1,
            "1.0.0+win.dev.0123456789ab"
        );
    }

    #[test]
    fn variables_whose_values_are_not_shown_are_asked_for() {
        let version = Version::new(1, 0, 0);
        let env = BTreeMap::from([("A".to_owned(), "2".to_owned())]);
        let wanted = Wanted {
            version: &version,
            sha256: "0123456789abcdef",
            env: &env,
            settings: &ModuleSettings::default(),
        };
        let stored = |version: &str, names: &[&str]| StoredVersion {
            version: version.to_owned(),
            sha256: "0123456789abcdef".to_owned(),
            env: names.iter().map(|name| (*name).to_owned()).collect(),
            settings: json!({}),
        };
        // Other names are known to be other variables.
        let mut server = ModuleDetail {
            active: Some("1.0.0".into()),
            versions: vec![stored("1.0.0", &["B"])],
        };
        assert_eq!(
            plan(&wanted, &server, RELEASE),
            Step::Conflict {
                version: "1.0.0".into()
            }
        );
        let Step::Upload { version: dev } = plan(&wanted, &server, Policy::Dev) else {
            panic!("an upload")
        };
        assert!(
            dev.starts_with("1.0.0+dev.") && dev != "1.0.0+dev.0123456789ab",
            "{dev}"
        );
        // The same names may have other values.
        server.versions = vec![stored("1.0.0", &["A"])];
        let ask = |same, differs| Step::Ask {
            version: "1.0.0".into(),
            same: Box::new(same),
            differs: Box::new(differs),
        };
        let keep = Step::Keep {
            version: "1.0.0".into(),
        };
        assert_eq!(
            plan(&wanted, &server, RELEASE),
            ask(
                keep.clone(),
                Step::Conflict {
                    version: "1.0.0".into()
                }
            )
        );
        assert_eq!(
            plan(&wanted, &server, Policy::Dev),
            ask(
                keep,
                Step::Upload {
                    version: dev.clone()
                }
            )
        );
    }

    #[test]
    fn a_development_version_is_named_by_its_variables_too() {
        let version = Version::new(1, 0, 0);
        let env = BTreeMap::from([("A".to_owned(), "2".to_owned())]);
        let wanted = Wanted {
            version: &version,
            sha256: "0123456789abcdef",
            env: &env,
            settings: &ModuleSettings::default(),
        };
        let dev = dev_version(&version, &wanted.identity());
        let stored = |version: &str, name: &str| StoredVersion {
            version: version.to_owned(),
            sha256: "0123456789abcdef".to_owned(),
            env: vec![name.to_owned()],
            settings: json!({}),
        };
        let mut server = ModuleDetail {
            active: Some("1.0.0".into()),
            versions: vec![stored("1.0.0", "B"), stored(&dev, "A")],
        };
        assert_eq!(
            plan(&wanted, &server, Policy::Dev),
            Step::Activate {
                version: dev.clone()
            }
        );
        server.active = Some(dev.clone());
        assert_eq!(
            plan(&wanted, &server, Policy::Dev),
            Step::Keep { version: dev }
        );
    }

    #[test]
    fn other_settings_are_other_content() {
        let version = Version::new(1, 0, 0);
        let settings = ModuleSettings::from_json(r#"{"start":"latest"}"#).expect("settings");
        let wanted = Wanted {
            version: &version,
            sha256: "0123456789abcdef",
            env: &BTreeMap::new(),
            settings: &settings,
        };
        let stored = |version: &str, settings: serde_json::Value| StoredVersion {
            version: version.to_owned(),
            sha256: "0123456789abcdef".to_owned(),
            env: Vec::new(),
            settings,
        };
        let server = |versions| ModuleDetail {
            active: Some("1.0.0".into()),
            versions,
        };
        let version = || "1.0.0".to_owned();
        let same = server(vec![stored("1.0.0", json!({ "start": "latest" }))]);
        assert_eq!(
            plan(&wanted, &same, RELEASE),
            Step::Keep { version: version() }
        );
        let other = server(vec![stored("1.0.0", json!({}))]);
        assert_eq!(
            plan(&wanted, &other, RELEASE),
            Step::Conflict { version: version() }
        );
        let Step::Upload { version: dev } = plan(&wanted, &other, Policy::Dev) else {
            panic!("an upload")
        };
        assert!(
            dev.starts_with("1.0.0+dev.") && dev != "1.0.0+dev.0123456789ab",
            "{dev}"
        );
    }
}
