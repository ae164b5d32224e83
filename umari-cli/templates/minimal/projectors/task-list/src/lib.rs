//! The read model of what is to be done.

use my_app::events::TaskAdded;
use umari::prelude::*;

#[cfg(test)]
mod tests;

export_projector!(TaskList);

/// The events that change the read model.
#[derive(EventSet)]
pub enum Query {
    /// Adds a task.
    TaskAdded(TaskAdded),
}

/// Keeps the table `tasks`.
pub struct TaskList {
    insert_task: Statement,
}

impl Projector for TaskList {
    type Query = Query;

    fn init() -> anyhow::Result<Self> {
        execute_batch(
            "
            CREATE TABLE IF NOT EXISTS tasks (
                task_id  TEXT PRIMARY KEY,
                title    TEXT NOT NULL,
                added_at TEXT NOT NULL
            );
            ",
        )?;

        Ok(Self {
            insert_task: prepare(
                "INSERT INTO tasks (task_id, title, added_at) VALUES (?1, ?2, ?3)",
            ),
        })
    }

    fn handle(&mut self, event: StoredEvent<Query>) -> anyhow::Result<()> {
        let at = event.timestamp;
        match event.data {
            Query::TaskAdded(task) => {
                self.insert_task
                    .execute(params![task.task_id, task.title, at])?;
            }
        }
        Ok(())
    }
}
