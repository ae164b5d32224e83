use umari::prelude::*;

/// There is a new course.
#[derive(Debug, Event, DomainIds, Serialize, Deserialize)]
#[event_type("course.defined")]
pub struct CourseDefined {
    /// The course's id, chosen by whoever defines it.
    #[domain_id]
    pub course_id: String,
    /// What students see.
    pub title: String,
    /// How many students can take it.
    pub capacity: u32,
}

/// More students, or fewer, can take a course from now on. Nobody who is in it has to leave.
#[derive(Debug, Event, DomainIds, Serialize, Deserialize)]
#[event_type("course.capacity.changed")]
pub struct CourseCapacityChanged {
    /// The course.
    #[domain_id]
    pub course_id: String,
    /// How many students can take it now.
    pub capacity: u32,
}

/// A student takes a course.
///
/// The event belongs to both. There is no telling whether it would be the course's or the student's if it
/// had to be in one aggregate; it has two domain ids instead, and is found by either.
#[derive(Debug, Event, DomainIds, Serialize, Deserialize)]
#[event_type("course.student.subscribed")]
pub struct StudentSubscribed {
    /// The course.
    #[domain_id]
    pub course_id: String,
    /// The student.
    #[domain_id]
    pub student_id: String,
}
