//! The command line of what follows the log: effects, and what they share with projectors.

use clap::{Args, Subcommand};

use super::{KindAction, ReplayEffectArgs, ServerArgs, help};

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
    /// Have an effect handle the whole log again
    #[command(after_help = help::REPLAY_EFFECT)]
    Replay(ReplayEffectArgs),
    /// Put an event that fails aside, so that what waits behind it goes on
    #[command(after_help = help::PARK)]
    Park {
        /// The effect's name
        name: String,
        /// The event's position; the first one that fails where nothing is said
        position: Option<u64>,
        /// Print the server's answer as JSON
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        server: ServerArgs,
    },
    /// List the events that are parked
    #[command(after_help = help::PARKED)]
    Parked(SubscriptionArgs),
    /// Deliver a parked event once more
    #[command(after_help = help::UNPARK)]
    Unpark(ParkedArgs),
    /// Drop a parked event for good
    #[command(after_help = help::DROP)]
    Drop(ParkedArgs),
}

/// Which parked event.
#[derive(Debug, Args)]
pub(crate) struct ParkedArgs {
    /// The effect's name
    pub(crate) name: String,
    /// The event's position, as `umari effects parked` lists it
    pub(crate) position: u64,
    /// Print the server's answer as JSON
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) server: ServerArgs,
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
