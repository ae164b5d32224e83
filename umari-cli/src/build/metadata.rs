//! `[package.metadata.umari]`: what a Cargo.toml says to this command.

use std::collections::BTreeMap;

use host_minimal::Settings;
use host_minimal::modules::ModuleSettings;
use host_minimal::modules::settings::{HttpTarget, ModuleLimits, Start};
use serde::Deserialize;
use serde_json::Value;

use crate::args::EnvPair;
use crate::kind::ModuleKind;
use crate::output::fault::Fault;

/// The `umari` table of one package.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct UmariMetadata {
    /// The module's environment variables. Numbers and booleans become text.
    #[serde(default, deserialize_with = "scalars")]
    pub(crate) env: BTreeMap<String, String>,
    /// The name to deploy a projector or effect under, where it is not the package's.
    #[serde(default)]
    pub(crate) name: Option<String>,
    /// The commands to deploy a crate for, where it exports several.
    #[serde(default)]
    pub(crate) commands: Vec<String>,
    /// Where a projector or an effect begins that has no position yet: `"beginning"` or
    /// `"latest"`.
    #[serde(default)]
    start: Start,
    /// What the module may use, where that is less than the host allows.
    #[serde(default)]
    limits: ModuleLimits,
    /// Where an effect may send requests.
    #[serde(default)]
    http: Option<Vec<HttpTarget>>,
    /// What `umari dev` does besides running the modules.
    #[serde(default)]
    pub(crate) dev: DevMetadata,
}

impl UmariMetadata {
    /// What goes along with the module's upload, besides its variables.
    pub(crate) fn settings(&self) -> ModuleSettings {
        let mut settings = ModuleSettings::default();
        settings.start = self.start;
        settings.limits = self.limits;
        settings.http.clone_from(&self.http);
        settings
    }

    /// The settings, checked for a module of this kind. A server may allow less than is usual, and
    /// says so itself.
    pub(crate) fn settings_for(&self, kind: ModuleKind) -> Result<ModuleSettings, String> {
        let settings = self.settings();
        settings
            .check(kind.into(), &Settings::default())
            .map_err(|error| error.to_string())?;
        Ok(settings)
    }
}

/// `[package.metadata.umari.dev]`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DevMetadata {
    /// Lines for the summary. `{url}`, `{addr}`, `{data_dir}` and `{path}` are filled in.
    #[serde(rename = "try", default)]
    pub(crate) try_lines: Vec<String>,
    /// Programs that start and end with `umari dev`.
    #[serde(default)]
    pub(crate) run: Vec<RunMetadata>,
}

/// One program of `run`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RunMetadata {
    /// The workspace package that holds it.
    pub(crate) package: String,
    /// Its binary, where the package has several.
    #[serde(default)]
    pub(crate) bin: Option<String>,
    /// What its output is marked with; the binary's name where nothing is said.
    #[serde(default)]
    pub(crate) name: Option<String>,
    /// Its arguments, with the same fillings as `try`.
    #[serde(default)]
    pub(crate) args: Vec<String>,
    /// Its environment variables beside the inherited ones, with the same fillings.
    #[serde(default, deserialize_with = "scalars")]
    pub(crate) env: BTreeMap<String, String>,
}

/// Reads the table from a package's or workspace's `metadata`. `place` names the file for errors.
pub(crate) fn read(metadata: &Value, place: &str) -> Result<UmariMetadata, Fault> {
    let Some(table) = metadata.get("umari") else {
        return Ok(UmariMetadata::default());
    };
    let wrong = |why: String| unusable(place, &why);
    let read: UmariMetadata = serde_path_to_error::deserialize(table).map_err(|error| {
        let path = error.path().to_string();
        wrong(match path.as_str() {
            "." => error.into_inner().to_string(),
            path => format!("`{path}`: {}", error.inner()),
        })
    })?;
    for (key, value) in &read.env {
        // The same rules as on the command line.
        format!("{key}={value}")
            .parse::<EnvPair>()
            .map_err(|why| wrong(format!("env: {why}")))?;
    }
    Ok(read)
}

