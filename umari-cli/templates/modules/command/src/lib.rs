//! The command `my-module`: what it decides, and from what.

use umari::prelude::*;

#[cfg(test)]
mod tests;

/// What the caller says.
#[derive(DomainIds, Validate, JsonSchema, Serialize, Deserialize)]
pub struct Input {
    /// What the command is about. A domain id binds the folds to the events that carry it.
    #[domain_id]
    #[validate(length(min = 1, max = 64, message = "must be 1 to 64 characters"))]
    pub id: String,
}

/// What happened. It stands in for an event of `my_app::events`: import yours, and delete it.
#[derive(Event, DomainIds, Serialize, Deserialize)]
#[event_type("my-module.done")]
pub struct Done {
    /// What it happened to.
    #[domain_id]
    pub id: String,
}

/// Decides whether it may happen, and records that it did.
///
/// # Errors
///
/// When the input is invalid, or it happened before.
#[export_command]
pub fn execute(input: Input, context: CommandContext) -> anyhow::Result<ExecuteOutput> {
    input.validate()?;

    Command::new(input, context)
        .fold::<EventFold<Done>>()
        .execute(|input, done| {
            anyhow::ensure!(!done.exists(), "already done");

            Ok(emit![Done { id: input.id }])
        })
}
