//! The lines.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::de::{MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256};
use umadb_dcb::{DcbEvent, DcbSequencedEvent};
use uuid::Uuid;

/// The version of the format that this host writes and reads.
pub(super) const FORMAT: u32 = 1;

/// What stands between a line's content and its chain.
const CHAIN: &str = ",\"chain\":\"";
/// Hexadecimal digits of a chain.
const CHAIN_DIGITS: usize = 64;
/// What ends a line.
const END: &str = "\"}\n";

/// One line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Record {
    Backup(Header),
    Event(EventLine),
    MasterKey(MasterKeyLine),
    Key(KeyLine),
    Shredded(ShreddedLine),
    Broken(String),
    End(Tally),
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Header {
    pub(super) format: u32,
    /// The id of the log's first event; absent where there is none.
    pub(super) log: Option<Uuid>,
    pub(super) after: u64,
    pub(super) after_id: Option<Uuid>,
    pub(super) head: u64,
    /// Whether the data keys come along.
    pub(super) keys: bool,
    /// The version of the host that wrote it.
    pub(super) host: String,
    pub(super) taken_at: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct EventLine {
    pub(super) position: u64,
    pub(super) id: Uuid,
    pub(super) event_type: String,
    pub(super) tags: Vec<String>,
    #[serde(serialize_with = "write_pairs", deserialize_with = "read_pairs")]
    pub(super) metadata: Vec<(String, String)>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) payload: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) base64: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct MasterKeyLine {
    pub(super) proof: Base64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct KeyLine {
    pub(super) id: Uuid,
    pub(super) scope: String,
    pub(super) wrapped: Base64,
    /// Microseconds since 1970.
    pub(super) created_at: i64,
    pub(super) messages: i64,
    pub(super) retired: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ShreddedLine {
    pub(super) scope: String,
    /// A data key of the scope that is missing and has no higher id was shredded.
    pub(super) until: Uuid,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Tally {
    pub(super) events: u64,
    pub(super) keys: u64,
    pub(super) shredded: u64,
}

impl EventLine {
    /// The event of a store; `None` for one without an id, which no host of ours wrote.
    pub(super) fn of(stored: DcbSequencedEvent) -> Option<Self> {
        let DcbEvent {
            event_type,
            tags,
            data,
            uuid,
            metadata,
        } = stored.event;
        let (payload, base64) = match String::from_utf8(data) {
            Ok(text) => (Some(text), None),
            Err(bytes) => (None, Some(STANDARD.encode(bytes.as_bytes()))),
        };
        Some(Self {
            position: stored.position,
            id: uuid?,
            event_type,
            tags,
            metadata,
            payload,
            base64,
        })
    }

    /// The event for a store, or what is wrong with its data.
    pub(super) fn into_stored(self) -> Result<DcbSequencedEvent, String> {
        let data = match (self.payload, self.base64) {
            (Some(text), None) => text.into_bytes(),
            (None, Some(digits)) => STANDARD.decode(digits).map_err(|error| error.to_string())?,
            _ => return Err("an event has either `payload` or `base64`".to_owned()),
        };
        Ok(DcbSequencedEvent {
            position: self.position,
            event: DcbEvent {
                event_type: self.event_type,
                tags: self.tags,
                data,
                uuid: Some(self.id),
                metadata: self.metadata,
            },
            tracking_info: None,
        })
    }
}

/// The link from one line to the next.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Chain([u8; 32]);

impl Chain {
    /// A record as the next line, with its line break.
    pub(super) fn line(&mut self, record: &Record) -> serde_json::Result<String> {
        let mut line = serde_json::to_string(record)?;
        // The object stays open for its last member.
        line.pop();
        self.add(line.as_bytes());
        line.push_str(CHAIN);
        line.push_str(&self.digits());
        line.push_str(END);
        Ok(line)
    }

    /// The object of the next line, closed again; `None` where it is not the next line.
    pub(super) fn unlink(&mut self, line: &str) -> Option<String> {
        let content = line.strip_suffix(END)?;
        let digits = content.len().checked_sub(CHAIN_DIGITS)?;
        let (content, digits) = content.split_at_checked(digits)?;
        let content = content.strip_suffix(CHAIN)?;
        self.add(content.as_bytes());
        (digits == self.digits()).then(|| format!("{content}}}"))
    }

    fn digits(self) -> String {
        hex::encode(self.0)
    }

    fn add(&mut self, content: &[u8]) {
        let hash = Sha256::new().chain_update(self.0).chain_update(content);
        self.0 = hash.finalize().into();
    }
}

/// Bytes that are text in a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Base64(pub(super) Vec<u8>);

impl Serialize for Base64 {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for Base64 {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let digits = String::deserialize(deserializer)?;
        let bytes = STANDARD.decode(digits).map_err(serde::de::Error::custom)?;
        Ok(Self(bytes))
    }
}

/// An object whose members keep their order, as the store keeps it.
fn write_pairs<S: Serializer>(
    pairs: &[(String, String)],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(Some(pairs.len()))?;
    for (name, value) in pairs {
        map.serialize_entry(name, value)?;
    }
    map.end()
}

fn read_pairs<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<(String, String)>, D::Error> {
    struct Pairs;
    impl<'de> Visitor<'de> for Pairs {
        type Value = Vec<(String, String)>;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("an object of strings")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut pairs = Vec::new();
            while let Some(pair) = map.next_entry()? {
                pairs.push(pair);
            }
            Ok(pairs)
        }
    }
    deserializer.deserialize_map(Pairs)
}
