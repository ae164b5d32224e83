//! Effects: events in, HTTP requests and commands out.

use std::ops::Deref;
use std::rc::Rc;

use umari::effect::Effect;
use umari::host::{HttpRequest, RawEvent};

mod expect;
mod session;
mod shredding;

#[cfg(feature = "component")]
pub(crate) use self::expect::body;
pub(crate) use self::expect::header;
pub(crate) use self::session::{Delivery, deliver};
use self::session::{Session, session};

use crate::check::{CRASH_SWEEP, SERVER_ERROR, crash_sweep, server_error};
use crate::events::Events;
use crate::given::{Given, short};
use crate::http::Request;
use crate::metadata::Metadata;
use crate::report::{Report, Verdict, demand};
use crate::world::World;

/// Events that are about to be handed to an effect.
#[derive(Debug, Clone)]
#[must_use = "nothing is delivered before `run`"]
pub struct EffectGiven {
    world: World,
    /// Events after this position are handed over.
    after: u64,
}

impl EffectGiven {
    pub(crate) fn new(world: World, after: u64) -> Self {
        Self { world, after }
    }

    /// Hands the events to `E`, as the host does: a fresh instance, then one event after the
    /// other, each as the current event, until one fails.
    ///
    /// The database of the effect is empty at first, and goes on through
    /// [`redelivered`](EffectOutcome::redelivered).
    ///
    /// # Panics
    ///
    /// Panics at a request that is not scripted, where `init` fails, and where
    /// [`CRASH_SWEEP`](crate::check::CRASH_SWEEP) or [`SERVER_ERROR`](crate::check::SERVER_ERROR) finds a
    /// fault.
    #[track_caller]
    #[must_use = "a run proves something only once a `then` step has been called"]
    pub fn run<E: Effect>(&self) -> EffectOutcome {
        demand(self.try_run::<E>())
    }

    fn try_run<E: Effect>(&self) -> Verdict<EffectOutcome> {
        let mut world = self.world.clone();
        let name = short(std::any::type_name::<E>());
        world.story.line("run", &name);
        let start = Start {
            name: name.into(),
            world,
            after: self.after,
            session: session::<E>,
        };
        let outcome = EffectOutcome::after(start, 1)?;
        if outcome.last.failure.is_none() && outcome.start.world.waivers.runs(CRASH_SWEEP) {
            crash_sweep::check::<E>(&outcome.start.world, self.after)?;
        }
        let sent = outcome.last.failure.is_none() && !outcome.last.requests.is_empty();
        if sent && outcome.start.world.waivers.runs(SERVER_ERROR) {
            server_error::check::<E>(&outcome.start.world, self.after)?;
        }
        Ok(outcome)
    }
}

/// How a session with one effect begins; it is repeated from here when events are redelivered.
#[derive(Clone)]
struct Start {
    /// The effect's type.
    name: Rc<str>,
    world: World,
    after: u64,
    session: fn(&World, u64, u32) -> Verdict<Session>,
}

/// What came of running an effect. The story goes on from here: every step of [`Given`] is
/// available.
#[derive(Clone)]
pub struct EffectOutcome {
    given: Given,
    start: Start,
    deliveries: u32,
    last: Rc<Delivery>,
    /// The scopes that were shredded in all deliveries.
    shredded: Rc<[String]>,
    failure_expected: bool,
}

impl std::fmt::Debug for EffectOutcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EffectOutcome")
            .field("last", &self.last)
            .finish_non_exhaustive()
    }
}

impl Deref for EffectOutcome {
    type Target = Given;

    fn deref(&self) -> &Given {
        &self.given
    }
}

impl EffectOutcome {
    /// The outcome after the events were handed over `deliveries` times.
    fn after(start: Start, deliveries: u32) -> Verdict<Self> {
        let session = (start.session)(&start.world, start.after, deliveries)?;
        if let Some(violation) = session.violation {
            let world = &session.world;
            return Err(Box::new(
                Report::new(violation)
                    .scenario(&world.story)
                    .section("scripted", world.http.routes().join("\n"))
                    .fix("script it: `.with_http(|http| http.post(url).reply(200))`"),
            ));
        }
        let shredded = session.deliveries.iter();
        let shredded = shredded.flat_map(|delivery| delivery.shredded.iter().cloned());
        let shredded = shredded.collect();
        let last = session.deliveries.into_iter().last().unwrap_or_default();
        Ok(Self {
            given: Given {
                world: session.world,
            },
            start,
            deliveries,
            last: Rc::new(last),
            shredded,
            failure_expected: false,
        })
    }

    /// Hands the same events over once more, to a new instance with the same database: the host
    /// promises to deliver at least once, not only once. What follows is about this delivery
    /// alone.
    ///
    /// # Panics
    ///
    /// As [`EffectGiven::run`].
    #[track_caller]
    #[must_use = "a delivery proves something only once a `then` step has been called"]
    pub fn redelivered(&self) -> Self {
        demand(Self::after(self.start.clone(), self.deliveries + 1))
    }

    /// Hands the events over again after the effect failed, as the host does after its backoff.
    ///
    /// # Panics
    ///
    /// Panics where the effect did not fail; and as [`EffectGiven::run`].
    #[track_caller]
    #[must_use = "a delivery proves something only once a `then` step has been called"]
    pub fn retried_after_error(&self) -> Self {
        if self.last.failure.is_none() {
            self.report("the effect was to be retried after an error, but it succeeded")
                .fail();
        }
        self.redelivered()
    }

