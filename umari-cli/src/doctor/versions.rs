//! Whether what works together fits together: this program, the SDK of the workspace, what was built
//! with it, and a server.

use std::collections::BTreeSet;
use std::path::Path;

use host_minimal::engine::inspect::is_compatible as is_compatible_contract;
use serde_json::Value;

use super::{Check, PATIENCE, State};
use crate::build::project::Project;
use crate::build::record::{self, Export};
use crate::build::toolchain::TARGET;
use crate::client::Client;
use crate::client::problem::ApiError;
use crate::host::CONTRACT_VERSION;
use crate::output::fault::Fault;

const PROGRAM: &str = env!("CARGO_PKG_VERSION");

pub(super) fn program() -> Check {
    let found = format!("umari {PROGRAM}, contract {CONTRACT_VERSION}");
    Check::ok("versions", found)
}

/// The SDK, and the components that are there.
pub(super) fn workspace(project: &Project) -> Vec<Check> {
    let lock = std::fs::read_to_string(project.workspace_root.join("Cargo.lock"));
    let sdks = lock.as_deref().map(locked).unwrap_or_default();
    let found = built(project);
    vec![sdk(&sdks), components(&found, &sdks)]
}

/// The versions of the SDK that a lock file has: one, where all is well.
fn locked(lock: &str) -> BTreeSet<String> {
    let document: toml_edit::DocumentMut = lock.parse().unwrap_or_default();
    let packages = document.get("package");
    let packages = packages.and_then(toml_edit::Item::as_array_of_tables);
    let text = |package: &toml_edit::Table, field: &str| {
        let text = package.get(field).and_then(toml_edit::Item::as_str);
        text.map(str::to_owned)
    };
    packages
        .into_iter()
        .flatten()
        .filter(|package| text(package, "name").as_deref() == Some("umari"))
        .filter_map(|package| text(package, "version"))
        .collect()
}

fn sdk(locked: &BTreeSet<String>) -> Check {
    const NAME: &str = "sdk";
    let mut all = locked.iter();
    match (all.next(), all.next()) {
        (None, _) => Check::new(
            NAME,
            State::None,
            "no version yet: the first build writes Cargo.lock",
        ),
        (Some(only), None) if only == PROGRAM => Check::ok(NAME, format!("umari {only}")),
        (Some(only), None) => Check::new(
            NAME,
            State::Warning,
            format!("the workspace has the SDK umari {only}, and this is umari {PROGRAM}"),
        )
        .fix(format!(
            "take the same of both: the SDK's row in Cargo.toml and `cargo update -p umari`, or a program of {only}"
        )),
        (Some(_), Some(_)) => Check::new(
            NAME,
            State::Fault,
            format!("the workspace has several SDKs: umari {}", list(locked)),
        )
        .why("what crates with different ones share, such as events, is not the same type")
        .fix("see who wants which with `cargo tree -i umari@VERSION`, and give all of them the row of the workspace"),
    }
}

/// A component in the target directory.
struct Built {
    package: String,
    profile: &'static str,
    exports: Result<Vec<Export>, String>,
}

/// What builds have left of the modules.
fn built(project: &Project) -> Vec<Built> {
    let mut found = Vec::new();
    for module in &project.modules {
        for profile in ["release", "debug"] {
            let file = format!("{}.wasm", module.package.replace('-', "_"));
            let file = project.target_dir.join(TARGET).join(profile).join(file);
            found.extend(component(&module.package, profile, &file));
        }
    }
    found
}

fn component(package: &str, profile: &'static str, file: &Path) -> Option<Built> {
    let wasm = std::fs::read(file).ok()?;
    Some(Built {
        package: package.to_owned(),
        profile,
        exports: record::read(&wasm).map_err(|error| error.to_string()),
    })
}

fn components(found: &[Built], sdks: &BTreeSet<String>) -> Check {
    const NAME: &str = "components";
    const BUILD: &str = "umari build";
    if found.is_empty() {
        return Check::new(NAME, State::None, "nothing is built yet").fix(BUILD);
    }
    let (mut faults, mut warnings) = (Vec::new(), Vec::new());
    for it in found {
        let who = format!("{} ({})", it.package, it.profile);
        match &it.exports {
            Err(why) => faults.push(format!("{who}: {why}")),
            Ok(exports) => {
                let wrong = exports
                    .iter()
                    .find(|it| !is_compatible_contract(&it.contract));
                let other = exports.iter().find(|it| !sdks.contains(&it.sdk));
                if let Some(wrong) = wrong {
                    let (sdk, contract) = (&wrong.sdk, &wrong.contract);
                    faults.push(format!(
                        "{who} is built with umari {sdk} for contract {contract}, and hosts of this version run {CONTRACT_VERSION}"
                    ));
                } else if let Some(other) = other.filter(|_| !sdks.is_empty()) {
                    warnings.push(format!(
                        "{who} is built with umari {}, and the workspace has {}",
                        other.sdk,
                        list(sdks)
                    ));
                }
            }
        }
    }
    let check = match (faults.len(), warnings.len()) {
        (0, 0) => {
            let count = counted(found.len());
            return Check::ok(NAME, format!("{count} for contract {CONTRACT_VERSION}"));
        }
        (0, count) => Check::new(
            NAME,
            State::Warning,
            format!("{} out of date", counted(count)),
        ),
        (count, _) => {
            let what = format!("{} that no host of this version runs", counted(count));
            Check::new(NAME, State::Fault, what)
        }
    };
    let why = faults.into_iter().chain(warnings);
    why.fold(check, Check::why).fix(BUILD)
}

