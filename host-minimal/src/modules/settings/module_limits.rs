//! What one module may use, where that is less than what the host allows.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::SettingsError;
use crate::host::Settings;
use crate::limits;
use crate::modules::ModuleKind;

/// What a module may use; `None` is the host's own limit, and nothing may be above it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct ModuleLimits {
    /// Linear memory of one instance, in units of 2^20 bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_mb: Option<u64>,
    /// How long a command may take, and a projector or an effect to start or for one event, in
    /// milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deadline_ms: Option<u64>,
    /// Elements of each of an instance's tables of functions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub table_elements: Option<u64>,
    /// Handles that one instance may hold: transactions, statements, requests, streams.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub handles: Option<u64>,
    /// What one call from the module to the host, or one answer of the module, may carry, in
    /// units of 1,024 bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hostcall_kb: Option<u64>,
    /// Output that is kept in memory, in units of 1,024 bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output_kb: Option<u64>,
    /// Size of a projector's or an effect's log file before it is rotated, in units of 2^20 bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_mb: Option<u64>,
    /// Size of a projector's or an effect's database, in units of 2^20 bytes. A database that is
    /// larger already does not grow further.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sqlite_mb: Option<u64>,
    /// Rows that one query of a projector or an effect returns.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sqlite_rows: Option<u64>,
    /// Text and blobs that one query of a projector or an effect returns, together, in units of
    /// 1,024 bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sqlite_result_kb: Option<u64>,
    /// Length of one text, blob or row in a projector's or an effect's database, in units of 1,024
    /// bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sqlite_value_kb: Option<u64>,
}

/// One limit, as a document names it.
struct Limit {
    key: &'static str,
    given: Option<u64>,
    least: u64,
    /// The host's own.
    most: u64,
    of_database: bool,
}

const KB: u64 = 1 << 10;
const MB: u64 = 1 << 20;
/// Pages of 4 KiB.
const PAGES_PER_MB: u64 = 256;

impl ModuleLimits {
    /// Every limit, with what a host with these settings allows a module of this kind.
    fn each(&self, kind: ModuleKind, host: &Settings) -> [Limit; 11] {
        let of_all = |key, given, most: u64| Limit {
            key,
            given,
            least: 1,
            most,
            of_database: false,
        };
        let of_database = |key, given, most: u64| Limit {
            of_database: true,
            ..of_all(key, given, most)
        };
        let deadline_ms = deadline(kind, host).as_millis();
        [
            of_all("memory_mb", self.memory_mb, host.memory_bytes as u64 / MB),
            of_all(
                "deadline_ms",
                self.deadline_ms,
                u64::try_from(deadline_ms).unwrap_or(u64::MAX),
            ),
            of_all(
                "table_elements",
                self.table_elements,
                limits::GUEST_TABLE_ELEMENTS as u64,
            ),
            of_all("handles", self.handles, limits::GUEST_HANDLES as u64),
            of_all(
                "hostcall_kb",
                self.hostcall_kb,
                limits::HOSTCALL_BYTES as u64 / KB,
            ),
            of_all(
                "output_kb",
                self.output_kb,
                limits::OUTPUT_BYTES as u64 / KB,
            ),
            // Commands have no log file either.
            of_database("log_mb", self.log_mb, limits::LOG_FILE_BYTES / MB),
            of_database(
                "sqlite_mb",
                self.sqlite_mb,
                u64::from(limits::SQLITE_PAGES) / PAGES_PER_MB,
            ),
            of_database("sqlite_rows", self.sqlite_rows, limits::SQLITE_ROWS.into()),
            of_database(
                "sqlite_result_kb",
                self.sqlite_result_kb,
                limits::SQLITE_RESULT_BYTES as u64 / KB,
            ),
            Limit {
                // The host keeps its own rows in the same file.
                least: u64::from(limits::SQLITE_VALUE_LEAST_BYTES.unsigned_abs()) / KB,
                ..of_database(
                    "sqlite_value_kb",
                    self.sqlite_value_kb,
                    u64::from(limits::SQLITE_VALUE_BYTES.unsigned_abs()) / KB,
                )
            },
        ]
    }

