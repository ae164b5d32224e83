//! What has been registered, and how often.

use std::collections::BTreeMap;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

/// How many registrations are kept.
pub(crate) const MAX_REGISTRATIONS: usize = 100_000;

/// What a caller asks for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Webhook {
    /// The shop that the webhook is about.
    pub(crate) shop_domain: String,
    /// What the caller wants to hear of.
    pub(crate) topic: String,
}

/// All registrations, by the key that their caller gave them.
pub(crate) struct Registrations {
    by_key: IndexMap<String, Registration>,
    capacity: usize,
}

struct Registration {
    webhook: Webhook,
    calls: u64,
}

/// What became of one call.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The webhook is registered.
    Registered,
    /// A call with this key had registered it before.
    Duplicate,
    /// A call with this key had registered another webhook.
    KeyReused,
    /// No more registrations are kept.
    Full,
}

/// What callers get to see.
#[derive(Serialize)]
pub(crate) struct Report<'a> {
    /// Registrations, each counted once.
    total: usize,
    /// Calls that repeated one of them.
    duplicates: u64,
    /// The same two numbers for each shop and topic.
    counts: Vec<Count<'a>>,
    /// Every registration, oldest first.
    registrations: Vec<Line<'a>>,
}

#[derive(Serialize)]
struct Count<'a> {
    #[serde(flatten)]
    webhook: &'a Webhook,
    registrations: u64,
    duplicates: u64,
}

#[derive(Serialize)]
struct Line<'a> {
    idempotency_key: &'a str,
    #[serde(flatten)]
    webhook: &'a Webhook,
    calls: u64,
}

impl Registrations {
    pub(crate) fn with_capacity(capacity: usize) -> Self {
        Self {
            by_key: IndexMap::new(),
            capacity,
        }
    }

    /// Counts one call. The key tells a repetition from a second registration.
    pub(crate) fn register(&mut self, key: String, webhook: Webhook) -> Outcome {
        if let Some(known) = self.by_key.get_mut(&key) {
            if known.webhook != webhook {
                return Outcome::KeyReused;
            }
            known.calls += 1;
            return Outcome::Duplicate;
        }
        if self.by_key.len() == self.capacity {
            return Outcome::Full;
        }
        self.by_key.insert(key, Registration { webhook, calls: 1 });
        Outcome::Registered
    }

    pub(crate) fn report(&self) -> Report<'_> {
        let mut counts = BTreeMap::new();
        for Registration { webhook, calls } in self.by_key.values() {
            let (registrations, duplicates) = counts.entry(webhook).or_insert((0, 0));
            *registrations += 1;
            *duplicates += calls - 1;
        }
        Report {
            total: self.by_key.len(),
            duplicates: counts.values().map(|(_, duplicates)| duplicates).sum(),
            counts: counts
                .into_iter()
                .map(|(webhook, (registrations, duplicates))| Count {
                    webhook,
                    registrations,
                    duplicates,
                })
                .collect(),
            registrations: self
                .by_key
                .iter()
                .map(|(idempotency_key, Registration { webhook, calls })| Line {
                    idempotency_key,
                    webhook,
                    calls: *calls,
                })
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn webhook(topic: &str) -> Webhook {
        Webhook {
            shop_domain: "tea.example".into(),
            topic: topic.into(),
        }
    }

    #[test]
    fn a_repeated_key_is_a_duplicate_and_not_a_registration() {
        let mut registrations = Registrations::with_capacity(10);
        let mut register =
            |key: &str, topic: &str| registrations.register(key.into(), webhook(topic));
        assert_eq!(register("a", "orders/paid"), Outcome::Registered);
        assert_eq!(register("a", "orders/paid"), Outcome::Duplicate);
        assert_eq!(register("a", "orders/cancelled"), Outcome::KeyReused);
        assert_eq!(register("b", "orders/paid"), Outcome::Registered);

        let report = serde_json::to_value(registrations.report()).expect("a report");
        assert_eq!(
            report,
            json!({
                "total": 2,
                "duplicates": 1,
                "counts": [{
                    "shop_domain": "tea.example",
                    "topic": "orders/paid",
                    "registrations": 2,
                    "duplicates": 1,
                }],
                "registrations": [
                    {
                        "idempotency_key": "a",
                        "shop_domain": "tea.example",
                        "topic": "orders/paid",
                        "calls": 2,
                    },
                    {
                        "idempotency_key": "b",
                        "shop_domain": "tea.example",
                        "topic": "orders/paid",
                        "calls": 1,
                    },
                ],
            })
        );
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let mut registrations = Registrations::with_capacity(1);
        let mut register = |key: &str| registrations.register(key.into(), webhook("orders/paid"));
        assert_eq!(register("a"), Outcome::Registered);
        assert_eq!(register("b"), Outcome::Full);
        assert_eq!(register("a"), Outcome::Duplicate);
    }
}
