//! Chapter 8: projectors.

use umari::prelude::*;
use umari_testing::prelude::*;

use crate::domain::*;
use crate::plans_projector::Plans;

// The trait.

#[test]
fn a_projector_is_a_set_of_events_a_start_and_a_handler() {
    type Item<P> = <<P as Projector>::Query as EventSet>::Item;
    type Handle<P> = fn(&mut P, StoredEvent<Item<P>>) -> anyhow::Result<()>;
    fn as_the_trait_says<P: Projector + Sized>() -> (fn() -> anyhow::Result<P>, Handle<P>) {
        (P::init, P::handle)
    }
    let _ = as_the_trait_says::<Plans>();
}

// A whole projector.

const PLANS: &str = "SELECT title, duration_months, price, applicable_to, archived, total_sold, \
                     revenue, status, shopify_variant_id FROM plans WHERE plan_id = ?1";

/// What `PLANS` returns, with the columns that a test is about.
#[derive(Clone)]
struct Shown {
    archived: bool,
    total_sold: u32,
    revenue: &'static str,
    status: &'static str,
    variant: Option<&'static str>,
}

const CREATED: Shown = Shown {
    archived: false,
    total_sold: 0,
    revenue: "0.00",
    status: "draft",
    variant: None,
};

#[track_caller]
fn shows(history: Events, shown: &Shown) {
    given(events![plan_created(PLAN, 42)])
        .and(history)
        .project::<Plans>()
        .then_query(
            PLANS,
            params![PLAN],
            rows![[
                "Two years",
                24,
                "49.90",
                r#""All""#,
                shown.archived,
                shown.total_sold,
                shown.revenue,
                shown.status,
                shown.variant
            ]],
        );
}

fn of_plan<E>(make: fn(Uuid, u64) -> E) -> E {
    make(PLAN, 42)
}

#[test]
fn a_plan_begins_as_a_draft_that_nobody_bought() {
    shows(events![], &CREATED);
}

#[test]
fn plans_are_archived_and_unarchived() {
    let is_archived = Shown {
        archived: true,
        ..CREATED
    };
    shows(events![archived()], &is_archived);
    shows(events![archived(), unarchived()], &CREATED);
}

#[test]
fn plans_are_activated_and_deactivated() {
    let activated = of_plan(|plan_id, shop_id| WarrantyPlanActivated { plan_id, shop_id });
    let deactivated = of_plan(|plan_id, shop_id| WarrantyPlanDeactivated { plan_id, shop_id });
    let active = Shown {
        status: "active",
        ..CREATED
    };
    shows(events![activated.clone()], &active);
    shows(events![activated, deactivated], &CREATED);
}

#[test]
fn sales_add_up_without_floating_point() {
    let shown = Shown {
        total_sold: 3,
        revenue: "149.70",
        ..CREATED
    };
    shows(events![sold(42, 1), sold(42, 2), sold(42, 3)], &shown);
}

#[test]
fn a_variant_is_remembered() {
    let synced = WarrantyPlanVariantSynced {
        plan_id: PLAN,
        shop_id: 42,
        variant_id: u64::MAX,
    };
    let shown = Shown {
        variant: Some("18446744073709551615"),
        ..CREATED
    };
    shows(events![synced], &shown);
}

#[test]
fn an_update_replaces_the_details_and_a_deletion_the_row() {
    let deleted = of_plan(|plan_id, shop_id| WarrantyPlanDeleted { plan_id, shop_id });
    let history = given(events![plan_created(PLAN, 42), plan_updated(PLAN, 42)]);
    let details = "SELECT title, duration_months, price, applicable_to, status FROM plans";
    history.project::<Plans>().then_rows(
        details,
        rows![[
            "Three years",
            36,
            "69.90",
            r#"{"Products":[7,8]}"#,
            "active"
        ]],
    );
    history
        .and(events![deleted])
        .project::<Plans>()
        .then_rows(details, rows![]);
}

#[test]
fn a_shop_keeps_its_latest_token() {
    given(events![connected(42), connected(43), reconnected(42)])
        .project::<Plans>()
        .then_rows(
            "SELECT shop_id, access_token FROM shops ORDER BY shop_id",
            rows![["42", "token-2"], ["43", "token-1"]],
        );
}

