//! Which events a command depends on.

use umari::prelude::*;

use crate::shop::{
    PlanArchived, PlanCreated, PlanUnarchived, ShopConnected, ShopExistsFold, connected,
};
use crate::store::{Store, item};

#[derive(DomainIds)]
struct Plan {
    #[domain_id]
    shop_id: u64,
    #[domain_id]
    plan_id: Option<u64>,
}

fn plan() -> Plan {
    Plan {
        shop_id: 42,
        plan_id: Some(7),
    }
}

/// One fold that reads in every way a scope can say.
#[derive(DomainIds, FromDomainIds)]
struct Scoped {
    #[domain_id]
    shop_id: u64,
    #[domain_id]
    plan_id: u64,
}

#[derive(EventSet)]
enum ScopedEvents {
    #[scope(shop_id)]
    PlanCreated(PlanCreated),
    PlanArchived(PlanArchived),
    #[scope(plan_id, r#type = "gold")]
    PlanUnarchived(PlanUnarchived),
    #[scope()]
    ShopConnected(ShopConnected),
}

impl Fold for Scoped {
    type Events = ScopedEvents;
    type State = Vec<String>;

    fn apply(&self, seen: &mut Vec<String>, event: StoredEvent<ScopedEvents>) {
        let _ = (self.shop_id, self.plan_id);
        seen.push(match event.data {
            ScopedEvents::PlanCreated(plan) => format!("created {}", plan.id),
            ScopedEvents::PlanArchived(plan) => format!("archived {}", plan.plan_id),
            ScopedEvents::PlanUnarchived(plan) => format!("unarchived {}", plan.plan_id),
            ScopedEvents::ShopConnected(shop) => format!("connected {}", shop.shop_id),
        });
    }
}

#[test]
fn scopes_choose_the_tags_and_types_with_equal_tags_share_an_item() {
    let (store, _installed) = Store::install();
    Command::new(plan(), CommandContext::new())
        .fold::<ShopExistsFold>()
        .fold::<Scoped>()
        .fold::<EventToggle<PlanArchived, PlanCreated>>()
        .execute(|_, _| Ok(emit![]))
        .unwrap();
    assert_eq!(
        store.query(),
        [
            item(&["shop.connected", "plan.created"], &["shop_id:42"]),
            item(
                &["PlanArchived", "plan.created"],
                &["shop_id:42", "plan_id:7"]
            ),
            item(&["plan.unarchived"], &["type:gold", "plan_id:7"]),
            item(&["shop.connected"], &[]),
        ]
    );
}

#[test]
fn each_fold_is_offered_only_what_its_own_query_matches() {
    let (store, _installed) = Store::install();
    store.given(&connected(1));
    store.given(&connected(42));
    store.given(&PlanCreated { shop_id: 42, id: 8 });
    store.given(&PlanArchived {
        shop_id: 42,
        plan_id: 8,
    });
    store.given(&PlanArchived {
        shop_id: 42,
        plan_id: 7,
    });
    Command::new(plan(), CommandContext::new())
        .fold::<Scoped>()
        .fold::<ShopExistsFold>()
        .fold::<EventCounter<PlanArchived>>()
        .fold_with(|_| EventCounter::<PlanArchived>::new())
        .fold_iter(|_| [7, 8, 9].map(|id| LatestEvent::<PlanArchived>::new().with("plan_id", id)))
        .execute(|_, (seen, exists, archived, all, latest)| {
            assert_eq!(
                seen,
                ["connected 1", "connected 42", "created 8", "archived 7"]
            );
            assert!(exists);
            assert_eq!((archived, all), (1, 2));
            let positions: Vec<_> = latest
                .iter()
                .map(|e| e.as_ref().map(|e| e.position))
                .collect();
            assert_eq!(positions, [Some(5), Some(4), None]);
            Ok(emit![])
        })
        .unwrap();
}

#[test]
fn a_missing_binding_is_an_error_and_never_a_broader_query() {
    let (store, _installed) = Store::install();
    let unbound = || Plan {
        shop_id: 42,
        plan_id: None,
    };
    let unscoped = Command::new(unbound(), CommandContext::new())
        .fold::<EventCounter<PlanArchived>>()
        .execute(|_, _| Ok(emit![]))
        .unwrap_err();
    assert_eq!(
        unscoped.to_string(),
        "fold `umari::fold::builtin::EventCounter<sdk::shop::PlanArchived>` selects \
         `PlanArchived` by `plan_id`, which is not bound"
    );
    let unbuilt = Command::new(unbound(), CommandContext::new())
        .fold::<Scoped>()
        .execute(|_, _| Ok(emit![]))
        .unwrap_err();
    assert_eq!(
        format!("{unbuilt:#}"),
        "fold `sdk::boundary::Scoped` cannot be built from the input: domain id `plan_id` is not bound"
    );
    assert!(store.opened.borrow().is_empty(), "nothing was read");
}

