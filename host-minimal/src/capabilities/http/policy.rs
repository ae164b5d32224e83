//! Where effects may send requests.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use http::{Method, Uri};

use crate::modules::settings::HttpTarget;

/// Where effects may send requests: by default to public addresses only.
///
/// A server that fetches what its users name must not reach into its own network (server-side
/// request forgery, <https://owasp.org/www-community/attacks/Server_Side_Request_Forgery>).
/// So the host resolves a name once, refuses private addresses, and dials the very address that
/// it checked. Redirects are handed to the module, never followed.
#[derive(Debug, Clone, Default)]
pub struct HttpPolicy {
    private: Vec<Destination>,
    all_loopback: bool,
}

/// A host and port to which requests may go although its address is private.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Destination {
    host: String,
    port: u16,
}

/// Why a destination in a policy could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a destination: write host:port, such as 127.0.0.1:4000 or crm.internal:443")]
pub struct HttpPolicyError(String);

impl HttpPolicy {
    /// Also allows `destination` (`host:port`), whatever address it has.
    ///
    /// # Errors
    ///
    /// [`HttpPolicyError`] when `destination` is not a host and a port.
    pub fn allow(mut self, destination: &str) -> Result<Self, HttpPolicyError> {
        self.private.push(destination.parse()?);
        Ok(self)
    }

    /// Also allows every port of the machine itself, as in development.
    #[must_use]
    pub fn allow_loopback(mut self) -> Self {
        self.all_loopback = true;
        self
    }

    /// Looks at what can be judged before the name is resolved.
    pub(super) fn check(&self, method: &Method, uri: &Uri) -> Result<(), Refused> {
        if method == Method::CONNECT {
            return Err(Refused(
                "CONNECT makes a tunnel, through which everything else could go".into(),
            ));
        }
        match uri.scheme_str() {
            Some("http" | "https") => {}
            other => {
                return Err(Refused(format!(
                    "the scheme {:?} is neither http nor https",
                    other.unwrap_or_default()
                )));
            }
        }
        match uri.host() {
            Some(host) if !host.is_empty() => Ok(()),
            _ => Err(Refused("the URL names no host".into())),
        }
    }

    /// Judges one resolved address of `host`.
    pub(super) fn check_address(
        &self,
        host: &str,
        port: u16,
        address: IpAddr,
    ) -> Result<(), Refused> {
        let address = address.to_canonical();
        let named = self
            .private
            .iter()
            .any(|allowed| allowed.port == port && allowed.host.eq_ignore_ascii_case(host));
        if named || (self.all_loopback && address.is_loopback()) || is_public(address) {
            return Ok(());
        }
        Err(Refused(format!(
            "{host}:{port} is at {address}, which is not a public address; \
             allow it by name if effects may call it"
        )))
    }
}

/// Refuses a user in the authority, which nobody may send (RFC 9110, section 4.2.4): it would stand in
/// `host`, where the other side takes it for a name.
pub(super) fn check_user(uri: &Uri) -> Result<(), Refused> {
    let has_user = uri
        .authority()
        .is_some_and(|authority| authority.as_str().contains('@'));
    if has_user {
        return Err(Refused(
            "the URL has a user: send credentials in the field `authorization`".into(),
        ));
    }
    Ok(())
}

/// Looks whether a module that lists where it sends requests has listed this one.
pub(super) fn check_listed(targets: Option<&[HttpTarget]>, uri: &Uri) -> Result<(), Refused> {
    let Some(targets) = targets else {
        return Ok(());
    };
    if targets.iter().any(|target| target.matches(uri)) {
        return Ok(());
    }
    let (scheme, host) = (uri.scheme_str().unwrap_or_default(), uri.authority());
    let host = host.map_or("", |authority| {
        authority.as_str().rsplit('@').next().unwrap_or("")
    });
    Err(Refused(format!(
        "{scheme}://{host} is not listed under `http` in the module's settings"
    )))
}

impl FromStr for Destination {
    type Err = HttpPolicyError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let refused = || HttpPolicyError(text.to_owned());
        let (host, port) = text.rsplit_once(':').ok_or_else(refused)?;
        let host = host.trim_start_matches('[').trim_end_matches(']');
        if host.is_empty() || host.contains(['/', '@', ' ']) {
            return Err(refused());
        }
        Ok(Self {
            host: host.to_owned(),
            port: port.parse().map_err(|_| refused())?,
        })
    }
}

/// A request was refused by policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refused(String);

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Refused {}

/// Whether an address is reachable on the public internet, by the IANA special-purpose
/// registries (RFC 6890 and its updates).
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    !(address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_broadcast()
        || address.is_multicast()
        || address.is_documentation()
        || a == 0
        || a >= 240
        // Shared address space, RFC 6598.
        || (a == 100 && (64..128).contains(&b))
        // IETF protocol assignments, RFC 6890.
        || (a == 192 && b == 0 && c == 0)
        // Relays of 6to4, RFC 7526.
        || (a == 192 && b == 88 && c == 99)
        // Benchmarking, RFC 2544.
        || (a == 198 && (b == 18 || b == 19)))
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let segments = address.segments();
    // Addresses that carry an IPv4 address are judged by it: NAT64 (RFC 6052) and 6to4 (RFC 3056).
    let embedded = match segments {
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] | [0x2002, high, low, ..] => Some((high, low)),
        _ => None,
    };
    if let Some((high, low)) = embedded {
        let [a, b] = high.to_be_bytes();
        let [c, d] = low.to_be_bytes();
        return is_public_v4(Ipv4Addr::new(a, b, c, d));
    }
    // Global unicast is 2000::/3 alone; documentation (RFC 3849, RFC 9637) and Teredo lie within it.
    (segments[0] & 0xe000) == 0x2000
        && !(segments[0] == 0x2001 && (segments[1] == 0xdb8 || segments[1] < 0x200))
        && !(segments[0] == 0x3fff && segments[1] < 0x1000)
}
