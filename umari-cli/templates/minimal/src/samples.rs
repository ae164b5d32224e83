//! One sample of each event. Tests change the field that they are about:
//! `TaskAdded { title, ..task_added() }`.

use crate::events::TaskAdded;

/// Tea is to be bought.
#[must_use]
pub fn task_added() -> TaskAdded {
    TaskAdded {
        task_id: "t1".into(),
        title: "Buy tea".into(),
    }
}
