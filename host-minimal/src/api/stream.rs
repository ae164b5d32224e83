//! The log as server-sent events
//! (<https://html.spec.whatwg.org/multipage/server-sent-events.html>).
//!
//! A message's id is a position: a client that comes back with `Last-Event-ID` goes on behind it.
//! Heartbeats have one as well, so that who waits for something rare does not begin anew.
//!
//! Each stream is a task that reads a few events, hands them over one by one, and reads on when
//! the client has taken them. A client that is slow holds these few and nothing else: writers
//! know nothing of streams.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Extension;
use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::HeaderMap;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use hyper::body::Frame;
use tokio::sync::{Semaphore, mpsc};
use tokio::time::Instant;

use super::closing::Closing;
use super::events::{EventBody, Question};
use super::{Problem, blocking};
use crate::Host;
use crate::limits;
use crate::store::{EventFilter, RecordedEvent};

#[cfg(test)]
mod tests;

/// Where a client that comes back says what it has.
const LAST_EVENT_ID: &str = "last-event-id";

/// One permit for each stream that may be open.
#[derive(Debug, Clone)]
pub(super) struct Streams(Arc<Semaphore>);

impl Default for Streams {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(limits::EVENT_STREAMS)))
    }
}

pub(super) async fn stream(
    State(host): State<Host>,
    Extension(mut closing): Extension<Closing>,
    Extension(streams): Extension<Streams>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let question = Question::parse(query.as_deref().unwrap_or_default())?;
    if question.limit.is_some() {
        return Err(Problem::bad_request(
            "invalid-query",
            "Invalid query",
            "a stream has no limit; there are type, tag, after and correlation_id",
        ));
    }
    let after = last_event_id(&headers)?.or(question.after);
    let filter = question.filter;
    let permit = streams.0.try_acquire_owned();
    let permit = permit.map_err(|_| Problem::too_many_streams())?;
    let position = start(&host, &filter, after).await?;
    let follower = Follower {
        host,
        filter,
        position,
        pace: Pace::default(),
    };
    let (client, frames) = mpsc::channel(1);
    tokio::spawn(async move {
        let _permit = permit;
        // Whichever way it ends, the client has whole messages, and the id of the last one.
        tokio::select! {
            () = follower.follow(&client) => {}
            () = client.closed() => {}
            () = closing.begun() => {}
        }
    });
    let headers = [
        (CONTENT_TYPE, "text/event-stream"),
        (CACHE_CONTROL, "no-store"),
    ];
    Ok((headers, Body::new(Frames(frames))).into_response())
}

fn last_event_id(headers: &HeaderMap) -> Result<Option<u64>, Problem> {
    let Some(value) = headers.get(LAST_EVENT_ID) else {
        return Ok(None);
    };
    let position = value
        .to_str()
        .ok()
        .and_then(|text| text.trim().parse().ok());
    position.map(Some).ok_or_else(|| {
        Problem::bad_request(
            "invalid-header",
            "Invalid header",
            format!("the header {LAST_EVENT_ID} must be a position"),
        )
    })
}

/// Checks the filter, and finds where the stream begins: behind `after`, or behind what is there.
async fn start(host: &Host, filter: &EventFilter, after: Option<u64>) -> Result<u64, Problem> {
    let (host, filter) = (host.clone(), filter.clone());
    let head = blocking(move || {
        host.events(&filter, 0, 0)?;
        host.head()
    })
    .await??;
    match after {
        Some(after) if after > head => Err(Problem::bad_request(
            "beyond-head",
            "Beyond the head",
            format!(
                "position {after} is not in this log, which ends at {head}: it is another log than \
                 the one that was followed"
            ),
        )
        .with("head", head.into())),
        after => Ok(after.unwrap_or(head)),
    }
}

/// How long things may take.
struct Pace {
    heartbeat: Duration,
    patience: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            heartbeat: limits::STREAM_HEARTBEAT,
            patience: limits::STREAM_PATIENCE,
        }
    }
}

/// The client is gone, or takes nothing.
struct Gone;

/// What follows the log for one client.
struct Follower {
    host: Host,
    filter: EventFilter,
    /// Everything up to here is sent, or does not meet the filter.
    position: u64,
    pace: Pace,
}

