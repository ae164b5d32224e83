//! The command line of modules on a server.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{EnvPair, Input, ServerArgs, help};

/// `umari modules`.
#[derive(Debug, Args)]
pub(crate) struct ModulesArgs {
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) server: ServerArgs,
}

/// `umari commands`.
#[derive(Debug, Args)]
pub(crate) struct CommandArgs {
    #[command(subcommand)]
    pub(crate) action: CommandAction,
}

/// What to do with commands.
#[derive(Debug, Subcommand)]
pub(crate) enum CommandAction {
    #[command(flatten)]
    Module(KindAction),
    /// Refused: a command keeps nothing that could be built anew
    #[command(hide = true)]
    Replay {
        /// The command's name
        name: String,
    },
}

/// What to do with modules of one kind.
#[derive(Debug, Subcommand)]
pub(crate) enum KindAction {
    /// Store a built module under a version
    #[command(after_help = help::UPLOAD)]
    Upload {
        /// The module's name
        name: String,
        /// Its version, e.g. 1.0.0
        version: cargo_metadata::semver::Version,
        /// The .wasm file
        file: PathBuf,
        /// An environment variable of the module
        #[arg(long = "env", value_name = "KEY=VALUE")]
        env: Vec<EnvPair>,
        /// How the module runs, as under `[package.metadata.umari]` but in JSON
        #[arg(long, value_name = "JSON|@FILE|-")]
        settings: Option<Input>,
        /// Activate the version as well
        #[arg(long)]
        activate: bool,
        #[command(flatten)]
        server: ServerArgs,
    },
    /// List the modules
    #[command(after_help = help::LIST)]
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        server: ServerArgs,
    },
    /// Show one module and its versions
    #[command(after_help = help::SHOW)]
    Show {
        /// The module's name
        name: String,
        /// Print JSON
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        server: ServerArgs,
    },
    /// List the names of the environment variables that a module gets
    #[command(after_help = help::ENV)]
    Env {
        /// The module's name
        name: String,
        /// The version; the active one where nothing is said
        version: Option<cargo_metadata::semver::Version>,
        /// Print JSON
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        server: ServerArgs,
    },
    /// Make a stored version the running one
    #[command(after_help = help::ACTIVATE)]
    Activate {
        /// The module's name
        name: String,
        /// The version
        version: cargo_metadata::semver::Version,
        #[command(flatten)]
        server: ServerArgs,
    },
    /// Stop a module; its versions and its data stay
    #[command(after_help = help::DEACTIVATE)]
    Deactivate {
        /// The module's name
        name: String,
        #[command(flatten)]
        server: ServerArgs,
    },
}
