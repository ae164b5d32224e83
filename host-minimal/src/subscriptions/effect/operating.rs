//! What an operator does with events that an effect cannot handle.

use std::path::Path;
use std::sync::mpsc::RecvTimeoutError;
use std::time::Instant;

use chrono::{SecondsFormat, Utc};

use super::super::status::Phase;
use super::super::{ModuleFiles, Runtime};
use super::failed::{self, FailedEvent, FailedState, NotParked};
use crate::capabilities::output::Output;
use crate::limits;
use crate::modules::{ModuleName, ModuleStoreError};

/// What became of a request to park an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ParkOutcome {
    /// It is parked.
    Parked(FailedEvent),
    /// It is being tried again, and is parked if that fails as well.
    Pending {
        /// Its position.
        position: u64,
    },
}

/// What became of a parked event that is delivered once more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RetryOutcome {
    /// It is handled, and no longer parked.
    Handled,
    /// It failed again and stays parked, with the new error.
    Failed(FailedEvent),
    /// It waits for its turn in its lane, or is being delivered.
    Pending(FailedEvent),
}

/// Why an operator's wish about an event could not be met.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ParkError {
    /// No effect of this name is stored.
    #[error("there is no effect {0}")]
    Unknown(ModuleName),
    /// No version of the effect is active.
    #[error("the effect {0} is not active: activate one of its versions")]
    NotActive(ModuleName),
    /// Nothing fails.
    #[error("no event blocks the effect {name}, so there is nothing to park{}", because(.failure))]
    NothingFails {
        /// The effect.
        name: ModuleName,
        /// Why it stands still nevertheless, if it does.
        failure: Option<String>,
    },
    /// Another event may fail, but not this one.
    #[error(
        "the effect {name} does not fail at position {position}, and only an event that fails can be \
         parked{}", instead(.failing)
    )]
    NotFailing {
        /// The effect.
        name: ModuleName,
        /// The position that was asked for.
        position: u64,
        /// Where it fails.
        failing: Vec<u64>,
    },
    /// It comes to rest just now.
    #[error("the effect {0} is being paused and still at an event: ask again when it is paused")]
    Pausing(ModuleName),
    /// It stopped before its lane could park anything.
    #[error("the effect {0} stopped before the event could be parked: ask again")]
    Stopped(ModuleName),
    /// As many events are parked as may be.
    #[error(
        "the effect {0} has {most} parked events, which is the limit: deliver or drop some of them",
        most = limits::PARKED_EVENTS
    )]
    Full(ModuleName),
    /// No such event is parked.
    #[error("the effect {name} has no parked event at position {position}")]
    NotParked {
        /// The effect.
        name: ModuleName,
        /// The position that was asked for.
        position: u64,
    },
    /// It is being delivered.
    #[error(
        "the parked event at position {position} is just being delivered by the effect {name}: ask \
         again when that has ended"
    )]
    Delivering {
        /// The effect.
        name: ModuleName,
        /// Its position.
        position: u64,
    },
    /// The effect's database could not be read or written.
    #[error("the database of the effect could not be read or written")]
    Database(#[from] rusqlite::Error),
    /// The module store could not be read.
    #[error(transparent)]
    Modules(#[from] ModuleStoreError),
}

fn because(failure: &Option<String>) -> String {
    let failure = failure.as_ref();
    failure.map_or_else(String::new, |failure| {
        format!("; it stands still because it cannot start: {failure}")
    })
}

fn instead(failing: &[u64]) -> String {
    if failing.is_empty() {
        return String::new();
    }
    let failing: Vec<String> = failing.iter().map(u64::to_string).collect();
    format!("; it fails at {}", failing.join(", "))
}

/// A hold on an effect that is active.
pub(crate) struct EffectHandle {
    pub(in super::super) runtime: Runtime,
}

impl EffectHandle {
    /// Parks an event that fails: the first one where none is named. The effect must not be
    /// resumed meanwhile where it is paused.
    pub(crate) fn park(
        &self,
        phase: Phase,
        position: Option<u64>,
    ) -> Result<ParkOutcome, ParkError> {
        let parked = match phase {
            Phase::Paused => self.park_at_rest(position),
            Phase::Pausing => Err(ParkError::Pausing(self.name())),
            _ => self.park_in_its_lane(position),
        }?;
        if let ParkOutcome::Parked(event) = &parked {
            tracing::info!(
                effect = %self.name(),
                position = event.position,
                event_type = %event.event_type,
                attempts = event.attempts,
                "an event is parked"
            );
        }
        Ok(parked)
    }

    /// Nobody else writes to the database of an effect that is paused.
    fn park_at_rest(&self, position: Option<u64>) -> Result<ParkOutcome, ParkError> {
        let connection = failed::open(&self.runtime.files.database)?;
        let failing = connection.as_ref().map(failed::all_retrying).transpose()?;
        let failing = failing.unwrap_or_default().into_iter();
        let failing: Vec<u64> = failing.map(|event| event.position).collect();
        let position = self.choose(position, failing, None)?;
        let parked = match &connection {
            Some(connection) => failed::park(connection, position),
            None => Err(NotParked::NotFailing),
        };
        self.outcome(position, parked)
    }

    fn park_in_its_lane(&self, position: Option<u64>) -> Result<ParkOutcome, ParkError> {
        let Runtime {
            status,
            stop,
            parking,
            ..
        } = &self.runtime;
        let (failing, at_start) = status.failing();
        let position = self.choose(position, failing, at_start)?;
        let answered = parking.want(position);
        if !status.failing().0.contains(&position) {
            // Handled in this moment, before or after the lane could see the request.
            parking.settled(position);
        }
        stop.nudge();
        match answered.recv_timeout(limits::PARK_PATIENCE) {
            Ok(parked) => self.outcome(position, parked),
            Err(RecvTimeoutError::Timeout) => Ok(ParkOutcome::Pending { position }),
            Err(RecvTimeoutError::Disconnected) => Err(ParkError::Stopped(self.name())),
        }
    }

    fn choose(
        &self,
        asked: Option<u64>,
        failing: Vec<u64>,
        at_start: Option<String>,
    ) -> Result<u64, ParkError> {
        let name = self.name();
        match (asked, failing.first()) {
            (None, Some(first)) => Ok(*first),
            (None, None) => Err(ParkError::NothingFails {
                name,
                failure: at_start,
            }),
            (Some(position), _) if failing.contains(&position) => Ok(position),
            (Some(position), _) => Err(ParkError::NotFailing {
                name,
                position,
                failing,
            }),
        }
    }

    fn outcome(
        &self,
        position: u64,
        parked: Result<FailedEvent, NotParked>,
    ) -> Result<ParkOutcome, ParkError> {
        let name = self.name();
        match parked {
            Ok(event) => Ok(ParkOutcome::Parked(event)),
            Err(NotParked::NotFailing) => {
                let failing = self.runtime.status.failing().0;
                Err(ParkError::NotFailing {
                    name,
                    position,
                    failing,
                })
            }
            Err(NotParked::Full) => Err(ParkError::Full(name)),
            Err(NotParked::Database(error)) => Err(error.into()),
        }
    }

    /// Waits until a queued event has been delivered, for [`limits::PARK_PATIENCE`] at most; what
    /// became of it.
    pub(crate) fn deliver(&self, event: FailedEvent) -> Result<RetryOutcome, ParkError> {
        let Runtime {
            services,
            parking,
            files,
            ..
        } = &self.runtime;
        parking.queued();
        services.log.wake();
        let end = Instant::now() + limits::PARK_PATIENCE;
        let position = event.position;
        let delivered = parking.wait(end, || {
            let now = match failed::open(&files.database)? {
                Some(connection) => failed::parked(&connection, position)?,
                None => None,
            };
            Ok::<_, ParkError>(match now {
                None => Some(RetryOutcome::Handled),
                Some(event) if event.state == FailedState::Parked => {
                    Some(RetryOutcome::Failed(event))
                }
                Some(_) => None,
            })
        })?;
        Ok(delivered.unwrap_or(RetryOutcome::Pending(event)))
    }

    /// Where the effect prints.
    pub(crate) fn output(&self) -> Output {
        self.runtime.output.clone()
    }

    fn name(&self) -> ModuleName {
        self.runtime.module.name().clone()
    }
}

/// Every parked event of the effect with this database.
pub(crate) fn parked(database: &Path) -> rusqlite::Result<Vec<FailedEvent>> {
    match failed::open(database)? {
        Some(connection) => failed::all_parked(&connection),
        None => Ok(Vec::new()),
    }
}

/// Marks a parked event to be delivered once more, when its effect runs.
pub(crate) fn queue(
    name: &ModuleName,
    database: &Path,
    position: u64,
) -> Result<FailedEvent, ParkError> {
    let queued = match failed::open(database)? {
        Some(connection) => failed::queue(&connection, position)?,
        None => None,
    };
    queued.ok_or_else(|| ParkError::NotParked {
        name: name.clone(),
        position,
    })
}

/// Drops a parked event for good, with a line in the effect's `output` that says so.
pub(crate) fn discard(
    name: &ModuleName,
    files: &ModuleFiles,
    output: &Output,
    position: u64,
) -> Result<FailedEvent, ParkError> {
    let dropped = match failed::open(&files.database)? {
        Some(connection) => failed::discard(&connection, position)?,
        None => None,
    };
    let name = name.clone();
    let event = match dropped {
        None => return Err(ParkError::NotParked { name, position }),
        Some(event) if event.state == FailedState::Delivering => {
            return Err(ParkError::Delivering { name, position });
        }
        Some(event) => event,
    };
    let FailedEvent {
        event_id,
        event_type,
        attempts,
        error,
        ..
    } = &event;
    let line = format!(
        "the parked event {position} ({event_type}, {event_id}) is dropped after {attempts} attempts, \
         the last of which failed with: {}",
        error.replace('\n', " ")
    );
    tracing::info!(effect = %name, position, "{line}");
    let now = Utc::now().to_rfc3339_opts(SecondsFormat::Millis, true);
    output.write(format!("{now} umari: {line}\n").as_bytes());
    Ok(event)
}
