//! One execution of a call on an engine of its own.

use std::fmt;
use std::rc::Rc;

use umari::command::{CommandContext, ExecuteError, ExecuteOutput};
use umari::host::{Host, RawEvent};

use super::Call;
use crate::check::upcast_loss::Loss;
use crate::engine::transaction::Trace;
use crate::engine::{Engine, Role};
use crate::panics;
use crate::report::Shown;
use crate::world::World;

/// How a call ended.
#[derive(Debug)]
pub(crate) enum Ended {
    Done(ExecuteOutput),
    Failed(Failure),
    Panicked(String),
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Done(_) => f.write_str("success"),
            // The SDK's own text may begin with the class.
            Self::Failed(failure) if failure.message.starts_with(failure.class.word()) => {
                f.write_str(&failure.message)
            }
            Self::Failed(failure) => write!(f, "{}: {}", failure.class.word(), failure.message),
            Self::Panicked(message) => write!(f, "panicked: {message}"),
        }
    }
}

impl Ended {
    /// What happened, after "the command".
    pub(crate) fn verb(&self) -> &'static str {
        match self {
            Self::Done(_) => "succeeded",
            Self::Panicked(_) => "panicked",
            Self::Failed(failure) => match failure.class {
                Class::Invalid => "found its input invalid",
                Class::Rejected => "was rejected",
                Class::Conflict => "met a conflict",
                Class::Failed => "failed",
            },
        }
    }
}

/// A call's error, in the class that the wire gives it.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) class: Class,
    pub(crate) message: String,
    /// The fields to blame, where the input is invalid.
    pub(crate) fields: Vec<String>,
    pub(crate) error: anyhow::Error,
}

/// What an error means to the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    Invalid,
    Rejected,
    Conflict,
    Failed,
}

impl Class {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Invalid => "invalid",
            Self::Rejected => "rejected",
            Self::Conflict => "conflict",
            Self::Failed => "failed",
        }
    }
}

/// One execution: the world before and after it, and what it asked of its host.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) ended: Ended,
    pub(crate) before: World,
    pub(crate) after: World,
    pub(crate) traces: Vec<Trace>,
    /// What its upcasts lost.
    pub(crate) losses: Vec<Rc<Loss>>,
    /// Whether it asked the SDK for the time.
    pub(crate) asked_time: bool,
    /// Name and path of the exported command that was entered first.
    #[cfg(feature = "component")]
    pub(crate) exported: Option<(&'static str, &'static str)>,
}

impl Run {
    /// The events that this run appended.
    pub(crate) fn emitted(&self) -> impl Iterator<Item = &RawEvent> + Clone {
        self.after.log.after(self.before.log.head())
    }

    pub(crate) fn shown(&self) -> Vec<Shown> {
        self.emitted().map(Shown::from).collect()
    }
}

/// Executes a call on a copy of `world`.
pub(crate) fn execute(world: &World, call: &Call, context: &CommandContext) -> Run {
    execute_on(&Engine::new(world, Role::Command), world, call, context)
}

/// Executes a call on an engine that was prepared for it.
pub(crate) fn execute_on(
    engine: &Rc<Engine>,
    world: &World,
    call: &Call,
    context: &CommandContext,
) -> Run {
    let guard = umari::host::install(Rc::clone(engine) as Rc<dyn Host>);
    let result = panics::catch(|| call.make(context.clone()));
    drop(guard);
    let ended = match result {
        Ok(Ok(output)) => Ended::Done(output),
        Ok(Err(error)) => Ended::Failed(classify(error)),
        Err(message) => Ended::Panicked(message),
    };
    let traces = engine.traces.borrow().clone();
    Run {
        ended,
        before: world.clone(),
        after: engine.world(),
        traces,
        losses: engine.losses.take(),
        asked_time: engine.asked_time.get(),
        #[cfg(feature = "component")]
        exported: engine.entered.get(),
    }
}

/// Sorts an error as the wire does.
fn classify(error: anyhow::Error) -> Failure {
    let told = ExecuteError::classify(&error);
    let message = told.to_string();
    let (class, fields) = match told {
        ExecuteError::Invalid(invalid) => (
            Class::Invalid,
            invalid
                .violations
                .into_iter()
                .map(|violation| violation.field)
                .collect(),
        ),
        ExecuteError::Rejected(_) => (Class::Rejected, Vec::new()),
        ExecuteError::Conflict(_) => (Class::Conflict, Vec::new()),
        _ => (Class::Failed, Vec::new()),
    };
    Failure {
        class,
        message,
        fields,
        error,
    }
}
