//! The network of an effect in a test: the test process.

use std::sync::atomic::{AtomicUsize, Ordering};

use host_minimal::trial::{Outgoing, OutgoingFailure, OutgoingRequest, OutgoingResponse};

use super::wire::{Answer, HttpRequest, Line};
use super::{hear, say};

/// Asks the test process what is answered.
#[derive(Debug, Default)]
pub(super) struct Asking {
    asked: AtomicUsize,
}

impl Asking {
    /// How many requests there were.
    pub(super) fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }

    fn ask(request: OutgoingRequest) -> anyhow::Result<Answer> {
        let OutgoingRequest {
            method,
            url,
            headers,
            body,
        } = request;
        say(&Line::Send(HttpRequest {
            method,
            url,
            headers,
            body,
        }))?;
        Ok(serde_json::from_str(&hear()?)?)
    }
}

impl Outgoing for Asking {
    fn send(&self, request: OutgoingRequest) -> Result<OutgoingResponse, OutgoingFailure> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        match Self::ask(request) {
            Ok(Answer::Reply {
                status,
                headers,
                body,
            }) => Ok(OutgoingResponse {
                status,
                headers,
                body,
            }),
            Ok(Answer::Fails { code, message }) => Err(OutgoingFailure { code, message }),
            Err(error) => Err(OutgoingFailure {
                code: "other".to_owned(),
                message: error.to_string(),
            }),
        }
    }
}
