//! Folds: a scope that is too narrow, one that is too wide, and a state that is chance.

use std::collections::{BTreeMap, HashMap};

use umari::prelude::*;
use umari_testing::prelude::*;

use super::super::support::fails;

#[derive(Debug, Clone, PartialEq, Event, DomainIds, Serialize, Deserialize)]
#[event_type("widget.created")]
struct WidgetCreated {
    #[domain_id]
    widget_id: u64,
    #[domain_id]
    shop_id: u64,
    name: String,
}

#[derive(DomainIds, Serialize, Deserialize)]
struct CreateWidget {
    #[domain_id]
    widget_id: u64,
    #[domain_id]
    shop_id: u64,
    name: String,
}

fn create_widget(input: CreateWidget, names: Vec<String>) -> anyhow::Result<Emit> {
    anyhow::ensure!(!names.contains(&input.name), "the name is taken");
    Ok(emit![WidgetCreated {
        widget_id: input.widget_id,
        shop_id: input.shop_id,
        name: input.name
    }])
}

/// The names that a shop has used, if only it asked for the shop.
#[derive(DomainIds, FromDomainIds)]
struct NamesOfWidget {
    #[domain_id]
    widget_id: u64,
}

#[derive(EventSet)]
enum WidgetEvents {
    #[scope(widget_id)]
    Created(WidgetCreated),
}

impl Fold for NamesOfWidget {
    type Events = WidgetEvents;
    type State = Vec<String>;

    fn apply(&self, names: &mut Vec<String>, event: StoredEvent<WidgetEvents>) {
        let WidgetEvents::Created(event) = event.data;
        names.push(event.name);
    }
}

/// The names that a shop has used.
#[derive(DomainIds, FromDomainIds)]
struct NamesOfShop {
    #[domain_id]
    shop_id: u64,
}

#[derive(EventSet)]
enum ShopEvents {
    #[scope(shop_id)]
    Created(WidgetCreated),
}

impl Fold for NamesOfShop {
    type Events = ShopEvents;
    type State = Vec<String>;

    fn apply(&self, names: &mut Vec<String>, event: StoredEvent<ShopEvents>) {
        let ShopEvents::Created(event) = event.data;
        names.push(event.name);
    }
}

fn create_unique_in_widget(
    input: CreateWidget,
    context: CommandContext,
) -> anyhow::Result<ExecuteOutput> {
    Command::new(input, context)
        .fold::<NamesOfWidget>()
        .execute(create_widget)
}

fn create_unique_in_shop(
    input: CreateWidget,
    context: CommandContext,
) -> anyhow::Result<ExecuteOutput> {
    Command::new(input, context)
        .fold::<NamesOfShop>()
        .execute(create_widget)
}

