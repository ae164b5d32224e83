//! Who may use a server.

use clap::{Args, Subcommand, ValueEnum};

use super::{ServerArgs, help};

/// `umari api-keys`.
#[derive(Debug, Args)]
pub(crate) struct ApiKeyArgs {
    #[command(subcommand)]
    pub(crate) action: ApiKeyAction,
}

/// What to do with API keys.
#[derive(Debug, Subcommand)]
pub(crate) enum ApiKeyAction {
    /// Make a key and print it; it is not shown again
    #[command(after_help = help::API_KEYS_CREATE)]
    Create {
        /// What people call the key, e.g. who holds it
        name: String,
        /// What the key may be used for; may be given several times
        #[arg(long = "scope", value_enum, required = true, value_name = "SCOPE")]
        scopes: Vec<ScopeArg>,
        /// Print the server's answer as JSON
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        server: ServerArgs,
    },
    /// List the keys, and when they were used last
    #[command(after_help = help::API_KEYS_LIST)]
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        server: ServerArgs,
    },
    /// Make a key invalid, at once and for good
    #[command(after_help = help::API_KEYS_REVOKE)]
    Revoke {
        /// The key's name or id
        #[arg(value_name = "NAME|ID")]
        key: String,
        #[command(flatten)]
        server: ServerArgs,
    },
}

/// What a key may be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ScopeArg {
    /// Execute commands
    Execute,
    /// Read events, read models, and how everything is doing
    Read,
    /// Store, activate, stop and replay modules
    Deploy,
    /// Everything, and alone what concerns keys
    Admin,
}

impl ScopeArg {
    /// The scope as the API writes it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Execute => "execute",
            Self::Read => "read",
            Self::Deploy => "deploy",
            Self::Admin => "admin",
        }
    }
}
