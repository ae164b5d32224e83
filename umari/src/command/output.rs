//! What a successful execution did.

use std::fmt;
use std::ops::Deref;
use std::sync::OnceLock;

use indexmap::IndexMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;

use crate::domain_id::{DomainIdBindings, DomainIdValues};
use crate::event::Event;

/// What a successful execution did: its receipt.
///
/// # Examples
///
/// ```
/// use umari::prelude::*;
///
/// #[derive(Event, DomainIds, Serialize, Deserialize)]
/// #[event_type("shop.connected")]
/// struct ShopConnected {
///     #[domain_id]
///     shop_id: u64,
/// }
///
/// let receipt: ExecuteOutput = serde_json::from_value(json!({
///     "position": 7,
///     "events": [{
///         "id": "9a3f4f0e-6a41-4c43-8a38-0d4a2b6f6f11",
///         "event_type": "shop.connected",
///         "domain_ids": {"shop_id": "42"},
///         "tags": ["shop_id:42"],
///     }],
/// }))?;
/// assert!(receipt.has_event::<ShopConnected>());
/// let connected = receipt.events_of::<ShopConnected>().next().unwrap();
/// assert_eq!(connected.domain_ids["shop_id"], "42");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ExecuteOutput {
    /// Position of the last event written. Where an idempotency key had been used before, the
    /// position of the event that carries it; `None` when nothing was, or had been, written.
    pub position: Option<u64>,
    /// The events that this execution wrote.
    pub events: Vec<EmittedEvent>,
}

impl ExecuteOutput {
    /// Whether this execution wrote an `E`.
    #[must_use]
    pub fn has_event<E: Event>(&self) -> bool {
        self.events_of::<E>().next().is_some()
    }

    /// Every `E` that this execution wrote.
    pub fn events_of<E: Event>(&self) -> impl Iterator<Item = &EmittedEvent> {
        self.events
            .iter()
            .filter(|event| event.event_type == E::EVENT_TYPE)
    }
}

/// An event that an execution wrote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EmittedEvent {
    /// Minted by the host.
    pub id: Uuid,
    /// The event type's name.
    pub event_type: String,
    /// Domain ids by name, in the order of the event's fields; of a plural one the first value.
    pub domain_ids: EmittedDomainIds,
    /// Every domain id in the form `name:value`.
    #[serde(default)]
    pub tags: Vec<String>,
}

/// The domain ids of an emitted event: an [`IndexMap`] from names to values, which is made when it
/// is looked at first.
///
/// # Examples
///
/// ```
/// use umari::command::EmittedDomainIds;
///
/// let domain_ids: EmittedDomainIds =
///     [("shop_id", "42"), ("plan_id", "7")].map(|(name, value)| (name.into(), value.into())).into();
/// assert_eq!(domain_ids["shop_id"], "42");
/// assert_eq!(domain_ids.get("order_id"), None);
/// assert_eq!(domain_ids.keys().collect::<Vec<_>>(), ["shop_id", "plan_id"]);
/// ```
// Most commands look at none of their receipts, and a hash map is 7 KB of a module.
#[derive(Clone, Default)]
pub struct EmittedDomainIds {
    values: DomainIdValues,
    map: OnceLock<IndexMap<String, String>>,
}

impl Deref for EmittedDomainIds {
    type Target = IndexMap<String, String>;

    fn deref(&self) -> &IndexMap<String, String> {
        self.map.get_or_init(|| {
            let bindings = DomainIdBindings::from(&self.values).into_iter();
            bindings
                .map(|(name, value)| (name.to_owned(), value))
                .collect()
        })
    }
}

impl From<DomainIdValues> for EmittedDomainIds {
    fn from(values: DomainIdValues) -> Self {
        Self {
            values,
            map: OnceLock::new(),
        }
    }
}

impl From<IndexMap<String, String>> for EmittedDomainIds {
    fn from(map: IndexMap<String, String>) -> Self {
        Self {
            values: DomainIdValues::new(),
            map: OnceLock::from(map),
        }
    }
}

impl<const N: usize> From<[(String, String); N]> for EmittedDomainIds {
    fn from(pairs: [(String, String); N]) -> Self {
        pairs.into_iter().collect()
    }
}

impl FromIterator<(String, String)> for EmittedDomainIds {
    fn from_iter<T: IntoIterator<Item = (String, String)>>(pairs: T) -> Self {
        pairs.into_iter().collect::<IndexMap<_, _>>().into()
    }
}

impl<'a> IntoIterator for &'a EmittedDomainIds {
    type Item = (&'a String, &'a String);
    type IntoIter = indexmap::map::Iter<'a, String, String>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl fmt::Debug for EmittedDomainIds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl PartialEq for EmittedDomainIds {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for EmittedDomainIds {}

impl Serialize for EmittedDomainIds {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (**self).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for EmittedDomainIds {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        IndexMap::deserialize(deserializer).map(Self::from)
    }
}
