use umari::prelude::*;

/// There is something to do.
#[derive(Event, DomainIds, Serialize, Deserialize)]
#[event_type("task.added")]
pub struct TaskAdded {
    /// The task's id. Commands find a task's events by it.
    #[domain_id]
    pub task_id: String,
    /// What is to be done.
    pub title: String,
}
