use courses::samples::{capacity_changed, course_defined, subscribed};
use umari_testing::prelude::*;

use super::*;

fn input(course_id: &str, student_id: &str) -> Input {
    Input {
        course_id: course_id.to_owned(),
        student_id: student_id.to_owned(),
    }
}

/// The student `s1` takes `count` courses, none of which is `c1`.
fn other_courses(count: u64) -> Events {
    let course = |number| subscribed(&format!("other-{number}"), "s1");
    (0..count).map(course).collect()
}

#[test]
fn a_student_takes_a_course() {
    given(events![course_defined("c1", 10)])
        .when(execute, input("c1", "s1"))
        .then(events![subscribed("c1", "s1")])
        .then_tags(["course_id:c1", "student_id:s1"])
        .then_read(events![course_defined("c1", 10)]);
}

#[test]
fn the_boundary_is_this_course_and_this_student() {
    given(events![
        course_defined("c1", 10),
        course_defined("c2", 10),
        capacity_changed("c2", 20),
        subscribed("c1", "s2"),
        subscribed("c2", "s1"),
        subscribed("c2", "s2")
    ])
    .when(execute, input("c1", "s1"))
    .then(events![subscribed("c1", "s1")])
    .then_read(events![
        course_defined("c1", 10),
        subscribed("c1", "s2"),
        subscribed("c2", "s1")
    ]);
}

#[test]
fn the_course_has_to_exist() {
    given(events![course_defined("c2", 10)])
        .when(execute, input("c1", "s1"))
        .then_rejected("course does not exist")
        .then_read(events![]);
}

#[test]
fn a_course_takes_no_more_than_its_capacity() {
    let full = given(events![
        course_defined("c1", 2),
        subscribed("c1", "s2"),
        subscribed("c1", "s3")
    ]);
    full.when(execute, input("c1", "s1"))
        .then_rejected("course is full")
        .then_rejected_with::<Rejection>(|rejection| rejection.code == "course-full")
        .then_read(events![
            course_defined("c1", 2),
            subscribed("c1", "s2"),
            subscribed("c1", "s3")
        ]);
    full.and(events![capacity_changed("c1", 3)])
        .when(execute, input("c1", "s1"))
        .then(events![subscribed("c1", "s1")]);
}

#[test]
fn a_course_that_became_smaller_is_full() {
    given(events![
        course_defined("c1", 3),
        subscribed("c1", "s2"),
        subscribed("c1", "s3"),
        capacity_changed("c1", 1)
    ])
    .when(execute, input("c1", "s1"))
    .then_rejected("course is full");
}

#[test]
fn a_student_takes_no_more_than_five_courses() {
    let student = |courses| given(other_courses(courses)).and(events![course_defined("c1", 10)]);
    student(COURSES_PER_STUDENT_MAX - 1)
        .when(execute, input("c1", "s1"))
        .then(events![subscribed("c1", "s1")]);
    student(COURSES_PER_STUDENT_MAX)
        .when(execute, input("c1", "s1"))
        .then_rejected("student already takes 5 courses")
        .then_read(other_courses(COURSES_PER_STUDENT_MAX).with(course_defined("c1", 10)));
}

#[test]
fn a_student_takes_a_course_once() {
    given(events![course_defined("c1", 10), subscribed("c1", "s1")])
        .when(execute, input("c1", "s1"))
        .then_rejected("student already takes this course")
        .then_read(events![course_defined("c1", 10), subscribed("c1", "s1")]);
}

#[test]
fn the_last_place_is_given_once() {
    given(events![course_defined("c1", 2), subscribed("c1", "s3")])
        .when_racing([(execute, input("c1", "s1")), (execute, input("c1", "s2"))])
        .then_conflict()
        .then_winners(1)
        .interleaving("a reads, b reads, b commits, a commits")
        .then_commits('b')
        .then_rejects('a', "course is full");
}

#[test]
fn the_fifth_course_is_taken_once() {
    given(other_courses(COURSES_PER_STUDENT_MAX - 1))
        .and(events![course_defined("c1", 10), course_defined("c2", 10)])
        .when_racing([(execute, input("c1", "s1")), (execute, input("c2", "s1"))])
        .then_conflict()
        .then_winners(1);
}

#[test]
fn other_students_of_other_courses_do_not_wait() {
    given(events![course_defined("c1", 10), course_defined("c2", 10)])
        .when_racing([(execute, input("c1", "s1")), (execute, input("c2", "s2"))])
        .then_all_commit();
}

#[test]
fn a_place_that_goes_away_meanwhile_is_not_given() {
    let smaller = change_course_capacity::Input {
        course_id: "c1".to_owned(),
        capacity: 1,
    };
    let race = given(events![course_defined("c1", 2), subscribed("c1", "s2")]).when_racing((
        (execute, input("c1", "s1")),
        (change_course_capacity::execute, smaller),
    ));
    race.interleaving("a reads, b reads, b commits, a commits")
        .then_commits('b')
        .then_conflicts('a')
        .then_rejects('a', "course is full");
    // The other way round nobody is in the way: the change reads no subscriptions.
    race.interleaving("a reads, b reads, a commits, b commits")
        .then_commits('a')
        .then_commits('b');
}

#[test]
fn the_student_is_checked() {
    given(events![course_defined("c1", 10)])
        .when(execute, input("c1", ""))
        .then_invalid("student_id");
}
