//! Projectors and effects on trial: the ways of `projector` and `effect` through a history, but up
//! to its end or the first failure, on the caller's thread.

use std::sync::Arc;

use rusqlite::types::ValueRef;

use super::instance::{Instance, SubscriptionError};
use super::{ModuleFiles, Runtime, effect, projector};
use crate::capabilities::output::Output;
use crate::engine::trap::Crash;
use crate::limits;
use crate::modules::component::{LoadedModule, Services};
use crate::report::chain;
use crate::store::RecordedEvent;
use crate::trial::{Cell, Delivery, ProjectorTrial, Table, TrialFailure};

/// A projector or an effect with its file, outside of any host.
pub(crate) struct Rehearsed {
    runtime: Runtime,
}

impl Rehearsed {
    pub(crate) fn new(module: LoadedModule, services: Services, files: ModuleFiles) -> Self {
        let allowance = module.allowance(&services.settings);
        Self {
            runtime: Runtime {
                module,
                services,
                files,
                output: Output::memory(allowance.output),
                status: Arc::default(),
                stop: Arc::default(),
                parking: Arc::default(),
                first_position: 0,
                one_by_one: Arc::default(),
            },
        }
    }

    /// Runs a projector through the whole log.
    pub(crate) fn project(&self) -> ProjectorTrial {
        let mut instance = match Instance::start(&self.runtime) {
            Ok(instance) => instance,
            Err(error) => return ProjectorTrial::failed(failure(None, &error)),
        };
        let failure = self.catch_up(&mut instance).err();
        match tables(instance.connection()) {
            Ok(tables) => ProjectorTrial { failure, tables },
            Err(error) => ProjectorTrial::failed(TrialFailure {
                position: None,
                message: format!("the tables cannot be read: {error}"),
                panic: None,
            }),
        }
    }

    fn catch_up(&self, instance: &mut Instance) -> Result<(), TrialFailure> {
        let at_start = |error: SubscriptionError| failure(None, &error);
        let query = instance.query().map_err(at_start)?;
        let head = self.runtime.services.log.head();
        let head = head.map_err(|error| at_start(error.into()))?;
        projector::catch_up(&self.runtime, instance, &query, 0, head, &mut 0)
            .map(drop)
            .map_err(|failed| failure(failed.event.as_deref(), &failed.error))
    }

    /// Hands an effect everything after position `after`, and what its commands add.
    pub(crate) fn deliver(&self, after: u64) -> Delivery {
        let mut delivery = Delivery::default();
        let head = self.runtime.services.log.head().unwrap_or(0);
        let shredder = &self.runtime.services.shredder;
        let before = shredder.record().len();
        delivery.failure = self.deliver_all(after, &mut delivery.lanes).err();
        delivery.emitted = self.appended(head);
        let shredded = shredder.record().into_iter().skip(before);
        delivery.shredded = shredded.filter_map(|entry| entry.scope).collect();
        delivery
    }

    fn deliver_all(
        &self,
        mut position: u64,
        lanes: &mut Vec<(u64, Option<String>)>,
    ) -> Result<(), TrialFailure> {
        let log = &self.runtime.services.log;
        let at_start = |error: SubscriptionError| failure(None, &error);
        let mut started = Instance::start(&self.runtime).map_err(at_start)?;
        let query = started.query().map_err(at_start)?;
        let mut kept = Some(started);
        loop {
            let next = log
                .head()
                .and_then(|head| log.read(&query, position, head).next_batch(1));
            let next = next.map_err(|error| at_start(error.into()))?;
            let Some(event) = next.first() else {
                return Ok(());
            };
            let at_event = |error: SubscriptionError| failure(Some(event), &error);
            if lanes.len() == limits::TRIAL_EVENTS {
                return Err(TrialFailure {
                    position: Some(event.position),
                    message: format!(
                        "the effect feeds itself: {} events, and no end",
                        limits::TRIAL_EVENTS
                    ),
                    panic: None,
                });
            }
            let lane = match &mut kept {
                Some(instance) => instance.partition_key(event).map_err(at_event)?,
                None => None,
            };
            lanes.push((event.position, lane));
            effect::deliver(&self.runtime, &mut kept, event, effect::Note::Handled)
                .map_err(at_event)?;
            position = event.position;
        }
    }

    /// What lies after `head`.
    fn appended(&self, head: u64) -> Vec<RecordedEvent> {
        self.runtime
            .services
            .log
            .everything_after(head)
            .unwrap_or_default()
    }
}

fn failure(event: Option<&RecordedEvent>, error: &SubscriptionError) -> TrialFailure {
    let panic = match error {
        SubscriptionError::Crashed {
            crash: Crash::Panic { message, .. },
            ..
        } => Some(message.clone()),
        _ => None,
    };
    TrialFailure {
        position: event.map(|event| event.position),
        message: chain(error),
        panic,
    }
}

/// Every table of the module, by name, without the host's own.
fn tables(connection: &rusqlite::Connection) -> rusqlite::Result<Vec<Table>> {
    let mut names = connection.prepare(
        "SELECT name FROM sqlite_schema WHERE type = 'table'
         AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND name NOT LIKE 'umari\\_%' ESCAPE '\\'
         ORDER BY name",
    )?;
    let names: Vec<String> = names
        .query_map((), |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    names
        .into_iter()
        .map(|name| table(connection, name))
        .collect()
}

fn table(connection: &rusqlite::Connection, name: String) -> rusqlite::Result<Table> {
    let quoted = name.replace('"', "\"\"");
    let mut statement = connection.prepare(&format!("SELECT * FROM \"{quoted}\""))?;
    let columns: Vec<String> = statement.column_names().map(str::to_owned).collect();
    let width = columns.len();
    let rows = statement
        .query_map((), |row| {
            (0..width)
                .map(|column| row.get_ref(column).map(cell))
                .collect()
        })?
        .collect::<Result<_, _>>()?;
    Ok(Table {
        name,
        columns,
        rows,
    })
}

fn cell(value: ValueRef<'_>) -> Cell {
    match value {
        ValueRef::Null => Cell::Null,
        ValueRef::Integer(integer) => Cell::Integer(integer),
        ValueRef::Real(real) => Cell::Real(real),
        ValueRef::Text(text) => Cell::Text(String::from_utf8_lossy(text).into_owned()),
        ValueRef::Blob(blob) => Cell::Blob(blob.to_vec()),
    }
}
