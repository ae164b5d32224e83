//! Checks of commands and events.

use std::cell::Cell;

use umari::prelude::*;
use umari_testing::prelude::*;

use super::super::shop::*;
use super::super::support::fails;

#[test]
fn self_race_finds_a_creation_that_nobody_reads() {
    let shop = given(events![connected(42), plan(1)]);
    fails(
        || shop.when(sell_warranty::execute_carelessly, sell_warranty::input(7)),
        expect![[r#"
            `warranty.sold {plan_id:1, line_item_id:7}` is emitted but no fold of this command reads it

            scenario
              given    1  shop.connected  shop_id:42
                       2  plan.created    plan_id:1, shop_id:42
              when     execute_carelessly({"plan_id":1,"line_item_id":7,"price":"9.90"})
              emitted  3  warranty.sold   plan_id:1, line_item_id:7

            folds, and whether they read it
              plan.created | plan.archived {plan_id:1}  other type

            cause
              two calls of `execute_carelessly` at the same moment would both commit, and both would be the first event of line_item_id:7

            fix
              add a fold that reads `warranty.sold`, with `#[scope(line_item_id)]` on its variant, and decide on what it says
              or, if such calls are independent facts, `.without(check::SELF_RACE, "why")`
        "#]],
    );
    // A second sale of the same line item creates nothing new, and says nothing about the fault.
    shop.without(check::SELF_RACE, "shows the fault")
        .when(sell_warranty::execute_carelessly, sell_warranty::input(7))
        .then(events![sold(7)]);
}

/// Looks for sales of its plan under the wrong name.
#[derive(DomainIds, FromDomainIds)]
struct SoldElsewhereFold {
    #[domain_id]
    plan_id: u64,
}

#[derive(EventSet)]
enum SoldElsewhere {
    #[scope(line_item_id = "0")]
    #[expect(dead_code, reason = "only that it was sold counts")]
    Sold(WarrantySold),
}

impl Fold for SoldElsewhereFold {
    type Events = SoldElsewhere;
    type State = u64;

    fn apply(&self, count: &mut u64, _event: StoredEvent<SoldElsewhere>) {
        *count += 1;
    }
}

#[test]
fn self_race_finds_a_fold_that_misses_its_own_event() {
    let careless = |input: sell_warranty::Input, context: CommandContext| {
        Command::new(input, context)
            .fold::<SoldElsewhereFold>()
            .execute(|input, sold| {
                anyhow::ensure!(sold == 0, "sold before");
                let sell_warranty::Input {
                    plan_id,
                    line_item_id,
                    price,
                } = input;
                Ok(emit![WarrantySold {
                    plan_id,
                    line_item_id,
                    price
                }])
            })
    };
    let shop = given(events![plan(1), sold(7)]);
    fails(
        || shop.when(careless, sell_warranty::input(7)),
        expect![[r#"
        `warranty.sold {plan_id:1, line_item_id:7}` is emitted but no fold of this command reads it

        scenario
          given    1  plan.created   plan_id:1, shop_id:42
                   2  warranty.sold  plan_id:1, line_item_id:7
          when     |input, context| ..({"plan_id":1,"line_item_id":7,"price":"9.90"})
          emitted  3  warranty.sold  plan_id:1, line_item_id:7

        folds, and whether they read it
          warranty.sold {line_item_id:0}  missing tag line_item_id:0

        cause
          two calls of `|input, context| ..` at the same moment would both commit: the command looks for `warranty.sold {line_item_id:0}`, and would not find its own event

        fix
          select `warranty.sold` by a domain id that the emitted event carries, with `#[scope(..)]` on its variant; or mark the missing field of `warranty.sold` with `#[domain_id]`
          or, if such calls are independent facts, `.without(check::SELF_RACE, "why")`
    "#]],
    );
}

#[derive(Event, DomainIds, Serialize, Deserialize)]
#[event_type("page.viewed")]
struct PageViewed {
    #[domain_id]
    page_id: u64,
}

#[derive(DomainIds, Serialize, Deserialize)]
struct View {
    #[domain_id]
    page_id: u64,
}

fn view(input: View, context: CommandContext) -> anyhow::Result<ExecuteOutput> {
    Command::new(input, context).execute(|input, ()| {
        Ok(emit![PageViewed {
            page_id: input.page_id
        }])
    })
}

#[test]
fn self_race_leaves_independent_facts_alone() {
    // One more reconnection of a shop that exists.
    given(events![connected(42)])
        .when(
            connect_shop::execute,
            connect_shop::Input {
                shop_id: 42,
                name: "b".to_owned(),
            },
        )
        .then_count::<ShopReconnected>(1);
    // One more view of a page that was viewed before.
    given(events![PageViewed { page_id: 1 }])
        .when(view, View { page_id: 1 })
        .then(events![PageViewed { page_id: 1 }]);
    // A key makes the second call a duplicate, whatever it would create.
    given_nothing()
        .when_with(view, View { page_id: 1 }, |context| {
            context.with_idempotency_key(Uuid::from_u128(1))
        })
        .then_count::<PageViewed>(1);
}

#[test]
fn determinism_finds_what_is_not_input() {
    thread_local! {
        static CALLS: Cell<u64> = const { Cell::new(0) };
    }
    let counting = |input: create_plan::Input, context: CommandContext| {
        Command::new(input, context)
            .fold::<PlanFold>()
            .execute(|input, _| {
                let create_plan::Input {
                    plan_id,
                    shop_id,
                    title,
                    ..
                } = input;
                let months = u32::try_from(CALLS.replace(CALLS.get() + 1))?;
                Ok(emit![PlanCreated {
                    plan_id,
                    shop_id,
                    title,
                    months
                }])
            })
    };
    let shop = given(events![connected(42)]);
    fails(
        || shop.when(counting, create_plan::input(1)),
        expect![[r#"
            `|input, context| ..` decides differently on the same history

            scenario
              given  1  shop.connected  shop_id:42
              when   |input, context| ..({"plan_id":1,"shop_id":42,"title":"Gold","months":24})

            decisions (- one, + another)
                1  plan.created
                   - months: 0
                   + months: 1
                     plan_id: 1
                     shop_id: 42
                     title: "Gold"

            cause
              something besides input and history takes part: the order of a `HashMap` or `HashSet`, which differs from one map to the next, a random id, the wall clock, a static

            fix
              use a `BTreeMap`, or sort before you choose; take ids and times from the input; or, if it is meant, `.without(check::DETERMINISM, "why")`
        "#]],
    );
    shop.without(check::DETERMINISM, "counts its own calls")
        .when(counting, create_plan::input(1))
        .then_count::<PlanCreated>(1);
}

#[test]
fn idempotency_finds_a_context_that_is_dropped() {
    let forgetful = |input: connect_shop::Input, _context: CommandContext| {
        connect_shop::execute(input, CommandContext::new())
    };
    fails(
        || {
            given(events![connected(42)]).when(
                forgetful,
                connect_shop::Input {
                    shop_id: 42,
                    name: "b".to_owned(),
                },
            )
        },
        expect![[r#"
            `|input, context| ..` does not keep the idempotency law: called twice with one key, it emits twice

            scenario
              given    1  shop.connected    shop_id:42
              when     |input, context| ..({"shop_id":42,"name":"b"})
              emitted  2  shop.reconnected  shop_id:42

            cause
              the context that it was called with does not reach `Command::new`

            fix
              pass the context on: `Command::new(input, context)`
              or, if it is meant, `.without(check::IDEMPOTENCY, "why")`
        "#]],
    );
}

#[derive(Event, DomainIds, Serialize, Deserialize)]
#[event_type("lossy.event")]
struct Lossy {
    #[domain_id]
    id: u64,
    #[serde(skip_deserializing)]
    note: String,
}

#[test]
fn round_trip_finds_a_field_that_is_lost() {
    let lossy = || Lossy {
        id: 1,
        note: "kept?".to_owned(),
    };
    fails(
        || given(events![lossy()]),
        expect![[r#"
        `lossy.event` changes when it is stored and read back

        fields (- stored, + read back)
            payload.id: 1
          - payload.note: "kept?"
          + payload.note: ""
            tags[0]: "id:1"

        fix
          make `Serialize` and `Deserialize` of this type inverse to each other
    "#]],
    );
    let _ = given_nothing()
        .without(check::ROUND_TRIP, "shows the fault")
        .and(events![lossy()]);
}

#[derive(DomainIds, Serialize, Deserialize)]
struct LossyInput {
    #[domain_id]
    page_id: u64,
    #[serde(skip_deserializing)]
    note: String,
}

#[test]
fn an_input_that_json_does_not_carry_is_found() {
    let command = |input: LossyInput, context: CommandContext| {
        Command::new(input, context).execute(|_, ()| Ok(emit![]))
    };
    fails(
        || {
            given_nothing().when(
                command,
                LossyInput {
                    page_id: 1,
                    note: "kept?".to_owned(),
                },
            )
        },
        expect![[r#"
            the input of `|input, context| ..` does not survive JSON

            input
              {"page_id":1,"note":"kept?"}

            cause
              it comes back as {"page_id":1,"note":""}

            fix
              make its `Serialize` and `Deserialize` inverse to each other
        "#]],
    );
}

#[test]
fn a_check_is_not_switched_off_without_a_reason() {
    fails(
        || given_nothing().without(check::SELF_RACE, " "),
        expect![
            "`.without(check::SELF_RACE, ..)` needs a reason: say why this scenario may break the rule"
        ],
    );
}
