//! What a component says about itself, read before anything of it is compiled.

use serde::Deserialize;
use wasmparser::{Encoding, Parser, Payload};

use crate::bindings::CONTRACT_VERSION;
use crate::modules::{ModuleKind, ModuleName};

mod extent;

use self::extent::Extent;

/// The custom section that every module carries; `wit/README.md` describes it.
const RECORD_SECTION: &str = "umari.module";

/// One export of a module, as its record names it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct ModuleExport {
    kind: String,
    /// Given for commands.
    #[serde(default)]
    name: Option<String>,
    /// Version of the SDK that the module was built with.
    pub sdk: String,
    /// Version of the contract that the module was built against.
    pub contract: String,
}

/// Why a component was refused before it was compiled.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InspectError {
    /// Not WebAssembly at all, or damaged.
    #[error("this is not a webassembly component: {0}")]
    Malformed(String),
    /// More than a host compiles.
    #[error(
        "the component has {given} {what}: at most {most} are allowed; build it for release, or \
         make several modules of it"
    )]
    TooMuch {
        /// What there is too much of.
        what: &'static str,
        /// How much of it there is, as far as it was counted.
        given: u64,
        /// How much of it there may be.
        most: u64,
    },
    /// A core module.
    #[error(
        "this is a core webassembly module, not a component; build it for the target wasm32-wasip2"
    )]
    CoreModule,
    /// No module record.
    #[error(
        "this component carries no umari module record; export something with #[export_command], \
         export_projector! or export_effect!"
    )]
    NoRecord,
    /// A module record that cannot be read.
    #[error("the component's umari module record cannot be read: {0}")]
    BadRecord(String),
    /// A contract that this host does not implement.
    #[error(
        "this module was built with umari {sdk} for contract {contract}, but this host implements \
         contract {host}; build the module with a matching umari"
    )]
    Contract {
        /// Version of the module's SDK.
        sdk: String,
        /// Version of the module's contract.
        contract: String,
        /// Version of the host's contract.
        host: &'static str,
    },
    /// The component carries other things than what it was uploaded as.
    #[error("this component does not export the {kind} {name:?}; it exports {exports}")]
    OtherExport {
        /// What it was uploaded as.
        kind: ModuleKind,
        /// The name that it was uploaded under.
        name: String,
        /// What the record names, for people.
        exports: String,
    },
}

/// Finds the export under which `wasm` is uploaded.
///
/// # Errors
///
/// [`InspectError`], when the bytes are no component, speak another contract, or carry
/// something else.
pub fn inspect(
    wasm: &[u8],
    kind: ModuleKind,
    name: &ModuleName,
) -> Result<ModuleExport, InspectError> {
    let exports = read_record(wasm)?;
    for export in &exports {
        if !is_compatible(&export.contract) {
            return Err(InspectError::Contract {
                sdk: export.sdk.clone(),
                contract: export.contract.clone(),
                host: CONTRACT_VERSION,
            });
        }
    }
    let is_it = |export: &&ModuleExport| {
        export.kind == kind.to_string()
            && (kind != ModuleKind::Command || export.name.as_deref() == Some(name.as_str()))
    };
    exports
        .iter()
        .find(is_it)
        .cloned()
        .ok_or_else(|| InspectError::OtherExport {
            kind,
            name: name.to_string(),
            exports: list(&exports),
        })
}

fn list(exports: &[ModuleExport]) -> String {
    let names: Vec<String> = exports
        .iter()
        .map(|export| match &export.name {
            Some(name) => format!("the {} {name:?}", export.kind),
            None => format!(
                "a{} {}",
                if export.kind == "effect" { "n" } else { "" },
                export.kind
            ),
        })
        .collect();
    names.join(", ")
}

fn read_record(wasm: &[u8]) -> Result<Vec<ModuleExport>, InspectError> {
    let malformed =
        |error: wasmparser::BinaryReaderError| InspectError::Malformed(error.to_string());
    let mut exports = Vec::new();
    let mut outermost = true;
    let mut extent = Extent::default();
    for payload in Parser::new(0).parse_all(wasm) {
        let payload = payload.map_err(malformed)?;
        if !outermost {
            extent.add(&payload)?;
        }
        match payload {
            Payload::Version {
                encoding: Encoding::Module,
                ..
            } if outermost => {
                return Err(InspectError::CoreModule);
            }
            Payload::Version { .. } => outermost = false,
            Payload::CustomSection(section) if section.name() == RECORD_SECTION => {
                parse_lines(section.data(), &mut exports)?;
            }
            _ => {}
        }
    }
    if outermost {
        return Err(InspectError::Malformed("it is empty".into()));
    }
    if exports.is_empty() {
        Err(InspectError::NoRecord)
    } else {
        Ok(exports)
    }
}

