//! Effects that shred.

use umari::crypto;
use umari::prelude::*;
use umari_testing::prelude::*;

use super::support::{fails, failure};
use expect_test::expect;

#[derive(Debug, Clone, PartialEq, Event, DomainIds, Serialize, Deserialize)]
#[event_type("customer.registered")]
struct Registered {
    #[domain_id]
    #[crypto_scope]
    customer_id: u64,
    email: String,
}

#[derive(Debug, Clone, PartialEq, Event, DomainIds, Serialize, Deserialize)]
#[event_type("erasure.requested")]
struct ErasureRequested {
    #[domain_id]
    customer_id: u64,
}

#[derive(Debug, Clone, PartialEq, Event, DomainIds, Serialize, Deserialize)]
#[event_type("customer.erased")]
struct Erased {
    #[domain_id]
    customer_id: u64,
    keys: u64,
}

fn registered(customer_id: u64) -> Registered {
    Registered {
        customer_id,
        email: format!("{customer_id}@example.com"),
    }
}

#[derive(DomainIds)]
struct Erasure {
    #[domain_id]
    customer_id: u64,
    keys: u64,
}

fn record(customer_id: u64, keys: u64) -> anyhow::Result<ExecuteOutput> {
    let input = Erasure { customer_id, keys };
    Command::new(input, CommandContext::new())
        .fold::<EventCounter<Erased>>()
        .execute(|input, erased| {
            Ok(match erased {
                0 => emit![Erased {
                    customer_id: input.customer_id,
                    keys: input.keys
                }],
                _ => emit![],
            })
        })
}

/// Shreds, and records it afterwards.
struct Erase {}

impl Effect for Erase {
    type Query = SingleEvent<ErasureRequested>;

    fn init() -> anyhow::Result<Self> {
        Ok(Self {})
    }

    fn handle(&mut self, event: StoredEvent<ErasureRequested>) -> anyhow::Result<()> {
        let customer_id = event.data.customer_id;
        let shredded = crypto::shred_because("customer_id", customer_id, "as requested")?;
        assert_eq!(shredded.at, event.timestamp);
        record(customer_id, shredded.keys)?;
        Ok(())
    }
}

#[test]
fn a_story_goes_on_without_what_is_shredded() {
    let erased = given(events![registered(1), registered(2)])
        .when_event(ErasureRequested { customer_id: 1 })
        .run::<Erase>()
        .then_shredded("customer_id", 1)
        .then(events![Erased {
            customer_id: 1,
            keys: 1
        }]);
    erased.then_state(EventCounter::<Registered>::new(), 1);
    assert_eq!(erased.history()[0].payload, None);

    let again = erased.and(events![registered(1)]);
    again.then_state(EventCounter::<Registered>::new(), 2);
    let (old, new) = (&again.history()[0], again.history().last().cloned());
    assert_ne!(
        old.encryption_key_id,
        new.and_then(|new| new.encryption_key_id)
    );
}

#[test]
fn an_event_shreds_a_scope_once() {
    let erased = given(events![registered(1)])
        .when_event(ErasureRequested { customer_id: 1 })
        .run::<Erase>();
    let again = erased.redelivered().then_shredded("customer_id", 1);
    again.then_nothing();
}

#[test]
fn a_scope_without_events_has_no_keys() {
    given_nothing()
        .when_event(ErasureRequested { customer_id: 1 })
        .run::<Erase>()
        .then_shredded("customer_id", 1)
        .then(events![Erased {
            customer_id: 1,
            keys: 0
        }]);
}

#[test]
fn what_was_shredded_instead_is_shown() {
    let erased = given(events![registered(1)])
        .when_event(ErasureRequested { customer_id: 1 })
        .run::<Erase>();
    fails(
        || erased.then_shredded("customer_id", 2),
        expect![[r#"
        the effect did not shred `customer_id:2`

        scenario
          given     1  customer.registered  customer_id:1
          event     2  erasure.requested    customer_id:1
          run       Erase
          shredded  customer_id:1
          emitted   3  customer.erased      customer_id:1

        shredded
          customer_id:1

        cause
          a scope is the name of a domain id, as tags have it, and its value
    "#]],
    );
}

/// Shreds what is no scope.
struct EraseNobody {}

impl Effect for EraseNobody {
    type Query = SingleEvent<ErasureRequested>;

    fn init() -> anyhow::Result<Self> {
        Ok(Self {})
    }

    fn handle(&mut self, event: StoredEvent<ErasureRequested>) -> anyhow::Result<()> {
        let reason = "x".repeat(usize::try_from(event.data.customer_id)?);
        crypto::shred_because("umari.customer", 1, "")
            .or_else(|_| crypto::shred_because("customer_id", 1, reason))?;
        Ok(())
    }
}

#[test]
fn what_the_host_refuses_is_refused() {
    let asked = |customer_id| {
        given_nothing()
            .when_event(ErasureRequested { customer_id })
            .run::<EraseNobody>()
    };
    asked(1_024).then_shredded("customer_id", 1);
    asked(1_025).then_failed("the reason has 1025 bytes: at most 1024 are allowed");
}

/// Records before it shreds, and so never shreds after a crash in between.
struct RecordFirst {}

impl Effect for RecordFirst {
    type Query = SingleEvent<ErasureRequested>;

    fn init() -> anyhow::Result<Self> {
        Ok(Self {})
    }

    fn handle(&mut self, event: StoredEvent<ErasureRequested>) -> anyhow::Result<()> {
        let customer_id = event.data.customer_id;
        if record(customer_id, 1)?.has_event::<Erased>() {
            crypto::shred("customer_id", customer_id)?;
        }
        Ok(())
    }
}

#[test]
fn crash_sweep_finds_a_shredding_that_is_lost() {
    let asked = given(events![registered(1)]).when_event(ErasureRequested { customer_id: 1 });
    fails(
        || asked.run::<RecordFirst>(),
        expect![[r#"
        `RecordFirst` leaves other events when it is killed right after a commit, and redelivered

        scenario
          given  1  customer.registered  customer_id:1
          event  2  erasure.requested    customer_id:1
          run    RecordFirst

        log (- undisturbed, + disturbed)
            1  customer.registered
               - null
               + customer_id: 1
               + email: "1@example.com"
            2  erasure.requested
            3  customer.erased

        fix
          ask the log, by a `FoldQuery` or a fold of the recording command, whether the work was done and recorded before
          or, if it is meant, `.without(check::CRASH_SWEEP, "why")`
    "#]],
    );
}

fn shred_in_a_command(input: Erasure, context: CommandContext) -> anyhow::Result<ExecuteOutput> {
    crypto::shred("customer_id", input.customer_id)?;
    Command::new(input, context).execute(|_, ()| Ok(emit![]))
}

#[test]
fn only_effects_shred() {
    let message = failure(|| {
        given_nothing()
            .when_called(|context| {
                let input = Erasure {
                    customer_id: 1,
                    keys: 0,
                };
                shred_in_a_command(input, context)
            })
            .then_nothing();
    });
    assert!(
        message.contains("a command has no data keys to delete"),
        "{message}"
    );
}
