//! What may be set of the server's limits.

use std::time::Duration;

use crate::limits;

/// What may be set of the server's limits; the rest is in [`limits`].
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ServerSettings {
    /// Connections that are open at once; more are refused.
    pub connections: usize,
    /// How long a client may take to send its request's head, and how long a connection may be
    /// idle.
    pub head_deadline: Duration,
    /// How long a client may take for the next part of its request's body.
    pub body_patience: Duration,
    /// How long a client may take to send its request's body.
    pub body_deadline: Duration,
    /// How long a client may take to receive the next part of an answer.
    pub answer_patience: Duration,
    /// How long a request may take until its answer begins.
    pub request_deadline: Duration,
}

impl Default for ServerSettings {
    fn default() -> Self {
        Self {
            connections: limits::CONNECTIONS,
            head_deadline: limits::REQUEST_HEAD_DEADLINE,
            body_patience: limits::REQUEST_BODY_PATIENCE,
            body_deadline: limits::REQUEST_BODY_DEADLINE,
            answer_patience: limits::ANSWER_PATIENCE,
            request_deadline: limits::REQUEST_DEADLINE,
        }
    }
}