fn parse_lines(data: &[u8], exports: &mut Vec<ModuleExport>) -> Result<(), InspectError> {
    for line in data
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
    {
        let export = serde_json::from_slice(line)
            .map_err(|error| InspectError::BadRecord(error.to_string()))?;
        exports.push(export);
    }
    Ok(())
}

/// Whether this host runs modules that were built for a contract of this version: the first non-zero
/// component has to be the same, as for crates.
pub fn is_compatible(contract: &str) -> bool {
    let ours = semver::Version::parse(CONTRACT_VERSION);
    let theirs = semver::Version::parse(contract);
    let (Ok(ours), Ok(theirs)) = (ours, theirs) else {
        return false;
    };
    if ours.major > 0 || theirs.major > 0 {
        return ours.major == theirs.major;
    }
    if ours.minor > 0 || theirs.minor > 0 {
        return ours.minor == theirs.minor;
    }
    ours.patch == theirs.patch
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A component with one empty core module that carries `record`.
    fn component(record: &str) -> Vec<u8> {
        let mut section = vec![u8::try_from(RECORD_SECTION.len()).unwrap()];
        section.extend(RECORD_SECTION.as_bytes());
        section.extend(record.as_bytes());
        let mut module = b"\0asm\x01\0\0\0".to_vec();
        push_section(&mut module, 0, &section);
        let mut component = b"\0asm\x0d\0\x01\0".to_vec();
        push_section(&mut component, 1, &module);
        component
    }

    fn push_section(to: &mut Vec<u8>, id: u8, content: &[u8]) {
        to.push(id);
        let mut length = content.len();
        loop {
            let byte = u8::try_from(length & 0x7f).unwrap();
            length >>= 7;
            to.push(if length > 0 { byte | 0x80 } else { byte });
            if length == 0 {
                break;
            }
        }
        to.extend(content);
    }

    fn inspect_as(wasm: &[u8], kind: ModuleKind, name: &str) -> Result<ModuleExport, InspectError> {
        inspect(wasm, kind, &name.parse().unwrap())
    }

    fn line(kind: &str, name: &str, contract: &str) -> String {
        format!(
            "{{\"kind\":\"{kind}\",\"name\":\"{name}\",\"sdk\":\"9.9.9\",\"contract\":\"{contract}\"}}\n"
        )
    }

    #[test]
    fn bytes_that_are_no_component_are_refused() {
        for wasm in [&b""[..], b"hello", b"\0asm\x01\0", b"\0asm\x0d\0\x01\0\xff"] {
            let error = inspect_as(wasm, ModuleKind::Command, "a").unwrap_err();
            assert!(
                matches!(error, InspectError::Malformed(_)),
                "{wasm:?}: {error}"
            );
        }
        let module = b"\0asm\x01\0\0\0";
        assert_eq!(
            inspect_as(module, ModuleKind::Command, "a"),
            Err(InspectError::CoreModule)
        );
        let bare = b"\0asm\x0d\0\x01\0";
        assert_eq!(
            inspect_as(bare, ModuleKind::Command, "a"),
            Err(InspectError::NoRecord)
        );
    }

    #[test]
    fn an_unreadable_record_is_refused() {
        let error = inspect_as(&component("{}"), ModuleKind::Command, "a").unwrap_err();
        assert!(matches!(error, InspectError::BadRecord(_)));
    }

    #[test]
    fn another_contract_is_refused_with_both_versions() {
        for contract in ["0.9.0", "1.0.0", "nonsense"] {
            let wasm = component(&line("command", "a", contract));
            let text = inspect_as(&wasm, ModuleKind::Command, "a")
                .unwrap_err()
                .to_string();
            assert!(
                text.contains(contract) && text.contains(CONTRACT_VERSION),
                "{text}"
            );
        }
        inspect_as(
            &component(&line("command", "a", "0.1.7")),
            ModuleKind::Command,
            "a",
        )
        .unwrap();
    }

    #[test]
    fn another_export_is_refused_and_named() {
        let wasm = component(&format!(
            "{}{}",
            line("command", "a", "0.1.0"),
            line("command", "b", "0.1.0")
        ));
        inspect_as(&wasm, ModuleKind::Command, "b").unwrap();
        let text = inspect_as(&wasm, ModuleKind::Command, "c")
            .unwrap_err()
            .to_string();
        assert!(text.contains("\"a\"") && text.contains("\"b\""), "{text}");
        inspect_as(&wasm, ModuleKind::Projector, "b").unwrap_err();
    }
}
