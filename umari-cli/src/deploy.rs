//! From built modules to running ones.
//!
//! A deployment is made in this order: everything is planned and shown; everything is stored, which
//! is where a server refuses what cannot run; everything is activated; and everything is watched
//! until it is live. When one of the last two goes wrong, what ran before runs again.

mod bump;
mod live;
mod plan;
mod show;

use std::collections::BTreeMap;

use serde_json::json;

use crate::args::{DeployArgs, EnvPair};
use crate::build::{self, artifact::Artifact};
use crate::client::problem::ApiError;
use crate::client::{Client, Upload};
use crate::kind::ModuleKind;
use crate::output::fault::Fault;
use crate::output::{self, BAD, BUSY};

use live::{Verdict, Watched};
pub(crate) use plan::Policy;
use plan::{Step, Wanted};

/// What a deployment did with one module.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// New content was stored, and runs unless that was not wanted.
    Uploaded,
    /// Content that the server had runs again.
    Activated,
    /// It ran already.
    Unchanged,
}

impl Outcome {
    /// As tables and JSON name it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Uploaded => "uploaded",
            Self::Activated => "activated",
            Self::Unchanged => "unchanged",
        }
    }
}

/// One module after its deployment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Deployed {
    /// What it is.
    pub(crate) kind: ModuleKind,
    /// Its name.
    pub(crate) name: String,
    /// The version under which the server has it.
    pub(crate) version: String,
    /// Its size in bytes.
    pub(crate) size: u64,
    /// What was done.
    pub(crate) outcome: Outcome,
}

impl Deployed {
    /// What `--json` says about it.
    pub(crate) fn document(&self) -> serde_json::Value {
        json!({
            "event": "deployed",
            "kind": self.kind,
            "name": self.name,
            "version": self.version,
            "size": self.size,
            "outcome": self.outcome.name(),
        })
    }
}

/// One module on its way to a server.
struct Planned<'a> {
    artifact: &'a Artifact,
    name: &'a str,
    env: BTreeMap<String, String>,
    step: Step,
    /// Whether the server has any version of it.
    known: bool,
    /// The version that runs before the deployment.
    active: Option<String>,
}

/// `umari deploy`.
pub(crate) fn run(args: &DeployArgs) -> anyhow::Result<()> {
    let client = Client::new(&args.server.url, args.server.api_key.clone()).map_err(Fault::from)?;
    // Better to learn now than after the build that nobody listens there.
    client.health().map_err(Fault::from)?;
    let policy = Policy::Release {
        activate: !args.no_activate,
    };
    let mut built = build::build_all(&args.build, None)?;
    let mut planned = plan_all(&client, &built, &args.env, policy)?;
    if args.bump_patch && !args.dry_run && planned.iter().any(Planned::is_conflict) {
        raise_versions(&client, &planned)?;
        drop(planned);
        built = build::build_all(&args.build, None)?;
        planned = plan_all(&client, &built, &args.env, policy)?;
    }
    show::plan(&planned, args.dry_run, args.build.json);
    refuse_conflicts(&client, &planned)?;
    if args.dry_run {
        return Ok(());
    }
    for it in &planned {
        it.store(&client).map_err(|error| refused(it, error))?;
    }
    if policy.activates() {
        activate_all(&client, &planned, args)?;
    }
    for deployed in planned.iter().map(Planned::deployed) {
        if args.build.json {
            output::json(&deployed.document());
        } else {
            show::deployed(&deployed, policy);
        }
    }
    Ok(())
}

/// Brings a server to what was built. Problems of single modules are shown and counted, so that
/// one bad module does not keep the others from running.
pub(crate) fn deploy_for_dev(
    client: &Client,
    built: &[Artifact],
) -> Result<(Vec<Deployed>, usize), ApiError> {
    let (mut deployed, mut refusals) = (Vec::new(), 0);
    for planned in plan_all(client, built, &[], Policy::Dev)? {
        let done = planned
            .store(client)
            .and_then(|()| planned.activate(client));
        match done {
            Ok(_) => deployed.push(planned.deployed()),
            Err(error @ ApiError::Refused { .. }) => {
                output::progress(&refused(&planned, error).render());
                refusals += 1;
            }
            Err(error) => return Err(error),
        }
    }
    Ok((deployed, refusals))
}

