//! Envelopes: given with events, and expected of them.

use umari::prelude::*;
use umari_testing::prelude::*;

use super::shop::*;
use super::support::fails;

const CHAIN: Uuid = Uuid::from_u128(0xc0);
const CALL: Uuid = Uuid::from_u128(0xca);
const TRIGGER: Uuid = Uuid::from_u128(0x70);
const KEY: Uuid = Uuid::from_u128(0x4e);

fn noon() -> DateTime<Utc> {
    "2026-03-01T12:00:00Z".parse().expect("a time")
}

#[test]
fn given_events_carry_what_is_said_of_them() {
    let history = given(
        events![plan(1), plan(2)]
            .correlated(CHAIN)
            .caused_by(CALL)
            .triggered_by(TRIGGER)
            .with_key(KEY)
            .at(noon())
            .with(plan(3)),
    );
    let [first, second, third] = history.history().try_into().expect("three events");
    for event in [&first, &second] {
        assert_eq!(event.correlation_id, CHAIN);
        assert_eq!(event.causation_id, CALL);
        assert_eq!(event.triggering_event_id, Some(TRIGGER));
        assert_eq!(event.idempotency_key, Some(KEY));
        assert_eq!(event.timestamp, noon());
    }
    assert_ne!(third.correlation_id, CHAIN);
    assert_ne!(third.causation_id, CALL);
    assert_eq!(third.triggering_event_id, None);
    assert_eq!(third.idempotency_key, None);
    assert_eq!(third.timestamp.to_rfc3339(), "2026-01-01T00:00:00+00:00");
}

#[test]
fn the_time_of_an_event_is_what_the_past_goes_by() {
    let history = given(events![plan(1)].at(noon())).at(noon() + Duration::from_secs(1));
    let count = || EventCounter::<PlanCreated>::new();
    let history = history.and(events![plan(2)]);
    history.as_of(noon()).then_state(count(), 1);
    history
        .as_of(noon() - Duration::from_secs(1))
        .then_state(count(), 0);
}

#[test]
fn a_key_of_the_history_is_found_in_scope() {
    given(events![connected(42), plan(1)])
        .and(events![sold(7)].with_key(KEY))
        .when_with(sell_warranty::execute, sell_warranty::input(7), |context| {
            context.with_idempotency_key(KEY)
        })
        .then_nothing();
}

#[test]
fn positions_may_have_gaps() {
    let history = given(events![connected(42)].with_gap(4))
        .and(events![plan(1), plan(2)].with_gap(10))
        .and(events![sold(7)]);
    let positions: Vec<_> = history
        .history()
        .iter()
        .map(|event| event.position)
        .collect();
    assert_eq!(positions, [5, 16, 17, 18]);
    history
        .as_of(15)
        .then_state(EventCounter::<PlanCreated>::new(), 0);
    history
        .as_of(16)
        .then_state(EventCounter::<PlanCreated>::new(), 1);
    // Appends, conflicts, projectors and effects go by positions, and not by numbers of events.
    history
        .when(sell_warranty::execute, sell_warranty::input(7))
        .then_rejected("sold before");
    let sale = history.when(sell_warranty::execute, sell_warranty::input(8));
    assert_eq!(sale.then(events![sold(8)]).receipt().position, Some(19));
    history
        .when_racing([
            (sell_warranty::execute, sell_warranty::input(8)),
            (sell_warranty::execute, sell_warranty::input(8)),
        ])
        .then_conflict()
        .then_winners(1);
    history
        .project::<Plans>()
        .then_rows("SELECT sold FROM plans ORDER BY plan_id", rows![[1], [0]]);
    history
        .env("HOOKS", HOOKS)
        .with_http(|http| http.post(HOOKS).reply(201))
        .when_events(events![connected(43)].with_gap(100))
        .run::<RegisterWebhooks>()
        .then_requests([Request::post(HOOKS), Request::post(HOOKS)])
        .redelivered()
        .then_no_requests();
}

#[test]
fn emitted_events_carry_what_is_expected() {
    let outcome = given(events![connected(42)]).at(noon()).when_with(
        create_plan::execute,
        create_plan::input(1),
        |context| {
            context
                .with_correlation_id(CHAIN)
                .with_triggering_event_id(TRIGGER)
                .with_idempotency_key(KEY)
        },
    );
    outcome.then_metadata(
        Metadata::new()
            .correlated(CHAIN)
            .triggered_by(TRIGGER)
            .with_key(KEY)
            .at(noon()),
    );
    let causation = outcome.emitted()[0].causation_id;
    outcome
        .then_metadata(Metadata::new().caused_by(causation))
        .then(events![plan(1)].correlated(CHAIN).with_key(KEY))
        .then_read(events![connected(42)].triggered_by(None));
}

