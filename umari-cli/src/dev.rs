//! `umari dev`: build, run, watch, swap.
//!
//! One thread decides: it owns the session and waits on one channel, into which the watcher, the
//! signals and the host's failure each put what happened. Nothing else changes the session.

mod debounce;
mod examples;
pub(crate) mod guard;
mod lines;
mod programs;
mod summary;
mod watch;

use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::runtime::{Handle, Runtime};

use crate::args::{DEV_DATA_DIR, DevArgs};
use crate::build::cargo::{BuildError, BuildOptions, ModuleBuild, build_programs};
use crate::build::environment::CargoEnv;
use crate::build::project::{Project, directory};
use crate::client::Client;
use crate::deploy::{Deployed, Outcome, deploy_for_dev};
use crate::host::{HostOptions, Reach, RunningHost, check_address, check_metadata, check_store};
use crate::logging;
use crate::output::fault::Fault;
use crate::output::{self, BUSY};
use crate::serve::store_failed;
use crate::signals::Stop;

use debounce::Debouncer;
use programs::Programs;
use summary::Summary;
use watch::Watcher;

/// How long a start waits for the modules to subscribe before it says what keeps them.
const HEALTH_TIMEOUT: Duration = Duration::from_secs(15);
/// How often it asks.
const HEALTH_INTERVAL: Duration = Duration::from_millis(20);

/// What the session waits for.
#[derive(Debug)]
pub(crate) enum Wake {
    /// Files that modules may be made of were written.
    Changed(Vec<PathBuf>),
    /// The user asked to stop.
    Stop,
    /// The event store failed.
    Failed(String),
}

/// Runs until a signal, until the event store fails, or, with `--no-watch`, until a build fails.
pub(crate) fn run(args: &DevArgs) -> anyhow::Result<()> {
    let started = Instant::now();
    let _logging = logging::start(&args.host, logging::DEV_FILTER)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    let stop = Stop::new();
    stop.listen(runtime.handle())?;
    let ended = session(args, &runtime, &stop, started);
    runtime.shutdown_background();
    match ended {
        // Whatever broke while stopping broke because of it.
        Err(_) if stop.is_requested() => Ok(()),
        ended => ended,
    }
}

fn session(args: &DevArgs, runtime: &Runtime, stop: &Stop, started: Instant) -> anyhow::Result<()> {
    let dir = directory(&args.path)?;
    let data_dir = args
        .data_dir
        .clone()
        .unwrap_or_else(|| dir.join(DEV_DATA_DIR));
    let api_key = args.host.api_key.clone();
    let options = HostOptions {
        data_dir,
        addr: args.addr,
        api_key,
        reach: Reach::Loopback,
        printed: (!args.no_tail).then(|| lines::of_modules(args.json)),
        new_metadata: args.host.new_metadata,
    };
    check_store(&args.host)?;
    check_address(&options)?;
    check_metadata(&options)?;
    let (wake, wakes) = mpsc::channel();
    let waker = wake.clone();
    stop.on_request(move || drop(waker.send(Wake::Stop)));
    let project = Project::find(&dir)?;
    // From here on no change is missed, however long the first build takes.
    let watcher = (!args.no_watch)
        .then(|| Watcher::start(&project, &options.data_dir, wake.clone()))
        .transpose()?;

    let built = build(&project, stop, args.json)?;
    if args.no_watch {
        built.require_all()?;
    }
    let mut programs = Programs::new(args.json);
    let host = start_host(
        &mut programs,
        &project,
        runtime.handle(),
        stop,
        &options,
        &wake,
    )?;
    let client = Client::new(&host.url(), options.api_key.clone()).map_err(Fault::from)?;
    let mut session = Session {
        args,
        dir,
        options,
        stop,
        client,
        programs,
        watcher,
        wakes,
        deployed: Vec::new(),
    };
    let ended = session
        .first(&project, built, started, &host)
        .and_then(|()| session.follow());
    if ended.is_ok() {
        output::status(
            BUSY,
            "Stopping",
            "after the requests in flight; press Ctrl-C again to force it",
        );
    }
    drop(session.watcher.take());
    // The host first: effects that finish their work may still need the programs.
    let problem = host.stop(runtime.handle(), args.host.shutdown_timeout);
    session.programs.stop();
    ended?;
    match problem {
        None => Ok(()),
        Some(problem) => {
            output::warning(&format!("the host did not stop cleanly: {problem}"));
            Ok(())
        }
    }
}

