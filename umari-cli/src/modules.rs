//! `umari commands`, `umari projectors` and `umari effects`: modules by hand.

mod env;
mod status;

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use host_minimal::Settings;
use host_minimal::modules::ModuleSettings;

use crate::args::{EnvPair, Input, KindAction, ServerArgs};
use crate::build::record;
use crate::client::{Client, Upload};
use crate::kind::ModuleKind;
use crate::output::fault::Fault;
use crate::output::table::{Align, Table};
use crate::output::{self, GOOD, units};
use crate::replay;

/// Does what was asked with modules of one kind.
pub(crate) fn run(kind: ModuleKind, action: &KindAction) -> Result<(), Fault> {
    match action {
        KindAction::Upload {
            name,
            version,
            file,
            env,
            settings,
            activate,
            server,
        } => upload(
            &connect(server)?,
            &Given {
                kind,
                name,
                version: &version.to_string(),
                file,
                env,
                settings: settings.as_ref(),
            },
            *activate,
        ),
        KindAction::List { json, server } => {
            let answer = connect(server)?.list(kind)?;
            if *json {
                output::json(&answer);
            } else {
                list(kind, &answer);
            }
            Ok(())
        }
        KindAction::Show { name, json, server } => {
            let answer = connect(server)?.show(kind, name)?;
            if *json {
                output::json(&answer);
            } else {
                let mut shown = vec![versions(kind, name, &answer)];
                shown.extend(status::render(&answer));
                output::result(&shown.join("\n"));
            }
            Ok(())
        }
        KindAction::Env {
            name,
            version,
            json,
            server,
        } => {
            let detail = connect(server)?.show(kind, name)?;
            let version = version.as_ref().map(ToString::to_string);
            let answer = env::of(kind, name, version.as_deref(), &detail)?;
            if *json {
                output::json(&answer);
            } else {
                output::result(&env::render(&answer));
            }
            Ok(())
        }
        KindAction::Activate {
            name,
            version,
            server,
        } => activate(&connect(server)?, kind, name, &version.to_string()),
        KindAction::Deactivate { name, server } => {
            connect(server)?.deactivate(kind, name)?;
            output::status(GOOD, "Deactivated", &format!("{kind} {name}"));
            Ok(())
        }
    }
}

fn connect(server: &ServerArgs) -> Result<Client, Fault> {
    Ok(Client::new(&server.url, server.api_key.clone())?)
}

/// What the command line says about a module to upload.
struct Given<'a> {
    kind: ModuleKind,
    name: &'a str,
    version: &'a str,
    file: &'a Path,
    env: &'a [EnvPair],
    settings: Option<&'a Input>,
}

fn upload(client: &Client, given: &Given<'_>, activate: bool) -> Result<(), Fault> {
    let Given {
        kind,
        name,
        version,
        file,
        env,
        settings,
    } = *given;
    let settings = settings
        .map(|input| read_settings(kind, input))
        .transpose()?;
    let wasm = std::fs::read(file).map_err(|error| {
        Fault::new(format!("cannot read {}", file.display())).why(error.to_string())
    })?;
    check_file(kind, file, &wasm)?;
    let env: BTreeMap<String, String> = env
        .iter()
        .map(|pair| (pair.key.clone(), pair.value.clone()))
        .collect();
    client.upload(&Upload {
        kind,
        name,
        version,
        wasm: &wasm,
        env: &env,
        settings: &settings.unwrap_or_default(),
    })?;
    output::status(
        GOOD,
        "Uploaded",
        &format!(
            "{kind} {name} {version} ({})",
            units::bytes(wasm.len() as u64)
        ),
    );
    if activate {
        self::activate(client, kind, name, version)?;
    }
    Ok(())
}

fn activate(client: &Client, kind: ModuleKind, name: &str, version: &str) -> Result<(), Fault> {
    match client.activate(kind, name, version)? {
        None => output::status(GOOD, "Activated", &format!("{kind} {name} {version}")),
        Some(replay) => replay::show_begun(&replay),
    }
    Ok(())
}

