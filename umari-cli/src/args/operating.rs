//! The command line of what keeps a machine and its data in order.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{DEFAULT_ADDR, DEFAULT_DATA_DIR, ServerArgs};

/// `umari doctor`.
#[derive(Debug, Args)]
pub(crate) struct DoctorArgs {
    /// The directory whose modules are to be built
    #[arg(default_value = ".")]
    pub(crate) path: PathBuf,
    /// The data directory to look at [default: PATH/.umari and ./umari-data, where they are]
    #[arg(long, env = "UMARI_DATA_DIR", value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,
    /// The address that a host is to listen on
    #[arg(long, env = "UMARI_API_ADDR", value_name = "ADDR", default_value = DEFAULT_ADDR)]
    pub(crate) addr: SocketAddr,
    /// A server to compare versions with, such as the one that modules are deployed to
    #[arg(long, env = "UMARI_URL")]
    pub(crate) url: Option<String>,
    /// The key that the server asks for
    #[arg(
        long,
        env = "UMARI_API_KEY",
        hide_env_values = true,
        value_name = "KEY"
    )]
    pub(crate) api_key: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// `umari backup`.
#[derive(Debug, Args)]
pub(crate) struct BackupArgs {
    /// Where to write the backup: a file that is not there yet, or `-` for stdout
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// Only what came after this backup, which the new one then goes on from
    #[arg(long, value_name = "FILE", conflicts_with_all = ["from", "verify"])]
    pub(crate) onto: Option<PathBuf>,
    /// Only what came behind this position
    #[arg(long, value_name = "POSITION", conflicts_with = "verify")]
    pub(crate) from: Option<u64>,
    /// Whether the data keys come along, wrapped by the master key
    #[arg(long, value_enum, default_value_t = BackupKeys::Wrapped, conflicts_with = "verify")]
    pub(crate) keys: BackupKeys,
    /// Check backups that are there, and that each goes on from the one before; write nothing
    #[arg(long)]
    pub(crate) verify: bool,
    /// Back up a data directory that no host uses, and not a server
    #[arg(long, value_name = "DIR", conflicts_with = "verify")]
    pub(crate) data_dir: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) server: ServerArgs,
}

/// What becomes of the data keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum BackupKeys {
    /// They are in the backup, wrapped by the master key, which is not
    Wrapped,
    /// They are left out: encrypted events can be read only where the keys are already
    None,
}

/// `umari restore`.
#[derive(Debug, Args)]
pub(crate) struct RestoreArgs {
    /// A backup, and those that go on from it, in their order
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// The directory: empty, or with a log that ends where the first file begins
    #[arg(
        long,
        env = "UMARI_DATA_DIR",
        value_name = "DIR",
        default_value = DEFAULT_DATA_DIR
    )]
    pub(crate) data_dir: PathBuf,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// `umari man`.
#[derive(Debug, Args)]
pub(crate) struct ManArgs {
    /// Where to write the page of every command; without it the main one is printed
    pub(crate) dir: Option<PathBuf>,
}