#[test]
fn the_envelope_is_there_beside_the_data() {
    given_nothing()
        .at(DateTime::UNIX_EPOCH)
        .and(events![plan_created(PLAN, 42)])
        .project::<Plans>()
        .then_rows(
            "SELECT created_at FROM plans",
            rows![["1970-01-01T00:00:00+00:00"]],
        );
}

// How a projector works.

thread_local! {
    /// What an instance of `Log` did, in order.
    static CALLS: std::cell::RefCell<Vec<String>> = const { std::cell::RefCell::new(Vec::new()) };
}

struct Log {
    insert: Statement,
}

impl Projector for Log {
    type Query = SingleEvent<WarrantySold>;

    fn init() -> anyhow::Result<Self> {
        CALLS.with_borrow_mut(|calls| calls.push("init".to_owned()));
        execute_batch("CREATE TABLE IF NOT EXISTS log (line INTEGER NOT NULL)")?;
        Ok(Log {
            insert: prepare("INSERT INTO log (line) VALUES (?1)"),
        })
    }

    fn handle(&mut self, event: StoredEvent<WarrantySold>) -> anyhow::Result<()> {
        CALLS.with_borrow_mut(|calls| calls.push(format!("handle {}", event.position)));
        self.insert
            .execute(params![i64::try_from(event.data.line_item_id)?])?;
        anyhow::ensure!(event.data.line_item_id != 13, "unlucky");
        Ok(())
    }
}

fn calls_of_log(history: Events) -> Vec<String> {
    CALLS.take();
    let _ = given(history)
        .without(check::PROJECTOR_LAWS, "the calls of one run are counted")
        .project::<Log>();
    CALLS.take()
}

#[test]
fn init_is_called_once_before_each_event_is_handled_in_position_order() {
    assert_eq!(
        calls_of_log(events![
            sold(42, 3),
            connected(42),
            sold(42, 1),
            sold(43, 2)
        ]),
        ["init", "handle 1", "handle 3", "handle 4"]
    );
    assert_eq!(calls_of_log(events![]), ["init"]);
}

#[test]
fn a_rebuild_from_nothing_gives_the_same_rows() {
    let history = given(events![sold(42, 3), sold(42, 1), sold(43, 2)]);
    let rows = || rows![[3], [1], [2]];
    history
        .project::<Log>()
        .then_rows("SELECT line FROM log ORDER BY rowid", rows());
    history
        .project::<Log>()
        .then_rows("SELECT line FROM log ORDER BY rowid", rows());
}

#[test]
fn a_projector_stops_at_an_event_that_it_cannot_handle() {
    let history = events![sold(42, 1), sold(42, 13), sold(42, 2)];
    assert_eq!(
        calls_of_log(history.clone()),
        ["init", "handle 1", "handle 2"]
    );
    given(history)
        .project::<Log>()
        .then_fails_at::<WarrantySold>("unlucky")
        .then_rows("SELECT line FROM log", rows![[1]]);
}

#[test]
fn init_runs_again_on_the_tables_that_are_there() {
    struct Careless {}
    impl Projector for Careless {
        type Query = SingleEvent<WarrantySold>;

        fn init() -> anyhow::Result<Self> {
            execute_batch("CREATE TABLE log (line INTEGER NOT NULL)")?;
            Ok(Careless {})
        }

        fn handle(&mut self, _event: StoredEvent<WarrantySold>) -> anyhow::Result<()> {
            Ok(())
        }
    }
    let careless = std::panic::catch_unwind(|| {
        let _ = given(events![sold(42, 1)]).project::<Careless>();
    });
    let message = *careless.unwrap_err().downcast::<String>().unwrap();
    assert!(message.contains("table log already exists"), "{message}");
    // `Log` says `IF NOT EXISTS`, and the same restarts do it no harm.
    let _ = given(events![sold(42, 1)]).project::<Log>();
}

// Nothing but the database.

/// A projector that tries what only others may do.
macro_rules! forbidden {
    ($name:ident, $attempt:expr) => {
        struct $name {}

        impl Projector for $name {
            type Query = SingleEvent<ShopConnected>;

            fn init() -> anyhow::Result<Self> {
                Ok($name {})
            }

            fn handle(&mut self, _event: StoredEvent<ShopConnected>) -> anyhow::Result<()> {
                $attempt
            }
        }
    };
}

