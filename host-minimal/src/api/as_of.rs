//! Read models of the past over HTTP: a SQLite database as the answer's body.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum::Extension;
use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use hyper::body::{Frame, SizeHint};
use tokio::io::{AsyncRead, ReadBuf};
use tokio::sync::OwnedSemaphorePermit;

use super::closing::Closing;
use super::modules::parse_name;
use super::{Problem, parameters};
use crate::Host;
use crate::host::PastReadModel;
use crate::replay::{InvalidUntil, Until};

/// Says how far the read model knows the log.
const POSITION_HEADER: &str = "x-umari-position";
/// What is read from the file at once.
const FRAME_BYTES: usize = 64 << 10;

pub(super) async fn as_of(
    State(host): State<Host>,
    Extension(mut closing): Extension<Closing>,
    Path(name): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let name = parse_name(&name)?;
    let until = parse_until(query.as_deref())?;
    let past = tokio::select! {
        past = host.read_model_as_of(&name, until) => past?,
        () = closing.begun() => return Err(Problem::shutting_down()),
    };
    let position = past.position.to_string();
    let headers = [
        (CONTENT_TYPE.as_str(), "application/vnd.sqlite3"),
        (POSITION_HEADER, position.as_str()),
    ];
    Ok((headers, Body::new(FileBody::of(past))).into_response())
}

fn parse_until(query: Option<&str>) -> Result<Until, Problem> {
    let mut until = None;
    parameters::each(query, "there is until", |name, value| {
        if name != "until" {
            return Ok(false);
        }
        // A `+` that is not escaped reads as a space, and stands before a zone only.
        let parsed = value.replace(' ', "+").parse();
        let parsed = parsed.map_err(|error: InvalidUntil| {
            parameters::invalid(format!("the parameter until: {error}"))
        })?;
        until = Some(parsed);
        Ok(true)
    })?;
    until.ok_or_else(|| {
        parameters::invalid(
            "say up to where with until: a position, or a time such as 2026-01-31T09:30:00Z"
                .to_owned(),
        )
    })
}

/// A file that is sent as it is read.
struct FileBody {
    file: tokio::fs::File,
    left: u64,
    buffer: Vec<u8>,
    /// Held until everything is sent, or the client is gone.
    _room: OwnedSemaphorePermit,
}

impl FileBody {
    fn of(past: PastReadModel) -> Self {
        Self {
            file: tokio::fs::File::from_std(past.file),
            left: past.bytes,
            buffer: vec![0; FRAME_BYTES],
            _room: past.room,
        }
    }
}

impl hyper::body::Body for FileBody {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let this = self.get_mut();
        if this.left == 0 {
            return Poll::Ready(None);
        }
        let mut buffer = ReadBuf::new(&mut this.buffer);
        ready!(Pin::new(&mut this.file).poll_read(context, &mut buffer))?;
        let read = buffer.filled();
        if read.is_empty() {
            let error = std::io::Error::from(std::io::ErrorKind::UnexpectedEof);
            return Poll::Ready(Some(Err(error)));
        }
        this.left = this.left.saturating_sub(read.len() as u64);
        Poll::Ready(Some(Ok(Frame::data(Bytes::copy_from_slice(read)))))
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_is_asked_for_once_and_by_name() {
        assert_eq!(
            parse_until(Some("until=7")).expect("it"),
            Until::Position(7)
        );
        let time = "2026-01-31T09:30:00Z".parse().expect("a time");
        for written in ["2026-01-31T10:30:00%2B01:00", "2026-01-31T10:30:00+01:00"] {
            let until = parse_until(Some(&format!("until={written}")));
            assert_eq!(until.expect("it"), Until::Time(time), "{written}");
        }
        for wrong in [
            "",
            "until=",
            "until=soon",
            "until=-1",
            "before=7",
            "until=7&x=1",
        ] {
            parse_until(Some(wrong)).expect_err(wrong);
        }
    }
}
