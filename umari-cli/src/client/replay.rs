//! Replays, and read models of the past.

use std::io::Write;

use serde::Deserialize;
use serde_json::Value;

use super::problem::ApiError;
use super::{Client, segment};

/// How a replay is doing.
#[derive(Debug, Clone)]
pub(crate) struct Replay {
    pub(crate) name: String,
    pub(crate) version: String,
    /// The version that runs meanwhile, where it is another one.
    pub(crate) replaces: Option<String>,
    /// The server's word for it.
    pub(crate) state: String,
    pub(crate) position: u64,
    pub(crate) head: u64,
    pub(crate) events_per_second: Option<f64>,
    pub(crate) remaining_seconds: Option<f64>,
    /// Why it was cancelled.
    pub(crate) cancelled: Option<String>,
    pub(crate) failure: Option<ReplayFailure>,
    ended: bool,
    /// The answer as it came.
    pub(crate) raw: Value,
}

/// Why a replay failed.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct ReplayFailure {
    pub(crate) message: String,
    #[serde(default)]
    pub(crate) position: Option<u64>,
}

/// A file that was received.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PastReadModel {
    /// It knows everything up to here.
    pub(crate) position: u64,
    pub(crate) bytes: u64,
}

impl Replay {
    /// Reads a status and keeps the whole of it.
    pub(crate) fn read(raw: Value) -> Result<Self, serde_json::Error> {
        #[derive(Deserialize)]
        struct Known {
            name: String,
            version: String,
            replaces: Option<String>,
            state: String,
            #[serde(default)]
            position: u64,
            #[serde(default)]
            head: u64,
            events_per_second: Option<f64>,
            remaining_seconds: Option<f64>,
            ended_at: Option<String>,
            cancelled: Option<String>,
            failure: Option<ReplayFailure>,
        }
        let known = Known::deserialize(&raw)?;
        Ok(Self {
            name: known.name,
            version: known.version,
            replaces: known.replaces,
            state: known.state,
            position: known.position,
            head: known.head,
            events_per_second: known.events_per_second,
            remaining_seconds: known.remaining_seconds,
            cancelled: known.cancelled,
            failure: known.failure,
            ended: known.ended_at.is_some(),
            raw,
        })
    }

    /// Whether nothing more will happen.
    pub(crate) fn has_ended(&self) -> bool {
        self.ended
    }
}

impl Client {
    /// Begins to build a projector's read model anew.
    pub(crate) fn replay(&self, projector: &str) -> Result<Replay, ApiError> {
        self.replay_call("POST", projector)
    }

    /// How the replay of a projector is doing.
    pub(crate) fn replay_status(&self, projector: &str) -> Result<Replay, ApiError> {
        self.replay_call("GET", projector)
    }

    /// Gives up the replay of a projector.
    pub(crate) fn cancel_replay(&self, projector: &str) -> Result<Replay, ApiError> {
        self.replay_call("DELETE", projector)
    }

    /// Has an effect handle the whole log again.
    pub(crate) fn replay_effect(&self, effect: &str) -> Result<Value, ApiError> {
        let path = format!("/effects/{}/replay", segment(effect));
        self.document("POST", &path, b"", "state")
    }

    /// Writes what a read model said at some time to `to`. There is no limit of time: the server
    /// answers when it has handled the log up to there.
    pub(crate) fn read_model_as_of(
        &self,
        projector: &str,
        until: &str,
        to: &mut impl Write,
    ) -> Result<PastReadModel, ApiError> {
        let (projector, until) = (segment(projector), segment(until));
        let path = format!("/projectors/{projector}/as-of?until={until}");
        let mut answer = self.open(&path, "application/vnd.sqlite3")?;
        let position = answer.headers().get("x-umari-position");
        let position = position.and_then(|it| it.to_str().ok()?.parse().ok());
        let position = position.ok_or_else(|| ApiError::Unexpected {
            url: self.base.clone(),
            why: "it does not say as of which position it is".to_owned(),
        })?;
        let bytes = std::io::copy(&mut answer.body_mut().as_reader(), to)
            .map_err(|error| self.unreachable(error.into()))?;
        Ok(PastReadModel { position, bytes })
    }

    fn replay_call(&self, method: &str, projector: &str) -> Result<Replay, ApiError> {
        let path = format!("/projectors/{}/replay", segment(projector));
        let raw: Value = self.call(method, &path, &[], &[])?;
        Replay::read(raw).map_err(|error| self.unexpected(&error))
    }
}
