//! Where the component of a crate lies, and whether it is what the sources say.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::SystemTime;

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::report::{Report, Verdict};

/// A component that is as new as its sources.
#[derive(Debug, Clone)]
pub(super) struct Artifact {
    pub(super) path: PathBuf,
    /// The path from the workspace's root, for people.
    pub(super) shown: String,
    /// Where compiled components are kept.
    pub(super) cache: PathBuf,
    /// What its manifest says about how it runs.
    pub(super) settings: Map<String, Value>,
}

/// What cargo says about the workspace.
#[derive(Debug, Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    workspace_root: PathBuf,
    target_directory: PathBuf,
}

#[derive(Debug, Deserialize)]
struct Package {
    name: String,
    manifest_path: PathBuf,
    dependencies: Vec<Dependency>,
    targets: Vec<Target>,
    /// What stands in the manifest under `package.metadata`; null where there is nothing.
    #[serde(default)]
    metadata: Value,
}

#[derive(Debug, Deserialize)]
struct Dependency {
    name: String,
    /// Absent for an ordinary one.
    kind: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Target {
    name: String,
    crate_types: Vec<String>,
}

impl Target {
    fn crate_name(&self) -> String {
        self.name.replace('-', "_")
    }
}

/// The component of a crate. `None` where the crate is no module of the workspace: what it holds runs
/// natively only, in production as here.
pub(super) fn of(crate_name: &str) -> Verdict<Option<Artifact>> {
    // Looked at once: the sources do not change while tests run.
    static KNOWN: Mutex<BTreeMap<String, Result<Option<Artifact>, Fault>>> =
        Mutex::new(BTreeMap::new());
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    let found = known
        .entry(crate_name.to_owned())
        .or_insert_with(|| find(crate_name));
    found.clone().map_err(|fault| Box::new(fault.report()))
}

/// A report that can be made again for each test.
#[derive(Debug, Clone)]
struct Fault {
    headline: String,
    component: String,
    cause: String,
    fix: &'static str,
}

impl Fault {
    fn report(self) -> Report {
        Report::new(self.headline)
            .section("component", self.component)
            .cause(self.cause)
            .fix(self.fix)
    }
}

const BUILD: &str = "run `umari build`, or let `umari test` do it";

fn find(crate_name: &str) -> Result<Option<Artifact>, Fault> {
    let metadata = metadata().map_err(|cause| Fault {
        headline: format!("the component of `{crate_name}` cannot be looked for"),
        component: String::new(),
        cause: cause.clone(),
        fix: "run the tests with cargo, in the workspace that they belong to",
    })?;
    let Some(package) = metadata
        .packages
        .iter()
        .find(|package| package.is_module(crate_name))
    else {
        return Ok(None);
    };
    let target = &metadata.target_directory;
    let path = target
        .join("wasm32-wasip2/release")
        .join(format!("{crate_name}.wasm"));
    let shown = metadata.shown(&path);
    let fault = |what: &str, cause: String| Fault {
        headline: format!("the component of `{}` {what}", package.name),
        component: shown.clone(),
        cause,
        fix: BUILD,
    };
    match metadata.freshness(package, &path) {
        Freshness::UpToDate => Ok(Some(Artifact {
            path,
            shown,
            cache: target.join("umari-components"),
            settings: package.settings(),
        })),
        Freshness::Missing => Err(fault("is not built", "there is no such file".to_owned())),
        Freshness::Unknown(notes) => Err(fault(
            "may be out of date",
            format!("the list of its sources, {notes}, is not there"),
        )),
        Freshness::OutOfDate(cause) => Err(fault("is out of date", cause)),
    }
}

/// What is known about a component's age.
enum Freshness {
    UpToDate,
    Missing,
    /// The list of sources that is not there.
    Unknown(String),
    /// Why.
    OutOfDate(String),
}

impl Metadata {
    /// Compares a component with the sources that are listed beside it.
    fn freshness(&self, package: &Package, component: &Path) -> Freshness {
        let Some(built) = modified(component) else {
            return Freshness::Missing;
        };
        let notes = component.with_extension("d");
        let Ok(sources) = std::fs::read_to_string(&notes) else {
            return Freshness::Unknown(self.shown(&notes));
        };
        // A build that changes nothing leaves one of the two as it was.
        let built = modified(&notes).map_or(built, |noted| built.max(noted));
        let mut files = sources_in(&sources, &self.workspace_root);
        files.push(package.manifest_path.clone());
        let newer = files.iter().find_map(|file| match modified(file) {
            None => Some(format!("{} is gone", self.shown(file))),
            Some(time) if time > built => Some(format!("{} is newer", self.shown(file))),
            Some(_) => None,
        });
        newer.map_or(Freshness::UpToDate, Freshness::OutOfDate)
    }

