//! The command line of what reads: events and read models.

use std::time::Duration;

use clap::{Args, Subcommand};

use super::{KindAction, Param, ReplayArgs, ServerArgs, SubscriptionAction, help};
use crate::output;

/// `umari events`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct EventsArgs {
    /// What to do; the list of events where nothing is said
    #[command(subcommand)]
    pub(crate) action: Option<EventsAction>,
    #[command(flatten)]
    pub(crate) list: ListArgs,
}

/// `umari events list`.
#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    #[command(flatten)]
    pub(crate) filter: FilterArgs,
    /// Only events behind this position
    #[arg(long, value_name = "POSITION")]
    pub(crate) after: Option<u64>,
    /// How many events at most
    #[arg(long, value_name = "N")]
    pub(crate) limit: Option<u32>,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) server: ServerArgs,
}

/// Which events.
#[derive(Debug, Args)]
pub(crate) struct FilterArgs {
    /// Only events of these types
    #[arg(long = "type", value_name = "TYPE")]
    pub(crate) event_type: Vec<String>,
    /// Only events with all of these tags
    #[arg(long, value_name = "NAME:VALUE")]
    pub(crate) tag: Vec<String>,
    /// Only events of the action with this id
    #[arg(long, value_name = "UUID")]
    pub(crate) correlation_id: Option<uuid::Uuid>,
}

/// What else to do with events.
#[derive(Debug, Subcommand)]
pub(crate) enum EventsAction {
    /// List events in the order of the log, as `umari events` alone does
    #[command(after_help = help::EVENTS_LIST)]
    List(ListArgs),
    /// Show one event with everything that is known about it
    #[command(after_help = help::EVENTS_SHOW)]
    Show {
        /// The event's id, or its position
        #[arg(value_name = "ID|POSITION")]
        event: String,
        /// Print JSON
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        server: ServerArgs,
    },
    /// Draw what one action led to: commands, their events, and what those triggered
    #[command(after_help = help::EVENTS_GRAPH)]
    Graph {
        /// The action's correlation id, as each of its events has it
        #[arg(value_name = "CORRELATION_ID")]
        id: uuid::Uuid,
        /// Print JSON
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        server: ServerArgs,
    },
    /// Print events as they are written
    #[command(after_help = help::EVENTS_TAIL)]
    Tail {
        #[command(flatten)]
        filter: FilterArgs,
        /// Begin behind this position, 0 being the beginning, and not with what is new
        #[arg(long, visible_alias = "after", value_name = "POSITION")]
        since: Option<u64>,
        /// Print one JSON document per line
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        server: ServerArgs,
    },
}

/// `umari projectors`.
#[derive(Debug, Args)]
pub(crate) struct ProjectorArgs {
    #[command(subcommand)]
    pub(crate) action: ProjectorAction,
}

/// What to do with projectors.
#[derive(Debug, Subcommand)]
pub(crate) enum ProjectorAction {
    #[command(flatten)]
    Module(KindAction),
    #[command(flatten)]
    Subscription(SubscriptionAction),
    /// Ask a projector's read model a question in SQL
    #[command(after_help = help::QUERY)]
    Query(QueryArgs),
    /// Build a projector's read model anew, or as it was at some time
    #[command(after_help = help::REPLAY)]
    Replay(ReplayArgs),
}

/// `umari projectors query`.
#[derive(Debug, Args)]
pub(crate) struct QueryArgs {
    /// The projector's name
    pub(crate) name: String,
    /// One statement that reads
    pub(crate) sql: String,
    /// A parameter's value, in order, or by name as in `:name=VALUE`
    #[arg(
        long = "param",
        value_name = "[:NAME=]VALUE",
        allow_hyphen_values = true
    )]
    pub(crate) params: Vec<Param>,
    /// Wait until the projector has handled everything up to here
    #[arg(long, value_name = "POSITION")]
    pub(crate) min_position: Option<u64>,
    /// How long the answer may take, waiting included [default: 5s]
    #[arg(long, value_name = "TIME", value_parser = output::units::parse_duration)]
    pub(crate) timeout: Option<Duration>,
    /// How many rows at most
    #[arg(long, value_name = "N")]
    pub(crate) max_rows: Option<u32>,
    /// Print the server's answer as JSON
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) server: ServerArgs,
}
