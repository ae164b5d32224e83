//! An effect whose data is shredded.

use serde_json::Value;

use super::EffectOutcome;
use crate::check::shred_sweep::{FIX, each_scope};
use crate::report::{Verdict, demand};

/// What to do about a request that only a shredded history leads to.
const SCRIPT: &str =
    "where that is meant, script it: `.with_http(|http| http.post(url).reply(200))`";

impl EffectOutcome {
    /// The effect can do without the events of each encryption scope: delivered with one of them
    /// shredded, it does not fail, and neither its requests nor the log say what was shredded.
    ///
    /// # Panics
    ///
    /// Panics where it cannot, and where no given event is encrypted; and as
    /// [`EffectGiven::run`](super::EffectGiven::run).
    #[track_caller]
    pub fn then_survives_shredding(&self) -> Self {
        demand(self.deliver_without_each_scope());
        self.clone()
    }

    fn deliver_without_each_scope(&self) -> Verdict {
        for shredded in each_scope(&self.start.world, &Value::Null)? {
            let session = (self.start.session)(&shredded.world, self.start.after, 1)?;
            let name = &*self.start.name;
            if let Some(violation) = session.violation {
                return Err(shredded.fault(name, "sends something else", &violation, SCRIPT));
            }
            let Some(delivery) = session.deliveries.into_iter().last() else {
                continue;
            };
            if let (Some((_, message)), None) = (&delivery.failure, &self.last.failure) {
                return Err(shredded.fault(name, "fails", message, FIX));
            }
            for request in &delivery.requests {
                let place = format!("`{} {}`", request.method, request.url);
                let body = String::from_utf8_lossy(&request.body);
                let headers = request.headers.iter().map(|(_, value)| value.as_str());
                let text = headers.chain([&*request.url, &*body]).collect::<Vec<_>>();
                shredded.check_text(&place, &text.join("\n"))?;
            }
            shredded.check_events(session.world.log.events())?;
        }
        Ok(())
    }
}
