use umari::prelude::*;

use crate::events::{CourseCapacityChanged, CourseDefined, StudentSubscribed};

/// How many students can take a course; `None` until it is defined.
#[derive(DomainIds, FromDomainIds)]
pub struct CourseCapacityFold {
    /// The course in question.
    #[domain_id]
    pub course_id: String,
}

/// What a capacity depends on.
#[derive(EventSet)]
pub enum CourseCapacityEvents {
    /// The capacity at first.
    Defined(CourseDefined),
    /// The capacity from then on.
    Changed(CourseCapacityChanged),
}

impl Fold for CourseCapacityFold {
    type Events = CourseCapacityEvents;
    type State = Option<u32>;

    fn apply(&self, capacity: &mut Option<u32>, event: StoredEvent<CourseCapacityEvents>) {
        *capacity = Some(match event.data {
            CourseCapacityEvents::Defined(event) => event.capacity,
            CourseCapacityEvents::Changed(event) => event.capacity,
        });
    }
}

/// How many students take a course.
#[derive(DomainIds, FromDomainIds)]
pub struct CourseSubscriptionsFold {
    /// The course in question.
    #[domain_id]
    pub course_id: String,
}

/// The subscriptions of a course, whoever the student is.
#[derive(EventSet)]
pub enum CourseSubscriptionEvents {
    /// One student more.
    #[scope(course_id)]
    Subscribed(StudentSubscribed),
}

impl Fold for CourseSubscriptionsFold {
    type Events = CourseSubscriptionEvents;
    type State = u32;

    fn apply(&self, students: &mut u32, _event: StoredEvent<CourseSubscriptionEvents>) {
        *students += 1;
    }
}

/// How many courses a student takes.
#[derive(DomainIds, FromDomainIds)]
pub struct StudentSubscriptionsFold {
    /// The student in question.
    #[domain_id]
    pub student_id: String,
}

/// The subscriptions of a student, whatever the course is.
#[derive(EventSet)]
pub enum StudentSubscriptionEvents {
    /// One course more.
    #[scope(student_id)]
    Subscribed(StudentSubscribed),
}

impl Fold for StudentSubscriptionsFold {
    type Events = StudentSubscriptionEvents;
    type State = u64;

    fn apply(&self, courses: &mut u64, _event: StoredEvent<StudentSubscriptionEvents>) {
        *courses += 1;
    }
}
