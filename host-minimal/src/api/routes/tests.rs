//! Every route is asked without a key, with too little of one, and with enough of one.

use std::collections::BTreeMap;

use axum::body::Body;
use http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use http::{HeaderMap, StatusCode};
use serde_json::Value;
use tower_service::Service as _;

use crate::HostConfig;
use crate::api::{router, routes};

use super::*;

struct Api {
    host: Host,
    _directory: tempfile::TempDir,
}

impl Api {
    fn start() -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let host = Host::start(HostConfig::new(directory.path())).expect("a host");
        Self {
            host,
            _directory: directory,
        }
    }

    fn table(&self) -> Vec<Route> {
        routes(self.host.clone(), Access::open()).finish().1
    }

    fn key(&self, scope: Scope) -> String {
        let keys = self.host.api_keys();
        let made = keys.create(scope.as_str(), scope.into(), true);
        made.expect("an API key").key
    }

    async fn ask(&self, route: &Route, key: Option<&str>) -> (StatusCode, HeaderMap, Value) {
        let path = route
            .path
            .replace("{name}", "none")
            .replace("{version}", "1.0.0")
            .replace("{id}", "00000000-0000-0000-0000-000000000001")
            .replace("{position}", "1")
            .replace("{scope}", "none:1");
        let mut request = Request::builder().method(&route.method).uri(&path);
        if let Some(key) = key {
            request = request.header(AUTHORIZATION, format!("Bearer {key}"));
        }
        let request = request.body(Body::empty()).expect("a request");
        let mut router = router(self.host.clone(), Access::with_key("operator"));
        let response = router.call(request).await.expect("an answer");
        let (head, body) = response.into_parts();
        let is_problem = head.status.is_client_error() || head.status.is_server_error();
        let body = match is_problem {
            // A stream has no end.
            false => Value::Null,
            true => {
                let body = axum::body::to_bytes(body, 1 << 20).await.expect("a body");
                serde_json::from_slice(&body).expect("a problem document")
            }
        };
        (head.status, head.headers, body)
    }
}

#[tokio::test]
async fn every_route_asks_for_its_scope() {
    let api = Api::start();
    let table = api.table();
    let keys: BTreeMap<Scope, String> = Scope::ALL
        .into_iter()
        .map(|scope| (scope, api.key(scope)))
        .collect();
    assert!(table.len() > 20, "{table:?}");
    for route in &table {
        let Some(required) = route.scope else {
            let (status, ..) = api.ask(route, None).await;
            assert_eq!((route.path.as_str(), status), ("/health", StatusCode::OK));
            continue;
        };
        let (status, headers, body) = api.ask(route, None).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{route:?}");
        assert_eq!(headers[WWW_AUTHENTICATE], "Bearer");
        assert_eq!(body["code"], "unauthorized");
        let (status, headers, _) = api.ask(route, Some("umari_none")).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{route:?}");
        assert_eq!(headers[WWW_AUTHENTICATE], "Bearer error=\"invalid_token\"");

        for (scope, key) in &keys {
            let (status, headers, body) = api.ask(route, Some(key)).await;
            if *scope == required || *scope == Scope::Admin {
                assert_ne!(body["code"], "missing-scope", "{route:?} {scope}");
                assert_ne!(status, StatusCode::UNAUTHORIZED, "{route:?} {scope}");
                continue;
            }
            assert_eq!(status, StatusCode::FORBIDDEN, "{route:?} {scope}");
            assert_eq!(body["code"], "missing-scope");
            assert_eq!(body["required"], required.as_str());
            assert_eq!(body["granted"], serde_json::json!([scope.as_str()]));
            assert_eq!(
                headers[WWW_AUTHENTICATE],
                format!("Bearer error=\"insufficient_scope\", scope=\"{required}\"")
            );
        }
        let (status, ..) = api.ask(route, Some("operator")).await;
        assert_ne!(status, StatusCode::UNAUTHORIZED, "{route:?}");
        assert_ne!(status, StatusCode::FORBIDDEN, "{route:?}");
    }
}

#[tokio::test]
async fn what_only_reads_asks_for_no_more_and_what_changes_for_no_less() {
    for route in Api::start().table() {
        // A backup has the data keys in it.
        let is_about_keys = route.path.contains("keys") || route.path == "/backup";
        let reads = route.method == Method::GET || route.path.ends_with("/query");
        let expected: &[Option<Scope>] = match (is_about_keys, reads) {
            _ if route.path == "/health" => &[None],
            (true, _) => &[Some(Scope::Admin)],
            (false, true) => &[Some(Scope::Read)],
            (false, false) => &[
                Some(Scope::Execute),
                Some(Scope::Deploy),
                Some(Scope::Admin),
            ],
        };
        assert!(expected.contains(&route.scope), "{route:?}");
    }
}
