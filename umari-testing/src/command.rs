//! What came of calling a command, and what a test can say about it.

use std::fmt;
use std::ops::Deref;
use std::rc::Rc;

use umari::command::{CommandContext, ExecuteOutput};
use umari::event::{Event, SingleEvent, decode};
use umari::host::RawEvent;

mod call;
pub(crate) mod cause;
mod expect;
mod race;
mod run;
mod shredding;

pub(crate) use self::call::Call;
pub use self::call::{CommandFunction, CommandInput};
pub(crate) use self::expect::compare_runs;
pub(crate) use self::race::race;
pub use self::race::{Interleaving, Race, Racer, Racers, RacingCall};
pub(crate) use self::run::{Ended, Run, execute, execute_on};
#[cfg(feature = "proptest")]
pub(crate) use self::{call::function_name, run::Class};

use crate::check;
use crate::engine::{Engine, Role};
use crate::events::{Events, Fact, chain};
use crate::given::Given;
use crate::metadata::Metadata;
use crate::report::story::cut;
use crate::report::{Verdict, demand};
use crate::world::World;

/// What came of a call. The story goes on from here: every step of [`Given`] is available.
#[derive(Clone)]
pub struct Outcome {
    /// The world after the call.
    given: Given,
    run: Rc<Run>,
    call: Call,
    context: CommandContext,
}

impl fmt::Debug for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outcome")
            .field("call", &self.call)
            .field("ended", &self.run.ended)
            .finish()
    }
}

impl Deref for Outcome {
    type Target = Given;

    fn deref(&self) -> &Given {
        &self.given
    }
}

impl Outcome {
    /// Calls, and runs the automatic checks.
    pub(crate) fn when(
        world: &World,
        call: Call,
        context: impl FnOnce(CommandContext) -> CommandContext,
    ) -> Verdict<Self> {
        let outcome = Self::run(world, call, context, "when")?;
        check::command::all(&outcome.run, &outcome.call, &outcome.context)?;
        #[cfg(feature = "component")]
        crate::component::command(&outcome.run, &outcome.call, &outcome.context)?;
        Ok(outcome)
    }

    /// Calls, without checks. An input that JSON does not carry is a fault of the test.
    pub(crate) fn run(
        world: &World,
        call: Call,
        context: impl FnOnce(CommandContext) -> CommandContext,
        keyword: &'static str,
    ) -> Verdict<Self> {
        call.check_input()?;
        let mut world = world.clone();
        world.story.line(keyword, &call.to_string());
        let (world, context) = fresh_context(&world, context);
        if let Some(key) = context.idempotency_key {
            let mut noted = world.clone();
            noted.story.line("with key", &key.to_string());
            return Ok(Self::finish(&noted, call, context));
        }
        Ok(Self::finish(&world, call, context))
    }

    fn finish(world: &World, call: Call, context: CommandContext) -> Self {
        let run = execute(world, &call, &context);
        let mut after = run.after.clone();
        match &run.ended {
            Ended::Done(_) if run.after.log.head() == world.log.head() => {
                after.story.line("emitted", "nothing");
            }
            Ended::Done(_) => after.story.events("emitted", run.emitted()),
            Ended::Failed(failure) => {
                after
                    .story
                    .line(failure.class.word(), &cut(&failure.message));
            }
            Ended::Panicked(message) => after.story.line("panicked", &cut(message)),
        }
        let run = Rc::new(Run {
            after: after.clone(),
            ..run
        });
        Self {
            given: Given { world: after },
            run,
            call,
            context,
        }
    }

    /// Calls again what was called, in the same context: what a caller does who got no answer.
    ///
    /// # Panics
    ///
    /// As [`Given::when`].
    #[track_caller]
    #[must_use = "a call proves something only once a `then` step has been called"]
    pub fn when_again(&self) -> Self {
        let context = self.context.clone();
        demand(Self::when(&self.given.world, self.call.clone(), |_| {
            context
        }))
    }

    /// The command emitted exactly these events: types, payloads and order; and metadata, as far as
    /// the list says anything about it.
    ///
    /// # Panics
    ///
    /// Panics where it did not.
    #[track_caller]
    pub fn then(&self, events: Events) -> Self {
        demand(self.expect_events(&events));
        self.clone()
    }

    /// The command succeeded and emitted nothing.
    ///
    /// # Panics
    ///
    /// Panics where it did not.
    #[track_caller]
    pub fn then_nothing(&self) -> Self {
        self.then(Events::new())
    }

    /// The command emitted this event, perhaps among others.
    ///
    /// # Panics
    ///
    /// Panics where it did not.
    #[track_caller]
    pub fn then_contains<E: Event>(&self, event: E) -> Self {
        demand(self.expect_contained(&Fact::new(&event)));
        self.clone()
    }

