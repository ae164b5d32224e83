//! Backups over HTTP: lines that are made as the client takes them.

use std::io::{self, BufWriter};
use std::sync::Arc;

use axum::Extension;
use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use tokio::runtime::Handle;
use tokio::sync::{Semaphore, mpsc};

use super::closing::Closing;
use super::parameters::{self, must_be};
use super::stream::Frames;
use super::{Problem, blocking};
use crate::Host;
use crate::backup::{BackupError, Keys, Request};
use crate::limits;
use crate::report::chain;

/// One permit for each backup that may be made.
#[derive(Debug, Clone)]
pub(super) struct Backups(Arc<Semaphore>);

impl Default for Backups {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(limits::CONCURRENT_BACKUPS)))
    }
}

pub(super) async fn backup(
    State(host): State<Host>,
    Extension(mut closing): Extension<Closing>,
    Extension(backups): Extension<Backups>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let request = parse(query.as_deref())?;
    let permit = backups.0.try_acquire_owned();
    let permit = permit.map_err(|_| Problem::too_many_backups())?;
    // Now, while there can still be another answer than lines.
    let (checked, wanted) = (host.clone(), request.clone());
    blocking(move || checked.check_backup(&wanted)).await??;
    let (sender, pieces) = mpsc::channel(1);
    let client = Client {
        sender,
        runtime: Handle::current(),
    };
    tokio::task::spawn_blocking(move || {
        let _permit = permit;
        let mut out = BufWriter::with_capacity(limits::BACKUP_CHUNK_BYTES, client);
        match host.back_up(&request, &mut out) {
            Ok(()) => {}
            // The client has gone, or takes nothing; it knows.
            Err(BackupError::Write(error)) => tracing::debug!("a backup ended: {error}"),
            // The lines end with the reason.
            Err(error) => tracing::error!("a backup broke off: {}", chain(&error)),
        }
        // Nothing of value is buffered now, and nobody may be there to take it.
        drop(out.into_parts());
    });
    let (client, frames) = mpsc::channel(1);
    tokio::spawn(async move {
        tokio::select! {
            () = hand_over(pieces, client) => {}
            () = closing.begun() => {}
        }
    });
    let headers = [
        (CONTENT_TYPE, "application/jsonl"),
        (CACHE_CONTROL, "no-store"),
    ];
    Ok((headers, Body::new(Frames(frames))).into_response())
}

fn parse(query: Option<&str>) -> Result<Request, Problem> {
    let mut request = Request::default();
    let known = "there are after, after_id and keys";
    parameters::each(query, known, |name, value| {
        let invalid = |wanted| must_be(name, wanted, &value);
        match name {
            "after" => request.after = value.parse().map_err(|_| invalid("a position"))?,
            "after_id" => {
                request.after_id = Some(value.parse().map_err(|_| invalid("a UUID"))?);
            }
            "keys" => {
                request.keys = match &*value {
                    "wrapped" => Keys::Wrapped,
                    "none" => Keys::None,
                    _ => return Err(invalid("wrapped or none")),
                };
            }
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    Ok(request)
}

async fn hand_over(mut pieces: mpsc::Receiver<Bytes>, client: mpsc::Sender<Bytes>) {
    while let Some(piece) = pieces.recv().await {
        if client.send(piece).await.is_err() {
            return;
        }
    }
}

/// The other end, for a thread that may wait for it.
struct Client {
    sender: mpsc::Sender<Bytes>,
    runtime: Handle,
}

impl io::Write for Client {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let send = self.sender.send(Bytes::copy_from_slice(bytes));
        let sent = self
            .runtime
            .block_on(async { tokio::time::timeout(limits::STREAM_PATIENCE, send).await });
        match sent {
            Ok(Ok(())) => Ok(bytes.len()),
            Ok(Err(_)) => Err(io::ErrorKind::BrokenPipe.into()),
            Err(_) => Err(io::ErrorKind::TimedOut.into()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_read() {
        let request = parse(Some("after=7&keys=none")).unwrap();
        assert_eq!((request.after, request.keys), (7, Keys::None));
        assert_eq!(parse(None).unwrap(), Request::default());
    }

    #[test]
    fn a_request_that_makes_no_sense_is_refused() {
        for query in ["after=x", "after_id=7", "keys=plain", "from=7"] {
            parse(Some(query)).unwrap_err();
        }
    }
}
