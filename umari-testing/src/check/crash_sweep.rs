//! Check 5: an effect that is killed at any point, and redelivered, does what it does undisturbed.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use umari::effect::Effect;
use umari::host::HttpRequest;

use super::{CRASH_SWEEP, Check};
use crate::effect::{deliver, header};
use crate::engine::sweep::{HostCall, Killed};
use crate::engine::{Engine, Role};
use crate::given::short;
use crate::report::{Report, Shown, Verdict, diff};
use crate::world::World;

/// Crash points beyond this one are not tried: a scenario with so many tests a loop.
const POINTS_MAX: u32 = 256;

/// What a run left behind.
pub(crate) struct Trail {
    pub(crate) events: Vec<Shown>,
    pub(crate) requests: Vec<HttpRequest>,
}

impl Trail {
    pub(crate) fn of(engine: &Engine) -> Self {
        Self {
            events: engine.log.borrow().events().map(Shown::from).collect(),
            requests: engine.requests.borrow().clone(),
        }
    }
}

/// What a sweep finds at one of its points.
enum Fault {
    /// A request is repeated that its target cannot recognise. Where another point shows that the
    /// repetition was needless, that says more.
    Unrecognised(Box<Report>),
    Other(Box<Report>),
}

impl From<Box<Report>> for Fault {
    fn from(report: Box<Report>) -> Self {
        Self::Other(report)
    }
}

/// Kills the effect before and after each host call.
pub(crate) fn check<E: Effect>(world: &World, after: u64) -> Verdict {
    let engine = Engine::new(world, Role::Effect);
    deliver::<E>(&engine, world, after)?;
    // A scenario about a target that fails scripts what it says next, and a repetition would hear it.
    let failed = |status: &u16| *status == 0 || *status >= 500;
    if engine.answers.borrow().iter().any(failed) {
        return Ok(());
    }
    let undisturbed = Trail::of(&engine);
    let mut unrecognised = None;
    for point in 0..engine.crash_points.passed().min(POINTS_MAX) {
        match sweep_one::<E>(world, after, point, &undisturbed) {
            Ok(()) => {}
            Err(Fault::Other(report)) => return Err(report),
            Err(Fault::Unrecognised(report)) => drop(unrecognised.get_or_insert(report)),
        }
    }
    unrecognised.map_or(Ok(()), Err)
}

fn sweep_one<E: Effect>(
    world: &World,
    after: u64,
    point: u32,
    undisturbed: &Trail,
) -> Result<(), Fault> {
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
            format!("it is killed right after `{request}` was sent, and redelivered")
        }
        (true, _) => format!(
            "it is killed right after a {}, and redelivered",
            killed.call
        ),
        (false, _) => format!(
            "it is killed right before a {}, and redelivered",
            killed.call
        ),
    };
    let first = Trail::of(&engine);
    let completed = engine.completed.get();
    let delivery = deliver::<E>(&engine, world, completed)?;
    let name = short(std::any::type_name::<E>());
    if let Some((_, message)) = delivery.failure {
        return Err(Fault::Other(Box::new(
            Report::new(format!("`{name}` fails when {words}"))
                .scenario(&world.story)
                .cause(message)
                .fix(format!("{GO_ON}\n{}", waive(CRASH_SWEEP))),
        )));
    }
    let actual = Trail::of(&engine);
    let mut unmatched = compare(world, CRASH_SWEEP, &name, &words, undisturbed, &actual)?;
    // Where the last record was written, whatever is repeated was known to be done.
    let recorded = killed.after
        && killed.call == HostCall::Commit
        && first.events == undisturbed.events
        && world.repeats.is_none();
    let needless = unmatched.iter().find(|request| !is_idempotent(request));
    if let (true, Some(request)) = (recorded, needless) {
        let report = asked_late(world, &name, &words, request);
        return Err(Fault::Other(Box::new(report)));
    }
    unmatched.retain(|request| !harmless(request, undisturbed) && world.repeats.is_none());
    match unmatched.first() {
        None => Ok(()),
        Some(request) => Err(Fault::Unrecognised(Box::new(repeated(
            world, &name, &words, request,
        )))),
    }
}

/// Compares the log, and finds requests that are lost; returns those that are sent beyond `expected`.
pub(crate) fn compare<'a>(
    world: &World,
    check: Check,
    name: &str,
    words: &str,
    expected: &Trail,
    actual: &'a Trail,
) -> Verdict<Vec<&'a HttpRequest>> {
    if let Some(difference) = diff::events(&expected.events, &actual.events) {
        return Err(Box::new(
            Report::new(format!("`{name}` leaves other events when {words}"))
                .scenario(&world.story)
                .section("log (- undisturbed, + disturbed)", difference)
                .fix(format!(
                    "ask the log, by a `FoldQuery` or a fold of the recording command, whether \
                     the work was done and recorded before\n{}",
                    waive(check)
                )),
        ));
    }
    let mut lost: Vec<&HttpRequest> = expected.requests.iter().collect();
    let mut beyond = Vec::new();
    for request in &actual.requests {
        match lost.iter().position(|known| same(known, request)) {
            Some(index) => drop(lost.remove(index)),
            None => beyond.push(request),
        }
    }
    match lost.first() {
        None => Ok(beyond),
        Some(lost) => Err(Box::new(
            Report::new(format!(
                "`{name}` never sends `{}` when {words}",
                line(lost)
            ))
            .scenario(&world.story)
            .cause(
                "the request is recorded as done before it is done: the next delivery finds the \
                 record, and leaves the request out",
            )
            .fix(format!(
                "record that the work is done after it is done: ask the log, then call, then \
                 record\n{}",
                waive(check)
            )),
        )),
    }
}

fn asked_late(world: &World, name: &str, words: &str, request: &HttpRequest) -> Report {
    Report::new(format!(
        "`{name}` repeats `{}`, which the log says is done, when {words}",
        line(request)
    ))
    .scenario(&world.story)
    .cause("the request is sent before the log is asked whether it was sent before")
    .fix(
        "ask the log first, by a `FoldQuery` at the top of `handle`, then call, then record; or, if \
         the target drops duplicates by itself, `.tolerates_repeats(\"why\")`",
    )
}

fn repeated(world: &World, name: &str, words: &str, request: &HttpRequest) -> Report {
    Report::new(format!("`{name}` repeats `{}` when {words}", line(request)))
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

/// Whether HTTP says that a repetition does no harm.
fn is_idempotent(request: &HttpRequest) -> bool {
    let idempotent = ["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"];
    idempotent
        .iter()
        .any(|method| request.method.eq_ignore_ascii_case(method))
}

/// A repetition does no harm where HTTP says so, or where the target can recognise it.
fn harmless(request: &HttpRequest, expected: &Trail) -> bool {
    if is_idempotent(request) {
        return true;
    }
    let key = header(request, "idempotency-key");
    key.is_some()
        && expected
            .requests
            .iter()
            .any(|known| header(known, "idempotency-key") == key && same(known, request))
}

pub(crate) fn same(one: &HttpRequest, other: &HttpRequest) -> bool {
    one.method == other.method && one.url == other.url && one.body == other.body
}

pub(crate) fn line(request: &HttpRequest) -> String {
    format!("{} {}", request.method, request.url)
}

/// What else there is to do, whatever the fix.
pub(crate) fn waive(check: Check) -> String {
    format!("or, if it is meant, `.without(check::{check}, \"why\")`")
}

/// What to do about a delivery that cannot succeed any more.
pub(crate) const GO_ON: &str = "let a delivery go on from whatever an earlier one has left behind: what is recorded is no \
                                error";
