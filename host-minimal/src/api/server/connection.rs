//! One connection: served within limits, or refused with a word.

use std::pin::Pin;

use axum::Router;
use http_body_util::BodyExt as _;
use hyper::server::conn::http1::{Builder, Connection};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_io_timeout::TimeoutStream;

use super::ServerSettings;
use crate::api::Problem;
use crate::limits;

type Io = TokioIo<Pin<Box<TimeoutStream<TcpStream>>>>;

/// A connection that answers its client's requests. A head that is larger or has more fields than
/// the limits say is answered with 431, without a document: it is no request yet.
pub(super) fn serve(
    stream: TcpStream,
    router: Router,
    settings: &ServerSettings,
) -> Connection<Io, TowerToHyperService<Router>> {
    let _ = stream.set_nodelay(true);
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(settings.answer_patience));
    Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(settings.head_deadline)
        .max_headers(limits::REQUEST_HEADERS)
        // Room for the head that is just within its limit, and for what comes with it.
        .max_buf_size(limits::REQUEST_HEAD_BYTES + (64 << 10))
        .serve_connection(
            TokioIo::new(Box::pin(stream)),
            TowerToHyperService::new(router),
        )
}

/// Says that there is no room, to a client that may not have asked for anything yet.
pub(super) async fn refuse(mut stream: TcpStream) {
    let said = async {
        stream.write_all(&answer().await).await?;
        stream.shutdown().await?;
        // What the client has sent is taken: a connection that is closed with unread bytes is
        // reset, and the answer with it.
        let mut sink = [0; 4_096];
        while stream.read(&mut sink).await? > 0 {}
        std::io::Result::Ok(())
    };
    // A client that goes on sending has had its chance.
    let _ = tokio::time::timeout(limits::REFUSAL_PATIENCE, said).await;
}

/// The whole answer as it goes over the wire.
async fn answer() -> Vec<u8> {
    use axum::response::IntoResponse as _;
    let (head, body) = Problem::too_many_connections().into_response().into_parts();
    let body = match body.collect().await {
        Ok(body) => body.to_bytes(),
        Err(_) => bytes::Bytes::new(),
    };
    let mut answer = format!("HTTP/1.1 {}\r\nconnection: close\r\n", head.status).into_bytes();
    for (name, value) in &head.headers {
        answer.extend_from_slice(name.as_str().as_bytes());
        answer.extend_from_slice(b": ");
        answer.extend_from_slice(value.as_bytes());
        answer.extend_from_slice(b"\r\n");
    }
    answer.extend_from_slice(format!("content-length: {}\r\n\r\n", body.len()).as_bytes());
    answer.extend_from_slice(&body);
    answer
}
