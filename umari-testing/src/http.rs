//! The HTTP target that effects talk to in a scenario: scripted replies, recorded requests.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use serde::Serialize;
use serde_json::Value;
use umari::host::{HttpFailure, HttpRequest, HttpResponse};

/// A scripted answer.
#[derive(Debug, Clone)]
enum Answer {
    Reply(HttpResponse),
    Fails(HttpFailure),
}

/// What is answered at one method and URL: one answer after the other, the last again and again.
#[derive(Debug, Clone)]
struct Script {
    method: String,
    url: String,
    answers: Vec<Answer>,
    given: usize,
}

/// What a server says that cannot do its work.
pub(crate) fn refusal() -> HttpResponse {
    HttpResponse {
        status: 500,
        headers: Vec::new(),
        body: Vec::new(),
    }
}

/// Scripts the HTTP target of an effect; what [`Given::with_http`](crate::Given::with_http) hands
/// to its closure.
///
/// A request that no script answers fails the test.
#[derive(Debug, Default)]
pub struct Http {
    scripts: Rc<RefCell<Vec<Script>>>,
}

impl Clone for Http {
    /// A copy with its own place in every script.
    fn clone(&self) -> Self {
        Self {
            scripts: Rc::new(RefCell::new(self.scripts.borrow().clone())),
        }
    }
}

impl Http {
    /// Scripts `GET url`.
    pub fn get(&self, url: impl Into<String>) -> Route {
        self.request("GET", url)
    }

    /// Scripts `POST url`.
    pub fn post(&self, url: impl Into<String>) -> Route {
        self.request("POST", url)
    }

    /// Scripts `PUT url`.
    pub fn put(&self, url: impl Into<String>) -> Route {
        self.request("PUT", url)
    }

    /// Scripts `PATCH url`.
    pub fn patch(&self, url: impl Into<String>) -> Route {
        self.request("PATCH", url)
    }

    /// Scripts `DELETE url`.
    pub fn delete(&self, url: impl Into<String>) -> Route {
        self.request("DELETE", url)
    }

    /// Scripts any method at `url`. What was scripted there before is replaced.
    pub fn request(&self, method: impl Into<String>, url: impl Into<String>) -> Route {
        let (method, url) = (method.into(), url.into());
        let mut scripts = self.scripts.borrow_mut();
        scripts.retain(|script| script.method != method || script.url != url);
        scripts.push(Script {
            method,
            url,
            answers: Vec::new(),
            given: 0,
        });
        Route {
            scripts: Rc::clone(&self.scripts),
            index: scripts.len() - 1,
        }
    }

    /// The next scripted answer, or `None` where nothing is scripted for the request.
    pub(crate) fn answer(
        &self,
        request: &HttpRequest,
    ) -> Option<Result<HttpResponse, HttpFailure>> {
        let mut scripts = self.scripts.borrow_mut();
        let script = scripts.iter_mut().find(|script| {
            script.method.eq_ignore_ascii_case(&request.method) && script.url == request.url
        })?;
        let last = script.answers.len().checked_sub(1)?;
        let answer = script.answers[script.given.min(last)].clone();
        script.given += 1;
        Some(match answer {
            Answer::Reply(response) => Ok(response),
            Answer::Fails(failure) => Err(failure),
        })
    }

    /// Every scripted request, as `METHOD url`.
    pub(crate) fn routes(&self) -> Vec<String> {
        let scripts = self.scripts.borrow();
        scripts
            .iter()
            .map(|script| format!("{} {}", script.method, script.url))
            .collect()
    }
}

/// The answers at one method and URL.
///
/// Each [`reply`](Route::reply) or [`fails`](Route::fails) adds one; they are given in turn, and
/// the last is given to every further request.
#[derive(Debug)]
pub struct Route {
    scripts: Rc<RefCell<Vec<Script>>>,
    index: usize,
}

impl Route {
    /// Answers with `status` and an empty body.
    pub fn reply(self, status: u16) -> Self {
        self.answer(Answer::Reply(HttpResponse {
            status,
            headers: Vec::new(),
            body: Vec::new(),
        }))
    }

    /// Gives no answer: the request fails with `code`, and in the words that production has for it.
    /// The codes are `timeout`, `destination-not-found`, `destination-unavailable`, `denied`,
    /// `connection-refused`, `connection-terminated`, `tls`, `invalid-request` and
    /// `response-too-large`.
    pub fn fails(self, code: &str) -> Self {
        self.answer(Answer::Fails(HttpFailure {
            code: code.to_owned(),
            message: words(code),
        }))
    }

