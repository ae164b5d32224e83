//! `[package.metadata.umari]`: what a Cargo.toml says to this command.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use crate::args::EnvPair;
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
    /// What `umari dev` does besides running the modules.
    #[serde(default)]
    pub(crate) dev: DevMetadata,
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
    let wrong = |why: String| {
        Fault::new(format!("the umari metadata in {place} cannot be used"))
            .why(why)
            .help("see `umari dev --help` for what can stand there")
    };
    let read = UmariMetadata::deserialize(table).map_err(|error| wrong(error.to_string()))?;
    for (key, value) in &read.env {
        // The same rules as on the command line.
        format!("{key}={value}")
            .parse::<EnvPair>()
            .map_err(|why| wrong(format!("env: {why}")))?;
    }
    Ok(read)
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
        assert!(why(&json!({ "umari": { "env": { "A": [] } } })).contains("`A` must be a string"));
        assert!(
            why(&json!({ "umari": { "env": { "A B": "x" } } }))
                .contains("`A B` is not a variable's name")
        );
        assert!(
            why(&json!({ "umari": { "enviroment": {} } })).contains("unknown field `enviroment`")
        );
        assert!(
            why(&json!({ "umari": { "dev": { "run": [{}] } } }))
                .contains("missing field `package`")
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
