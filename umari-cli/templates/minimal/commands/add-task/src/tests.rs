use my_app::samples::task_added;
use umari_testing::prelude::*;

use super::*;

fn input() -> Input {
    let TaskAdded { task_id, title } = task_added();
    Input { task_id, title }
}

#[test]
fn a_task_is_added() {
    given_nothing()
        .when(execute, input())
        .then(events![task_added()]);
}

#[test]
fn an_id_is_taken_once() {
    given(events![task_added()])
        .when(execute, input())
        .then_rejected("task already exists");
}

#[test]
fn an_id_is_taken_once_at_the_same_moment_too() {
    given_nothing()
        .when_racing([(execute, input()), (execute, input())])
        .then_conflict()
        .then_winners(1);
}

#[test]
fn a_task_says_what_is_to_be_done() {
    let title = String::new();
    given_nothing()
        .when(execute, Input { title, ..input() })
        .then_invalid("title");
}
