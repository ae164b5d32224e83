//! The environment in which cargo and rustc are called.
//!
//! Under `cargo run` this process has variables of the cargo that started it. They describe
//! another package, and handed on they would make a nested cargo rebuild things or take the wrong
//! toolchain.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Set by cargo for the programs it runs, and about their package only.
const LEAKED: &[&str] = &[
    "CARGO",
    "CARGO_BIN_NAME",
    "CARGO_CRATE_NAME",
    "CARGO_MAKEFLAGS",
    "CARGO_MANIFEST_DIR",
    "CARGO_MANIFEST_LINKS",
    "CARGO_MANIFEST_PATH",
    "CARGO_PRIMARY_PACKAGE",
    "MAKEFLAGS",
    "MFLAGS",
    "OUT_DIR",
    "RUST_RECURSION_COUNT",
];
/// As [`LEAKED`], by prefix.
const LEAKED_PREFIXES: &[&str] = &[
    "CARGO_PKG_",
    "CARGO_CFG_",
    "CARGO_FEATURE_",
    "CARGO_BIN_EXE_",
    "DEP_",
];

/// How to call the Rust tools in one directory.
#[derive(Debug, Clone)]
pub(crate) struct CargoEnv {
    dir: PathBuf,
    remove: Vec<OsString>,
    path: Option<OsString>,
}

impl CargoEnv {
    /// The tools as they should work in `dir`, whatever started this process.
    pub(crate) fn for_dir(dir: &Path) -> Self {
        let outer =
            std::env::var_os("CARGO_MANIFEST_DIR").filter(|_| std::env::var_os("CARGO").is_some());
        let names = std::env::vars_os().map(|(name, _)| name);
        Self {
            dir: dir.to_owned(),
            remove: removed(names, outer.as_deref().map(Path::new), dir),
            path: None,
        }
    }

    /// The same with another `PATH`.
    #[cfg(test)]
    pub(crate) fn with_path(mut self, path: impl Into<OsString>) -> Self {
        self.path = Some(path.into());
        self
    }

    /// A call of one of the tools, in the directory.
    pub(crate) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.dir);
        for name in &self.remove {
            command.env_remove(name);
        }
        if let Some(path) = &self.path {
            command.env("PATH", path);
        }
        command
    }

    /// A call of the compiler that cargo will use.
    pub(crate) fn rustc(&self) -> Command {
        self.command(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()))
    }
}

/// The variables that must not reach a tool that works in `dir`.
///
/// `outer` is the package that the surrounding cargo runs. Its `RUSTUP_TOOLCHAIN` stays when the
/// same toolchain file governs both directories, so that `cargo +nightly run` means what it says,
/// and goes when `dir` chooses its own.
fn removed(
    names: impl Iterator<Item = OsString>,
    outer: Option<&Path>,
    dir: &Path,
) -> Vec<OsString> {
    let other_toolchain = outer.is_some_and(|outer| toolchain_file(outer) != toolchain_file(dir));
    names
        .filter(|name| {
            let Some(name) = name.to_str() else {
                return false;
            };
            (name == "RUSTUP_TOOLCHAIN" && other_toolchain)
                || (outer.is_some() && LEAKED.contains(&name))
                || (outer.is_some()
                    && LEAKED_PREFIXES
                        .iter()
                        .any(|prefix| name.starts_with(prefix)))
        })
        .collect()
}

/// The file by which rustup chooses a toolchain in `dir`.
fn toolchain_file(dir: &Path) -> Option<PathBuf> {
    let dir = dir.canonicalize().unwrap_or_else(|_| dir.to_owned());
    let names = ["rust-toolchain", "rust-toolchain.toml"];
    dir.ancestors().find_map(|dir| {
        names
            .iter()
            .map(|name| dir.join(name))
            .find(|file| file.is_file())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const OUTER: &[&str] = &[
        "CARGO",
        "CARGO_HOME",
        "CARGO_MANIFEST_DIR",
        "CARGO_PKG_NAME",
        "CARGO_TARGET_DIR",
        "PATH",
        "RUSTUP_TOOLCHAIN",
    ];

    fn names_removed(outer: Option<&Path>, dir: &Path) -> Vec<String> {
        let names = OUTER.iter().map(OsString::from);
        removed(names, outer, dir)
            .into_iter()
            .map(|name| name.into_string().expect("utf-8"))
            .collect()
    }

    #[test]
    fn without_an_outer_cargo_everything_stays() {
        let dir = tempfile::tempdir().expect("a directory");
        assert!(names_removed(None, dir.path()).is_empty());
    }

    #[test]
    fn what_the_outer_cargo_says_about_its_package_goes() {
        let dir = tempfile::tempdir().expect("a directory");
        std::fs::write(dir.path().join("rust-toolchain.toml"), "").expect("written");
        let (cli, example) = (dir.path().join("cli"), dir.path().join("examples"));
        std::fs::create_dir_all(&cli).expect("created");
        std::fs::create_dir_all(&example).expect("created");
        assert_eq!(
            names_removed(Some(&cli), &example),
            ["CARGO", "CARGO_MANIFEST_DIR", "CARGO_PKG_NAME"]
        );
    }

    #[test]
    fn the_toolchain_goes_where_another_file_chooses_it() {
        let dir = tempfile::tempdir().expect("a directory");
        let (cli, shop) = (dir.path().join("cli"), dir.path().join("shop"));
        std::fs::create_dir_all(&cli).expect("created");
        std::fs::create_dir_all(&shop).expect("created");
        std::fs::write(shop.join("rust-toolchain"), "").expect("written");
        assert!(names_removed(Some(&cli), &shop).contains(&"RUSTUP_TOOLCHAIN".to_owned()));
    }
}
