//! Where the SDK of a new workspace comes from.

use std::fmt;
use std::path::{Path, PathBuf};

use cargo_metadata::semver::VersionReq;
use serde_json::json;
use toml_edit::{InlineTable, Value};

use super::error::ScaffoldError;

/// The crates of the SDK that a workspace depends on.
pub(super) const CRATES: [&str; 2] = ["umari", "umari-testing"];

/// A source of the SDK's crates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Sdk {
    /// A checkout of the repository.
    Path(PathBuf),
    /// The repository.
    Git(String),
    /// A version in the registry, for those who know that the name is the SDK's there.
    Version(String),
}

impl Sdk {
    /// What `--sdk` says, or the default.
    pub(super) fn from_option(given: Option<&str>) -> Result<Self, ScaffoldError> {
        match given {
            Some(given) => Self::parse(given),
            None => Ok(Self::of_this_build(Path::new(env!("CARGO_MANIFEST_DIR")))),
        }
    }

    /// The sources that this binary was built from, or their repository where they are gone. Never
    /// a version: a registry may have the name for something else.
    fn of_this_build(manifest_dir: &Path) -> Self {
        match manifest_dir.parent().filter(|root| is_checkout(root)) {
            Some(root) => Self::Path(root.to_owned()),
            None => Self::Git(env!("CARGO_PKG_REPOSITORY").to_owned()),
        }
    }

    fn parse(given: &str) -> Result<Self, ScaffoldError> {
        let wrong = |why: &str| ScaffoldError::Sdk {
            given: given.to_owned(),
            why: why.to_owned(),
        };
        if given.trim().is_empty() {
            return Err(wrong("it names nothing"));
        }
        if given.contains("://") || given.starts_with("git@") {
            return Ok(Self::Git(given.to_owned()));
        }
        let versioned = given.starts_with(|c: char| c.is_ascii_digit() || "=^~<>*".contains(c));
        if versioned && VersionReq::parse(given).is_ok() {
            return Ok(Self::Version(given.to_owned()));
        }
        let path = Path::new(given)
            .canonicalize()
            .map_err(|error| wrong(&format!("as a path: {error}")))?;
        // The crate itself will do as well as the checkout around it.
        [Some(path.as_path()), path.parent()]
            .into_iter()
            .flatten()
            .find(|root| is_checkout(root))
            .map(|root| Self::Path(root.to_owned()))
            .ok_or_else(|| wrong("the directory holds no `umari` and `umari-testing`"))
    }

    /// The value for one of the crates in `[workspace.dependencies]`.
    pub(super) fn row(&self, package: &str) -> Value {
        let mut table = InlineTable::new();
        match self {
            Self::Path(root) => {
                let path = root.join(package);
                table.insert("path", path.display().to_string().into());
            }
            Self::Git(url) => {
                table.insert("git", url.as_str().into());
            }
            Self::Version(version) => return version.as_str().into(),
        }
        Value::InlineTable(table)
    }

    /// What `--json` says about it.
    pub(super) fn document(&self) -> serde_json::Value {
        match self {
            Self::Path(root) => json!({ "path": root }),
            Self::Git(url) => json!({ "git": url }),
            Self::Version(version) => json!({ "version": version }),
        }
    }
}

impl fmt::Display for Sdk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(root) => write!(f, "SDK from {}", root.display()),
            Self::Git(url) => write!(f, "SDK from {url}"),
            Self::Version(version) => write!(f, "SDK version {version}"),
        }
    }
}

fn is_checkout(root: &Path) -> bool {
    CRATES
        .iter()
        .all(|package| root.join(package).join("Cargo.toml").is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_is_told_by_its_form() {
        let parsed = |given: &str| Sdk::parse(given).expect(given);
        assert_eq!(
            parsed("https://git.example/umari"),
            Sdk::Git("https://git.example/umari".into())
        );
        assert_eq!(
            parsed("git@git.example:umari"),
            Sdk::Git("git@git.example:umari".into())
        );
        assert_eq!(parsed("0.1"), Sdk::Version("0.1".into()));
        assert_eq!(parsed("=0.1.0"), Sdk::Version("=0.1.0".into()));
        let root = Path::new(env!("CARGO_MANIFEST_DIR"))
            .parent()
            .expect("a root");
        let root = root.canonicalize().expect("a place");
        for path in [root.clone(), root.join("umari")] {
            let path = path.to_str().expect("text");
            assert_eq!(parsed(path), Sdk::Path(root.clone()));
        }
    }

    #[test]
    fn what_is_no_source_is_refused() {
        let empty = tempfile::tempdir().expect("a directory");
        let empty = empty.path().to_str().expect("text");
        for given in ["", " ", "no/such/place", "0.x.y", empty] {
            let error = Sdk::parse(given).expect_err(given);
            assert!(matches!(error, ScaffoldError::Sdk { .. }), "{error}");
        }
    }

    #[test]
    fn without_a_checkout_the_repository_is_taken_and_never_a_version() {
        let gone = Path::new("/nowhere/umari-cli");
        assert_eq!(
            Sdk::of_this_build(gone),
            Sdk::Git("https://github.com/umari-rs/umari".into())
        );
        let here = Sdk::of_this_build(Path::new(env!("CARGO_MANIFEST_DIR")));
        assert!(matches!(here, Sdk::Path(_)), "{here}");
    }

    #[test]
    fn a_row_names_the_crate() {
        let row = |sdk: &Sdk| sdk.row("umari-testing").to_string();
        assert_eq!(
            row(&Sdk::Path("/sdk".into())),
            r#"{ path = "/sdk/umari-testing" }"#
        );
        assert_eq!(
            row(&Sdk::Git("https://g".into())),
            r#"{ git = "https://g" }"#
        );
        assert_eq!(row(&Sdk::Version("0.1".into())), r#""0.1""#);
    }
}