/// Whether a server runs what is built here.
pub(super) fn server(url: &str, api_key: Option<String>) -> Check {
    const NAME: &str = "server";
    let asked = Client::with_patience(url, api_key, PATIENCE).and_then(|client| {
        let health = client.health()?;
        Ok((health.healthy, client.description()?))
    });
    let (healthy, description) = match asked {
        Ok(answer) => answer,
        Err(error @ ApiError::Refused { status: 403, .. }) => {
            let found = format!("{url} answers, and does not tell its version");
            return Check::new(NAME, State::Warning, found)
                .why(error.to_string())
                .fix("name a key with the scope `read` with --api-key or UMARI_API_KEY");
        }
        Err(error) => return Check::fault(NAME, &Fault::from(error)),
    };
    judge_server(url, healthy, &description)
}

fn judge_server(url: &str, healthy: bool, description: &Value) -> Check {
    const NAME: &str = "server";
    let info = |name: &str| description["info"][name].as_str();
    let version = info("version").unwrap_or("of an unknown version");
    let found = format!("umari {version} at {url}");
    match info("x-contract") {
        Some(contract) if !is_compatible_contract(contract) => {
            return Check::new(NAME, State::Fault, found)
                .why(format!(
                    "it runs modules for contract {contract}, and this program builds them for {CONTRACT_VERSION}"
                ))
                .fix("update whichever is older: the server, or this program and the SDK's row in Cargo.toml");
        }
        _ => {}
    }
    if !healthy {
        return Check::new(
            NAME,
            State::Warning,
            format!("{found}, and not all its modules run"),
        )
        .fix(format!("see which: umari modules --url {url}"));
    }
    if version != PROGRAM {
        return Check::new(
            NAME,
            State::Warning,
            format!("{found}, and this is umari {PROGRAM}"),
        )
        .fix("update whichever is older when you can; modules of the one run on the other");
    }
    Check::ok(NAME, found)
}

fn counted(count: usize) -> String {
    match count {
        1 => "1 component".to_owned(),
        count => format!("{count} components"),
    }
}

fn list(versions: &BTreeSet<String>) -> String {
    versions
        .iter()
        .map(String::as_str)
        .collect::<Vec<_>>()
        .join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn set<const N: usize>(versions: [&str; N]) -> BTreeSet<String> {
        versions.map(str::to_owned).into()
    }

    fn built(sdk: &str, contract: &str) -> Built {
        let export = json!({ "kind": "command", "name": "a", "sdk": sdk, "contract": contract });
        Built {
            package: "add-task".to_owned(),
            profile: "release",
            exports: Ok(vec![serde_json::from_value(export).expect("an export")]),
        }
    }

    #[test]
    fn the_sdk_is_the_one_that_is_locked() {
        let lock = "version = 4\n[[package]]\nname = \"umari\"\nversion = \"0.1.0\"\n\
                    [[package]]\nname = \"umari-macros\"\nversion = \"0.2.0\"\n";
        assert_eq!(locked(lock), set(["0.1.0"]));
        assert_eq!(locked(""), set([]));
        assert_eq!(locked("no lock at all ["), set([]));
    }

    #[test]
    fn one_sdk_of_this_version_is_as_it_should_be() {
        assert_eq!(sdk(&set([])).state, State::None);
        assert_eq!(sdk(&set([PROGRAM])).state, State::Ok);
        let older = sdk(&set(["0.0.9"]));
        assert_eq!(older.state, State::Warning);
        assert!(
            older.found.contains("umari 0.0.9, and this is umari"),
            "{older:?}"
        );
        let several = sdk(&set(["0.0.9", PROGRAM]));
        assert_eq!(several.state, State::Fault);
        assert!(several.found.contains("0.0.9, "), "{several:?}");
    }

    #[test]
    fn a_component_is_of_this_contract_and_of_the_workspaces_sdk() {
        let judge = |found: &[Built]| components(found, &set([PROGRAM]));
        assert_eq!(judge(&[]).state, State::None);
        assert_eq!(judge(&[built(PROGRAM, CONTRACT_VERSION)]).state, State::Ok);
        let older = judge(&[
            built("0.0.9", CONTRACT_VERSION),
            built(PROGRAM, CONTRACT_VERSION),
        ]);
        assert_eq!(
            (older.state, older.found.as_str(), older.why.len()),
            (State::Warning, "1 component out of date", 1)
        );
        let other = judge(&[built("9.0.0", "9.0.0")]);
        assert_eq!(other.state, State::Fault);
        assert!(
            other.why[0].contains("umari 9.0.0 for contract 9.0.0"),
            "{other:?}"
        );
        assert_eq!(other.fix, ["umari build"]);
    }

    #[test]
    fn a_server_of_another_contract_is_a_fault_and_of_another_version_a_warning() {
        let judge = |version: &str, contract: &str, healthy| {
            let info = json!({ "info": { "version": version, "x-contract": contract } });
            judge_server("http://host", healthy, &info)
        };
        assert_eq!(judge(PROGRAM, CONTRACT_VERSION, true).state, State::Ok);
        assert_eq!(judge("0.0.9", CONTRACT_VERSION, true).state, State::Warning);
        let unwell = judge(PROGRAM, CONTRACT_VERSION, false);
        assert_eq!(unwell.fix, ["see which: umari modules --url http://host"]);
        let other = judge("9.0.0", "9.0.0", true);
        assert_eq!(other.state, State::Fault);
        assert!(other.why[0].contains("contract 9.0.0"), "{other:?}");
    }
}
