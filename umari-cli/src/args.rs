//! The command line, as clap reads it.

mod api_keys;
mod help;
mod keys;
mod modules;
mod operating;
mod reading;
mod replay;
mod scaffold;
mod subscriptions;
mod values;

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{BoolishValueParser, styling::Styles};
use clap::{Args, CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

pub(crate) use api_keys::{ApiKeyAction, ApiKeyArgs, ScopeArg};
pub(crate) use keys::{KeysAction, KeysArgs, WhyArgs};
pub(crate) use modules::{CommandAction, CommandArgs, KindAction, ModulesArgs};
pub(crate) use operating::{BackupArgs, BackupKeys, DoctorArgs, ManArgs, RestoreArgs};
pub(crate) use reading::{
    EventsAction, EventsArgs, FilterArgs, ListArgs, ProjectorAction, ProjectorArgs, QueryArgs,
};
pub(crate) use replay::{ReplayArgs, ReplayEffectArgs};
pub(crate) use scaffold::{InitArgs, Lang, NewArgs, NewKind, Template};
pub(crate) use subscriptions::{
    EffectAction, EffectArgs, ParkedArgs, SubscriptionAction, SubscriptionArgs,
};
pub(crate) use values::{EnvPair, Input, Param};

use crate::output;

/// The address that the API listens on where nothing else is said.
pub(crate) const DEFAULT_ADDR: &str = "127.0.0.1:3000";
/// The data directory of `umari serve` where nothing else is said.
pub(crate) const DEFAULT_DATA_DIR: &str = "./umari-data";
/// The data directory of `umari dev` where nothing else is said, under the path that it is given.
pub(crate) const DEV_DATA_DIR: &str = ".umari";
/// The server that commands talk to where nothing else is said.
pub(crate) const DEFAULT_URL: &str = "http://localhost:3000";

const STYLES: Styles = Styles::styled()
    .header(output::STRONG)
    .usage(output::STRONG)
    .literal(output::BUSY)
    .error(output::BAD);

/// Build, run, deploy and operate event-sourced modules.
#[derive(Debug, Parser)]
#[command(name = "umari", version, styles = STYLES, after_help = help::TOP, max_term_width = 100)]
#[command(
    arg_required_else_help = true,
    subcommand_required = true,
    disable_help_subcommand = true
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
    /// Print results, warnings and errors only
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
    /// Print each call of cargo and of a server; `serve` and `dev` log everything
    #[arg(short, long, global = true, env = "UMARI_VERBOSE", value_parser = BoolishValueParser::new())]
    pub(crate) verbose: bool,
}

impl Cli {
    /// Reads the command line of this process. One that is wrong ends it, as `--help` does.
    pub(crate) fn read() -> Self {
        Self::from_arg_matches(&command_line().get_matches()).unwrap_or_else(|error| error.exit())
    }
}

/// The command line as a whole, in which each command says with which codes it ends.
pub(crate) fn command_line() -> clap::Command {
    let mut cli = Cli::command();
    say_exit_codes(&mut cli, "");
    cli
}

