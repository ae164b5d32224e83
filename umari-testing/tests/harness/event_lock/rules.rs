//! What else has to stay as it is, and what a fold has to take.

use super::super::support::fails;
use super::*;

#[test]
fn an_event_that_is_not_locked_yet() {
    fails(
        || {
            Folder::locked()
                .lock()
                .event(plan())
                .event(archived())
                .check();
        },
        expect![[r#"
            `plan.archived` version 1 is not in `umari-events.lock` yet

            cause
              it is new since the file was written

            fix
              `UMARI_UPDATE=1 cargo test`, and commit the file
        "#]],
    );
}

#[test]
fn an_event_that_is_gone() {
    let folder = Folder::new();
    folder.lock().event(plan()).event(archived()).check();
    fails(
        || folder.update().event(plan()).check(),
        expect![[r#"
        `plan.archived` version 1 is locked, and this test has no event of that name

        cause
          stores may hold such events, and nothing reads them any more

        fix
          if it was renamed, say so: `#[event_type("new.name", aliases = ["plan.archived"])]`
          if it was only forgotten here, register it: `.event(sample)`
          if nothing writes it any more, keep the type for reading, and register it
          if no store holds one, remove its entry from `umari-events.lock` by hand
    "#]],
    );
}

#[test]
fn an_event_that_was_renamed() {
    #[derive(Event, DomainIds, Serialize, Deserialize)]
    #[event_type("plan.closed")]
    struct Closed {
        #[domain_id]
        plan_id: u64,
    }
    let folder = Folder::new();
    folder.lock().event(plan()).event(archived()).check();
    let closed = Closed { plan_id: 1 };
    fails(
        || folder.update().event(plan()).event(closed).check(),
        expect![[r#"
            `plan.archived` version 1 is locked, and this test has no event of that name

            cause
              stores may hold such events, and nothing reads them any more; `plan.closed` is new and has the same fields, so the type was probably renamed

            fix
              if it was renamed, say so: `#[event_type("plan.closed", aliases = ["plan.archived"])]`
              if it was only forgotten here, register it: `.event(sample)`
              if nothing writes it any more, keep the type for reading, and register it
              if no store holds one, remove its entry from `umari-events.lock` by hand
        "#]],
    );
}

#[test]
fn one_type_registered_twice() {
    fails(
        || Folder::new().lock().events(events![plan(), plan()]).check(),
        expect![[r#"
            `plan.created` is registered twice

            cause
              two samples have this event type

            fix
              give one sample for each type: the one that says most, with options that are `Some` and lists that have an element; if these are two types, one of them needs another name
        "#]],
    );
}

#[test]
fn one_name_for_two_types() {
    fails(
        || {
            Folder::new()
                .lock()
                .event(plan())
                .event(aliased_plan())
                .check();
        },
        expect![[r#"
            `plan.created` and `warranty.plan.created` both claim events named `plan.created`

            cause
              the name of one is an alias of the other, so a stored `plan.created` would be read as both

            fix
              take `plan.created` from the `aliases` of the type that never had this name
        "#]],
    );
}

#[test]
fn no_event_at_all() {
    fails(
        || Folder::new().lock().check(),
        expect![[r#"
        this event lock has no event

        cause
          no sample was given, so there is nothing to hold against the file

        fix
          `.event(sample)` for each event type of this crate
    "#]],
    );
}

#[test]
fn another_domain_id() {
    fails(
        || Folder::locked().lock().event(plan_of_store()).check(),
        expect![[r#"
            `plan.created` has other domain ids: store_id instead of shop_id

            cause
              stored events keep their tags, which no upcast and no alias changes: a stored one is tagged plan_id:1, shop_id:42
              a fold that selects by `store_id` does not see the events stored so far
              a fold that selects by `shop_id` sees the events stored so far, and none from now on

            fix
              if only the field was renamed, keep the tag: `#[domain_id("shop_id")]` on `store_id`
              if it is meant, and every fold can do with what it sees, accept it: `UMARI_UPDATE=1 cargo test`
        "#]],
    );
}

#[test]
fn a_domain_id_less() {
    #[derive(Event, DomainIds, Serialize, Deserialize)]
    #[event_type("plan.created")]
    struct Later {
        #[domain_id]
        plan_id: u64,
        shop_id: u64,
        title: String,
        months: u32,
    }
    let later = Later {
        plan_id: 1,
        shop_id: 42,
        title: "Gold".to_owned(),
        months: 24,
    };
    fails(
        || Folder::locked().lock().event(later).check(),
        expect![[r#"
            `plan.created` has lost a domain id: shop_id

            cause
              stored events keep their tags, which no upcast and no alias changes: a stored one is tagged plan_id:1, shop_id:42
              a fold that selects by `shop_id` sees the events stored so far, and none from now on

            fix
              keep the domain id as long as a fold selects by it
              if none does, accept it: `UMARI_UPDATE=1 cargo test`
        "#]],
    );
}

#[test]
fn a_domain_id_more() {
    #[derive(Event, DomainIds, Serialize, Deserialize)]
    #[event_type("plan.created")]
    struct Later {
        #[domain_id]
        plan_id: u64,
        #[domain_id]
        shop_id: u64,
        #[domain_id]
        title: String,
        months: u32,
    }
    let later = Later {
        plan_id: 1,
        shop_id: 42,
        title: "Gold".to_owned(),
        months: 24,
    };
    fails(
        || Folder::locked().lock().event(later).check(),
        expect![[r#"
            `plan.created` has a new domain id: title

            cause
              stored events keep their tags, which no upcast and no alias changes: a stored one is tagged plan_id:1, shop_id:42
              a fold that selects by `title` does not see the events stored so far

            fix
              if every fold can do without the earlier events, accept it: `UMARI_UPDATE=1 cargo test`
        "#]],
    );
}

#[test]
fn a_crypto_scope_that_is_new() {
    fails(
        || Folder::locked().lock().event(encrypted_plan()).check(),
        expect![[r#"
            `plan.created` is now encrypted, under `shop_id`

            cause
              events that are stored stay plain text: deleting the key of a `shop_id` makes those unreadable that are written from now on, and no earlier one

            fix
              take it back; or, if that is known to whoever answers for the data, accept it: `UMARI_UPDATE=1 cargo test`
        "#]],
    );
}

#[test]
fn a_crypto_scope_that_is_gone() {
    let folder = Folder::new();
    folder.lock().event(encrypted_plan()).check();
    fails(
        || folder.lock().event(plan()).check(),
        expect![[r#"
        `plan.created` is no longer encrypted; it was under `shop_id`

        cause
          events that are written from now on are plain text for good: deleting the key of a `shop_id` makes only the earlier ones unreadable

        fix
          take it back; or, if that is known to whoever answers for the data, accept it: `UMARI_UPDATE=1 cargo test`
    "#]],
    );
}

#[test]
fn another_crypto_scope() {
    #[derive(Event, DomainIds, Serialize, Deserialize)]
    #[event_type("plan.created")]
    struct Later {
        #[domain_id]
        #[crypto_scope]
        plan_id: u64,
        #[domain_id]
        shop_id: u64,
        title: String,
        months: u32,
    }
    let folder = Folder::new();
    folder.lock().event(encrypted_plan()).check();
    let later = Later {
        plan_id: 1,
        shop_id: 42,
        title: "Gold".to_owned(),
        months: 24,
    };
    fails(
        || folder.lock().event(later).event(archived()).check(),
        expect![[r#"
            `plan.created` is now encrypted under `plan_id`; it was under `shop_id`

            cause
              whoever asks to be forgotten is forgotten in part: deleting the key of a `shop_id` reaches only the events stored so far, and that of a `plan_id` only those from now on

            fix
              take it back; or, if that is known to whoever answers for the data, accept it: `UMARI_UPDATE=1 cargo test`

            besides
              `plan.archived` version 1 is not in `umari-events.lock` yet
        "#]],
    );
}

#[test]
fn a_fold_that_panics_at_an_old_payload() {
    let folder = Folder::new();
    folder
        .lock()
        .event(Plan {
            months: 6,
            ..plan()
        })
        .event(archived())
        .check();
    fails(
        || {
            folder
                .update()
                .event(second_plan())
                .event(archived())
                .fold(MonthsFold { plan_id: 1 })
                .check();
        },
        expect![[r#"
            `MonthsFold` does not get over a stored `plan.created` of version 1

            scenario
              locked  1  plan.created   plan_id:1, shop_id:42
              sample  2  plan.archived  plan_id:1

            locked payload
              {"months":6,"plan_id":1,"shop_id":42,"title":"Gold"}

            cause
              it panicked: a plan of less than two years, at releases.rs

            fix
              let the fold, or the upcast of the event, take what stores hold
        "#]],
    );
}

#[derive(DomainIds)]
struct StoreFold {
    #[domain_id]
    store_id: u64,
}

impl Fold for StoreFold {
    type Events = SingleEvent<Plan>;
    type State = bool;

    fn apply(&self, exists: &mut bool, _event: StoredEvent<Plan>) {
        *exists = true;
    }
}

#[test]
fn a_fold_that_cannot_be_run() {
    fails(
        || {
            Folder::new()
                .lock()
                .event(plan())
                .fold(StoreFold { store_id: 1 })
                .check();
        },
        expect![[r#"
            `StoreFold` does not get over a stored `plan.created` of version 1

            scenario
              locked  1  plan.created  plan_id:1, shop_id:42

            locked payload
              {"months":24,"plan_id":1,"shop_id":42,"title":"Gold"}

            cause
              fold `harness::harness::event_lock::rules::StoreFold` would read every `plan.created`: its domain ids (plan_id, shop_id) are not among the bound ones (store_id); say `#[scope()]` if it should

            fix
              let the fold, or the upcast of the event, take what stores hold
        "#]],
    );
}

#[test]
fn a_fold_that_reads_no_sample() {
    fails(
        || {
            Folder::new()
                .lock()
                .event(second_plan())
                .fold(MonthsFold { plan_id: 2 })
                .check();
        },
        expect![[r#"
            `MonthsFold` reads none of the locked events

            boundary
              A  MonthsFold  plan.created {plan_id:2}

                                                      A
              1  plan.created  plan_id:1, shop_id:42  missing tag plan_id:2

            cause
              it selects by domain ids that no sample has, so nothing was proven of it

            fix
              give the fold the domain ids of the samples, or register what it reads
        "#]],
    );
}