    /// Gives the last reply a JSON body.
    ///
    /// # Panics
    ///
    /// Panics where no reply was begun, or where `body` does not serialise.
    #[track_caller]
    pub fn json(self, body: impl Serialize) -> Self {
        let body = serde_json::to_vec(&body)
            .unwrap_or_else(|error| panic!("the scripted JSON body does not serialise: {error}"));
        self.last(|response| {
            response
                .headers
                .push(("content-type".to_owned(), "application/json".to_owned()));
            response.body = body;
        })
    }

    /// Gives the last reply a body.
    ///
    /// # Panics
    ///
    /// Panics where no reply was begun.
    #[track_caller]
    pub fn body(self, body: impl Into<Vec<u8>>) -> Self {
        self.last(|response| response.body = body.into())
    }

    /// Adds a header to the last reply.
    ///
    /// # Panics
    ///
    /// Panics where no reply was begun.
    #[track_caller]
    pub fn header(self, name: &str, value: &str) -> Self {
        self.last(|response| response.headers.push((name.to_owned(), value.to_owned())))
    }

    fn answer(self, answer: Answer) -> Self {
        self.scripts.borrow_mut()[self.index].answers.push(answer);
        self
    }

    #[track_caller]
    fn last(self, change: impl FnOnce(&mut HttpResponse)) -> Self {
        match self.scripts.borrow_mut()[self.index].answers.last_mut() {
            Some(Answer::Reply(response)) => change(response),
            _ => panic!("a body or a header belongs to a reply: call `.reply(status)` before it"),
        }
        self
    }
}

/// What the SDK says in a component where the host gives this reason.
fn words(code: &str) -> String {
    let words = match code {
        "timeout" => "no answer arrived in time",
        "destination-not-found" => "the host name cannot be resolved",
        "destination-unavailable" => "the address cannot be reached",
        "denied" => "the umari host does not allow requests to this address",
        "connection-refused" => "the connection was refused",
        "connection-terminated" => "the connection ended before the response did",
        "tls" => "no secure connection could be agreed on",
        "invalid-request" => "the request's method or URL is not valid",
        "response-too-large" => "the response is larger than the umari host allows",
        other => return format!("{other} (scripted by the test)"),
    };
    words.to_owned()
}

/// A request that a test expects of an effect, for
/// [`then_requests`](crate::EffectOutcome::then_requests).
///
/// Method and URL always count; the JSON body and headers only where they are given. A string
/// such as `"POST https://sink.test/hooks"` is a request too.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    pub(crate) method: String,
    pub(crate) url: String,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) json: Option<Value>,
}

impl Request {
    /// Expects any method at `url`.
    pub fn new(method: impl Into<String>, url: impl Into<String>) -> Self {
        Self {
            method: method.into(),
            url: url.into(),
            headers: BTreeMap::new(),
            json: None,
        }
    }

    /// Expects `GET url`.
    pub fn get(url: impl Into<String>) -> Self {
        Self::new("GET", url)
    }

    /// Expects `POST url`.
    pub fn post(url: impl Into<String>) -> Self {
        Self::new("POST", url)
    }

    /// Expects `PUT url`.
    pub fn put(url: impl Into<String>) -> Self {
        Self::new("PUT", url)
    }

    /// Expects `DELETE url`.
    pub fn delete(url: impl Into<String>) -> Self {
        Self::new("DELETE", url)
    }

    /// Expects this JSON body, field by field.
    ///
    /// # Panics
    ///
    /// Panics where `body` does not serialise.
    #[must_use]
    #[track_caller]
    pub fn json(mut self, body: impl Serialize) -> Self {
        self.json =
            Some(serde_json::to_value(&body).unwrap_or_else(|error| {
                panic!("the expected JSON body does not serialise: {error}")
            }));
        self
    }

    /// Expects this header; its name in any case.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers
            .insert(name.to_ascii_lowercase(), value.to_owned());
        self
    }
}

impl From<&str> for Request {
    /// Reads `METHOD url`.
    fn from(line: &str) -> Self {
        match line.split_once(' ') {
            Some((method, url)) => Self::new(method, url.trim()),
            None => Self::get(line),
        }
    }
}
