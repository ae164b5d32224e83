//! One sample of each event, made of what tests are about.

use umari::prelude::*;

use crate::events::{
    CourseCapacityChanged, CourseDefined, InvoiceCreated, OrderPlaced, StudentSubscribed,
};

/// A course is defined.
#[must_use]
pub fn course_defined(course_id: &str, capacity: u32) -> CourseDefined {
    CourseDefined {
        course_id: course_id.to_owned(),
        title: format!("Course {course_id}"),
        capacity,
    }
}

/// A course has another capacity.
#[must_use]
pub fn capacity_changed(course_id: &str, capacity: u32) -> CourseCapacityChanged {
    CourseCapacityChanged {
        course_id: course_id.to_owned(),
        capacity,
    }
}

/// A student takes a course.
#[must_use]
pub fn subscribed(course_id: &str, student_id: &str) -> StudentSubscribed {
    StudentSubscribed {
        course_id: course_id.to_owned(),
        student_id: student_id.to_owned(),
    }
}

/// An invoice over 49.90 is created.
#[must_use]
pub fn invoice(invoice_number: u64) -> InvoiceCreated {
    InvoiceCreated {
        invoice_number,
        customer: "Ada".to_owned(),
        amount_cents: 49_90,
    }
}

/// A kettle is ordered.
#[must_use]
pub fn order(order_id: &str, token: Uuid) -> OrderPlaced {
    OrderPlaced {
        order_id: order_id.to_owned(),
        token,
        article: "kettle".to_owned(),
    }
}
