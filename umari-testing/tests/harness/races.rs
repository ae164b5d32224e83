//! Commands at the same moment.

use umari::prelude::*;
use umari_testing::prelude::*;

use super::shop::*;
use super::support::fails;

fn plan_on_sale() -> Given {
    given(events![connected(42), plan(1)])
}

mod archive_plan {
    use super::*;

    #[derive(DomainIds, Serialize, Deserialize)]
    pub(crate) struct Input {
        #[domain_id]
        pub(crate) plan_id: u64,
    }

    pub(crate) fn execute(input: Input, context: CommandContext) -> anyhow::Result<ExecuteOutput> {
        Command::new(input, context)
            .fold::<PlanFold>()
            .execute(|Input { plan_id }, plan| {
                Ok(if plan.archived {
                    emit![]
                } else {
                    emit![PlanArchived { plan_id }]
                })
            })
    }
}

#[test]
fn of_two_rivals_one_conflicts() {
    let race = plan_on_sale().when_racing([
        (sell_warranty::execute, sell_warranty::input(7)),
        (sell_warranty::execute, sell_warranty::input(7)),
    ]);
    race.then_conflict().then_winners(1);
    // In production the host executes the loser again.
    race.when(sell_warranty::execute, sell_warranty::input(7))
        .then_rejected("sold before");
}

#[test]
fn independent_commands_all_commit() {
    plan_on_sale()
        .when_racing((
            (sell_warranty::execute, sell_warranty::input(7)),
            (create_plan::execute, create_plan::input(2)),
        ))
        .then_all_commit()
        .then_state(EventCounter::<WarrantySold>::new(), 1)
        .then_state(EventCounter::<PlanCreated>::new(), 2);
}

#[test]
fn each_order_ends_as_it_does_in_production() {
    let race = plan_on_sale().when_racing((
        (sell_warranty::execute, sell_warranty::input(7)),
        (archive_plan::execute, archive_plan::Input { plan_id: 1 }),
    ));
    assert_eq!(race.interleavings().len(), 4);
    // A sale reads whether the plan is archived; archiving a plan does not read its sales.
    race.interleaving("a reads, b reads, a commits, b commits")
        .then_commits('a')
        .then_commits('b');
    race.interleaving("a reads, b reads, b commits, a commits")
        .then_commits('b')
        .then_conflicts('a')
        .then_rejects('a', "the plan is archived")
        .then_state(EventCounter::<WarrantySold>::new(), 0);
    race.interleaving("b reads, b commits, a reads, a commits")
        .then_rejects('a', "the plan is archived");
    race.then_in_each(|order| {
        order.then_state(
            PlanFold { plan_id: 1 },
            PlanState {
                title: Some("Gold".to_owned()),
                archived: true,
            },
        );
    });
}

#[test]
fn three_race_in_thirty_six_orders() {
    let race = plan_on_sale().when_racing(
        [7, 7, 8]
            .map(|line_item| (sell_warranty::execute, sell_warranty::input(line_item)))
            .into_iter()
            .collect::<Vec<_>>(),
    );
    assert_eq!(race.interleavings().len(), 36);
    race.then_winners(2).then_in_each(|order| {
        order.then_state(EventCounter::<WarrantySold>::new(), 2);
    });
    race.interleaving("b reads, c reads, c commits, a reads, a commits, b commits")
        .then_commits('a')
        .then_conflicts('b')
        .then_commits('c');
}

