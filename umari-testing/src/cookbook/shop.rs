// The shop of the examples of the cookbook: included by each of them, and shown at the end of the page.

pub use umari::prelude::*;
pub use umari_testing::prelude::*;

#[derive(Event, DomainIds, Serialize, Deserialize)]
#[event_type("customer.registered")]
pub struct CustomerRegistered {
    #[domain_id]
    #[crypto_scope]
    pub customer_id: u64,
    pub email: String,
}

#[derive(Event, DomainIds, Serialize, Deserialize)]
#[event_type("product.added")]
pub struct ProductAdded {
    #[domain_id]
    pub product_id: u64,
    #[domain_id]
    pub name: String,
    pub pieces: u64,
}

#[derive(Event, DomainIds, Serialize, Deserialize)]
#[event_type("order.placed")]
pub struct OrderPlaced {
    #[domain_id]
    pub order_id: u64,
    #[domain_id]
    pub product_id: u64,
}

#[derive(Event, DomainIds, Serialize, Deserialize)]
#[event_type("order.paid")]
pub struct OrderPaid {
    #[domain_id]
    pub order_id: u64,
    pub amount: Decimal,
}

#[derive(Event, DomainIds, Serialize, Deserialize)]
#[event_type("parcel.labelled")]
pub struct ParcelLabelled {
    #[domain_id]
    pub order_id: u64,
}

pub fn customer(customer_id: u64) -> CustomerRegistered {
    let email = format!("{customer_id}@mail.example");
    CustomerRegistered { customer_id, email }
}

pub fn product(product_id: u64, name: &str, pieces: u64) -> ProductAdded {
    ProductAdded {
        product_id,
        name: name.to_owned(),
        pieces,
    }
}

/// One of two kettles.
pub fn kettle() -> ProductAdded {
    product(7, "kettle", 2)
}

/// An order of a kettle.
pub fn order(order_id: u64) -> OrderPlaced {
    OrderPlaced {
        order_id,
        product_id: 7,
    }
}

pub fn paid(order_id: u64, amount: &str) -> OrderPaid {
    OrderPaid {
        order_id,
        amount: amount.parse().expect("an amount"),
    }
}

pub fn labelled(order_id: u64) -> ParcelLabelled {
    ParcelLabelled { order_id }
}

pub fn noon() -> DateTime<Utc> {
    "2026-03-02T12:00:00Z".parse().expect("a time")
}

pub mod add_product {
    use super::*;

    #[derive(Debug, DomainIds, Validate, Serialize, Deserialize)]
    pub struct Input {
        #[domain_id]
        pub product_id: u64,
        #[domain_id]
        #[validate(length(min = 1, max = 40, message = "must be 1 to 40 characters"))]
        pub name: String,
        #[validate(range(min = 1, message = "must be at least 1"))]
        pub pieces: u64,
    }

    pub fn input(product_id: u64, name: &str) -> Input {
        Input {
            product_id,
            name: name.to_owned(),
            pieces: 2,
        }
    }

    pub fn execute(input: Input, context: CommandContext) -> anyhow::Result<ExecuteOutput> {
        input.validate()?;

        let added = EventCounter::<ProductAdded>::new;
        Command::new(input, context)
            .fold_with(move |input| added().with("product_id", input.product_id))
            .fold_with(move |input| added().with("name", input.name.clone()))
            .execute(|input, (with_id, with_name)| {
                anyhow::ensure!(with_id == 0, "the id is taken");
                anyhow::ensure!(with_name == 0, "the name is taken");
                Ok(emit![product(input.product_id, &input.name, input.pieces)])
            })
    }
}

pub mod place_order {
    use super::*;

    #[derive(Debug, DomainIds, Serialize, Deserialize)]
    pub struct Input {
        #[domain_id]
        pub order_id: u64,
        #[domain_id]
        pub product_id: u64,
    }

    /// An order of a kettle.
    pub fn input(order_id: u64) -> Input {
        Input {
            order_id,
            product_id: 7,
        }
    }

