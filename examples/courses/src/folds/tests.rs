use umari::prelude::*;
use umari_testing::prelude::*;

use super::*;
use crate::samples::{capacity_changed, course_defined, invoice, order, subscribed};

#[test]
fn a_capacity_is_what_was_said_last() {
    let fold = || CourseCapacityFold {
        course_id: "c1".into(),
    };
    given(events![course_defined("c1", 10), course_defined("c2", 20)])
        .then_state(fold(), Some(10))
        .and(events![capacity_changed("c1", 15)])
        .then_state(fold(), Some(15))
        .as_of(2)
        .then_state(fold(), Some(10))
        .then_state(
            CourseCapacityFold {
                course_id: "c3".into(),
            },
            None,
        );
}

#[test]
fn a_subscription_counts_for_its_course_and_for_its_student() {
    let history = given(events![
        subscribed("c1", "s1"),
        subscribed("c1", "s2"),
        subscribed("c2", "s1")
    ]);
    for (course_id, students) in [("c1", 2), ("c2", 1), ("c3", 0)] {
        let course_id = course_id.into();
        history.then_state(CourseSubscriptionsFold { course_id }, students);
    }
    for (student_id, courses) in [("s1", 2), ("s2", 1), ("s3", 0)] {
        let student_id = student_id.into();
        history.then_state(StudentSubscriptionsFold { student_id }, courses);
    }
}

#[test]
fn the_last_invoice_is_the_last_of_all() {
    given_nothing()
        .then_state(LastInvoiceNumberFold {}, 0)
        .and(events![invoice(1), invoice(2)])
        .then_state(LastInvoiceNumberFold {}, 2);
}

#[test]
fn tokens_and_orders_are_looked_up_apart() {
    let token = Uuid::from_u128(1);
    given(events![order("o1", token)])
        .query(move || {
            FoldQuery::new()
                .fold(TokenUseFold { token })
                .fold(OrderExistsFold {
                    order_id: "o2".into(),
                })
                .run()
        })
        .then_state((Some("o1".to_owned()), false))
        .then_read(events![order("o1", token)]);
}
