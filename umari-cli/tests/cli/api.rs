//! A client of the server's API, for modules that are the host's fixtures.

use std::time::Instant;

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::PATIENCE;

/// A client of the server's API.
#[derive(Clone)]
pub(crate) struct Api {
    agent: ureq::Agent,
    url: String,
}

/// What came back for a call of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Answer {
    /// It is written, at these positions up to this one.
    Acknowledged { position: u64, ids: Vec<Uuid> },
    /// It is certainly not written.
    Refused(String),
    /// Nothing came back, or the server does not know.
    Unknown,
}

/// An event as the API shows it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(crate) struct Event {
    pub(crate) id: Uuid,
    pub(crate) position: u64,
    pub(crate) event_type: String,
    pub(crate) timestamp: DateTime<Utc>,
    pub(crate) idempotency_key: Option<Uuid>,
    pub(crate) data: Value,
}

/// How an active module is doing.
#[derive(Debug, Deserialize)]
pub(crate) struct Module {
    pub(crate) name: String,
    pub(crate) healthy: bool,
    pub(crate) position: Option<u64>,
    pub(crate) head: u64,
    status: String,
    pub(crate) last_error: Option<Value>,
}

impl Module {
    fn is_caught_up(&self) -> bool {
        self.healthy && self.position.is_none_or(|position| position >= self.head)
    }
}

