//! Everything that a module needs: `use umari::prelude::*;`.
//!
//! Importing some of these names explicitly beside the glob, from here or from the crate that
//! they come from, is fine.

pub use crate::command::{
    Command, CommandContext, CommandError, Emit, EmittedEvent, ExecuteError, ExecuteOutput,
    Rejection, retry_on_conflict,
};
pub use crate::decider::Decider;
pub use crate::domain_id::{
    DomainIdBindings, DomainIdValue, DomainIdValues, DomainIds, FromDomainIds, FromDomainIdsError,
};
pub use crate::effect::Effect;
pub use crate::env;
pub use crate::event::{
    Event, EventDomainId, EventMetadata, EventSet, SerializationError, SingleEvent, StoredEvent,
};
pub use crate::fold::{
    EventCounter, EventFold, EventState, EventToggle, Fold, FoldError, LatestEvent, ToggleEvents,
    ToggleSide, ToggleState,
};
pub use crate::fold_query::FoldQuery;
#[cfg(feature = "http")]
pub use crate::http::{Client, HttpError, Response, StatusCode};
pub use crate::projector::Projector;
pub use crate::snapshot::Snapshot;
pub use crate::sqlite::{
    ConstraintViolation, ConstraintViolationKind, Row, SqliteError, SqliteValue, Statement,
    execute, execute_batch, last_insert_rowid, prepare, query, query_one, query_row,
};
pub use crate::{emit, export_effect, export_projector, named_params, params};

pub use umari_macros::{DomainIds, Event, EventSet, FromDomainIds, export_command};

pub use chrono::{DateTime, Utc};
pub use serde::{Deserialize, Serialize};
pub use serde_json::json;
pub use std::time::Duration;
pub use uuid::Uuid;

#[cfg(feature = "decimal")]
pub use rust_decimal::Decimal;
#[cfg(feature = "schemars")]
pub use schemars::JsonSchema;
#[cfg(feature = "validator")]
pub use validator::Validate;
