use courses::samples::{capacity_changed, course_defined, subscribed};
use umari_testing::prelude::*;

use super::*;

fn input(course_id: &str) -> Input {
    Input {
        course_id: course_id.to_owned(),
        title: format!("Course {course_id}"),
        capacity: 10,
    }
}

#[test]
fn a_course_is_defined() {
    given_nothing()
        .when(execute, input("c1"))
        .then(events![course_defined("c1", 10)])
        .then_tags(["course_id:c1"])
        .then_read(events![]);
}

#[test]
fn an_id_is_taken_once() {
    given(events![course_defined("c1", 5)])
        .when(execute, input("c1"))
        .then_rejected("course already exists")
        .then_read(events![course_defined("c1", 5)]);
}

#[test]
fn nothing_else_is_in_the_boundary() {
    given(events![
        course_defined("c2", 5),
        capacity_changed("c2", 10),
        subscribed("c2", "s1")
    ])
    .when(execute, input("c1"))
    .then(events![course_defined("c1", 10)])
    .then_read(events![]);
}

#[test]
fn an_id_is_taken_once_at_the_same_moment_too() {
    given_nothing()
        .when_racing([(execute, input("c1")), (execute, input("c1"))])
        .then_conflict()
        .then_winners(1);
}

#[test]
fn different_courses_are_defined_side_by_side() {
    given_nothing()
        .when_racing([(execute, input("c1")), (execute, input("c2"))])
        .then_all_commit();
}

#[test]
fn every_field_is_checked() {
    let (course_id, title) = (String::new(), String::new());
    for (field, input) in [
        (
            "course_id",
            Input {
                course_id,
                ..input("c1")
            },
        ),
        (
            "title",
            Input {
                title,
                ..input("c1")
            },
        ),
        (
            "capacity",
            Input {
                capacity: 0,
                ..input("c1")
            },
        ),
        (
            "capacity",
            Input {
                capacity: 10_001,
                ..input("c1")
            },
        ),
    ] {
        given_nothing().when(execute, input).then_invalid(field);
    }
}
