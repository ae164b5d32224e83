//! What modules are built with, and the workspace that they are in.

use std::path::Path;

use super::{Check, State, versions};
use crate::build::environment::CargoEnv;
use crate::build::project::{Project, directory};
use crate::build::toolchain;

pub(super) fn checks(path: &Path) -> Vec<Check> {
    let dir = match directory(path) {
        Ok(dir) => dir,
        Err(fault) => return vec![Check::fault("workspace", &fault)],
    };
    let env = CargoEnv::for_dir(&dir);
    let toolchain = toolchain(&env);
    // Without a compiler there is nothing to say about its target.
    let target = (toolchain.state == State::Ok).then(|| target(&env));
    let mut checks = vec![toolchain];
    checks.extend(target);
    checks.extend(workspace(&dir));
    checks
}

fn toolchain(env: &CargoEnv) -> Check {
    const NAME: &str = "toolchain";
    let versions = toolchain::version(env.rustc(), "rustc")
        .and_then(|rustc| Ok((rustc, toolchain::version(env.command("cargo"), "cargo")?)));
    match versions {
        Ok((rustc, cargo)) => Check::ok(NAME, format!("{rustc}, {cargo}")),
        Err(fault) => Check::fault(NAME, &fault),
    }
}

fn target(env: &CargoEnv) -> Check {
    const NAME: &str = "target";
    match toolchain::missing_target(env) {
        Ok(None) => Check::ok(NAME, format!("{} is installed", toolchain::TARGET)),
        Ok(Some(sysroot)) => Check::new(
            NAME,
            State::Fault,
            format!(
                "{} is not installed, and modules are built for it",
                toolchain::TARGET
            ),
        )
        .why(format!(
            "{} has no standard library for it",
            sysroot.display()
        ))
        .fix(format!("rustup target add {}", toolchain::TARGET)),
        Err(fault) => Check::fault(NAME, &fault),
    }
}

/// The modules under a directory. None are no fault: a server needs no workspace.
fn workspace(dir: &Path) -> Vec<Check> {
    const NAME: &str = "workspace";
    let in_workspace = dir.ancestors().any(|dir| dir.join("Cargo.toml").is_file());
    if !in_workspace {
        let none = Check::new(NAME, State::None, format!("no crate in {}", dir.display()));
        return vec![none.fix("umari init NAME begins one")];
    }
    let project = match Project::find(dir) {
        Ok(project) => project,
        Err(fault) => return vec![Check::fault(NAME, &fault)],
    };
    let mut checks = vec![modules(dir, &project)];
    checks.extend(versions::workspace(&project));
    checks
}

fn modules(dir: &Path, project: &Project) -> Check {
    const NAME: &str = "workspace";
    let modules = match project.modules.len() {
        1 => "1 module".to_owned(),
        count => format!("{count} modules"),
    };
    if project.packages.iter().any(|package| package.has_harness) {
        return Check::ok(NAME, format!("{modules} in {}", dir.display()));
    }
    let unproved = format!("{modules} in {}, none with `umari-testing`", dir.display());
    Check::new(NAME, State::Warning, unproved)
        .fix("cargo add --dev umari-testing, in the crates that have something to prove")
}
