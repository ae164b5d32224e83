//! Appendix A: everything on one page, by its exact names and types.

use umari::prelude::*;
use umari_testing::prelude::*;

use crate::domain::*;
use crate::support::in_a_module;

// Imports.

mod as_the_list_says {
    use schemars::JsonSchema;
    use serde::{Deserialize, Serialize};
    use umari::prelude::*;
    use validator::Validate;

    #[derive(DomainIds, Validate, JsonSchema, Serialize, Deserialize)]
    pub struct Input {
        #[domain_id]
        pub shop_id: u64,
        #[validate(length(min = 1))]
        pub name: String,
    }
}

mod with_the_prelude_alone {
    use umari::prelude::*;

    #[derive(DomainIds, Validate, JsonSchema, Serialize, Deserialize)]
    pub struct Input {
        #[domain_id]
        pub shop_id: u64,
        #[validate(length(min = 1))]
        pub name: String,
        pub plan_id: Uuid,
        pub price: Decimal,
        pub since: DateTime<Utc>,
    }

    #[export_command(name = "everything-from-the-prelude")]
    pub fn execute(input: Input, context: CommandContext) -> anyhow::Result<ExecuteOutput> {
        input.validate()?;
        let _ = (
            json!({ "name": input.name }),
            Duration::from_secs(1),
            env::var("X"),
        );
        Command::new(input, context).execute(|_input, ()| Ok(emit![]))
    }
}

#[test]
fn the_prelude_is_enough_and_explicit_imports_beside_it_are_fine() {
    let listed = as_the_list_says::Input {
        shop_id: 42,
        name: String::new(),
    };
    assert!(listed.validate().is_err());
    let input = with_the_prelude_alone::Input {
        shop_id: 42,
        name: "shop".to_owned(),
        plan_id: PLAN,
        price: Decimal::ONE,
        since: DateTime::UNIX_EPOCH,
    };
    given_nothing()
        .when(with_the_prelude_alone::execute, input)
        .then_nothing();
}

// Derives and attributes.

mod everything {
    use umari::prelude::*;

    #[derive(Event, DomainIds, Serialize, Deserialize)]
    #[event_type("everything.happened")]
    pub struct Happened {
        #[domain_id]
        #[crypto_scope]
        pub shop_id: u64,
        #[domain_id("alt_name")]
        pub topic: String,
        pub note: String,
    }

    #[derive(Event, DomainIds, Serialize, Deserialize)]
    #[event_type("everything.noted")]
    pub struct Noted {
        #[domain_id]
        pub alt_name: String,
    }

    #[derive(EventSet)]
    pub enum Query {
        #[scope(shop_id)]
        Happened(Happened),
        #[scope(alt_name = "fixed")]
        Noted(Noted),
    }

    #[derive(DomainIds, FromDomainIds)]
    pub struct EverythingFold {
        #[domain_id]
        pub shop_id: u64,
        #[from_domain_id(default)]
        pub prefix: String,
    }

    impl Fold for EverythingFold {
        type Events = Query;
        type State = Vec<String>;

        fn apply(&self, seen: &mut Vec<String>, event: StoredEvent<Query>) {
            let what = match event.data {
                Query::Happened(event) => event.note,
                Query::Noted(event) => event.alt_name,
            };
            seen.push(format!("{}{what}", self.prefix));
        }
    }
}

#[test]
fn each_attribute_does_what_its_row_says() {
    use everything::{EverythingFold, Happened, Noted, Query};
    let happened = |shop_id, note: &str| Happened {
        shop_id,
        topic: "t".to_owned(),
        note: note.to_owned(),
    };
    let noted = |name: &str| Noted {
        alt_name: name.to_owned(),
    };
    assert_eq!(Happened::EVENT_TYPE, "everything.happened");
    assert_eq!(Happened::DOMAIN_ID_FIELDS, ["shop_id", "alt_name"]);
    let event = happened(42, "n");
    assert_eq!(event.encryption_scope().as_deref(), Some("shop_id:42"));
    assert_eq!(event.domain_ids()["alt_name"], "t");
    assert_eq!(
        Query::event_types(),
        ["everything.happened", "everything.noted"]
    );
    let fold = EverythingFold::from_domain_ids((), &event.domain_ids()).unwrap();
    assert_eq!(fold.prefix, "");
    given(events![
        happened(42, "here"),
        happened(43, "there"),
        noted("fixed"),
        noted("other"),
    ])
    .then_state(fold, vec!["here".to_owned(), "fixed".to_owned()]);
}

// Exports.

