//! The checks by name, each with an example of what it finds.

use super::Check;

/// Two calls of a command at the same moment cannot both commit where they are rivals.
///
/// # Examples
///
/// ```
/// # mod box_office { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/check/box_office.rs")); }
/// # use box_office::*;
/// # use umari::prelude::*;
/// # use umari_testing::prelude::*;
/// fn book(input: Seat, context: CommandContext) -> anyhow::Result<ExecuteOutput> {
///     Command::new(input, context).fold::<EventFold<ShowAnnounced>>().execute(|input, show| {
///         anyhow::ensure!(show.exists(), "there is no such show");
///         Ok(emit![SeatBooked { show_id: input.show_id, seat_id: input.seat_id }])
///     })
/// }
///
/// // Nobody looks whether the seat is taken, so two callers get it.
/// fails(
///     || given(events![announced()]).when(book, seat()),
///     "`seat.booked {show_id:1, seat_id:7}` is emitted but no fold of this command reads it",
/// );
///
/// // With a fold that reads it, one of two calls at the same moment conflicts.
/// fn book_free(input: Seat, context: CommandContext) -> anyhow::Result<ExecuteOutput> {
///     Command::new(input, context)
///         .fold::<EventFold<ShowAnnounced>>()
///         .fold::<EventFold<SeatBooked>>()
///         .execute(|input, (show, booking)| {
///             anyhow::ensure!(show.exists(), "there is no such show");
///             anyhow::ensure!(!booking.exists(), "the seat is taken");
///             Ok(emit![SeatBooked { show_id: input.show_id, seat_id: input.seat_id }])
///         })
/// }
///
/// given(events![announced()]).when(book_free, seat()).then(events![booked(7)]);
/// ```
pub const SELF_RACE: Check = Check("SELF_RACE");

/// A command called twice with one idempotency key writes once.
///
/// # Examples
///
/// ```
/// # mod box_office { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/check/box_office.rs")); }
/// # use box_office::*;
/// # use umari::prelude::*;
/// # use umari_testing::prelude::*;
/// // Whoever drops the context drops the key that came with it.
/// fn announce_anew(input: Show, _context: CommandContext) -> anyhow::Result<ExecuteOutput> {
///     announce(input, CommandContext::new())
/// }
///
/// fn announce(input: Show, context: CommandContext) -> anyhow::Result<ExecuteOutput> {
///     Command::new(input, context)
///         .fold::<EventCounter<ShowAnnounced>>()
///         .execute(|input, _times| Ok(emit![ShowAnnounced { show_id: input.show_id }]))
/// }
///
/// # #[derive(DomainIds, Serialize, Deserialize)]
/// # struct Show { #[domain_id] show_id: u64 }
/// fails(
///     || given(events![announced()]).when(announce_anew, Show { show_id: 1 }),
///     "called twice with one key, it emits twice",
/// );
///
/// given(events![announced()]).when(announce, Show { show_id: 1 }).then(events![announced()]);
/// ```
pub const IDEMPOTENCY: Check = Check("IDEMPOTENCY");

/// A command called twice on the same history decides the same.
///
/// # Examples
///
/// ```
/// # mod box_office { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/check/box_office.rs")); }
/// # use box_office::*;
/// # use umari::prelude::*;
/// # use umari_testing::prelude::*;
/// use std::collections::{BTreeSet, HashSet};
///
/// /// The seats of a show, in a set that has another order each time.
/// #[derive(DomainIds)]
/// struct AnySeat { #[domain_id] show_id: u64 }
///
/// impl Fold for AnySeat {
///     type Events = SingleEvent<SeatBooked>;
///     type State = (HashSet<u64>, Option<u64>);
///
///     fn apply(&self, (seats, any): &mut Self::State, event: StoredEvent<SeatBooked>) {
///         seats.insert(event.data.seat_id);
///         *any = seats.iter().next().copied();
///     }
/// }
///
/// let show = given(events![booked(7), booked(8)]);
/// fails(
///     || show.then_state(AnySeat { show_id: 1 }, (HashSet::from([7, 8]), Some(7))),
///     "`AnySeat` comes to different states on the same history",
/// );
///
/// /// The same, in order.
/// #[derive(DomainIds)]
/// struct FirstSeat { #[domain_id] show_id: u64 }
///
/// impl Fold for FirstSeat {
///     type Events = SingleEvent<SeatBooked>;
///     type State = (BTreeSet<u64>, Option<u64>);
///
///     fn apply(&self, (seats, first): &mut Self::State, event: StoredEvent<SeatBooked>) {
///         seats.insert(event.data.seat_id);
///         *first = seats.first().copied();
///     }
/// }
///
/// show.then_state(FirstSeat { show_id: 1 }, (BTreeSet::from([7, 8]), Some(7)));
/// ```
pub const DETERMINISM: Check = Check("DETERMINISM");

