//! `wasi:http`, called until it is done.

use std::time::Duration;

use wasip2::http::outgoing_handler::handle;
use wasip2::http::types::{
    ErrorCode, Fields, IncomingBody, IncomingResponse, Method, OutgoingBody, OutgoingRequest,
    RequestOptions, Scheme,
};
use wasip2::io::streams::StreamError;

use crate::host::{HttpFailure, HttpRequest, HttpResponse};

/// Bytes that one write to, or read from, a stream asks for. The host refuses writes above 4096.
const CHUNK_BYTES: usize = 4096;
const READ_BYTES: u64 = 64 * 1024;

pub(super) fn send(request: HttpRequest) -> Result<HttpResponse, HttpFailure> {
    let options = options(&request)?;
    let outgoing = head(&request)?;
    let body = outgoing
        .body()
        .map_err(|()| invalid("the request has no body to write"))?;
    // The host starts to send here, and takes the body as it is written.
    let pending = handle(outgoing, Some(options)).map_err(failure)?;
    // A server may answer without reading the body, so its answer goes before our error.
    let written = write(body, &request.body);
    pending.subscribe().block();
    match pending.get() {
        Some(Ok(Ok(response))) => read(response),
        Some(Ok(Err(code))) => Err(failure(code)),
        None | Some(Err(())) => {
            written?;
            Err(invalid("the host gave no response"))
        }
    }
}

fn options(request: &HttpRequest) -> Result<RequestOptions, HttpFailure> {
    let options = RequestOptions::new();
    let refused = |()| invalid("the host does not support this timeout");
    if let Some(timeout) = request.connect_timeout {
        options
            .set_connect_timeout(Some(nanoseconds(timeout)))
            .map_err(refused)?;
    }
    if let Some(timeout) = request.timeout {
        options
            .set_first_byte_timeout(Some(nanoseconds(timeout)))
            .map_err(refused)?;
    }
    Ok(options)
}

/// A duration in nanoseconds, as WASI counts; the longest there is where it does not fit.
fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

fn head(request: &HttpRequest) -> Result<OutgoingRequest, HttpFailure> {
    let headers = Fields::new();
    for (name, value) in &request.headers {
        headers
            .append(name, value.as_bytes())
            .map_err(|error| invalid(format!("header `{name}`: {error}")))?;
    }
    if !request.body.is_empty() && !headers.has("content-length") {
        let length = request.body.len().to_string();
        // The host may keep this header to itself; then it sends the body in chunks.
        let _ = headers.append("content-length", length.as_bytes());
    }
    let Some((scheme, rest)) = request.url.split_once("://") else {
        return Err(invalid(format!("`{}` is not an absolute URL", request.url)));
    };
    let rest = rest.split_once('#').map_or(rest, |(before, _)| before);
    let path_begins = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(path_begins);
    let path = if path.starts_with('/') {
        path.to_owned()
    } else {
        format!("/{path}")
    };
    let wrong = |()| invalid(format!("`{}` is not a valid URL", request.url));
    let outgoing = OutgoingRequest::new(headers);
    outgoing
        .set_method(&method(&request.method))
        .map_err(|()| invalid(format!("`{}` is not a method", request.method)))?;
    outgoing
        .set_scheme(Some(&scheme_of(scheme)))
        .map_err(wrong)?;
    outgoing.set_authority(Some(authority)).map_err(wrong)?;
    outgoing.set_path_with_query(Some(&path)).map_err(wrong)?;
    Ok(outgoing)
}

fn method(name: &str) -> Method {
    match name {
        "GET" => Method::Get,
        "POST" => Method::Post,
        "PUT" => Method::Put,
        "PATCH" => Method::Patch,
        "DELETE" => Method::Delete,
        "HEAD" => Method::Head,
        "OPTIONS" => Method::Options,
        other => Method::Other(other.to_owned()),
    }
}

fn scheme_of(name: &str) -> Scheme {
    if name.eq_ignore_ascii_case("https") {
        Scheme::Https
    } else if name.eq_ignore_ascii_case("http") {
        Scheme::Http
    } else {
        Scheme::Other(name.to_owned())
    }
}

