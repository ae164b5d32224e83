//! Effects: asking too late, recording too early, and taking no for an answer.

use umari::prelude::*;
use umari_testing::prelude::*;

use super::super::support::fails;

const MAIL: &str = "https://mail.test/send";

#[derive(Debug, Clone, Event, DomainIds, Serialize, Deserialize)]
#[event_type("order.placed")]
struct OrderPlaced {
    #[domain_id]
    order_id: u64,
}

#[derive(Debug, Clone, Event, DomainIds, Serialize, Deserialize)]
#[event_type("confirmation.sent")]
struct ConfirmationSent {
    #[domain_id]
    order_id: u64,
}

fn was_sent(order_id: u64) -> anyhow::Result<bool> {
    let sent = EventCounter::<ConfirmationSent>::new().with("order_id", order_id);
    Ok(FoldQuery::new().fold(sent).run()? > 0)
}

fn send(event: &StoredEvent<OrderPlaced>) -> anyhow::Result<Response> {
    Ok(Client::new()
        .post(MAIL)
        .header("Idempotency-Key", event.id.to_string())
        .json(&json!({ "order": event.data.order_id }))
        .send()?)
}

fn record(order_id: u64) -> anyhow::Result<()> {
    #[derive(DomainIds)]
    struct Sent {
        #[domain_id]
        order_id: u64,
    }
    Command::new(Sent { order_id }, CommandContext::new())
        .fold::<EventFold<ConfirmationSent>>()
        .execute(|Sent { order_id }, sent| {
            Ok(if sent.exists() {
                emit![]
            } else {
                emit![ConfirmationSent { order_id }]
            })
        })?;
    Ok(())
}

/// Asks the log, calls, looks at the answer, records.
struct Confirm;

impl Effect for Confirm {
    type Query = SingleEvent<OrderPlaced>;

    fn init() -> anyhow::Result<Self> {
        Ok(Self)
    }

    fn handle(&mut self, event: StoredEvent<OrderPlaced>) -> anyhow::Result<()> {
        if was_sent(event.data.order_id)? {
            return Ok(());
        }
        let answer = send(&event)?;
        anyhow::ensure!(answer.status().is_success(), "refused: {}", answer.status());
        record(event.data.order_id)
    }
}

/// Asks the log only whether to record.
struct ConfirmBeforeAsking;

impl Effect for ConfirmBeforeAsking {
    type Query = SingleEvent<OrderPlaced>;

    fn init() -> anyhow::Result<Self> {
        Ok(Self)
    }

    fn handle(&mut self, event: StoredEvent<OrderPlaced>) -> anyhow::Result<()> {
        let answer = send(&event)?;
        anyhow::ensure!(answer.status().is_success(), "refused: {}", answer.status());
        if was_sent(event.data.order_id)? {
            return Ok(());
        }
        record(event.data.order_id)
    }
}

/// Records first, so that nothing is sent twice.
struct RecordBeforeConfirming;

impl Effect for RecordBeforeConfirming {
    type Query = SingleEvent<OrderPlaced>;

    fn init() -> anyhow::Result<Self> {
        Ok(Self)
    }

    fn handle(&mut self, event: StoredEvent<OrderPlaced>) -> anyhow::Result<()> {
        if was_sent(event.data.order_id)? {
            return Ok(());
        }
        record(event.data.order_id)?;
        let answer = send(&event)?;
        anyhow::ensure!(answer.status().is_success(), "refused: {}", answer.status());
        Ok(())
    }
}

/// Gives up, so that one bad address does not stop the others.
struct ConfirmOrGiveUp;

impl Effect for ConfirmOrGiveUp {
    type Query = SingleEvent<OrderPlaced>;

    fn init() -> anyhow::Result<Self> {
        Ok(Self)
    }

    fn handle(&mut self, event: StoredEvent<OrderPlaced>) -> anyhow::Result<()> {
        if was_sent(event.data.order_id)? {
            return Ok(());
        }
        if send(&event)?.status().is_success() {
            record(event.data.order_id)?;
        }
        Ok(())
    }
}

/// Does not look at the answer at all.
struct ConfirmBlindly;

impl Effect for ConfirmBlindly {
    type Query = SingleEvent<OrderPlaced>;

    fn init() -> anyhow::Result<Self> {
        Ok(Self)
    }

    fn handle(&mut self, event: StoredEvent<OrderPlaced>) -> anyhow::Result<()> {
        if was_sent(event.data.order_id)? {
            return Ok(());
        }
        send(&event)?;
        record(event.data.order_id)
    }
}