#[test]
fn what_an_effect_writes_belongs_to_its_event() {
    let outcome = given_nothing()
        .env("HOOKS", HOOKS)
        .with_http(|http| http.post(HOOKS).reply(201))
        .when_events(events![connected(42)].correlated(CHAIN))
        .run::<RegisterWebhooks>();
    let trigger = outcome.history()[0].id;
    outcome.then_metadata(Metadata::new().correlated(CHAIN).triggered_by(trigger));
    fails(
        || outcome.then_metadata(Metadata::new().triggered_by(None).with_key(KEY)),
        expect![[r#"
            the events are as expected, their metadata is not

            scenario
              event    1  shop.connected      shop_id:42
              run      RegisterWebhooks
              sent     POST https://hooks.test/register
                       POST https://hooks.test/register
              emitted  2  webhook.registered  shop_id:42
                       3  webhook.registered  shop_id:42

            metadata (- expected, + emitted)
                1  webhook.registered
                   - idempotency_key: "00000000-0000-0000-0000-00000000004e"
                   + idempotency_key: null
                   - triggering_event_id: null
                   + triggering_event_id: "e0000000-0000-0000-0000-000000000001"
                2  webhook.registered
                   - idempotency_key: "00000000-0000-0000-0000-00000000004e"
                   + idempotency_key: null
                   - triggering_event_id: null
                   + triggering_event_id: "e0000000-0000-0000-0000-000000000001"
        "#]],
    );
    fails(
        || {
            outcome
                .redelivered()
                .then_metadata(Metadata::new().correlated(CHAIN))
        },
        expect![[r#"
            metadata was expected, but the effect's commands emitted nothing

            scenario
              event    1  shop.connected      shop_id:42
              run      RegisterWebhooks
              sent     POST https://hooks.test/register
                       POST https://hooks.test/register
              emitted  2  webhook.registered  shop_id:42
                       3  webhook.registered  shop_id:42
              again    the same events, to a new instance
        "#]],
    );
}

#[test]
fn other_metadata_than_expected() {
    let outcome = given(events![connected(42)]).when(create_plan::execute, create_plan::input(1));
    fails(
        || {
            outcome.then_metadata(
                Metadata::new()
                    .correlated(CHAIN)
                    .caused_by(CALL)
                    .triggered_by(TRIGGER)
                    .with_key(None)
                    .at(noon()),
            )
        },
        expect![[r#"
            the events are as expected, their metadata is not

            scenario
              given    1  shop.connected  shop_id:42
              when     create_plan::execute({"plan_id":1,"shop_id":42,"title":"Gold","months":24})
              emitted  2  plan.created    plan_id:1, shop_id:42

            metadata (- expected, + emitted)
                1  plan.created
                   - causation_id: "00000000-0000-0000-0000-0000000000ca"
                   + causation_id: "1d000000-0000-0000-0000-000000000004"
                   - correlation_id: "00000000-0000-0000-0000-0000000000c0"
                   + correlation_id: "1d000000-0000-0000-0000-000000000003"
                     idempotency_key: null
                   - timestamp: "2026-03-01T12:00:00Z"
                   + timestamp: "2026-01-01T00:00:00Z"
                   - triggering_event_id: "00000000-0000-0000-0000-000000000070"
                   + triggering_event_id: null
        "#]],
    );
    fails(
        || outcome.then(events![plan(1)].with_gap(1).with_key(KEY)),
        expect![[r#"
            the events are as expected, their metadata is not

            scenario
              given    1  shop.connected  shop_id:42
              when     create_plan::execute({"plan_id":1,"shop_id":42,"title":"Gold","months":24})
              emitted  2  plan.created    plan_id:1, shop_id:42

            metadata (- expected, + emitted)
                1  plan.created
                   - gap (only for given events): 1
                   - idempotency_key: "00000000-0000-0000-0000-00000000004e"
                   + idempotency_key: null
        "#]],
    );
    fails(
        || outcome.then_read(events![connected(42)].triggered_by(TRIGGER)),
        expect![[r#"
            the events are as expected, their metadata is not

            scenario
              given    1  shop.connected  shop_id:42
              when     create_plan::execute({"plan_id":1,"shop_id":42,"title":"Gold","months":24})
              emitted  2  plan.created    plan_id:1, shop_id:42

            metadata (- expected, + read)
                1  shop.connected
                   - triggering_event_id: "00000000-0000-0000-0000-000000000070"
                   + triggering_event_id: null
        "#]],
    );
    let refused = outcome.when(create_plan::execute, create_plan::input(1));
    fails(
        || refused.then_metadata(Metadata::new().with_key(None)),
        expect![[r#"
            metadata was expected, but the command was rejected

            scenario
              given     1  shop.connected  shop_id:42
              when      create_plan::execute({"plan_id":1,"shop_id":42,"title":"Gold","months":24})
              emitted   2  plan.created    plan_id:1, shop_id:42
              when      create_plan::execute({"plan_id":1,"shop_id":42,"title":"Gold","months":24})
              rejected  plan already exists

            cause
              rejected: plan already exists

            boundary
              A  ShopExistsFold  shop.connected {shop_id:42}
              B  PlanFold  plan.created | plan.archived #[scope(plan_id)] {plan_id:1}

                                                        A           B
              1  shop.connected  shop_id:42             read        other type
              2  plan.created    plan_id:1, shop_id:42  other type  read
        "#]],
    );
    let nothing = given_nothing()
        .when_called(|context| Command::new(Nothing {}, context).execute(|_, ()| Ok(emit![])));
    fails(
        || nothing.then_metadata(Metadata::new().with_key(None)),
        expect![[r#"
            metadata was expected, but the command emitted nothing

            scenario
              when     |context| ..()
              emitted  nothing

            boundary
              this command reads nothing: it has no fold
        "#]],
    );
}

#[derive(DomainIds)]
struct Nothing {}
