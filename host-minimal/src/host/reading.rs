//! Reading what projectors keep, and waiting until they know enough.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::OwnedSemaphorePermit;

use super::{Host, Inner};
use crate::limits;
use crate::modules::{ModuleKind, ModuleName};
use crate::read_model::{self, FileError, QueryError, ReadModelAnswer, ReadModelQuery};
use crate::subscriptions::{Phase, Subscription};

/// How far a projector is, seen from a position that somebody waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reached {
    /// The projector.
    pub name: ModuleName,
    /// Everything up to here is handled; 0 where the projector does not run.
    pub position: u64,
    /// Whether that is far enough.
    pub reached: bool,
    /// Why it stands still, if it does.
    pub failure: Option<String>,
}

impl Host {
    /// Answers a question to the read model of an active projector. Runs what blocks on Tokio's
    /// threads for that, so it needs a Tokio runtime.
    ///
    /// # Errors
    ///
    /// See [`QueryError`].
    pub async fn query(
        &self,
        projector: &ModuleName,
        query: ReadModelQuery,
    ) -> Result<ReadModelAnswer, QueryError> {
        check_limits(&query)?;
        let deadline = Instant::now() + query.timeout;
        self.active_projector(projector).await?;
        self.wait_ready(projector, query.min_position, deadline)
            .await?;
        let permit = self.query_permit(deadline).await?;
        let (inner, name) = (Arc::clone(&self.inner), projector.clone());
        let answered = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            // Asked before the file is opened: what is handled by now is in what is read then.
            let reached = inner.reached(&name, 0);
            let path = inner.data_dir.projector_database(&name);
            read_model::answer(&path, &query, reached.position, deadline).map_err(|error| {
                let reason = |none: String| reached.failure.unwrap_or(none);
                match error {
                    FileError::Query(error) => error,
                    FileError::NotReady(none) => QueryError::NotReady {
                        name,
                        reason: reason(none),
                    },
                }
            })
        });
        answered.await.unwrap_or_else(|error| {
            tracing::error!("a query ended in a bug of the host: {error}");
            Err(QueryError::NotReady {
                name: projector.clone(),
                reason: "the host has a bug; its log says more".to_owned(),
            })
        })
    }

    /// Waits until every one of the projectors has handled everything up to `position`, for
    /// `patience` at most; how far each is then. Needs a Tokio runtime.
    pub async fn wait_for_projectors(
        &self,
        projectors: &[ModuleName],
        position: u64,
        patience: Duration,
    ) -> Vec<Reached> {
        let all = async {
            for name in projectors {
                self.inner.wait_reached(name, position).await;
            }
        };
        // Late or not, what is reached is looked at afterwards.
        let _ = tokio::time::timeout(patience, all).await;
        self.projectors_reached(projectors, position)
    }

    /// How far each of the projectors is, seen from `position`.
    pub fn projectors_reached(&self, projectors: &[ModuleName], position: u64) -> Vec<Reached> {
        projectors
            .iter()
            .map(|name| self.inner.reached(name, position))
            .collect()
    }

    /// Makes sure that a version of the projector is active.
    ///
    /// # Errors
    ///
    /// [`QueryError::Unknown`] and [`QueryError::NotActive`] where none is, and
    /// [`QueryError::Modules`] when the module store cannot be read.
    pub async fn active_projector(&self, name: &ModuleName) -> Result<(), QueryError> {
        let (host, asked) = (self.clone(), name.clone());
        let versions =
            tokio::task::spawn_blocking(move || host.versions(ModuleKind::Projector, &asked)).await;
        // Lost only with the runtime, which nobody survives to see.
        let versions = versions.unwrap_or_else(|_| Ok(Vec::new()))?;
        if versions.is_empty() {
            return Err(QueryError::Unknown(name.clone()));
        }
        if versions.iter().any(|version| version.active) {
            return Ok(());
        }
        Err(QueryError::NotActive(name.clone()))
    }

    async fn query_permit(&self, deadline: Instant) -> Result<OwnedSemaphorePermit, QueryError> {
        let permit = Arc::clone(&self.inner.queries).acquire_owned();
        match tokio::time::timeout_at(deadline.into(), permit).await {
            Ok(Ok(permit)) => Ok(permit),
            _ => Err(QueryError::Busy),
        }
    }

    /// Waits until the projector has reached the position, if one is asked for, and has started,
    /// if it can.
    async fn wait_ready(
        &self,
        name: &ModuleName,
        min_position: Option<u64>,
        deadline: Instant,
    ) -> Result<(), QueryError> {
        if min_position.is_none() && !self.inner.is_starting(name) {
            return Ok(());
        }
        let position = min_position.unwrap_or(0);
        let reached = self.inner.wait_reached(name, position);
        let in_time = tokio::time::timeout_at(deadline.into(), reached).await;
        match (in_time, min_position) {
            (Err(_), Some(min_position)) => {
                let reached = self.inner.reached(name, min_position);
                Err(QueryError::Behind {
                    name: reached.name,
                    position: reached.position,
                    min_position,
                    failure: reached.failure,
                })
            }
            // The file may hold what an earlier version left there.
            _ => Ok(()),
        }
    }
}

