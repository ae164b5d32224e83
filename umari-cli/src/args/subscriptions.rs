//! The command line of what follows the log: effects, and what they share with projectors.

use clap::{Args, Subcommand};

use super::{KindAction, ServerArgs, help};

/// `umari effects`.
#[derive(Debug, Args)]
pub(crate) struct EffectArgs {
    #[command(subcommand)]
    pub(crate) action: EffectAction,
}

/// What to do with effects.
#[derive(Debug, Subcommand)]
pub(crate) enum EffectAction {
    #[command(flatten)]
    Module(KindAction),
    #[command(flatten)]
    Subscription(SubscriptionAction),
}

/// What to do with a projector or an effect that runs.
#[derive(Debug, Subcommand)]
pub(crate) enum SubscriptionAction {
    /// Let it rest after the event that it handles, until it is resumed
    #[command(after_help = help::PAUSE)]
    Pause(SubscriptionArgs),
    /// Let it go on where it stood
    #[command(after_help = help::RESUME)]
    Resume(SubscriptionArgs),
}

/// Which projector or effect.
#[derive(Debug, Args)]
pub(crate) struct SubscriptionArgs {
    /// The module's name
    pub(crate) name: String,
    /// Print the server's answer as JSON
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) server: ServerArgs,
}