    /// What is set, with its key.
    pub(super) fn given(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let all = self.each(ModuleKind::Command, &Settings::default());
        all.into_iter()
            .filter_map(|limit| Some((limit.key, limit.given?)))
    }

    pub(super) fn check(&self, kind: ModuleKind, host: &Settings) -> Result<(), SettingsError> {
        for limit in self.each(kind, host) {
            let Some(given) = limit.given else { continue };
            let Limit {
                key, least, most, ..
            } = limit;
            if limit.of_database && kind == ModuleKind::Command {
                return Err(SettingsError::OtherKind {
                    key: format!("limits.{key}"),
                    kind,
                    reason: "only projectors and effects have a database and a log file",
                });
            }
            if !(least..=most).contains(&given) {
                return Err(SettingsError::Limit {
                    key,
                    given,
                    least,
                    most,
                });
            }
        }
        Ok(())
    }

    /// What a module of this kind may use on a host with these settings, which may allow less than
    /// when the module was stored.
    pub(super) fn allowance(&self, kind: ModuleKind, host: &Settings) -> Allowance {
        Allowance {
            memory_bytes: lower(self.memory_mb, MB, host.memory_bytes),
            deadline: deadline(kind, host).min(
                self.deadline_ms
                    .map_or(Duration::MAX, Duration::from_millis),
            ),
            table_elements: lower(self.table_elements, 1, limits::GUEST_TABLE_ELEMENTS),
            handles: lower(self.handles, 1, limits::GUEST_HANDLES),
            hostcall_bytes: lower(self.hostcall_kb, KB, limits::HOSTCALL_BYTES),
            output: OutputAllowance {
                kept_bytes: lower(self.output_kb, KB, limits::OUTPUT_BYTES),
                log_bytes: lower(self.log_mb, MB, limits::LOG_FILE_BYTES),
            },
            sqlite: SqliteAllowance {
                pages: lower(self.sqlite_mb, PAGES_PER_MB, limits::SQLITE_PAGES),
                rows: lower(self.sqlite_rows, 1, limits::SQLITE_ROWS),
                result_bytes: lower(self.sqlite_result_kb, KB, limits::SQLITE_RESULT_BYTES),
                value_bytes: lower(self.sqlite_value_kb, KB, limits::SQLITE_VALUE_BYTES),
            },
        }
    }
}

fn deadline(kind: ModuleKind, host: &Settings) -> Duration {
    match kind {
        ModuleKind::Command => host.command_deadline,
        ModuleKind::Projector => host.projector_deadline,
        ModuleKind::Effect => host.effect_deadline,
    }
}

/// The lower of the module's own limit and the host's.
fn lower<T: TryFrom<u64> + Ord>(own: Option<u64>, unit: u64, most: T) -> T {
    let own = own.and_then(|own| T::try_from(own.saturating_mul(unit)).ok());
    match own {
        Some(own) => own.min(most),
        // What does not fit is above it.
        None => most,
    }
}

/// What one module may use: the host's own limits, lowered by the module's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Allowance {
    pub(crate) memory_bytes: usize,
    pub(crate) deadline: Duration,
    pub(crate) table_elements: usize,
    pub(crate) handles: usize,
    pub(crate) hostcall_bytes: usize,
    pub(crate) output: OutputAllowance,
    pub(crate) sqlite: SqliteAllowance,
}

/// What a module may print before the oldest of it is forgotten.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct OutputAllowance {
    pub(crate) kept_bytes: usize,
    pub(crate) log_bytes: u64,
}

/// What a module may do with its database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SqliteAllowance {
    pub(crate) pages: u32,
    pub(crate) rows: u32,
    pub(crate) result_bytes: usize,
    pub(crate) value_bytes: i32,
}

impl Default for OutputAllowance {
    fn default() -> Self {
        Self {
            kept_bytes: limits::OUTPUT_BYTES,
            log_bytes: limits::LOG_FILE_BYTES,
        }
    }
}

impl Default for SqliteAllowance {
    fn default() -> Self {
        Self {
            pages: limits::SQLITE_PAGES,
            rows: limits::SQLITE_ROWS,
            result_bytes: limits::SQLITE_RESULT_BYTES,
            value_bytes: limits::SQLITE_VALUE_BYTES,
        }
    }
}