impl Inner {
    fn reached(&self, name: &ModuleName, position: u64) -> Reached {
        let key = (ModuleKind::Projector, name.clone());
        let status = self
            .subscriptions()
            .get(&key)
            .map(|running| (running.moved(), running.status()));
        let (at, failure) = match status {
            Some((moved, status)) => {
                let paused = status.is_paused().then(|| "it is paused".to_owned());
                let failure = status.failure.map(|failure| failure.message);
                (*moved.borrow(), paused.or(failure))
            }
            None => {
                let broken = self.broken().get(&key).map(|(_, reason)| reason.clone());
                (None, broken.or(Some("it does not run".to_owned())))
            }
        };
        Reached {
            name: key.1,
            position: at.unwrap_or(0),
            reached: at.is_some_and(|at| at >= position),
            failure,
        }
    }

    /// Whether the projector is about to make its read model, or to find it.
    fn is_starting(&self, name: &ModuleName) -> bool {
        let key = (ModuleKind::Projector, name.clone());
        self.subscriptions()
            .get(&key)
            .map(Subscription::status)
            .is_some_and(|status| status.phase == Phase::Starting)
    }

    /// Waits until the projector has handled everything up to `position`, over any number of
    /// versions of it.
    async fn wait_reached(&self, name: &ModuleName, position: u64) {
        let key = (ModuleKind::Projector, name.clone());
        let mut started = self.started.subscribe();
        loop {
            let moved = self.subscriptions().get(&key).map(Subscription::moved);
            if let Some(mut moved) = moved {
                let reached = moved.wait_for(|at| at.is_some_and(|at| at >= position));
                if reached.await.is_ok() {
                    return;
                }
            }
            // It has been stopped, perhaps for another version. The channel lives in `self`.
            let _ = started.changed().await;
        }
    }
}

fn check_limits(query: &ReadModelQuery) -> Result<(), QueryError> {
    let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    let asked = [
        (
            "timeout_ms",
            millis(query.timeout),
            millis(limits::QUERY_TIMEOUT_CAP),
        ),
        ("max_rows", query.max_rows as u64, limits::QUERY_ROWS as u64),
    ];
    match asked.into_iter().find(|(_, given, limit)| given > limit) {
        None => Ok(()),
        Some((what, given, limit)) => Err(QueryError::BeyondLimit { what, given, limit }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::HostConfig;

    #[tokio::test]
    async fn queries_are_counted_and_given_back() {
        let directory = tempfile::tempdir().expect("a directory");
        let host = Host::start(HostConfig::new(directory.path())).expect("a host");
        let now = Instant::now();
        let mut running = Vec::new();
        for _ in 0..limits::CONCURRENT_QUERIES {
            running.push(host.query_permit(now).await.expect("at the limit"));
        }
        let one_past = host.query_permit(now).await;
        assert!(matches!(one_past, Err(QueryError::Busy)), "{one_past:?}");
        drop(running.pop());
        drop(host.query_permit(now).await.expect("one has ended"));
    }
}