fn write(body: OutgoingBody, bytes: &[u8]) -> Result<(), HttpFailure> {
    let stream = body
        .write()
        .map_err(|()| invalid("the body was written before"))?;
    for chunk in bytes.chunks(CHUNK_BYTES) {
        stream.blocking_write_and_flush(chunk).map_err(broken)?;
    }
    // A stream is a child of its body, and must go first.
    drop(stream);
    OutgoingBody::finish(body, None).map_err(failure)
}

fn read(response: IncomingResponse) -> Result<HttpResponse, HttpFailure> {
    let status = response.status();
    let headers = response
        .headers()
        .entries()
        .into_iter()
        .map(|(name, value)| (name, String::from_utf8_lossy(&value).into_owned()))
        .collect();
    let body = response
        .consume()
        .map_err(|()| invalid("the response was read before"))?;
    let bytes = read_body(&body)?;
    drop(body);
    drop(response);
    Ok(HttpResponse {
        status,
        headers,
        body: bytes,
    })
}

fn read_body(body: &IncomingBody) -> Result<Vec<u8>, HttpFailure> {
    let stream = body
        .stream()
        .map_err(|()| invalid("the response was read before"))?;
    let mut bytes = Vec::new();
    loop {
        match stream.blocking_read(READ_BYTES) {
            Ok(chunk) => bytes.extend_from_slice(&chunk),
            Err(StreamError::Closed) => return Ok(bytes),
            Err(error) => return Err(broken(error)),
        }
    }
}

fn broken(error: StreamError) -> HttpFailure {
    let message = match error {
        StreamError::Closed => "the connection was closed".to_owned(),
        StreamError::LastOperationFailed(error) => error.to_debug_string(),
    };
    HttpFailure {
        code: "connection-terminated".to_owned(),
        message,
    }
}

fn invalid(message: impl Into<String>) -> HttpFailure {
    HttpFailure {
        code: "invalid-request".to_owned(),
        message: message.into(),
    }
}

/// Says what happened in words: WASI's own text is the name of a variant.
fn failure(code: ErrorCode) -> HttpFailure {
    let (word, message) = match &code {
        ErrorCode::DnsTimeout
        | ErrorCode::ConnectionTimeout
        | ErrorCode::ConnectionReadTimeout
        | ErrorCode::ConnectionWriteTimeout
        | ErrorCode::HttpResponseTimeout => ("timeout", "no answer arrived in time"),
        ErrorCode::DnsError(_) | ErrorCode::DestinationNotFound => {
            ("destination-not-found", "the host name cannot be resolved")
        }
        ErrorCode::DestinationUnavailable => {
            ("destination-unavailable", "the address cannot be reached")
        }
        ErrorCode::DestinationIpProhibited
        | ErrorCode::DestinationIpUnroutable
        | ErrorCode::HttpRequestDenied => (
            "denied",
            "the umari host does not allow requests to this address",
        ),
        ErrorCode::ConnectionRefused => ("connection-refused", "the connection was refused"),
        ErrorCode::ConnectionTerminated => (
            "connection-terminated",
            "the connection ended before the response did",
        ),
        ErrorCode::TlsProtocolError
        | ErrorCode::TlsCertificateError
        | ErrorCode::TlsAlertReceived(_) => ("tls", "no secure connection could be agreed on"),
        ErrorCode::HttpRequestMethodInvalid
        | ErrorCode::HttpRequestUriInvalid
        | ErrorCode::HttpRequestUriTooLong => (
            "invalid-request",
            "the request's method or URL is not valid",
        ),
        ErrorCode::HttpResponseBodySize(_) => (
            "response-too-large",
            "the response is larger than the umari host allows",
        ),
        _ => {
            return HttpFailure {
                code: "other".to_owned(),
                message: code.to_string(),
            };
        }
    };
    HttpFailure {
        code: word.to_owned(),
        message: message.to_owned(),
    }
}
