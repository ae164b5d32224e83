//! A host behind the API, and a client of it.

use std::net::SocketAddr;

use host_minimal::api::{Access, Server, ServerSettings};
use serde_json::Value;
use tokio::runtime::Runtime;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::support::TestHost;

/// A host behind a real server.
pub(crate) struct TestServer {
    pub(crate) host: TestHost,
    pub(crate) url: String,
    running: Running,
}

/// What serves, until it is dropped.
struct Running {
    stop: Option<oneshot::Sender<()>>,
    serving: JoinHandle<()>,
    runtime: Runtime,
}

impl TestServer {
    pub(crate) fn start(host: TestHost, access: Access) -> Self {
        Self::start_with(host, access, ServerSettings::default())
    }

    pub(crate) fn start_with(host: TestHost, access: Access, settings: ServerSettings) -> Self {
        let runtime = Runtime::new().expect("a runtime");
        let address = SocketAddr::from(([127, 0, 0, 1], 0));
        let server = runtime
            .block_on(Server::bind_with(
                host.host.clone(),
                address,
                access,
                settings,
            ))
            .expect("a server");
        let url = format!("http://{}", server.local_addr());
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = runtime.spawn(server.run(async {
            let _ = stopped.await;
        }));
        Self {
            host,
            url,
            running: Running {
                stop: Some(stop),
                serving,
                runtime,
            },
        }
    }

    pub(crate) fn with_commands() -> Self {
        Self::start(TestHost::with_commands(), Access::open())
    }

    /// Stops the server, and returns when it has answered everything that had begun.
    pub(crate) fn stop(&mut self) -> &TestHost {
        let Running {
            stop,
            serving,
            runtime,
        } = &mut self.running;
        drop(stop.take());
        runtime.block_on(serving).expect("an end");
        &self.host
    }

    /// Stops serving; the host goes on.
    pub(crate) fn into_host(self) -> TestHost {
        let Self { host, running, .. } = self;
        drop(running);
        host
    }

    pub(crate) fn request(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Reply {
        let agent: ureq::Agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .build()
            .into();
        let mut request = http::Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.url));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut response = agent
            .run(request.body(body).expect("a request"))
            .expect("a reply");
        let content_type = response
            .headers()
            .get("content-type")
            .map_or("", |value| value.to_str().expect("text"));
        let content_type = content_type.to_owned();
        let headers = response.headers().clone();
        let text = response.body_mut().read_to_string().expect("a body");
        let body = if text.is_empty() {
            Value::Null
        } else {
            serde_json::from_str(&text).expect("JSON")
        };
        Reply {
            status: response.status().as_u16(),
            content_type,
            headers,
            body,
        }
    }

    pub(crate) fn get(&self, path: &str) -> Reply {
        self.request("GET", path, &[], b"")
    }

    /// What is answered where that is no JSON.
    pub(crate) fn text(&self, path: &str) -> String {
        let mut answer = ureq::get(format!("{}{path}", self.url))
            .call()
            .expect("a reply");
        answer.body_mut().read_to_string().expect("text")
    }

    pub(crate) fn execute(&self, name: &str, body: &str) -> Reply {
        self.request(
            "POST",
            &format!("/commands/{name}/execute"),
            &[],
            body.as_bytes(),
        )
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.stop.take());
        self.runtime
            .block_on(async { tokio::task::yield_now().await });
    }
}

#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) content_type: String,
    pub(crate) headers: http::HeaderMap,
    pub(crate) body: Value,
}

impl Reply {
    /// The problem's code, after a look at what every problem document has.
    pub(crate) fn problem(&self, status: u16) -> &str {
        assert_eq!(self.status, status, "{self:?}");
        assert_eq!(self.content_type, "application/problem+json");
        assert_eq!(self.body["status"], status);
        assert!(!self.body["title"].as_str().expect("a title").is_empty());
        assert!(!self.body["detail"].as_str().expect("a detail").is_empty());
        let code = self.body["code"].as_str().expect("a code");
        assert_eq!(self.body["type"], format!("urn:umari:problem:{code}"));
        code
    }
}
