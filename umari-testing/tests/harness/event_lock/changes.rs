//! Changes of a shape that no reader of old events gets over.

use super::super::support::fails;
use super::*;

/// The plan of some later release, by its own fields.
macro_rules! plan {
    ($(#[$attribute:meta])+ { $($field:ident: $type:ty = $value:expr),* $(,)? }) => {{
        #[derive(Event, DomainIds, Serialize, Deserialize)]
        $(#[$attribute])+
        struct Later {
            #[domain_id]
            plan_id: u64,
            #[domain_id]
            shop_id: u64,
            $($field: $type,)*
        }
        Later { plan_id: 1, shop_id: 42, $($field: $value,)* }
    }};
}

fn gold() -> String {
    "Gold".to_owned()
}

#[test]
fn a_field_is_new() {
    let later = plan! {
        #[event_type("plan.created")]
        { title: String = gold(), months: u32 = 24, currency: String = "EUR".to_owned() }
    };
    fails(
        || Folder::locked().lock().event(later).check(),
        expect![[r#"
            stored events `plan.created` of version 1, which is the present one, cannot be read any more

            fields (- locked, + now)
              + currency: string

            locked payload
              {"months":24,"plan_id":1,"shop_id":42,"title":"Gold"}

            cause
              its data does not have the shape of version 1: missing field `currency` at line 1 column 53

            fix
              if old events do well without `currency`, mark the field with `#[serde(default)]`, or make it an `Option`; then `UMARI_UPDATE=1 cargo test`
              otherwise raise the version and say how the old one is read:

                  #[event_type("plan.created", version = 2)]
                  #[upcast(version = 1, with = from_version_1)]

                  /// Data of version 1 in the shape of version 2.
                  fn from_version_1(mut data: serde_json::Value) -> serde_json::Value {
                      data["currency"] = json!(..); // string: what was the case before there was this field
                      data
                  }

              if no store holds a `plan.created` of version 1, remove its entry from `umari-events.lock` by hand, then `UMARI_UPDATE=1 cargo test`
        "#]],
    );
}

#[test]
fn an_object_is_new() {
    #[derive(Serialize, Deserialize)]
    struct Price {
        cents: u64,
        currency: String,
    }
    let later = plan! {
        #[event_type("plan.created")]
        { title: String = gold(), months: u32 = 24, price: Price = Price { cents: 990, currency: "EUR".to_owned() } }
    };
    fails(
        || Folder::locked().update().event(later).check(),
        expect![[r#"
            stored events `plan.created` of version 1, which is the present one, cannot be read any more

            fields (- locked, + now)
              + price: object
              + price.cents: integer
              + price.currency: string

            locked payload
              {"months":24,"plan_id":1,"shop_id":42,"title":"Gold"}

            cause
              its data does not have the shape of version 1: missing field `price` at line 1 column 53

            fix
              if old events do well without `price`, mark the field with `#[serde(default)]`, or make it an `Option`; then `UMARI_UPDATE=1 cargo test`
              otherwise raise the version and say how the old one is read:

                  #[event_type("plan.created", version = 2)]
                  #[upcast(version = 1, with = from_version_1)]

                  /// Data of version 1 in the shape of version 2.
                  fn from_version_1(mut data: serde_json::Value) -> serde_json::Value {
                      data["price"] = json!(..); // object: what was the case before there was this field
                      data
                  }

              if no store holds a `plan.created` of version 1, remove its entry from `umari-events.lock` by hand, then `UMARI_UPDATE=1 cargo test`
        "#]],
    );
}

#[test]
fn a_field_is_gone() {
    let later = plan! {
        #[event_type("plan.created")]
        { title: String = gold() }
    };
    fails(
        || Folder::locked().update().event(later).check(),
        expect![[r#"
            the shape of `plan.created` has changed, and its version has not

            fields (- locked, + now)
              - months: integer

            locked payload
              {"months":24,"plan_id":1,"shop_id":42,"title":"Gold"}

            cause
              events of version 1 are still read, but those that are written from now on say something else under the same version: no reader could tell them apart, and earlier releases fail at them

            fix
              raise the version and say how the old one is read:

                  #[event_type("plan.created", version = 2)]
                  #[upcast(version = 1, with = from_version_1)]

                  /// Data of version 1 in the shape of version 2.
                  fn from_version_1(data: serde_json::Value) -> serde_json::Value {
                      // `months` is not read any more
                      data
                  }

              if no store holds a `plan.created` of version 1, remove its entry from `umari-events.lock` by hand, then `UMARI_UPDATE=1 cargo test`
        "#]],
    );
}

#[test]
fn a_field_that_not_every_payload_has_is_gone() {
    let folder = Folder::locked();
    folder.update().event(plan_with_default()).check();
    fails(
        || folder.update().event(plan()).check(),
        expect![[r#"
        the shape of `plan.created` has changed, and its version has not

        fields (- locked, + now)
          - currency: string

        locked payload
          {"currency":"EUR","months":24,"plan_id":1,"shop_id":42,"title":"Gold"}

        cause
          events of version 1 are still read, but those that are written from now on say something else under the same version: no reader could tell them apart, and earlier releases fail at them

        fix
          raise the version and say how the old one is read:

              #[event_type("plan.created", version = 2)]
              #[upcast(version = 1, with = from_version_1)]

              /// Data of version 1 in the shape of version 2.
              fn from_version_1(data: serde_json::Value) -> serde_json::Value {
                  // `currency` is not read any more
                  data
              }

          if no store holds a `plan.created` of version 1, remove its entry from `umari-events.lock` by hand, then `UMARI_UPDATE=1 cargo test`
    "#]],
    );
}

#[test]
fn an_option_that_is_always_none_now() {
    #[derive(Event, DomainIds, Serialize, Deserialize)]
    #[event_type("plan.created")]
    struct Later {
        #[domain_id]
        plan_id: u64,
        #[domain_id]
        shop_id: u64,
        #[serde(skip_deserializing)]
        title: Option<String>,
        months: u32,
    }
    let later = Later {
        plan_id: 1,
        shop_id: 42,
        title: None,
        months: 24,
    };
    fails(
        || Folder::locked().update().event(later).check(),
        expect![[r#"
            `plan.created` writes a value otherwise than it did, and its version is the same

            fields (- locked, + read and written again)
                months: 24
                plan_id: 1
                shop_id: 42
              - title: "Gold"
              + title: null

            cause
              a name in an enum, a format or a default has changed: what is written from now on would differ from what stores hold under the same version

            fix
              raise the version and say how the old one is read:

                  #[event_type("plan.created", version = 2)]
                  #[upcast(version = 1, with = from_version_1)]

                  /// Data of version 1 in the shape of version 2.
                  fn from_version_1(data: serde_json::Value) -> serde_json::Value {
                      // make of it what the type reads today
                      data
                  }

              if no store holds a `plan.created` of version 1, remove its entry from `umari-events.lock` by hand, then `UMARI_UPDATE=1 cargo test`
        "#]],
    );
}

#[test]
fn a_field_is_renamed() {
    let later = plan! {
        #[event_type("plan.created")]
        { title: String = gold(), duration_months: u32 = 24 }
    };
    fails(
        || Folder::locked().lock().event(later).check(),
        expect![[r#"
            stored events `plan.created` of version 1, which is the present one, cannot be read any more

            fields (- locked, + now)
              + duration_months: integer
              - months: integer

            locked payload
              {"months":24,"plan_id":1,"shop_id":42,"title":"Gold"}

            cause
              its data does not have the shape of version 1: missing field `duration_months` at line 1 column 53

            fix
              raise the version and say how the old one is read:

                  #[event_type("plan.created", version = 2)]
                  #[upcast(version = 1, with = from_version_1)]

                  /// Data of version 1 in the shape of version 2.
                  fn from_version_1(mut data: serde_json::Value) -> serde_json::Value {
                      data["duration_months"] = data["months"].take(); // if it has another name now
                      data
                  }

              if no store holds a `plan.created` of version 1, remove its entry from `umari-events.lock` by hand, then `UMARI_UPDATE=1 cargo test`
        "#]],
    );
}

#[test]
fn a_field_has_another_type() {
    let later = plan! {
        #[event_type("plan.created", aliases = ["plan.made"])]
        { title: String = gold(), months: String = "24".to_owned() }
    };
    fails(
        || Folder::locked().lock().event(later).check(),
        expect![[r#"
            stored events `plan.created` of version 1, which is the present one, cannot be read any more

            fields (- locked, + now)
              - months: integer
              + months: string

            locked payload
              {"months":24,"plan_id":1,"shop_id":42,"title":"Gold"}

            cause
              its data does not have the shape of version 1: invalid type: integer `24`, expected a string at line 1 column 12

            fix
              raise the version and say how the old one is read:

                  #[event_type("plan.created", version = 2, aliases = ["plan.made"])]
                  #[upcast(version = 1, with = from_version_1)]

                  /// Data of version 1 in the shape of version 2.
                  fn from_version_1(mut data: serde_json::Value) -> serde_json::Value {
                      data["months"] = json!(..); // string: made of what was integer, such as 24
                      data
                  }

              if no store holds a `plan.created` of version 1, remove its entry from `umari-events.lock` by hand, then `UMARI_UPDATE=1 cargo test`
        "#]],
    );
}

#[test]
fn a_field_in_a_list_has_another_type() {
    #[derive(Event, DomainIds, Serialize, Deserialize)]
    #[event_type("order.placed")]
    struct Later {
        #[domain_id]
        order_id: u64,
        lines: Vec<LaterLine>,
    }
    #[derive(Serialize, Deserialize)]
    struct LaterLine {
        price: String,
        note: Option<String>,
    }
    let folder = Folder::new();
    let line = Line {
        price: 5,
        note: None,
    };
    folder
        .lock()
        .event(Order {
            order_id: 1,
            lines: vec![line],
        })
        .check();
    let line = LaterLine {
        price: "5.00".to_owned(),
        note: None,
    };
    let later = Later {
        order_id: 1,
        lines: vec![line],
    };
    fails(
        || folder.lock().event(later).check(),
        expect![[r#"
        stored events `order.placed` of version 1, which is the present one, cannot be read any more

        fields (- locked, + now)
          - lines[].price: integer
          + lines[].price: string

        locked payload
          {"lines":[{"note":null,"price":5}],"order_id":1}

        cause
          its data does not have the shape of version 1: invalid type: integer `5`, expected a string at line 1 column 32

        fix
          raise the version and say how the old one is read:

              #[event_type("order.placed", version = 2)]
              #[upcast(version = 1, with = from_version_1)]

              /// Data of version 1 in the shape of version 2.
              fn from_version_1(mut data: serde_json::Value) -> serde_json::Value {
                  for element in data["lines"].as_array_mut().into_iter().flatten() {
                      element["price"] = json!(..); // string: made of what was integer
                  }
                  data
              }

          if no store holds a `order.placed` of version 1, remove its entry from `umari-events.lock` by hand, then `UMARI_UPDATE=1 cargo test`
    "#]],
    );
}

#[test]
fn a_value_is_written_otherwise() {
    #[derive(Event, DomainIds, Serialize, Deserialize)]
    #[event_type("plan.covers")]
    struct Later {
        #[domain_id]
        plan_id: u64,
        cover: LaterCover,
    }
    #[derive(Serialize, Deserialize)]
    enum LaterCover {
        #[serde(rename = "everything", alias = "all")]
        All,
    }
    let folder = Folder::new();
    folder.lock().event(covers(Cover::All)).check();
    let later = Later {
        plan_id: 1,
        cover: LaterCover::All,
    };
    fails(
        || folder.update().event(later).check(),
        expect![[r#"
        `plan.covers` writes a value otherwise than it did, and its version is the same

        fields (- locked, + read and written again)
          - cover: "all"
          + cover: "everything"
            plan_id: 1

        cause
          a name in an enum, a format or a default has changed: what is written from now on would differ from what stores hold under the same version

        fix
          raise the version and say how the old one is read:

              #[event_type("plan.covers", version = 2)]
              #[upcast(version = 1, with = from_version_1)]

              /// Data of version 1 in the shape of version 2.
              fn from_version_1(data: serde_json::Value) -> serde_json::Value {
                  // make of it what the type reads today
                  data
              }

          if no store holds a `plan.covers` of version 1, remove its entry from `umari-events.lock` by hand, then `UMARI_UPDATE=1 cargo test`
    "#]],
    );
}

#[test]
fn a_version_without_an_upcast() {
    #[derive(Event, DomainIds, Serialize, Deserialize)]
    #[event_type("plan.created", version = 3)]
    #[upcast(version = 2, with = same)]
    struct Later {
        #[domain_id]
        plan_id: u64,
        #[domain_id]
        shop_id: u64,
        title: String,
        years: u32,
    }
    fn same(data: serde_json::Value) -> serde_json::Value {
        data
    }
    let later = Later {
        plan_id: 1,
        shop_id: 42,
        title: gold(),
        years: 2,
    };
    fails(
        || Folder::locked().update().event(later).check(),
        expect![[r#"
            stored events `plan.created` of version 1 cannot be read any more

            fields (- locked, + now)
              - months: integer
              + years: integer

            locked payload
              {"months":24,"plan_id":1,"shop_id":42,"title":"Gold"}

            cause
              it has version 1 of its shape, and its type, at version 3, has no upcast from there: add `#[upcast(version = 1, ..)]`

            fix
              say how version 1 is read:

                  #[upcast(version = 1, with = from_version_1)]

                  /// Data of version 1 in the shape of version 2.
                  fn from_version_1(mut data: serde_json::Value) -> serde_json::Value {
                      data["years"] = data["months"].take(); // if it has another name now
                      data
                  }
        "#]],
    );
}

#[test]
fn an_upcast_that_makes_something_else() {
    #[derive(Event, DomainIds, Serialize, Deserialize)]
    #[event_type("plan.created", version = 2)]
    #[upcast(version = 1, with = same)]
    struct Later {
        #[domain_id]
        plan_id: u64,
        #[domain_id]
        shop_id: u64,
        title: String,
        days: u32,
    }
    fn same(data: serde_json::Value) -> serde_json::Value {
        data
    }
    let later = Later {
        plan_id: 1,
        shop_id: 42,
        title: gold(),
        days: 730,
    };
    fails(
        || Folder::locked().update().event(later).check(),
        expect![[r#"
            stored events `plan.created` of version 1 cannot be read any more

            fields (- locked, + now)
              + days: integer
              - months: integer

            locked payload
              {"months":24,"plan_id":1,"shop_id":42,"title":"Gold"}

            cause
              its data does not have the shape of version 2: missing field `days`

            fix
              repair the upcast: `#[upcast(version = 1, ..)]` has to make today's `plan.created` of this payload
        "#]],
    );
}

#[test]
fn an_upcast_that_panics() {
    #[derive(Event, DomainIds, Serialize, Deserialize)]
    #[event_type("plan.created", version = 2)]
    #[upcast(version = 1, with = broken)]
    struct Later {
        #[domain_id]
        plan_id: u64,
        #[domain_id]
        shop_id: u64,
    }
    fn broken(_: serde_json::Value) -> serde_json::Value {
        panic!("no days in here")
    }
    let later = Later {
        plan_id: 1,
        shop_id: 42,
    };
    fails(
        || Folder::locked().update().event(later).check(),
        expect![[r#"
            stored events `plan.created` of version 1 cannot be read any more

            fields (- locked, + now)
              - months: integer
              - title: string

            locked payload
              {"months":24,"plan_id":1,"shop_id":42,"title":"Gold"}

            cause
              its reading panicked: no days in here, at changes.rs

            fix
              repair the upcast: `#[upcast(version = 1, ..)]` has to make today's `plan.created` of this payload
        "#]],
    );
}

#[test]
fn a_version_that_was_taken_back() {
    let folder = Folder::new();
    folder.lock().event(second_plan()).check();
    fails(
        || folder.update().event(plan()).check(),
        expect![[r#"
        stored events `plan.created` of version 2 cannot be read any more

        fields (- locked, + now)
          - days: integer
          + months: integer

        locked payload
          {"days":730,"plan_id":1,"shop_id":42,"title":"Gold"}

        cause
          it has version 2 of its shape, and this module knows versions up to 1: build it with the release that wrote the event

        fix
          a release with version 2 was locked here: take the type back to it, or on from it; a version is never taken back
    "#]],
    );
}

#[test]
fn a_field_with_a_default_is_asked_for() {
    fails(
        || Folder::locked().lock().event(plan_with_default()).check(),
        expect![[r#"
            the sample of `plan.created` says more than `umari-events.lock` knows, and old events are still read

            fields (- locked, + now)
              + currency: string

            cause
              every locked payload of this version is read without it and written as it was, so no upcast is needed

            fix
              `UMARI_UPDATE=1 cargo test`, which keeps the locked payloads and adds this one; commit the file
        "#]],
    );
}
