//! The effect `my-module`: tells the outside what happened.
//!
//! Events may be delivered more than once. Each call carries the event's id as its
//! `Idempotency-Key`, by which the other side recognises a call that it has seen.

use anyhow::Context;
use umari::prelude::*;

#[cfg(test)]
mod tests;

export_effect!(MyModule);

/// Stands in for an event of `my_app::events`: import yours, and delete it.
#[derive(Event, DomainIds, Serialize, Deserialize)]
#[event_type("something.happened")]
pub struct SomethingHappened {
    /// What it happened to.
    #[domain_id]
    pub id: String,
}

/// The events that the effect reacts to.
#[derive(EventSet)]
pub enum Query {
    /// Is passed on.
    SomethingHappened(SomethingHappened),
}

/// Calls `TARGET_URL`.
pub struct MyModule {
    client: Client,
    url: String,
}

impl Effect for MyModule {
    type Query = Query;

    fn init() -> anyhow::Result<Self> {
        Ok(Self {
            client: Client::new(),
            url: env::var("TARGET_URL")?,
        })
    }

    /// Events with the same key stay in order; others do not wait for them.
    fn partition_key(&self, event: StoredEvent<Query>) -> Option<String> {
        match event.data {
            Query::SomethingHappened(it) => Some(it.id),
        }
    }

    /// Makes the call. An error goes up to the host, which delivers the event again later.
    fn handle(&mut self, event: StoredEvent<Query>) -> anyhow::Result<()> {
        let Query::SomethingHappened(it) = event.data;

        let response = self
            .client
            .post(&self.url)
            .header("Idempotency-Key", event.id.to_string())
            .json(&json!({ "id": it.id }))
            .send()
            .with_context(|| format!("failed to call {}", self.url))?;

        let status = response.status();
        anyhow::ensure!(status.is_success(), "{} answered {status}", self.url);
        Ok(())
    }
}