    /// The effect sent exactly these requests, in this order.
    ///
    /// # Panics
    ///
    /// Panics where it sent others.
    #[track_caller]
    pub fn then_requests<R: Into<Request>>(&self, requests: impl IntoIterator<Item = R>) -> Self {
        let requests: Vec<_> = requests.into_iter().map(Into::into).collect();
        demand(self.expect_requests(&requests));
        self.clone()
    }

    /// The effect sent no request.
    ///
    /// # Panics
    ///
    /// Panics where it sent one.
    #[track_caller]
    pub fn then_no_requests(&self) -> Self {
        self.then_requests(Vec::<Request>::new())
    }

    /// The commands of the effect emitted exactly these events; with this metadata, as far as the
    /// list says anything about it.
    ///
    /// # Panics
    ///
    /// Panics where they did not.
    #[track_caller]
    pub fn then(&self, events: Events) -> Self {
        demand(self.expect_events(&events));
        self.clone()
    }

    /// The commands of the effect emitted nothing.
    ///
    /// # Panics
    ///
    /// Panics where they did.
    #[track_caller]
    pub fn then_nothing(&self) -> Self {
        self.then(Events::new())
    }

    /// The effect shredded the scope `name:value`, in this delivery or in one before. The log goes on
    /// without what was encrypted under it.
    ///
    /// # Examples
    ///
    /// ```
    /// # use umari::prelude::*;
    /// # use umari_testing::prelude::*;
    /// # #[derive(Event, DomainIds, Serialize, Deserialize)]
    /// # struct ShopConnected { #[domain_id] #[crypto_scope] shop_id: u64, access_token: String }
    /// # #[derive(Event, DomainIds, Serialize, Deserialize)]
    /// # struct ErasureRequested { #[domain_id] shop_id: u64 }
    /// # fn connected(shop_id: u64) -> ShopConnected {
    /// #     ShopConnected { shop_id, access_token: "secret".to_owned() }
    /// # }
    /// struct Erase;
    ///
    /// impl Effect for Erase {
    ///     type Query = SingleEvent<ErasureRequested>;
    /// #   fn init() -> anyhow::Result<Self> { Ok(Self) }
    ///
    ///     fn handle(&mut self, event: StoredEvent<ErasureRequested>) -> anyhow::Result<()> {
    ///         umari::crypto::shred("shop_id", event.data.shop_id)?;
    ///         Ok(())
    ///     }
    /// }
    ///
    /// given(events![connected(42), connected(43)])
    ///     .when_event(ErasureRequested { shop_id: 42 })
    ///     .run::<Erase>()
    ///     .then_shredded("shop_id", 42)
    ///     .then_state(EventCounter::<ShopConnected>::new(), 1);
    /// ```
    ///
    /// # Panics
    ///
    /// Panics where it did not.
    #[track_caller]
    pub fn then_shredded(&self, name: &str, value: impl ToString) -> Self {
        demand(self.expect_shredded(&format!("{name}:{}", value.to_string())));
        self.clone()
    }

    /// The envelopes of what the commands of the effect emitted say this, as far as it is said.
    ///
    /// # Examples
    ///
    /// What an effect writes belongs to the event that it handles.
    ///
    /// ```
    /// # use umari::prelude::*;
    /// # use umari_testing::prelude::*;
    /// # #[derive(Event, DomainIds, Serialize, Deserialize)]
    /// # struct ShopConnected { #[domain_id] shop_id: u64 }
    /// # #[derive(Event, DomainIds, Serialize, Deserialize)]
    /// # struct ShopGreeted { #[domain_id] shop_id: u64 }
    /// # #[derive(DomainIds)]
    /// # struct Greeting { #[domain_id] shop_id: u64 }
    /// # struct Greet;
    /// # impl Effect for Greet {
    /// #     type Query = SingleEvent<ShopConnected>;
    /// #     fn init() -> anyhow::Result<Self> { Ok(Self) }
    /// #     fn handle(&mut self, event: StoredEvent<ShopConnected>) -> anyhow::Result<()> {
    /// #         Command::new(Greeting { shop_id: event.data.shop_id }, CommandContext::new())
    /// #             .fold::<EventCounter<ShopGreeted>>()
    /// #             .execute(|input, greeted| Ok(match greeted {
    /// #                 0 => emit![ShopGreeted { shop_id: input.shop_id }],
    /// #                 _ => emit![],
    /// #             }))?;
    /// #         Ok(())
    /// #     }
    /// # }
    /// let chain = Uuid::from_u128(7);
    /// let greeted = given_nothing()
    ///     .when_events(events![ShopConnected { shop_id: 42 }].correlated(chain))
    ///     .run::<Greet>();
    /// let connected = &greeted.history()[0];
    /// greeted.then_metadata(Metadata::new().correlated(chain).triggered_by(connected.id));
    /// ```
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

    /// Every delivered event is in this lane; `None` is the global one.
    ///
    /// # Panics
    ///
    /// Panics where one is in another.
    #[track_caller]
    pub fn then_partition_key<'a>(&self, key: impl Into<Option<&'a str>>) -> Self {
        demand(self.expect_partition_key(key.into()));
        self.clone()
    }

    /// The effect failed, with a message that contains `text`. The host would try again.
    ///
    /// # Panics
    ///
    /// Panics where it succeeded, or said something else.
    #[track_caller]
    pub fn then_failed(&self, text: &str) -> Self {
        demand(self.expect_failure(text));
        Self {
            failure_expected: true,
            ..self.clone()
        }
    }

    /// The requests of the last delivery, whole.
    pub fn requests(&self) -> &[HttpRequest] {
        &self.last.requests
    }

    /// The events of the last delivery with their envelopes, as the log holds them.
    pub fn emitted(&self) -> &[RawEvent] {
        &self.last.emitted
    }
}
