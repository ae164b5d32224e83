use umari::prelude::*;

/// A shop installed the app for the first time.
///
/// The token and the address belong to somebody: the payload is encrypted with the shop's own
/// key, and deleting that key makes it unreadable for good.
#[derive(Event, DomainIds, Serialize, Deserialize)]
#[event_type("shop.connected")]
pub struct ShopConnected {
    /// The shop's id at the shop platform.
    #[domain_id]
    #[crypto_scope]
    pub shop_id: u64,
    /// Where customers find the shop.
    pub shop_domain: String,
    /// The shop's name, for people.
    pub shop_name: String,
    /// Lets us act on the shop's behalf.
    pub access_token: String,
    /// Where the shop's owner gets mail.
    pub owner_email: String,
}

/// A shop that had been connected before installed the app again.
///
/// It carries the shop's present details, all of which may have changed.
#[derive(Event, DomainIds, Serialize, Deserialize)]
#[event_type("shop.reconnected")]
pub struct ShopReconnected {
    /// The shop's id at the shop platform.
    #[domain_id]
    #[crypto_scope]
    pub shop_id: u64,
    /// Where customers find the shop.
    pub shop_domain: String,
    /// The shop's name, for people.
    pub shop_name: String,
    /// Lets us act on the shop's behalf, in place of every earlier token.
    pub access_token: String,
    /// Where the shop's owner gets mail.
    pub owner_email: String,
}
