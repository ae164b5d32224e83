//! Every route, and the scope that it asks for.

#[cfg(test)]
mod tests;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::handler::Handler;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use axum::routing::{MethodFilter, on};
use http::Method;

use super::access::Access;
use super::{Problem, discard_body};
use crate::Host;
use crate::api_keys::Scope;

/// The routes of the API. There is no other way to add one than to say who may use it.
pub(super) struct Routes {
    host: Host,
    access: Arc<Access>,
    router: Router<Host>,
    table: Vec<Route>,
}

/// One method on one path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Route {
    pub(super) method: Method,
    pub(super) path: String,
    /// What a key must be good for; `None` where none is asked for.
    pub(super) scope: Option<Scope>,
}

#[derive(Clone)]
struct Guard {
    host: Host,
    access: Arc<Access>,
    scope: Scope,
}

impl Routes {
    pub(super) fn new(host: Host, access: Access) -> Self {
        Self {
            host,
            access: Arc::new(access),
            router: Router::new(),
            table: Vec::new(),
        }
    }

    pub(super) fn get<T: 'static>(
        self,
        scope: Scope,
        path: &str,
        handler: impl Handler<T, Host>,
    ) -> Self {
        self.guarded(Method::GET, MethodFilter::GET, scope, path, handler)
    }

    pub(super) fn post<T: 'static>(
        self,
        scope: Scope,
        path: &str,
        handler: impl Handler<T, Host>,
    ) -> Self {
        self.guarded(Method::POST, MethodFilter::POST, scope, path, handler)
    }

    pub(super) fn put<T: 'static>(
        self,
        scope: Scope,
        path: &str,
        handler: impl Handler<T, Host>,
    ) -> Self {
        self.guarded(Method::PUT, MethodFilter::PUT, scope, path, handler)
    }

    pub(super) fn delete<T: 'static>(
        self,
        scope: Scope,
        path: &str,
        handler: impl Handler<T, Host>,
    ) -> Self {
        self.guarded(Method::DELETE, MethodFilter::DELETE, scope, path, handler)
    }

    /// A route that answers without a key.
    pub(super) fn get_open<T: 'static>(
        mut self,
        path: &str,
        handler: impl Handler<T, Host>,
    ) -> Self {
        self.router = self.router.route(path, on(MethodFilter::GET, handler));
        self.listed(Method::GET, path, None)
    }

    /// The router, and the table of what is in it.
    pub(super) fn finish(self) -> (Router<Host>, Vec<Route>) {
        (self.router, self.table)
    }

    fn guarded<T: 'static>(
        mut self,
        method: Method,
        filter: MethodFilter,
        scope: Scope,
        path: &str,
        handler: impl Handler<T, Host>,
    ) -> Self {
        let guard = Guard {
            host: self.host.clone(),
            access: Arc::clone(&self.access),
            scope,
        };
        let route = on(filter, handler).route_layer(from_fn_with_state(guard, authorise));
        self.router = self.router.route(path, route);
        self.listed(method, path, Some(scope))
    }

    fn listed(mut self, method: Method, path: &str, scope: Option<Scope>) -> Self {
        self.table.push(Route {
            method,
            path: path.to_owned(),
            scope,
        });
        self
    }
}

async fn authorise(
    State(guard): State<Guard>,
    mut request: Request,
    next: Next,
) -> Result<Response, Problem> {
    match guard
        .access
        .admit(&guard.host, request.headers(), guard.scope)
    {
        Ok(caller) => {
            request.extensions_mut().insert(caller);
            Ok(next.run(request).await)
        }
        Err(problem) => {
            discard_body(request.into_body()).await;
            Err(problem)
        }
    }
}