/// Times in a command's events come from the scenario's clock, the input or the history.
///
/// # Examples
///
/// ```
/// # mod box_office { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/check/box_office.rs")); }
/// # use box_office::*;
/// # use umari::prelude::*;
/// # use umari_testing::prelude::*;
/// #[derive(Event, DomainIds, Serialize, Deserialize)]
/// #[event_type("doors.opened")]
/// struct DoorsOpened {
///     #[domain_id]
///     show_id: u64,
///     at: DateTime<Utc>,
/// }
///
/// # #[derive(DomainIds, Serialize, Deserialize)]
/// # struct Open { #[domain_id] show_id: u64 }
/// fn open(input: Open, context: CommandContext, now: DateTime<Utc>) -> anyhow::Result<ExecuteOutput> {
///     Command::new(input, context).fold::<EventFold<DoorsOpened>>().execute(move |input, opened| {
///         anyhow::ensure!(!opened.exists(), "the doors are open");
///         Ok(emit![DoorsOpened { show_id: input.show_id, at: now }])
///     })
/// }
///
/// fails(
///     || {
///         given_nothing().when(
///             |input: Open, context: CommandContext| {
///                 open(input, context, std::time::SystemTime::now().into())
///             },
///             Open { show_id: 1 },
///         )
///     },
///     "reads the machine's clock",
/// );
///
/// given_nothing()
///     .at("2026-03-01T19:30:00Z".parse().unwrap())
///     .when(
///         |input: Open, context: CommandContext| open(input, context, umari::clock::now()),
///         Open { show_id: 1 },
///     )
///     .then_event::<DoorsOpened>(|doors| doors.at.to_rfc3339() == "2026-03-01T19:30:00+00:00");
/// ```
pub const CLOCK: Check = Check("CLOCK");

/// A projector's tables do not depend on restarts, interruptions and rebuilds.
///
/// # Examples
///
/// ```
/// # mod box_office { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/check/box_office.rs")); }
/// # use box_office::*;
/// # use umari::prelude::*;
/// # use umari_testing::prelude::*;
/// /// Counts the seats of each show: in memory, where a restart finds none.
/// struct Counted { seats: u64 }
///
/// impl Projector for Counted {
///     type Query = SingleEvent<SeatBooked>;
///
///     fn init() -> anyhow::Result<Self> {
///         execute_batch("CREATE TABLE IF NOT EXISTS shows (show_id INTEGER PRIMARY KEY, seats INTEGER)")?;
///         Ok(Self { seats: 0 })
///     }
///
///     fn handle(&mut self, event: StoredEvent<SeatBooked>) -> anyhow::Result<()> {
///         self.seats += 1;
///         execute("INSERT OR REPLACE INTO shows VALUES (?1, ?2)", params![event.data.show_id, self.seats])?;
///         Ok(())
///     }
/// }
///
/// let show = given(events![booked(7), booked(8)]);
/// fails(
///     || show.project::<Counted>(),
///     "`Counted` has other rows when it is restarted after event 1",
/// );
///
/// /// Counts in the table, which is there after a restart.
/// struct Seats;
///
/// impl Projector for Seats {
///     type Query = SingleEvent<SeatBooked>;
///
///     fn init() -> anyhow::Result<Self> {
///         execute_batch("CREATE TABLE IF NOT EXISTS shows (show_id INTEGER PRIMARY KEY, seats INTEGER)")?;
///         Ok(Self)
///     }
///
///     fn handle(&mut self, event: StoredEvent<SeatBooked>) -> anyhow::Result<()> {
///         execute(
///             "INSERT INTO shows VALUES (?1, 1) ON CONFLICT DO UPDATE SET seats = seats + 1",
///             params![event.data.show_id],
///         )?;
///         Ok(())
///     }
/// }
///
/// show.project::<Seats>().then_rows("SELECT * FROM shows", rows![[1, 2]]);
/// ```
pub const PROJECTOR_LAWS: Check = Check("PROJECTOR_LAWS");