impl Api {
    /// The API at a URL.
    pub(crate) fn at(url: String) -> Self {
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(PATIENCE))
            .build()
            .into();
        Self { agent, url }
    }

    /// Calls a command that writes.
    pub(crate) fn execute(&self, command: &str, input: &Value, key: Option<Uuid>) -> Answer {
        #[derive(Deserialize)]
        struct Written {
            position: Option<u64>,
            events: Vec<Emitted>,
        }
        #[derive(Deserialize)]
        struct Emitted {
            id: Uuid,
        }
        let url = format!("{}/commands/{command}/execute", self.url);
        let mut request = self.agent.post(url);
        if let Some(key) = key {
            request = request.header("idempotency-key", key.to_string());
        }
        let Ok(mut response) = request.send_json(input) else {
            return Answer::Unknown;
        };
        let Ok(body) = response.body_mut().read_json::<Value>() else {
            return Answer::Unknown;
        };
        let status = response.status().as_u16();
        let code = body["code"].as_str().unwrap_or_default();
        match (status, code) {
            (200, _) => {
                let written: Written = serde_json::from_value(body).expect("an answer");
                Answer::Acknowledged {
                    position: written.position.expect("every call writes"),
                    ids: written.events.into_iter().map(|event| event.id).collect(),
                }
            }
            (409, "conflict") | (503, "store-unavailable" | "shutting-down") => {
                Answer::Refused(code.to_owned())
            }
            (503, "outcome-unknown") => Answer::Unknown,
            _ => panic!("{command} {input} was answered with {status}: {body:#}"),
        }
    }

    /// Stores a version of a module; whether an answer came.
    pub(crate) fn upload(&self, kinds: &str, name: &str, version: &str, module: &Built) -> bool {
        arrived(self.send_module(kinds, name, version, module), &[200, 201])
    }

    /// Tries to store a version of a module; the answer's status and body.
    pub(crate) fn try_upload(
        &self,
        kinds: &str,
        name: &str,
        version: &str,
        module: &Built,
    ) -> (u16, Value) {
        let mut answer = self
            .send_module(kinds, name, version, module)
            .expect("an answer");
        let body = answer.body_mut().read_json().expect("JSON");
        (answer.status().as_u16(), body)
    }

    fn send_module(
        &self,
        kinds: &str,
        name: &str,
        version: &str,
        module: &Built,
    ) -> Result<ureq::http::Response<ureq::Body>, ureq::Error> {
        let url = format!("{}/{kinds}/{name}/versions/{version}", self.url);
        let mut request = self.agent.post(url);
        for (name, value) in &module.env {
            request = request.header("x-umari-env", format!("{name}={value}"));
        }
        request.send(&module.wasm[..])
    }

    /// Makes a version the active one; whether an answer came.
    pub(crate) fn activate(&self, kinds: &str, name: &str, version: &str) -> bool {
        let url = format!("{}/{kinds}/{name}/active", self.url);
        let request = self.agent.put(url);
        arrived(request.send_json(json!({ "version": version })), &[200])
    }

    /// Stops a module.
    pub(crate) fn deactivate(&self, kinds: &str, name: &str) {
        let url = format!("{}/{kinds}/{name}/active", self.url);
        assert!(arrived(self.agent.delete(url).call(), &[204]));
    }

    /// How every active module is doing.
    pub(crate) fn modules(&self) -> Vec<Module> {
        let mut body = self.get("/modules");
        serde_json::from_value(body["modules"].take()).expect("modules")
    }

    /// Waits until every module has handled everything, for as long as one gets on.
    pub(crate) fn wait_caught_up(&self) {
        let mut end = Instant::now() + PATIENCE;
        let mut before = Vec::new();
        loop {
            let modules = self.modules();
            if modules.iter().all(Module::is_caught_up) {
                return;
            }
            let positions: Vec<_> = modules.iter().map(|module| module.position).collect();
            if positions != before {
                end = Instant::now() + PATIENCE;
                before = positions;
            }
            assert!(Instant::now() < end, "they do not catch up: {modules:#?}");
            std::thread::yield_now();
        }
    }

    /// Whether a module is paused, once it has come to rest or to life.
    pub(crate) fn is_paused(&self, name: &str) -> bool {
        loop {
            let modules = self.modules();
            let module = modules.iter().find(|module| module.name == name);
            match module.expect("an active module").status.as_str() {
                "starting" | "pausing" => std::thread::yield_now(),
                status => return status == "paused",
            }
        }
    }

    /// Pauses or resumes a module; whether an answer came.
    pub(crate) fn set_paused(&self, kinds: &str, name: &str, pause: bool) -> bool {
        let action = if pause { "pause" } else { "resume" };
        let url = format!("{}/{kinds}/{name}/{action}", self.url);
        arrived(self.agent.post(url).send_empty(), &[200])
    }

    /// Begins to build a projector's read model anew; whether an answer came. One that a kill has
    /// interrupted goes on by itself, and there is no second beside it.
    pub(crate) fn begin_replay(&self, name: &str) -> bool {
        let url = format!("{}/projectors/{name}/replay", self.url);
        arrived(self.agent.post(url).send_empty(), &[202, 409])
    }

    /// Whether a replay goes on and has not come to this part of the log.
    pub(crate) fn replay_is_short_of(&self, name: &str, part: f64) -> bool {
        #[derive(Deserialize)]
        struct Replay {
            position: u64,
            head: u64,
            ended_at: Option<String>,
        }
        let replay = self.get(&format!("/projectors/{name}/replay"));
        let replay: Replay = serde_json::from_value(replay).expect("a replay");
        replay.ended_at.is_none() && (replay.position as f64) < replay.head as f64 * part
    }

    /// Shreds a scope; whether an answer came.
    pub(crate) fn shred(&self, scope: &str) -> bool {
        let url = format!("{}/keys/{}", self.url, scope.replace(' ', "%20"));
        arrived(self.agent.delete(url).call(), &[200])
    }

    /// Parks an event that an effect fails at; whether it is parked: it may not have failed yet.
    pub(crate) fn park(&self, effect: &str, position: u64) -> Result<bool, NoAnswer> {
        let wish = json!({ "position": position });
        let (status, body) = self.ask("POST", &format!("/effects/{effect}/park"), &wish)?;
        match (status, body["outcome"].as_str(), body["code"].as_str()) {
            (200, Some("parked"), _) => Ok(true),
            // Perhaps an earlier wish was met in between, of which it was said that it would be.
            (202, Some("pending"), _)
            | (409, _, Some("nothing-fails" | "not-failing" | "stopped")) => {
                let path = format!("/effects/{effect}/parked");
                let (_, body) = self.ask("GET", &path, &Value::Null)?;
                let parked = body["parked"].as_array().expect("a list");
                Ok(parked.iter().any(|event| event["position"] == position))
            }
            _ => panic!("{status}: {body:#}"),
        }
    }

    /// Where an effect's parked events are.
    pub(crate) fn parked(&self, effect: &str) -> Vec<u64> {
        let body = self.get(&format!("/effects/{effect}/parked"));
        let parked = body["parked"].as_array().expect("a list").iter();
        parked
            .map(|event| event["position"].as_u64().expect("a position"))
            .collect()
    }

    /// Delivers a parked event once more; what came of it: `handled`, `failed`, `pending`, or
    /// `not-parked`.
    pub(crate) fn retry_parked(&self, effect: &str, position: u64) -> Result<String, NoAnswer> {
        let path = format!("/effects/{effect}/parked/{position}/retry");
        self.parked_event("POST", &path)
    }

    /// Drops a parked event; what came of it: `dropped`, or `not-parked`.
    pub(crate) fn drop_parked(&self, effect: &str, position: u64) -> Result<String, NoAnswer> {
        self.parked_event("DELETE", &format!("/effects/{effect}/parked/{position}"))
    }

    fn parked_event(&self, method: &str, path: &str) -> Result<String, NoAnswer> {
        let (status, body) = self.ask(method, path, &Value::Null)?;
        let outcome = match status {
            200 | 202 => &body["outcome"],
            404 => &body["code"],
            _ => panic!("{path}: {status}: {body:#}"),
        };
        Ok(outcome.as_str().expect("an outcome").to_owned())
    }

    /// Has an effect handle the whole log again; whether an answer came.
    pub(crate) fn replay_effect(&self, name: &str) -> bool {
        let url = format!("{}/effects/{name}/replay", self.url);
        arrived(self.agent.post(url).send_empty(), &[202])
    }

    /// Rotates the master key; whether an answer came.
    pub(crate) fn rotate_master_key(&self) -> bool {
        let url = format!("{}/keys/rotate", self.url);
        arrived(self.agent.post(url).send_empty(), &[200])
    }

    /// How many rotations of the master key are recorded.
    pub(crate) fn rotations(&self) -> usize {
        let body = self.get("/keys/audit?limit=1000");
        assert!(body["next_after"].is_null(), "more than a page");
        let entries = body["entries"].as_array().expect("entries").iter();
        entries.filter(|entry| entry["action"] == "rotate").count()
    }

    fn ask(&self, method: &str, path: &str, body: &Value) -> Result<(u16, Value), NoAnswer> {
        let body = match body {
            Value::Null => String::new(),
            body => body.to_string(),
        };
        let request = ureq::http::Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.url))
            .body(body);
        let response = self.agent.run(request.expect("a request"));
        let mut response = response.map_err(|_| NoAnswer)?;
        let body: Value = response.body_mut().read_json().map_err(|_| NoAnswer)?;
        match body["code"].as_str() {
            Some("shutting-down") => Err(NoAnswer),
            _ => Ok((response.status().as_u16(), body)),
        }
    }

    /// Where a module is.
    pub(crate) fn position(&self, name: &str) -> u64 {
        let modules = self.modules();
        let module = modules.iter().find(|module| module.name == name);
        module.and_then(|module| module.position).unwrap_or(0)
    }

    /// Everything in the log after a position.
    pub(crate) fn events_after(&self, after: u64) -> Vec<Event> {
        self.pages_of_events("", after)
    }

    /// Every event of a type.
    pub(crate) fn events_of_type(&self, event_type: &str) -> Vec<Event> {
        self.pages_of_events(&format!("&type={event_type}"), 0)
    }

    fn pages_of_events(&self, filter: &str, mut after: u64) -> Vec<Event> {
        let mut events = Vec::new();
        loop {
            let mut page = self.get(&format!("/events?limit=1000&after={after}{filter}"));
            let found: Vec<Event> = serde_json::from_value(page["events"].take()).expect("events");
            events.extend(found);
            match page["next_after"].as_u64() {
                Some(next) => after = next,
                None => return events,
            }
        }
    }

    fn get(&self, path: &str) -> Value {
        let response = self.agent.get(format!("{}{path}", self.url)).call();
        let mut response = response.expect("an answer");
        let status = response.status().as_u16();
        let body = response.body_mut().read_json().expect("JSON");
        assert_eq!(status, 200, "{path}: {body:#}");
        body
    }
}

/// No answer came, or that of a server that is being stopped.
#[derive(Debug)]
pub(crate) struct NoAnswer;

/// A component, and its environment.
#[derive(Debug, Clone)]
pub(crate) struct Built {
    pub(crate) wasm: Vec<u8>,
    pub(crate) env: Vec<(String, String)>,
}

/// Whether an answer came, which must then be one of these.
fn arrived(
    answer: Result<ureq::http::Response<ureq::Body>, ureq::Error>,
    statuses: &[u16],
) -> bool {
    let Ok(mut response) = answer else {
        return false;
    };
    let status = response.status().as_u16();
    let body = response.body_mut().read_to_string().unwrap_or_default();
    if status == 503 && body.contains("shutting-down") {
        return false;
    }
    assert!(statuses.contains(&status), "{status}: {body}");
    true
}