#[derive(DomainIds)]
struct Shop {
    #[domain_id]
    shop_id: u64,
}

forbidden!(Caller, {
    Client::new().get("https://shop.example").send()?;
    Ok(())
});
forbidden!(Writer, {
    Command::new(Shop { shop_id: 42 }, CommandContext::new())
        .execute(|input, ()| Ok(emit![reconnected(input.shop_id)]))?;
    Ok(())
});

#[test]
fn a_projector_has_no_http_and_writes_no_events() {
    let history = given(events![connected(42)]);
    history
        .project::<Caller>()
        .then_fails_at::<ShopConnected>("has no HTTP client");
    history
        .project::<Writer>()
        .then_fails_at::<ShopConnected>("has no access to the log");
}

// Prepared statements.

#[derive(Event, DomainIds, Serialize, Deserialize)]
#[event_type("widget.created")]
struct WidgetCreated {
    #[domain_id]
    id: u32,
    name: String,
}

#[derive(Event, DomainIds, Serialize, Deserialize)]
#[event_type("widget.archived")]
struct WidgetArchived {
    #[domain_id]
    id: u32,
}

#[derive(EventSet)]
enum WidgetEvents {
    Created(WidgetCreated),
    Archived(WidgetArchived),
}

export_projector!(Widgets);

struct Widgets {
    insert: Statement,
    archive: Statement,
}

impl Projector for Widgets {
    type Query = WidgetEvents;

    fn init() -> anyhow::Result<Self> {
        execute_batch(
            "CREATE TABLE IF NOT EXISTS widgets (
                id INTEGER PRIMARY KEY,
                name TEXT NOT NULL,
                archived BOOLEAN NOT NULL DEFAULT FALSE
            )",
        )?;
        Ok(Widgets {
            insert: prepare("INSERT INTO widgets (id, name) VALUES (?1, ?2)"),
            archive: prepare("UPDATE widgets SET archived = TRUE WHERE id = ?1"),
        })
    }

    fn handle(&mut self, event: StoredEvent<WidgetEvents>) -> anyhow::Result<()> {
        match event.data {
            WidgetEvents::Created(ev) => {
                self.insert.execute(params![ev.id, ev.name])?;
            }
            WidgetEvents::Archived(ev) => {
                self.archive.execute(params![ev.id])?;
            }
        }
        Ok(())
    }
}

#[test]
fn statements_that_init_prepared_serve_every_event() {
    let created = |id| WidgetCreated {
        id,
        name: format!("widget {id}"),
    };
    given(events![
        created(1),
        created(2),
        WidgetArchived { id: 1 },
        created(3)
    ])
    .project::<Widgets>()
    .then_rows(
        "SELECT id, name, archived FROM widgets ORDER BY id",
        rows![
            [1, "widget 1", true],
            [2, "widget 2", false],
            [3, "widget 3", false]
        ],
    );
}

// Scopes.

#[derive(EventSet)]
enum ScopedQuery {
    WarrantyPlanCreated(WarrantyPlanCreated), // of every plan and shop
    #[scope(topic = "orders/paid")] // of this topic alone
    WebhookReceived(WebhookReceived),
}

struct Seen {}

impl Projector for Seen {
    type Query = ScopedQuery;

    fn init() -> anyhow::Result<Self> {
        execute_batch("CREATE TABLE IF NOT EXISTS seen (what TEXT NOT NULL)")?;
        Ok(Seen {})
    }

    fn handle(&mut self, event: StoredEvent<ScopedQuery>) -> anyhow::Result<()> {
        let what = match event.data {
            ScopedQuery::WarrantyPlanCreated(plan) => format!("plan of {}", plan.shop_id),
            ScopedQuery::WebhookReceived(hook) => hook.topic,
        };
        execute("INSERT INTO seen VALUES (?1)", params![what])?;
        Ok(())
    }
}

#[test]
fn without_a_scope_every_event_of_a_type_comes_and_a_fixed_scope_narrows() {
    given(events![
        plan_created(PLAN, 42),
        webhook("orders/cancelled"),
        plan_created(OTHER_PLAN, 7),
        webhook("orders/paid"),
    ])
    .project::<Seen>()
    .then_rows(
        "SELECT what FROM seen ORDER BY rowid",
        rows![["plan of 42"], ["plan of 7"], ["orders/paid"]],
    );
}
