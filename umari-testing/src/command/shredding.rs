//! A command whose data is shredded.

use super::{Ended, Outcome, Run, execute};
use crate::check::REOPENED;
use crate::check::shred_sweep::{FIX, Shredded, each_scope};
use crate::command::run::Class;
use crate::report::{Report, Verdict, boundary, demand};

impl Outcome {
    /// The command keeps its rules when personal data is deleted: the call is repeated with each
    /// encryption scope of the history shredded. What was rejected is not accepted then, nothing
    /// panics or fails, and no event repeats in the clear what was shredded.
    ///
    /// A call that succeeded may be rejected then: what it was about is gone.
    ///
    /// # Panics
    ///
    /// Panics where one of these does not hold, and where no given event is encrypted.
    ///
    /// # Examples
    ///
    /// ```
    /// use umari::prelude::*;
    /// use umari_testing::prelude::*;
    ///
    /// #[derive(Event, DomainIds, Serialize, Deserialize)]
    /// #[event_type("user.registered")]
    /// struct UserRegistered {
    ///     #[domain_id]
    ///     #[crypto_scope]
    ///     user_id: u64,
    ///     email: String,
    /// }
    ///
    /// #[derive(DomainIds, Serialize, Deserialize)]
    /// struct Input {
    ///     #[domain_id]
    ///     user_id: u64,
    ///     email: String,
    /// }
    ///
    /// fn register(input: Input, context: CommandContext) -> anyhow::Result<ExecuteOutput> {
    ///     Command::new(input, context).fold::<EventFold<UserRegistered>>().execute(|input, known| {
    ///         anyhow::ensure!(!known.exists(), "the user is registered");
    ///         Ok(emit![UserRegistered { user_id: input.user_id, email: input.email }])
    ///     })
    /// }
    ///
    /// let ada = |user_id| Input { user_id, email: "ada@example.org".to_owned() };
    /// given_nothing()
    ///     .given_command(register, ada(1))
    ///     .when(register, ada(1))
    ///     .then_rejected("the user is registered")
    ///     // Whoever is forgotten may come back under the same number: here that is meant.
    ///     .without(check::REOPENED, "who was forgotten may come back")
    ///     .when(register, ada(1))
    ///     .then_survives_shredding();
    /// ```
    #[track_caller]
    pub fn then_survives_shredding(&self) -> Self {
        demand(self.repeat_without_each_scope());
        self.clone()
    }

    fn repeat_without_each_scope(&self) -> Verdict {
        let input = crate::events::json(self.call.input());
        let mut before = self.run.before.clone();
        before.story = self.run.after.story.clone();
        for mut shredded in each_scope(&before, &input)? {
            shredded.world.story.line("when", &self.call.to_string());
            let run = execute(&shredded.world, &self.call, &self.context);
            self.judge(&shredded, &run)?;
            shredded.check_events(run.after.log.events())?;
        }
        Ok(())
    }

    fn judge(&self, shredded: &Shredded, run: &Run) -> Verdict {
        let name = self.call.name();
        match (&self.run.ended, &run.ended) {
            (Ended::Panicked(_), _) => Ok(()),
            (_, Ended::Panicked(message)) => Err(shredded.fault(name, "panics", message, FIX)),
            (Ended::Failed(before), Ended::Failed(failure))
                if failure.class == Class::Failed && before.class != Class::Failed =>
            {
                Err(shredded.fault(name, "fails", &failure.message, FIX))
            }
            (Ended::Done(_), Ended::Failed(failure)) if failure.class == Class::Failed => {
                Err(shredded.fault(name, "fails", &failure.message, FIX))
            }
            (Ended::Failed(before), Ended::Done(_))
                if before.class == Class::Rejected && shredded.world.waivers.runs(REOPENED) =>
            {
                Err(reopened(name, shredded, run, &before.message))
            }
            _ => Ok(()),
        }
    }
}

/// A rule has gone with the data that it was based on.
fn reopened(name: &str, shredded: &Shredded, run: &Run, rejection: &str) -> Box<Report> {
    let mut story = shredded.world.story.clone();
    story.events("emitted", run.emitted());
    let report = Report::new(format!(
        "`{name}` accepts once `{}` is shredded what it rejected before",
        shredded.scope
    ))
    .scenario(&story)
    .section("rejected before with", rejection);
    let grid = boundary::grid(&run.traces, run.before.log.events());
    Box::new(
        super::cause::shredded(report, run)
            .also(
                "fix",
                format!("or, if it may be taken back, `.without(check::{REOPENED}, \"why\")`"),
            )
            .section("boundary", grid),
    )
}
