//! The server: one listener, bounded waits, and a clean end.

mod connection;
mod settings;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};

pub use self::settings::ServerSettings;
use super::closing::Closing;
use super::{Access, router_until};
use crate::Host;
use crate::limits;

/// A bound server that does not answer yet.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    router: axum::Router,
    settings: ServerSettings,
    closing: watch::Sender<bool>,
}

/// Why a server could not listen.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BindError {
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {}", explain(.source))]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the machine said.
        source: io::Error,
    },
    /// Everyone who can reach the address could use the API.
    #[error(
        "refusing to listen on {0}, which other machines can reach, without a key; set UMARI_API_KEY, \
         or listen on 127.0.0.1"
    )]
    Unprotected(SocketAddr),
}

fn explain(source: &io::Error) -> String {
    match source.kind() {
        io::ErrorKind::AddrInUse => "another program listens there".to_owned(),
        _ => source.to_string(),
    }
}

impl Server {
    /// Listens on `address`; port 0 takes a free one.
    ///
    /// # Errors
    ///
    /// [`BindError::Unprotected`] for an address beyond loopback without a key, and
    /// [`BindError::Listen`] when the address is taken or not the machine's.
    pub async fn bind(host: Host, address: SocketAddr, access: Access) -> Result<Self, BindError> {
        Self::bind_with(host, address, access, ServerSettings::default()).await
    }

    /// The same with other limits than the usual ones.
    ///
    /// # Errors
    ///
    /// As [`bind`](Self::bind).
    pub async fn bind_with(
        host: Host,
        address: SocketAddr,
        access: Access,
        settings: ServerSettings,
    ) -> Result<Self, BindError> {
        if access.is_open() && !address.ip().to_canonical().is_loopback() {
            return Err(BindError::Unprotected(address));
        }
        let failed = |source| BindError::Listen { address, source };
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let (sender, closing) = Closing::channel();
        Ok(Self {
            listener,
            address,
            router: router_until(host, access, closing, &settings),
            settings,
            closing: sender,
        })
    }

    /// The address that is listened on.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Answers requests until `shutdown` ends, then finishes the ones that have begun. What waits
    /// for a projector, and what streams, is ended.
    pub async fn run(self, shutdown: impl Future<Output = ()>) {
        let graceful = GracefulShutdown::new();
        let room = Arc::new(Semaphore::new(self.settings.connections));
        let refusals = Arc::new(Semaphore::new(limits::REFUSED_CONNECTIONS));
        let mut shutdown = std::pin::pin!(shutdown);
        loop {
            let accepted = tokio::select! {
                accepted = self.listener.accept() => accepted,
                () = &mut shutdown => break,
            };
            let stream = match accepted {
                Ok((stream, _)) => stream,
                Err(error) => {
                    // Out of file descriptors, most likely: those that serve must end first.
                    tracing::warn!("cannot accept a connection: {error}");
                    tokio::time::sleep(limits::ACCEPT_PAUSE).await;
                    continue;
                }
            };
            if let Ok(permit) = Arc::clone(&room).try_acquire_owned() {
                let connection = connection::serve(stream, self.router.clone(), &self.settings);
                let connection = graceful.watch(connection);
                tokio::spawn(async move {
                    let _permit = permit;
                    if let Err(error) = connection.await {
                        tracing::debug!("a connection ended: {error}");
                    }
                });
            } else if let Ok(permit) = Arc::clone(&refusals).try_acquire_owned() {
                tokio::spawn(async move {
                    let _permit = permit;
                    connection::refuse(stream).await;
                });
            }
            // Beyond that a connection is closed without a word.
        }
        drop(self.listener);
        self.closing.send_replace(true);
        graceful.shutdown().await;
    }
}
