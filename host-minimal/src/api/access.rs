//! Who may use the API, and for what.

use std::net::IpAddr;

use http::header::{AUTHORIZATION, HOST, ORIGIN};
use http::{HeaderMap, HeaderValue, Uri};
use subtle::ConstantTimeEq;

use super::Problem;
use crate::Host;
use crate::api_keys::{Scope, digest};

/// Who may use the API.
#[derive(Debug, Clone, Default)]
pub struct Access {
    key: Option<[u8; 32]>,
}

/// Who sent a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Caller {
    /// Whoever reaches the address: no key is asked for.
    Anyone,
    /// Who holds the key that the server was started with.
    Operator,
    /// Who holds the API key of this name.
    Key(String),
}

impl Access {
    /// Everyone who can reach the address, until the host has an API key. From then on a key is
    /// asked for.
    pub fn open() -> Self {
        Self::default()
    }

    /// Whoever sends `Authorization: Bearer <key>`, and within their scopes those who send an API
    /// key of the host; `/health` stays open.
    pub fn with_key(key: &str) -> Self {
        Self {
            key: Some(digest(key)),
        }
    }

    /// Whether there is no key that the server was started with.
    pub fn is_open(&self) -> bool {
        self.key.is_none()
    }

    /// Who sent these headers, if they may do what `scope` is asked for.
    pub(super) fn admit(
        &self,
        host: &Host,
        headers: &HeaderMap,
        scope: Scope,
    ) -> Result<Caller, Problem> {
        let api_keys = host.api_keys();
        if self.key.is_none() && api_keys.is_empty() {
            check_origin(headers)?;
            return Ok(Caller::Anyone);
        }
        let key = bearer(headers).ok_or_else(Problem::no_key)?;
        if let Some(expected) = &self.key
            && bool::from(digest(key).ct_eq(expected))
        {
            return Ok(Caller::Operator);
        }
        let admitted = api_keys.admit(key).ok_or_else(Problem::unknown_key)?;
        note_use(host, admitted.id);
        if !admitted.scopes.grants(scope) {
            return Err(Problem::missing_scope(&admitted, scope));
        }
        Ok(Caller::Key(admitted.name))
    }
}

impl std::fmt::Display for Caller {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Anyone => f.write_str("somebody on this machine"),
            Self::Operator => f.write_str("the holder of the server's key"),
            Self::Key(name) => write!(f, "API key {name:?}"),
        }
    }
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, key) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| key.trim())
}

/// A web page in a browser on this machine reaches loopback as well: by a request across origins,
/// or under a name of its own that it lets point here. Both say so in a header.
fn check_origin(headers: &HeaderMap) -> Result<(), Problem> {
    let host = headers.get(HOST).map(|value| local(value, false));
    let origin = headers.get(ORIGIN).map(|value| local(value, true));
    match (host, origin) {
        (Some(false), _) => Err(Problem::foreign_host("Host")),
        (_, Some(false)) => Err(Problem::foreign_host("Origin")),
        _ => Ok(()),
    }
}

/// Whether a header names this machine as its users do.
fn local(value: &HeaderValue, is_origin: bool) -> bool {
    let uri = value
        .to_str()
        .ok()
        .and_then(|text| text.parse::<Uri>().ok());
    let Some(uri) = uri.filter(|uri| uri.scheme().is_some() == is_origin) else {
        return false;
    };
    let host = uri.host().unwrap_or_default();
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || host
            .parse::<IpAddr>()
            .is_ok_and(|address| address.to_canonical().is_loopback())
}

/// Once an hour for each key, beside the request: that it was used is worth knowing, and not worth
/// waiting for the disk.
fn note_use(host: &Host, id: uuid::Uuid) {
    let now = chrono::Utc::now();
    if !host.api_keys().is_use_new(id, now) {
        return;
    }
    let host = host.clone();
    tokio::task::spawn_blocking(move || {
        if let Err(error) = host.api_keys().note_use(id, now) {
            tracing::warn!("the use of an API key could not be noted: {error}");
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_key_only_this_machine_is_answered() {
        let check = |host: &'static str, origin: Option<&'static str>| {
            let mut headers = HeaderMap::new();
            headers.insert(HOST, HeaderValue::from_static(host));
            if let Some(origin) = origin {
                headers.insert(ORIGIN, HeaderValue::from_static(origin));
            }
            check_origin(&headers).is_ok()
        };
        for host in [
            "localhost",
            "LocalHost:3000",
            "127.0.0.1:3000",
            "[::1]:3000",
            "127.1.2.3",
        ] {
            assert!(check(host, None), "{host}");
        }
        for host in [
            "evil.example",
            "localhost.evil.example:3000",
            "10.0.0.1",
            "",
            "a b",
        ] {
            assert!(!check(host, None), "{host}");
        }
        for origin in [
            "http://localhost:8080",
            "http://127.0.0.1:3000",
            "https://[::1]",
        ] {
            assert!(check("localhost", Some(origin)), "{origin}");
        }
        for origin in [
            "http://evil.example",
            "null",
            "http://localhost.evil.example",
            "localhost",
        ] {
            assert!(!check("localhost", Some(origin)), "{origin}");
        }
        assert!(check_origin(&HeaderMap::new()).is_ok());
    }

    #[test]
    fn a_key_is_read_as_a_bearer_token() {
        let read = |value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(AUTHORIZATION, HeaderValue::from_static(value));
            bearer(&headers).map(str::to_owned)
        };
        assert_eq!(read("Bearer a b"), Some("a b".to_owned()));
        assert_eq!(read("bearer  a "), Some("a".to_owned()));
        for other in ["", "a", "Bearer", "Basic a", "Bearera"] {
            assert_eq!(read(other), None, "{other}");
        }
        assert_eq!(bearer(&HeaderMap::new()), None);
    }
}
