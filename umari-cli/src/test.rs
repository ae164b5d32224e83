//! `umari test`: the tests of modules, natively and on the components.

use std::path::Path;
use std::process::{Command, ExitCode};

use crate::args::TestArgs;
use crate::build::build_project;
use crate::build::cargo::BuildOptions;
use crate::build::environment::CargoEnv;
use crate::build::profile::Profile;
use crate::build::project::Project;
use crate::output::fault::{EXIT_FAILURE, EXIT_OK, Fault};
use crate::output::{self, BAD, GOOD};
use crate::trial;

/// Makes every scenario run on components too.
const FEATURE: &str = "umari-testing/component";
/// Tells the tests which program runs components.
const BINARY: &str = "UMARI_BIN";

/// Builds what is out of date and runs the tests.
pub(crate) fn run(args: &TestArgs) -> anyhow::Result<ExitCode> {
    let projects = Project::find_all(&args.paths)?;
    for project in &projects {
        require_harness(project)?;
    }
    for project in &projects {
        let options = BuildOptions {
            profile: Profile::Small,
            jobs: args.jobs,
            show_fresh: false,
            stop: None,
        };
        build_project(project, &options)?.require_all()?;
    }
    let tally = Tally::new()?;
    let mut passed = true;
    for project in &projects {
        passed &= test(project, args, tally.path())?;
    }
    let counted = trial::counted(tally.path())?;
    output::status(if passed { GOOD } else { BAD }, "Tested", &summary(counted));
    Ok(ExitCode::from(if passed { EXIT_OK } else { EXIT_FAILURE }))
}

/// A workspace without the harness would be tested natively alone, and nobody would notice.
fn require_harness(project: &Project) -> Result<(), Fault> {
    if project.packages.iter().any(|package| package.has_harness) {
        return Ok(());
    }
    Err(Fault::new(format!(
        "no crate under {} has `umari-testing`, so nothing would run on components",
        project.dir.display()
    ))
    .help("add it to the crates whose tests use it: `cargo add --dev umari-testing`"))
}

fn test(project: &Project, args: &TestArgs, tally: &Path) -> anyhow::Result<bool> {
    let mut command = CargoEnv::for_dir(&project.dir).command("cargo");
    command.args(["test", "--features", FEATURE]);
    for package in &project.packages {
        command.args(["-p", &package.id]);
    }
    if let Some(jobs) = args.jobs {
        command.args(["--jobs", &jobs.to_string()]);
    }
    command.args(&args.args);
    command
        .env(BINARY, std::env::current_exe()?)
        .env(trial::TALLY, tally);
    Ok(status(&mut command)?.success())
}

fn status(command: &mut Command) -> Result<std::process::ExitStatus, Fault> {
    output::detail(|| format!("{command:?}"));
    command
        .status()
        .map_err(|error| Fault::new("cargo could not be started").why(error.to_string()))
}

/// What ran on components, in words.
fn summary([commands, projectors, effects]: [usize; 3]) -> String {
    let all = commands + projectors + effects;
    if all == 0 {
        return "no scenario on a component".to_owned();
    }
    let scenarios = if all == 1 { "scenario" } else { "scenarios" };
    format!(
        "{all} {scenarios} on components as well: {commands} of commands, {projectors} of \
         projectors, {effects} of effects"
    )
}

/// A file to which every process of the tests adds a line for each scenario.
struct Tally(std::path::PathBuf);

impl Tally {
    fn new() -> Result<Self, Fault> {
        let name = format!("umari-tally-{}", uuid::Uuid::new_v4().simple());
        let path = std::env::temp_dir().join(name);
        let made = std::fs::File::create_new(&path);
        made.map_err(|error| Fault::new("cannot count scenarios").why(error.to_string()))?;
        Ok(Self(path))
    }

    fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Tally {
    fn drop(&mut self) {
        // It is in the directory for such files.
        let _ = std::fs::remove_file(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_counts_what_ran_on_components() {
        assert_eq!(summary([0, 0, 0]), "no scenario on a component");
        assert_eq!(
            summary([1, 0, 0]),
            "1 scenario on components as well: 1 of commands, 0 of projectors, 0 of effects"
        );
        assert_eq!(
            summary([2, 1, 3]),
            "6 scenarios on components as well: 2 of commands, 1 of projectors, 3 of effects"
        );
    }
}
