//! The programs that run beside the modules, such as a fake of the service that an effect calls.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::lines;
use crate::build::cargo::BuiltProgram;
use crate::build::metadata::{RunMetadata, fill};
use crate::output::{self, GOOD};
use crate::signals::own_group;

/// How long a program may take to end before it is ended. The guard's own patience is shorter.
const STOP_TIMEOUT: Duration = Duration::from_secs(5);
/// How often an ending program is looked at.
const STOP_INTERVAL: Duration = Duration::from_millis(10);

/// The programs of one session.
pub(super) struct Programs {
    /// Whether stdout is for JSON only.
    json: bool,
    running: Vec<Running>,
}

struct Running {
    name: String,
    run: RunMetadata,
    executable: PathBuf,
    guard: Child,
}

impl Programs {
    /// No program runs yet.
    pub(super) fn new(json: bool) -> Self {
        Self {
            json,
            running: Vec::new(),
        }
    }

    /// Starts what is new, restarts what was built anew or is described anew, and stops what is no
    /// longer wanted.
    pub(super) fn update(
        &mut self,
        wanted: &[BuiltProgram],
        dir: &Path,
        fillings: &[(&str, &str)],
    ) {
        let stays = |running: &Running| {
            let same = |built: &&BuiltProgram| {
                built.program.run == running.run && built.executable == running.executable
            };
            wanted.iter().find(same).is_some_and(|built| built.fresh)
        };
        let (stay, end): (Vec<_>, Vec<_>) = std::mem::take(&mut self.running)
            .into_iter()
            .partition(stays);
        self.running = stay;
        end.into_iter().for_each(stop);
        for built in wanted {
            let runs = |running: &Running| {
                running.run == built.program.run && running.executable == built.executable
            };
            if self.running.iter().any(runs) {
                continue;
            }
            match start(built, dir, fillings, self.json) {
                Ok(running) => {
                    output::status(
                        GOOD,
                        "Started",
                        &command_line(&running.name, &built.program.run, fillings),
                    );
                    self.running.push(running);
                }
                Err(error) => output::error(&format!(
                    "the program {} could not be started: {error}",
                    built.program.bin
                )),
            }
        }
    }

    /// Stops all of them, the last started first.
    pub(super) fn stop(&mut self) {
        while let Some(running) = self.running.pop() {
            stop(running);
        }
    }
}

impl Drop for Programs {
    fn drop(&mut self) {
        self.stop();
    }
}

fn start(
    built: &BuiltProgram,
    dir: &Path,
    fillings: &[(&str, &str)],
    json: bool,
) -> std::io::Result<Running> {
    let run = &built.program.run;
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("__guard").arg("--").arg(&built.executable);
    command.args(run.args.iter().map(|arg| fill(arg, fillings)));
    command.envs(
        run.env
            .iter()
            .map(|(key, value)| (key, fill(value, fillings))),
    );
    command
        .current_dir(dir)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut guard = own_group(&mut command).spawn()?;
    let name = run
        .name
        .clone()
        .unwrap_or_else(|| built.program.bin.clone());
    if let Some(stdout) = guard.stdout.take() {
        lines::of_program(name.clone(), stdout, json);
    }
    if let Some(stderr) = guard.stderr.take() {
        lines::of_program(name.clone(), stderr, true);
    }
    Ok(Running {
        name,
        run: run.clone(),
        executable: built.executable.clone(),
        guard,
    })
}

/// Closes the guard's stdin, which ends the program, and waits for both.
fn stop(mut running: Running) {
    drop(running.guard.stdin.take());
    let deadline = Instant::now() + STOP_TIMEOUT;
    while matches!(running.guard.try_wait(), Ok(None)) {
        if Instant::now() >= deadline {
            output::warning(&format!(
                "the program {} does not end and is killed",
                running.name
            ));
            let _ = running.guard.kill();
            let _ = running.guard.wait();
            return;
        }
        std::thread::sleep(STOP_INTERVAL);
    }
}

fn command_line(name: &str, run: &RunMetadata, fillings: &[(&str, &str)]) -> String {
    let args = run
        .args
        .iter()
        .map(|arg| format!(" {}", fill(arg, fillings)));
    format!("{name}{}", args.collect::<String>())
}
