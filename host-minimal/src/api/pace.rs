//! How large a request's head may be, and how long a request may take.

use std::error::Error;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::BoxError;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use hyper::body::{Frame, SizeHint};
use tokio::time::{Instant, Sleep, sleep_until, timeout};

use super::{Problem, ServerSettings};
use crate::limits;

/// What a client may take its time for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    body_patience: Duration,
    body_deadline: Duration,
    request_deadline: Duration,
}

/// A body whose client did not go on.
#[derive(Debug)]
pub(super) struct SlowBody {
    waited: Duration,
}

struct PacedBody {
    inner: Body,
    pace: Pace,
    deadline: Instant,
    /// Set while nothing comes.
    patience: Option<Pin<Box<Sleep>>>,
}

impl From<&ServerSettings> for Pace {
    fn from(settings: &ServerSettings) -> Self {
        Self {
            body_patience: settings.body_patience,
            body_deadline: settings.body_deadline,
            request_deadline: settings.request_deadline,
        }
    }
}

/// Keeps one request within the limits.
pub(super) async fn keep(State(pace): State<Pace>, request: Request, next: Next) -> Response {
    let bytes = head_bytes(&request);
    if bytes > limits::REQUEST_HEAD_BYTES {
        return Problem::head_too_large(bytes).into_response();
    }
    let request = request.map(|inner| {
        Body::new(PacedBody {
            inner,
            pace,
            deadline: Instant::now() + pace.body_deadline,
            patience: None,
        })
    });
    match timeout(pace.request_deadline, next.run(request)).await {
        Ok(response) => response,
        Err(_) => Problem::request_deadline(pace.request_deadline).into_response(),
    }
}

/// What the target and the fields of a request take.
fn head_bytes(request: &Request) -> usize {
    let target = request
        .uri()
        .path_and_query()
        .map_or(0, |target| target.as_str().len());
    let fields = request.headers().iter();
    let fields: usize = fields
        .map(|(name, value)| name.as_str().len() + value.len())
        .sum();
    target + fields
}

impl hyper::body::Body for PacedBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.inner).poll_frame(context) {
            self.patience = None;
            return Poll::Ready(frame.map(|frame| frame.map_err(Into::into)));
        }
        let until = self.deadline.min(Instant::now() + self.pace.body_patience);
        let patience = self
            .patience
            .get_or_insert_with(|| Box::pin(sleep_until(until)));
        ready!(patience.as_mut().poll(context));
        let waited = match Instant::now() >= self.deadline {
            true => self.pace.body_deadline,
            false => self.pace.body_patience,
        };
        Poll::Ready(Some(Err(SlowBody { waited }.into())))
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

impl fmt::Display for SlowBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the rest of the body did not come within {:?}",
            self.waited
        )
    }
}

impl Error for SlowBody {}