/// Starts the programs, then the host, whose effects may call them.
fn start_host(
    programs: &mut Programs,
    project: &Project,
    runtime: &Handle,
    stop: &Stop,
    options: &HostOptions,
    wake: &Sender<Wake>,
) -> anyhow::Result<RunningHost> {
    update_programs(programs, project, stop, options)?;
    let host = RunningHost::start(runtime, options)?;
    let wake = wake.clone();
    host.on_failure(runtime, move |failure| {
        drop(wake.send(Wake::Failed(failure)));
    });
    Ok(host)
}

/// Builds the programs and starts those that are new. One that cannot be built is no reason to
/// keep the modules from running.
fn update_programs(
    programs: &mut Programs,
    project: &Project,
    stop: &Stop,
    options: &HostOptions,
) -> Result<(), BuildError> {
    let env = CargoEnv::for_dir(&project.dir);
    let build = BuildOptions {
        stop: Some(stop),
        ..BuildOptions::default()
    };
    match build_programs(project, &env, &build)? {
        Ok(built) => {
            let addr = options.addr.to_string();
            let (data_dir, path) = (
                options.data_dir.display().to_string(),
                project.dir.display().to_string(),
            );
            let url = format!("http://{addr}");
            let fillings = [
                ("url", url.as_str()),
                ("addr", &addr),
                ("data_dir", &data_dir),
                ("path", &path),
            ];
            programs.update(&built, &project.dir, &fillings);
        }
        Err(fault) => output::progress(&fault.render()),
    }
    Ok(())
}

/// Builds the modules and shows what failed.
fn build(project: &Project, stop: &Stop, json: bool) -> anyhow::Result<ModuleBuild> {
    let built = crate::build::build_project(
        project,
        &BuildOptions {
            stop: Some(stop),
            ..BuildOptions::default()
        },
    )?;
    if !built.failed.is_empty() {
        built.show_failures();
        if json {
            let failed = built
                .failed
                .iter()
                .map(|it| json!({ "package": it.package, "reasons": it.reasons }));
            output::json(&json!({ "event": "build-failed", "failed": failed.collect::<Vec<_>>() }));
        }
    }
    Ok(built)
}

struct Session<'a> {
    args: &'a DevArgs,
    dir: PathBuf,
    options: HostOptions,
    stop: &'a Stop,
    client: Client,
    programs: Programs,
    watcher: Option<Watcher>,
    wakes: Receiver<Wake>,
    /// What runs, by the last deployment of each module.
    deployed: Vec<Deployed>,
}

