//! The address that a host would listen on.

use std::net::{SocketAddr, TcpListener};

use super::{Check, PATIENCE, State};
use crate::client::Client;
use crate::host;

/// Whether a host could listen on the address, or one does already.
pub(super) fn address(addr: SocketAddr) -> Check {
    const NAME: &str = "address";
    let Err(error) = TcpListener::bind(addr) else {
        return Check::ok(NAME, format!("{addr} is free"));
    };
    if error.kind() != std::io::ErrorKind::AddrInUse {
        return Check::fault(NAME, &host::bind_fault(addr, &error.to_string()));
    }
    match server_health(addr) {
        Some(true) => Check::ok(NAME, format!("an umari server answers on {addr}")),
        Some(false) => Check::new(
            NAME,
            State::Warning,
            format!("an umari server answers on {addr}, and not all its modules run"),
        )
        .fix(format!("see which: umari modules --url http://{addr}")),
        None => Check::fault(
            NAME,
            &host::bind_fault(addr, "another program listens there"),
        ),
    }
}

/// Whether all is well with the server at an address; `None` where it is not one of ours.
fn server_health(addr: SocketAddr) -> Option<bool> {
    let client = Client::with_patience(&host::url_of(addr), None, PATIENCE).ok()?;
    let health = client.health().ok()?;
    // Any server may answer 200: ours says so in a document.
    health.details.get("status")?;
    Some(health.healthy)
}