#[test]
fn four_race_at_most() {
    let sales = |count| {
        let sale = |line_item| (sell_warranty::execute, sell_warranty::input(line_item));
        (0..count).map(sale).collect::<Vec<_>>()
    };
    let race = plan_on_sale().when_racing(sales(4)).then_all_commit();
    assert_eq!(race.interleavings().len(), 576);
    fails(
        || plan_on_sale().when_racing(sales(5)),
        expect![[r#"
        a race has 2 to 4 calls, and this one has 5

        scenario
          given  1  shop.connected  shop_id:42
                 2  plan.created    plan_id:1, shop_id:42
    "#]],
    );
}

#[test]
fn of_two_calls_with_one_key_one_writes() {
    let reconnect = |input, context: CommandContext| {
        connect_shop::execute(input, context.with_idempotency_key(Uuid::from_u128(7)))
    };
    let input = || connect_shop::Input {
        shop_id: 42,
        name: "again".to_owned(),
    };
    let race =
        given(events![connected(42)]).when_racing([(reconnect, input()), (reconnect, input())]);
    // The loser is made again, finds its key, and succeeds without an event.
    race.then_conflict().then_winners(1);
    fails(
        || {
            race.interleaving("a reads, b reads, b commits, a commits")
                .then_rejects('a', "")
        },
        expect![[r#"
            `a` was expected to be rejected with ""

            scenario
              given    1  shop.connected    shop_id:42
              when     a = |input, context| ..({"shop_id":42,"name":"again"})
              racing   b = |input, context| ..({"shop_id":42,"name":"again"})
              order    a reads, b reads, b commits, a commits
              emitted  2  shop.reconnected  shop_id:42
              ended    a conflicts, then writes nothing
                       b commits 1 event
        "#]],
    );
}

#[test]
fn inputs_without_serde_race_by_closures() {
    let register = |topic: &'static str| {
        let call = move |(), context| {
            let topic = topic.to_owned();
            record_registration(Registration { shop_id: 42, topic }, context)
        };
        (call, ())
    };
    given(events![connected(42)])
        .when_racing([register("paid"), register("cancelled")])
        .then_conflict()
        .then_winners(2);
}

#[test]
fn a_race_that_ends_otherwise() {
    let independent = plan_on_sale().when_racing([
        (sell_warranty::execute, sell_warranty::input(7)),
        (sell_warranty::execute, sell_warranty::input(8)),
    ]);
    fails(
        || independent.then_conflict(),
        expect![[r#"
            the later calls were expected to conflict with the first

            scenario
              given    1  shop.connected  shop_id:42
                       2  plan.created    plan_id:1, shop_id:42
              when     a = sell_warranty::execute({"plan_id":1,"line_item_id":7,"price":"9.90"})
              racing   b = sell_warranty::execute({"plan_id":1,"line_item_id":8,"price":"9.90"})
              order    a reads, b reads, a commits, b commits
              emitted  3  warranty.sold   plan_id:1, line_item_id:7
                       4  warranty.sold   plan_id:1, line_item_id:8
              ended    a commits 1 event
                       b commits 1 event

            interleavings
              a reads, b reads, a commits, b commits  a commits 1 event  b commits 1 event
              a reads, a commits, b reads, b commits  a commits 1 event  b commits 1 event
              a reads, b reads, b commits, a commits  a commits 1 event  b commits 1 event
              b reads, b commits, a reads, a commits  a commits 1 event  b commits 1 event

            what the later call reads of what was written before
              A  plan.created | plan.archived {plan_id:1}
              B  warranty.sold {line_item_id:8}

                                                           A           B
              3  warranty.sold  plan_id:1, line_item_id:7  other type  missing tag line_item_id:8

            cause
              b committed too: it reads nothing that was written before

            fix
              where they are rivals, let the later one read what the earlier one writes, by a fold; where they are not, `.then_all_commit()` says so
        "#]],
    );
    let refused_first = plan_on_sale().when_racing((
        (create_plan::execute, create_plan::input(1)),
        (sell_warranty::execute, sell_warranty::input(7)),
    ));
    fails(
        || refused_first.then_conflict(),
        expect![[r#"
        the later calls were expected to conflict with the first

        scenario
          given    1  shop.connected  shop_id:42
                   2  plan.created    plan_id:1, shop_id:42
          when     a = create_plan::execute({"plan_id":1,"shop_id":42,"title":"Gold","months":24})
          racing   b = sell_warranty::execute({"plan_id":1,"line_item_id":7,"price":"9.90"})
          order    a reads, b reads, a commits, b commits
          emitted  3  warranty.sold   plan_id:1, line_item_id:7
          ended    a rejected: plan already exists
                   b commits 1 event

        interleavings
          a reads, b reads, a commits, b commits  a rejected: plan already exists  b commits 1 event
          a reads, a commits, b reads, b commits  a rejected: plan already exists  b commits 1 event
          a reads, b reads, b commits, a commits  a rejected: plan already exists  b commits 1 event
          b reads, b commits, a reads, a commits  a rejected: plan already exists  b commits 1 event

        cause
          a comes first and has to commit, but ended with `rejected: plan already exists`
    "#]],
    );
    let refused_later = plan_on_sale().when_racing((
        (sell_warranty::execute, sell_warranty::input(7)),
        (create_plan::execute, create_plan::input(1)),
    ));
    fails(
        || refused_later.then_conflict(),
        expect![[r#"
        the later calls were expected to conflict with the first

        scenario
          given    1  shop.connected  shop_id:42
                   2  plan.created    plan_id:1, shop_id:42
          when     a = sell_warranty::execute({"plan_id":1,"line_item_id":7,"price":"9.90"})
          racing   b = create_plan::execute({"plan_id":1,"shop_id":42,"title":"Gold","months":24})
          order    a reads, b reads, a commits, b commits
          emitted  3  warranty.sold   plan_id:1, line_item_id:7
          ended    a commits 1 event
                   b rejected: plan already exists

        interleavings
          a reads, b reads, a commits, b commits  a commits 1 event  b rejected: plan already exists
          a reads, a commits, b reads, b commits  a commits 1 event  b rejected: plan already exists
          a reads, b reads, b commits, a commits  a commits 1 event  b rejected: plan already exists
          b reads, b commits, a reads, a commits  a commits 1 event  b rejected: plan already exists

        what the later call reads of what was written before
          A  shop.connected {shop_id:42}
          B  plan.created | plan.archived {plan_id:1}

                                                       A           B
          3  warranty.sold  plan_id:1, line_item_id:7  other type  other type

        cause
          b ended with `rejected: plan already exists`
    "#]],
    );
    fails(
        || independent.then_winners(1),
        expect![[r#"
        1 winner was expected in every order

        scenario
          given    1  shop.connected  shop_id:42
                   2  plan.created    plan_id:1, shop_id:42
          when     a = sell_warranty::execute({"plan_id":1,"line_item_id":7,"price":"9.90"})
          racing   b = sell_warranty::execute({"plan_id":1,"line_item_id":8,"price":"9.90"})
          order    a reads, b reads, a commits, b commits
          emitted  3  warranty.sold   plan_id:1, line_item_id:7
                   4  warranty.sold   plan_id:1, line_item_id:8
          ended    a commits 1 event
                   b commits 1 event

        interleavings (! not as expected)
          !  a reads, b reads, a commits, b commits  a commits 1 event  b commits 1 event
          !  a reads, a commits, b reads, b commits  a commits 1 event  b commits 1 event
          !  a reads, b reads, b commits, a commits  a commits 1 event  b commits 1 event
          !  b reads, b commits, a reads, a commits  a commits 1 event  b commits 1 event
    "#]],
    );
    let rivals = plan_on_sale().when_racing([
        (create_plan::execute, create_plan::input(2)),
        (create_plan::execute, create_plan::input(2)),
    ]);
    fails(
        || rivals.then_all_commit(),
        expect![[r#"
        all calls were expected to commit in every order

        scenario
          given    1  shop.connected  shop_id:42
                   2  plan.created    plan_id:1, shop_id:42
          when     a = create_plan::execute({"plan_id":2,"shop_id":42,"title":"Gold","months":24})
          racing   b = create_plan::execute({"plan_id":2,"shop_id":42,"title":"Gold","months":24})
          order    a reads, b reads, a commits, b commits
          emitted  3  plan.created    plan_id:2, shop_id:42
          ended    a commits 1 event
                   b conflict: `plan.created` was appended at position 3 after this command had read up to 2

        interleavings (! not as expected)
          !  a reads, b reads, a commits, b commits  a commits 1 event                                b conflicts, then rejected: plan already exists
          !  a reads, a commits, b reads, b commits  a commits 1 event                                b rejected: plan already exists
          !  a reads, b reads, b commits, a commits  a conflicts, then rejected: plan already exists  b commits 1 event
          !  b reads, b commits, a reads, a commits  a rejected: plan already exists                  b commits 1 event
    "#]],
    );
}

#[test]
fn a_race_that_is_none() {
    fails(
        || {
            given_nothing().when_racing([
                (create_plan::execute, create_plan::input(2)),
                (create_plan::execute, create_plan::input(2)),
            ])
        },
        expect![[r#"
            none of the racing commands succeeds, in any order

            scenario
              when    a = create_plan::execute({"plan_id":2,"shop_id":42,"title":"Gold","months":24})
              racing  b = create_plan::execute({"plan_id":2,"shop_id":42,"title":"Gold","months":24})

            interleaving
              a reads, b reads, a commits, b commits
              a rejected: shop does not exist
              b rejected: shop does not exist
        "#]],
    );
    fails(
        || plan_on_sale().when_racing([(create_plan::execute, create_plan::input(2))]),
        expect![[r#"
            a race has 2 to 4 calls, and this one has 1

            scenario
              given  1  shop.connected  shop_id:42
                     2  plan.created    plan_id:1, shop_id:42
        "#]],
    );
}

#[test]
fn an_interleaving_that_ends_otherwise() {
    let race = plan_on_sale().when_racing([
        (sell_warranty::execute, sell_warranty::input(7)),
        (sell_warranty::execute, sell_warranty::input(7)),
    ]);
    fails(
        || race.interleaving("b reads, a reads, a commits, b commits"),
        expect![[r#"
            there is no interleaving `b reads, a reads, a commits, b commits`

            interleavings
              a reads, b reads, a commits, b commits
              a reads, a commits, b reads, b commits
              a reads, b reads, b commits, a commits
              b reads, b commits, a reads, a commits

            cause
              reads that follow each other are named in the order in which the calls are written
        "#]],
    );
    let order = race.interleaving("a reads, b reads, b commits, a commits");
    fails(
        || order.then_commits('a'),
        expect![[r#"
        `a` was expected to commit

        scenario
          given    1  shop.connected  shop_id:42
                   2  plan.created    plan_id:1, shop_id:42
          when     a = sell_warranty::execute({"plan_id":1,"line_item_id":7,"price":"9.90"})
          racing   b = sell_warranty::execute({"plan_id":1,"line_item_id":7,"price":"9.90"})
          order    a reads, b reads, b commits, a commits
          emitted  3  warranty.sold   plan_id:1, line_item_id:7
          ended    a conflicts, then rejected: this line item was sold before
                   b commits 1 event
    "#]],
    );
    fails(
        || order.then_conflicts('b'),
        expect![[r#"
        `b` was expected to meet a conflict

        scenario
          given    1  shop.connected  shop_id:42
                   2  plan.created    plan_id:1, shop_id:42
          when     a = sell_warranty::execute({"plan_id":1,"line_item_id":7,"price":"9.90"})
          racing   b = sell_warranty::execute({"plan_id":1,"line_item_id":7,"price":"9.90"})
          order    a reads, b reads, b commits, a commits
          emitted  3  warranty.sold   plan_id:1, line_item_id:7
          ended    a conflicts, then rejected: this line item was sold before
                   b commits 1 event
    "#]],
    );
    fails(
        || order.then_rejects('a', "archived"),
        expect![[r#"
        `a` was expected to be rejected with "archived"

        scenario
          given    1  shop.connected  shop_id:42
                   2  plan.created    plan_id:1, shop_id:42
          when     a = sell_warranty::execute({"plan_id":1,"line_item_id":7,"price":"9.90"})
          racing   b = sell_warranty::execute({"plan_id":1,"line_item_id":7,"price":"9.90"})
          order    a reads, b reads, b commits, a commits
          emitted  3  warranty.sold   plan_id:1, line_item_id:7
          ended    a conflicts, then rejected: this line item was sold before
                   b commits 1 event
    "#]],
    );
    fails(
        || order.then_commits('c'),
        expect![[r#"
        no racing call is called `c`

        scenario
          given    1  shop.connected  shop_id:42
                   2  plan.created    plan_id:1, shop_id:42
          when     a = sell_warranty::execute({"plan_id":1,"line_item_id":7,"price":"9.90"})
          racing   b = sell_warranty::execute({"plan_id":1,"line_item_id":7,"price":"9.90"})
          order    a reads, b reads, b commits, a commits
          emitted  3  warranty.sold   plan_id:1, line_item_id:7
          ended    a conflicts, then rejected: this line item was sold before
                   b commits 1 event
    "#]],
    );
    fails(
        || {
            race.then_in_each(|order| {
                order.then_state(EventCounter::<WarrantySold>::new(), 2);
            })
        },
        expect![[r#"
            the state of `EventCounter<WarrantySold>` is not as expected

            scenario
              given    1  shop.connected  shop_id:42
                       2  plan.created    plan_id:1, shop_id:42
              when     a = sell_warranty::execute({"plan_id":1,"line_item_id":7,"price":"9.90"})
              racing   b = sell_warranty::execute({"plan_id":1,"line_item_id":7,"price":"9.90"})
              order    a reads, b reads, a commits, b commits
              emitted  3  warranty.sold   plan_id:1, line_item_id:7
              ended    a commits 1 event
                       b conflicts, then rejected: this line item was sold before

            state (- expected, + actual)
              - 2
              + 1

            boundary
              A  EventCounter<WarrantySold>  warranty.sold

                                                            A
              1  shop.connected  shop_id:42                 other type
              2  plan.created    plan_id:1, shop_id:42      other type
              3  warranty.sold   plan_id:1, line_item_id:7  read
        "#]],
    );
}