impl Follower {
    /// Sends until the client is gone or the log cannot be read, which the client is told.
    async fn follow(mut self, client: &mpsc::Sender<Bytes>) {
        let Err(Some(problem)) = self.send_all(client).await else {
            return;
        };
        let _ = self.send(client, problem_message(&problem)).await;
    }

    async fn send_all(&mut self, client: &mpsc::Sender<Bytes>) -> Result<(), Option<Problem>> {
        let gone = |_: Gone| None;
        let mut heads = self.host.heads();
        let opening = format!(
            "retry: {}\nid: {}\n\n",
            limits::STREAM_RETRY.as_millis(),
            self.position
        );
        self.send(client, opening).await.map_err(gone)?;
        let mut heartbeat = Instant::now() + self.pace.heartbeat;
        loop {
            // Marked as seen before the log is read: what comes later is announced again.
            heads.borrow_and_update();
            let shreddings = self.host.shreddings();
            let (events, head) = self.read().await.map_err(Some)?;
            let mut all = events.len() < limits::STREAM_PAGE_EVENTS;
            for event in events {
                let room = self.room(client).await.map_err(gone)?;
                if self.host.shreddings() != shreddings {
                    // What was read may be shredded by now; the rest is read again.
                    all = false;
                    break;
                }
                self.position = event.position;
                room.send(message(event).into());
                heartbeat = Instant::now() + self.pace.heartbeat;
            }
            if !all {
                continue;
            }
            self.position = self.position.max(head);
            match tokio::time::timeout_at(heartbeat, heads.changed()).await {
                Ok(Ok(())) => {}
                Ok(Err(_)) => return Ok(()),
                Err(_) => {
                    let beat = format!(": heartbeat\nid: {}\n\n", self.position);
                    self.send(client, beat).await.map_err(gone)?;
                    heartbeat = Instant::now() + self.pace.heartbeat;
                }
            }
        }
    }

    /// The next events, and a head that they reach to where there are few.
    async fn read(&self) -> Result<(Vec<RecordedEvent>, u64), Problem> {
        let (host, filter, after) = (self.host.clone(), self.filter.clone(), self.position);
        blocking(move || {
            let head = host.head()?;
            let events = host.events(&filter, after, limits::STREAM_PAGE_EVENTS)?;
            Ok((events, head))
        })
        .await?
    }

    async fn send(&self, client: &mpsc::Sender<Bytes>, text: String) -> Result<(), Gone> {
        self.room(client).await?.send(text.into());
        Ok(())
    }

    /// Waits until the client has taken what it was sent.
    async fn room<'a>(
        &self,
        client: &'a mpsc::Sender<Bytes>,
    ) -> Result<mpsc::Permit<'a, Bytes>, Gone> {
        match tokio::time::timeout(self.pace.patience, client.reserve()).await {
            Ok(Ok(room)) => Ok(room),
            Ok(Err(_)) => Err(Gone),
            Err(_) => {
                let position = self.position;
                tracing::debug!(position, "a stream ended: its client takes nothing");
                Err(Gone)
            }
        }
    }
}

/// An event as a message. It has no name, so that browsers hand it to `onmessage`.
fn message(event: RecordedEvent) -> String {
    let position = event.position;
    // Only a bug can keep an event from being JSON; the client then sees a hole, with its place.
    let json = serde_json::to_string(&EventBody::from(event)).unwrap_or_default();
    format!("id: {position}\n{}\n", data_lines(&json))
}

fn problem_message(problem: &Problem) -> String {
    let json = serde_json::to_string(problem).unwrap_or_default();
    format!("event: problem\n{}\n", data_lines(&json))
}

/// A payload is shown as it was written, line breaks included; a message's data has one field for
/// each line. In JSON they stand between tokens only, so any line break is as good as another.
fn data_lines(json: &str) -> String {
    json.split(['\n', '\r'])
        .map(|line| format!("data: {line}\n"))
        .collect()
}

/// A response's body: what a task sends.
pub(super) struct Frames(pub(super) mpsc::Receiver<Bytes>);

impl hyper::body::Body for Frames {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        self.0
            .poll_recv(context)
            .map(|frame| frame.map(|bytes| Ok(Frame::data(bytes))))
    }
}
