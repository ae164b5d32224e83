//! Connecting: resolve once, judge every address, dial one that was judged.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::Uri;
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tower_service::Service;
use wasmtime_wasi_http::Error;

use super::policy::{HttpPolicy, Refused};
use crate::limits;

/// Dials where the policy allows.
#[derive(Debug, Clone)]
pub(super) struct PolicedConnector {
    policy: Arc<HttpPolicy>,
}

impl PolicedConnector {
    pub(super) fn new(policy: Arc<HttpPolicy>) -> Self {
        Self { policy }
    }
}

/// Why no connection was made.
#[derive(Debug, thiserror::Error)]
pub(super) enum ConnectError {
    #[error("the name {host} cannot be resolved")]
    Resolve {
        host: String,
        #[source]
        source: io::Error,
    },
    #[error("{0}")]
    Refused(#[source] Refused),
    #[error("cannot connect to {address}")]
    Connect {
        address: SocketAddr,
        #[source]
        source: io::Error,
    },
    #[error("connecting took longer than {} s", limits::HTTP_CONNECT_DEADLINE.as_secs())]
    Timeout,
    #[error("the URL names no host")]
    NoHost,
}

impl Service<Uri> for PolicedConnector {
    type Response = Dialled;
    type Error = ConnectError;
    type Future = Pin<Box<dyn Future<Output = Result<Dialled, ConnectError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), ConnectError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let policy = Arc::clone(&self.policy);
        Box::pin(async move {
            tokio::time::timeout(limits::HTTP_CONNECT_DEADLINE, dial(&policy, &uri))
                .await
                .map_err(|_elapsed| ConnectError::Timeout)?
        })
    }
}

async fn dial(policy: &HttpPolicy, uri: &Uri) -> Result<Dialled, ConnectError> {
    let host = uri.host().ok_or(ConnectError::NoHost)?;
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let default = if uri.scheme_str() == Some("https") {
        443
    } else {
        80
    };
    let port = uri.port_u16().unwrap_or(default);
    let addresses: Vec<SocketAddr> = tokio::net::lookup_host((host, port))
        .await
        .map_err(|source| ConnectError::Resolve {
            host: host.to_owned(),
            source,
        })?
        .collect();
    judge(policy, host, port, &addresses)?;
    let mut last = ConnectError::NoHost;
    for address in addresses {
        match TcpStream::connect(address).await {
            Ok(stream) => {
                // A small request must not wait for more to send.
                let _ = stream.set_nodelay(true);
                return Ok(Dialled(TokioIo::new(stream)));
            }
            Err(source) => last = ConnectError::Connect { address, source },
        }
    }
    Err(last)
}

/// Judges what a name was resolved to. One private address among public ones is how a rebinding
/// attack looks: all must pass.
pub(super) fn judge(
    policy: &HttpPolicy,
    host: &str,
    port: u16,
    addresses: &[SocketAddr],
) -> Result<(), ConnectError> {
    for address in addresses {
        policy
            .check_address(host, port, address.ip())
            .map_err(|refused| {
                tracing::warn!("an effect's request was refused: {refused}");
                ConnectError::Refused(refused)
            })?;
    }
    Ok(())
}

/// A connection to an address that the policy allowed.
#[derive(Debug)]
pub(super) struct Dialled(TokioIo<TcpStream>);

impl Connection for Dialled {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}

impl hyper::rt::Read for Dialled {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: hyper::rt::ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().0).poll_read(context, buffer)
    }
}

impl hyper::rt::Write for Dialled {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().0).poll_write(context, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().0).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().0).poll_shutdown(context)
    }
}

/// The contract's error for what the client failed with.
pub(super) fn to_wasi(error: &hyper_util::client::legacy::Error) -> Error {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(current) = cause {
        if let Some(connect) = current.downcast_ref::<ConnectError>() {
            return connect.to_wasi();
        }
        if current.is::<rustls::Error>() {
            return Error::TlsCertificateError;
        }
        cause = current.source();
    }
    if error.is_connect() {
        return Error::ConnectionRefused;
    }
    tracing::debug!(
        "an effect's request failed: {}",
        crate::report::chain(error)
    );
    Error::ConnectionTerminated
}

impl ConnectError {
    fn to_wasi(&self) -> Error {
        match self {
            Self::Resolve { .. } => Error::DnsError {
                rcode: None,
                info_code: None,
            },
            Self::Refused(_) => Error::DestinationIpProhibited,
            Self::Connect { source, .. } => match source.kind() {
                io::ErrorKind::ConnectionRefused => Error::ConnectionRefused,
                io::ErrorKind::TimedOut => Error::ConnectionTimeout,
                _ => Error::DestinationUnavailable,
            },
            Self::Timeout => Error::ConnectionTimeout,
            Self::NoHost => Error::HttpRequestUriInvalid,
        }
    }
}
