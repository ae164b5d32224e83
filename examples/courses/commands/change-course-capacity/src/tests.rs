use courses::samples::{capacity_changed, course_defined, subscribed};
use umari_testing::prelude::*;

use super::*;

fn input(capacity: u32) -> Input {
    Input {
        course_id: "c1".to_owned(),
        capacity,
    }
}

#[test]
fn a_capacity_is_changed() {
    given(events![course_defined("c1", 10)])
        .when(execute, input(15))
        .then(events![capacity_changed("c1", 15)])
        .then_read(events![course_defined("c1", 10)]);
}

#[test]
fn the_course_has_to_exist() {
    given(events![course_defined("c2", 10)])
        .when(execute, input(15))
        .then_rejected("course does not exist")
        .then_read(events![]);
}

#[test]
fn a_capacity_that_stays_the_same_is_no_change() {
    given(events![course_defined("c1", 10)])
        .when(execute, input(10))
        .then_rejected("course already has a capacity of 10");
    given(events![
        course_defined("c1", 10),
        capacity_changed("c1", 15)
    ])
    .when(execute, input(15))
    .then_rejected("course already has a capacity of 15")
    .then_read(events![
        course_defined("c1", 10),
        capacity_changed("c1", 15)
    ]);
}

#[test]
fn a_course_may_become_smaller_than_it_is_full() {
    given(events![
        course_defined("c1", 10),
        subscribed("c1", "s1"),
        subscribed("c1", "s2")
    ])
    .when(execute, input(1))
    .then(events![capacity_changed("c1", 1)])
    .then_read(events![course_defined("c1", 10)]);
}

#[test]
fn two_changes_do_not_overwrite_each_other_unseen() {
    given(events![course_defined("c1", 10)])
        .when_racing([(execute, input(15)), (execute, input(20))])
        .then_conflict()
        // Made again, the second is a change too: it is now one from 15 to 20.
        .then_winners(2);
}

#[test]
fn the_capacity_is_checked() {
    for capacity in [0, 10_001] {
        given(events![course_defined("c1", 10)])
            .when(execute, input(capacity))
            .then_invalid("capacity");
    }
}
