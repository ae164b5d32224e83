//! What this process and the command `umari` say to each other: a JSON document on each line.
//!
//! `umari __trial CACHE` begins with [`Hello`]. We send a [`Request`]; it answers with a [`Line`], and
//! before that with a [`Line::Send`] for each HTTP request of an effect, which we answer with an
//! [`Answer`]. It ends with its stdin.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};
use umari::host::{HttpFailure, HttpResponse};
use uuid::Uuid;

use crate::engine::ids;
use crate::engine::log::Entry;
use crate::report::Shown;
use crate::world::World as Scenario;

/// The version of what is said here.
pub(super) const VERSION: u32 = 3;

#[derive(Debug, Deserialize)]
pub(super) struct Hello {
    pub(super) speaks: u32,
    pub(super) umari: String,
}

/// One run of one component.
#[derive(Debug, Serialize)]
pub(super) struct Request<'a> {
    pub(super) component: Component<'a>,
    pub(super) world: World<'a>,
    pub(super) run: Run<'a>,
}

#[derive(Debug, Serialize)]
pub(super) struct Component<'a> {
    pub(super) path: &'a Path,
    /// The name of a command; nothing else has one.
    pub(super) name: Option<&'a str>,
    /// What its manifest says about how it runs.
    pub(super) settings: &'a serde_json::Map<String, serde_json::Value>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Run<'a> {
    Command {
        input: &'a str,
        correlation_id: Uuid,
        causation_id: Uuid,
        triggering_event_id: Option<Uuid>,
        idempotency_key: Option<Uuid>,
    },
    Projector,
    Effect {
        after: u64,
        times: u32,
    },
}

#[derive(Debug, Serialize)]
pub(super) struct World<'a> {
    /// Microseconds since the Unix epoch.
    now: i64,
    /// The id of a new event at position n is this plus n.
    event_ids: Uuid,
    env: &'a BTreeMap<String, String>,
    history: Vec<Event>,
}

impl<'a> World<'a> {
    pub(super) fn of(scenario: &'a Scenario) -> Self {
        Self {
            now: scenario.now.timestamp_micros(),
            event_ids: ids::event(0),
            env: &scenario.env,
            history: scenario.log.entries().map(Event::of).collect(),
        }
    }
}

/// An event with its envelope.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Event {
    id: Uuid,
    position: u64,
    pub(super) event_type: String,
    tags: Vec<String>,
    timestamp: i64,
    correlation_id: Uuid,
    causation_id: Uuid,
    triggering_event_id: Option<Uuid>,
    idempotency_key: Option<Uuid>,
    pub(super) encryption_scope: Option<String>,
    encryption_key_id: Option<Uuid>,
    pub(super) schema_version: u32,
    command: String,
    payload: Option<String>,
}

impl Event {
    fn of(entry: &Entry) -> Self {
        let event = &entry.event;
        Self {
            id: event.id,
            position: event.position,
            event_type: event.event_type.clone(),
            tags: event.tags.clone(),
            timestamp: event.timestamp.timestamp_micros(),
            correlation_id: event.correlation_id,
            causation_id: event.causation_id,
            triggering_event_id: event.triggering_event_id,
            idempotency_key: event.idempotency_key,
            encryption_scope: event.encryption_scope.clone(),
            encryption_key_id: event.encryption_key_id,
            schema_version: event.schema_version,
            command: entry.command.to_string(),
            payload: event.payload.clone(),
        }
    }

    pub(super) fn shown(&self) -> Shown {
        Shown::new(&self.event_type, &self.tags, self.payload.as_deref())
    }
}

/// What the other side says.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Line {
    /// An effect sends this, and waits.
    Send(HttpRequest),
    Done(Done),
    /// The component holds nothing of this kind and name, but this.
    Absent(String),
    /// The component cannot be run: why.
    Refused(String),
}

#[derive(Debug, Deserialize)]
pub(super) struct HttpRequest {
    pub(super) method: String,
    pub(super) url: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

#[derive(Debug, Serialize)]
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

impl From<Result<HttpResponse, HttpFailure>> for Answer {
    fn from(answer: Result<HttpResponse, HttpFailure>) -> Self {
        match answer {
            Ok(response) => Self::Reply {
                status: response.status,
                headers: response.headers,
                body: response.body,
            },
            Err(failure) => Self::Fails {
                code: failure.code,
                message: failure.message,
            },
        }
    }
}

/// What the component did.
#[derive(Debug, Deserialize)]
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
#[derive(Debug, Clone, PartialEq, Deserialize)]
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
    Panicked(String),
    /// It ran out of time or memory, or trapped.
    Crashed(String),
}

#[derive(Debug, Deserialize)]
pub(super) struct QueryItem {
    pub(super) types: Vec<String>,
    pub(super) tags: Vec<String>,
}

/// Where a projector or an effect stopped.
#[derive(Debug, Deserialize)]
pub(super) struct Failure {
    /// Absent while it started.
    pub(super) position: Option<u64>,
    pub(super) message: String,
    /// Its words, where it panicked.
    pub(super) panic: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Table {
    pub(super) name: String,
    pub(super) columns: Vec<String>,
    pub(super) rows: Vec<Vec<Cell>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Cell {
    Null,
    Integer(i64),
    /// As text, since JSON has no infinity.
    Real(String),
    Text(String),
    Blob(Vec<u8>),
}