/// A projector loses no update where events of different domain ids come in another order.
///
/// # Examples
///
/// ```
/// # mod box_office { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/check/box_office.rs")); }
/// # use box_office::*;
/// # use umari::prelude::*;
/// # use umari_testing::prelude::*;
/// #[derive(Event, DomainIds, Serialize, Deserialize)]
/// #[event_type("guest.banned")]
/// struct GuestBanned { #[domain_id] email: String }
///
/// #[derive(EventSet)]
/// enum Guests {
///     Registered(GuestRegistered),
///     Banned(GuestBanned),
/// }
///
/// /// Takes for granted that a guest is banned after having registered.
/// struct GuestList;
///
/// impl Projector for GuestList {
///     type Query = Guests;
///
///     fn init() -> anyhow::Result<Self> {
///         execute_batch("CREATE TABLE IF NOT EXISTS guests (email TEXT PRIMARY KEY, banned INTEGER DEFAULT 0)")?;
///         Ok(Self)
///     }
///
///     fn handle(&mut self, event: StoredEvent<Guests>) -> anyhow::Result<()> {
///         match event.data {
///             Guests::Registered(guest) => execute("INSERT INTO guests (email) VALUES (?1)", params![guest.email])?,
///             Guests::Banned(guest) => execute("UPDATE guests SET banned = 1 WHERE email = ?1", params![guest.email])?,
///         };
///         Ok(())
///     }
/// }
///
/// // The two events share no domain id: no command saw to their order.
/// let history = given(events![ada(1), GuestBanned { email: "ada@mail.example".to_owned() }]);
/// fails(
///     || history.project::<GuestList>(),
///     "`GuestList` loses an update when `guest.banned {email:ada@mail.example}` comes before",
/// );
///
/// // Where they can only come in this order, for a reason that the log does not show, the test says so.
/// history
///     .without(check::EVENT_ORDER, "the door bans whom the list shows")
///     .project::<GuestList>()
///     .then_rows("SELECT banned FROM guests", rows![[1]]);
/// ```
pub const EVENT_ORDER: Check = Check("EVENT_ORDER");

/// An effect that is killed at any point and redelivered does what it does undisturbed.
///
/// # Examples
///
/// ```
/// # mod box_office { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/check/box_office.rs")); }
/// # use box_office::*;
/// # use umari::prelude::*;
/// # use umari_testing::prelude::*;
/// // `record` emits `ticket.sent`, and `was_sent` asks the log for it.
/// struct SendTicket;
///
/// impl Effect for SendTicket {
///     type Query = SingleEvent<SeatBooked>;
///
///     fn init() -> anyhow::Result<Self> {
///         Ok(Self)
///     }
///
///     fn handle(&mut self, event: StoredEvent<SeatBooked>) -> anyhow::Result<()> {
///         if was_sent(event.data.seat_id)? {
///             return Ok(());
///         }
///         record(event.data.seat_id)?;
///         let answer = send(&event)?;
///         anyhow::ensure!(answer.status().is_success(), "refused: {}", answer.status());
///         Ok(())
///     }
/// }
///
/// fn seat_is_booked() -> EffectGiven {
///     given_nothing().with_http(|http| http.post(MAIL).reply(202)).when_event(booked(7))
/// }
///
/// // Killed between the two, it never sends: the next delivery finds the record.
/// fails(
///     || seat_is_booked().run::<SendTicket>(),
///     "`SendTicket` never sends `POST https://mail.test/tickets` when it is killed right after a commit",
/// );
///
/// // Ask, call, record: whatever is left undone is done by the next delivery.
/// struct SendTicketSafely;
///
/// impl Effect for SendTicketSafely {
///     type Query = SingleEvent<SeatBooked>;
///
///     fn init() -> anyhow::Result<Self> {
///         Ok(Self)
///     }
///
///     fn handle(&mut self, event: StoredEvent<SeatBooked>) -> anyhow::Result<()> {
///         if was_sent(event.data.seat_id)? {
///             return Ok(());
///         }
///         let answer = send(&event)?;
///         anyhow::ensure!(answer.status().is_success(), "refused: {}", answer.status());
///         record(event.data.seat_id)
///     }
/// }
///
/// seat_is_booked()
///     .run::<SendTicketSafely>()
///     .then_requests([Request::post(MAIL).json(json!({ "seat": 7 }))])
///     .then(events![TicketSent { seat_id: 7 }]);
/// ```
pub const CRASH_SWEEP: Check = Check("CRASH_SWEEP");