/// Compares what was built with what the server has, in the order of deployment.
fn plan_all<'a>(
    client: &Client,
    built: &'a [Artifact],
    env: &[EnvPair],
    policy: Policy,
) -> Result<Vec<Planned<'a>>, ApiError> {
    let mut planned = Vec::new();
    for kind in ModuleKind::ALL {
        let mut of_kind: Vec<&Artifact> = built.iter().filter(|it| it.kind == kind).collect();
        // They arrive as they are built, and a plan is the same each time.
        of_kind.sort_by(|a, b| a.names.cmp(&b.names));
        for artifact in of_kind {
            for name in &artifact.names {
                let mut all = artifact.module.metadata.env.clone();
                all.extend(
                    env.iter()
                        .map(|pair| (pair.key.clone(), pair.value.clone())),
                );
                let detail = client.detail(kind, name)?.unwrap_or_default();
                let wanted = Wanted {
                    version: &artifact.module.version,
                    sha256: &artifact.sha256,
                    env: &all,
                    settings: &artifact.settings,
                };
                let step = plan::plan(&wanted, &detail, policy);
                let mut one = Planned {
                    artifact,
                    name,
                    env: all,
                    step,
                    known: !detail.versions.is_empty(),
                    active: detail.active,
                };
                one.ask(client)?;
                planned.push(one);
            }
        }
    }
    Ok(planned)
}

impl Planned<'_> {
    fn is_conflict(&self) -> bool {
        matches!(self.step, Step::Conflict { .. })
    }

    /// Whether it is built anew beside the version that runs: a projector of another major version.
    fn is_replayed_over(&self, active: &str) -> bool {
        let major = |version: &str| version.split('.').next().map(str::to_owned);
        self.artifact.kind == ModuleKind::Projector && major(active) != major(self.step.version())
    }

    /// Lets the server compare what it does not show.
    fn ask(&mut self, client: &Client) -> Result<(), ApiError> {
        let Step::Ask {
            version,
            same,
            differs,
        } = &self.step
        else {
            return Ok(());
        };
        self.step = match client.upload(&self.upload(version)) {
            Ok(_) => *same.clone(),
            Err(ApiError::Refused { status: 409, .. }) => *differs.clone(),
            Err(error) => return Err(error),
        };
        Ok(())
    }

    fn upload<'a>(&'a self, version: &'a str) -> Upload<'a> {
        Upload {
            kind: self.artifact.kind,
            name: self.name,
            version,
            wasm: &self.artifact.wasm,
            env: &self.env,
            settings: &self.artifact.settings,
        }
    }

    /// Stores what the server does not have.
    fn store(&self, client: &Client) -> Result<(), ApiError> {
        let version = match &self.step {
            Step::Keep { .. } | Step::Activate { .. } => return Ok(()),
            // Conflicts are refused before; should one slip through, the server refuses it.
            Step::Upload { version } | Step::Conflict { version } | Step::Ask { version, .. } => {
                version
            }
        };
        let stored = client.upload(&self.upload(version))?;
        if !stored.sha256.eq_ignore_ascii_case(&self.artifact.sha256) {
            let (kind, name) = (self.artifact.kind, self.name);
            output::warning(&format!(
                "the server stored {kind} {name} {version} under another digest"
            ));
        }
        Ok(())
    }

    /// Lets it run, if it does not; whether it did not.
    fn activate(&self, client: &Client) -> Result<bool, ApiError> {
        if matches!(self.step, Step::Keep { .. }) {
            return Ok(false);
        }
        client.activate(self.artifact.kind, self.name, self.step.version())?;
        Ok(true)
    }

    /// Lets that run which ran before, or nothing.
    fn take_back(&self, client: &Client) -> Result<(), ApiError> {
        match &self.active {
            Some(version) => client
                .activate(self.artifact.kind, self.name, version)
                .map(drop),
            None => client.deactivate(self.artifact.kind, self.name),
        }
    }

    /// How it ends when all goes well.
    fn deployed(&self) -> Deployed {
        Deployed {
            kind: self.artifact.kind,
            name: self.name.to_owned(),
            version: self.step.version().to_owned(),
            size: self.artifact.size(),
            outcome: match self.step {
                Step::Keep { .. } => Outcome::Unchanged,
                Step::Activate { .. } => Outcome::Activated,
                Step::Upload { .. } | Step::Conflict { .. } | Step::Ask { .. } => Outcome::Uploaded,
            },
        }
    }

    fn shown(&self) -> String {
        let (kind, name) = (self.artifact.kind, self.name);
        format!("{kind} {name} {}", self.step.version())
    }
}

