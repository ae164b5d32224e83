//! What keeps a workspace from being made or grown, and what to do about it.

use std::path::PathBuf;

use crate::output::fault::Fault;

use super::name::InvalidName;

/// Nothing was made, and nothing is left of the attempt.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(super) enum ScaffoldError {
    /// The name cannot be used.
    #[error(transparent)]
    Name(#[from] InvalidName),
    /// The name is used by something that it would be confused with.
    #[error("the name `{name}` is taken")]
    Taken {
        /// The name.
        name: String,
        /// By what.
        by: String,
    },
    /// There is something where the workspace or module would be.
    #[error("{} is there already", path.display())]
    Exists {
        /// The place.
        path: PathBuf,
        /// What is there.
        what: &'static str,
    },
    /// `--sdk` names nothing that can be used.
    #[error("the SDK cannot be taken from `{given}`")]
    Sdk {
        /// What was said.
        given: String,
        /// What is wrong with it.
        why: String,
    },
    /// There is no Cargo.toml here.
    #[error("there is no workspace in {}", dir.display())]
    NoWorkspace {
        /// Where it was looked for.
        dir: PathBuf,
    },
    /// There is a package, but no workspace around it.
    #[error("{} has no [workspace]", manifest.display())]
    NotAWorkspace {
        /// The package's manifest.
        manifest: PathBuf,
    },
    /// No library that modules could share.
    #[error("the workspace in {} has no shared library", root.display())]
    NoShared {
        /// The workspace.
        root: PathBuf,
    },
    /// Several libraries could be meant.
    #[error("the workspace in {} has several shared libraries", root.display())]
    SeveralShared {
        /// The workspace.
        root: PathBuf,
        /// Their names.
        names: Vec<String>,
    },
    /// `--shared` names no library of the workspace.
    #[error("`{name}` is not a shared library of the workspace")]
    NotShared {
        /// What was said.
        name: String,
        /// What could have been said.
        names: Vec<String>,
    },
    /// A file that has to be edited is not as expected.
    #[error("{} cannot be edited", path.display())]
    Edit {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
        /// What to do.
        help: &'static str,
    },
    /// Reading or writing failed.
    #[error("cannot {verb} {}", path.display())]
    Io {
        /// What was tried.
        verb: &'static str,
        /// With which file or directory.
        path: PathBuf,
        /// Why it failed.
        #[source]
        source: std::io::Error,
    },
    /// Modules in other languages.
    #[error("modules in JavaScript cannot be made yet")]
    Language,
    /// Cargo does not read the workspace.
    #[error(transparent)]
    Cargo(Box<Fault>),
}

impl From<ScaffoldError> for Fault {
    fn from(error: ScaffoldError) -> Self {
        let what = error.to_string();
        match error {
            ScaffoldError::Name(error) => {
                Self::usage(what).why(error.why()).help(error.help())
            }
            ScaffoldError::Taken { by, .. } => Self::usage(what)
                .why(by)
                .help("choose another name"),
            ScaffoldError::Exists { what: is, .. } => Self::usage(what)
                .why(is)
                .help("choose another name, or move it away; nothing is ever overwritten"),
            ScaffoldError::Sdk { why, .. } => Self::usage(what).why(why).help(
                "name a checkout of the SDK's repository, a git URL, or a version in a registry",
            ),
            ScaffoldError::NoWorkspace { .. } => Self::new(what)
                .why("neither it nor a directory above has a Cargo.toml")
                .help("begin a workspace with `umari init NAME`, or say where one is with --path"),
            ScaffoldError::NotAWorkspace { .. } => Self::new(what)
                .why("a module is a crate of its own, which the workspace lists under `members`")
                .help("add the lines `[workspace]` and `resolver = \"3\"` to it, or begin a new workspace with `umari init NAME`"),
            ScaffoldError::NoShared { .. } => Self::new(what)
                .why("modules take their events from a library of the workspace that depends on `umari` and is no module itself")
                .help("add such a library to `members`: `cargo new --lib NAME`, then `cargo add umari serde` in it\nor begin a new workspace with `umari init NAME`"),
            ScaffoldError::SeveralShared { names, .. } => Self::usage(what)
                .why(names.join(", "))
                .help("say which with --shared, or go to its directory"),
            ScaffoldError::NotShared { names, .. } => Self::usage(what)
                .why(format!("there are: {}", names.join(", ")))
                .help("a shared library depends on `umari` and is no module itself"),
            ScaffoldError::Edit { why, help, .. } => Self::new(what).why(why).help(help),
            ScaffoldError::Io { source, .. } => Self::new(what).why(source.to_string()),
            ScaffoldError::Language => Self::usage(what)
                .why("the SDK is for Rust; the contract in wit/ is for any language that compiles to a component")
                .help("leave --lang out, or say --lang rust"),
            ScaffoldError::Cargo(fault) => *fault,
        }
    }
}
