//! How an event lies in the store: payload in the data, user tags and reserved tags in the tags,
//! everything else in the metadata.
//!
//! | reserved tag | finds |
//! |---|---|
//! | `umari.id:ID` | the one event |
//! | `umari.correlation:ID` | a causal chain |
//! | `umari.key:KEY` | what was written under an idempotency key |
//! | `umari.type:TYPE` | a type |
//! | `umari.type:TYPE\|NAME:VALUE` | a type with a domain id: most boundaries |

use std::collections::HashSet;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use umadb_dcb::{DcbEvent, DcbSequencedEvent};
use uuid::Uuid;

use super::error::{Invalid, ReadError};
use super::query::{check_tag, check_type, shorten};
use super::{Author, NewEvent, Provenance, RecordedEvent};
use crate::keys::{KeyError, KeyRing, PayloadBinding};
use crate::limits;

/// What every tag of the host begins with, and no tag of a guest.
const RESERVED_PREFIX: &str = "umari.";

/// The store's own cost of a tag beside its text.
const TAG_OVERHEAD_BYTES: usize = 2;

const TIMESTAMP: &str = "timestamp";
const CORRELATION_ID: &str = "correlation-id";
const CAUSATION_ID: &str = "causation-id";
const TRIGGERING_EVENT_ID: &str = "triggering-event-id";
const IDEMPOTENCY_KEY: &str = "idempotency-key";
const ENCRYPTION_SCOPE: &str = "encryption-scope";
const ENCRYPTION_KEY_ID: &str = "encryption-key-id";
const SCHEMA_VERSION: &str = "schema-version";
const MODULE: &str = "module";
const MODULE_VERSION: &str = "module-version";
const COMMAND: &str = "command";

pub(super) fn is_reserved(tag: &str) -> bool {
    tag.starts_with(RESERVED_PREFIX)
}

pub(super) fn id_tag(id: Uuid) -> String {
    format!("umari.id:{id}")
}

pub(super) fn correlation_tag(id: Uuid) -> String {
    format!("umari.correlation:{id}")
}

pub(super) fn key_tag(key: Uuid) -> String {
    format!("umari.key:{key}")
}

pub(super) fn type_tag(event_type: &str) -> String {
    format!("umari.type:{event_type}")
}

pub(super) fn pair_tag(event_type: &str, tag: &str) -> String {
    format!("umari.type:{event_type}|{tag}")
}

/// An event that has been checked and has its tags, but is not encrypted yet.
pub(super) struct Draft {
    id: Uuid,
    event: NewEvent,
    /// All tags as they are stored: the guest's first.
    tags: Vec<String>,
}

impl Draft {
    /// Checks the event and gives it its tags.
    pub(super) fn new(
        mut event: NewEvent,
        id: Uuid,
        provenance: &Provenance,
    ) -> Result<Self, Invalid> {
        check(&mut event)?;
        let tags = stored_tags(&event, id, provenance);
        let bytes = event.event_type.len()
            + tags
                .iter()
                .map(|tag| tag.len() + TAG_OVERHEAD_BYTES)
                .sum::<usize>();
        if bytes > limits::EVENT_HEAD_BYTES {
            let tags = event.tags.len();
            return Err(Invalid::TagsTooLarge {
                event_type: event.event_type,
                tags,
                bytes,
            });
        }
        Ok(Self { id, event, tags })
    }

    pub(super) fn id(&self) -> Uuid {
        self.id
    }

    pub(super) fn is_encrypted(&self) -> bool {
        self.event.encryption_scope.is_some()
    }

    pub(super) fn payload_bytes(&self) -> usize {
        self.event.payload.len()
    }

