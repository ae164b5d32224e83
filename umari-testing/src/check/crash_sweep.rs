//! Check 5: an effect that is killed at any point, and redelivered, does what it does undisturbed.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use umari::effect::Effect;
use umari::host::HttpRequest;

use super::CRASH_SWEEP;
use crate::effect::{deliver, header};
use crate::engine::sweep::{HostCall, Killed};
use crate::engine::{Engine, Role};
use crate::given::short;
use crate::report::{Report, Shown, Verdict, diff};
use crate::world::World;

/// Crash points beyond this one are not tried: a scenario with so many tests a loop.
const POINTS_MAX: u32 = 256;

/// What a run left behind.
struct Trail {
    events: Vec<Shown>,
    requests: Vec<HttpRequest>,
}

impl Trail {
    fn of(engine: &Engine) -> Self {
        Self {
            events: engine.log.borrow().events().map(Shown::from).collect(),
            requests: engine.requests.borrow().clone(),
        }
    }
}

/// Kills the effect before and after each host call.
pub(crate) fn check<E: Effect>(world: &World, after: u64) -> Verdict {
    let engine = Engine::new(world, Role::Effect);
    deliver::<E>(&engine, world, after)?;
    let undisturbed = Trail::of(&engine);
    for point in 0..engine.crash_points.passed().min(POINTS_MAX) {
        sweep_one::<E>(world, after, point, &undisturbed)?;
    }
    Ok(())
}

fn sweep_one<E: Effect>(world: &World, after: u64, point: u32, undisturbed: &Trail) -> Verdict {
    let engine = Engine::new(world, Role::Effect);
    engine.crash_points.kill_at(point);
    let killed = catch_unwind(AssertUnwindSafe(|| deliver::<E>(&engine, world, after)));
    let killed = match killed {
        Err(payload) => match payload.downcast::<Killed>() {
            Ok(killed) => *killed,
            Err(payload) => resume_unwind(payload),
        },
        // Fewer host calls than undisturbed: this point does not exist here.
        Ok(_) => return Ok(()),
    };
    engine.crash_points.disarm();
    let last = engine.requests.borrow().last().map(line);
    let words = match (killed.after, last) {
        (true, Some(request)) if killed.call == HostCall::Send => {
            format!("killed right after `{request}` was sent, and redelivered")
        }
        (true, _) => format!("killed right after a {}, and redelivered", killed.call),
        (false, _) => format!("killed right before a {}, and redelivered", killed.call),
    };
    let completed = engine.completed.get();
    let delivery = deliver::<E>(&engine, world, completed)?;
    let name = short(std::any::type_name::<E>());
    if let Some((_, message)) = delivery.failure {
        return Err(Box::new(
            Report::new(format!("`{name}` fails when it is {words}"))
                .scenario(&world.story)
                .cause(message)
                .fix(waive()),
        ));
    }
    compare::<E>(world, &words, undisturbed, &Trail::of(&engine))
}

fn compare<E: Effect>(world: &World, words: &str, expected: &Trail, actual: &Trail) -> Verdict {
    let name = short(std::any::type_name::<E>());
    if let Some(difference) = diff::events(&expected.events, &actual.events) {
        return Err(Box::new(
            Report::new(format!("`{name}` leaves other events when it is {words}"))
                .scenario(&world.story)
                .section("log (- undisturbed, + killed and redelivered)", difference)
                .fix(format!(
                    "ask the log, by a `FoldQuery` or a fold of the recording command, whether \
                     the work was done and recorded before\n{}",
                    waive()
                )),
        ));
    }
    let mut unmatched: Vec<&HttpRequest> = expected.requests.iter().collect();
    for request in &actual.requests {
        match unmatched.iter().position(|known| same(known, request)) {
            Some(index) => drop(unmatched.remove(index)),
            None if harmless(request, expected) || world.repeats.is_some() => {}
            None => return Err(Box::new(repeated(world, &name, words, request))),
        }
    }
    match unmatched.first() {
        None => Ok(()),
        Some(lost) => Err(Box::new(
            Report::new(format!(
                "`{name}` never sends `{}` when it is {words}",
                line(lost)
            ))
            .scenario(&world.story)
            .fix(format!(
                "record that the work is done after it is done\n{}",
                waive()
            )),
        )),
    }
}

fn repeated(world: &World, name: &str, words: &str, request: &HttpRequest) -> Report {
    Report::new(format!(
        "`{name}` repeats `{}` when it is {words}",
        line(request)
    ))
    .scenario(&world.story)
    .cause(
        "between a request and the event that records it a crash can always happen, and \
             nobody can tell the target that this is the same request",
    )
    .fix(
        "send an `Idempotency-Key` header that depends on the event alone, such as its id; \
             or, if the target drops duplicates by itself, `.tolerates_repeats(\"why\")`",
    )
}

/// A repetition does no harm where HTTP says so, or where the target can recognise it.
fn harmless(request: &HttpRequest, expected: &Trail) -> bool {
    let idempotent = ["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"];
    if idempotent
        .iter()
        .any(|method| request.method.eq_ignore_ascii_case(method))
    {
        return true;
    }
    let key = header(request, "idempotency-key");
    key.is_some()
        && expected
            .requests
            .iter()
            .any(|known| header(known, "idempotency-key") == key && same(known, request))
}

fn same(one: &HttpRequest, other: &HttpRequest) -> bool {
    one.method == other.method && one.url == other.url && one.body == other.body
}

fn line(request: &HttpRequest) -> String {
    format!("{} {}", request.method, request.url)
}

fn waive() -> String {
    format!("or, if it is meant, `.without(check::{CRASH_SWEEP}, \"why\")`")
}