/// An effect whose request is answered with 500 tries again, or records that it failed.
///
/// # Examples
///
/// ```
/// # mod box_office { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/check/box_office.rs")); }
/// # use box_office::*;
/// # use umari::prelude::*;
/// # use umari_testing::prelude::*;
/// // Does not look at the answer.
/// struct SendTicket;
///
/// impl Effect for SendTicket {
///     type Query = SingleEvent<SeatBooked>;
///
///     fn init() -> anyhow::Result<Self> {
///         Ok(Self)
///     }
///
///     fn handle(&mut self, event: StoredEvent<SeatBooked>) -> anyhow::Result<()> {
///         if !was_sent(event.data.seat_id)? {
///             send(&event)?;
///             record(event.data.seat_id)?;
///         }
///         Ok(())
///     }
/// }
///
/// let booked = given_nothing().with_http(|http| http.post(MAIL).reply(202)).when_event(booked(7));
/// fails(
///     || booked.run::<SendTicket>(),
///     "`SendTicket` records `POST https://mail.test/tickets` as done when it is answered with 500",
/// );
///
/// // An error has the event delivered again.
/// struct SendTicketSafely;
///
/// impl Effect for SendTicketSafely {
///     type Query = SingleEvent<SeatBooked>;
///
///     fn init() -> anyhow::Result<Self> {
///         Ok(Self)
///     }
///
///     fn handle(&mut self, event: StoredEvent<SeatBooked>) -> anyhow::Result<()> {
///         if !was_sent(event.data.seat_id)? {
///             let answer = send(&event)?;
///             anyhow::ensure!(answer.status().is_success(), "refused: {}", answer.status());
///             record(event.data.seat_id)?;
///         }
///         Ok(())
///     }
/// }
///
/// booked.run::<SendTicketSafely>().then(events![TicketSent { seat_id: 7 }]);
/// ```
pub const SERVER_ERROR: Check = Check("SERVER_ERROR");

/// Events come back from the log as they went in.
///
/// # Examples
///
/// ```
/// # mod box_office { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/check/box_office.rs")); }
/// # use box_office::*;
/// # use umari::prelude::*;
/// # use umari_testing::prelude::*;
/// #[derive(Event, DomainIds, Serialize, Deserialize)]
/// #[event_type("seat.priced")]
/// struct SeatPriced {
///     #[domain_id]
///     seat_id: u64,
///     // Written, and never read.
///     #[serde(skip_deserializing)]
///     cents: u64,
/// }
///
/// fails(
///     || given(events![SeatPriced { seat_id: 7, cents: 4_900 }]),
///     "`seat.priced` changes when it is stored and read back",
/// );
/// ```
pub const ROUND_TRIP: Check = Check("ROUND_TRIP");

