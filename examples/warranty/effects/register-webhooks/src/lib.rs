//! Asks the shop platform to tell us about the orders of every shop that is connected.
//!
//! Events may be delivered more than once, and a registration must not be made twice. So for each
//! topic the effect looks into the event log whether it is done, makes the call, and records that
//! it is done. Should it stop between the call and its record, the same `Idempotency-Key` lets the
//! platform recognise the second call.

use anyhow::Context;
use umari::prelude::*;
use warranty::events::{ShopConnected, ShopReconnected};

use crate::commands::{
    RecordWebhookRegistrationCompletedInput, record_webhook_registration_completed,
};
use crate::folds::AlreadyRegisteredFold;

pub mod commands;
pub mod events;
pub mod folds;
#[cfg(test)]
mod tests;

export_effect!(RegisterWebhooks);

/// What we want to hear of.
pub const TOPICS: [&str; 2] = ["orders/paid", "orders/cancelled"];

/// How long the platform may take to accept a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// The events that the effect reacts to.
#[derive(EventSet)]
pub enum Query {
    /// A new shop needs webhooks.
    ShopConnected(ShopConnected),
    /// So does one that was away.
    ShopReconnected(ShopReconnected),
}

/// Registers webhooks at the shop platform.
pub struct RegisterWebhooks {
    client: Client,
    url: String,
}

impl Effect for RegisterWebhooks {
    type Query = Query;

    fn init() -> anyhow::Result<Self> {
        let address = env::var("WEBHOOK_ADDRESS")?;
        Ok(Self {
            client: Client::new(),
            url: format!("{}/webhooks", address.trim_end_matches('/')),
        })
    }

    /// Shops do not wait for each other; the connections of one shop stay in order.
    fn partition_key(&self, event: StoredEvent<Query>) -> Option<String> {
        match event.data {
            Query::ShopConnected(ShopConnected { shop_id, .. })
            | Query::ShopReconnected(ShopReconnected { shop_id, .. }) => Some(shop_id.to_string()),
        }
    }

    fn handle(&mut self, event: StoredEvent<Query>) -> anyhow::Result<()> {
        let (Query::ShopConnected(ShopConnected {
            shop_id,
            shop_domain,
            access_token,
            ..
        })
        | Query::ShopReconnected(ShopReconnected {
            shop_id,
            shop_domain,
            access_token,
            ..
        })) = event.data;

        let registered = registered_topics(shop_id, event.id)?;
        for (topic, registered) in TOPICS.into_iter().zip(registered) {
            if registered {
                continue;
            }
            self.register(event.id, topic, &shop_domain, &access_token)?;
            record_webhook_registration_completed(
                RecordWebhookRegistrationCompletedInput {
                    shop_id,
                    topic: topic.to_string(),
                    current_event_id: event.id,
                },
                CommandContext::new(),
            )?;
        }
        Ok(())
    }
}

/// For each of the topics, in their order: is it registered for this connection? All in one read.
fn registered_topics(shop_id: u64, current_event_id: Uuid) -> Result<Vec<bool>, FoldError> {
    FoldQuery::new()
        .fold_iter(TOPICS.map(|topic| AlreadyRegisteredFold {
            shop_id,
            topic: topic.to_string(),
            current_event_id,
        }))
        .run()
}

impl RegisterWebhooks {
    /// Makes the call. An error goes up to the host, which delivers the event again later.
    fn register(
        &self,
        event_id: Uuid,
        topic: &str,
        shop_domain: &str,
        access_token: &str,
    ) -> anyhow::Result<()> {
        let response = self
            .client
            .post(&self.url)
            .header("Authorization", format!("Bearer {access_token}"))
            .header("Idempotency-Key", format!("{event_id}:{topic}"))
            .json(&json!({ "topic": topic, "shop_domain": shop_domain }))
            .connect_timeout(CONNECT_TIMEOUT)
            .send()
            .with_context(|| format!("failed to register {topic} for {shop_domain}"))?;

        let status = response.status();
        anyhow::ensure!(
            status.is_success(),
            "failed to register {topic} for {shop_domain}: the platform answered {status}"
        );
        Ok(())
    }
}
