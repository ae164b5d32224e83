//! Which crates are modules, and what belongs to them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use cargo_metadata::semver::Version;
use cargo_metadata::{CrateType, DependencyKind, Metadata, Package};

use super::environment::CargoEnv;
use super::metadata::{self, RunMetadata, UmariMetadata};
use crate::output::fault::Fault;

/// The SDK's name in a manifest.
const SDK: &str = "umari";
/// The harness's name in a manifest.
const HARNESS: &str = "umari-testing";

/// A crate that builds to a module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ModuleCrate {
    /// The package's name.
    pub(crate) package: String,
    /// Cargo's own specification of the package, never ambiguous.
    pub(crate) id: String,
    /// The version in its manifest.
    pub(crate) version: Version,
    /// Its Cargo.toml.
    pub(crate) manifest: PathBuf,
    /// What the manifest says to this command.
    pub(crate) metadata: UmariMetadata,
}

/// The modules under one or several paths of one workspace.
#[derive(Debug, Clone)]
pub(crate) struct Project {
    /// Where cargo is called: it decides over toolchain and configuration.
    pub(crate) dir: PathBuf,
    /// The root of the workspace.
    pub(crate) workspace_root: PathBuf,
    /// Where cargo puts what it builds.
    pub(crate) target_dir: PathBuf,
    /// The modules, by package name.
    pub(crate) modules: Vec<ModuleCrate>,
    /// Everything under the paths that cargo can test, modules or not.
    pub(crate) packages: Vec<TestedCrate>,
    /// The programs to run beside them in `umari dev`, with their packages' ids.
    pub(crate) programs: Vec<Program>,
    /// The lines for the summary of `umari dev`.
    pub(crate) try_lines: Vec<String>,
    /// Directories whose files the modules are made of: the paths themselves, and the packages
    /// elsewhere that they depend on.
    pub(crate) sources: Vec<PathBuf>,
}

/// A crate with tests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TestedCrate {
    /// Cargo's own specification of the package, never ambiguous.
    pub(crate) id: String,
    /// Whether its tests may use `umari-testing`.
    pub(crate) has_harness: bool,
}

/// A program of `[package.metadata.umari.dev]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Program {
    /// What the manifest says about it.
    pub(crate) run: RunMetadata,
    /// Cargo's specification of its package.
    pub(crate) package_id: String,
    /// The binary to run.
    pub(crate) bin: String,
}

impl Project {
    /// The modules under `paths`, one project per workspace.
    pub(crate) fn find_all(paths: &[PathBuf]) -> Result<Vec<Self>, Fault> {
        let mut by_root: BTreeMap<PathBuf, (PathBuf, Metadata, Vec<PathBuf>)> = BTreeMap::new();
        for path in paths {
            let dir = directory(path)?;
            let metadata = workspace(&dir)?;
            let root = metadata.workspace_root.clone().into_std_path_buf();
            by_root
                .entry(root)
                .or_insert_with(|| (dir.clone(), metadata, Vec::new()))
                .2
                .push(dir);
        }
        let mut projects = Vec::new();
        for (dir, metadata, dirs) in by_root.into_values() {
            // With several paths in one workspace its root speaks for all of them.
            let dir = if dirs.len() == 1 {
                dir
            } else {
                metadata.workspace_root.clone().into_std_path_buf()
            };
            projects.push(select(&metadata, dir, &dirs)?);
        }
        if projects.iter().all(|project| project.modules.is_empty()) {
            return Err(super::nothing_to_build(paths));
        }
        Ok(projects)
    }

    /// The modules under one path.
    pub(crate) fn find(path: &Path) -> Result<Self, Fault> {
        let mut projects = Self::find_all(&[path.to_owned()])?;
        projects
            .pop()
            .ok_or_else(|| super::nothing_to_build(&[path.to_owned()]))
    }
}

/// The directory that a path on the command line means.
pub(crate) fn directory(path: &Path) -> Result<PathBuf, Fault> {
    let missing = |why: String| {
        Fault::usage(format!("{} is not a directory with crates", path.display()))
            .why(why)
            .help("name a crate's directory, or one that holds crates; the default is the current one")
    };
    let found = path
        .canonicalize()
        .map_err(|error| missing(error.to_string()))?;
    match found.file_name() {
        Some(name) if name == "Cargo.toml" => found
            .parent()
            .map(Path::to_owned)
            .ok_or_else(|| missing(String::new())),
        _ if found.is_dir() => Ok(found),
        _ => Err(missing("it is a file".to_owned())),
    }
}

/// What cargo says about the workspace of a directory. Dependencies are not resolved, so this
/// needs no network and takes milliseconds.
pub(crate) fn workspace(dir: &Path) -> Result<Metadata, Fault> {
    let mut command = CargoEnv::for_dir(dir).command("cargo");
    let output = command
        .args(["metadata", "--format-version", "1", "--no-deps"])
        .output()
        .map_err(|error| {
            Fault::new("cargo could not be started")
                .why(error.to_string())
                .help("install Rust with rustup: https://rustup.rs")
        })?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let said = said.trim().trim_start_matches("error: ");
        return Err(Fault::new(format!(
            "cargo cannot read the workspace of {}",
            dir.display()
        ))
        .why(said));
    }
    serde_json::from_slice(&output.stdout).map_err(|error| {
        Fault::new("cargo's description of the workspace cannot be read").why(error.to_string())
    })
}