/// An upcast carries over whatever an old event says.
///
/// # Examples
///
/// ```
/// # mod box_office { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/check/box_office.rs")); }
/// # use box_office::*;
/// # use umari::prelude::*;
/// # use umari_testing::prelude::*;
/// #[derive(Deserialize)]
/// struct SeatPricedV1 { seat_id: u64, price: u64, currency: String }
///
/// #[derive(Event, DomainIds, Serialize, Deserialize)]
/// #[event_type("seat.priced", version = 2)]
/// #[upcast(version = 1, from = SeatPricedV1)]
/// struct SeatPriced {
///     #[domain_id]
///     seat_id: u64,
///     cents: u64,
///     currency: String,
/// }
///
/// impl From<SeatPricedV1> for SeatPriced {
///     fn from(old: SeatPricedV1) -> Self {
///         // `old.currency` is forgotten.
///         Self { seat_id: old.seat_id, cents: old.price * 100, currency: "EUR".to_owned() }
///     }
/// }
///
/// // As an earlier release stored it.
/// let old = Events::new().with_stored(
///     "seat.priced",
///     1,
///     ["seat_id:7"],
///     &json!({ "seat_id": 7, "price": 49, "currency": "EUR" }),
/// );
/// let prices = || LatestEvent::<SeatPriced>::new().with("seat_id", 7);
/// fails(
///     || given(old).fold(prices()),
///     "the upcast of `seat.priced` from version 1 loses `currency`",
/// );
/// ```
pub const UPCAST_LOSS: Check = Check("UPCAST_LOSS");

/// What a command rejects it rejects still when the data that it is based on is shredded.
///
/// # Examples
///
/// ```
/// # mod box_office { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/check/box_office.rs")); }
/// # use box_office::*;
/// # use umari::prelude::*;
/// # use umari_testing::prelude::*;
/// # #[derive(DomainIds, Serialize, Deserialize)]
/// # struct Register { #[domain_id] guest_id: u64, #[domain_id] nickname: String, email: String }
/// # fn input(guest_id: u64) -> Register {
/// #     let GuestRegistered { guest_id, nickname, email } = ada(guest_id);
/// #     Register { guest_id, nickname, email }
/// # }
/// // A nickname is taken as long as its owner's data is there.
/// fn register(input: Register, context: CommandContext) -> anyhow::Result<ExecuteOutput> {
///     Command::new(input, context)
///         .fold_with(|input| {
///             EventCounter::<GuestRegistered>::new().with("nickname", input.nickname.clone())
///         })
///         .execute(|Register { guest_id, nickname, email }, taken| {
///             anyhow::ensure!(taken == 0, "the nickname is taken");
///             Ok(emit![GuestRegistered { guest_id, nickname, email }])
///         })
/// }
///
/// let taken = |waived: Given| {
///     waived.when(register, input(2)).then_rejected("the nickname is taken").then_survives_shredding();
/// };
/// fails(
///     || taken(given(events![ada(1)])),
///     "`register` accepts once `guest_id:1` is shredded what it rejected before",
/// );
/// taken(given(events![ada(1)]).without(check::REOPENED, "a nickname is free again with its owner gone"));
/// ```
pub const REOPENED: Check = Check("REOPENED");

/// Nothing repeats in the clear what a shredded event said.
///
/// # Examples
///
/// ```
/// # mod box_office { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/check/box_office.rs")); }
/// # use box_office::*;
/// # use umari::prelude::*;
/// # use umari_testing::prelude::*;
/// // Says again, in the clear, what is encrypted in `guest.registered`.
/// #[derive(Event, DomainIds, Serialize, Deserialize)]
/// #[event_type("invoice.sent")]
/// struct InvoiceSent {
///     #[domain_id]
///     guest_id: u64,
///     to: String,
/// }
///
/// let invoice = InvoiceSent { guest_id: 1, to: "ada@mail.example".to_owned() };
/// let history = given(events![ada(1), invoice]);
/// let guests = || EventCounter::<GuestRegistered>::new().with("guest_id", 1);
/// fails(
///     || history.then_fold_survives_shredding(guests()),
///     "`invoice.sent {guest_id:1}` still says what `email` of `guest.registered` said",
/// );
/// history
///     .without(check::PLAINTEXT, "invoices are kept for ten years")
///     .then_fold_survives_shredding(guests());
/// ```
pub const PLAINTEXT: Check = Check("PLAINTEXT");