fn say_exit_codes(parent: &mut clap::Command, family: &str) {
    for command in parent.get_subcommands_mut() {
        let name = command.get_name().to_owned();
        let family = if family.is_empty() { &name } else { family };
        say_exit_codes(command, family);
        let notes = command.get_after_help().map(ToString::to_string);
        let notes = notes.unwrap_or_default();
        let notes = format!("{notes}\n\n{}", help::exit_codes(family));
        *command = std::mem::take(command).after_help(notes.trim_start().to_owned());
    }
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Begin a workspace that builds, passes its tests and runs
    #[command(after_help = help::INIT)]
    Init(InitArgs),
    /// Add a module or an event to a workspace
    #[command(after_help = help::NEW)]
    New(NewArgs),
    /// Build the modules under a path, run them on a host of their own, and swap what changes
    #[command(after_help = help::DEV)]
    Dev(DevArgs),
    /// Build modules to WASM components
    #[command(after_help = help::BUILD)]
    Build(BuildArgs),
    /// Build modules and run their tests, natively and on the components
    #[command(after_help = help::TEST)]
    Test(TestArgs),
    /// Build modules, upload them to a server and activate them
    #[command(after_help = help::DEPLOY)]
    Deploy(DeployArgs),
    /// Run the host and its HTTP API
    #[command(after_help = help::SERVE)]
    Serve(ServeArgs),
    /// Execute a command on a server
    #[command(after_help = help::EXECUTE)]
    Execute(ExecuteArgs),
    /// List the active modules with their progress
    #[command(after_help = help::MODULES)]
    Modules(ModulesArgs),
    /// Read the event log, and follow it
    #[command(after_help = help::EVENTS)]
    Events(EventsArgs),
    /// Upload, list, show, activate and deactivate commands
    #[command(visible_alias = "command", after_help = help::COMMANDS)]
    Commands(CommandArgs),
    /// Upload, list, show, query, replay, activate, pause and deactivate projectors
    #[command(visible_alias = "projector", after_help = help::PROJECTORS)]
    Projectors(ProjectorArgs),
    /// Upload, list, show, replay, activate, pause and deactivate effects
    #[command(visible_alias = "effect", after_help = help::EFFECTS)]
    Effects(EffectArgs),
    /// Make, list and revoke keys to a server's API
    #[command(visible_alias = "api-key", after_help = help::API_KEYS)]
    ApiKeys(ApiKeyArgs),
    /// Write the event log to a file, whole or from where an earlier backup ends
    #[command(after_help = help::BACKUP)]
    Backup(BackupArgs),
    /// Make a data directory from backups
    #[command(after_help = help::RESTORE)]
    Restore(RestoreArgs),
    /// Look for what keeps this machine from building modules or running a host
    #[command(after_help = help::DOCTOR)]
    Doctor(DoctorArgs),
    /// List encryption scopes, shred them, and rotate the master key
    #[command(visible_alias = "key", after_help = help::KEYS)]
    Keys(KeysArgs),
    /// Print a completion script for a shell
    #[command(after_help = help::COMPLETIONS)]
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Print the manual page, or write those of all commands into a directory
    #[command(after_help = help::MAN)]
    Man(ManArgs),
    /// Run components for the tests of a process that holds stdin and stdout
    #[command(name = "__trial", hide = true)]
    Trial {
        /// Where compiled components are kept
        cache: PathBuf,
    },
    /// Run a program until stdin closes. `umari dev` starts its programs through this.
    #[command(name = "__guard", hide = true)]
    Guard {
        /// The program and its arguments
        #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
        command: Vec<OsString>,
    },
}

/// `umari dev`.
#[derive(Debug, Args)]
pub(crate) struct DevArgs {
    /// The directory whose module crates are built and run
    #[arg(default_value = ".")]
    pub(crate) path: PathBuf,
    /// Where events, read models and modules are kept [default: PATH/.umari]
    #[arg(long, env = "UMARI_DATA_DIR", value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,
    /// The address that the HTTP API listens on; port 0 takes any free one
    #[arg(long, env = "UMARI_API_ADDR", value_name = "ADDR", default_value = DEFAULT_ADDR)]
    pub(crate) addr: SocketAddr,
    /// Do not watch the sources: build, deploy and run
    #[arg(long)]
    pub(crate) no_watch: bool,
    /// Do not show the events that are written and what modules print
    #[arg(long)]
    pub(crate) no_tail: bool,
    /// Open the API in a browser when it answers ($BROWSER, or what the system opens it with)
    #[arg(long)]
    pub(crate) open: bool,
    /// Print one JSON document per line on stdout instead of text
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) host: HostArgs,
}

/// What `serve` and `dev` both take for the host.
#[derive(Debug, Args)]
pub(crate) struct HostArgs {
    /// The key that clients must send; without one the API listens on loopback only
    #[arg(
        long,
        env = "UMARI_API_KEY",
        hide_env_values = true,
        value_name = "KEY"
    )]
    pub(crate) api_key: Option<String>,
    /// What is logged to stderr, as a tracing-subscriber filter
    #[arg(long, env = "UMARI_LOG", value_name = "FILTER")]
    pub(crate) log: Option<String>,
    /// Refused: events are kept in the data directory
    #[arg(
        long,
        env = "UMARI_EVENT_STORE_URL",
        hide = true,
        hide_env_values = true,
        value_name = "URL"
    )]
    pub(crate) event_store_url: Option<String>,
    /// Go on with a log whose umari.sqlite is lost, without its modules, API keys and data keys
    #[arg(long)]
    pub(crate) new_metadata: bool,
    /// How long a stop may take before it is forced
    #[arg(long, env = "UMARI_SHUTDOWN_TIMEOUT", value_name = "TIME", default_value = "10s",
          value_parser = output::units::parse_duration)]
    pub(crate) shutdown_timeout: Duration,
}