#[test]
fn an_event_type_that_shares_no_domain_id_is_not_read_as_a_whole() {
    #[derive(DomainIds)]
    struct Customer {
        #[domain_id]
        customer_id: u64,
    }
    let (_store, _installed) = Store::install();
    let error = Command::new(Customer { customer_id: 1 }, CommandContext::new())
        .fold::<EventCounter<PlanArchived>>()
        .execute(|_, _| Ok(emit![]))
        .unwrap_err();
    assert!(matches!(
        error.downcast_ref::<CommandError>(),
        Some(CommandError::Fold(FoldError::NothingShared { .. }))
    ));
}

#[test]
fn twelve_folds_and_none() {
    let (store, _installed) = Store::install();
    store.given(&connected(42));
    let twelve = Command::new(plan(), CommandContext::new())
        .fold::<ShopExistsFold>()
        .fold::<ShopExistsFold>()
        .fold::<ShopExistsFold>()
        .fold::<ShopExistsFold>()
        .fold::<ShopExistsFold>()
        .fold::<ShopExistsFold>()
        .fold::<ShopExistsFold>()
        .fold::<ShopExistsFold>()
        .fold::<ShopExistsFold>()
        .fold::<ShopExistsFold>()
        .fold::<ShopExistsFold>()
        .fold::<EventFold<ShopConnected>>();
    twelve
        .execute(|_, (a, b, c, d, e, f, g, h, i, j, k, events)| {
            assert!(a && b && c && d && e && f && g && h && i && j && k && events.exists());
            Ok(emit![])
        })
        .unwrap();
    Command::new(plan(), CommandContext::new())
        .execute(|_, ()| Ok(emit![]))
        .unwrap();
    assert_eq!(store.query(), []);
}

#[test]
fn queries_read_the_present_and_the_past() {
    let (store, _installed) = Store::install();
    let first = store.given(&PlanCreated { shop_id: 42, id: 1 });
    store.given(&PlanCreated { shop_id: 42, id: 2 });
    let counter = || EventCounter::<PlanCreated>::new().with("shop_id", 42_u64);
    assert_eq!(FoldQuery::new().fold(counter()).run().unwrap(), 2);
    assert_eq!(FoldQuery::new().fold(counter()).as_of(1).run().unwrap(), 1);
    assert_eq!(
        FoldQuery::new()
            .fold(counter())
            .as_of(first.timestamp)
            .run()
            .unwrap(),
        1
    );
    let (exists, counts) = FoldQuery::new()
        .fold(ShopExistsFold { shop_id: 42 })
        .fold_iter([1_u64, 2, 3].map(|id| EventCounter::<PlanCreated>::new().with("plan_id", id)))
        .run()
        .unwrap();
    assert_eq!((exists, counts), (false, vec![1, 1, 0]));
}

#[test]
fn a_shredded_event_is_passed_over_and_a_broken_one_is_named() {
    let (store, _installed) = Store::install();
    store.given(&connected(42));
    store.log.borrow_mut()[0].payload = None;
    let run = || FoldQuery::new().fold(ShopExistsFold { shop_id: 42 }).run();
    assert!(!run().unwrap());
    store.log.borrow_mut()[0].payload = Some(r#"{"shop_id":"x"}"#.to_owned());
    assert_eq!(
        run().unwrap_err().to_string(),
        "event `shop.connected` at position 1 (id 00000000-0000-0000-0000-00000000e001) cannot be read"
    );
}

#[test]
fn a_toggle_keeps_the_last_side() {
    let (store, _installed) = Store::install();
    let state = || {
        FoldQuery::new()
            .fold(EventToggle::<PlanArchived, PlanCreated>::new().with("plan_id", 7_u64))
            .run()
            .unwrap()
    };
    assert!(!state().is_a() && !state().is_b());
    store.given(&PlanCreated { shop_id: 42, id: 7 });
    assert!(state().is_b());
    store.given(&PlanArchived {
        shop_id: 42,
        plan_id: 7,
    });
    assert_eq!(state().as_a().map(|event| event.position), Some(2));
}
