//! Events that change while old ones are in the log: a domain id under a new name, a field that an
//! upcast forgets.

use umari::prelude::*;
use umari_testing::prelude::*;

use super::super::support::fails;

/// As an earlier release stored it, when the domain id was called `shop`.
fn stored_plan() -> Events {
    Events::new().with_stored(
        "plan.created",
        1,
        ["shop:42"],
        &json!({ "shop": 42, "title": "Gold" }),
    )
}

mod renamed {
    use super::*;

    /// `alias` reads the old payload. Nothing reads the old tag.
    #[derive(Debug, Event, DomainIds, Serialize, Deserialize)]
    #[event_type("plan.created")]
    pub(super) struct PlanCreated {
        #[domain_id]
        #[serde(alias = "shop")]
        shop_id: u64,
        title: String,
    }

    #[derive(DomainIds, Serialize, Deserialize)]
    pub(super) struct Input {
        #[domain_id]
        pub(super) shop_id: u64,
        pub(super) title: String,
    }

    pub(super) fn execute(input: Input, context: CommandContext) -> anyhow::Result<ExecuteOutput> {
        Command::new(input, context)
            .fold::<EventFold<PlanCreated>>()
            .execute(|Input { shop_id, title }, plans| {
                let taken = plans.events.iter().any(|plan| plan.data.title == title);
                anyhow::ensure!(!taken, "the title is taken");
                Ok(emit![PlanCreated { shop_id, title }])
            })
    }
}

mod kept {
    use super::*;

    /// The field has a new name, the domain id the old one.
    #[derive(Debug, Event, DomainIds, Serialize, Deserialize)]
    #[event_type("plan.created")]
    pub(super) struct PlanCreated {
        #[domain_id("shop")]
        #[serde(alias = "shop")]
        shop_id: u64,
        title: String,
    }

    #[derive(DomainIds, Serialize, Deserialize)]
    pub(super) struct Input {
        #[domain_id("shop")]
        pub(super) shop_id: u64,
        pub(super) title: String,
    }

    pub(super) fn execute(input: Input, context: CommandContext) -> anyhow::Result<ExecuteOutput> {
        Command::new(input, context)
            .fold::<EventFold<PlanCreated>>()
            .execute(|Input { shop_id, title }, plans| {
                let taken = plans.events.iter().any(|plan| plan.data.title == title);
                anyhow::ensure!(!taken, "the title is taken");
                Ok(emit![PlanCreated { shop_id, title }])
            })
    }
}

