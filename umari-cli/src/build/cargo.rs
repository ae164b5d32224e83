//! Calls of `cargo build`.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read};
use std::path::PathBuf;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Instant, SystemTime};

use cargo_metadata::{Message, PackageId};

use super::artifact::Artifact;
use super::diagnostics::{CargoLine, Diagnostics, classify};
use super::environment::CargoEnv;
use super::finish;
use super::profile::{Profile, Release};
use super::project::{ModuleCrate, Program, Project};
use super::rustc;
use super::toolchain::TARGET;
use crate::output::fault::Fault;
use crate::output::{self, BAD};
use crate::signals::Stop;

/// How many lines of cargo's own words are kept for a failure that names no crate.
const KEPT_LINES: usize = 20;

/// How to build.
#[derive(Clone, Copy, Default)]
pub(crate) struct BuildOptions<'a> {
    /// With which profile.
    pub(crate) profile: Profile,
    /// How many jobs at once.
    pub(crate) jobs: Option<u32>,
    /// Whether what was up to date is shown: modules, and the warnings of their crates.
    pub(crate) show_fresh: bool,
    /// What may end the build before its time.
    pub(crate) stop: Option<&'a Stop>,
}

/// Why a build gave no outcome at all.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BuildError {
    /// The user asked to stop.
    #[error("the build was stopped")]
    Stopped,
    /// Cargo could not be called.
    #[error("cargo could not be started")]
    Start(#[source] std::io::Error),
    /// Cargo's messages could not be read.
    #[error("cargo's messages could not be read")]
    Messages(#[source] std::io::Error),
    /// What a module was built from could not be noted beside it.
    #[error("the list of a module's sources could not be written")]
    Notes(#[source] std::io::Error),
}

/// What a build of modules gave.
#[derive(Debug)]
pub(crate) struct ModuleBuild {
    /// The modules that are there, in the order in which they arrived.
    pub(crate) artifacts: Vec<Artifact>,
    /// The modules that are not, and why.
    pub(crate) failed: Vec<FailedModule>,
}

/// A module that could not be built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FailedModule {
    /// Its package.
    pub(crate) package: String,
    /// Why, one line each.
    pub(crate) reasons: Vec<String>,
}

impl ModuleBuild {
    fn fail(&mut self, module: &ModuleCrate, reasons: Vec<String>) {
        let package = module.package.clone();
        self.failed.push(FailedModule { package, reasons });
    }

    fn mentions(&self, module: &ModuleCrate) -> bool {
        let done = self.artifacts.iter().any(|it| it.module.id == module.id);
        done || self.failed.iter().any(|it| it.package == module.package)
    }

    /// Shows which modules failed and why.
    pub(crate) fn show_failures(&self) {
        for failed in &self.failed {
            output::status(
                BAD,
                "Failed",
                &format!(
                    "{}: {}",
                    failed.package,
                    failed.reasons.join("\n             ")
                ),
            );
        }
    }

    /// Fails when a module failed.
    pub(crate) fn require_all(&self) -> Result<(), Fault> {
        if self.failed.is_empty() {
            return Ok(());
        }
        self.show_failures();
        let names: Vec<&str> = self
            .failed
            .iter()
            .map(|failed| failed.package.as_str())
            .collect();
        let of = self.failed.len() + self.artifacts.len();
        Err(Fault::new(format!(
            "{} of {of} modules could not be built: {}",
            names.len(),
            names.join(", ")
        )))
    }
}

/// Builds the modules of a project with one call of cargo. `arrived` sees each as it is ready.
pub(crate) fn build_modules(
    project: &Project,
    env: &CargoEnv,
    options: &BuildOptions<'_>,
    arrived: &mut dyn FnMut(&Artifact),
) -> Result<ModuleBuild, BuildError> {
    let mut command = env.command("cargo");
    command.args(["build", "--lib", "--target", TARGET, "--keep-going"]);
    let release = Release::of(&project.workspace_root);
    choose_profile(&mut command, project, options.profile, &release)?;
    for module in &project.modules {
        command.args(["-p", &module.id]);
    }
    let (started, began) = (Instant::now(), SystemTime::now());
    let mut placed = Vec::new();
    let mut built = ModuleBuild {
        artifacts: Vec::new(),
        failed: Vec::new(),
    };
    let by_id: BTreeMap<&str, &ModuleCrate> = project
        .modules
        .iter()
        .map(|it| (it.id.as_str(), it))
        .collect();
    let end = run(command, options, project.modules.len(), &mut |artifact| {
        let Some(module) = by_id.get(artifact.package_id.repr.as_str()) else {
            return;
        };
        let wasm = artifact
            .filenames
            .iter()
            .find(|file| file.extension() == Some("wasm"));
        let Some(wasm) = wasm else { return };
        let original = wasm.clone().into_std_path_buf();
        let path = original.clone();
        let path = match options.profile {
            Profile::Debug | Profile::Quick => Ok(path),
            Profile::Small => finish::place(&path, &project.target_dir, release.strip),
        };
        let loaded = path
            .map_err(|error| {
                Fault::new(format!("{} cannot be written", module.package)).why(error.to_string())
            })
            .and_then(|path| Artifact::load(module, path, artifact.fresh, started.elapsed()));
        match loaded {
            Ok(artifact) => {
                arrived(&artifact);
                placed.push((original, artifact.path.clone()));
                built.artifacts.push(artifact);
            }
            Err(fault) => {
                output::progress(&fault.render());
                built.fail(module, vec![fault.to_string()]);
            }
        }
    })?;
    if options.profile == Profile::Small {
        // Cargo writes its lists of sources at the very end, and none where a crate failed.
        let began = end.status.success().then_some(began);
        for (original, path) in &placed {
            finish::note_sources(original, path, began).map_err(BuildError::Notes)?;
        }
    }
    for module in &project.modules {
        if !built.mentions(module) {
            built.fail(module, end.reasons(module));
        }
    }
    Ok(built)
}

/// Tells cargo how modules are built, and where.
fn choose_profile(
    command: &mut Command,
    project: &Project,
    profile: Profile,
    release: &Release,
) -> Result<(), BuildError> {
    match profile {
        Profile::Debug => {}
        Profile::Quick => {
            command.arg("--release").envs(release.quick());
        }
        Profile::Small => {
            let room = finish::room(&project.target_dir);
            command.arg("--release").arg("--target-dir").arg(room);
            command.envs(release.variables.iter().copied());
            if let Some(lto) = release.lto {
                rustc::wrap(command, lto).map_err(BuildError::Start)?;
            }
        }
    }
    Ok(())
}

/// Builds the programs of a project for this machine and gives their executables, in order. They
/// are helpers of a development session, so what counts is how soon they run: the dev profile.
pub(crate) fn build_programs(
    project: &Project,
    env: &CargoEnv,
    options: &BuildOptions<'_>,
) -> Result<Result<Vec<BuiltProgram>, Fault>, BuildError> {
    if project.programs.is_empty() {
        return Ok(Ok(Vec::new()));
    }
    let mut command = env.command("cargo");
    command.arg("build");
    for program in &project.programs {
        command.args(["-p", &program.package_id, "--bin", &program.bin]);
    }
    let mut executables: BTreeMap<(String, String), (PathBuf, bool)> = BTreeMap::new();
    let end = run(command, options, project.programs.len(), &mut |artifact| {
        if let Some(executable) = &artifact.executable {
            let key = (
                artifact.package_id.repr.clone(),
                artifact.target.name.clone(),
            );
            executables.insert(
                key,
                (executable.clone().into_std_path_buf(), artifact.fresh),
            );
        }
    })?;
    let built = project.programs.iter().map(|program| {
        let key = (program.package_id.clone(), program.bin.clone());
        match executables.get(&key) {
            Some((executable, fresh)) => Ok(BuiltProgram {
                program: program.clone(),
                executable: executable.clone(),
                fresh: *fresh,
            }),
            None => Err(
                Fault::new(format!("the program `{}` could not be built", program.bin))
                    .why(end.tail.join("\n")),
            ),
        }
    });
    Ok(built.collect())
}

/// A program that is ready to be started.
#[derive(Debug, Clone)]
pub(crate) struct BuiltProgram {
    /// What the manifest says about it.
    pub(crate) program: Program,
    /// The file to run.
    pub(crate) executable: PathBuf,
    /// Whether cargo found it up to date.
    pub(crate) fresh: bool,
}

/// How a call of cargo ended.
#[derive(Debug)]
struct CargoEnd {
    status: ExitStatus,
    /// The compiler's errors by package.
    errors: BTreeMap<PackageId, Vec<String>>,
    /// The crates that cargo could not compile.
    failed: Vec<String>,
    /// Cargo's last words.
    tail: Vec<String>,
}

impl CargoEnd {
    /// Why `module` was not built: its own errors, else those of what it depends on.
    fn reasons(&self, module: &ModuleCrate) -> Vec<String> {
        let own = self
            .errors
            .iter()
            .find(|(package, _)| package.repr == module.id)
            .map(|(_, errors)| errors);
        match own.map(Vec::as_slice) {
            Some([first]) => vec![first.clone()],
            Some([first, more @ ..]) => vec![first.clone(), format!("and {} more", more.len())],
            _ if self.failed.contains(&module.package) => {
                vec!["it could not be compiled, see above".to_owned()]
            }
            _ if !self.failed.is_empty() => {
                let mut reasons =
                    vec![format!("it needs {}, which failed", self.failed.join(", "))];
                reasons.extend(self.errors.values().flatten().next().cloned());
                reasons
            }
            _ if self.tail.is_empty() => vec![format!("cargo ended with {}", self.status)],
            _ => vec![
                self.tail
                    .join("\n")
                    .trim_start_matches("error: ")
                    .to_owned(),
            ],
        }
    }
}

/// Calls cargo and follows it to its end. `total` is how many modules or programs it is to make.
fn run(
    mut command: Command,
    options: &BuildOptions<'_>,
    total: usize,
    artifact: &mut dyn FnMut(&cargo_metadata::Artifact),
) -> Result<CargoEnd, BuildError> {
    let colour = output::stderr_has_colour();
    let format = if colour {
        "json,json-diagnostic-rendered-ansi"
    } else {
        "json"
    };
    command.args([
        "--message-format",
        format,
        "--color",
        if colour { "always" } else { "never" },
    ]);
    if let Some(jobs) = options.jobs {
        command.args(["--jobs", &jobs.to_string()]);
    }
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    output::detail(|| format!("{command:?}"));
    let never = Stop::new();
    let stop = options.stop.unwrap_or(&never);
    let mut cargo = match options.stop {
        Some(stop) => stop.spawn(&mut command),
        // Without a stop of our own Ctrl-C ends cargo together with this process.
        None => never.adopt(&mut command),
    }
    .map_err(BuildError::Start)?;
    let (stdout, stderr) = (cargo.child.stdout.take(), cargo.child.stderr.take());
    let made = Arc::new(AtomicUsize::new(0));
    let shown = Arc::clone(&made);
    let bar = move || output::bar(shown.load(Ordering::Relaxed), total);
    let listener = stderr.map(|stderr| std::thread::spawn(move || listen(stderr, &bar)));
    let mut diagnostics = Diagnostics::new(options.show_fresh);
    for message in stdout
        .into_iter()
        .flat_map(|stdout| Message::parse_stream(BufReader::new(stdout)))
    {
        match message.map_err(BuildError::Messages)? {
            Message::CompilerMessage(message) => diagnostics.message(&message),
            Message::CompilerArtifact(built) => {
                diagnostics.finished(&built.package_id, built.fresh);
                let is_wasm =
                    |file: &cargo_metadata::camino::Utf8PathBuf| file.extension() == Some("wasm");
                if built.executable.is_some() || built.filenames.iter().any(is_wasm) {
                    made.fetch_add(1, Ordering::Relaxed);
                }
                artifact(&built);
            }
            _ => {}
        }
    }
    let status = cargo.child.wait().map_err(BuildError::Messages)?;
    let (failed, tail) = listener
        .and_then(|listener| listener.join().ok())
        .unwrap_or_default();
    output::clear_transient();
    if stop.is_requested() {
        return Err(BuildError::Stopped);
    }
    Ok(CargoEnd {
        status,
        errors: diagnostics.end(),
        failed,
        tail,
    })
}

/// Follows cargo's stderr, with `bar` before what it says it is doing. Gives the crates that failed
/// and the last words that are no status.
fn listen(stderr: impl Read, bar: &dyn Fn() -> String) -> (Vec<String>, Vec<String>) {
    let on_terminal = output::has_transient_line();
    let (mut failed, mut tail) = (Vec::new(), Vec::new());
    for line in BufReader::new(stderr).split(b'\n').map_while(Result::ok) {
        let line = String::from_utf8_lossy(&line).trim_end().to_owned();
        match classify(&line) {
            CargoLine::Status(verb, what) if on_terminal => {
                output::transient(&verb, &format!("{} {what}", bar()));
            }
            CargoLine::Status(..) => output::note(&line),
            other => {
                output::progress(&line);
                if let CargoLine::Failed(name) = other {
                    failed.push(name);
                }
                let plain = anstream::adapter::strip_str(&line).to_string();
                if !plain.is_empty() {
                    tail.push(plain);
                }
                if tail.len() > KEPT_LINES {
                    tail.remove(0);
                }
            }
        }
    }
    (failed, tail)
}
