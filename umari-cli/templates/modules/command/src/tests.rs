use umari_testing::prelude::*;

use super::*;

fn input() -> Input {
    Input { id: "1".into() }
}

fn done() -> Done {
    Done { id: "1".into() }
}

#[test]
fn it_is_done() {
    given_nothing().when(execute, input()).then(events![done()]);
}

#[test]
fn it_is_done_once() {
    given(events![done()])
        .when(execute, input())
        .then_rejected("already done");
}

#[test]
fn the_id_is_checked() {
    given_nothing()
        .when(execute, Input { id: String::new() })
        .then_invalid("id");
}
