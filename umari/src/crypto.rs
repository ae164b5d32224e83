//! Encryption of events, and how an effect makes what they say unreadable.
//!
//! An event with a `#[crypto_scope]` is encrypted: its data, as a whole, with a key of its scope, such as
//! `shop_id:42`. Its type and its domain ids are not, since they are how it is found; so a domain id that
//! tells who somebody is (an e-mail address, a name) stays readable for good. Let it be a number.
//!
//! Nothing is ever removed from the log. Instead the key of a scope is deleted ([`shred`]), and with it
//! what its events said, in every backup of the log too. That they happened stays, and folds, projectors
//! and effects pass over them.
//!
//! # What a projector has written
//!
//! The host cannot know what a projector made of an event, so its rows stay. Two ways lead to rows without
//! it: build the projector again from the first event, which is then built without what is shredded; or
//! write an event when something is shredded, for the projector to delete its rows by, as the example of
//! [`shred`] does.

use chrono::{DateTime, Utc};

use crate::domain_id::DomainIdValue;
use crate::host::{self, Host};

/// What a shredding did.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Shredded {
    /// Data keys that were deleted; 0 for a scope that had none.
    pub keys: u64,
    /// When they were.
    pub at: DateTime<Utc>,
}

impl Shredded {
    /// What a host answers.
    #[must_use]
    pub fn new(keys: u64, at: DateTime<Utc>) -> Self {
        Self { keys, at }
    }
}

/// Why a scope was not shredded, or not completely.
#[cfg_attr(not(target_family = "wasm"), derive(Debug))]
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ShredError {
    /// The scope is no domain id, or the reason is too long. Nothing was shredded.
    #[error("invalid: {0}")]
    Invalid(String),
    /// The keys could not be deleted, or copies may be left. Trying again may succeed, so that an
    /// effect passes the error on.
    #[error("not shredded: {0}")]
    Unavailable(String),
}

/// Makes what every event of the scope `name:value` says unreadable, for good. For effects; a command
/// or a projector that calls this is not activated.
///
/// It is done when this returns, and not undone when the handler fails afterwards. An event shreds a scope
/// once: when it is handled again, after a crash or in a replay, nothing more is shredded, so that what was
/// written since stays. A scope without any encrypted events is no error.
///
/// # Errors
///
/// See [`ShredError`].
///
/// # Panics
///
/// Panics natively where no host is installed.
///
/// # Examples
///
/// ```
/// use umari::crypto;
/// use umari::prelude::*;
/// use umari_testing::prelude::*;
///
/// #[derive(Event, DomainIds, Serialize, Deserialize)]
/// #[event_type("shop.connected")]
/// struct ShopConnected {
///     #[domain_id]
///     #[crypto_scope]
///     shop_id: u64,
///     access_token: String,
/// }
///
/// #[derive(Event, DomainIds, Serialize, Deserialize)]
/// #[event_type("shop.erasure_requested")]
/// struct ErasureRequested {
///     #[domain_id]
///     shop_id: u64,
/// }
///
/// /// For those who keep something of the shop: projectors delete their rows when they see this.
/// #[derive(Event, DomainIds, Serialize, Deserialize)]
/// #[event_type("shop.erased")]
/// struct ShopErased {
///     #[domain_id]
///     shop_id: u64,
/// }
///
/// struct Erase;
///
/// impl Effect for Erase {
///     type Query = SingleEvent<ErasureRequested>;
///
///     fn init() -> anyhow::Result<Self> {
///         Ok(Self)
///     }
///
///     fn handle(&mut self, event: StoredEvent<ErasureRequested>) -> anyhow::Result<()> {
///         let shop_id = event.data.shop_id;
///         crypto::shred("shop_id", shop_id)?;
///         record(Erased { shop_id }, CommandContext::new())?;
///         Ok(())
///     }
/// }
///
/// #[derive(DomainIds)]
/// struct Erased {
///     #[domain_id]
///     shop_id: u64,
/// }
///
/// fn record(input: Erased, context: CommandContext) -> anyhow::Result<ExecuteOutput> {
///     Command::new(input, context).fold::<EventCounter<ShopErased>>().execute(|input, erased| {
///         Ok(match erased {
///             0 => emit![ShopErased { shop_id: input.shop_id }],
///             _ => emit![],
///         })
///     })
/// }
///
/// export_effect!(Erase);
///
/// # fn main() {
/// given(events![ShopConnected { shop_id: 42, access_token: "secret".to_owned() }])
///     .when_event(ErasureRequested { shop_id: 42 })
///     .run::<Erase>()
///     .then(events![ShopErased { shop_id: 42 }])
///     .then_shredded("shop_id", 42)
///     .then_state(EventCounter::<ShopConnected>::new(), 0);
/// # }
/// ```
#[track_caller]
pub fn shred(name: &str, value: impl DomainIdValue) -> Result<Shredded, ShredError> {
    shred_because(name, value, "")
}

/// As [`shred`], with a reason for the record that the host keeps, such as the number of a request: up to
/// 1,024 bytes. The record has the effect and the event that it handles anyway.
///
/// # Errors
///
/// See [`ShredError`].
///
/// # Panics
///
/// As [`shred`].
#[track_caller]
pub fn shred_because(
    name: &str,
    value: impl DomainIdValue,
    reason: impl AsRef<str>,
) -> Result<Shredded, ShredError> {
    let scope = format!("{name}:{}", value.domain_id());
    host::with(|host| Host::shred(host, &scope, reason.as_ref()))
}
