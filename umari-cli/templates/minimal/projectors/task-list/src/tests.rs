use my_app::samples::task_added;
use umari_testing::prelude::*;

use super::*;

#[test]
fn a_task_is_listed() {
    given(events![task_added()])
        .project::<TaskList>()
        .then_rows("SELECT task_id, title FROM tasks", rows![["t1", "Buy tea"]]);
}