    /// The path as the user knows it.
    fn shown(&self, path: &Path) -> String {
        let path = path.strip_prefix(&self.workspace_root).unwrap_or(path);
        path.display().to_string()
    }
}

impl Package {
    /// What `umari build` sends along with the module, besides its variables, which a scenario
    /// gives.
    fn settings(&self) -> Map<String, Value> {
        let of = |key: &str| {
            Some((
                key.to_owned(),
                self.metadata.get("umari")?.get(key)?.clone(),
            ))
        };
        ["start", "limits", "http"]
            .into_iter()
            .filter_map(of)
            .collect()
    }

    /// A module is a library for WASM that depends on the SDK.
    fn is_module(&self, crate_name: &str) -> bool {
        let is_cdylib = |target: &Target| target.crate_types.iter().any(|it| it == "cdylib");
        let is_sdk = |it: &Dependency| it.name == "umari" && it.kind.is_none();
        self.targets
            .iter()
            .any(|target| is_cdylib(target) && target.crate_name() == crate_name)
            && self.dependencies.iter().any(is_sdk)
    }
}

/// Asks cargo once. Dependencies are not resolved, so this needs no network.
fn metadata() -> Result<&'static Metadata, &'static String> {
    static ASKED: OnceLock<Result<Metadata, String>> = OnceLock::new();
    ASKED
        .get_or_init(|| {
            let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
            let mut cargo = Command::new(cargo);
            cargo.args(["metadata", "--format-version", "1", "--no-deps"]);
            if let Some(target) = target_directory() {
                cargo.env("CARGO_TARGET_DIR", target);
            }
            let output = cargo
                .output()
                .map_err(|error| format!("cargo could not be started: {error}"))?;
            if !output.status.success() {
                return Err(String::from_utf8_lossy(&output.stderr).trim().to_owned());
            }
            serde_json::from_slice(&output.stdout).map_err(|error| error.to_string())
        })
        .as_ref()
}

/// What a relative `CARGO_TARGET_DIR` meant where cargo was called: this executable is in it.
fn target_directory() -> Option<PathBuf> {
    let relative = PathBuf::from(std::env::var_os("CARGO_TARGET_DIR")?);
    let executable = std::env::current_exe().ok()?;
    let mut around = executable.ancestors().filter(|_| relative.is_relative());
    around
        .find(|directory| directory.ends_with(&relative))
        .map(Path::to_owned)
}

fn modified(path: &Path) -> Option<SystemTime> {
    std::fs::metadata(path).ok()?.modified().ok()
}

/// The files after `component.wasm:`, separated by blanks; a blank in a name has a backslash before it.
fn sources_in(notes: &str, root: &Path) -> Vec<PathBuf> {
    let Some((_, files)) = notes
        .lines()
        .next()
        .unwrap_or_default()
        .split_once(".wasm:")
    else {
        return Vec::new();
    };
    let files = files.replace("\\ ", "\0");
    files
        .split_whitespace()
        .map(|file| root.join(file.replace('\0', " ")))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_says_how_its_module_runs() {
        let package = |metadata: Value| {
            serde_json::from_value::<Package>(serde_json::json!({
                "name": "notify", "manifest_path": "Cargo.toml", "dependencies": [], "targets": [],
                "metadata": metadata,
            }))
            .expect("a package")
            .settings()
        };
        assert!(package(Value::Null).is_empty());
        assert!(package(serde_json::json!({ "docs": {} })).is_empty());
        let said = serde_json::json!({ "http": ["a.example"], "limits": { "memory_mb": 8 } });
        let mut all = said.clone();
        all["env"] = serde_json::json!({ "A": "b" });
        let settings = package(serde_json::json!({ "umari": all }));
        assert_eq!(Value::Object(settings), said);
    }

    #[test]
    fn sources_are_absolute_or_from_the_root_and_may_have_blanks() {
        let notes = "/t/a.wasm: /w/src/lib.rs /w/my\\ src/b.rs src/c.rs\n";
        let files = sources_in(notes, Path::new("/w"));
        let expected = ["/w/src/lib.rs", "/w/my src/b.rs", "/w/src/c.rs"];
        assert_eq!(files, expected.map(PathBuf::from));
    }
}
