use expect_test::{Expect, expect};
use umari::prelude::*;

use super::*;
use crate::given::given_nothing;

#[derive(Event, DomainIds, Serialize, Deserialize)]
#[event_type("seat.added")]
struct SeatAdded {
    #[domain_id]
    show_id: u64,
}

#[derive(Event, DomainIds, Serialize, Deserialize)]
#[event_type("seat.reserved")]
struct SeatReserved {
    #[domain_id]
    show_id: u64,
}

#[derive(DomainIds, Serialize, Deserialize)]
struct Input {
    #[domain_id]
    show_id: u64,
}

fn add(input: Input, context: CommandContext) -> anyhow::Result<ExecuteOutput> {
    Command::new(input, context).execute(|Input { show_id }, ()| Ok(emit![SeatAdded { show_id }]))
}

fn reserve(input: Input, context: CommandContext) -> anyhow::Result<ExecuteOutput> {
    Command::new(input, context)
        .fold::<EventCounter<SeatAdded>>()
        .fold::<EventCounter<SeatReserved>>()
        .execute(|Input { show_id }, (added, reserved)| {
            anyhow::ensure!(reserved < added, "sold out");
            Ok(emit![SeatReserved { show_id }])
        })
}

fn close(input: Input, context: CommandContext) -> anyhow::Result<ExecuteOutput> {
    Command::new(input, context)
        .fold::<EventCounter<SeatAdded>>()
        .execute(|_, _| Ok(emit![]))
}

type Called = fn(Input, CommandContext) -> anyhow::Result<ExecuteOutput>;

/// The story of these calls on the first show. Each pair is called at the same moment.
fn check(seats: usize, pairs: &[(Called, Called)], expected: Expect) {
    let given = (0..seats).fold(given_nothing(), |given, _| {
        given.and(crate::events![SeatAdded { show_id: 1 }])
    });
    let invariant = given.invariant();
    let mut tally = Tally::default();
    let mut told = Told::new(&invariant, &mut tally);
    let step = |function: Called| Step {
        command: 0,
        call: Call::new(function, Input { show_id: 1 }),
        company: Company::Nobody,
    };
    for (first, second) in pairs {
        let end = told.together(&step(*first), &step(*second));
        assert!(end.is_ok(), "these calls break nothing");
    }
    // Function pointers have long names.
    let calls = "fn(Input, CommandContext) -> Result<ExecuteOutput, Error>";
    expected.assert_eq(&told.world.story.render().replace(calls, "call"));
}

#[test]
fn the_second_conflicts_and_is_called_again() {
    check(
        2,
        &[(reserve, reserve)],
        expect![[r#"
            given    1  seat.added     show_id:1
                     2  seat.added     show_id:1
            when     call({"show_id":1})
            racing   call({"show_id":1})
            emitted  3  seat.reserved  show_id:1
            second   conflict, so it was called again
            again    4  seat.reserved  show_id:1
        "#]],
    );
}

#[test]
fn the_second_conflicts_and_is_refused_then() {
    check(
        1,
        &[(reserve, reserve)],
        expect![[r#"
            given    1  seat.added     show_id:1
            when     call({"show_id":1})
            racing   call({"show_id":1})
            emitted  2  seat.reserved  show_id:1
            second   conflict, so it was called again
            again    rejected: sold out
        "#]],
    );
}

#[test]
fn the_second_reads_nothing_of_the_first() {
    check(
        0,
        &[(add, add)],
        expect![[r#"
            when     call({"show_id":1})
            racing   call({"show_id":1})
            emitted  1  seat.added  show_id:1
            second   2  seat.added  show_id:1
        "#]],
    );
}

#[test]
fn the_second_is_refused_by_what_it_read_and_the_first_is_kept() {
    check(
        0,
        &[(add, reserve), (reserve, close)],
        expect![[r#"
            when     call({"show_id":1})
            racing   call({"show_id":1})
            emitted  1  seat.added     show_id:1
            second   rejected: sold out
            when     call({"show_id":1})
            racing   call({"show_id":1})
            emitted  2  seat.reserved  show_id:1
            second   emitted nothing
        "#]],
    );
}

#[test]
fn a_first_that_writes_nothing_leaves_two_calls_in_order() {
    check(
        1,
        &[(close, reserve), (reserve, add)],
        expect![[r#"
        given     1  seat.added     show_id:1
        when      call({"show_id":1})
        emitted   nothing
        when      call({"show_id":1})
        emitted   2  seat.reserved  show_id:1
        when      call({"show_id":1})
        rejected  sold out
        when      call({"show_id":1})
        emitted   3  seat.added     show_id:1
    "#]],
    );
}
