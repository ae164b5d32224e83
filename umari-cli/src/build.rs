//! From module crates to WASM components.

pub(crate) mod artifact;
pub(crate) mod cargo;
pub(crate) mod diagnostics;
pub(crate) mod environment;
pub(crate) mod finish;
pub(crate) mod metadata;
pub(crate) mod profile;
pub(crate) mod project;
pub(crate) mod record;
pub(crate) mod rustc;
mod schemas;
pub(crate) mod toolchain;

use std::path::PathBuf;

use serde_json::json;

use crate::args::BuildArgs;
use crate::output::fault::Fault;
use crate::output::table::{Align, Table};
use crate::output::{self, BUSY, GOOD, units};
use crate::signals::Stop;

use artifact::Artifact;
use cargo::{BuildOptions, ModuleBuild, build_modules};
use profile::Profile;
use project::Project;

/// `umari build`.
pub(crate) fn run(args: &BuildArgs) -> anyhow::Result<()> {
    let built = build_all(args, None)?;
    if built.len() > 1 && !args.json {
        output::note(&table(&built).render("  "));
    }
    for artifact in &built {
        if args.json {
            output::json(&document(artifact));
        } else {
            output::result(&artifact.path.display().to_string());
        }
    }
    Ok(())
}

/// Builds every module under the paths of `args`. Fails when one of them does.
pub(crate) fn build_all(args: &BuildArgs, stop: Option<&Stop>) -> anyhow::Result<Vec<Artifact>> {
    let projects = Project::find_all(&args.paths)?;
    let mut built = Vec::new();
    for project in &projects {
        let options = BuildOptions {
            profile: if args.debug {
                Profile::Debug
            } else {
                Profile::Small
            },
            jobs: args.jobs,
            show_fresh: true,
            stop,
        };
        let outcome = build_project(project, &options)?;
        outcome.require_all()?;
        built.extend(outcome.artifacts);
    }
    Ok(built)
}

/// Builds the modules of one project and shows each as it arrives.
pub(crate) fn build_project(
    project: &Project,
    options: &BuildOptions<'_>,
) -> anyhow::Result<ModuleBuild> {
    let env = environment::CargoEnv::for_dir(&project.dir);
    toolchain::ensure_target(&env)?;
    let outcome = build_modules(project, &env, options, &mut |artifact| {
        if artifact.fresh && !options.show_fresh {
            return;
        }
        let (style, verb) = if artifact.fresh {
            (BUSY, "Fresh")
        } else {
            (GOOD, "Built")
        };
        let time = if artifact.fresh {
            String::new()
        } else {
            format!(", {}", units::duration(artifact.elapsed))
        };
        let size = units::bytes(artifact.size());
        output::status(
            style,
            verb,
            &format!(
                "{} {} ({size}{time})",
                artifact.kind, artifact.module.package
            ),
        );
    });
    output::clear_transient();
    Ok(outcome?)
}

/// The modules with their sizes, and how long each was waited for.
fn table(built: &[Artifact]) -> Table {
    let mut table = Table::new(&[
        ("KIND", Align::Left),
        ("MODULE", Align::Left),
        ("VERSION", Align::Left),
        ("SIZE", Align::Right),
        ("TIME", Align::Right),
    ]);
    for artifact in built {
        let time = match artifact.fresh {
            true => "fresh".to_owned(),
            false => units::duration(artifact.elapsed),
        };
        table.row([
            artifact.kind.to_string(),
            artifact.names.join(", "),
            artifact.module.version.to_string(),
            units::bytes(artifact.size()),
            time,
        ]);
    }
    table
}

/// What `--json` says about one built module.
fn document(artifact: &Artifact) -> serde_json::Value {
    json!({
        "event": "built",
        "kind": artifact.kind,
        "names": artifact.names,
        "package": artifact.module.package,
        "version": artifact.module.version.to_string(),
        "path": artifact.path,
        "sha256": artifact.sha256,
        "size": artifact.size(),
        "fresh": artifact.fresh,
    })
}

/// The failure for paths that hold no module crate.
fn nothing_to_build(paths: &[PathBuf]) -> Fault {
    let paths = paths
        .iter()
        .map(|path| path.display().to_string())
        .collect::<Vec<_>>()
        .join(", ");
    Fault::new(format!("there is no module crate under {paths}"))
        .why("a module is a workspace member that depends on `umari` and builds a cdylib")
        .help("write in its Cargo.toml:\n\n[lib]\ncrate-type = [\"cdylib\", \"rlib\"]\n\nand list it under `members` of the workspace")
}
