use courses::samples::{course_defined, invoice};
use umari_testing::prelude::*;

use super::*;

fn input() -> Input {
    Input {
        customer: "Ada".to_owned(),
        amount_cents: 49_90,
    }
}

#[test]
fn the_first_invoice_has_number_1() {
    given_nothing()
        .when(execute, input())
        .then(events![invoice(1)])
        .then_tags(["invoice_number:1"])
        .then_read(events![]);
}

#[test]
fn each_invoice_has_the_number_after_the_last() {
    given(events![invoice(1), invoice(2)])
        .when(execute, input())
        .then(events![invoice(3)])
        .then_read(events![invoice(1), invoice(2)])
        .when(execute, input())
        .then(events![invoice(4)]);
}

#[test]
fn a_number_does_not_depend_on_what_else_is_in_the_log() {
    given(events![invoice(1), course_defined("c1", 10)].with_gap(100))
        .when(execute, input())
        .then(events![invoice(2)]);
}

#[test]
fn invoices_at_the_same_moment_leave_no_gap_in_any_order() {
    given(events![invoice(1)])
        .when_racing([(execute, input()), (execute, input()), (execute, input())])
        .then_conflict()
        .then_winners(3)
        .then_in_each(|order| {
            let invoices = order.fold(EventFold::<InvoiceCreated>::new());
            let numbers: Vec<_> = invoices
                .events
                .iter()
                .map(|event| event.data.invoice_number)
                .collect();
            assert_eq!(numbers, [1, 2, 3, 4], "{}", order.order());
        });
}

#[test]
fn a_call_that_is_repeated_under_its_key_creates_no_second_invoice() {
    given_nothing()
        .when_with(execute, input(), |context| {
            context.with_idempotency_key(Uuid::from_u128(7))
        })
        .then(events![invoice(1)])
        .when_again()
        .then_nothing();
}

#[test]
fn every_field_is_checked() {
    let customer = String::new();
    for (field, input) in [
        (
            "customer",
            Input {
                customer,
                ..input()
            },
        ),
        (
            "amount_cents",
            Input {
                amount_cents: 0,
                ..input()
            },
        ),
    ] {
        given_nothing().when(execute, input).then_invalid(field);
    }
}