/// The failure for a table that cannot be used.
pub(crate) fn unusable(place: &str, why: &str) -> Fault {
    Fault::new(format!("the umari metadata in {place} cannot be used"))
        .why(why)
        .help("see `umari deploy --help` and `umari dev --help` for what can stand there")
}

/// Fills `{url}` and the like into a text of the metadata. Unknown names stay as they are, since
/// braces are common in JSON.
pub(crate) fn fill(text: &str, fillings: &[(&str, &str)]) -> String {
    fillings
        .iter()
        .fold(text.to_owned(), |text, (name, value)| {
            text.replace(&format!("{{{name}}}"), value)
        })
}

fn scalars<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<BTreeMap<String, String>, D::Error> {
    let values = BTreeMap::<String, Value>::deserialize(deserializer)?;
    let text = |(key, value): (String, Value)| match value {
        Value::String(text) => Ok((key, text)),
        Value::Number(number) => Ok((key, number.to_string())),
        Value::Bool(flag) => Ok((key, flag.to_string())),
        _ => Err(serde::de::Error::custom(format!(
            "`{key}` must be a string, a number or a boolean"
        ))),
    };
    values.into_iter().map(text).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn why(metadata: &Value) -> String {
        read(metadata, "x/Cargo.toml").unwrap_err().render()
    }

    #[test]
    fn a_package_without_a_table_has_no_settings() {
        assert_eq!(read(&Value::Null, "x"), Ok(UmariMetadata::default()));
        assert_eq!(
            read(&json!({ "docs": {} }), "x"),
            Ok(UmariMetadata::default())
        );
    }

    #[test]
    fn variables_are_text_numbers_or_booleans() {
        let read = read(
            &json!({ "umari": { "env": { "A": "x", "B": 1, "C": true } } }),
            "x",
        )
        .expect("metadata");
        let expected = [("A", "x"), ("B", "1"), ("C", "true")]
            .map(|(key, value)| (key.to_owned(), value.to_owned()));
        assert_eq!(read.env, BTreeMap::from(expected));
    }

    #[test]
    fn mistakes_name_the_key() {
        assert!(
            why(&json!({ "umari": { "env": { "A": [] } } }))
                .contains("`env`: `A` must be a string")
        );
        assert!(
            why(&json!({ "umari": { "env": { "A B": "x" } } }))
                .contains("`A B` is not a variable's name")
        );
        assert!(why(&json!({ "umari": { "enviroment": {} } })).contains(
            "unknown field `enviroment`, expected one of `env`, `name`, `commands`, `start`, \
                 `limits`, `http`, `dev`"
        ));
        assert!(
            why(&json!({ "umari": { "limits": { "memroy_mb": 1 } } })).contains(
                "unknown field `memroy_mb`, expected one of `memory_mb`, `deadline_ms`, "
            )
        );
        assert!(
            why(&json!({ "umari": { "limits": { "memory_mb": "1" } } }))
                .contains("`limits.memory_mb`: invalid type: string")
        );
        assert!(
            why(&json!({ "umari": { "http": ["a.example/v1"] } }))
                .contains("`http[0]`: \"a.example/v1\" is not where requests can go")
        );
        assert!(
            why(&json!({ "umari": { "dev": { "run": [{}] } } }))
                .contains("missing field `package`")
        );
    }

    #[test]
    fn settings_are_those_of_the_kind() {
        let table = json!({ "umari": { "start": "latest", "http": ["*.a.example"] } });
        let read = read(&table, "x").expect("metadata");
        let settings = read.settings_for(ModuleKind::Effect).expect("an effect's");
        assert_eq!(settings.to_json(), table["umari"]);
        assert_eq!(
            read.settings_for(ModuleKind::Command),
            Err("`start` is not for a command: only projectors and effects follow the log".into())
        );
    }

    #[test]
    fn fillings_leave_json_alone() {
        let text = r#"curl {url}/x -d '{"url": "{other}"}'"#;
        assert_eq!(
            fill(text, &[("url", "http://h")]),
            r#"curl http://h/x -d '{"url": "{other}"}'"#
        );
    }
}
