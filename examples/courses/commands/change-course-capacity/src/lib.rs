//! Changes how many students can take a course.

use courses::events::CourseCapacityChanged;
use courses::folds::CourseCapacityFold;
use umari::prelude::*;

#[cfg(test)]
mod tests;

/// The course and its new capacity.
#[derive(DomainIds, Validate, JsonSchema, Serialize, Deserialize)]
pub struct Input {
    /// The course.
    #[domain_id]
    pub course_id: String,
    /// How many students can take it from now on.
    #[validate(range(min = 1, max = 10_000, message = "must be between 1 and 10,000"))]
    pub capacity: u32,
}

/// Records the new capacity.
///
/// Subscriptions are not in the boundary: who is in a course stays in it, however small it becomes. So
/// this command and a subscription conflict one way only. See the tests.
///
/// # Errors
///
/// When the input is invalid, there is no such course, or it has this capacity already.
#[export_command]
pub fn execute(input: Input, context: CommandContext) -> anyhow::Result<ExecuteOutput> {
    input.validate()?;

    Command::new(input, context)
        .fold::<CourseCapacityFold>()
        .execute(|input, capacity| {
            let Some(capacity) = capacity else {
                anyhow::bail!("course does not exist");
            };
            anyhow::ensure!(
                capacity != input.capacity,
                "course already has a capacity of {capacity}"
            );

            Ok(emit![CourseCapacityChanged {
                course_id: input.course_id,
                capacity: input.capacity,
            }])
        })
}
