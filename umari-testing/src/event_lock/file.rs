//! The lock file: what it holds, how it is read, and how it is written.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io::ErrorKind;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::shape::Shape;

/// The file's name, beside the crate's `Cargo.toml`.
pub(crate) const FILE_NAME: &str = "umari-events.lock";

/// Version of the format.
const LOCK_VERSION: u64 = 1;

const ABOUT: &str = "Events of this crate as stores may hold them, checked by a test. Commit this file; \
                     `UMARI_UPDATE=1 cargo test` adds to it. Remove an entry only where no store holds such an event.";

/// Every event type and version that stores may hold.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct LockFile {
    /// Sorted by name and version.
    entries: BTreeMap<(String, u32), Entry>,
}

/// One version of an event type.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Entry {
    #[serde(rename = "type")]
    pub(crate) event_type: String,
    pub(crate) version: u32,
    pub(crate) domain_ids: Vec<String>,
    /// The domain id whose data key encrypts the payload.
    pub(crate) crypto_scope: Option<String>,
    /// For people who read the file: it follows from the payloads.
    shape: BTreeMap<String, String>,
    /// The oldest first.
    pub(crate) payloads: Vec<Golden>,
}

/// A payload that the code of its time wrote, with the tags that it had.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Golden {
    pub(crate) tags: Vec<String>,
    pub(crate) data: Value,
}

/// Why a lock file cannot be used.
#[derive(Debug)]
pub(crate) enum Unusable {
    /// The operating system says no.
    Io(std::io::Error),
    /// It holds the markers of a merge that is not resolved, the first of them in this line.
    Conflict { line: usize },
    /// It is not the JSON that it should be.
    Malformed(serde_json::Error),
    /// A later release wrote it.
    LaterVersion(Value),
    /// Two entries have the same name and version.
    Twice { event_type: String, version: u32 },
    /// A payload has something among its tags that is none.
    NoTag { event_type: String, tag: String },
    /// An entry has no payload, or another shape than its payloads.
    Edited {
        event_type: String,
        version: u32,
        shape: BTreeMap<String, String>,
        expected: BTreeMap<String, String>,
    },
}

impl fmt::Display for Unusable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => write!(f, "{error}"),
            Self::Conflict { line } => {
                write!(
                    f,
                    "a merge is not resolved: there is a conflict marker in line {line}"
                )
            }
            Self::Malformed(error) => write!(f, "{error}"),
            Self::LaterVersion(version) => write!(
                f,
                "its `lock_version` is {version}, and this release of umari-testing knows {LOCK_VERSION}"
            ),
            Self::Twice {
                event_type,
                version,
            } => write!(f, "it has two entries for `{event_type}` version {version}"),
            Self::NoTag { event_type, tag } => {
                write!(f, "the tag `{tag}` of `{event_type}` is not `name:value`")
            }
            Self::Edited {
                event_type,
                version,
                ..
            } => write!(
                f,
                "the shape of `{event_type}` version {version} is not that of its payloads: \
                 one of them was edited by hand"
            ),
        }
    }
}

/// The whole file, in its order.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    about: String,
    lock_version: u64,
    events: Vec<Entry>,
}

