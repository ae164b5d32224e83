//! What a decision needs to know, derived from the events.

use umari::prelude::*;

use crate::events::TaskAdded;

/// Is there a task of this id?
#[derive(DomainIds, FromDomainIds)]
pub struct TaskExistsFold {
    /// The task in question.
    #[domain_id]
    pub task_id: String,
}

impl Fold for TaskExistsFold {
    type Events = SingleEvent<TaskAdded>;
    type State = bool;

    fn apply(&self, exists: &mut bool, _event: StoredEvent<TaskAdded>) {
        *exists = true;
    }
}

#[cfg(test)]
mod tests {
    use umari_testing::prelude::*;

    use super::*;
    use crate::samples::task_added;

    #[test]
    fn a_task_exists_once_it_was_added() {
        let fold = || TaskExistsFold {
            task_id: "t1".into(),
        };
        assert!(!given_nothing().fold(fold()));
        assert!(given(events![task_added()]).fold(fold()));
    }
}
