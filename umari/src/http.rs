//! Outgoing HTTP requests, for effects.

use std::fmt;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::host::{self, Host, HttpFailure, HttpRequest, HttpResponse};

/// Makes requests. It holds nothing: make one wherever it is needed, or keep it.
#[derive(Debug, Clone, Copy, Default)]
#[non_exhaustive]
pub struct Client {}

macro_rules! methods {
    ($($name:ident $method:literal),+) => {$(
        #[doc = concat!("A `", $method, "` request to an absolute URL.")]
        pub fn $name(&self, url: impl AsRef<str>) -> RequestBuilder {
            self.request($method, url)
        }
    )+};
}

impl Client {
    /// A client.
    #[must_use]
    pub const fn new() -> Self {
        Self {}
    }

    methods!(get "GET", post "POST", put "PUT", patch "PATCH", delete "DELETE", head "HEAD");

    /// A request with any method.
    pub fn request(&self, method: impl AsRef<str>, url: impl AsRef<str>) -> RequestBuilder {
        RequestBuilder {
            request: HttpRequest {
                method: method.as_ref().to_owned(),
                url: url.as_ref().to_owned(),
                headers: Vec::new(),
                body: Vec::new(),
                connect_timeout: None,
                timeout: None,
            },
            failed: None,
        }
    }
}

/// A request in the making.
#[must_use = "a request is made by `send`"]
#[derive(Debug)]
pub struct RequestBuilder {
    request: HttpRequest,
    /// A body that could not be serialised.
    failed: Option<serde_json::Error>,
}

impl RequestBuilder {
    /// Adds a header. A name may be given more than once.
    pub fn header(mut self, name: impl AsRef<str>, value: impl AsRef<str>) -> Self {
        self.request
            .headers
            .push((name.as_ref().to_owned(), value.as_ref().to_owned()));
        self
    }

    /// Sets the body to a value as JSON, and the content type unless a header says another.
    pub fn json<T: Serialize + ?Sized>(mut self, body: &T) -> Self {
        match serde_json::to_vec(body) {
            Ok(body) => self.request.body = body,
            Err(error) => self.failed = Some(error),
        }
        let typed = self
            .request
            .headers
            .iter()
            .any(|(name, _)| name.eq_ignore_ascii_case("content-type"));
        if typed {
            self
        } else {
            self.header("content-type", "application/json")
        }
    }

    /// Sets the body.
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.request.body = body.into();
        self
    }

    /// How long to wait for a connection.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.request.connect_timeout = Some(timeout);
        self
    }

    /// How long to wait for the first byte of the response.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.request.timeout = Some(timeout);
        self
    }

    /// Makes the request and waits for the whole response. One with an error status is a response.
    ///
    /// # Errors
    ///
    /// An [`HttpError`] when no response arrived, or the body could not be serialised.
    #[track_caller]
    pub fn send(self) -> Result<Response, HttpError> {
        if let Some(error) = self.failed {
            return Err(HttpError::Encode(error));
        }
        // A content type that was set after `json` replaces ours.
        let mut request = self.request;
        keep_last_content_type(&mut request.headers);
        let HttpResponse {
            status,
            headers,
            body,
        } = host::with(|host| Host::send(host, request))?;
        Ok(Response {
            status: StatusCode(status),
            headers,
            body,
        })
    }
}

fn keep_last_content_type(headers: &mut Vec<(String, String)>) {
    let is_type = |(name, _): &(String, String)| name.eq_ignore_ascii_case("content-type");
    if let Some(last) = headers.iter().rposition(is_type) {
        let mut place = 0;
        headers.retain(|header| {
            let keep = place == last || !is_type(header);
            place += 1;
            keep
        });
    }
}

/// A response, read to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    status: StatusCode,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Response {
    /// The status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The first header of this name, in any case.
    #[must_use]
    pub fn header(&self, name: impl AsRef<str>) -> Option<&str> {
        let name = name.as_ref();
        self.headers
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// The body's bytes.
    ///
    /// # Errors
    ///
    /// None today; a body that is read piece by piece could fail.
    pub fn body(self) -> Result<Vec<u8>, HttpError> {
        Ok(self.body)
    }

    /// The body as text.
    ///
    /// # Errors
    ///
    /// [`HttpError::Text`] where it is not UTF-8.
    pub fn text(self) -> Result<String, HttpError> {
        String::from_utf8(self.body).map_err(HttpError::Text)
    }

    /// The body as a value in JSON.
    ///
    /// # Errors
    ///
    /// [`HttpError::Decode`] where it does not have that shape.
    pub fn json<T: DeserializeOwned>(self) -> Result<T, HttpError> {
        serde_json::from_slice(&self.body).map_err(HttpError::Decode)
    }
}

/// The status of a response. It compares with integers.
///
/// # Examples
///
/// ```
/// use umari::http::StatusCode;
///
/// let status = StatusCode::from(201);
/// assert!(status.is_success());
/// assert_eq!(status, 201);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StatusCode(u16);

impl StatusCode {
    /// The number.
    #[must_use]
    pub const fn as_u16(self) -> u16 {
        self.0
    }

    /// 200 to 299.
    #[must_use]
    pub const fn is_success(self) -> bool {
        matches!(self.0, 200..=299)
    }

    /// 300 to 399.
    #[must_use]
    pub const fn is_redirection(self) -> bool {
        matches!(self.0, 300..=399)
    }

    /// 400 to 499.
    #[must_use]
    pub const fn is_client_error(self) -> bool {
        matches!(self.0, 400..=499)
    }

    /// 500 to 599.
    #[must_use]
    pub const fn is_server_error(self) -> bool {
        matches!(self.0, 500..=599)
    }
}

impl From<u16> for StatusCode {
    fn from(status: u16) -> Self {
        Self(status)
    }
}

impl From<StatusCode> for u16 {
    fn from(status: StatusCode) -> Self {
        status.0
    }
}

impl fmt::Display for StatusCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

macro_rules! compares {
    ($($integer:ty),+) => {$(
        impl PartialEq<$integer> for StatusCode {
            fn eq(&self, other: &$integer) -> bool {
                i64::from(self.0) == i64::from(*other)
            }
        }

        impl PartialEq<StatusCode> for $integer {
            fn eq(&self, other: &StatusCode) -> bool {
                other == self
            }
        }

        impl PartialOrd<$integer> for StatusCode {
            fn partial_cmp(&self, other: &$integer) -> Option<std::cmp::Ordering> {
                i64::from(self.0).partial_cmp(&i64::from(*other))
            }
        }
    )+};
}

compares!(u16, i32);

/// Why there is no response, or not the expected one.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HttpError {
    /// No response arrived.
    #[error(transparent)]
    Failed(#[from] HttpFailure),
    /// The request's body could not be serialised.
    #[error("the request's body cannot be serialised")]
    Encode(#[source] serde_json::Error),
    /// The response's body does not have the expected shape.
    #[error("the response's body does not have the expected shape")]
    Decode(#[source] serde_json::Error),
    /// The response's body is not UTF-8.
    #[error("the response's body is not UTF-8")]
    Text(#[source] std::string::FromUtf8Error),
}
