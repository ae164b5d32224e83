//! Lets a student take a course.

use courses::COURSES_PER_STUDENT_MAX;
use courses::events::StudentSubscribed;
use courses::folds::{CourseCapacityFold, CourseSubscriptionsFold, StudentSubscriptionsFold};
use umari::prelude::*;

#[cfg(test)]
mod tests;

/// Who wants to take what.
#[derive(DomainIds, Validate, JsonSchema, Serialize, Deserialize)]
pub struct Input {
    /// The course.
    #[domain_id]
    pub course_id: String,
    /// The student.
    #[domain_id]
    #[validate(length(min = 1, max = 64, message = "must be 1 to 64 characters"))]
    pub student_id: String,
}

/// Records the subscription.
///
/// Two rules meet here, one about a course and one about a student, and neither belongs to the other. The
/// boundary is what both need, for as long as this decision takes: the capacity of this course, its
/// subscriptions, and this student's. Nothing that happens to other courses and other students is in it.
///
/// # Errors
///
/// When the input is invalid, and rejections by code:
///
/// | code | when |
/// |---|---|
/// | `no-such-course` | the course is not defined |
/// | `already-subscribed` | the student takes this course |
/// | `course-full` | as many students as it has places take the course |
/// | `too-many-courses` | the student takes as many courses as one can |
#[export_command]
pub fn execute(input: Input, context: CommandContext) -> anyhow::Result<ExecuteOutput> {
    input.validate()?;

    Command::new(input, context)
        .fold::<CourseCapacityFold>()
        .fold::<CourseSubscriptionsFold>()
        .fold::<StudentSubscriptionsFold>()
        // By all of the input's domain ids: this student in this course.
        .fold::<EventFold<StudentSubscribed>>()
        .execute(|input, (capacity, students, courses, subscribed)| {
            let capacity = capacity
                .ok_or_else(|| Rejection::new("no-such-course", "course does not exist"))?;
            anyhow::ensure!(
                !subscribed.exists(),
                Rejection::new("already-subscribed", "student already takes this course")
            );
            anyhow::ensure!(
                students < capacity,
                Rejection::new("course-full", "course is full").with("capacity", capacity)
            );
            anyhow::ensure!(
                courses < COURSES_PER_STUDENT_MAX,
                Rejection::new("too-many-courses", "student already takes 5 courses")
            );

            Ok(emit![StudentSubscribed {
                course_id: input.course_id,
                student_id: input.student_id,
            }])
        })
}
