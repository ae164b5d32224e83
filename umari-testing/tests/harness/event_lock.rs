//! The event lock: what is written when, what passes, and what fails in which words.

use std::path::PathBuf;

use umari::prelude::*;
use umari_testing::prelude::*;
use umari_testing::{EventLock, Writing};

mod changes;
mod files;
mod releases;
mod rules;

use self::releases::*;

/// A crate's folder.
struct Folder(tempfile::TempDir);

impl Folder {
    /// One without a lock.
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    /// One in which the first release has locked its plan.
    fn locked() -> Self {
        let folder = Self::new();
        folder.lock().event(plan()).check();
        folder
    }

    /// As on the machine of whoever works on the crate.
    fn lock(&self) -> EventLock {
        EventLock::in_folder(self.0.path()).writing(Writing::Missing)
    }

    /// With `UMARI_UPDATE=1`.
    fn update(&self) -> EventLock {
        self.lock().writing(Writing::Additions)
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("umari-events.lock")
    }

    fn text(&self) -> String {
        std::fs::read_to_string(self.path()).expect("a lock file")
    }

    fn write(&self, text: &str) {
        std::fs::write(self.path(), text).expect("a folder that can be written to");
    }
}

#[test]
fn the_first_run_writes_the_file() {
    let folder = Folder::new();
    folder.lock().event(plan()).event(archived()).check();
    expect![[r#"
        {
          "about": "Events of this crate as stores may hold them, checked by a test. Commit this file; `UMARI_UPDATE=1 cargo test` adds to it. Remove an entry only where no store holds such an event.",
          "lock_version": 1,
          "events": [
            {
              "type": "plan.archived",
              "version": 1,
              "domain_ids": [
                "plan_id"
              ],
              "crypto_scope": null,
              "shape": {
                "plan_id": "integer"
              },
              "payloads": [
                {
                  "tags": [
                    "plan_id:1"
                  ],
                  "data": {
                    "plan_id": 1
                  }
                }
              ]
            },
            {
              "type": "plan.created",
              "version": 1,
              "domain_ids": [
                "plan_id",
                "shop_id"
              ],
              "crypto_scope": null,
              "shape": {
                "months": "integer",
                "plan_id": "integer",
                "shop_id": "integer",
                "title": "string"
              },
              "payloads": [
                {
                  "tags": [
                    "plan_id:1",
                    "shop_id:42"
                  ],
                  "data": {
                    "months": 24,
                    "plan_id": 1,
                    "shop_id": 42,
                    "title": "Gold"
                  }
                }
              ]
            }
          ]
        }
    "#]].assert_eq(&folder.text());
    let files = std::fs::read_dir(folder.0.path())
        .expect("a folder")
        .count();
    assert_eq!(files, 1, "no temporary file is left");
}

#[test]
fn a_second_run_writes_nothing() {
    let folder = Folder::locked();
    let before = folder.text();
    folder
        .update()
        .event(Plan {
            title: "Silver".to_owned(),
            ..plan()
        })
        .check();
    assert_eq!(folder.text(), before, "another value is no other shape");
}

#[test]
fn a_new_event_is_added_on_request() {
    let folder = Folder::locked();
    folder.update().event(plan()).event(archived()).check();
    folder
        .lock()
        .writing(Writing::Nothing)
        .event(plan())
        .event(archived())
        .check();
}

#[test]
fn a_new_version_is_locked_beside_the_old_one() {
    let folder = Folder::locked();
    folder
        .update()
        .event(second_plan())
        .fold(MonthsFold { plan_id: 1 })
        .check();
    let text = folder.text();
    assert!(text.contains(r#""months": 24"#), "{text}");
    assert!(text.contains(r#""days": 730"#), "{text}");
    folder
        .lock()
        .event(second_plan())
        .fold(MonthsFold { plan_id: 1 })
        .check();
}

/// The functions are copied from failures in [`changes`], with a value in the place of `..`.
#[test]
fn the_upcasts_that_failures_print_are_upcasts() {
    #[derive(Event, DomainIds, Serialize, Deserialize)]
    #[event_type("plan.created", version = 3)]
    #[upcast(version = 1, with = from_version_1)]
    #[upcast(version = 2, with = from_version_2)]
    struct Later {
        #[domain_id]
        plan_id: u64,
        #[domain_id]
        shop_id: u64,
        title: String,
        duration_months: u32,
        lines: Vec<LaterLine>,
    }
    #[derive(Serialize, Deserialize)]
    struct LaterLine {
        price: String,
    }
    fn from_version_1(mut data: serde_json::Value) -> serde_json::Value {
        data["duration_months"] = data["months"].take(); // if it has another name now
        data["lines"] = json!([{ "price": 5 }]);
        data
    }
    fn from_version_2(mut data: serde_json::Value) -> serde_json::Value {
        for element in data["lines"].as_array_mut().into_iter().flatten() {
            element["price"] = json!("5.00"); // string: made of what was integer
        }
        data
    }
    let later = Later {
        plan_id: 1,
        shop_id: 42,
        title: "Gold".to_owned(),
        duration_months: 24,
        lines: Vec::new(),
    };
    Folder::locked().update().event(later).check();
}

#[test]
fn a_decider_reads_every_version_too() {
    let folder = Folder::locked();
    let days = || Days { shop_id: 42 };
    folder.update().event(second_plan()).decider(days()).check();
    let other = Days { shop_id: 43 };
    let message =
        super::support::failure(|| folder.lock().event(second_plan()).decider(other).check());
    assert!(
        message.starts_with("`Days` reads none of the locked events"),
        "{message}"
    );
}

#[test]
fn a_field_with_a_default_is_added_beside_the_payload_without_it() {
    let folder = Folder::locked();
    folder.update().event(plan_with_default()).check();
    let text = folder.text();
    assert!(text.contains(r#""currency": "optional string""#), "{text}");
    assert_eq!(
        text.matches(r#""title": "Gold""#).count(),
        2,
        "both payloads stay: {text}"
    );
    // From here on the field may be said or not.
    folder.lock().event(plan_with_default()).check();
    folder
        .lock()
        .event(PlanWithDefault {
            currency: None,
            ..plan_with_default()
        })
        .check();
}

#[test]
fn another_variant_is_no_other_shape() {
    let folder = Folder::new();
    folder.lock().event(covers(Cover::All)).check();
    folder
        .update()
        .event(covers(Cover::Products(vec![7])))
        .check();
    folder.lock().event(covers(Cover::All)).check();
    assert!(
        folder.text().contains(r#""cover": "object | string""#),
        "{}",
        folder.text()
    );
}

#[test]
fn a_list_may_be_empty_and_an_option_none() {
    let folder = Folder::new();
    let full = || Order {
        order_id: 1,
        lines: vec![Line {
            price: 5,
            note: Some("gift".to_owned()),
        }],
    };
    folder.lock().event(full()).check();
    folder
        .lock()
        .event(Order {
            lines: Vec::new(),
            ..full()
        })
        .check();
    folder
        .update()
        .event(Order {
            lines: vec![Line {
                price: 5,
                note: None,
            }],
            ..full()
        })
        .check();
    folder.lock().event(full()).check();
}

#[test]
fn a_renamed_type_keeps_its_entries() {
    let folder = Folder::locked();
    folder.update().event(aliased_plan()).check();
    folder.lock().event(aliased_plan()).check();
    let text = folder.text();
    assert!(text.contains(r#""type": "plan.created""#), "{text}");
    assert!(
        text.contains(r#""type": "warranty.plan.created""#),
        "{text}"
    );
}

#[test]
fn what_was_stored_before_there_was_a_lock_is_locked_too() {
    let folder = Folder::new();
    let data = json!({ "plan_id": 1, "shop_id": 42, "title": "Gold", "months": 24 });
    let stored =
        || Events::new().with_stored("plan.created", 1, ["plan_id:1", "shop_id:42"], &data);
    folder.lock().event(second_plan()).events(stored()).check();
    let text = folder.text();
    assert!(text.contains(r#""months": 24"#), "{text}");
    folder.lock().event(second_plan()).check();
    folder.lock().event(second_plan()).events(stored()).check();
}

#[test]
fn two_tests_that_write_at_once_leave_one_of_their_files() {
    let folder = Folder::new();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..20 {
                    folder.lock().event(plan()).event(archived()).check();
                    let _ = std::fs::remove_file(folder.path());
                }
            });
        }
    });
    folder.lock().event(plan()).event(archived()).check();
    folder
        .lock()
        .writing(Writing::Nothing)
        .event(plan())
        .event(archived())
        .check();
}

#[test]
fn an_accepted_domain_id_and_scope_are_locked() {
    let folder = Folder::locked();
    folder.update().event(plan_of_store()).check();
    folder.lock().event(plan_of_store()).check();
    let folder = Folder::locked();
    folder.update().event(encrypted_plan()).check();
    folder.lock().event(encrypted_plan()).check();
}
