//! Delivering events to instances of an effect.

use std::rc::Rc;

use umari::effect::{self, Effect};
use umari::host::{AsOf, Host, HttpRequest, RawEvent};

use crate::check::upcast_loss;
use crate::engine::{Engine, Role};
use crate::given::short;
use crate::projector::attempt;
use crate::report::story::cut;
use crate::report::{Report, Verdict};
use crate::world::World;

/// An effect that feeds itself is stopped here.
const EVENTS_MAX: usize = 1_000;

/// What one delivery of the events did.
#[derive(Debug, Default)]
pub(crate) struct Delivery {
    pub(crate) requests: Vec<HttpRequest>,
    /// The status of each answer; 0 where there was none.
    pub(crate) answers: Vec<u16>,
    pub(crate) emitted: Vec<RawEvent>,
    /// The scopes that were shredded.
    pub(crate) shredded: Vec<String>,
    /// The lane of each event that was handed over.
    pub(crate) lanes: Vec<(RawEvent, Option<String>)>,
    /// Where the effect stopped, and why.
    pub(crate) failure: Option<(RawEvent, String)>,
}

/// Several deliveries of the same events.
pub(crate) struct Session {
    pub(crate) world: World,
    pub(crate) deliveries: Vec<Delivery>,
    /// Why the test must fail whatever the effect made of it.
    pub(crate) violation: Option<String>,
}

/// Hands the events after `after` to `E`, `times` times, each time to a new instance.
pub(crate) fn session<E: Effect>(world: &World, after: u64, times: u32) -> Verdict<Session> {
    let engine = Engine::new(world, Role::Effect);
    let mut story = world.story.clone();
    let mut deliveries = Vec::new();
    for time in 0..times {
        if time > 0 {
            story.line("again", "the same events, to a new instance");
        }
        let delivery = deliver::<E>(&engine, world, after)?;
        for request in &delivery.requests {
            story.line("sent", &format!("{} {}", request.method, request.url));
        }
        for scope in &delivery.shredded {
            story.line("shredded", scope);
        }
        story.events("emitted", delivery.emitted.iter());
        if let Some((_, message)) = &delivery.failure {
            story.line("failed", &cut(message));
        }
        deliveries.push(delivery);
    }
    upcast_loss::check(world, &engine.losses.borrow())?;
    let violation = engine.violation.borrow().clone();
    #[cfg(feature = "component")]
    if let (None, Some(last)) = (&violation, deliveries.last()) {
        let mut told = world.clone();
        told.story = story.clone();
        crate::component::effect::<E>(&told, after, times, last)?;
    }
    let mut world = engine.world();
    world.story = story;
    Ok(Session {
        world,
        deliveries,
        violation,
    })
}

/// One delivery of the events after `after`, to a new instance.
pub(crate) fn deliver<E: Effect>(
    engine: &Rc<Engine>,
    world: &World,
    after: u64,
) -> Verdict<Delivery> {
    let guard = umari::host::install(Rc::clone(engine) as Rc<dyn Host>);
    let (sent, head) = (engine.requests.borrow().len(), engine.log.borrow().head());
    let shredded = engine.shreddings.borrow().count();
    let mut delivery = Delivery::default();
    engine.completed.set(after);
    let mut instance = start::<E>(engine, world)?;
    while let Some(event) = next::<E>(engine) {
        if delivery.lanes.len() == EVENTS_MAX {
            return Err(Box::new(
                Report::new(format!(
                    "`{}` feeds itself: {EVENTS_MAX} events, and no end",
                    short(std::any::type_name::<E>())
                ))
                .scenario(&world.story)
                .cause("its commands emit events of types that it reacts to"),
            ));
        }
        // Of an event that cannot be read `handle` says so.
        let lane = effect::partition_key(&instance, &event).unwrap_or_default();
        delivery.lanes.push((event.clone(), lane));
        engine.handling.set(Some(event.id));
        let handled = attempt(engine, || effect::handle(&mut instance, &event));
        engine.handling.set(None);
        if let Err(message) = handled {
            delivery.failure = Some((event, message));
            break;
        }
        engine.completed.set(event.position);
    }
    drop(guard);
    delivery.requests = engine.requests.borrow()[sent..].to_vec();
    delivery.answers = engine.answers.borrow()[sent..].to_vec();
    delivery.shredded = engine.shreddings.borrow().since(shredded);
    delivery.emitted = engine.log.borrow().after(head).cloned().collect();
    Ok(delivery)
}

/// The next event for `E` after those that it has completed.
fn next<E: Effect>(engine: &Engine) -> Option<RawEvent> {
    let log = engine.log.borrow();
    let events = log.read(&effect::query::<E>(), AsOf::Position(log.head()));
    events
        .into_iter()
        .find(|event| event.position > engine.completed.get())
}

fn start<E: Effect>(engine: &Rc<Engine>, world: &World) -> Verdict<E> {
    let mut made = None;
    let result = attempt(engine, || {
        made = Some(E::init()?);
        Ok(())
    });
    match (result, made) {
        (Ok(()), Some(effect)) => Ok(effect),
        (result, _) => Err(Box::new(
            Report::new(format!(
                "`{}::init` failed",
                short(std::any::type_name::<E>())
            ))
            .scenario(&world.story)
            .cause(result.err().unwrap_or_default())
            .fix("a missing variable is given with `.env(\"NAME\", \"value\")`"),
        )),
    }
}
