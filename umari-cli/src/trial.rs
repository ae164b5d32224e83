//! Components in a test: the other half of `umari-testing`'s feature `component`.
//!
//! A test process starts this one, sends it scenarios and compares. So no test links a WebAssembly
//! runtime, and what runs here is the host that `umari serve` starts. See [`wire`] for what the two
//! say to each other.

mod convert;
mod outgoing;
mod wire;

use std::collections::HashMap;
use std::io::{BufRead as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use host_minimal::Settings;
use host_minimal::commands::Call;
use host_minimal::modules::{LoadError, ModuleKind, ModuleName, ModuleSettings};
use host_minimal::trial::{Candidate, Trials};

use self::outgoing::Asking;
use self::wire::{Component, Done, Hello, Line, Request, Run};
use crate::output::fault::Fault;

/// Names the file that gets a line for each scenario, for the summary of `umari test`.
pub(crate) const TALLY: &str = "UMARI_TRIAL_TALLY";

/// `umari __trial`: answers until stdin ends.
pub(crate) fn run(cache: &Path) -> anyhow::Result<()> {
    let mut stage = Stage {
        trials: Trials::open(cache)?,
        loaded: HashMap::new(),
    };
    say(&Hello {
        speaks: wire::VERSION,
        umari: env!("CARGO_PKG_VERSION"),
    })?;
    loop {
        let line = hear()?;
        if line.is_empty() {
            return Ok(());
        }
        let request: Request = serde_json::from_str(&line)?;
        let kind = kind(&request.run);
        let answer = stage.answer(request);
        // Counted first: with the answer the test may end, and `umari test` reads the tally.
        if matches!(answer, Line::Done(_)) {
            tally(kind);
        }
        say(&answer)?;
    }
}

struct Stage {
    trials: Trials,
    loaded: HashMap<Loaded, Candidate>,
}

/// One content of one file, as one module.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Loaded {
    path: PathBuf,
    modified: SystemTime,
    kind: &'static str,
    name: String,
    settings: String,
}

/// Why a component did not run.
enum Refusal {
    Absent(String),
    Refused(String),
}

impl Refusal {
    fn because(error: &dyn std::error::Error) -> Self {
        let mut text = error.to_string();
        let mut source = error.source();
        while let Some(cause) = source {
            text = format!("{text}: {cause}");
            source = cause.source();
        }
        Self::Refused(text)
    }
}

impl Stage {
    fn answer(&mut self, request: Request) -> Line {
        match self.try_answer(request) {
            Ok(done) => Line::Done(done),
            Err(Refusal::Absent(exports)) => Line::Absent(exports),
            Err(Refusal::Refused(why)) => Line::Refused(why),
        }
    }

    fn try_answer(&mut self, request: Request) -> Result<Done, Refusal> {
        let candidate = self.load(&request.component, kind(&request.run))?;
        let world = convert::world(request.world).map_err(Refusal::Refused)?;
        match request.run {
            Run::Command {
                input,
                correlation_id,
                causation_id,
                triggering_event_id,
                idempotency_key,
            } => {
                let call = Call {
                    correlation_id: Some(correlation_id),
                    causation_id: Some(causation_id),
                    triggering_event_id,
                    idempotency_key,
                };
                let trial = self.trials.execute(&candidate, world, &input, &call);
                let trial = trial.map_err(|error| Refusal::because(&error))?;
                Ok(convert::command(trial))
            }
            Run::Projector => {
                let trial = self.trials.project(&candidate, world);
                let trial = trial.map_err(|error| Refusal::because(&error))?;
                Ok(convert::projector(trial))
            }
            Run::Effect { after, times } => {
                let asking = Arc::new(Asking::default());
                let outgoing = Arc::clone(&asking) as _;
                let effect = self.trials.effect(&candidate, world, outgoing);
                let effect = effect.map_err(|error| Refusal::because(&error))?;
                for _ in 1..times {
                    effect.deliver(after);
                }
                let before = asking.asked();
                Ok(convert::effect(effect.deliver(after), before))
            }
        }
    }

    fn load(&mut self, component: &Component, kind: ModuleKind) -> Result<Candidate, Refusal> {
        let Component {
            path,
            name,
            settings,
        } = component;
        let unreadable = |error: std::io::Error| {
            Refusal::Refused(format!("{} cannot be read: {error}", path.display()))
        };
        let modified = std::fs::metadata(path)
            .and_then(|metadata| metadata.modified())
            .map_err(unreadable)?;
        let key = Loaded {
            path: path.clone(),
            modified,
            kind: kind.as_str(),
            name: name.clone().unwrap_or_default(),
            settings: settings.to_string(),
        };
        if let Some(known) = self.loaded.get(&key) {
            return Ok(known.clone());
        }
        let wasm = std::fs::read(path).map_err(unreadable)?;
        // Events name their author: a projector or an effect is called what its package is.
        let name = name.clone().unwrap_or_else(|| package(path));
        let name: ModuleName = name.parse().map_err(|error| Refusal::because(&error))?;
        let settings = ModuleSettings::from_json(&settings.to_string())
            .and_then(|settings| {
                settings
                    .check(kind, &Settings::default())
                    .map(|()| settings)
            })
            .map_err(|error| {
                Refusal::Refused(format!("the umari metadata in its Cargo.toml: {error}"))
            })?;
        let loaded = self
            .trials
            .load(&wasm, kind, &name, settings)
            .map_err(|error| {
                use host_minimal::engine::inspect::InspectError;
                match error {
                    LoadError::Inspect(InspectError::OtherExport { exports, .. }) => {
                        Refusal::Absent(exports)
                    }
                    error => Refusal::because(&error),
                }
            })?;
        self.loaded.insert(key, loaded.clone());
        Ok(loaded)
    }
}

fn kind(run: &Run) -> ModuleKind {
    match run {
        Run::Command { .. } => ModuleKind::Command,
        Run::Projector => ModuleKind::Projector,
        Run::Effect { .. } => ModuleKind::Effect,
    }
}

/// The package that a component was built from, as far as its file's name says.
fn package(path: &Path) -> String {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    stem.replace('_', "-")
}

/// The next line; empty at the end.
fn hear() -> anyhow::Result<String> {
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line)?;
    Ok(line)
}

fn say(line: &impl serde::Serialize) -> anyhow::Result<()> {
    let mut text = serde_json::to_vec(line)?;
    text.push(b'\n');
    let mut stdout = std::io::stdout().lock();
    stdout.write_all(&text)?;
    stdout.flush()?;
    Ok(())
}

/// Counts a scenario for `umari test`, if it is that which runs.
fn tally(kind: ModuleKind) {
    let Some(path) = std::env::var_os(TALLY) else {
        return;
    };
    // A short line is appended whole, whoever else appends. A lost one costs the summary a number.
    let file = std::fs::OpenOptions::new().append(true).open(path);
    if let Ok(mut file) = file {
        let _ = file.write_all(format!("{kind}\n").as_bytes());
    }
}

/// How many scenarios of each kind a tally counts: commands, projectors, effects.
pub(crate) fn counted(path: &Path) -> Result<[usize; 3], Fault> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| Fault::new("the scenarios cannot be counted").why(error.to_string()))?;
    Ok(ModuleKind::ALL.map(|kind| text.lines().filter(|line| *line == kind.as_str()).count()))
}