impl Session<'_> {
    /// Deploys what was built at the start and prints the summary.
    fn first(
        &mut self,
        project: &Project,
        built: ModuleBuild,
        started: Instant,
        host: &RunningHost,
    ) -> anyhow::Result<()> {
        let (deployed, refused) =
            deploy_for_dev(&self.client, &built.artifacts).map_err(Fault::from)?;
        let cold = deployed.iter().any(|it| it.outcome == Outcome::Uploaded)
            || built.artifacts.iter().any(|it| !it.fresh);
        self.deployed = deployed;
        self.wait_until_healthy();
        let summary = Summary {
            url: host.url(),
            data_dir: shown(&self.options.data_dir),
            deployed: &self.deployed,
            try_lines: self.try_lines(project, host),
            missing: built.failed.len() + refused,
            watching: self.watcher.is_some(),
            cold,
            took: started.elapsed(),
        };
        // Before scripts and people read that everything is ready, and write events.
        if !self.args.no_tail {
            lines::of_events(&self.client, self.args.json);
        }
        if self.args.json {
            self.deployed
                .iter()
                .for_each(|it| output::json(&it.document()));
            output::json(&summary.document());
        } else {
            output::result(&summary.render());
        }
        if self.args.open {
            open_browser(&format!("{}/modules", host.url()));
        }
        if refused > 0 && self.args.no_watch {
            return Err(Fault::new(format!("the host refused {refused} of the modules")).into());
        }
        Ok(())
    }

    /// Waits for changes and applies them, until something ends the session.
    fn follow(&mut self) -> anyhow::Result<()> {
        let mut debouncer = Debouncer::default();
        loop {
            let wake = match debouncer.due_at() {
                None => self
                    .wakes
                    .recv()
                    .map_err(|_| RecvTimeoutError::Disconnected),
                Some(due) => self
                    .wakes
                    .recv_timeout(due.saturating_duration_since(Instant::now())),
            };
            match wake {
                Ok(Wake::Changed(paths)) => debouncer.push(paths, Instant::now()),
                Ok(Wake::Stop) | Err(RecvTimeoutError::Disconnected) => return Ok(()),
                Ok(Wake::Failed(failure)) => return Err(store_failed(&failure).into()),
                Err(RecvTimeoutError::Timeout) => {}
            }
            if let Some(paths) = debouncer.take(Instant::now()) {
                match self.rebuild(&paths) {
                    Ok(()) => {}
                    // The stop itself is the next thing on the channel.
                    Err(error) if matches!(error.downcast_ref(), Some(BuildError::Stopped)) => {}
                    // A broken manifest, say. The session goes on and waits for the next change.
                    Err(error) => drop(output::fault::report(&error)),
                }
            }
        }
    }

    /// Rebuilds what changed and swaps it.
    fn rebuild(&mut self, paths: &[PathBuf]) -> anyhow::Result<()> {
        let started = Instant::now();
        output::transient(
            "Changed",
            &shown(paths.first().map_or(self.dir.as_path(), PathBuf::as_path)),
        );
        let project = Project::find(&self.dir)?;
        if let Some(watcher) = &mut self.watcher {
            watcher.refresh(&project);
        }
        let built = build(&project, self.stop, self.args.json)?;
        update_programs(&mut self.programs, &project, self.stop, &self.options)?;
        let (deployed, _) = deploy_for_dev(&self.client, &built.artifacts).map_err(Fault::from)?;
        for deployed in deployed {
            if deployed.outcome != Outcome::Unchanged {
                self.show_swap(&deployed, started.elapsed());
            }
            self.deployed
                .retain(|old| (old.kind, &old.name) != (deployed.kind, &deployed.name));
            self.deployed.push(deployed);
        }
        if !built.failed.is_empty() {
            output::status(
                BUSY,
                "Waiting",
                "for a change; the modules that ran before keep running",
            );
        }
        Ok(())
    }

    fn show_swap(&self, deployed: &Deployed, took: Duration) {
        if self.args.json {
            output::json(&deployed.document());
        } else {
            output::result(&summary::swap_line(deployed, took));
        }
    }

    /// Waits for every module to subscribe. What does not is named, and the session goes on: the
    /// rest works, and a change may repair it.
    fn wait_until_healthy(&self) {
        let deadline = Instant::now() + HEALTH_TIMEOUT;
        while !self.stop.is_requested() {
            match self.client.health() {
                Ok(health) if health.healthy => return,
                Ok(_) if Instant::now() < deadline => std::thread::sleep(HEALTH_INTERVAL),
                Ok(health) => {
                    output::warning(&format!("not everything is healthy: {}", health.details));
                    break;
                }
                Err(error) => {
                    output::warning(&error.to_string());
                    break;
                }
            }
        }
        for module in self
            .client
            .modules()
            .map(|modules| modules.modules)
            .unwrap_or_default()
        {
            if let Some(error) = module.last_error_line() {
                output::warning(&format!("{} {}: {error}", module.kind, module.name));
            }
        }
    }

    /// The lines to try: those of the manifests, else some made from the commands' schemas.
    fn try_lines(&self, project: &Project, host: &RunningHost) -> Vec<String> {
        let (url, addr) = (host.url(), host.addr().to_string());
        let (data_dir, path) = (shown(&self.options.data_dir), shown(&self.dir));
        let fillings = [
            ("url", url.as_str()),
            ("addr", &addr),
            ("data_dir", &data_dir),
            ("path", &path),
        ];
        let own: Vec<String> = project
            .try_lines
            .iter()
            .map(|line| crate::build::metadata::fill(line, &fillings))
            .collect();
        if own.is_empty() {
            examples::lines(&self.client, &self.deployed)
        } else {
            own
        }
    }
}

/// Opens an address in the user's browser. Without one, the address is on the screen all the same.
fn open_browser(url: &str) {
    let opened = match std::env::var_os("BROWSER").filter(|it| !it.is_empty()) {
        Some(browser) => open::with_detached(url, browser.to_string_lossy()),
        None => open::that_detached(url),
    };
    if let Err(error) = opened {
        output::warning(&format!("no browser could be started for {url}: {error}"));
    }
}

/// A path as the user would write it here.
fn shown(path: &Path) -> String {
    let here = std::env::current_dir()
        .and_then(|here| here.canonicalize())
        .unwrap_or_default();
    let relative = path
        .strip_prefix(&here)
        .ok()
        .filter(|relative| !relative.as_os_str().is_empty());
    relative.unwrap_or(path).display().to_string()
}
