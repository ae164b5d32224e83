//! Everything that a scenario has established so far.

use std::collections::BTreeMap;
use std::rc::Rc;

use umari::host::{RawEvent, TransactionError};
use umari::prelude::{DateTime, Utc};

use crate::check::upcast_loss::Upcasts;
use crate::check::{ROUND_TRIP, Waivers};
use crate::engine::ids;
use crate::engine::log::{Log, Origin};
use crate::events::{Events, RoundTrip, check_round_trip};
use crate::http::Http;
use crate::report::story::Story;
use crate::report::{Report, Verdict};

/// Midnight before 2026-01-01 (UTC), in seconds since the Unix epoch: when every scenario begins.
const EPOCH_SECONDS: i64 = 1_767_225_600;

/// The state of a scenario between two steps. Cloning it forks the scenario.
#[derive(Debug, Clone)]
pub(crate) struct World {
    pub(crate) log: Log,
    pub(crate) now: DateTime<Utc>,
    pub(crate) env: BTreeMap<String, String>,
    pub(crate) http: Http,
    pub(crate) story: Story,
    pub(crate) waivers: Waivers,
    /// Why requests without an idempotency key may be repeated after a crash.
    pub(crate) repeats: Option<String>,
    /// What is known of the upcasts that this scenario ran.
    pub(crate) upcasts: Rc<Upcasts>,
    /// How many ids modules and harness have taken.
    pub(crate) fresh_ids: u64,
    /// How events of the types that this scenario has named come back from the log.
    round_trips: Rc<BTreeMap<String, RoundTrip>>,
}

impl World {
    pub(crate) fn new() -> Self {
        Self {
            log: Log::default(),
            now: DateTime::from_timestamp(EPOCH_SECONDS, 0).unwrap_or_default(),
            env: BTreeMap::new(),
            http: Http::default(),
            story: Story::default(),
            waivers: Waivers::default(),
            repeats: None,
            upcasts: Rc::default(),
            fresh_ids: 0,
            round_trips: Rc::default(),
        }
    }

    /// Appends events that the test states as facts, each the end of a call of its own.
    pub(crate) fn append(&mut self, keyword: &'static str, events: &Events) -> Verdict {
        self.learn(events);
        let before = self.log.head();
        for fact in events.facts() {
            let origin = Origin {
                command: "".into(),
                correlation_id: ids::fresh(self.fresh_ids + 1),
                causation_id: ids::fresh(self.fresh_ids + 2),
                triggering_event_id: None,
                idempotency_key: None,
                timestamp: self.now,
            };
            self.fresh_ids += 2;
            self.log.skip(u64::from(fact.gap));
            self.log
                .append(vec![fact.new.clone()], &fact.metadata.apply(origin))
                .map_err(|error| {
                    let cause = match error {
                        TransactionError::Invalid(message) => message,
                        other => other.to_string(),
                    };
                    Report::new(format!("`{}` cannot be stored", fact.new.event_type)).cause(cause)
                })?;
        }
        self.story.events(keyword, self.log.after(before));
        self.check_round_trips(before)
    }

    /// Remembers how events of these types come back.
    pub(crate) fn learn(&mut self, events: &Events) {
        let known = Rc::make_mut(&mut self.round_trips);
        for fact in events.facts() {
            if let Some(round_trip) = fact.round_trip() {
                known.insert(fact.new.event_type.clone(), round_trip);
            }
        }
    }

    /// Check 6, for the events after `position` whose type the scenario has named.
    pub(crate) fn check_round_trips(&self, position: u64) -> Verdict {
        if !self.waivers.runs(ROUND_TRIP) {
            return Ok(());
        }
        self.log
            .after(position)
            .try_for_each(|event| self.check_round_trip(event))
    }

    fn check_round_trip(&self, event: &RawEvent) -> Verdict {
        match self.round_trips.get(&event.event_type) {
            Some(round_trip) => check_round_trip(event, *round_trip),
            None => Ok(()),
        }
    }
}