fn read_settings(kind: ModuleKind, input: &Input) -> Result<ModuleSettings, Fault> {
    let settings = ModuleSettings::from_json(&input.read()?);
    settings
        .and_then(|settings| {
            settings.check(kind.into(), &Settings::default())?;
            Ok(settings)
        })
        .map_err(|error| {
            Fault::usage("the settings cannot be used")
                .why(error.to_string())
                .help(r#"write them as --settings '{"start": "latest"}', or --settings @FILE"#)
        })
}

/// Finds the usual mistakes, the wrong file and the wrong kind, before anything is sent.
fn check_file(kind: ModuleKind, file: &Path, wasm: &[u8]) -> Result<(), Fault> {
    let exports = record::read(wasm).map_err(|error| {
        Fault::new(format!("{} is not an Umari module", file.display()))
            .why(error.to_string())
            .help("modules built with `umari build` are in target/wasm32-wasip2/release")
    })?;
    let is = record::kind_of(&exports);
    if is == kind {
        return Ok(());
    }
    let fault = Fault::new(format!("{} is not a {kind}", file.display()))
        .why(format!("it is a module of the kind {is}"));
    Err(fault.help(format!("upload it with `umari {} upload`", is.plural())))
}

fn list(kind: ModuleKind, answer: &Value) {
    let modules = answer
        .get(kind.plural())
        .or_else(|| answer.get("modules"))
        .unwrap_or(answer);
    let modules = modules.as_array().map(Vec::as_slice).unwrap_or_default();
    let mut table = Table::new(&[
        ("NAME", Align::Left),
        ("ACTIVE", Align::Left),
        ("VERSIONS", Align::Left),
    ]);
    for module in modules {
        let versions = module
            .get("versions")
            .and_then(Value::as_array)
            .map(Vec::as_slice)
            .unwrap_or_default();
        let version = |version: &Value| text(version.get("version").or(Some(version)));
        let versions = versions.iter().map(version).collect::<Vec<_>>().join(" ");
        table.row([
            text(module.get("name").or(Some(module))),
            active(module).unwrap_or("-".into()),
            versions,
        ]);
    }
    if table.is_empty() {
        output::note(&format!("there are no {}", kind.plural()));
    } else {
        output::result(&table.render(""));
    }
}

fn versions(kind: ModuleKind, name: &str, answer: &Value) -> String {
    let active = active(answer);
    let mut table = Table::new(&[
        ("VERSION", Align::Left),
        ("SIZE", Align::Right),
        ("SHA-256", Align::Left),
        ("", Align::Left),
        ("SETTINGS", Align::Left),
    ]);
    for stored in answer
        .get("versions")
        .and_then(Value::as_array)
        .map(Vec::as_slice)
        .unwrap_or_default()
    {
        let version = text(stored.get("version"));
        let size = stored
            .get("size")
            .and_then(Value::as_u64)
            .map(units::bytes)
            .unwrap_or_default();
        let mark = if active.as_deref() == Some(&version) {
            "active"
        } else {
            ""
        };
        table.row([
            version,
            size,
            text(stored.get("sha256")),
            mark.to_owned(),
            settings(stored),
        ]);
    }
    format!("{kind} {name}\n{}", table.render("  "))
}

/// A version's settings on one line. Those of a newer server are shown as they come.
fn settings(stored: &Value) -> String {
    let Some(document) = stored.get("settings") else {
        return String::new();
    };
    let document = document.to_string();
    ModuleSettings::from_json(&document).map_or(document, |settings| settings.to_string())
}

fn active(module: &Value) -> Option<String> {
    let active = module
        .get("active")
        .or_else(|| module.get("active_version"))?;
    Some(active.as_str()?.to_owned())
}

fn text(value: Option<&Value>) -> String {
    value.and_then(Value::as_str).unwrap_or("-").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::build::record::tests::{component, core};
    use expect_test::expect;
    use serde_json::json;

    #[test]
    fn versions_are_a_table_with_the_active_one_marked() {
        let answer = json!({ "kind": "command", "name": "a", "active": "1.0.1", "versions": [
            { "version": "1.0.0", "sha256": "aa", "size": 98_100 },
            { "version": "1.0.1", "sha256": "bb", "size": 1_200_000,
              "settings": { "limits": { "memory_mb": 32 }, "start": "latest" } },
        ] });
        expect![[r#"
            command a
              VERSION     SIZE  SHA-256          SETTINGS
              1.0.0    98.1 KB  aa
              1.0.1     1.2 MB  bb       active  start=latest memory_mb=32"#]]
        .assert_eq(
            &anstream::adapter::strip_str(&versions(ModuleKind::Command, "a", &answer)).to_string(),
        );
    }

    #[test]
    fn a_file_of_another_kind_is_not_uploaded() {
        let record = r#"{"kind":"effect","sdk":"0.1.0","contract":"0.1.0"}"#;
        let wasm = component(&core(&[("umari.module", record)]));
        assert_eq!(
            check_file(ModuleKind::Effect, Path::new("x.wasm"), &wasm),
            Ok(())
        );
        let fault = check_file(ModuleKind::Command, Path::new("x.wasm"), &wasm).unwrap_err();
        assert!(
            fault.render().contains("umari effects upload"),
            "{}",
            fault.render()
        );
        let fault = check_file(ModuleKind::Command, Path::new("x.wasm"), b"ELF").unwrap_err();
        assert_eq!(fault.to_string(), "x.wasm is not an Umari module");
    }
}
