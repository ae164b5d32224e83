//! What a test process and this one say to each other: a JSON document on each line.
//!
//! `umari-testing` starts `umari __trial CACHE` and keeps it. This side begins with [`Hello`]. The
//! test sends a [`Request`]; this side answers with [`Line::Done`] or [`Line::Refused`], and before
//! that with a [`Line::Send`] for each HTTP request of an effect, which the test answers with an
//! [`Answer`]. The end of stdin ends the process.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Raised by whatever would make an older or newer test misunderstand this side.
pub(super) const VERSION: u32 = 3;

/// The first line.
#[derive(Debug, Serialize)]
pub(super) struct Hello {
    /// The version of what is spoken here.
    pub(super) speaks: u32,
    /// The version of this program.
    pub(super) umari: &'static str,
}

/// One run of one component.
#[derive(Debug, Deserialize)]
pub(super) struct Request {
    pub(super) component: Component,
    pub(super) world: World,
    pub(super) run: Run,
}

/// A file, and what in it is to run.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Component {
    pub(super) path: PathBuf,
    /// The name of a command; nothing else has one.
    pub(super) name: Option<String>,
    /// What its manifest says about how it runs, as a document of settings.
    pub(super) settings: serde_json::Value,
}

/// What to do with it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Run {
    Command {
        /// JSON text.
        input: String,
        correlation_id: Uuid,
        causation_id: Uuid,
        triggering_event_id: Option<Uuid>,
        idempotency_key: Option<Uuid>,
    },
    Projector,
    Effect {
        /// Events after this position are handed over.
        after: u64,
        /// How often, each time to a new instance.
        times: u32,
    },
}

/// What is the case.
#[derive(Debug, Deserialize)]
pub(super) struct World {
    /// Microseconds since the Unix epoch.
    pub(super) now: i64,
    pub(super) event_ids: Uuid,
    pub(super) env: BTreeMap<String, String>,
    pub(super) history: Vec<Event>,
}

/// An event, with its envelope.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Event {
    pub(super) id: Uuid,
    pub(super) position: u64,
    pub(super) event_type: String,
    pub(super) tags: Vec<String>,
    /// Microseconds since the Unix epoch.
    pub(super) timestamp: i64,
    pub(super) correlation_id: Uuid,
    pub(super) causation_id: Uuid,
    pub(super) triggering_event_id: Option<Uuid>,
    pub(super) idempotency_key: Option<Uuid>,
    pub(super) encryption_scope: Option<String>,
    pub(super) encryption_key_id: Option<Uuid>,
    pub(super) schema_version: u32,
    /// The name under which the command opened its transaction.
    pub(super) command: String,
    /// Absent where it was shredded.
    pub(super) payload: Option<String>,
}

/// What this side says to a request.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Line {
    /// An effect sends this; the test answers.
    Send(HttpRequest),
    /// The component has run.
    Done(Done),
    /// The component holds nothing of this kind and name: what it does hold.
    Absent(String),
    /// The component cannot be run: why.
    Refused(String),
}

#[derive(Debug, Serialize)]
pub(super) struct HttpRequest {
    pub(super) method: String,
    pub(super) url: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

/// What the test answers to a request of an effect.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Answer {
    Reply {
        status: u16,
        headers: Vec<(String, String)>,
        body: Vec<u8>,
    },
    Fails {
        code: String,
        message: String,
    },
}

/// What a component did.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Done {
    Command {
        ended: Ended,
        emitted: Vec<Event>,
        queries: Vec<Vec<QueryItem>>,
    },
    Projector {
        failure: Option<Failure>,
        tables: Vec<Table>,
    },
    /// The last delivery.
    Effect {
        lanes: Vec<(u64, Option<String>)>,
        emitted: Vec<Event>,
        /// The scopes that were shredded.
        shredded: Vec<String>,
        failure: Option<Failure>,
        /// How many requests were sent in the deliveries before.
        requests_before: usize,
    },
}

/// How a command ended.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Ended {
    Success,
    Invalid {
        message: String,
        /// Field, code and message of each.
        violations: Vec<(String, String, String)>,
    },
    Rejected {
        code: String,
        message: String,
        /// JSON text.
        details: Option<String>,
    },
    Conflict(String),
    Failed(String),
    /// It panicked, with these words.
    Panicked(String),
    /// It stopped in any other way.
    Crashed(String),
}

#[derive(Debug, Serialize)]
pub(super) struct QueryItem {
    pub(super) types: Vec<String>,
    pub(super) tags: Vec<String>,
}

/// Where a projector or an effect stopped.
#[derive(Debug, Serialize)]
pub(super) struct Failure {
    /// Absent while it started.
    pub(super) position: Option<u64>,
    pub(super) message: String,
    /// Its words, where it panicked.
    pub(super) panic: Option<String>,
}

#[derive(Debug, Serialize)]
pub(super) struct Table {
    pub(super) name: String,
    pub(super) columns: Vec<String>,
    pub(super) rows: Vec<Vec<Cell>>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Cell {
    Null,
    Integer(i64),
    /// As text, since JSON has no infinity.
    Real(String),
    Text(String),
    Blob(Vec<u8>),
}
