//! What time it is.

use std::time::SystemTime;

use umari::prelude::*;

use crate::store::Store;

#[test]
fn a_host_without_a_clock_of_its_own_has_the_machines() {
    let (_store, _installed) = Store::install();
    let before = DateTime::<Utc>::from(SystemTime::now());
    let now = umari::clock::now();
    let after = DateTime::<Utc>::from(SystemTime::now());
    assert!(before <= now && now <= after, "{before} {now} {after}");
}

#[test]
#[should_panic(expected = "no host is installed on this thread")]
fn without_a_host_nobody_knows_the_time() {
    let _ = umari::clock::now();
}