    /// Encrypts the event where it asks for it, and puts it into its envelope.
    pub(super) fn seal(
        self,
        timestamp: DateTime<Utc>,
        provenance: &Provenance,
        keys: &KeyRing,
    ) -> Result<DcbEvent, KeyError> {
        let Self { id, event, tags } = self;
        let mut metadata = vec![
            (
                TIMESTAMP.to_owned(),
                timestamp.timestamp_micros().to_string(),
            ),
            (
                CORRELATION_ID.to_owned(),
                provenance.correlation_id.to_string(),
            ),
            (CAUSATION_ID.to_owned(), provenance.causation_id.to_string()),
            (SCHEMA_VERSION.to_owned(), event.schema_version.to_string()),
            (MODULE.to_owned(), provenance.author.module.clone()),
            (MODULE_VERSION.to_owned(), provenance.author.version.clone()),
            (COMMAND.to_owned(), provenance.author.command.clone()),
        ];
        if let Some(trigger) = provenance.triggering_event_id {
            metadata.push((TRIGGERING_EVENT_ID.to_owned(), trigger.to_string()));
        }
        if let Some(key) = provenance.idempotency_key {
            metadata.push((IDEMPOTENCY_KEY.to_owned(), key.to_string()));
        }
        let data = match &event.encryption_scope {
            None => event.payload.into_bytes(),
            Some(scope) => {
                let binding = PayloadBinding {
                    event_id: id,
                    event_type: &event.event_type,
                    scope,
                    tags: &event.tags,
                };
                let (key_id, data) = keys.encrypt(&binding, event.payload.as_bytes())?;
                metadata.push((ENCRYPTION_SCOPE.to_owned(), scope.clone()));
                metadata.push((ENCRYPTION_KEY_ID.to_owned(), key_id.to_string()));
                data
            }
        };
        Ok(DcbEvent {
            event_type: event.event_type,
            tags,
            data,
            uuid: Some(id),
            metadata,
        })
    }
}

/// Checks one event, and drops tags that it repeats.
fn check(event: &mut NewEvent) -> Result<(), Invalid> {
    check_type(&event.event_type)?;
    event.tags.iter().try_for_each(|tag| check_tag(tag))?;
    let mut seen = HashSet::new();
    event.tags.retain(|tag| seen.insert(tag.clone()));
    if event.schema_version == 0 {
        return Err(Invalid::SchemaVersionZero {
            event_type: event.event_type.clone(),
        });
    }
    if let Some(scope) = &event.encryption_scope
        && !event.tags.contains(scope)
    {
        let (event_type, scope) = (event.event_type.clone(), shorten(scope));
        return Err(Invalid::ScopeNotATag { event_type, scope });
    }
    if event.payload.len() > limits::EVENT_PAYLOAD_BYTES {
        let (event_type, bytes) = (event.event_type.clone(), event.payload.len());
        return Err(Invalid::PayloadTooLarge { event_type, bytes });
    }
    Ok(())
}

fn stored_tags(event: &NewEvent, id: Uuid, provenance: &Provenance) -> Vec<String> {
    let mut tags = Vec::with_capacity(2 * event.tags.len() + 4);
    tags.extend(event.tags.iter().cloned());
    tags.push(id_tag(id));
    tags.push(correlation_tag(provenance.correlation_id));
    tags.extend(provenance.idempotency_key.map(key_tag));
    tags.push(type_tag(&event.event_type));
    tags.extend(
        event
            .tags
            .iter()
            .map(|tag| pair_tag(&event.event_type, tag)),
    );
    tags
}

/// Puts an event that another log has told into an envelope again, under the id that it had. A
/// payload that is absent stays so: its data key is taken for shredded.
pub(super) fn restore(event: RecordedEvent, keys: &KeyRing) -> Result<DcbEvent, KeyError> {
    let provenance = Provenance {
        correlation_id: event.correlation_id,
        causation_id: event.causation_id,
        triggering_event_id: event.triggering_event_id,
        idempotency_key: event.idempotency_key,
        author: event.author,
    };
    let shredded = event.payload.is_none();
    let new = NewEvent {
        event_type: event.event_type,
        schema_version: event.schema_version,
        tags: event.tags,
        encryption_scope: event.encryption_scope.clone().filter(|_| !shredded),
        payload: event.payload.unwrap_or_default(),
    };
    let draft = Draft {
        id: event.id,
        tags: stored_tags(&new, event.id, &provenance),
        event: new,
    };
    let mut sealed = draft.seal(event.timestamp, &provenance, keys)?;
    if let (true, Some(scope)) = (shredded, event.encryption_scope) {
        let key_id = event.encryption_key_id.unwrap_or_else(Uuid::now_v7);
        keys.take_for_shredded(&scope, key_id)?;
        let metadata = &mut sealed.metadata;
        metadata.push((ENCRYPTION_SCOPE.to_owned(), scope));
        metadata.push((ENCRYPTION_KEY_ID.to_owned(), key_id.to_string()));
    }
    Ok(sealed)
}

