//! The same scenario on the built component, in the real host, and what differs.
//!
//! The host is another process, the command `umari`: no test links a WebAssembly runtime. It gets the
//! scenario's history with its envelopes, clock, variables and scripted HTTP target, runs the component
//! once, and says what it did. What is compared, and what is not, stands at
//! [`COMPONENT`](crate::check::COMPONENT).

use umari::command::CommandContext;
use umari::effect::Effect;
use umari::projector::Projector;

mod artifact;
mod command;
mod effect;
mod projector;
mod runner;
mod wire;

use self::artifact::Artifact;
use self::runner::Answered;
use self::wire::{Answer, Component, Done, HttpRequest, Request, Run};
use crate::check::COMPONENT;
use crate::command::{Call, Run as NativeRun};
use crate::effect::Delivery;
use crate::given::short;
use crate::projector::Run as NativeProjection;
use crate::report::{Report, Verdict};
use crate::world::World;

/// Compares a call of an exported command with a call of its component.
pub(crate) fn command(run: &NativeRun, call: &Call, context: &CommandContext) -> Verdict {
    // Another function than the exported one takes another input, and is in no component.
    let Some((name, _)) = run.exported.filter(|(_, path)| *path == call.path()) else {
        return Ok(());
    };
    if !run.before.waivers.runs(COMPONENT) {
        return Ok(());
    }
    let wanted = Run::Command {
        input: call.input(),
        correlation_id: context.correlation_id,
        causation_id: context.causation_id,
        triggering_event_id: context.triggering_event_id,
        idempotency_key: context.idempotency_key,
    };
    let silent = &mut |_: HttpRequest| unanswered();
    let Some((artifact, done)) = try_out(call.path(), Some(name), &run.before, wanted, silent)?
    else {
        return Ok(());
    };
    let sections = match done {
        Done::Command {
            ended,
            emitted,
            queries,
        } => command::differences(run, &ended, &emitted, &queries),
        _ => unexpected(),
    };
    told(call.name(), run.after.story.render(), &artifact, sections)
}

/// Compares a projector's run with its component's.
pub(crate) fn projector<P: Projector>(world: &World, run: &NativeProjection) -> Verdict {
    let path = std::any::type_name::<P>();
    if !world.waivers.runs(COMPONENT) {
        return Ok(());
    }
    let silent = &mut |_: HttpRequest| unanswered();
    let Some((artifact, done)) = try_out(path, None, world, Run::Projector, silent)? else {
        return Ok(());
    };
    let sections = match done {
        Done::Projector { failure, tables } => {
            projector::differences(world, run, failure.as_ref(), tables)
        }
        _ => unexpected(),
    };
    told(&short(path), world.story.render(), &artifact, sections)
}

/// Compares the last of `times` deliveries to an effect with the same to its component.
pub(crate) fn effect<E: Effect>(world: &World, after: u64, times: u32, last: &Delivery) -> Verdict {
    let path = std::any::type_name::<E>();
    if !world.waivers.runs(COMPONENT) {
        return Ok(());
    }
    // Its own place in every script.
    let http = world.http.clone();
    let mut sent = Vec::new();
    let answer = &mut |request: HttpRequest| effect::answer(&http, &mut sent, request);
    let wanted = Run::Effect { after, times };
    let Some((artifact, done)) = try_out(path, None, world, wanted, answer)? else {
        return Ok(());
    };
    let sections = match done {
        Done::Effect {
            lanes,
            emitted,
            shredded,
            failure,
            requests_before,
        } => {
            let sent = sent.split_off(requests_before.min(sent.len()));
            let mut sections = effect::differences(last, &sent, &emitted, &lanes, failure.as_ref());
            sections.extend(effect::shredded_differently(last, &shredded));
            sections
        }
        _ => unexpected(),
    };
    told(&short(path), world.story.render(), &artifact, sections)
}

/// A titled difference.
type Section = (&'static str, String);

/// Runs the component of the crate that `path` begins with. `None` where there is nothing to run.
fn try_out(
    path: &str,
    name: Option<&str>,
    world: &World,
    run: Run<'_>,
    answer: &mut dyn FnMut(HttpRequest) -> Answer,
) -> Verdict<Option<(Artifact, Done)>> {
    let crate_name = path.split("::").next().unwrap_or_default();
    let Some(artifact) = artifact::of(crate_name)? else {
        return Ok(None);
    };
    let request = Request {
        component: Component {
            path: &artifact.path,
            name,
            settings: &artifact.settings,
        },
        world: wire::World::of(world),
        run,
    };
    let why = match runner::ask(&artifact.cache, &request, answer)? {
        Answered::Done(done) => return Ok(Some((artifact, done))),
        // A projector beside an exported effect is a test's own; so is a type of another kind.
        Answered::Absent(_) if name.is_none() => return Ok(None),
        Answered::Absent(exports) => format!("it exports {exports}"),
        Answered::Refused(why) => why,
    };
    Err(Box::new(
        Report::new(format!("the component of `{path}` cannot be run"))
            .section("component", artifact.shown)
            .cause(why),
    ))
}

/// Fails where something differs.
fn told(name: &str, story: String, artifact: &Artifact, sections: Vec<Section>) -> Verdict {
    if sections.is_empty() {
        return Ok(());
    }
    let report = Report::new(format!("`{name}` does something else as a component"))
        .section("scenario", story);
    let report = sections
        .into_iter()
        .fold(report, |report, (title, body)| report.section(title, body));
    Err(Box::new(
        report
            .section("component", &*artifact.shown)
            .cause(
                "both are the same sources, so something depends on where they run:\n\
                 a `#[cfg(..)]`, the size of `usize`, a static, the wall clock, a random id",
            )
            .fix(
                "let it depend on input and history alone\n\
                 or, if it is meant, `.without(check::COMPONENT, \"why\")`",
            ),
    ))
}

/// The answer to a request of what has no HTTP.
fn unanswered() -> Answer {
    Answer::Fails {
        code: "denied".to_owned(),
        message: "only effects send requests".to_owned(),
    }
}

fn unexpected() -> Vec<Section> {
    vec![(
        "answer",
        "the process that runs components answered another question".to_owned(),
    )]
}
