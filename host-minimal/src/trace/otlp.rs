//! Sending traces to a collector by OTLP over HTTP
//! (<https://opentelemetry.io/docs/specs/otlp/>).

use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use opentelemetry::Context;
use opentelemetry::trace::{
    SpanContext, SpanId, TraceContextExt as _, TraceFlags, TraceId, TraceState, TracerProvider as _,
};
use opentelemetry_http::{HttpClient, HttpError};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{SdkTracerProvider, Tracer};
use tracing::{Span, Subscriber};
use tracing_opentelemetry::{OpenTelemetryLayer, OpenTelemetrySpanExt as _};
use tracing_subscriber::registry::LookupSpan;
use uuid::Uuid;

/// How long a collector may take to answer.
const COLLECTOR_DEADLINE: Duration = Duration::from_secs(10);
/// Size of a collector's answer, of which only the status matters.
const ANSWER_BYTES: u64 = 64 << 10;

/// Sends the spans that end to a collector, in batches, from a thread of its own.
#[derive(Debug)]
pub struct Exporter {
    provider: SdkTracerProvider,
}

/// Why traces cannot be sent.
#[derive(Debug, thiserror::Error)]
#[error("traces cannot be sent")]
pub struct ExporterError(#[from] opentelemetry_otlp::ExporterBuildError);

impl Exporter {
    /// Sends to the collector at `endpoint`, as `http://localhost:4318`.
    ///
    /// # Errors
    ///
    /// The endpoint is no URL.
    pub fn new(endpoint: &str) -> Result<Self, ExporterError> {
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(Collector::default())
            .with_protocol(Protocol::HttpJson)
            .with_endpoint(format!("{}/v1/traces", endpoint.trim_end_matches('/')))
            .build()?;
        let resource = Resource::builder()
            .with_service_name("umari")
            .with_attribute(opentelemetry::KeyValue::new(
                "service.version",
                env!("CARGO_PKG_VERSION"),
            ))
            .build();
        let provider = SdkTracerProvider::builder()
            .with_batch_exporter(exporter)
            .with_resource(resource)
            .build();
        Ok(Self { provider })
    }

    /// What to add to a subscriber, so that its spans are sent.
    pub fn layer<S>(&self) -> OpenTelemetryLayer<S, Tracer>
    where
        S: Subscriber + for<'span> LookupSpan<'span>,
    {
        tracing_opentelemetry::layer().with_tracer(self.provider.tracer("umari"))
    }

    /// Sends what has not been sent, and waits until the collector has it or does not answer.
    pub fn flush(&self) {
        if let Err(error) = self.provider.force_flush() {
            tracing::debug!("traces could not be sent: {error}");
        }
    }
}

impl Drop for Exporter {
    fn drop(&mut self) {
        // A collector that is gone is no reason to end in another way.
        let _ = self.provider.shutdown();
    }
}

/// Posts batches. The exporter has a thread of its own, so this may block.
#[derive(Debug)]
struct Collector(ureq::Agent);

impl Default for Collector {
    fn default() -> Self {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(COLLECTOR_DEADLINE));
        Self(config.build().new_agent())
    }
}

#[async_trait::async_trait]
impl HttpClient for Collector {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let (head, body) = request.into_parts();
        let answer = self.0.run(Request::from_parts(head, &body[..]))?;
        let (head, mut body) = answer.into_parts();
        let body = body.with_config().limit(ANSWER_BYTES).read_to_vec()?;
        Ok(Response::from_parts(head, body.into()))
    }
}

pub(super) fn join(span: &Span, correlation_id: Uuid, parent: Option<u64>) {
    let root = correlation_id.as_u64_pair().1;
    let context = SpanContext::new(
        TraceId::from_bytes(correlation_id.into_bytes()),
        SpanId::from_bytes(parent.unwrap_or(root).to_be_bytes()),
        TraceFlags::SAMPLED,
        true,
        TraceState::default(),
    );
    // Only a span that has begun already refuses, and these are new.
    let _ = span.set_parent(Context::new().with_remote_span_context(context));
}