    pub fn execute(input: Input, context: CommandContext) -> anyhow::Result<ExecuteOutput> {
        let same_order = |input: &Input| EventCounter::new().with("order_id", input.order_id);
        let product = |input: &Input| LatestEvent::new().with("product_id", input.product_id);
        let orders = |input: &Input| EventCounter::new().with("product_id", input.product_id);
        Command::new(input, context)
            .fold_with::<EventCounter<OrderPlaced>>(same_order)
            .fold_with::<LatestEvent<ProductAdded>>(product)
            .fold_with::<EventCounter<OrderPlaced>>(orders)
            .execute(|input, (same, product, ordered)| {
                anyhow::ensure!(same == 0, "the order is placed already");
                let pieces = product.map_or(0, |product| product.data.pieces);
                anyhow::ensure!(
                    ordered < pieces,
                    Rejection::new("sold-out", "all pieces are ordered").with("pieces", pieces)
                );
                let Input {
                    order_id,
                    product_id,
                } = input;
                Ok(emit![OrderPlaced {
                    order_id,
                    product_id
                }])
            })
    }
}

pub mod pay_order {
    use super::*;

    #[derive(DomainIds, Serialize, Deserialize)]
    pub struct Input {
        #[domain_id]
        pub order_id: u64,
    }

    pub fn execute(input: Input, context: CommandContext) -> anyhow::Result<ExecuteOutput> {
        Command::new(input, context)
            .fold::<LatestEvent<OrderPlaced>>()
            .fold::<EventCounter<OrderPaid>>()
            .execute(|input, (placed, payments)| {
                let Some(placed) = placed else {
                    anyhow::bail!("there is no such order");
                };
                anyhow::ensure!(payments == 0, "the order is paid already");
                let expires = placed.timestamp + Duration::from_secs(15 * 60);
                anyhow::ensure!(umari::clock::now() <= expires, "the order has expired");
                Ok(emit![paid(input.order_id, "49.90")])
            })
    }
}

/// Whether a parcel has its label.
#[derive(DomainIds, FromDomainIds)]
pub struct LabelledFold {
    #[domain_id]
    pub order_id: u64,
}

impl Fold for LabelledFold {
    type Events = SingleEvent<ParcelLabelled>;
    type State = bool;

    fn apply(&self, labelled: &mut bool, _: StoredEvent<ParcelLabelled>) {
        *labelled = true;
    }
}

/// Has no serde: only an effect calls the command.
#[derive(DomainIds)]
pub struct RecordLabel {
    #[domain_id]
    pub order_id: u64,
}

pub fn record_label(input: RecordLabel, context: CommandContext) -> anyhow::Result<ExecuteOutput> {
    Command::new(input, context)
        .fold::<LabelledFold>()
        .execute(|input, labelled| {
            Ok(if labelled {
                emit![]
            } else {
                emit![ParcelLabelled {
                    order_id: input.order_id
                }]
            })
        })
}

pub const LABELS: &str = "https://parcels.example/labels";

/// Asks the parcel service for a label as soon as an order is paid.
pub struct PrintLabels;

impl Effect for PrintLabels {
    type Query = SingleEvent<OrderPaid>;

    fn init() -> anyhow::Result<Self> {
        Ok(Self)
    }

    fn partition_key(&self, event: StoredEvent<OrderPaid>) -> Option<String> {
        Some(event.data.order_id.to_string())
    }

    fn handle(&mut self, event: StoredEvent<OrderPaid>) -> anyhow::Result<()> {
        let order_id = event.data.order_id;
        if FoldQuery::new().fold(LabelledFold { order_id }).run()? {
            return Ok(());
        }
        let answer = Client::new()
            .post(LABELS)
            .header("Idempotency-Key", event.id.to_string())
            .json(&json!({ "order": order_id }))
            .send()?;
        anyhow::ensure!(answer.status().is_success(), "refused: {}", answer.status());
        record_label(RecordLabel { order_id }, CommandContext::new())?;
        Ok(())
    }
}

/// Keeps the products with the number of their orders.
pub struct Bestsellers;

#[derive(EventSet)]
pub enum Sales {
    Added(ProductAdded),
    Placed(OrderPlaced),
}

impl Projector for Bestsellers {
    type Query = Sales;

    fn init() -> anyhow::Result<Self> {
        execute_batch(
            "CREATE TABLE IF NOT EXISTS products
                (product_id INTEGER PRIMARY KEY, name TEXT, orders INTEGER DEFAULT 0)",
        )?;
        Ok(Self)
    }

    fn handle(&mut self, event: StoredEvent<Sales>) -> anyhow::Result<()> {
        match event.data {
            Sales::Added(product) => execute(
                "INSERT INTO products (product_id, name) VALUES (?1, ?2)",
                params![product.product_id as i64, product.name],
            )?,
            Sales::Placed(order) => execute(
                "UPDATE products SET orders = orders + 1 WHERE product_id = ?1",
                params![order.product_id as i64],
            )?,
        };
        Ok(())
    }
}
