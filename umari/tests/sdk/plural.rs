//! Domain ids with several values: "any of these" in a query, one tag each on an event.

use std::collections::{BTreeSet, HashSet};

use umari::domain_id::DomainIdValues;
use umari::fold::FoldError;
use umari::prelude::*;

use crate::store::{Store, item};

#[derive(Debug, PartialEq, Event, DomainIds, Serialize, Deserialize)]
#[event_type("stock.changed")]
struct StockChanged {
    #[domain_id]
    product_id: u32,
    by: i64,
}

#[derive(Event, DomainIds, Serialize, Deserialize)]
#[event_type("order.placed")]
struct OrderPlaced {
    #[domain_id("product_id")]
    products: Vec<u32>,
    #[domain_id]
    coupon: Option<String>,
}

#[derive(Event, DomainIds, Serialize, Deserialize)]
#[event_type("user.renamed")]
struct UserRenamed {
    #[domain_id("username")]
    from: String,
    #[domain_id("username")]
    to: String,
}

#[derive(DomainIds, Serialize, Deserialize)]
struct Cart {
    #[domain_id("product_id")]
    products: Vec<u32>,
}

#[derive(DomainIds, FromDomainIds)]
struct Products {
    #[domain_id("product_id")]
    ids: BTreeSet<u32>,
}

impl Fold for Products {
    type Events = SingleEvent<StockChanged>;
    type State = i64;

    fn apply(&self, stock: &mut i64, event: StoredEvent<StockChanged>) {
        assert!(self.ids.contains(&event.data.product_id));
        *stock += event.data.by;
    }
}

#[derive(DomainIds, FromDomainIds)]
struct Product {
    #[domain_id]
    product_id: u32,
}

impl Fold for Product {
    type Events = SingleEvent<StockChanged>;
    type State = i64;

    fn apply(&self, stock: &mut i64, event: StoredEvent<StockChanged>) {
        assert_eq!(event.data.product_id, self.product_id);
        *stock += event.data.by;
    }
}

fn stocked(store: &Store) {
    for (product_id, by) in [(1, 10), (2, 20), (3, 30), (1, -1)] {
        store.given(&StockChanged { product_id, by });
    }
}

fn cart(products: &[u32]) -> Cart {
    Cart {
        products: products.to_vec(),
    }
}

#[test]
fn an_event_carries_one_tag_for_each_value() {
    let order = OrderPlaced {
        products: vec![2, 1, 2],
        coupon: Some("summer".to_owned()),
    };
    assert_eq!(
        order.domain_id_values().tags(),
        ["product_id:2", "product_id:1", "coupon:summer"]
    );
    assert_eq!(OrderPlaced::DOMAIN_ID_FIELDS, ["product_id", "coupon"]);
    // The map of the single-valued shape has the first.
    assert_eq!(order.domain_ids()["product_id"], "2");
}

#[test]
fn two_fields_may_share_a_name() {
    let renamed = UserRenamed {
        from: "ann".to_owned(),
        to: "bea".to_owned(),
    };
    assert_eq!(UserRenamed::DOMAIN_ID_FIELDS, ["username"]);
    assert_eq!(
        renamed.domain_id_values().tags(),
        ["username:ann", "username:bea"]
    );
}

#[test]
fn several_values_select_any_of_them() {
    let (store, _installed) = Store::install();
    stocked(&store);
    Command::new(cart(&[1, 3]), CommandContext::new())
        .fold::<Products>()
        .fold::<EventCounter<StockChanged>>()
        .execute(|_, (stock, changes)| {
            assert_eq!((stock, changes), (39, 3));
            Ok(emit![])
        })
        .unwrap();
    assert_eq!(
        store.query(),
        [
            item(&["stock.changed"], &["product_id:1"]),
            item(&["stock.changed"], &["product_id:3"]),
        ]
    );
}

#[test]
fn no_value_of_a_plural_name_selects_nothing() {
    let (store, _installed) = Store::install();
    stocked(&store);
    Command::new(cart(&[]), CommandContext::new())
        .fold::<Products>()
        .execute(|_, stock| {
            assert_eq!(stock, 0);
            Ok(emit![])
        })
        .unwrap();
    assert_eq!(store.query(), []);
    let counted = FoldQuery::new()
        .fold(EventCounter::<StockChanged>::new().with_any("product_id", Vec::<u32>::new()))
        .run()
        .unwrap();
    assert_eq!(counted, 0);
}

#[test]
fn one_fold_for_each_element_yields_a_state_for_each() {
    let (store, _installed) = Store::install();
    stocked(&store);
    let output = Command::new(cart(&[3, 1]), CommandContext::new())
        .fold_iter(|cart| {
            cart.products
                .clone()
                .into_iter()
                .map(|product_id| Product { product_id })
        })
        .execute(|cart, stock| {
            assert_eq!(stock, [30, 9]);
            Ok(emit![OrderPlaced {
                products: cart.products,
                coupon: None,
            }])
        })
        .unwrap();
    assert_eq!(output.events[0].tags, ["product_id:3", "product_id:1"]);
    assert_eq!(output.events[0].domain_ids["product_id"], "3");
}

