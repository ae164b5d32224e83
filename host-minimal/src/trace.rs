//! One trace for each user action.
//!
//! A correlation id has 128 bits, and so has the id of a trace: they are the same here. Whatever
//! handles an event has its correlation id, so the spans of a request, of the command that it
//! calls, and of the projectors and effects that handle what the command wrote are one trace, over
//! threads, restarts and days. A span that begins such a part has the trace's root as its parent,
//! whose id is the lower half of the correlation id; nothing ever is that root.

use tracing::Span;
use uuid::Uuid;

#[cfg(feature = "otlp")]
mod otlp;

#[cfg(feature = "otlp")]
pub use self::otlp::{Exporter, ExporterError};

/// Makes `span` a part of the trace of a user action: below the client's span where there is one, else
/// below the root. Does nothing where traces go nowhere.
pub(crate) fn join(span: &Span, correlation_id: Uuid, parent: Option<u64>) {
    #[cfg(feature = "otlp")]
    otlp::join(span, correlation_id, parent);
    #[cfg(not(feature = "otlp"))]
    let _ = (span, correlation_id, parent);
}
