//! The module record: what a component says about itself in its `umari.module` section.

use serde::Deserialize;
use wasmparser::{Parser, Payload};

use crate::kind::ModuleKind;

/// The custom section that holds the record.
const SECTION: &str = "umari.module";

/// One export of a module.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Export {
    /// What it is.
    pub(crate) kind: ModuleKind,
    /// Its name; given for commands.
    #[serde(default)]
    pub(crate) name: Option<String>,
    /// The version of the SDK that it was built with.
    pub(crate) sdk: String,
    /// The version of the contract that it was built for.
    pub(crate) contract: String,
}

/// Why a file is no module.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RecordError {
    /// Not WASM, or damaged.
    #[error("it is not valid WASM")]
    Wasm(#[source] wasmparser::BinaryReaderError),
    /// No record.
    #[error("it has no `{SECTION}` record, so it exports no command, projector or effect")]
    Absent,
    /// A record that does not read.
    #[error("its `{SECTION}` record cannot be read")]
    Malformed(#[source] serde_json::Error),
}

/// Reads the record of a component or of a core module.
pub(crate) fn read(wasm: &[u8]) -> Result<Vec<Export>, RecordError> {
    let mut exports: Vec<Export> = Vec::new();
    for payload in Parser::new(0).parse_all(wasm) {
        let Payload::CustomSection(section) = payload.map_err(RecordError::Wasm)? else {
            continue;
        };
        if section.name() != SECTION {
            continue;
        }
        // One document per line; crates that are linked into one module each add theirs.
        for export in serde_json::Deserializer::from_slice(section.data()).into_iter() {
            let export = export.map_err(RecordError::Malformed)?;
            if !exports.contains(&export) {
                exports.push(export);
            }
        }
    }
    if exports.is_empty() {
        Err(RecordError::Absent)
    } else {
        Ok(exports)
    }
}

/// What a module is, as a whole. An effect or projector may link public commands; it stays one.
pub(crate) fn kind_of(exports: &[Export]) -> ModuleKind {
    let has = |kind| exports.iter().any(|export| export.kind == kind);
    [ModuleKind::Effect, ModuleKind::Projector]
        .into_iter()
        .find(|kind| has(*kind))
        .unwrap_or(ModuleKind::Command)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    fn leb(mut value: usize, out: &mut Vec<u8>) {
        loop {
            let byte = u8::try_from(value & 0x7f).expect("seven bits");
            value >>= 7;
            out.push(if value == 0 { byte } else { byte | 0x80 });
            if value == 0 {
                return;
            }
        }
    }

    fn section(id: u8, content: &[u8]) -> Vec<u8> {
        let mut out = vec![id];
        leb(content.len(), &mut out);
        out.extend(content);
        out
    }

    /// A core module with custom sections of these names and contents.
    pub(crate) fn core(sections: &[(&str, &str)]) -> Vec<u8> {
        let mut wasm = b"\0asm\x01\0\0\0".to_vec();
        for (name, data) in sections {
            let mut content = Vec::new();
            leb(name.len(), &mut content);
            content.extend(name.as_bytes());
            content.extend(data.as_bytes());
            wasm.extend(section(0, &content));
        }
        wasm
    }

    /// A component around a core module.
    pub(crate) fn component(core: &[u8]) -> Vec<u8> {
        let mut wasm = b"\0asm\x0d\0\x01\0".to_vec();
        wasm.extend(section(1, core));
        wasm
    }

    const CONNECT: &str =
        r#"{"kind":"command","name":"connect-shop","sdk":"0.1.0","contract":"0.1.0"}"#;
    const EFFECT: &str = r#"{"kind":"effect","sdk":"0.1.0","contract":"0.1.0"}"#;

    #[test]
    fn the_record_is_found_inside_the_component() {
        let wasm = component(&core(&[
            ("producers", "x"),
            (SECTION, &format!("{CONNECT}\n")),
        ]));
        let exports = read(&wasm).expect("a record");
        assert_eq!(exports.len(), 1);
        assert_eq!(
            (exports[0].kind, exports[0].name.as_deref()),
            (ModuleKind::Command, Some("connect-shop"))
        );
        assert_eq!(
            read(&core(&[(SECTION, CONNECT)])).expect("a record"),
            exports
        );
    }

    #[test]
    fn linked_crates_each_add_a_line_and_repeat_none() {
        let wasm = core(&[
            (SECTION, &format!("{CONNECT}\n{EFFECT}\n")),
            (SECTION, CONNECT),
        ]);
        let exports = read(&wasm).expect("a record");
        assert_eq!(exports.len(), 2);
        assert_eq!(kind_of(&exports), ModuleKind::Effect);
        assert_eq!(kind_of(&exports[..1]), ModuleKind::Command);
    }

    #[test]
    fn what_is_no_module_says_why() {
        assert!(matches!(read(b"not wasm"), Err(RecordError::Wasm(_))));
        assert!(matches!(
            read(&component(&core(&[]))),
            Err(RecordError::Absent)
        ));
        assert!(matches!(
            read(&core(&[(SECTION, "")])),
            Err(RecordError::Absent)
        ));
        assert!(matches!(
            read(&core(&[(SECTION, "{\"kind\":\"page\"}")])),
            Err(RecordError::Malformed(_))
        ));
        let mut cut = component(&core(&[(SECTION, CONNECT)]));
        cut.truncate(cut.len() - 4);
        assert!(matches!(read(&cut), Err(RecordError::Wasm(_))));
    }
}
