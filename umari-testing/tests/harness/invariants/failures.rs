//! What a broken invariant says, word for word.

use super::super::support::fails;
use super::*;

#[test]
fn a_rule_that_one_call_after_the_other_breaks() {
    fails(
        || {
            theatre()
                .command(reserve_without_end, any_reservation())
                .always(reserved(), |reserved| *reserved <= 2)
                .check();
        },
        expect![[r##"
            the invariant of `EventCounter<SeatReserved>` does not hold

            scenario
              when     reserve_without_end({"show_id":1,"order_id":2})
              emitted  1  seat.reserved  show_id:1, order_id:2
              when     reserve_without_end({"show_id":1,"order_id":3})
              emitted  2  seat.reserved  show_id:1, order_id:3
              when     reserve_without_end({"show_id":1,"order_id":1})
              emitted  3  seat.reserved  show_id:1, order_id:1

            state
              3

            boundary of the last call
              A  EventCounter<SeatReserved>  seat.reserved {order_id:1}

                                                       A
              1  seat.reserved  show_id:1, order_id:2  missing tag order_id:1
              2  seat.reserved  show_id:1, order_id:3  missing tag order_id:1

            as a test of its own
              given_nothing()
                  .when_json(reserve_without_end, r#"{"show_id":1,"order_id":2}"#)
                  .when_json(reserve_without_end, r#"{"show_id":1,"order_id":3}"#)
                  .when_json(reserve_without_end, r#"{"show_id":1,"order_id":1}"#)
                  .then_rejected("what speaks against it");

            found
              in story 3 of 512 from seed 0, shrunk from 7 calls to 3; the same seed finds it again
        "##]],
    );
}

#[test]
fn a_rule_that_two_calls_at_once_break() {
    fails(
        || {
            theatre()
                .command(reserve_beside, any_reservation())
                .always(reserved(), |reserved| *reserved <= 2)
                .check();
        },
        expect![[r##"
            the invariant of `EventCounter<SeatReserved>` does not hold

            scenario
              when     reserve_beside({"show_id":1,"order_id":3})
              emitted  1  seat.reserved  show_id:1, order_id:3
              when     reserve_beside({"show_id":1,"order_id":1})
              racing   reserve_beside({"show_id":1,"order_id":2})
              emitted  2  seat.reserved  show_id:1, order_id:1
              second   3  seat.reserved  show_id:1, order_id:2

            state
              3

            what the second reads of the first
              A  seat.reserved {order_id:2}

                                                       A
              2  seat.reserved  show_id:1, order_id:1  missing tag order_id:2

            cause
              one after the other these calls keep it; at the same moment the second call of `reserve_beside` commits although the first has just changed what its decision rests on, so its boundary is too narrow

            fix
              let a fold of the `Command` in `reserve_beside` read what it decides on, rather than a `FoldQuery` beside it, the input, or a fold with a narrower scope

            as a test of its own
              given_nothing()
                  .when_json(reserve_beside, r#"{"show_id":1,"order_id":3}"#)
                  .when_racing((
                      (reserve_beside, serde_json::from_str(r#"{"show_id":1,"order_id":1}"#).unwrap()),
                      (reserve_beside, serde_json::from_str(r#"{"show_id":1,"order_id":2}"#).unwrap()),
                  ))
                  .then_conflict();

            found
              in story 49 of 512 from seed 0, shrunk from 6 calls to 3; the same seed finds it again
        "##]],
    );
}

#[test]
fn a_rule_of_several_folds() {
    fails(
        || {
            fixed(
                given(events![SeatReserved {
                    show_id: 2,
                    order_id: 9
                }])
                .invariant(),
            )
            .command(reserve, any_reservation())
            .holds(
                "the first show has no more visitors than the second",
                |now| {
                    let (first, second) = (
                        now.fold(reserved()),
                        now.fold(EventCounter::<SeatReserved>::new().with("show_id", 2)),
                    );
                    if first <= second {
                        Ok(())
                    } else {
                        Err(format!("{first} in the first, {second} in the second"))
                    }
                },
            )
            .check();
        },
        expect![[r##"
            it does not hold that the first show has no more visitors than the second

            scenario
              given    1  seat.reserved  show_id:2, order_id:9
              when     reserve({"show_id":1,"order_id":1})
              emitted  2  seat.reserved  show_id:1, order_id:1
              when     reserve({"show_id":1,"order_id":2})
              emitted  3  seat.reserved  show_id:1, order_id:2

            boundary of the last call
              A  EventCounter<SeatReserved>  seat.reserved {show_id:1}
              B  EventCounter<SeatReserved>  seat.reserved {order_id:2}

                                                       A                      B
              1  seat.reserved  show_id:2, order_id:9  missing tag show_id:1  missing tag order_id:2
              2  seat.reserved  show_id:1, order_id:1  read                   missing tag order_id:2

            cause
              2 in the first, 1 in the second

            as a test of its own
              given(..) // the history of this invariant
                  .when_json(reserve, r#"{"show_id":1,"order_id":1}"#)
                  .when_json(reserve, r#"{"show_id":1,"order_id":2}"#)
                  .then_rejected("what speaks against it");

            found
              in story 4 of 512 from seed 0, shrunk from 6 calls to 2; the same seed finds it again
        "##]],
    );
}

#[test]
fn a_rule_that_asserts() {
    fails(
        || {
            theatre()
                .command(reserve, any_reservation())
                .always_decider(Seats { show_id: 1 }, |free| {
                    assert!(*free > 0, "nobody gets in");
                    true
                })
                .check();
        },
        expect![[r##"
            the invariant of `Seats` does not hold

            scenario
              when     reserve({"show_id":1,"order_id":2})
              emitted  1  seat.reserved  show_id:1, order_id:2
              when     reserve({"show_id":1,"order_id":1})
              emitted  2  seat.reserved  show_id:1, order_id:1

            state
              0

            boundary of the last call
              A  EventCounter<SeatReserved>  seat.reserved {show_id:1}
              B  EventCounter<SeatReserved>  seat.reserved {order_id:1}

                                                       A     B
              1  seat.reserved  show_id:1, order_id:2  read  missing tag order_id:1

            cause
              nobody gets in, at failures.rs

            as a test of its own
              given_nothing()
                  .when_json(reserve, r#"{"show_id":1,"order_id":2}"#)
                  .when_json(reserve, r#"{"show_id":1,"order_id":1}"#)
                  .then_rejected("what speaks against it");

            found
              in story 1 of 512 from seed 0, shrunk from 7 calls to 2; the same seed finds it again
        "##]],
    );
}

#[test]
fn a_rule_that_never_held() {
    fails(
        || {
            theatre()
                .command(reserve, any_reservation())
                .always(reserved(), |reserved| *reserved > 0)
                .check();
        },
        expect![[r#"
            the invariant of `EventCounter<SeatReserved>` does not hold

            scenario
              given  no events

            state
              0

            cause
              it does not hold before the first call: look at the history
        "#]],
    );
}

#[test]
fn a_command_that_panics() {
    fn reserve_odd(input: Reserve, context: CommandContext) -> anyhow::Result<ExecuteOutput> {
        assert!(input.order_id != 3, "three is a crowd");
        reserve(input, context)
    }
    fails(
        || {
            theatre()
                .command(reserve, any_reservation())
                .command(reserve_odd, any_reservation())
                .check();
        },
        expect![[r##"
            `reserve_odd` panicked

            scenario
              when      reserve_odd({"show_id":1,"order_id":3})
              panicked  three is a crowd, at failures.rs

            cause
              panicked: three is a crowd, at failures.rs

            fix
              a command that cannot do what it is asked to returns an error of its own words, which is a rejection: `anyhow::bail!(..)`, or `Rejection::new(..)`

            as a test of its own
              given_nothing()
                  .when_json(reserve_odd, r#"{"show_id":1,"order_id":3}"#)
                  .then_rejected("what speaks against it");

            found
              in story 3 of 512 from seed 0, shrunk from 6 calls to 1; the same seed finds it again
        "##]],
    );
}

#[test]
fn a_command_that_fails() {
    let broken = Events::new().with_stored("seat.reserved", 1, ["show_id:1"], &json!({}));
    fails(
        || {
            fixed(given(broken).invariant())
                .command(reserve, any_reservation())
                .check();
        },
        expect![[r##"
            `reserve` failed

            scenario
              given   1  seat.reserved  show_id:1
              when    reserve({"show_id":1,"order_id":1})
              failed  event `seat.reserved` at position 1 (id e0000000-0000-0000-0000-000000000001) cannot be read: its data does not have the shape of version 1: missing field `show …

            cause
              failed: event `seat.reserved` at position 1 (id e0000000-0000-0000-0000-000000000001) cannot be read: its data does not have the shape of version 1: missing field `show_id` at line 1 column 2

            as a test of its own
              given(..) // the history of this invariant
                  .when_json(reserve, r#"{"show_id":1,"order_id":1}"#)
                  .then_rejected("what speaks against it");

            found
              in story 1 of 512 from seed 0, shrunk from 7 calls to 1; the same seed finds it again
        "##]],
    );
}

#[test]
fn a_fold_that_cannot_be_run() {
    let broken = Events::new().with_stored("seat.reserved", 1, ["show_id:1"], &json!({}));
    fails(
        || {
            fixed(given(broken).invariant())
                .command(reserve, any_reservation())
                .always(reserved(), |reserved| *reserved <= 2)
                .check();
        },
        expect![[r#"
            `EventCounter<SeatReserved>` of an invariant could not be run

            scenario
              given  1  seat.reserved  show_id:1

            cause
              event `seat.reserved` at position 1 (id e0000000-0000-0000-0000-000000000001) cannot be read: its data does not have the shape of version 1: missing field `show_id` at line 1 column 2
              it does not hold before the first call: look at the history
        "#]],
    );
}

#[test]
fn another_seed() {
    fails(
        || {
            theatre()
                .seed(7)
                .command(reserve, any_reservation())
                .always(reserved(), |reserved| *reserved == 0)
                .check();
        },
        expect![[r##"
            the invariant of `EventCounter<SeatReserved>` does not hold

            scenario
              when     reserve({"show_id":1,"order_id":1})
              emitted  1  seat.reserved  show_id:1, order_id:1

            state
              1

            boundary of the last call
              the log was empty; these were asked for:
              A  EventCounter<SeatReserved>  seat.reserved {show_id:1}
              B  EventCounter<SeatReserved>  seat.reserved {order_id:1}

            as a test of its own
              given_nothing()
                  .when_json(reserve, r#"{"show_id":1,"order_id":1}"#)
                  .then_rejected("what speaks against it");

            found
              in story 2 of 512 from seed 7, shrunk from 6 calls to 1; the same seed (`.seed(7)`, or `PROPTEST_RNG_SEED=7`) finds it again
        "##]],
    );
}

#[test]
fn a_command_that_a_check_finds_fault_with() {
    fails(
        || {
            fixed(given(events![plan(1)]).invariant())
                .command(
                    sell_warranty::execute_carelessly,
                    (1..1_000_u64).prop_map(sell_warranty::input),
                )
                .check();
        },
        expect![[r##"
            `warranty.sold {plan_id:1, line_item_id:1}` is emitted but no fold of this command reads it

            scenario
              given    1  plan.created   plan_id:1, shop_id:42
              when     execute_carelessly({"plan_id":1,"line_item_id":1,"price":"9.90"})
              emitted  2  warranty.sold  plan_id:1, line_item_id:1

            folds, and whether they read it
              plan.created | plan.archived {plan_id:1}  other type

            cause
              two calls of `execute_carelessly` at the same moment would both commit, and both would be the first event of line_item_id:1

            fix
              add a fold that reads `warranty.sold`, with `#[scope(line_item_id)]` on its variant, and decide on what it says
              or, if such calls are independent facts, `.without(check::SELF_RACE, "why")`

            as a test of its own
              given(..) // the history of this invariant
                  .when_json(execute_carelessly, r#"{"plan_id":1,"line_item_id":1,"price":"9.90"}"#)
                  .receipt(); // the check runs at the last call

            found
              in story 1 of 512 from seed 0, shrunk from 7 calls to 1; the same seed finds it again
        "##]],
    );
}

#[test]
fn a_command_that_never_wrote() {
    fails(
        || {
            theatre()
                .command(reserve, any_reservation())
                .command(sell_warranty::execute, any_sale())
                .check();
        },
        expect![[r#"
            `sell_warranty::execute` wrote no event in 512 stories

            how its calls ended
              1750 times  rejected: there is no such plan

            cause
              nothing was proven of a command that never does anything

            fix
              begin with a history in which it can succeed: `given(..).invariant()`
              or let the calls meet: domain ids from few values, such as `1..4_u64`
        "#]],
    );
}

#[test]
fn a_fold_that_never_read() {
    fails(
        || {
            theatre()
                .command(reserve, any_reservation())
                .always(
                    EventCounter::<SeatReserved>::new().with("show_id", 7),
                    |reserved| *reserved <= 2,
                )
                .check();
        },
        expect![[r#"
            `EventCounter<SeatReserved>` read no event in 512 stories

            cause
              the invariant was judged by the state before the first event alone

            fix
              give the fold domain ids that the inputs of the commands have
        "#]],
    );
}

#[test]
fn no_command() {
    fails(
        || {
            theatre()
                .always(reserved(), |reserved| *reserved <= 2)
                .check();
        },
        expect![[r#"
            this invariant has no command

            cause
              where nothing is called nothing can be broken

            fix
              `.command(function, strategy_of_inputs)`
        "#]],
    );
}

#[test]
fn an_input_that_json_does_not_carry() {
    #[derive(Debug, DomainIds, Serialize, Deserialize)]
    struct Silent {
        #[domain_id]
        show_id: u64,
        #[serde(skip_serializing)]
        order_id: u64,
    }
    let command = |input: Silent, context| {
        reserve(
            Reserve {
                show_id: input.show_id,
                order_id: input.order_id,
            },
            context,
        )
    };
    let inputs = || {
        (1..3_u64).prop_map(|show_id| Silent {
            show_id,
            order_id: 1,
        })
    };
    fails(
        || theatre().command(command, inputs()).check(),
        expect![[r#"
            the input of `|input, context| ..` does not survive JSON

            input
              {"show_id":1}

            cause
              missing field `order_id` at line 1 column 13

            fix
              make its `Serialize` and `Deserialize` inverse to each other
        "#]],
    );
}

#[test]
fn inputs_that_cannot_be_made() {
    let inputs = || any_reservation().prop_filter("no reservation is good enough", |_| false);
    fails(
        || theatre().command(reserve, inputs()).check(),
        expect![[r#"
            the strategies of this invariant make no inputs

            cause
              Too many local rejects
        "#]],
    );
}

#[test]
fn histories_without_events() {
    let history = histories().new_tree(&mut Default::default());
    expect!["`histories()` has no event: add `.event(strategy)`"]
        .assert_eq(&history.err().expect("a reason").to_string());
}

#[test]
fn a_history_is_shown_by_its_events() {
    let history = events![
        SeatReserved {
            show_id: 1,
            order_id: 2
        },
        plan(1)
    ];
    expect![[r#"
        [
            seat.reserved {show_id:1, order_id:2} {"show_id":1,"order_id":2},
            plan.created {plan_id:1, shop_id:42} {"plan_id":1,"shop_id":42,"title":"Gold","months":24},
        ]"#]].assert_eq(&format!("{history:#?}"));
}

#[test]
fn an_input_with_quotes_is_printed_as_rust_reads_it() {
    fn say(input: Words, _: CommandContext) -> anyhow::Result<ExecuteOutput> {
        panic!("{}", input.text)
    }
    #[derive(DomainIds, Serialize, Deserialize)]
    struct Words {
        text: String,
    }
    let words = |()| Words {
        text: "\"#".to_owned(),
    };
    fails(
        || theatre().command_with(say, Just(()), words).check(),
        expect![[r###"
            `say` panicked

            scenario
              when      say({"text":"\"#"})
              panicked  "#, at failures.rs

            cause
              panicked: "#, at failures.rs

            fix
              a command that cannot do what it is asked to returns an error of its own words, which is a rejection: `anyhow::bail!(..)`, or `Rejection::new(..)`

            as a test of its own
              given_nothing()
                  .when_json(say, r##"{"text":"\"#"}"##)
                  .then_rejected("what speaks against it");

            found
              in story 1 of 512 from seed 0, shrunk from 7 calls to 1; the same seed finds it again
        "###]],
    );
}
