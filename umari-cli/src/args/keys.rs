//! The command line of data keys.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{ServerArgs, help};

/// `umari keys`.
#[derive(Debug, Args)]
pub(crate) struct KeysArgs {
    #[command(subcommand)]
    pub(crate) action: KeysAction,
}

/// What to do with keys.
#[derive(Debug, Subcommand)]
pub(crate) enum KeysAction {
    /// List the encryption scopes, with their data keys and when they were shredded
    #[command(after_help = help::KEYS_LIST)]
    List {
        /// Only scopes that begin with this, such as `shop_id:`
        #[arg(long, default_value = "", hide_default_value = true)]
        prefix: String,
        /// Print JSON
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        server: ServerArgs,
    },
    /// Make everything that a scope's events say unreadable, for good
    #[command(after_help = help::KEYS_SHRED)]
    Shred {
        /// The name and value of a domain id, such as `shop_id:42`
        #[arg(value_name = "NAME:VALUE")]
        scope: String,
        /// Record a scope that never had a data key as shredded, instead of failing
        #[arg(long)]
        allow_unknown: bool,
        /// Replay the projectors that have read the scope, and wait until that is done
        #[arg(long)]
        replay: bool,
        #[command(flatten)]
        why: WhyArgs,
        #[command(flatten)]
        server: ServerArgs,
    },
    /// Wrap all data keys with a new master key
    #[command(after_help = help::KEYS_ROTATE)]
    Rotate {
        /// The data directory of a host that is stopped, in place of a server
        #[arg(long, value_name = "DIR")]
        data_dir: Option<PathBuf>,
        /// Read the new master key from stdin: 64 hexadecimal digits
        #[arg(long, requires = "data_dir")]
        stdin: bool,
        #[command(flatten)]
        why: WhyArgs,
        #[command(flatten)]
        server: ServerArgs,
    },
    /// Show the record of what was done to keys, by whom and why
    #[command(after_help = help::KEYS_AUDIT)]
    Audit {
        /// Print JSON
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        server: ServerArgs,
    },
}

/// What the record says, and whether to ask first.
#[derive(Debug, Args)]
pub(crate) struct WhyArgs {
    /// Why, for the record
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Option<String>,
    /// Who asks for it, for the record
    #[arg(long, value_name = "NAME", env = "USER", hide_env_values = true)]
    pub(crate) requested_by: Option<String>,
    /// Do not ask for confirmation
    #[arg(short, long)]
    pub(crate) yes: bool,
    /// Print the entry of the record as JSON
    #[arg(long)]
    pub(crate) json: bool,
}