#[export_command]
pub fn rename_shop(
    input: as_the_list_says::Input,
    context: CommandContext,
) -> anyhow::Result<ExecuteOutput> {
    input.validate()?;
    Command::new(input, context)
        .fold::<ShopExistsFold>()
        .execute(|input, exists| {
            anyhow::ensure!(exists, "shop {} does not exist", input.shop_id);
            Ok(emit![reconnected(input.shop_id)])
        })
}

export_projector!(Shops);

struct Shops {}

impl Projector for Shops {
    type Query = SingleEvent<ShopConnected>;

    fn init() -> anyhow::Result<Self> {
        execute_batch("CREATE TABLE IF NOT EXISTS shops (shop_id TEXT PRIMARY KEY)")?;
        Ok(Shops {})
    }

    fn handle(&mut self, event: StoredEvent<ShopConnected>) -> anyhow::Result<()> {
        execute(
            "INSERT INTO shops VALUES (?1)",
            params![event.data.shop_id.to_string()],
        )?;
        Ok(())
    }
}

// A crate exports a projector or an effect; this file stands for two crates.
mod another_crate {
    umari::export_effect!(super::Reconnect);
}

/// Renames every shop that was connected, as the caller of an exported command.
struct Reconnect {}

impl Effect for Reconnect {
    type Query = SingleEvent<ShopConnected>;

    fn init() -> anyhow::Result<Self> {
        Ok(Reconnect {})
    }

    fn handle(&mut self, event: StoredEvent<ShopConnected>) -> anyhow::Result<()> {
        let input = as_the_list_says::Input {
            shop_id: event.data.shop_id,
            name: event.data.shop_name,
        };
        rename_shop(
            input,
            CommandContext::new().with_idempotency_key(Some(event.id)),
        )?;
        Ok(())
    }
}

#[test]
fn what_is_exported_stays_ordinary_code() {
    let input = as_the_list_says::Input {
        shop_id: 42,
        name: "shop".to_owned(),
    };
    let history = given(events![connected(42)]);
    history
        .when(rename_shop, input)
        .then(events![reconnected(42)]);
    history
        .project::<Shops>()
        .then_rows("SELECT shop_id FROM shops", rows![["42"]]);
    history
        .when_caught_up()
        .run::<Reconnect>()
        .then(events![reconnected(42)])
        .redelivered()
        .then_nothing();
}

// The builder, and what a closure answers.

#[derive(DomainIds, FromDomainIds)]
struct ByStatus {
    #[domain_id]
    plan_id: Uuid,
    status: PlanStatus,
}

impl Fold for ByStatus {
    type Events = SingleEvent<WarrantyPlanCreated>;
    type State = u64;

    fn apply(&self, count: &mut u64, event: StoredEvent<WarrantyPlanCreated>) {
        *count += u64::from(event.data.status == self.status && event.data.plan_id == self.plan_id);
    }
}

#[derive(DomainIds, Serialize, Deserialize)]
struct Transfer {
    #[domain_id]
    shop_id: u64,
    #[domain_id]
    plan_id: Uuid,
    amount: u64,
}

fn transfer(input: Transfer, context: CommandContext) -> anyhow::Result<ExecuteOutput> {
    Command::new(input, context)
        .fold::<ShopExistsFold>()
        .fold_args::<ByStatus>(PlanStatus::Draft)
        .fold_with(|input| ByStatus {
            plan_id: input.plan_id,
            status: PlanStatus::Active,
        })
        .execute(|input, states| {
            let (shop, drafts, active): (bool, u64, u64) = states;
            if !shop {
                anyhow::bail!("shop not connected");
            }
            let (balance, amount) = (drafts + active, input.amount);
            anyhow::ensure!(balance >= amount, "insufficient funds");
            Ok(match amount {
                0 => emit![],
                1 => emit![reconnected(input.shop_id)],
                _ => emit![reconnected(input.shop_id), archived()],
            })
        })
}

#[test]
fn a_closure_emits_nothing_one_or_many_or_rejects() {
    let amount = |amount| Transfer {
        shop_id: 42,
        plan_id: PLAN,
        amount,
    };
    given_nothing()
        .when(transfer, amount(0))
        .then_rejected("shop not connected");
    let history = given(events![
        connected(42),
        plan_created(PLAN, 42),
        WarrantyPlanCreated {
            status: PlanStatus::Active,
            ..plan_created(PLAN, 42)
        },
    ]);
    history
        .when(transfer, amount(3))
        .then_rejected("insufficient funds");
    history.when(transfer, amount(0)).then_nothing();
    history
        .when(transfer, amount(1))
        .then(events![reconnected(42)]);
    history
        .when(transfer, amount(2))
        .then(events![reconnected(42), archived()]);
}

// SQLite.

