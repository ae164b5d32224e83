//! A projector whose data is shredded.

use serde_json::Value;

use super::Projection;
use crate::check::shred_sweep::{FIX, each_scope};
use crate::report::{Shown, Verdict, demand};

impl Projection {
    /// The projector can be rebuilt when the events of each encryption scope are shredded: it does not
    /// stop, and neither its tables nor the log say what was shredded.
    ///
    /// Tables that were filled before keep what they hold until the projector is rebuilt.
    ///
    /// # Panics
    ///
    /// Panics where it cannot, and where no given event is encrypted.
    #[track_caller]
    pub fn then_survives_shredding(&self) -> Self {
        demand(self.rebuild_without_each_scope());
        self.clone()
    }

    fn rebuild_without_each_scope(&self) -> Verdict {
        for shredded in each_scope(&self.world, &Value::Null)? {
            let run = (self.rebuild)(&shredded.world)?;
            if let (Some((event, message)), None) = (run.failure(), &self.run.failure) {
                let verb = format!("stops at `{}`", Shown::from(event).label());
                return Err(shredded.fault(&self.name, &verb, message, FIX));
            }
            shredded.check_text(&format!("a table of `{}`", self.name), &run.dump())?;
            shredded.check_events(shredded.world.log.events())?;
        }
        Ok(())
    }
}
