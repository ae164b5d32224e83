//! Defines a course.

use courses::events::CourseDefined;
use umari::prelude::*;

#[cfg(test)]
mod tests;

/// The new course.
#[derive(DomainIds, Validate, JsonSchema, Serialize, Deserialize)]
pub struct Input {
    /// The course's id, chosen by the caller.
    #[domain_id]
    #[validate(length(min = 1, max = 64, message = "must be 1 to 64 characters"))]
    pub course_id: String,
    /// What students see.
    #[validate(length(min = 1, max = 200, message = "must be 1 to 200 characters"))]
    pub title: String,
    /// How many students can take it.
    #[validate(range(min = 1, max = 10_000, message = "must be between 1 and 10,000"))]
    pub capacity: u32,
}

/// Records the new course.
///
/// The boundary is one question: was a course of this id ever defined? What became of it since, and who
/// takes it, is none of this decision's business, and does not disturb it.
///
/// # Errors
///
/// When the input is invalid or the course's id is taken.
#[export_command]
pub fn execute(input: Input, context: CommandContext) -> anyhow::Result<ExecuteOutput> {
    input.validate()?;

    Command::new(input, context)
        .fold::<EventFold<CourseDefined>>()
        .execute(|input, defined| {
            anyhow::ensure!(!defined.exists(), "course already exists");

            Ok(emit![CourseDefined {
                course_id: input.course_id,
                title: input.title,
                capacity: input.capacity,
            }])
        })
}
