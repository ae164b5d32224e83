//! The schemas of a built component's commands, for the build that leaves out what makes them.

use std::path::Path;

use host_minimal::engine::Engine;
use host_minimal::modules::{ModuleName, command_schema};

use super::record;
use crate::kind::ModuleKind;

/// What `#[export_command]` reads, before the command's name.
const VARIABLE: &str = "UMARI_SCHEMA_";
/// What an environment variable can hold on Linux is 128 KiB.
const BYTES_MAX: usize = 100_000;

/// The variables that tell a compiler the schemas of the commands in `component`. What tells none
/// has an empty one.
///
/// # Errors
///
/// When the component cannot be run.
pub(crate) fn variables(component: &Path) -> anyhow::Result<Vec<(String, String)>> {
    let wasm = std::fs::read(component)?;
    let exports = record::read(&wasm)?;
    let commands = exports
        .into_iter()
        .filter(|export| export.kind == ModuleKind::Command);
    let names: Vec<_> = commands.filter_map(|command| command.name).collect();
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let engine = Engine::new()?;
    let mut variables = Vec::new();
    for name in names {
        let schema =
            command_schema(&engine, &wasm, name.parse::<ModuleName>()?)?.unwrap_or_default();
        if schema.len() <= BYTES_MAX {
            variables.push((format!("{VARIABLE}{name}"), schema));
        }
    }
    Ok(variables)
}