#[test]
fn a_fold_for_one_value_refuses_several() {
    let (_store, _installed) = Store::install();
    let error = Command::new(cart(&[1, 3]), CommandContext::new())
        .fold::<Product>()
        .execute(|_, _| Ok(emit![]))
        .unwrap_err();
    assert_eq!(
        format!("{error:#}"),
        "fold `sdk::plural::Product` cannot be built from the input: domain id `product_id` has 2 values \
         where the fold holds 1; one fold for each value is registered with `fold_iter`"
    );
    let ExecuteError::Invalid(invalid) = ExecuteError::classify(&error) else {
        panic!("it is the input's fault");
    };
    assert_eq!(invalid.violations[0].field, "product_id");
}

#[test]
fn more_combinations_than_a_store_answers_are_refused() {
    #[derive(DomainIds)]
    struct Square {
        #[domain_id("product_id")]
        products: Vec<u32>,
        #[domain_id]
        coupon: Vec<u32>,
    }
    let (_store, _installed) = Store::install();
    let run = |side: u32| {
        Command::new(
            Square {
                products: (0..side).collect(),
                coupon: (0..side).collect(),
            },
            CommandContext::new(),
        )
        .fold::<EventCounter<OrderPlaced>>()
        .execute(|_, _| Ok(emit![]))
    };
    run(32).unwrap();
    let error = run(33).unwrap_err();
    let ExecuteError::Rejected(rejection) = ExecuteError::classify(&error) else {
        panic!("{error:?}");
    };
    assert_eq!(rejection.code, "too-many-values");
    assert!(
        rejection
            .message
            .contains("`order.placed` by 1089 combinations"),
        "{rejection}"
    );
    assert!(matches!(
        error.downcast_ref(),
        Some(CommandError::Fold(FoldError::TooManyValues {
            limit: 1024,
            ..
        }))
    ));
}

/// Everything that displays can be a domain id, and everything that parses can be read from one.
#[test]
fn fields_of_every_kind_are_written_and_read_back() {
    #[derive(Debug, PartialEq, Clone, Copy)]
    struct Newtype(u8);
    impl std::fmt::Display for Newtype {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            write!(f, "n{}", self.0)
        }
    }
    impl std::str::FromStr for Newtype {
        type Err = std::num::ParseIntError;
        fn from_str(text: &str) -> Result<Self, Self::Err> {
            text.trim_start_matches('n').parse().map(Newtype)
        }
    }
    #[derive(Debug, PartialEq, DomainIds, FromDomainIds)]
    struct Everything<T: std::fmt::Display + std::str::FromStr> {
        #[domain_id]
        generic: T,
        #[domain_id]
        flag: bool,
        #[domain_id]
        text: String,
        #[domain_id]
        boxed: Box<str>,
        #[domain_id]
        id: Uuid,
        #[domain_id]
        newtype: Newtype,
        #[domain_id]
        maybe: Option<Newtype>,
        #[domain_id]
        never: Option<Newtype>,
        #[domain_id]
        pair: [Newtype; 2],
        #[domain_id]
        set: HashSet<u8>,
        #[domain_id]
        r#type: Vec<String>,
    }
    let everything = Everything {
        generic: -7_i64,
        flag: true,
        text: "a:b".to_owned(),
        boxed: "box".into(),
        id: Uuid::nil(),
        newtype: Newtype(1),
        maybe: Some(Newtype(2)),
        never: None,
        pair: [Newtype(3), Newtype(4)],
        set: HashSet::from([9, 8, 10]),
        r#type: vec!["x".to_owned()],
    };
    let values = everything.domain_id_values();
    assert_eq!(
        values.tags(),
        [
            "generic:-7",
            "flag:true",
            "text:a:b",
            "boxed:box",
            "id:00000000-0000-0000-0000-000000000000",
            "newtype:n1",
            "maybe:n2",
            "pair:n3",
            "pair:n4",
            // In the order of the text, as a hash set has none.
            "set:10",
            "set:8",
            "set:9",
            "type:x",
        ]
    );
    assert_eq!(
        Everything::from_domain_id_values((), &values),
        Ok(everything)
    );
}

#[test]
fn a_value_that_does_not_fit_its_field_is_a_typed_error() {
    #[derive(Debug, PartialEq, DomainIds, FromDomainIds)]
    struct Fold {
        #[domain_id]
        pair: [u8; 2],
        #[domain_id]
        name: String,
    }
    let read = |pair: &[&str], name: &[&str]| {
        let mut values = DomainIdValues::new();
        pair.iter().for_each(|value| values.push("pair", *value));
        name.iter().for_each(|value| values.push("name", *value));
        Fold::from_domain_id_values((), &values).map_err(|error| error.to_string())
    };
    assert!(read(&["1", "2"], &["n"]).is_ok());
    assert_eq!(
        read(&["1", "256"], &["n"]).unwrap_err(),
        "domain id `pair` is `1, 256`, which is no `u8`"
    );
    assert_eq!(
        read(&["1"], &["n"]).unwrap_err(),
        "domain id `pair` has 1 values where the fold holds 2; one fold for each value is registered with \
         `fold_iter`"
    );
    assert_eq!(
        read(&["1", "2"], &[]).unwrap_err(),
        "domain id `name` is not bound"
    );
}
