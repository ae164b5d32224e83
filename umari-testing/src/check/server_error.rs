//! A request that is answered with 500 is tried again, or its failure is recorded.

use umari::effect::Effect;
use umari::host::HttpRequest;

use super::SERVER_ERROR;
use super::crash_sweep::{GO_ON, Trail, compare, line, same, waive};
use crate::effect::deliver;
use crate::engine::{Engine, Role};
use crate::given::short;
use crate::report::{Report, Verdict, diff};
use crate::world::World;

/// Requests beyond this one are not refused: a scenario with so many tests a loop.
const REQUESTS_MAX: usize = 32;

/// Answers each request with 500, once, and lets the host do what it does about it.
pub(crate) fn check<E: Effect>(world: &World, after: u64) -> Verdict {
    let engine = Engine::new(world, Role::Effect);
    deliver::<E>(&engine, world, after)?;
    let undisturbed = Trail::of(&engine);
    let answers = engine.answers.borrow();
    let succeeded = |index: &usize| (200..300).contains(&answers[*index]);
    let mut requests = (0..answers.len()).take(REQUESTS_MAX).filter(succeeded);
    requests.try_for_each(|index| refuse_one::<E>(world, after, index, &undisturbed))
}

fn refuse_one<E: Effect>(world: &World, after: u64, index: usize, undisturbed: &Trail) -> Verdict {
    let engine = Engine::new(world, Role::Effect);
    engine.refuse.set(Some(index));
    let delivery = deliver::<E>(&engine, world, after)?;
    let refused = Trail::of(&engine);
    let Some(request) = refused.requests.get(index) else {
        return Ok(());
    };
    let name = short(std::any::type_name::<E>());
    if delivery.failure.is_none() {
        return judge(world, &name, request, &refused, undisturbed, index);
    }
    let delivery = deliver::<E>(&engine, world, engine.completed.get())?;
    let words = format!(
        "`{}` is answered with 500, and the event redelivered",
        line(request)
    );
    if let Some((_, message)) = delivery.failure {
        return Err(Box::new(
            Report::new(format!("`{name}` fails when {words}"))
                .scenario(&world.story)
                .cause(message)
                .fix(format!("{GO_ON}\n{}", waive(SERVER_ERROR))),
        ));
    }
    let mut actual = Trail::of(&engine);
    // What was refused was not done.
    actual.requests.remove(index);
    compare(world, SERVER_ERROR, &name, &words, undisturbed, &actual).map(drop)
}

/// `handle` returned `Ok` although a request was refused. That is right where it tried again by
/// itself, or wrote down what became of it.
fn judge(
    world: &World,
    name: &str,
    request: &HttpRequest,
    refused: &Trail,
    undisturbed: &Trail,
    index: usize,
) -> Verdict {
    let tried_again = refused.requests[index + 1..]
        .iter()
        .any(|later| same(later, request));
    let recorded = refused
        .events
        .iter()
        .any(|event| !undisturbed.events.contains(event));
    // Who only asked for something, and went on with everything else, knew what to do without it.
    let went_on = refused.events == undisturbed.events
        && refused.requests.len() >= undisturbed.requests.len();
    if tried_again || recorded || (is_safe(request) && went_on) {
        return Ok(());
    }
    let done = refused.events == undisturbed.events
        && refused.events.len() > usize::try_from(world.log.head()).unwrap_or(usize::MAX);
    let report = Report::new(if done {
        format!(
            "`{name}` records `{}` as done when it is answered with 500",
            line(request)
        )
    } else {
        format!(
            "`{name}` forgets `{}` when it is answered with 500",
            line(request)
        )
    })
    .scenario(&world.story)
    .section(
        "log (- undisturbed, + answered with 500)",
        diff::events(&undisturbed.events, &refused.events).unwrap_or_default(),
    );
    Err(Box::new(
        explain(report, request, 500).also("fix", waive(SERVER_ERROR)),
    ))
}

/// Whether a request only asks for something.
fn is_safe(request: &HttpRequest) -> bool {
    let safe = ["GET", "HEAD", "OPTIONS", "TRACE"];
    safe.iter()
        .any(|method| request.method.eq_ignore_ascii_case(method))
}

/// Says what became of an answer that `handle` made nothing of.
pub(crate) fn explain(report: Report, request: &HttpRequest, status: u16) -> Report {
    let answer = match status {
        0 => "got no answer".to_owned(),
        status => format!("was answered with {status}"),
    };
    report
        .cause(format!(
            "`{}` {answer}, and `handle` returned `Ok`: the host takes the event for handled, and \
             never delivers it again",
            line(request)
        ))
        .fix(
            "return an error, `anyhow::ensure!(answer.status().is_success(), \"refused: {}\", \
             answer.status())`, and the host delivers the event again; or record that it failed",
        )
}
