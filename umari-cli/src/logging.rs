//! What the host logs, and where: to stderr, filtered by `UMARI_LOG`. With the feature `otlp` traces
//! also go to the collector that `OTEL_EXPORTER_OTLP_ENDPOINT` names.

use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::args::HostArgs;
use crate::output;
use crate::output::fault::Fault;

/// What `serve` logs where nothing is said.
pub(crate) const SERVE_FILTER: &str = "warn,umari=info,host_minimal=info";
/// What `dev` logs where nothing is said: its own lines tell the rest.
pub(crate) const DEV_FILTER: &str = "warn";

/// What must be kept until the end: what has not been sent is sent when it is dropped.
pub(crate) struct Logging {
    #[cfg(feature = "otlp")]
    _exporter: Option<host_minimal::trace::Exporter>,
}

/// Starts logging for this process.
pub(crate) fn start(args: &HostArgs, default: &str) -> Result<Logging, Fault> {
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(output::stderr_has_colour())
        .with_filter(filter(args, default, output::is_verbose())?);
    let subscriber = tracing_subscriber::registry().with(lines);
    #[cfg(feature = "otlp")]
    let exporter = traces::exporter()?;
    #[cfg(feature = "otlp")]
    let subscriber = subscriber.with(exporter.as_ref().map(traces::layer));
    subscriber
        .try_init()
        .map_err(|error| Fault::new("logging could not be started").why(error.to_string()))?;
    Ok(Logging {
        #[cfg(feature = "otlp")]
        _exporter: exporter,
    })
}

#[cfg(feature = "otlp")]
mod traces {
    use host_minimal::trace::Exporter;
    use tracing::Subscriber;
    use tracing_subscriber::EnvFilter;
    use tracing_subscriber::layer::Layer;
    use tracing_subscriber::registry::LookupSpan;

    use crate::output::fault::Fault;

    /// The variable that every sender of traces reads.
    const ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";

    pub(super) fn exporter() -> Result<Option<Exporter>, Fault> {
        let endpoint = std::env::var(ENDPOINT).unwrap_or_default();
        if endpoint.is_empty() {
            return Ok(None);
        }
        let exporter = Exporter::new(&endpoint).map_err(|error| {
            let why = std::error::Error::source(&error).map(ToString::to_string);
            Fault::usage(format!("{ENDPOINT} cannot be used: {endpoint}"))
                .why(why.unwrap_or_else(|| error.to_string()))
                .help("write it as http://localhost:4318, a collector that takes OTLP over HTTP")
        })?;
        Ok(Some(exporter))
    }

    /// Our own spans, however little is logged.
    pub(super) fn layer<S>(exporter: &Exporter) -> impl Layer<S> + use<S>
    where
        S: Subscriber + for<'span> LookupSpan<'span>,
    {
        exporter
            .layer()
            .with_filter(EnvFilter::new("off,umari=info,host_minimal=info"))
    }
}

/// `umari=...` means the whole product, so it speaks for the host's crate as well.
fn filter(args: &HostArgs, default: &str, verbose: bool) -> Result<EnvFilter, Fault> {
    if verbose {
        return Ok(EnvFilter::new("trace"));
    }
    let text = args
        .log
        .as_deref()
        .filter(|text| !text.is_empty())
        .unwrap_or(default);
    let mut directives: Vec<String> = text.split(',').map(|part| part.trim().to_owned()).collect();
    let host: Vec<String> = directives
        .iter()
        .filter_map(|directive| directive.strip_prefix("umari="))
        .filter(|_| !text.contains("host_minimal"))
        .map(|level| format!("host_minimal={level}"))
        .collect();
    directives.extend(host);
    EnvFilter::try_new(directives.join(",")).map_err(|error| {
        Fault::usage(format!("`{text}` is not a log filter"))
            .why(error.to_string())
            .help("write UMARI_LOG or --log as `info`, or as `warn,umari=debug`")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn args(log: Option<&str>) -> HostArgs {
        HostArgs {
            api_key: None,
            log: log.map(str::to_owned),
            event_store_url: None,
            new_metadata: false,
            shutdown_timeout: Duration::ZERO,
        }
    }

    fn directives(log: Option<&str>, verbose: bool) -> Vec<String> {
        let text = filter(&args(log), "warn", verbose)
            .expect("a filter")
            .to_string();
        let mut directives: Vec<String> = text.split(',').map(str::to_owned).collect();
        directives.sort();
        directives
    }

    #[test]
    fn a_filter_for_umari_covers_the_host() {
        assert_eq!(
            directives(Some("umari=debug"), false),
            ["host_minimal=debug", "umari=debug"]
        );
        assert_eq!(directives(None, false), ["warn"]);
        assert_eq!(directives(Some(""), false), ["warn"]);
        assert_eq!(directives(Some("error"), true), ["trace"]);
    }

    #[test]
    fn a_wrong_filter_is_refused() {
        let fault = filter(&args(Some("umari=loud")), "warn", false).unwrap_err();
        assert_eq!(fault.to_string(), "`umari=loud` is not a log filter");
    }
}