/// Activates every module and waits until all of them are live. Where one does not come up, all
/// that was activated is taken back: the modules of a deployment belong together.
fn activate_all(client: &Client, planned: &[Planned<'_>], args: &DeployArgs) -> Result<(), Fault> {
    let mut activated: Vec<&Planned<'_>> = Vec::new();
    for it in planned {
        match it.activate(client) {
            Ok(true) => activated.push(it),
            Ok(false) => {}
            Err(error) => {
                let fault = refused(it, error);
                return Err(roll_back(client, &activated, args, fault));
            }
        }
    }
    if args.no_wait {
        return Ok(());
    }
    let mut watched: Vec<Watched<'_>> = activated
        .iter()
        .map(|it| Watched::new(it.artifact.kind, it.name, it.step.version()))
        .collect();
    if !watched.is_empty() {
        output::transient("Waiting", "until the modules are live");
    }
    let waited = live::wait(client, &mut watched, args.wait);
    output::clear_transient();
    waited?;
    for (it, watched) in activated.iter().zip(&watched) {
        match watched.verdict() {
            Some(Verdict::Failed(why)) => {
                let fault = Fault::new(format!("{} did not come up", it.shown())).why(why);
                return Err(roll_back(client, &activated, args, fault));
            }
            Some(Verdict::Behind(why)) => {
                output::warning(&format!("{} still catches up: {why}", it.shown()));
            }
            Some(Verdict::Live) | None => {}
        }
    }
    Ok(())
}

/// Takes back what was activated, the last first, and gives the failure that says so.
fn roll_back(
    client: &Client,
    activated: &[&Planned<'_>],
    args: &DeployArgs,
    fault: Fault,
) -> Fault {
    let mut whole = true;
    for it in activated.iter().rev() {
        let now = it.active.as_deref().unwrap_or("none");
        match it.take_back(client) {
            Ok(()) if args.build.json => output::json(&json!({
                "event": "rolled-back",
                "kind": it.artifact.kind,
                "name": it.name,
                "version": it.step.version(),
                "active": it.active,
            })),
            Ok(()) => {
                let what = format!("{}: active is {now}", it.shown());
                output::status(BAD, "Rolled back", &what);
            }
            Err(error) => {
                whole = false;
                let what = format!("{} could not be rolled back to {now}", it.shown());
                output::progress(&Fault::new(what).why(error.to_string()).render());
            }
        }
    }
    if !whole {
        return fault.help("see which versions are active with `umari modules`");
    }
    fault
        .rolled_back()
        .help("what ran before runs again; mend the module, raise its version and deploy again")
}

fn refused(it: &Planned<'_>, error: ApiError) -> Fault {
    match error {
        ApiError::Refused { .. } => {
            Fault::new(format!("the server refused {}", it.shown())).why(error.to_string())
        }
        error => error.into(),
    }
}

/// Raises the patch version of every module in conflict, in its Cargo.toml.
fn raise_versions(client: &Client, planned: &[Planned<'_>]) -> anyhow::Result<()> {
    for planned in planned.iter().filter(|planned| planned.is_conflict()) {
        let module = &planned.artifact.module;
        let taken = client
            .detail(planned.artifact.kind, planned.name)
            .map_err(Fault::from)?
            .unwrap_or_default();
        let taken: Vec<&str> = taken
            .versions
            .iter()
            .map(|stored| stored.version.as_str())
            .collect();
        let next = bump::next_patch(&module.version, &taken);
        bump::write_version(&module.manifest, &next)?;
        output::status(
            BUSY,
            "Bumped",
            &format!("{} {} to {next}", module.package, module.version),
        );
    }
    Ok(())
}

fn refuse_conflicts(client: &Client, planned: &[Planned<'_>]) -> Result<(), Fault> {
    let conflicts: Vec<&Planned<'_>> = planned
        .iter()
        .filter(|planned| planned.is_conflict())
        .collect();
    let Some(first) = conflicts.first() else {
        return Ok(());
    };
    let names = conflicts
        .iter()
        .map(|it| format!("{} {}", it.name, it.artifact.module.version))
        .collect::<Vec<_>>();
    let fault = Fault::new(format!(
        "{} has other content under {}",
        client.url(),
        names.join(", ")
    ))
    .why("a stored version never changes; nothing was uploaded")
    .help(format!(
        "raise `version` in {}",
        first.artifact.module.manifest.display()
    ));
    Err(fault.help("or let --bump-patch do so"))
}