fn placed() -> EffectGiven {
    given_nothing()
        .with_http(|http| http.post(MAIL).reply(202))
        .when_event(OrderPlaced { order_id: 1 })
}

/// The scenario that everybody writes.
fn confirms<E: Effect>() -> EffectOutcome {
    placed()
        .run::<E>()
        .then_requests([Request::post(MAIL).json(json!({ "order": 1 }))])
        .then(events![ConfirmationSent { order_id: 1 }])
}

#[test]
fn a_request_is_sent_before_the_log_is_asked() {
    fails(
        confirms::<ConfirmBeforeAsking>,
        expect![[r#"
            `ConfirmBeforeAsking` repeats `POST https://mail.test/send`, which the log says is done, when it is killed right after a commit, and redelivered

            scenario
              event  1  order.placed  order_id:1
              run    ConfirmBeforeAsking

            cause
              the request is sent before the log is asked whether it was sent before

            fix
              ask the log first, by a `FoldQuery` at the top of `handle`, then call, then record; or, if the target drops duplicates by itself, `.tolerates_repeats("why")`
        "#]],
    );
    confirms::<Confirm>().redelivered().then_no_requests();
}

#[test]
fn a_request_is_recorded_before_it_is_sent() {
    fails(
        confirms::<RecordBeforeConfirming>,
        expect![[r#"
            `RecordBeforeConfirming` never sends `POST https://mail.test/send` when it is killed right after a commit, and redelivered

            scenario
              event  1  order.placed  order_id:1
              run    RecordBeforeConfirming

            cause
              the request is recorded as done before it is done: the next delivery finds the record, and leaves the request out

            fix
              record that the work is done after it is done: ask the log, then call, then record
              or, if it is meant, `.without(check::CRASH_SWEEP, "why")`
        "#]],
    );
    confirms::<Confirm>();
}

#[test]
fn a_refusal_is_swallowed() {
    fails(
        confirms::<ConfirmOrGiveUp>,
        expect![[r#"
            `ConfirmOrGiveUp` forgets `POST https://mail.test/send` when it is answered with 500

            scenario
              event  1  order.placed  order_id:1
              run    ConfirmOrGiveUp

            log (- undisturbed, + answered with 500)
                1  order.placed
              - 2  confirmation.sent
                   - order_id: 1

            cause
              `POST https://mail.test/send` was answered with 500, and `handle` returned `Ok`: the host takes the event for handled, and never delivers it again

            fix
              return an error, `anyhow::ensure!(answer.status().is_success(), "refused: {}", answer.status())`, and the host delivers the event again; or record that it failed
              or, if it is meant, `.without(check::SERVER_ERROR, "why")`
        "#]],
    );
    fails(
        confirms::<ConfirmBlindly>,
        expect![[r#"
            `ConfirmBlindly` records `POST https://mail.test/send` as done when it is answered with 500

            scenario
              event  1  order.placed  order_id:1
              run    ConfirmBlindly

            cause
              `POST https://mail.test/send` was answered with 500, and `handle` returned `Ok`: the host takes the event for handled, and never delivers it again

            fix
              return an error, `anyhow::ensure!(answer.status().is_success(), "refused: {}", answer.status())`, and the host delivers the event again; or record that it failed
              or, if it is meant, `.without(check::SERVER_ERROR, "why")`
        "#]],
    );
    confirms::<Confirm>();
}

#[test]
fn a_refusal_that_the_test_scripts_is_swallowed() {
    fn recovers<E: Effect>() -> EffectOutcome {
        given_nothing()
            .with_http(|http| http.post(MAIL).reply(500).reply(202))
            .when_event(OrderPlaced { order_id: 1 })
            .run::<E>()
            .then_failed("refused: 500")
            .retried_after_error()
            .then(events![ConfirmationSent { order_id: 1 }])
    }
    fails(
        recovers::<ConfirmOrGiveUp>,
        expect![[r#"
            the effect was expected to fail with "refused: 500", but succeeded

            scenario
              event  1  order.placed  order_id:1
              run    ConfirmOrGiveUp
              sent   POST https://mail.test/send

            cause
              `POST https://mail.test/send` was answered with 500, and `handle` returned `Ok`: the host takes the event for handled, and never delivers it again

            fix
              return an error, `anyhow::ensure!(answer.status().is_success(), "refused: {}", answer.status())`, and the host delivers the event again; or record that it failed
        "#]],
    );
    recovers::<Confirm>();
}
