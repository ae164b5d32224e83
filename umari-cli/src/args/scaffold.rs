//! What makes a workspace, and what grows it.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// `umari init`.
#[derive(Debug, Args)]
pub(crate) struct InitArgs {
    /// The application's name, e.g. corner-shop: its directory, and its shared library
    pub(crate) name: String,
    /// What to begin with
    #[arg(long, value_enum, default_value_t = Template::Minimal)]
    pub(crate) template: Template,
    /// Where the SDK comes from [default: the sources of this binary, or their repository]
    #[arg(long, value_name = "PATH|GIT_URL|VERSION")]
    pub(crate) sdk: Option<String>,
    /// Print a JSON document on stdout instead of text
    #[arg(long)]
    pub(crate) json: bool,
}

/// What `umari init` begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Template {
    /// One event, one command and one projector
    Minimal,
    /// A whole application to learn from: the warranty shop
    Warranty,
}

impl Template {
    /// Its name on the command line.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Minimal => "minimal",
            Self::Warranty => "warranty",
        }
    }
}

/// `umari new`.
#[derive(Debug, Args)]
pub(crate) struct NewArgs {
    /// What to make
    #[arg(value_enum)]
    pub(crate) what: NewKind,
    /// Its name, e.g. finish-task for a command, or task-finished for an event
    pub(crate) name: String,
    /// A directory of the workspace
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub(crate) path: PathBuf,
    /// The shared library, where the workspace has several
    #[arg(long, value_name = "CRATE")]
    pub(crate) shared: Option<String>,
    /// The language that the module is written in
    #[arg(long, value_enum, default_value_t = Lang::Rust)]
    pub(crate) lang: Lang,
    /// Print a JSON document on stdout instead of text
    #[arg(long)]
    pub(crate) json: bool,
}

/// What `umari new` makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum NewKind {
    /// A module that decides, and emits events
    Command,
    /// A module that keeps a read model
    Projector,
    /// A module that acts on the outside world
    Effect,
    /// An event of the shared library
    Event,
}

/// What a module is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Lang {
    /// Rust
    Rust,
    /// JavaScript: not supported yet
    Js,
}