#[test]
fn the_sqlite_api_has_these_signatures() {
    in_a_module(|| {
        let (sql, none) = ("SELECT 'a' AS column_name, 'b', 3", params![]);
        let _: Result<(), SqliteError> = execute_batch("CREATE TABLE t (x)");
        let _: Result<usize, SqliteError> = execute("INSERT INTO t VALUES (?1)", params![1]);
        let row: Row = query_one(sql, params![]);
        let _: Option<Row> = query_row(sql, params![]);
        let _: Option<i64> = last_insert_rowid();

        let stmt: Statement = prepare(sql);
        let _: Vec<Row> = stmt.query(params![]);
        let _: Row = stmt.query_one(params![]);
        let _: Option<Row> = stmt.query_row(params![]);
        let insert: Statement = prepare("INSERT INTO t VALUES (?1), (?2), (?3)");
        let _: Result<usize, SqliteError> = insert.execute(params![1, "two", 3.0]);

        assert_eq!(row.get::<&str, String>("column_name"), "a");
        assert_eq!(row.get::<usize, i64>(2), 3);
        let (first, second, third) = row.tuple::<(String, String, i64)>();
        assert_eq!((&*first, &*second, third), ("a", "b", 3));
        assert_eq!(
            query_one("SELECT count(*) FROM t", none).get::<_, i64>(0),
            4
        );
        Ok(())
    });
}

// The envelope.

#[test]
fn the_envelope_has_these_fields_of_these_types() {
    let key = Uuid::from_u128(7);
    let at: DateTime<Utc> = DateTime::UNIX_EPOCH + Duration::from_secs(60);
    let outcome = given_nothing()
        .at(at)
        .without(check::SELF_RACE, "there is no fold to look at")
        .when_with(
            |input: as_the_list_says::Input, context: CommandContext| {
                Command::new(input, context)
                    .execute(|input, ()| Ok(emit![connected(input.shop_id)]))
            },
            as_the_list_says::Input {
                shop_id: 42,
                name: "shop".to_owned(),
            },
            |context| context.with_idempotency_key(key),
        );
    let written = &outcome.emitted()[0];
    let mut events = outcome.fold(EventFold::<ShopConnected>::new()).events;
    let event: StoredEvent<ShopConnected> = events.remove(0);

    let id: Uuid = event.id;
    let position: u64 = event.position;
    let event_type: String = event.event_type;
    let tags: Vec<String> = event.tags;
    let timestamp: DateTime<Utc> = event.timestamp;
    let correlation_id: Uuid = event.correlation_id;
    let causation_id: Uuid = event.causation_id;
    let triggering_event_id: Option<Uuid> = event.triggering_event_id;
    let idempotency_key: Option<Uuid> = event.idempotency_key;
    let encryption_scope: Option<String> = event.encryption_scope;
    let encryption_key_id: Option<Uuid> = event.encryption_key_id;
    let data: ShopConnected = event.data;

    assert_eq!(id, outcome.receipt().events[0].id);
    assert_eq!(position, 1);
    assert_eq!(event_type, "shop.connected");
    assert_eq!(tags, ["shop_id:42"]);
    assert_eq!(timestamp, at);
    assert_eq!(correlation_id, written.correlation_id);
    assert_eq!(causation_id, written.causation_id);
    assert_ne!(correlation_id, causation_id);
    assert_eq!(triggering_event_id, None);
    assert_eq!(idempotency_key, Some(key));
    assert_eq!(encryption_scope.as_deref(), Some("shop_id:42"));
    assert_eq!(encryption_key_id, written.encryption_key_id);
    assert!(encryption_key_id.is_some());
    assert_eq!(data, connected(42));
}

#[test]
fn an_event_that_an_effect_caused_names_its_trigger() {
    let outcome = given_nothing()
        .when_event(connected(42))
        .run::<Reconnect>()
        .then(events![reconnected(42)]);
    let trigger = outcome.fold(EventFold::<ShopConnected>::new()).events;
    let caused = outcome.fold(EventFold::<ShopReconnected>::new()).events;
    assert_eq!(caused[0].triggering_event_id, Some(trigger[0].id));
    assert_eq!(caused[0].correlation_id, trigger[0].correlation_id);
    assert_eq!(caused[0].idempotency_key, Some(trigger[0].id));
}

// The context.

#[test]
fn a_context_is_detected_and_each_of_its_fields_can_be_set() {
    let (_store, _installed) = crate::store::Store::install();
    let (id, key) = (Uuid::from_u128(5), Some(Uuid::from_u128(6)));
    let context: CommandContext = CommandContext::new()
        .with_correlation_id(id)
        .with_triggering_event_id(Some(id))
        .with_idempotency_key(key);
    assert_eq!(context.correlation_id, id);
    assert_eq!(context.triggering_event_id, Some(id));
    assert_eq!(context.idempotency_key, key);
}