    /// The command emitted an event of type `E`, and `judge` says of the first that it is right.
    ///
    /// # Panics
    ///
    /// Panics where there is none, or `judge` is not content.
    #[track_caller]
    pub fn then_event<E: Event>(&self, judge: impl FnOnce(&E) -> bool) -> Self {
        let event = demand(self.first::<E>());
        if !judge(&event) {
            self.refused_event::<E>().fail();
        }
        self.clone()
    }

    /// The command emitted `count` events of type `E`.
    ///
    /// # Panics
    ///
    /// Panics where it emitted another number of them.
    #[track_caller]
    pub fn then_count<E: Event>(&self, count: usize) -> Self {
        demand(self.expect_count(E::EVENT_TYPE, count));
        self.clone()
    }

    /// The command's own rules said no, in a message that contains `text`.
    ///
    /// # Panics
    ///
    /// Panics where it ended in any other way, or said something else.
    #[track_caller]
    pub fn then_rejected(&self, text: &str) -> Self {
        demand(self.expect_rejected(text));
        self.clone()
    }

    /// The command's own rules said no, with an error of type `T` that `judge` is content with.
    ///
    /// # Panics
    ///
    /// Panics where it ended in any other way, or with another error.
    #[track_caller]
    pub fn then_rejected_with<T>(&self, judge: impl FnOnce(&T) -> bool) -> Self
    where
        T: fmt::Display + fmt::Debug + Send + Sync + 'static,
    {
        let error = demand(self.rejection::<T>());
        if !judge(error) {
            self.refused_error(error).fail();
        }
        self.clone()
    }

    /// The input is invalid, and `field` is one of the reasons.
    ///
    /// # Panics
    ///
    /// Panics where it is valid, or another field is to blame.
    #[track_caller]
    pub fn then_invalid(&self, field: &str) -> Self {
        demand(self.expect_invalid(field));
        self.clone()
    }

    /// Somebody else changed the boundary while the command ran.
    ///
    /// # Panics
    ///
    /// Panics where nobody did.
    #[track_caller]
    pub fn then_conflict(&self) -> Self {
        demand(self.expect_conflict());
        self.clone()
    }

    /// The command emitted events that together carry exactly these tags, in any order.
    ///
    /// # Panics
    ///
    /// Panics where there are others, or some are missing.
    #[track_caller]
    pub fn then_tags<T: AsRef<str>>(&self, tags: impl IntoIterator<Item = T>) -> Self {
        let tags: Vec<_> = tags
            .into_iter()
            .map(|tag| tag.as_ref().to_owned())
            .collect();
        demand(self.expect_tags(&tags));
        self.clone()
    }

    /// The envelopes of the emitted events say this, as far as it is said. Of a single event it is
    /// said in [`then`](Outcome::then): `.then(events![..].correlated(id))`.
    ///
    /// See [`Metadata`] for an example.
    ///
    /// # Panics
    ///
    /// Panics where an envelope says something else, or nothing was emitted.
    #[track_caller]
    #[expect(
        clippy::needless_pass_by_value,
        reason = "`Metadata::new()..` is written in place"
    )]
    pub fn then_metadata(&self, metadata: Metadata) -> Self {
        demand(self.expect_metadata(&metadata));
        self.clone()
    }

    /// The folds of the command read exactly these events: they were the boundary.
    ///
    /// # Panics
    ///
    /// Panics where they read others.
    #[track_caller]
    pub fn then_read(&self, events: Events) -> Self {
        demand(self.expect_read(&events));
        self.clone()
    }

    /// What the command returned.
    ///
    /// # Panics
    ///
    /// Panics where it did not succeed.
    #[track_caller]
    pub fn receipt(&self) -> ExecuteOutput {
        demand(self.demand_success("a receipt was asked for")).clone()
    }

    /// The emitted events with their envelopes, as the log holds them.
    pub fn emitted(&self) -> Vec<RawEvent> {
        self.run.emitted().cloned().collect()
    }

    fn first<E: Event>(&self) -> Verdict<E> {
        self.demand_success("an event was expected")?;
        let raw = self
            .run
            .emitted()
            .find(|event| event.event_type == E::EVENT_TYPE);
        let Some(raw) = raw else {
            return Err(self.missing_event(E::EVENT_TYPE));
        };
        match decode::<SingleEvent<E>>(raw) {
            Ok(events) => match events.into_iter().next() {
                Some(event) => Ok(event.data),
                None => Err(self.missing_event(E::EVENT_TYPE)),
            },
            Err(error) => Err(Box::new(
                self.report("an emitted event cannot be read back")
                    .cause(chain(&error)),
            )),
        }
    }
}

/// A context as an entry point makes it, and the world after its ids were taken.
pub(crate) fn fresh_context(
    world: &World,
    change: impl FnOnce(CommandContext) -> CommandContext,
) -> (World, CommandContext) {
    let engine = Engine::new(world, Role::Command);
    let guard = umari::host::install(engine.clone());
    let context = change(CommandContext::new());
    drop(guard);
    (engine.world(), context)
}
