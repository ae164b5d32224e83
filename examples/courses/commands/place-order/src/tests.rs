use courses::samples::order;
use umari_testing::prelude::*;

use super::*;

const TOKEN: Uuid = Uuid::from_u128(0x10);
const OTHER_TOKEN: Uuid = Uuid::from_u128(0x11);

fn input(order_id: &str, token: Uuid) -> Input {
    Input {
        order_id: order_id.to_owned(),
        token,
        article: "kettle".to_owned(),
    }
}

#[test]
fn an_order_is_placed() {
    given(events![order("o2", OTHER_TOKEN)])
        .when(execute, input("o1", TOKEN))
        .then(events![order("o1", TOKEN)])
        .then_read(events![]);
}

#[test]
fn a_form_that_is_submitted_twice_places_one_order() {
    given_nothing()
        .when(execute, input("o1", TOKEN))
        .then(events![order("o1", TOKEN)])
        .when(execute, input("o1", TOKEN))
        .then_nothing()
        .then_read(events![order("o1", TOKEN)]);
}

#[test]
fn a_token_is_good_for_one_order() {
    given(events![order("o1", TOKEN)])
        .when(execute, input("o2", TOKEN))
        .then_rejected("token was used for another order")
        .then_rejected_with::<Rejection>(|rejection| {
            *rejection
                == Rejection::new("token-used", "token was used for another order")
                    .with("order_id", "o1")
        })
        .then_read(events![order("o1", TOKEN)]);
}

#[test]
fn the_id_of_an_order_is_taken_once() {
    given(events![order("o1", TOKEN)])
        .when(execute, input("o1", OTHER_TOKEN))
        .then_rejected("order already exists")
        .then_read(events![order("o1", TOKEN)]);
}

#[test]
fn a_button_that_is_pressed_twice_at_once_places_one_order() {
    given_nothing()
        .when_racing([(execute, input("o1", TOKEN)), (execute, input("o1", TOKEN))])
        .then_conflict()
        .then_winners(1)
        .then_in_each(|placed| {
            placed.then_state(EventCounter::<OrderPlaced>::new(), 1);
        });
}

#[test]
fn a_token_is_good_for_one_order_at_the_same_moment_too() {
    given_nothing()
        .when_racing([(execute, input("o1", TOKEN)), (execute, input("o2", TOKEN))])
        .then_conflict()
        .then_winners(1);
}

#[test]
fn orders_do_not_wait_for_each_other() {
    given_nothing()
        .when_racing([
            (execute, input("o1", TOKEN)),
            (execute, input("o2", OTHER_TOKEN)),
        ])
        .then_all_commit();
}

#[test]
fn every_field_is_checked() {
    let article = String::new();
    for (field, input) in [
        ("order_id", input("", TOKEN)),
        (
            "article",
            Input {
                article,
                ..input("o1", TOKEN)
            },
        ),
    ] {
        given_nothing().when(execute, input).then_invalid(field);
    }
}
