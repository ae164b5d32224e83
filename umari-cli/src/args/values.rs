//! Values that need more than clap's own parsers.

use std::io::Read as _;
use std::path::PathBuf;
use std::str::FromStr;

use crate::output::fault::Fault;

/// An environment variable of a module, written `KEY=VALUE`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct EnvPair {
    /// The variable's name.
    pub(crate) key: String,
    /// Its value, which may hold further equals signs.
    pub(crate) value: String,
}

impl FromStr for EnvPair {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (key, value) = text
            .split_once('=')
            .ok_or_else(|| format!("write it as KEY=VALUE; `{text}` has no `=`"))?;
        check_key(key)?;
        Ok(Self {
            key: key.to_owned(),
            value: value.to_owned(),
        })
    }
}

/// Says what is wrong with the name of an environment variable.
pub(crate) fn check_key(key: &str) -> Result<(), String> {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if key.is_empty() || !key.chars().all(fits) || key.starts_with(|c: char| c.is_ascii_digit()) {
        return Err(format!(
            "`{key}` is not a variable's name: letters, digits and `_`, not starting with a digit"
        ));
    }
    Ok(())
}

/// A value of a query's parameter. What reads as a number, `true`, `false`, `null`, a JSON string
/// or a JSON object is that; everything else is text.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Param {
    /// The parameter's name with its prefix, where it is given by name.
    pub(crate) name: Option<String>,
    /// Its value.
    pub(crate) value: serde_json::Value,
}

impl FromStr for Param {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let named = text
            .split_once('=')
            .filter(|(name, _)| name.starts_with([':', '@', '$']));
        let (name, text) = match named {
            Some((name, text)) => (Some(name.to_owned()), text),
            None => (None, text),
        };
        let value = serde_json::from_str(text).unwrap_or_else(|_| text.into());
        Ok(Self { name, value })
    }
}

/// Where a command's input comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Input {
    /// The argument itself.
    Text(String),
    /// `@FILE`.
    File(PathBuf),
    /// `-`.
    Stdin,
}

impl FromStr for Input {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "" => Err("an input is JSON; for a command without fields write `{}`".to_owned()),
            "-" => Ok(Self::Stdin),
            "@" => Err("a file's name is missing behind `@`".to_owned()),
            _ => Ok(text.strip_prefix('@').map_or_else(
                || Self::Text(text.to_owned()),
                |file| Self::File(file.into()),
            )),
        }
    }
}

impl Input {
    /// Reads the input and checks that it is one JSON document.
    ///
    /// The text goes on as it was written: numbers and the order of fields are not ours to change.
    pub(crate) fn read(&self) -> Result<String, Fault> {
        let (text, source) = match self {
            Self::Text(text) => (text.clone(), "--input".to_owned()),
            Self::File(path) => {
                let text = std::fs::read_to_string(path).map_err(|error| {
                    Fault::new(format!("cannot read the input from {}", path.display()))
                        .why(error.to_string())
                })?;
                (text, path.display().to_string())
            }
            Self::Stdin => {
                let mut text = String::new();
                std::io::stdin()
                    .read_to_string(&mut text)
                    .map_err(|error| {
                        Fault::new("cannot read the input from stdin").why(error.to_string())
                    })?;
                (text, "stdin".to_owned())
            }
        };
        match serde_json::from_str::<serde::de::IgnoredAny>(&text) {
            Ok(_) => Ok(text),
            Err(error) => Err(Fault::usage(format!("the input from {source} is not JSON"))
                .why(error.to_string())
                .help(r#"write it as --input '{"shop_id": 1}', --input @file.json or --input - for stdin"#)),
        }
    }
}
