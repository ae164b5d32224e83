//! Reading the log over HTTP.

use axum::Json;
use axum::extract::{Path, RawQuery, State};
use serde::Serialize;
use serde_json::value::RawValue;
use uuid::Uuid;

use super::parameters::{self, must_be};
use super::{Problem, blocking};
use crate::Host;
use crate::limits;
use crate::store::{Author, EventFilter, RecordedEvent};

#[derive(Serialize)]
pub(super) struct Page {
    events: Vec<EventBody>,
    /// Position of the last event in the log.
    head: u64,
    /// What to pass as `after` for the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_after: Option<u64>,
}

#[derive(Serialize)]
pub(super) struct EventBody {
    id: Uuid,
    position: u64,
    event_type: String,
    tags: Vec<String>,
    timestamp: String,
    correlation_id: Uuid,
    causation_id: Uuid,
    triggering_event_id: Option<Uuid>,
    idempotency_key: Option<Uuid>,
    encryption_scope: Option<String>,
    encryption_key_id: Option<Uuid>,
    schema_version: u32,
    author: AuthorBody,
    /// Whether the data key has been deleted, so that nobody can read the data any more.
    shredded: bool,
    /// The payload as it was written; `null` when it is shredded.
    data: Option<Box<RawValue>>,
}

/// What wrote an event.
#[derive(Serialize)]
pub(super) struct AuthorBody {
    module: String,
    version: String,
    command: String,
}

pub(super) async fn list(
    State(host): State<Host>,
    RawQuery(query): RawQuery,
) -> Result<Json<Page>, Problem> {
    let Question {
        filter,
        after,
        limit,
    } = Question::parse(query.as_deref().unwrap_or_default())?;
    let after = after.unwrap_or(0);
    let limit = limit.unwrap_or(limits::EVENTS_PAGE_DEFAULT_EVENTS);
    let (events, head) = blocking(move || {
        let head = host.head()?;
        host.events(&filter, after, limit)
            .map(|events| (events, head))
    })
    .await??;
    let full = events.len() == limit;
    let next_after = events.last().filter(|_| full).map(|event| event.position);
    Ok(Json(Page {
        events: events.into_iter().map(EventBody::from).collect(),
        head,
        next_after,
    }))
}

/// One event, by its id or its position.
pub(super) async fn one(
    State(host): State<Host>,
    Path(id): Path<String>,
) -> Result<Json<EventBody>, Problem> {
    let event = match (id.parse::<Uuid>(), id.parse::<u64>()) {
        (Ok(id), _) => blocking(move || host.event(id)).await??,
        (_, Ok(position)) => blocking(move || host.event_at(position)).await??,
        _ => {
            return Err(Problem::bad_request(
                "invalid-id",
                "Invalid id",
                format!("{id:?} is neither a UUID nor a position"),
            ));
        }
    };
    let event = event.ok_or_else(|| {
        Problem::not_found(
            "unknown-event",
            "Unknown event",
            format!("there is no event {id}"),
        )
    })?;
    Ok(Json(event.into()))
}

/// What `GET /events` was asked for.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Question {
    pub(super) filter: EventFilter,
    pub(super) after: Option<u64>,
    pub(super) limit: Option<usize>,
}

impl Question {
    /// `type` and `tag` may repeat: any of the types, all of the tags.
    pub(super) fn parse(query: &str) -> Result<Self, Problem> {
        let mut question = Self::default();
        let known = "there are type, tag, after, limit and correlation_id";
        parameters::each(Some(query), known, |name, value| {
            let invalid = |wanted: &str| must_be(name, wanted, &value);
            match name {
                "type" => question.filter.types.push(value),
                "tag" => question.filter.tags.push(value),
                "after" => {
                    question.after = Some(value.parse().map_err(|_| invalid("a position"))?);
                }
                "limit" => {
                    let limit = value
                        .parse()
                        .ok()
                        .filter(|limit| (1..=limits::EVENTS_PAGE_EVENTS).contains(limit))
                        .ok_or_else(|| invalid(&format!("1 to {}", limits::EVENTS_PAGE_EVENTS)))?;
                    question.limit = Some(limit);
                }
                "correlation_id" => {
                    question.filter.correlation_id =
                        Some(value.parse().map_err(|_| invalid("a UUID"))?);
                }
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        Ok(question)
    }
}

impl From<Author> for AuthorBody {
    fn from(author: Author) -> Self {
        let Author {
            module,
            version,
            command,
        } = author;
        Self {
            module,
            version,
            command,
        }
    }
}

impl From<RecordedEvent> for EventBody {
    fn from(event: RecordedEvent) -> Self {
        Self {
            shredded: event.is_shredded(),
            id: event.id,
            position: event.position,
            event_type: event.event_type,
            tags: event.tags,
            timestamp: event
                .timestamp
                .to_rfc3339_opts(chrono::SecondsFormat::Micros, true),
            correlation_id: event.correlation_id,
            causation_id: event.causation_id,
            triggering_event_id: event.triggering_event_id,
            idempotency_key: event.idempotency_key,
            encryption_scope: event.encryption_scope,
            encryption_key_id: event.encryption_key_id,
            schema_version: event.schema_version,
            author: event.author.into(),
            data: event.payload.map(raw),
        }
    }
}

/// The payload as it is. One that is not JSON was written by no SDK of ours; it shows as a string.
fn raw(payload: String) -> Box<RawValue> {
    RawValue::from_string(payload.clone())
        .or_else(|_| serde_json::value::to_raw_value(&payload))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_is_read() {
        let question =
            Question::parse("type=a&type=b&tag=shop_id%3A42&after=7&limit=1000").unwrap();
        assert_eq!(question.filter.types, ["a", "b"]);
        assert_eq!(question.filter.tags, ["shop_id:42"]);
        assert_eq!((question.after, question.limit), (Some(7), Some(1000)));
    }

    #[test]
    fn a_question_that_makes_no_sense_is_refused() {
        for query in [
            "limit=0",
            "limit=1001",
            "limit=x",
            "after=-1",
            "correlation_id=7",
            "typ=a",
            "limit=",
        ] {
            Question::parse(query).unwrap_err();
        }
    }

    #[test]
    fn payloads_are_shown_as_they_were_written() {
        assert_eq!(
            raw("{\"b\": 1,  \"a\":2}".into()).get(),
            "{\"b\": 1,  \"a\":2}"
        );
        assert_eq!(raw("not json".into()).get(), "\"not json\"");
    }
}
