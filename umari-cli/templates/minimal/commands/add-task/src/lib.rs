//! Adds a task.

use my_app::events::TaskAdded;
use my_app::folds::TaskExistsFold;
use umari::prelude::*;

#[cfg(test)]
mod tests;

/// The new task.
#[derive(DomainIds, Validate, JsonSchema, Serialize, Deserialize)]
pub struct Input {
    /// The task's id, chosen by the caller.
    #[domain_id]
    #[validate(length(min = 1, max = 64, message = "must be 1 to 64 characters"))]
    pub task_id: String,
    /// What is to be done.
    #[validate(length(min = 1, max = 200, message = "must be 1 to 200 characters"))]
    pub title: String,
}

/// Records the new task.
///
/// What the folds read is the boundary of this decision: if any of it changes before the event is
/// written, the decision is made again.
///
/// # Errors
///
/// When the input is invalid or the task's id is taken.
#[export_command]
pub fn execute(input: Input, context: CommandContext) -> anyhow::Result<ExecuteOutput> {
    input.validate()?;

    Command::new(input, context)
        .fold::<TaskExistsFold>()
        .execute(|input, exists| {
            anyhow::ensure!(!exists, "task already exists");

            Ok(emit![TaskAdded {
                task_id: input.task_id,
                title: input.title,
            }])
        })
}
