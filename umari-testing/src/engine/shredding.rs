//! What an effect shreds.

use umari::crypto::{ShredError, Shredded};
use umari::host::TransactionError;
use umari::prelude::{DateTime, Utc, Uuid};

use super::log::{Log, check_tag};

/// Length of a reason that the host records.
const REASON_BYTES: usize = 1_024;

/// The shreddings of one run, in order.
#[derive(Debug, Default)]
pub(crate) struct Shreddings {
    made: Vec<Made>,
}

#[derive(Debug)]
struct Made {
    scope: String,
    event_id: Option<Uuid>,
    shredded: Shredded,
}

impl Shreddings {
    /// The scopes that were shredded after the first `count` times.
    pub(crate) fn since(&self, count: usize) -> Vec<String> {
        let since = self.made.iter().skip(count);
        since.map(|made| made.scope.clone()).collect()
    }

    pub(crate) fn count(&self) -> usize {
        self.made.len()
    }

    /// Shreds a scope, once for each event that is handled.
    pub(super) fn shred(
        &mut self,
        log: &mut Log,
        scope: &str,
        event_id: Option<Uuid>,
        at: DateTime<Utc>,
    ) -> Shredded {
        let before = self
            .made
            .iter()
            .find(|made| made.scope == scope && event_id.is_some() && made.event_id == event_id);
        if let Some(before) = before {
            return before.shredded.clone();
        }
        // A scope has one key, from its first payload on until it is shredded.
        let keys = u64::from(log.shred(scope) > 0);
        let shredded = Shredded::new(keys, at);
        self.made.push(Made {
            scope: scope.to_owned(),
            event_id,
            shredded: shredded.clone(),
        });
        shredded
    }
}

/// Refuses what the host refuses.
pub(super) fn check(scope: &str, reason: &str) -> Result<(), ShredError> {
    check_tag(scope).map_err(|error| match error {
        TransactionError::Invalid(why) => ShredError::Invalid(why),
        error => ShredError::Unavailable(error.to_string()),
    })?;
    if reason.len() > REASON_BYTES {
        return Err(ShredError::Invalid(format!(
            "the reason has {} bytes: at most {REASON_BYTES} are allowed",
            reason.len()
        )));
    }
    Ok(())
}