/// `umari serve`.
#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    /// Where events, read models and modules are kept
    #[arg(
        long,
        env = "UMARI_DATA_DIR",
        value_name = "DIR",
        default_value = DEFAULT_DATA_DIR
    )]
    pub(crate) data_dir: PathBuf,
    /// The address that the HTTP API listens on; port 0 takes any free one
    #[arg(long, env = "UMARI_API_ADDR", value_name = "ADDR", default_value = DEFAULT_ADDR)]
    pub(crate) addr: SocketAddr,
    /// A private address that effects may call; public ones they may call anyway
    #[arg(
        long,
        env = "UMARI_ALLOW_HTTP",
        value_name = "HOST:PORT",
        value_delimiter = ','
    )]
    pub(crate) allow_http: Vec<String>,
    /// Do not print the banner
    #[arg(long, env = "UMARI_NO_BANNER", value_parser = BoolishValueParser::new())]
    pub(crate) no_banner: bool,
    #[command(flatten)]
    pub(crate) host: HostArgs,
}

/// What `build` and `deploy` both take.
#[derive(Debug, Args)]
pub(crate) struct BuildArgs {
    /// Crates, or directories that hold them
    #[arg(default_value = ".")]
    pub(crate) paths: Vec<PathBuf>,
    /// Build with the debug profile: faster to build, about ten times larger
    #[arg(long)]
    pub(crate) debug: bool,
    /// How many jobs cargo may run at once
    #[arg(short, long, value_name = "N")]
    pub(crate) jobs: Option<u32>,
    /// Print one JSON document per line on stdout instead of text
    #[arg(long)]
    pub(crate) json: bool,
}

/// `umari test`.
#[derive(Debug, Args)]
pub(crate) struct TestArgs {
    /// Crates, or directories that hold them
    #[arg(default_value = ".")]
    pub(crate) paths: Vec<PathBuf>,
    /// How many jobs cargo may run at once
    #[arg(short, long, value_name = "N")]
    pub(crate) jobs: Option<u32>,
    /// What `cargo test` gets as well: the name of a test, its options, or after another `--` those of
    /// the tests themselves
    #[arg(last = true, value_name = "ARGS")]
    pub(crate) args: Vec<OsString>,
}

/// Which server to talk to.
#[derive(Debug, Args)]
pub(crate) struct ServerArgs {
    /// The server
    #[arg(long, env = "UMARI_URL", default_value = DEFAULT_URL)]
    pub(crate) url: String,
    /// The key that the server asks for
    #[arg(
        long,
        env = "UMARI_API_KEY",
        hide_env_values = true,
        value_name = "KEY"
    )]
    pub(crate) api_key: Option<String>,
}

/// `umari deploy`.
#[derive(Debug, Args)]
pub(crate) struct DeployArgs {
    #[command(flatten)]
    pub(crate) build: BuildArgs,
    /// Upload, but leave the active versions as they are
    #[arg(long)]
    pub(crate) no_activate: bool,
    /// Show what would be done, and do nothing; modules are built all the same
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// How long to wait until what was activated is live, before it is rolled back
    #[arg(long, value_name = "TIME", default_value = "30s", conflicts_with = "no_activate",
          value_parser = output::units::parse_duration)]
    pub(crate) wait: Duration,
    /// Do not wait, and so do not roll back
    #[arg(long, conflicts_with_all = ["no_activate", "wait"])]
    pub(crate) no_wait: bool,
    /// Where the server has the version with other content, raise the patch version in Cargo.toml
    #[arg(long)]
    pub(crate) bump_patch: bool,
    /// An environment variable for every module deployed; goes before `[package.metadata.umari.env]`
    #[arg(long = "env", value_name = "KEY=VALUE")]
    pub(crate) env: Vec<EnvPair>,
    #[command(flatten)]
    pub(crate) server: ServerArgs,
}

/// `umari execute`.
#[derive(Debug, Args)]
pub(crate) struct ExecuteArgs {
    /// The command's name
    pub(crate) name: String,
    /// The input: JSON text, `@FILE`, or `-` for stdin
    #[arg(short, long, value_name = "JSON|@FILE|-")]
    pub(crate) input: Input,
    /// Makes the call safe to repeat: the same key commits once
    #[arg(long, value_name = "UUID")]
    pub(crate) idempotency_key: Option<uuid::Uuid>,
    /// Ties the events to an action that began elsewhere
    #[arg(long, value_name = "UUID")]
    pub(crate) correlation_id: Option<uuid::Uuid>,
    /// Answer when these projectors have what was written
    #[arg(long, value_name = "PROJECTOR", value_delimiter = ',')]
    pub(crate) wait_for: Vec<String>,
    /// How long to wait for them; what is committed stays committed [default: 5s]
    #[arg(long, value_name = "TIME", requires = "wait_for",
          value_parser = output::units::parse_duration)]
    pub(crate) timeout: Option<Duration>,
    /// Print the server's answer as JSON; a refusal is printed as its problem document
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) server: ServerArgs,
}

#[cfg(test)]
mod tests;
