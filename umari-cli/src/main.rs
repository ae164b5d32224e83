//! The `umari` command.
//!
//! `args` reads the command line and `main` hands each command to its room: `scaffold` (new
//! workspaces and modules), `build` (crates to components), `test` (crates to `cargo test`, natively
//! and on components), `deploy` (components to a server), `dev` (both, with a host of its own and a
//! watch on the sources), `serve`, `execute`, `query` (what a read model knows), `events` (the log,
//! and following it), `replay` (building anew what follows from it), `inspect` (what a server has),
//! `modules` (one kind of module by hand), `subscriptions` (projectors and effects that run),
//! `parked` (events that an effect cannot handle), `keys` (shredding, and the master key), `api_keys`
//! (who may use a server), `backup` and `restore`, `doctor` (what is wrong here) and `manual` (man
//! pages and completions). Everything but `scaffold`, `serve`, `test`, `restore`, `doctor`, the host
//! inside `dev` and a key rotation on a data directory talks to a server over HTTP through `client`;
//! only `host`, `trial` (components in a test), `backup`, `restore`, `dev::lines`, `doctor::data` and
//! `build::schemas` know the host library. `output` writes to the terminal and turns failures into text
//! and exit codes.

mod api_keys;
mod args;
mod backup;
mod build;
mod client;
mod deploy;
mod dev;
mod doctor;
mod events;
mod execute;
mod host;
mod inspect;
mod keys;
mod kind;
mod logging;
mod manual;
mod modules;
mod output;
mod parked;
mod query;
mod replay;
mod restore;
mod scaffold;
mod serve;
mod signals;
mod subscriptions;
mod test;
mod trial;

use std::process::ExitCode;

use args::{Cli, Command, CommandAction, EffectAction, ProjectorAction};
use kind::ModuleKind;
use output::fault::{self, EXIT_OK};

/// The event store allocates a page's records one by one at every append.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // Cargo, which a build of ours has called, calls this program as its compiler.
    if let Some(code) = build::rustc::run() {
        return code;
    }
    let Cli {
        command,
        quiet,
        verbose,
    } = Cli::read();
    output::speak(quiet, verbose);
    match run(command) {
        Ok(code) => code,
        Err(error) => fault::report(&error),
    }
}

fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Init(args) => scaffold::init(&args)?,
        Command::New(args) => scaffold::new(&args)?,
        Command::Dev(args) => dev::run(&args)?,
        Command::Build(args) => build::run(&args)?,
        Command::Test(args) => return test::run(&args),
        Command::Deploy(args) => deploy::run(&args)?,
        Command::Serve(args) => serve::run(&args)?,
        Command::Execute(args) => execute::run(&args)?,
        Command::Modules(args) => inspect::modules(&args)?,
        Command::Events(args) => events::run(&args)?,
        Command::Commands(args) => match args.action {
            CommandAction::Module(action) => modules::run(ModuleKind::Command, &action)?,
            CommandAction::Replay { name } => return Err(replay::of_a_command(&name).into()),
        },
        Command::Projectors(args) => match args.action {
            ProjectorAction::Module(action) => modules::run(ModuleKind::Projector, &action)?,
            ProjectorAction::Subscription(action) => {
                subscriptions::run(ModuleKind::Projector, &action)?;
            }
            ProjectorAction::Query(args) => query::run(&args)?,
            ProjectorAction::Replay(args) => replay::run(&args)?,
        },
        Command::Effects(args) => match args.action {
            EffectAction::Module(action) => modules::run(ModuleKind::Effect, &action)?,
            EffectAction::Subscription(action) => subscriptions::run(ModuleKind::Effect, &action)?,
            EffectAction::Park {
                name,
                position,
                json,
                server,
            } => parked::park(&name, position, json, &server)?,
            EffectAction::Parked(args) => parked::list(&args)?,
            EffectAction::Unpark(args) => parked::unpark(&args)?,
            EffectAction::Drop(args) => parked::discard(&args)?,
            EffectAction::Replay(args) => replay::effect(&args)?,
        },
        Command::ApiKeys(args) => api_keys::run(&args.action)?,
        Command::Backup(args) => backup::run(&args)?,
        Command::Restore(args) => restore::run(&args)?,
        Command::Doctor(args) => return doctor::run(&args),
        Command::Keys(args) => keys::run(&args)?,
        Command::Completions { shell } => manual::completions(shell)?,
        Command::Man(args) => manual::man(&args)?,
        Command::Trial { cache } => trial::run(&cache)?,
        Command::Guard { command } => return dev::guard::run(&command),
    }
    Ok(ExitCode::from(EXIT_OK))
}
