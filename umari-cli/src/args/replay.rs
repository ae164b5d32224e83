//! The command line of replays.

use std::path::PathBuf;

use clap::Args;

use super::ServerArgs;

/// `umari projectors replay`.
#[derive(Debug, Args)]
pub(crate) struct ReplayArgs {
    /// The projector's name
    pub(crate) name: String,
    /// Show progress until the replay has ended; it goes on when this command is stopped
    #[arg(long)]
    pub(crate) follow: bool,
    /// Begin nothing: show the replay that runs, or how the last one ended
    #[arg(long, conflicts_with = "until")]
    pub(crate) status: bool,
    /// Give up the replay that runs; the read model stays as it is
    #[arg(long, conflicts_with_all = ["status", "follow", "until"])]
    pub(crate) cancel: bool,
    /// Leave the read model alone, and write what it was at a position or a time to a file; a time
    /// stands for the last event that was written up to it
    #[arg(long, value_name = "POSITION|TIME", requires = "into")]
    pub(crate) until: Option<String>,
    /// The SQLite file to write
    #[arg(long, value_name = "FILE", requires = "until")]
    pub(crate) into: Option<PathBuf>,
    /// Write over the file where it exists
    #[arg(long, requires = "into")]
    pub(crate) force: bool,
    /// Print the server's answer as JSON; with --follow, one document for each look
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) server: ServerArgs,
}

/// `umari effects replay`.
#[derive(Debug, Args)]
pub(crate) struct ReplayEffectArgs {
    /// The effect's name
    pub(crate) name: String,
    /// Print the server's answer as JSON
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) server: ServerArgs,
}
