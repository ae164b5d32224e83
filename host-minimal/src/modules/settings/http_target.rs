//! A destination that a manifest allows: a host-source as in a Content-Security-Policy
//! (<https://www.w3.org/TR/CSP3/#match-url-to-source-expression>), without its path.

use std::fmt;
use std::str::FromStr;

use http::Uri;
use serde::{Deserialize, Serialize};

/// Longer than any DNS name with a scheme and a port.
const MAX_BYTES: usize = 300;

/// Where an effect may send requests: `[scheme://]host[:port]`.
///
/// - `api.example.com`: this host, by HTTP at port 80 and by HTTPS at port 443.
/// - `https://api.example.com`: by HTTPS only.
/// - `api.example.com:8443`: at this port only; `api.example.com:*` at every port.
/// - `*.example.com`: every host below `example.com`, but not `example.com` itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct HttpTarget {
    scheme: Option<Scheme>,
    host: Host,
    port: Port,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scheme {
    Http,
    Https,
}

/// In lower case; an IPv6 address in brackets.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Host {
    Exactly(String),
    /// Everything below this.
    Below(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Port {
    OfScheme,
    Exactly(u16),
    Any,
}

/// A text that is not a destination.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{text:?} is not where requests can go: {reason}; write a host as in api.example.com, \
     *.example.com, api.example.com:8443 or https://api.example.com"
)]
pub struct InvalidHttpTarget {
    text: String,
    reason: &'static str,
}

impl HttpTarget {
    /// Whether a request to `uri` goes there.
    pub fn matches(&self, uri: &Uri) -> bool {
        let (Some(scheme), Some(host)) = (uri.scheme_str().and_then(Scheme::read), uri.host())
        else {
            return false;
        };
        let port = uri.port_u16().unwrap_or(scheme.port());
        self.scheme.is_none_or(|own| own == scheme)
            && match self.port {
                Port::OfScheme => port == scheme.port(),
                Port::Exactly(own) => port == own,
                Port::Any => true,
            }
            && self.host.is(&host.to_ascii_lowercase())
    }
}

impl Scheme {
    fn read(text: &str) -> Option<Self> {
        match text {
            "http" => Some(Self::Http),
            "https" => Some(Self::Https),
            _ => None,
        }
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }

    fn port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }
}

impl Host {
    fn is(&self, host: &str) -> bool {
        match self {
            Self::Exactly(own) => host == own,
            Self::Below(parent) => host
                .strip_suffix(parent.as_str())
                .is_some_and(|rest| rest.len() > 1 && rest.ends_with('.')),
        }
    }

    fn read(text: &str) -> Result<Self, &'static str> {
        let text = text.to_ascii_lowercase();
        let name = |text: &str| {
            let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
            let labels = text.split('.');
            let all = labels
                .clone()
                .all(|it| !it.is_empty() && it.bytes().all(fits));
            (all && !text.is_empty()).then(|| text.to_owned())
        };
        if text == "*" {
            return Err("for every host that the server allows, leave `http` away");
        }
        if let Some(parent) = text.strip_prefix("*.") {
            return name(parent)
                .map(Self::Below)
                .ok_or("a `*` stands for the first labels of a name only");
        }
        if let Some(address) = text.strip_prefix('[') {
            let address = address.strip_suffix(']').unwrap_or_default();
            return match address.parse::<std::net::Ipv6Addr>() {
                Ok(_) => Ok(Self::Exactly(text)),
                Err(_) => Err("what is in brackets is no IPv6 address"),
            };
        }
        name(&text)
            .map(Self::Exactly)
            .ok_or("its host is not a name or an address in ASCII")
    }
}

impl Port {
    fn read(text: &str) -> Result<Self, &'static str> {
        if text == "*" {
            return Ok(Self::Any);
        }
        match text.parse() {
            Ok(port) if port > 0 && text.bytes().all(|it| it.is_ascii_digit()) => {
                Ok(Self::Exactly(port))
            }
            _ => Err("its port is not a number between 1 and 65535, or `*`"),
        }
    }
}

impl FromStr for HttpTarget {
    type Err = InvalidHttpTarget;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        read(text).map_err(|reason| InvalidHttpTarget {
            text: text.chars().take(MAX_BYTES).collect(),
            reason,
        })
    }
}

fn read(text: &str) -> Result<HttpTarget, &'static str> {
    if text.len() > MAX_BYTES {
        return Err("it is too long");
    }
    let (scheme, rest) = match text.split_once("://") {
        None => (None, text),
        Some((scheme, rest)) => {
            let scheme = Scheme::read(scheme).ok_or("its scheme is neither http nor https")?;
            (Some(scheme), rest)
        }
    };
    if rest.contains(['/', '?', '#']) {
        return Err("it has a path, and a host is allowed as a whole");
    }
    if rest.contains('@') {
        return Err("it has a user, and credentials are the request's");
    }
    // The last colon, but none of those within an IPv6 address.
    let (host, port) = match rest.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Port::read(port)?),
        _ => (rest, Port::OfScheme),
    };
    Ok(HttpTarget {
        scheme,
        host: Host::read(host)?,
        port,
    })
}

