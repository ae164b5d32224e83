//! The read model of courses and how full they are.

use courses::events::{CourseCapacityChanged, CourseDefined, StudentSubscribed};
use umari::prelude::*;

#[cfg(test)]
mod tests;

export_projector!(CourseCatalog);

/// The events that change the read model.
#[derive(EventSet)]
pub enum Query {
    /// Adds a course.
    Defined(CourseDefined),
    /// Changes a course's capacity.
    CapacityChanged(CourseCapacityChanged),
    /// Adds to a course's students.
    Subscribed(StudentSubscribed),
}

/// Keeps the table `courses`.
pub struct CourseCatalog {
    insert: Statement,
    change_capacity: Statement,
    add_student: Statement,
}

impl Projector for CourseCatalog {
    type Query = Query;

    fn init() -> anyhow::Result<Self> {
        execute_batch(
            "
            CREATE TABLE IF NOT EXISTS courses (
                course_id TEXT PRIMARY KEY,
                title     TEXT NOT NULL,
                capacity  INTEGER NOT NULL,
                students  INTEGER NOT NULL DEFAULT 0,
                -- Below zero where a course became smaller than it was full.
                free      INTEGER NOT NULL AS (capacity - students)
            );
            ",
        )?;

        Ok(Self {
            insert: prepare("INSERT INTO courses (course_id, title, capacity) VALUES (?1, ?2, ?3)"),
            change_capacity: prepare("UPDATE courses SET capacity = ?2 WHERE course_id = ?1"),
            add_student: prepare("UPDATE courses SET students = students + 1 WHERE course_id = ?1"),
        })
    }

    fn handle(&mut self, event: StoredEvent<Query>) -> anyhow::Result<()> {
        match event.data {
            Query::Defined(course) => {
                self.insert
                    .execute(params![course.course_id, course.title, course.capacity])?;
            }
            Query::CapacityChanged(course) => {
                self.change_capacity
                    .execute(params![course.course_id, course.capacity])?;
            }
            Query::Subscribed(subscription) => {
                self.add_student.execute(params![subscription.course_id])?;
            }
        }
        Ok(())
    }
}