fn select(metadata: &Metadata, dir: PathBuf, dirs: &[PathBuf]) -> Result<Project, Fault> {
    let members = metadata.workspace_packages();
    let under: Vec<&Package> = members
        .iter()
        .copied()
        .filter(|package| is_under(package, dirs))
        .collect();
    let mut project = Project {
        dir,
        workspace_root: metadata.workspace_root.clone().into_std_path_buf(),
        target_dir: metadata.target_directory.clone().into_std_path_buf(),
        modules: Vec::new(),
        packages: Vec::new(),
        programs: Vec::new(),
        try_lines: Vec::new(),
        sources: sources(&members, &under, dirs),
    };
    let mut tables = Vec::new();
    if dirs
        .iter()
        .any(|dir| dir.as_path() == metadata.workspace_root.as_std_path())
    {
        tables.push(metadata::read(
            &metadata.workspace_metadata,
            "[workspace.metadata] of the root's Cargo.toml",
        )?);
    }
    for package in under {
        let table = metadata::read(&package.metadata, package.manifest_path.as_str())?;
        project.packages.push(TestedCrate {
            id: package.id.repr.clone(),
            has_harness: package.dependencies.iter().any(|it| it.name == HARNESS),
        });
        if is_module(package) {
            project.modules.push(ModuleCrate {
                package: package.name.to_string(),
                id: package.id.repr.clone(),
                version: package.version.clone(),
                manifest: package.manifest_path.clone().into_std_path_buf(),
                metadata: table.clone(),
            });
        }
        tables.push(table);
    }
    for table in tables {
        project.try_lines.extend(table.dev.try_lines);
        for run in table.dev.run {
            project.programs.push(program(&members, run)?);
        }
    }
    project.modules.sort_by(|a, b| a.package.cmp(&b.package));
    Ok(project)
}

/// A module is a cdylib that depends on the SDK. The shared library is no cdylib.
fn is_module(package: &Package) -> bool {
    let cdylib = package
        .targets
        .iter()
        .any(|target| target.crate_types.contains(&CrateType::CDyLib));
    let sdk = package
        .dependencies
        .iter()
        .any(|it| it.name == SDK && it.kind == DependencyKind::Normal);
    cdylib && sdk
}

fn is_under(package: &Package, dirs: &[PathBuf]) -> bool {
    let manifest = package.manifest_path.as_std_path();
    // Cargo may spell the same place in another way than we do.
    let canonical = manifest.canonicalize();
    let manifest = canonical.as_deref().unwrap_or(manifest);
    dirs.iter().any(|dir| manifest.starts_with(dir))
}

fn program(members: &[&Package], run: RunMetadata) -> Result<Program, Fault> {
    let wrong = |why: String| {
        Fault::new(format!(
            "the program `{}` under [package.metadata.umari.dev] cannot be run",
            run.package
        ))
        .why(why)
    };
    let Some(package) = members
        .iter()
        .find(|package| package.name.as_str() == run.package)
    else {
        return Err(wrong(
            "the workspace has no package of this name".to_owned(),
        ));
    };
    let bins = package
        .targets
        .iter()
        .filter(|target| target.is_bin())
        .map(|target| target.name.as_str());
    let bins: Vec<&str> = bins.collect();
    let bin = match (&run.bin, bins.as_slice()) {
        (Some(bin), _) if bins.contains(&bin.as_str()) => bin.clone(),
        (Some(bin), _) => return Err(wrong(format!("the package has no binary `{bin}`"))),
        (None, [bin]) => (*bin).to_owned(),
        (None, []) => return Err(wrong("the package has no binary".to_owned())),
        (None, several) => {
            let names = several.join(", ");
            return Err(wrong(format!("the package has several binaries: {names}"))
                .help("say which with `bin`"));
        }
    };
    Ok(Program {
        package_id: package.id.repr.clone(),
        run,
        bin,
    })
}

/// The directories to watch: `dirs`, and the local packages elsewhere that packages under them
/// depend on, directly or not.
fn sources(members: &[&Package], under: &[&Package], dirs: &[PathBuf]) -> Vec<PathBuf> {
    let mut found = BTreeSet::new();
    let mut open: Vec<&Package> = under.to_vec();
    while let Some(package) = open.pop() {
        for path in package
            .dependencies
            .iter()
            .filter_map(|dependency| dependency.path.as_ref())
        {
            let path = path.as_std_path();
            let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
            if found.insert(path.clone()) {
                let next = members
                    .iter()
                    .find(|member| member.manifest_path.parent().is_some_and(|it| it == path));
                open.extend(next.copied());
            }
        }
    }
    let elsewhere = found
        .into_iter()
        .filter(|path| !dirs.iter().any(|dir| path.starts_with(dir)));
    // The root of a workspace is itself a package at times; watching it would watch everything.
    let elsewhere: Vec<PathBuf> = elsewhere
        .map(|path| {
            if dirs.iter().any(|dir| dir.starts_with(&path)) {
                path.join("src")
            } else {
                path
            }
        })
        .filter(|path| path.exists())
        .collect();
    dirs.iter().cloned().chain(elsewhere).collect()
}

#[cfg(test)]
mod tests;