/// Reads an envelope. The payload stays closed: it is the data that comes along.
pub(crate) fn read(stored: DcbSequencedEvent) -> Result<(RecordedEvent, Vec<u8>), ReadError> {
    let position = stored.position;
    let DcbEvent {
        event_type,
        mut tags,
        data,
        uuid,
        metadata,
    } = stored.event;
    let entries = Entries {
        position,
        entries: &metadata,
    };
    let micros: i64 = entries.required(TIMESTAMP)?;
    let timestamp = DateTime::from_timestamp_micros(micros)
        .ok_or_else(|| entries.malformed("its timestamp is out of range"))?;
    let id = uuid.ok_or_else(|| entries.malformed("it has no id"))?;
    tags.retain(|tag| !is_reserved(tag));
    let event = RecordedEvent {
        id,
        position,
        event_type,
        tags,
        timestamp,
        correlation_id: entries.required(CORRELATION_ID)?,
        causation_id: entries.required(CAUSATION_ID)?,
        triggering_event_id: entries.optional(TRIGGERING_EVENT_ID)?,
        idempotency_key: entries.optional(IDEMPOTENCY_KEY)?,
        encryption_scope: entries.optional(ENCRYPTION_SCOPE)?,
        encryption_key_id: entries.optional(ENCRYPTION_KEY_ID)?,
        schema_version: entries.required(SCHEMA_VERSION)?,
        author: Author {
            module: entries.required(MODULE)?,
            version: entries.required(MODULE_VERSION)?,
            command: entries.required(COMMAND)?,
        },
        payload: None,
    };
    Ok((event, data))
}

/// Reads an envelope with its payload, decrypted where it is encrypted.
pub(super) fn open(stored: DcbSequencedEvent, keys: &KeyRing) -> Result<RecordedEvent, ReadError> {
    let (mut event, data) = read(stored)?;
    let (id, position) = (event.id, event.position);
    let bytes = match (&event.encryption_scope, event.encryption_key_id) {
        (None, None) => Some(data),
        (Some(scope), Some(key_id)) => {
            let binding = PayloadBinding {
                event_id: id,
                event_type: &event.event_type,
                scope,
                tags: &event.tags,
            };
            keys.decrypt(key_id, &binding, &data)
                .map_err(|source| match source {
                    KeyError::NotAuthentic => ReadError::Tampered {
                        id,
                        position,
                        key_id,
                    },
                    source => ReadError::Keys {
                        id,
                        position,
                        source,
                    },
                })?
        }
        _ => {
            let reason = "it names an encryption scope or a key, but not both".to_owned();
            return Err(ReadError::Malformed { position, reason });
        }
    };
    event.payload = bytes.map(String::from_utf8).transpose().map_err(|_| {
        let reason = "its payload is not UTF-8 text".to_owned();
        ReadError::Malformed { position, reason }
    })?;
    Ok(event)
}

/// The metadata of one event.
struct Entries<'a> {
    position: u64,
    entries: &'a [(String, String)],
}

impl Entries<'_> {
    fn optional<T: FromStr>(&self, name: &str) -> Result<Option<T>, ReadError> {
        let Some((_, value)) = self.entries.iter().find(|(key, _)| key == name) else {
            return Ok(None);
        };
        let value = value
            .parse()
            .map_err(|_| self.malformed(&format!("its {name} is not valid")))?;
        Ok(Some(value))
    }

    fn required<T: FromStr>(&self, name: &str) -> Result<T, ReadError> {
        self.optional(name)?
            .ok_or_else(|| self.malformed(&format!("it has no {name}")))
    }

    fn malformed(&self, reason: &str) -> ReadError {
        ReadError::Malformed {
            position: self.position,
            reason: reason.to_owned(),
        }
    }
}
