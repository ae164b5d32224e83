//! Deciding and writing.

use umari::host::TransactionError;
use umari::prelude::*;

use crate::shop::{PlanCreated, PlanUnarchived, ShopConnected, ShopExistsFold, connected};
use crate::store::Store;

#[derive(Clone, DomainIds, Serialize, Deserialize)]
struct Input {
    #[domain_id]
    shop_id: u64,
}

#[export_command(name = "connect-shop")]
fn connect(input: Input, context: CommandContext) -> anyhow::Result<ExecuteOutput> {
    Command::new(input, context)
        .fold::<ShopExistsFold>()
        .execute(|input, exists| {
            anyhow::ensure!(!exists, "shop is already connected");
            Ok(emit![
                connected(input.shop_id),
                PlanUnarchived {
                    plan_id: 1,
                    shop_id: input.shop_id,
                    r#type: None
                },
            ])
        })
}

#[test]
fn what_was_decided_is_written_with_its_tags_scope_and_version() {
    let (store, _installed) = Store::install();
    let output = connect(Input { shop_id: 42 }, CommandContext::new()).unwrap();
    assert_eq!(output.position, Some(2));
    assert!(output.has_event::<ShopConnected>() && !output.has_event::<PlanCreated>());
    let names: Vec<_> = output.events[1]
        .domain_ids
        .keys()
        .map(String::as_str)
        .collect();
    assert_eq!(names, ["plan_id", "shop_id"]);
    let log = store.log.borrow();
    assert_eq!(log[0].tags, ["shop_id:42"]);
    assert_eq!(log[0].encryption_scope.as_deref(), Some("shop_id:42"));
    assert_eq!(
        (log[0].schema_version, &*store.opened.borrow()[0].2),
        (1, "connect-shop")
    );
    assert_eq!(log[1].tags, ["plan_id:1", "shop_id:42"]);
    assert_eq!(
        log[0].payload.as_deref(),
        Some(r#"{"shop_id":42,"name":"shop 42"}"#)
    );
}

/// `execute` does not say what a closure returns, so that it can say what is wrong with it; the type of
/// the error is found nevertheless.
#[test]
fn a_decision_ends_in_any_way() {
    let (_store, _installed) = Store::install();
    let command = || Command::new(Input { shop_id: 1 }, CommandContext::new());
    let endings = [
        command().execute(|_, ()| Ok(emit![])),
        command().execute(|_, ()| anyhow::bail!("bailed out")),
        command().execute(|input, ()| {
            anyhow::ensure!(input.shop_id == 2, "ensured");
            Ok(emit![connected(2)])
        }),
        command().execute(|_, ()| {
            let shop_id = "one".parse()?;
            Ok(emit![connected(shop_id)])
        }),
        command().execute(|_, ()| Err(Rejection::new("closed", "turned into").into())),
        command().execute(|input, ()| match input.shop_id {
            1 => Err(Rejection::new("closed", "first arm"))?,
            _ => Ok(Emit::new()),
        }),
        command().execute(|input, ()| {
            if input.shop_id == 2 {
                return Ok(emit![]);
            }
            let reason = anyhow::anyhow!("cause");
            Err(reason.context("with context"))
        }),
        command().execute(refuse),
    ];
    let said = endings.map(|ending| match ending {
        Ok(output) => format!("{} events", output.events.len()),
        Err(error) => error.to_string(),
    });
    assert_eq!(
        said,
        [
            "0 events",
            "bailed out",
            "ensured",
            "invalid digit found in string",
            "turned into",
            "first arm",
            "with context",
            "by a function",
        ]
    );
    let panics = || command().execute(|_, ()| panic!("not decided yet"));
    assert!(std::panic::catch_unwind(panics).is_err());
}

fn refuse(_: Input, (): ()) -> anyhow::Result<Emit> {
    anyhow::bail!("by a function")
}

#[test]
fn a_private_command_is_named_after_its_input() {
    let (store, _installed) = Store::install();
    Command::new(Input { shop_id: 1 }, CommandContext::new())
        .execute(|_, ()| Ok(emit![PlanCreated { shop_id: 1, id: 2 }]))
        .unwrap();
    assert_eq!(store.opened.borrow()[0].2, "sdk::commands::Input");
    assert_eq!(store.log.borrow()[0].schema_version, 2);
}

#[test]
fn a_key_writes_once_and_a_decision_for_nothing_writes_nothing() {
    let (store, _installed) = Store::install();
    let key = Uuid::from_u128(9);
    let call = || {
        connect(
            Input { shop_id: 42 },
            CommandContext::new().with_idempotency_key(key),
        )
    };
    assert_eq!(call().unwrap().events.len(), 2);
    let again = call().unwrap();
    assert_eq!((again.position, again.events), (Some(1), vec![]));
    assert_eq!(store.types(), ["shop.connected", "plan.unarchived"]);
    let nothing = Command::new(Input { shop_id: 1 }, CommandContext::new())
        .execute(|_, ()| Ok(emit![]))
        .unwrap();
    assert_eq!(nothing, ExecuteOutput::default());
}

#[test]
fn a_conflict_keeps_its_class_and_is_retried_where_asked() {
    let (store, _installed) = Store::install();
    let conflict = || TransactionError::Conflict("position 3".to_owned());
    *store.failures.borrow_mut() = vec![conflict()];
    let context = CommandContext::new();
    let error = connect(Input { shop_id: 42 }, context)
        .unwrap_err()
        .context("while connecting");
    assert!(matches!(
        ExecuteError::classify(&error),
        ExecuteError::Conflict(_)
    ));
    *store.failures.borrow_mut() = vec![conflict(), conflict()];
    let connect_again = || connect(Input { shop_id: 42 }, CommandContext::new());
    assert_eq!(retry_on_conflict(connect_again).unwrap().events.len(), 2);
    *store.failures.borrow_mut() = (0..6).map(|_| conflict()).collect();
    let other = || connect(Input { shop_id: 43 }, CommandContext::new());
    assert!(retry_on_conflict(other).is_err());
    assert_eq!(store.failures.borrow().len(), 1, "five attempts were made");
}

#[test]
fn context_setters_take_ids_with_and_without_some() {
    let (_store, _installed) = Store::install();
    let id = Uuid::from_u128(5);
    let context = CommandContext::new()
        .with_correlation_id(Some(id))
        .with_triggering_event_id(id)
        .with_idempotency_key(Some(id));
    assert_eq!(context.correlation_id, id);
    assert_eq!(context.triggering_event_id, Some(id));
    assert_eq!(
        context.clone().with_idempotency_key(None).idempotency_key,
        None
    );
    assert_eq!(context.with_correlation_id(None).correlation_id, id);
}

#[test]
#[should_panic(expected = "no host is installed on this thread")]
fn without_a_host_the_panic_says_what_to_write() {
    let _ = CommandContext::new();
}

/// The bounds that a generic function writes are those of the methods' documentation.
fn counted<I, F, G>(input: I, context: CommandContext) -> anyhow::Result<ExecuteOutput>
where
    I: DomainIds,
    F: Fold<State = bool> + FromDomainIds<Args = ()>,
    G: Fold + FromDomainIds<Args = u8>,
{
    Command::new(input, context)
        .fold::<F>()
        .fold_args::<G>(7)
        .execute(|_, (exists, _)| {
            anyhow::ensure!(!exists, "shop is already connected");
            Ok(emit![connected(1)])
        })
}

fn decided<I, D>(input: I, context: CommandContext) -> anyhow::Result<ExecuteOutput>
where
    I: DomainIds,
    D: Decider<Input = I> + FromDomainIds<Args = ()>,
{
    Command::new(input, context).decide::<D>()
}

#[derive(DomainIds, FromDomainIds)]
struct Connect {
    #[domain_id]
    shop_id: u64,
}

impl Decider for Connect {
    type Events = SingleEvent<ShopConnected>;
    type State = bool;
    type Input = Input;

    fn initial(&self) -> bool {
        false
    }

    fn evolve(&self, _: bool, _: StoredEvent<ShopConnected>) -> bool {
        true
    }

    fn decide(&self, _: Input, exists: bool) -> anyhow::Result<Emit> {
        anyhow::ensure!(!exists, "shop is already connected");
        Ok(emit![connected(self.shop_id)])
    }
}

#[derive(DomainIds, FromDomainIds)]
struct Most {
    most: u8,
}

impl Fold for Most {
    type Events = SingleEvent<ShopConnected>;
    type State = u8;

    fn apply(&self, state: &mut u8, _: StoredEvent<ShopConnected>) {
        *state = self.most;
    }
}

#[test]
fn commands_can_be_generic() {
    let (store, _installed) = Store::install();
    let input = Input { shop_id: 1 };
    decided::<_, Connect>(input.clone(), CommandContext::new()).unwrap();
    decided::<_, Connect>(input.clone(), CommandContext::new()).unwrap_err();
    counted::<_, ShopExistsFold, Most>(input, CommandContext::new()).unwrap_err();
    counted::<_, ShopExistsFold, Most>(Input { shop_id: 2 }, CommandContext::new()).unwrap();
    assert_eq!(store.types(), ["shop.connected", "shop.connected"]);
}