#[test]
fn a_name_is_unique_within_the_wrong_thing() {
    let shop = given(events![WidgetCreated {
        widget_id: 1,
        shop_id: 42,
        name: "Gear".to_owned(),
    }]);
    let second = || CreateWidget {
        widget_id: 2,
        shop_id: 42,
        name: "Gear".to_owned(),
    };
    fails(
        || {
            shop.when(create_unique_in_widget, second())
                .then_rejected("the name is taken")
        },
        expect![[r#"
            a rejection with "the name is taken" was expected, but the command succeeded

            scenario
              given    1  widget.created  widget_id:1, shop_id:42
              when     create_unique_in_widget({"widget_id":2,"shop_id":42,"name":"Gear"})
              emitted  2  widget.created  widget_id:2, shop_id:42

            emitted
                1  widget.created
                     name: "Gear"
                     shop_id: 42
                     widget_id: 2

            cause
              `widget.created {widget_id:1, shop_id:42}` at position 1 was not read: it shares `shop_id:42` with this call, but is asked for by `widget_id:2`

            fix
              where it should count, select `widget.created` by what the rule is about: `#[scope(shop_id)]` on its variant

            boundary
              A  NamesOfWidget  widget.created #[scope(widget_id)] {widget_id:2}

                                                          A
              1  widget.created  widget_id:1, shop_id:42  excluded by #[scope(widget_id)]
        "#]],
    );
    shop.when(create_unique_in_shop, second())
        .then_rejected("the name is taken");
}

#[derive(Debug, Clone, PartialEq, Event, DomainIds, Serialize, Deserialize)]
#[event_type("seat.booked")]
struct SeatBooked {
    #[domain_id]
    show_id: u64,
    #[domain_id]
    seat_id: u64,
}

#[derive(DomainIds, Serialize, Deserialize)]
struct BookSeat {
    #[domain_id]
    show_id: u64,
    #[domain_id]
    seat_id: u64,
}

/// Reads the bookings of all seats to know about one.
fn book_by_show(input: BookSeat, context: CommandContext) -> anyhow::Result<ExecuteOutput> {
    Command::new(input, context)
        .fold_with(|input| EventFold::<SeatBooked>::new().with("show_id", input.show_id))
        .execute(|BookSeat { show_id, seat_id }, bookings| {
            let taken = bookings
                .events
                .iter()
                .any(|booking| booking.data.seat_id == seat_id);
            anyhow::ensure!(!taken, "the seat is taken");
            Ok(emit![SeatBooked { show_id, seat_id }])
        })
}

fn book_by_seat(input: BookSeat, context: CommandContext) -> anyhow::Result<ExecuteOutput> {
    Command::new(input, context)
        .fold::<EventFold<SeatBooked>>()
        .execute(|BookSeat { show_id, seat_id }, booking| {
            anyhow::ensure!(!booking.exists(), "the seat is taken");
            Ok(emit![SeatBooked { show_id, seat_id }])
        })
}

#[test]
fn a_boundary_is_wider_than_the_rule() {
    let seat = |seat_id| SeatBooked {
        show_id: 1,
        seat_id,
    };
    let show = given(events![seat(7), seat(8)]);
    let eighth = || BookSeat {
        show_id: 1,
        seat_id: 8,
    };
    fails(
        || {
            show.when(book_by_show, eighth())
                .then_rejected("the seat is taken")
                .then_read(events![seat(8)])
        },
        expect![[r#"
            the command read other events than expected

            scenario
              given     1  seat.booked  show_id:1, seat_id:7
                        2  seat.booked  show_id:1, seat_id:8
              when      book_by_show({"show_id":1,"seat_id":8})
              rejected  the seat is taken

            events (- expected, + read)
              + 1  seat.booked
                   + seat_id: 7
                   + show_id: 1
                2  seat.booked

            cause
              `seat.booked {show_id:1}` is read whatever its seat_id: calls that differ in nothing else conflict with each other, and each reads the events of all

            fix
              where the rule is about one seat_id, select `seat.booked` by it too: `#[scope(show_id, seat_id)]` on its variant, or `.with("seat_id", ..)`

            boundary
              A  EventFold<SeatBooked>  seat.booked {show_id:1}

                                                    A
              1  seat.booked  show_id:1, seat_id:7  read
              2  seat.booked  show_id:1, seat_id:8  read
        "#]],
    );
    show.when(book_by_seat, eighth())
        .then_rejected("the seat is taken")
        .then_read(events![seat(8)]);
}

#[derive(Debug, Clone, PartialEq, Event, DomainIds, Serialize, Deserialize)]
#[event_type("goal.scored")]
struct GoalScored {
    #[domain_id]
    match_id: u64,
    player: String,
}

/// Who scored most, and all who scored.
type Scorers = (Option<String>, Vec<String>);

fn leader<'a>(counts: impl IntoIterator<Item = (&'a String, u32)>) -> Option<String> {
    let most = counts.into_iter().max_by_key(|(_, goals)| *goals);
    most.map(|(player, _)| player.clone())
}

/// Between equal numbers of goals the order of a `HashMap` decides.
#[derive(DomainIds, FromDomainIds)]
struct LeaderByChance {
    #[domain_id]
    match_id: u64,
}

impl Fold for LeaderByChance {
    type Events = SingleEvent<GoalScored>;
    type State = Scorers;

    fn apply(&self, (leads, scorers): &mut Scorers, event: StoredEvent<GoalScored>) {
        scorers.push(event.data.player);
        let mut counts = HashMap::new();
        for player in scorers.iter() {
            *counts.entry(player).or_default() += 1;
        }
        *leads = leader(counts);
    }
}

/// Between equal numbers of goals the alphabet decides.
#[derive(DomainIds, FromDomainIds)]
struct LeaderByName {
    #[domain_id]
    match_id: u64,
}

impl Fold for LeaderByName {
    type Events = SingleEvent<GoalScored>;
    type State = Scorers;

    fn apply(&self, (leads, scorers): &mut Scorers, event: StoredEvent<GoalScored>) {
        scorers.push(event.data.player);
        let mut counts = BTreeMap::new();
        for player in scorers.iter() {
            *counts.entry(player).or_default() += 1;
        }
        *leads = leader(counts);
    }
}

#[test]
fn a_state_is_made_in_the_order_of_a_hash_map() {
    let goal = |player: &str| GoalScored {
        match_id: 1,
        player: player.to_owned(),
    };
    let draw = given(events![goal("Ada"), goal("Bea")]);
    let scorers = || vec!["Ada".to_owned(), "Bea".to_owned()];
    let bea = || (Some("Bea".to_owned()), scorers());
    fails(
        || draw.then_state(LeaderByChance { match_id: 1 }, bea()),
        expect![[r#"
            `LeaderByChance` comes to different states on the same history

            scenario
              given  1  goal.scored  match_id:1
                     2  goal.scored  match_id:1

            states (- one, + another)
                (
                    Some(
              -         "Ada",
              +         "Bea",
                    ),
                    [
                        "Ada",
                        "Bea",
                    ],
                )

            cause
              something besides input and history takes part: the order of a `HashMap` or `HashSet`, which differs from one map to the next, a random id, the wall clock, a static

            fix
              use a `BTreeMap`, or sort before you choose; take ids and times from the input; or, if it is meant, `.without(check::DETERMINISM, "why")`
        "#]],
    );
    draw.then_state(LeaderByName { match_id: 1 }, bea());
}