impl fmt::Display for HttpTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(scheme) = self.scheme {
            write!(f, "{}://", scheme.as_str())?;
        }
        match &self.host {
            Host::Exactly(host) => f.write_str(host)?,
            Host::Below(parent) => write!(f, "*.{parent}")?,
        }
        match self.port {
            Port::OfScheme => Ok(()),
            Port::Exactly(port) => write!(f, ":{port}"),
            Port::Any => f.write_str(":*"),
        }
    }
}

impl TryFrom<String> for HttpTarget {
    type Error = InvalidHttpTarget;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<HttpTarget> for String {
    fn from(target: HttpTarget) -> Self {
        target.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn why(text: &str) -> String {
        text.parse::<HttpTarget>().expect_err(text).to_string()
    }

    #[test]
    fn what_is_no_destination_is_refused_with_the_reason() {
        for (text, reason) in [
            ("", "its host is not"),
            ("*", "leave `http` away"),
            ("*:443", "leave `http` away"),
            ("ftp://a.example", "neither http nor https"),
            ("://a", "neither http nor https"),
            ("https://a.example/", "it has a path"),
            ("a.example/v1", "it has a path"),
            ("a.example?x", "it has a path"),
            ("ann@a.example", "it has a user"),
            ("a.example:", "its port"),
            ("a.example:0", "its port"),
            ("a.example:+1", "its port"),
            ("a.example:65536", "its port"),
            ("a.*.example", "its host is not"),
            ("*a.example", "its host is not"),
            ("*.", "first labels"),
            ("*.*.example", "first labels"),
            ("a..example", "its host is not"),
            ("a.example.", "its host is not"),
            ("bücher.example", "its host is not"),
            ("a b", "its host is not"),
            ("::1", "its host is not"),
            ("[::1", "no IPv6 address"),
            ("[::1x]", "no IPv6 address"),
            ("[1.2.3.4]", "no IPv6 address"),
        ] {
            assert!(why(text).contains(reason), "{text}: {}", why(text));
        }
        let long = "a".repeat(MAX_BYTES);
        long.parse::<HttpTarget>().expect("at the limit");
        assert!(why(&format!("{long}a")).contains("too long"));
    }

    #[test]
    fn a_destination_is_written_as_it_is_read() {
        for text in [
            "api.example.com",
            "*.example.com:443",
            "https://api.example.com",
            "http://127.0.0.1:4000",
            "localhost:*",
            "[::1]:80",
            "[::1]",
        ] {
            assert_eq!(text.parse::<HttpTarget>().expect(text).to_string(), text);
        }
    }

    #[test]
    fn a_request_goes_where_scheme_host_and_port_say() {
        for (target, allowed, refused) in [
            (
                "a.example",
                &[
                    "http://a.example/x",
                    "https://A.example",
                    "https://a.example:443/",
                ][..],
                &[
                    "http://a.example:8080/",
                    "https://a.example:80/",
                    "http://b.a.example/",
                    "http://a.example.evil/",
                    "http://a.example@evil/",
                    "http://evil/a.example",
                    "http://a.example./",
                    "ws://a.example/",
                    "/a.example",
                ][..],
            ),
            (
                "https://a.example",
                &["https://u:p@a.example/"],
                &["http://a.example/", "http://a.example:443/"],
            ),
            (
                "*.a.example:443",
                &["https://b.a.example/", "http://c.b.a.example:443/"],
                &[
                    "https://a.example/",
                    "https://.a.example/",
                    "https://xa.example/",
                    "http://b.a.example/",
                ],
            ),
            (
                "127.0.0.1:*",
                &["http://127.0.0.1:1/", "https://127.0.0.1/"],
                &["http://2130706433/", "http://127.1/", "http://localhost:1/"],
            ),
            (
                "[::1]:80",
                &["http://[::1]/", "http://[::1]:80/"],
                &["http://[::1]:81/", "http://[::2]/"],
            ),
        ] {
            let target: HttpTarget = target.parse().expect("a destination");
            // What is no URI at all cannot be asked for.
            let matches = |uri: &str| uri.parse().is_ok_and(|uri: Uri| target.matches(&uri));
            for uri in allowed {
                assert!(matches(uri), "{target} refuses {uri}");
            }
            for uri in refused {
                assert!(!matches(uri), "{target} allows {uri}");
            }
        }
    }
}
