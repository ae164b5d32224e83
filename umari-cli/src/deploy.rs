//! From built modules to running ones.

mod bump;
mod plan;

use std::collections::BTreeMap;

use serde_json::json;

use crate::args::{DeployArgs, EnvPair};
use crate::build::{self, artifact::Artifact};
use crate::client::problem::ApiError;
use crate::client::{Client, Upload};
use crate::kind::ModuleKind;
use crate::output::fault::Fault;
use crate::output::{self, BUSY, GOOD, units};

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
    if args.bump_patch && planned.iter().any(Planned::is_conflict) {
        raise_versions(&client, &planned)?;
        drop(planned);
        built = build::build_all(&args.build, None)?;
        planned = plan_all(&client, &built, &args.env, policy)?;
    }
    refuse_conflicts(&client, &planned)?;
    for planned in &planned {
        let deployed = planned.carry_out(&client, policy).map_err(Fault::from)?;
        if args.build.json {
            output::json(&deployed.document());
        } else {
            show(&deployed, policy);
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
    let (mut deployed, mut refused) = (Vec::new(), 0);
    for planned in plan_all(client, built, &[], Policy::Dev)? {
        match planned.carry_out(client, Policy::Dev) {
            Ok(done) => deployed.push(done),
            Err(error @ ApiError::Refused { .. }) => {
                let (kind, name) = (planned.artifact.kind, planned.name);
                let fault = Fault::new(format!("the host refused {kind} {name}"));
                output::progress(&fault.why(error.to_string()).render());
                refused += 1;
            }
            Err(error) => return Err(error),
        }
    }
    Ok((deployed, refused))
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
        for artifact in built.iter().filter(|artifact| artifact.kind == kind) {
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

    fn carry_out(&self, client: &Client, policy: Policy) -> Result<Deployed, ApiError> {
        let (kind, name) = (self.artifact.kind, self.name);
        let (version, outcome) = match &self.step {
            Step::Keep { version } => (version, Outcome::Unchanged),
            Step::Activate { version } => {
                client.activate(kind, name, version)?;
                (version, Outcome::Activated)
            }
            // Conflicts are refused before; should one slip through, the server refuses it.
            Step::Upload { version } | Step::Conflict { version } | Step::Ask { version, .. } => {
                let stored = client.upload(&self.upload(version))?;
                if stored
                    .sha256
                    .is_some_and(|sha256| !sha256.eq_ignore_ascii_case(&self.artifact.sha256))
                {
                    output::warning(&format!(
                        "the server stored {kind} {name} {version} under another digest"
                    ));
                }
                if policy.activates() {
                    client.activate(kind, name, version)?;
                }
                (version, Outcome::Uploaded)
            }
        };
        let size = self.artifact.size();
        Ok(Deployed {
            kind,
            name: name.to_owned(),
            version: version.clone(),
            size,
            outcome,
        })
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

fn show(deployed: &Deployed, policy: Policy) {
    let (style, verb) = match deployed.outcome {
        Outcome::Uploaded if policy.activates() => (GOOD, "Deployed"),
        Outcome::Uploaded => (GOOD, "Uploaded"),
        Outcome::Activated => (GOOD, "Activated"),
        Outcome::Unchanged => (BUSY, "Unchanged"),
    };
    let Deployed {
        kind,
        name,
        version,
        size,
        ..
    } = deployed;
    output::result(&output::status_line(
        style,
        verb,
        &format!("{kind} {name} {version} ({})", units::bytes(*size)),
    ));
}
