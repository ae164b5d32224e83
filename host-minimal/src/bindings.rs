//! The contract as Rust types, and the only place where they meet the host's own.
//!
//! `bindgen!` reads the copies of the WIT packages in `host-minimal/wit`. The world below is not
//! part of the contract: it gathers every interface that the host implements or calls, so that
//! each is generated once.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::store;

wasmtime::component::bindgen!({
    inline: "
        package umari:host-minimal;

        world everything {
            import umari:command/transaction@0.1.0;
            import umari:sqlite/connection@0.1.0;
            import umari:crypto/shredding@0.1.0;
            export umari:projector/handler@0.1.0;
            export umari:effect/handler@0.1.0;
        }
    ",
    path: ["wit/common", "wit/command", "wit/sqlite", "wit/crypto", "wit/projector", "wit/effect"],
    world: "umari:host-minimal/everything",
    imports: { default: trappable },
    with: {
        "umari:command/transaction.transaction": crate::capabilities::transaction::OpenTransaction,
        "umari:sqlite/connection.statement": crate::capabilities::sqlite::StatementHandle,
    },
    require_store_data_send: true,
});

pub(crate) use exports::umari::effect::handler as effect_exports;
pub(crate) use exports::umari::projector::handler as projector_exports;
pub(crate) use umari::command::transaction as transaction_wit;
pub(crate) use umari::command::types as command_wit;
pub(crate) use umari::common::types as common_wit;
pub(crate) use umari::crypto::shredding as crypto_wit;
pub(crate) use umari::sqlite::connection as sqlite_wit;

/// The version of the contract that this host implements.
pub const CONTRACT_VERSION: &str = "0.1.0";

impl From<Uuid> for common_wit::Uuid {
    fn from(id: Uuid) -> Self {
        let (high, low) = id.as_u64_pair();
        Self { high, low }
    }
}

impl From<common_wit::Uuid> for Uuid {
    fn from(id: common_wit::Uuid) -> Self {
        Self::from_u64_pair(id.high, id.low)
    }
}

impl From<common_wit::QueryItem> for store::QueryItem {
    fn from(item: common_wit::QueryItem) -> Self {
        Self {
            types: item.types,
            tags: item.tags,
        }
    }
}

impl From<store::RecordedEvent> for common_wit::StoredEvent {
    fn from(event: store::RecordedEvent) -> Self {
        Self {
            id: event.id.into(),
            position: event.position,
            event_type: event.event_type,
            tags: event.tags,
            timestamp: event.timestamp.timestamp_micros(),
            correlation_id: event.correlation_id.into(),
            causation_id: event.causation_id.into(),
            triggering_event_id: event.triggering_event_id.map(Into::into),
            idempotency_key: event.idempotency_key.map(Into::into),
            encryption_scope: event.encryption_scope,
            encryption_key_id: event.encryption_key_id.map(Into::into),
            schema_version: event.schema_version,
            payload: event.payload,
        }
    }
}

impl From<transaction_wit::NewEvent> for store::NewEvent {
    fn from(event: transaction_wit::NewEvent) -> Self {
        Self {
            event_type: event.event_type,
            schema_version: event.schema_version,
            tags: event.tags,
            encryption_scope: event.encryption_scope,
            payload: event.payload,
        }
    }
}

impl From<store::Receipt> for transaction_wit::Receipt {
    fn from(receipt: store::Receipt) -> Self {
        Self {
            position: receipt.position,
            ids: receipt.ids.into_iter().map(Into::into).collect(),
            timestamp: receipt.timestamp.timestamp_micros(),
        }
    }
}

/// The moment a contract timestamp names, or `None` outside of what a calendar can show.
pub(crate) fn moment(timestamp: common_wit::Timestamp) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp_micros(timestamp)
}
