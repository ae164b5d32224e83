use umari_testing::prelude::*;

use super::*;

fn something_happened(id: &str) -> SomethingHappened {
    SomethingHappened { id: id.into() }
}

#[test]
fn what_happened_is_counted() {
    given(events![
        something_happened("1"),
        something_happened("2"),
        something_happened("1")
    ])
    .project::<MyModule>()
    .then_rows(
        "SELECT id, times FROM things ORDER BY id",
        rows![("1", 2), ("2", 1)],
    );
}