#[test]
fn old_events_carry_the_old_domain_id() {
    let title = || "Gold".to_owned();
    let old = given(stored_plan());
    fails(
        || {
            let (shop_id, title) = (42, title());
            old.when(renamed::execute, renamed::Input { shop_id, title })
                .then_rejected("the title is taken")
        },
        expect![[r#"
            a rejection with "the title is taken" was expected, but the command succeeded

            scenario
              given    1  plan.created  shop:42
              when     renamed::execute({"shop_id":42,"title":"Gold"})
              emitted  2  plan.created  shop_id:42

            emitted
                1  plan.created
                     shop_id: 42
                     title: "Gold"

            cause
              `plan.created {shop:42}` at position 1 was not read: it carries `shop:42` where `shop_id:42` is asked for, and a stored event keeps the tags that it was written with

            fix
              where the domain id was renamed, keep its old name: `#[domain_id("shop")]` on the field of `plan.created` and on those that select it

            boundary
              A  EventFold<PlanCreated>  plan.created {shop_id:42}

                                        A
              1  plan.created  shop:42  missing tag shop_id:42
        "#]],
    );
    fails(
        || {
            let plans = EventCounter::<renamed::PlanCreated>::new().with("shop_id", 42);
            old.then_state(plans, 1)
        },
        expect![[r#"
            the state of `EventCounter<PlanCreated>` is not as expected

            scenario
              given  1  plan.created  shop:42

            state (- expected, + actual)
              - 1
              + 0

            cause
              `plan.created {shop:42}` at position 1 was not read: it carries `shop:42` where `shop_id:42` is asked for, and a stored event keeps the tags that it was written with

            fix
              where the domain id was renamed, keep its old name: `#[domain_id("shop")]` on the field of `plan.created` and on those that select it

            boundary
              A  EventCounter<PlanCreated>  plan.created {shop_id:42}

                                        A
              1  plan.created  shop:42  missing tag shop_id:42
        "#]],
    );
    let (shop_id, title) = (42, title());
    old.when(kept::execute, kept::Input { shop_id, title })
        .then_rejected("the title is taken")
        .then_state(EventCounter::<kept::PlanCreated>::new().with("shop", 42), 1);
}

/// As version 1 was: prices in whole units of any currency.
#[derive(Deserialize)]
struct ProductPricedV1 {
    product_id: u64,
    price: u64,
    currency: String,
}

/// Reads old prices as if all had been in euros.
#[derive(Debug, Event, DomainIds, Serialize, Deserialize)]
#[event_type("product.priced", version = 2)]
#[upcast(version = 1, from = ProductPricedV1)]
struct PricedInEuros {
    #[domain_id]
    product_id: u64,
    cents: u64,
    currency: String,
}

impl From<ProductPricedV1> for PricedInEuros {
    fn from(old: ProductPricedV1) -> Self {
        Self {
            product_id: old.product_id,
            cents: old.price * 100,
            currency: "EUR".to_owned(),
        }
    }
}

#[derive(Debug, Event, DomainIds, Serialize, Deserialize)]
#[event_type("product.priced", version = 2)]
#[upcast(version = 1, from = ProductPricedV1)]
struct Priced {
    #[domain_id]
    product_id: u64,
    cents: u64,
    currency: String,
}

impl From<ProductPricedV1> for Priced {
    fn from(old: ProductPricedV1) -> Self {
        Self {
            product_id: old.product_id,
            cents: old.price * 100,
            currency: old.currency,
        }
    }
}

/// The latest price of a product.
#[derive(DomainIds)]
struct Price<E> {
    #[domain_id]
    product_id: u64,
    event: std::marker::PhantomData<fn() -> E>,
}

impl<E: Event + Cents> Fold for Price<E> {
    type Events = SingleEvent<E>;
    type State = u64;

    fn apply(&self, cents: &mut u64, event: StoredEvent<E>) {
        *cents = event.data.cents();
    }
}

trait Cents {
    fn cents(&self) -> u64;
}

impl Cents for PricedInEuros {
    fn cents(&self) -> u64 {
        self.cents
    }
}

impl Cents for Priced {
    fn cents(&self) -> u64 {
        self.cents
    }
}

fn price<E>() -> Price<E> {
    Price {
        product_id: 7,
        event: std::marker::PhantomData,
    }
}

#[test]
fn an_upcast_forgets_a_field() {
    let old = given(Events::new().with_stored(
        "product.priced",
        1,
        ["product_id:7"],
        &json!({ "product_id": 7, "price": 49, "currency": "EUR" }),
    ));
    fails(
        || old.then_state(price::<PricedInEuros>(), 4_900),
        expect![[r#"
            the upcast of `product.priced` from version 1 loses `currency`

            scenario
              given  1  product.priced  product_id:7

            stored
              {"currency":"EUR","price":49,"product_id":7}

            read as
              {"cents":4900,"currency":"EUR","product_id":7}

            cause
              whatever `currency` says in an event of version 1, the upcast makes the same of it

            fix
              carry it over, in the `#[upcast(version = 1, ..)]` or a later one; or, where nobody wants to know it any more, `.without(check::UPCAST_LOSS, "why")`
        "#]],
    );
    old.then_state(price::<Priced>(), 4_900);
    old.without(check::UPCAST_LOSS, "there were no other currencies")
        .then_state(price::<PricedInEuros>(), 4_900);
}