/// The built WASM component does what the native code does.
///
/// It runs with the feature `component`: under `umari test`, or by hand with
/// `umari build && cargo test --features umari-testing/component`. Each `when`, `project` and `run`
/// happens on the component too, in the host that production runs, with the same history, clock,
/// variables and HTTP target. Compared are
///
/// - of a command the outcome with code and message, the events with tags, version and encryption
///   scope, and the queries that it read by;
/// - of a projector the rows of every table, or the event that it stopped at and why;
/// - of an effect the requests with the headers that it set, the events, the partition keys, and the
///   event that it stopped at and why.
///
/// Ids and times that the host mints are not compared. A component that is missing, or older than its
/// sources, fails the test.
///
/// What no component exports runs natively alone: a command without `#[export_command]`, the closures of
/// [`when_called`](crate::Given::when_called), a fold. So does a JSON text that the input cannot be read
/// from, and a race. Of the projectors and effects in a crate one is exported; switch this check off
/// where a test runs another of the same kind.
///
/// # Examples
///
/// ```
/// # mod box_office { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/check/box_office.rs")); }
/// # use box_office::*;
/// # use umari::prelude::*;
/// # use umari_testing::prelude::*;
/// // Two ways to keep the same list in one crate, to compare them. The component has one of them.
/// struct Seats;
/// struct SeatsByShow;
/// # macro_rules! keeps { ($projector:ident) => {
/// # impl Projector for $projector {
/// #     type Query = SingleEvent<SeatBooked>;
/// #     fn init() -> anyhow::Result<Self> {
/// #         execute_batch("CREATE TABLE IF NOT EXISTS seats (seat_id INTEGER PRIMARY KEY)")?;
/// #         Ok(Self)
/// #     }
/// #     fn handle(&mut self, event: StoredEvent<SeatBooked>) -> anyhow::Result<()> {
/// #         execute("INSERT INTO seats VALUES (?1)", params![event.data.seat_id])?;
/// #         Ok(())
/// #     }
/// # } } }
/// # keeps!(Seats);
/// # keeps!(SeatsByShow);
///
/// let history = given(events![booked(7)]);
/// history.project::<Seats>().then_rows("SELECT * FROM seats", rows![[7]]);
/// history
///     .without(check::COMPONENT, "the crate exports `Seats`")
///     .project::<SeatsByShow>()
///     .then_rows("SELECT * FROM seats", rows![[7]]);
/// ```
pub const COMPONENT: Check = Check("COMPONENT");

/// A fold with snapshots goes on from any of its states as if it had read everything.
///
/// # Examples
///
/// ```
/// # mod box_office { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/check/box_office.rs")); }
/// # use box_office::*;
/// # use umari::prelude::*;
/// # use umari_testing::prelude::*;
/// #[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
/// struct Booked {
///     seats: u64,
///     #[serde(skip)]
///     last: Option<u64>,
///     /// How often two seats side by side were booked one after the other.
///     pairs: u64,
/// }
///
/// #[derive(DomainIds, Serialize)]
/// struct Pairs { #[domain_id] show_id: u64 }
///
/// impl Fold for Pairs {
///     type Events = SingleEvent<SeatBooked>;
///     type State = Booked;
///
///     const SNAPSHOT: Snapshot<Self> = Snapshot::after(100);
///
///     fn apply(&self, booked: &mut Booked, event: StoredEvent<SeatBooked>) {
///         let seat = event.data.seat_id;
///         booked.seats += 1;
///         booked.pairs += u64::from(booked.last.is_some_and(|last| last + 1 == seat));
///         booked.last = Some(seat);
///     }
/// }
///
/// // After a hundred bookings the snapshot has forgotten which seat was the last.
/// let show = given(events![booked(7), booked(8)]);
/// fails(
///     || show.fold(Pairs { show_id: 1 }),
///     "`Pairs` comes to another state when it goes on from a snapshot",
/// );
///
/// // So it does with a `last` that is written. Where none can be, there are no snapshots:
/// show.without(check::SNAPSHOT, "pairs are counted in a report, once").fold(Pairs { show_id: 1 });
/// ```
pub const SNAPSHOT: Check = Check("SNAPSHOT");