impl LockFile {
    /// `None` where there is no file.
    pub(crate) fn read(path: &Path) -> Result<Option<Self>, Unusable> {
        match std::fs::read_to_string(path) {
            Ok(text) => Self::parse(&text).map(Some),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Unusable::Io(error)),
        }
    }

    fn parse(text: &str) -> Result<Self, Unusable> {
        let marker = |line: &str| line.starts_with("<<<<<<< ") || line.starts_with(">>>>>>> ");
        if let Some(index) = text.lines().position(marker) {
            return Err(Unusable::Conflict { line: index + 1 });
        }
        // Another version may have other fields, so it is looked at before they are.
        let value: Value = serde_json::from_str(text).map_err(Unusable::Malformed)?;
        if let Some(version) = value.get("lock_version")
            && version.as_u64() != Some(LOCK_VERSION)
        {
            return Err(Unusable::LaterVersion(version.clone()));
        }
        let document: Document = serde_json::from_str(text).map_err(Unusable::Malformed)?;
        let mut lock = Self::default();
        for entry in document.events {
            let (event_type, version) = (entry.event_type.clone(), entry.version);
            let expected = entry.expected_shape();
            if entry.shape != expected || entry.payloads.is_empty() {
                return Err(Unusable::Edited {
                    event_type,
                    version,
                    shape: entry.shape,
                    expected,
                });
            }
            let mut tags = entry.payloads.iter().flat_map(|payload| &payload.tags);
            if let Some(tag) = tags.find(|tag| !tag.contains(':')) {
                let tag = tag.clone();
                return Err(Unusable::NoTag { event_type, tag });
            }
            if lock.get(&event_type, version).is_some() {
                return Err(Unusable::Twice {
                    event_type,
                    version,
                });
            }
            lock.insert(entry);
        }
        Ok(lock)
    }

    pub(crate) fn entries(&self) -> impl DoubleEndedIterator<Item = &Entry> {
        self.entries.values()
    }

    pub(crate) fn get(&self, event_type: &str, version: u32) -> Option<&Entry> {
        self.entries.get(&(event_type.to_owned(), version))
    }

    pub(crate) fn insert(&mut self, entry: Entry) {
        let key = (entry.event_type.clone(), entry.version);
        self.entries.insert(key, entry);
    }

    fn render(&self) -> String {
        let document = Document {
            about: ABOUT.to_owned(),
            lock_version: LOCK_VERSION,
            events: self.entries.values().cloned().collect(),
        };
        // Maps with text as keys, numbers and text cannot fail to be JSON.
        let text = serde_json::to_string_pretty(&document).unwrap_or_default();
        text + "\n"
    }

    /// Writes the whole file, or leaves the one that is there: two tests that write at the same
    /// moment do not mix.
    pub(crate) fn write(&self, path: &Path) -> std::io::Result<()> {
        static WRITES: AtomicU64 = AtomicU64::new(0);
        let write = WRITES.fetch_add(1, Ordering::Relaxed);
        let name = format!("{FILE_NAME}.{}-{write}.tmp", std::process::id());
        let temporary = path.with_file_name(name);
        let written = std::fs::write(&temporary, self.render())
            .and_then(|()| std::fs::rename(&temporary, path));
        if written.is_err() {
            // What counts is the first error.
            let _ = std::fs::remove_file(&temporary);
        }
        written
    }
}

impl Entry {
    pub(crate) fn new(
        event_type: &str,
        version: u32,
        domain_ids: Vec<String>,
        crypto_scope: Option<String>,
        payload: Golden,
    ) -> Self {
        let mut entry = Self {
            event_type: event_type.to_owned(),
            version,
            domain_ids,
            crypto_scope,
            shape: BTreeMap::new(),
            payloads: Vec::new(),
        };
        entry.add(payload);
        entry
    }

    pub(crate) fn add(&mut self, payload: Golden) {
        self.payloads.push(payload);
        self.shape = self.expected_shape();
    }

    /// The shape of any of its payloads.
    pub(crate) fn shape(&self) -> Shape {
        Shape::of_all(self.payloads.iter().map(|payload| &payload.data))
    }

    fn expected_shape(&self) -> BTreeMap<String, String> {
        self.shape().to_file()
    }
}

impl Golden {
    /// The names of its tags, in the order of the names, each once.
    pub(crate) fn tag_names(&self) -> Vec<String> {
        let names: BTreeSet<_> = self
            .tags
            .iter()
            .map(|tag| tag.split(':').next().unwrap_or(tag).to_owned())
            .collect();
        names.into_iter().collect()
    }

    pub(crate) fn new(tags: &[String], payload: &str) -> Self {
        let mut tags = tags.to_vec();
        tags.sort_unstable();
        Self {
            tags,
            data: sorted(crate::events::json(payload)),
        }
    }
}

/// The same with members in the order of their names, whatever features `serde_json` has.
fn sorted(data: Value) -> Value {
    match data {
        Value::Object(members) => {
            let members: BTreeMap<_, _> = members.into_iter().collect();
            let members = members
                .into_iter()
                .map(|(name, value)| (name, sorted(value)));
            Value::Object(members.collect())
        }
        Value::Array(elements) => elements.into_iter().map(sorted).collect(),
        leaf => leaf,
    }
}
