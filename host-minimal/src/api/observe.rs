//! What is seen of each request: its span, and its figures.

use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::HeaderMap;
use http::header::CONTENT_TYPE;
use tracing::Instrument as _;
use tracing::field::Empty;
use uuid::Uuid;

use super::{Problem, blocking};
use crate::Host;
use crate::trace;

/// Where a client names the user action that a call belongs to.
pub(super) const CORRELATION_ID: &str = "x-correlation-id";
/// Where a client says what its call is a part of (<https://www.w3.org/TR/trace-context/>).
const TRACEPARENT: &str = "traceparent";

/// The user action that a request belongs to: the client's word for it, else the trace of the
/// client's own call, else a new one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Correlation(pub(super) Uuid);

pub(super) async fn observe(
    State(host): State<Host>,
    mut request: Request,
    next: Next,
) -> Response {
    let started = Instant::now();
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().cloned();
    let route = route.as_ref().map(MatchedPath::as_str);
    let parent = traceparent(request.headers());
    let id = correlation(request.headers(), parent);
    request.extensions_mut().insert(Correlation(id));
    let span = tracing::info_span!("request", %method, route, correlation_id = %id, status = Empty);
    // The client's span is of this trace only where the trace's id became the correlation id.
    let parent = parent.filter(|(trace_id, _)| *trace_id == id);
    trace::join(&span, id, parent.map(|(_, span_id)| span_id));
    let response = next.run(request).instrument(span.clone()).await;
    span.record("status", response.status().as_u16());
    host.metrics()
        .answered(&method, route, response.status(), started.elapsed());
    response
}

pub(super) async fn metrics(State(host): State<Host>) -> Result<Response, Problem> {
    let text = blocking(move || -> Result<_, Problem> {
        let moment = host.moment()?;
        host.metrics().encode(&moment).map_err(|error| {
            tracing::error!("the figures cannot be written: {error}");
            Problem::internal()
        })
    })
    .await??;
    let content_type = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    Ok(([(CONTENT_TYPE, content_type)], text).into_response())
}

fn correlation(headers: &HeaderMap, parent: Option<(Uuid, u64)>) -> Uuid {
    let named = headers.get(CORRELATION_ID);
    let named = named.and_then(|value| value.to_str().ok()?.trim().parse().ok());
    named
        .or(parent.map(|(trace_id, _)| trace_id))
        .unwrap_or_else(Uuid::new_v4)
}

/// The trace and the span of the client's own call. One that makes no sense is as good as none, as
/// the specification wants it.
fn traceparent(headers: &HeaderMap) -> Option<(Uuid, u64)> {
    let text = headers.get(TRACEPARENT)?.to_str().ok()?;
    let mut parts = text.split('-');
    let (version, trace_id, span_id, flags) =
        (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let hex = |text: &str, length: usize| {
        let digits = text
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        (digits && text.len() == length).then(|| u128::from_str_radix(text, 16).ok())?
    };
    let version = hex(version, 2)?;
    hex(flags, 2)?;
    // Later versions may say more; this one may not.
    if version == 0xff || (version == 0 && parts.next().is_some()) {
        return None;
    }
    let trace_id = hex(trace_id, 32).filter(|id| *id != 0)?;
    let span_id = hex(span_id, 16).filter(|id| *id != 0)?;
    Some((Uuid::from_u128(trace_id), u64::try_from(span_id).ok()?))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

    fn headers(values: &[(&'static str, &str)]) -> HeaderMap {
        let header = |(name, value): &(&'static str, &str)| {
            let value = HeaderValue::from_str(value).expect("a value");
            (http::HeaderName::from_static(name), value)
        };
        values.iter().map(header).collect()
    }

    #[test]
    fn a_traceparent_is_read_as_the_specification_says() {
        let read = |text: &str| traceparent(&headers(&[(TRACEPARENT, text)]));
        let expected = Some((TRACE.parse().expect("an id"), 0x00f0_67aa_0ba9_02b7));
        let good = format!("00-{TRACE}-00f067aa0ba902b7-01");
        assert_eq!(read(&good), expected);
        assert_eq!(read(&good.replacen("00", "42", 1)), expected);
        assert_eq!(
            read(&format!("{}-more", good.replacen("00", "42", 1))),
            expected
        );
        for bad in [
            "",
            "00",
            &format!("{good}-more"),
            &good.replacen("00", "ff", 1),
            &good.replace(TRACE, &"0".repeat(32)),
            &good.replace("00f067aa0ba902b7", "0000000000000000"),
            &good.to_uppercase(),
            &good.replace(TRACE, &TRACE[1..]),
            &good.replace("-01", "-1"),
            &good.replace('4', "+"),
        ] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }

    #[test]
    fn the_client_names_the_action_and_else_its_trace_does() {
        let of = |values: &[(&'static str, &str)]| {
            let headers = headers(values);
            correlation(&headers, traceparent(&headers))
        };
        let named = "00000000-0000-4000-8000-000000000001";
        let traced = format!("00-{TRACE}-00f067aa0ba902b7-01");
        let trace = (TRACEPARENT, traced.as_str());
        assert_eq!(of(&[(CORRELATION_ID, named), trace]).to_string(), named);
        assert_eq!(of(&[trace]).simple().to_string(), TRACE);
        assert_eq!(
            of(&[(CORRELATION_ID, "x"), trace]).simple().to_string(),
            TRACE
        );
        assert_ne!(of(&[]), of(&[]));
    }
}
