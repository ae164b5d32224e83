use courses::samples::{capacity_changed, course_defined, subscribed};
use umari_testing::prelude::*;

use super::*;

#[test]
fn courses_are_listed_with_their_places() {
    given(events![
        course_defined("c1", 10),
        course_defined("c2", 20),
        subscribed("c1", "s1"),
        subscribed("c1", "s2"),
        subscribed("c2", "s1"),
        capacity_changed("c1", 1)
    ])
    .project::<CourseCatalog>()
    .then_query(
        "SELECT title, capacity, students, free FROM courses WHERE course_id = ?1",
        params!["c1"],
        rows![["Course c1", 1, 2, -1]],
    )
    .then_rows(
        "SELECT course_id, free FROM courses ORDER BY free DESC",
        rows![["c2", 19], ["c1", -1]],
    );
}

#[test]
fn a_course_is_defined_once() {
    given(events![course_defined("c1", 10), course_defined("c1", 20)])
        .project::<CourseCatalog>()
        .then_fails_at::<CourseDefined>("UNIQUE constraint failed: courses.course_id")
        .then_rows("SELECT capacity FROM courses", rows![[10]]);
}
