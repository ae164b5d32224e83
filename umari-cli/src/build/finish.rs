//! The last steps from what cargo built to the file that is deployed.

use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use wasmparser::{BinaryReaderError, Chunk, Parser, Payload};

use super::toolchain::TARGET;

/// The room of builds for deployment inside the target directory, for them alone.
const ROOM: &str = "umari";
/// Names of a component's parts, for debuggers; the linker writes them whatever it is asked for.
const NAMES: &str = "component-name";

/// Where cargo works when it builds for deployment.
pub(crate) fn room(target_dir: &Path) -> PathBuf {
    target_dir.join(ROOM)
}

/// Puts a built module at the place where a plain build has it, without names when `strip` says
/// so, and gives that place. A file that is there already and the same is left alone.
pub(crate) fn place(built: &Path, target_dir: &Path, strip: bool) -> io::Result<PathBuf> {
    let file = built
        .file_name()
        .ok_or_else(|| io::Error::from(io::ErrorKind::InvalidFilename))?;
    let dir = target_dir.join(TARGET).join("release");
    let path = dir.join(file);
    let mut wasm = std::fs::read(built)?;
    // What does not parse is for the reader of the module's record to refuse.
    if strip && let Ok(stripped) = without_names(&wasm) {
        wasm = stripped;
    }
    if std::fs::read(&path).is_ok_and(|there| there == wasm) {
        return Ok(path);
    }
    std::fs::create_dir_all(&dir)?;
    // Never in place: there the file may be a second name of one that belongs to cargo.
    let mut new = file.to_owned();
    new.push(format!(".{}", std::process::id()));
    let new = dir.join(new);
    std::fs::write(&new, wasm)?;
    std::fs::rename(&new, &path)?;
    Ok(path)
}

/// Puts cargo's list of a module's sources beside it, and dates both at `started`: whatever is newer
/// than that is not in the module. The tests that run components look there. Without a date there is
/// no list, and an old one goes.
pub(crate) fn note_sources(
    built: &Path,
    placed: &Path,
    started: Option<SystemTime>,
) -> io::Result<()> {
    let notes = placed.with_extension("d");
    let Some(started) = started else {
        return match std::fs::remove_file(&notes) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        };
    };
    let mut new = notes.clone().into_os_string();
    new.push(format!(".{}", std::process::id()));
    std::fs::copy(built.with_extension("d"), &new)?;
    std::fs::rename(&new, &notes)?;
    for path in [placed, &notes] {
        let file = std::fs::File::options().append(true).open(path)?;
        file.set_modified(started)?;
    }
    Ok(())
}

/// A component without the names of its own parts. Those inside of its modules are the linker's.
fn without_names(wasm: &[u8]) -> Result<Vec<u8>, BinaryReaderError> {
    let mut kept = Vec::with_capacity(wasm.len());
    let mut parser = Parser::new(0);
    let mut rest = wasm;
    // The whole file is there, so the parser never wants more of it.
    while let Chunk::Parsed { consumed, payload } = parser.parse(rest, true)? {
        let (mut section, mut drop) = (consumed, false);
        match payload {
            Payload::CustomSection(custom) => drop = custom.name() == NAMES,
            Payload::ModuleSection {
                unchecked_range, ..
            }
            | Payload::ComponentSection {
                unchecked_range, ..
            } => section += unchecked_range.len(),
            Payload::End(_) => break,
            _ => {}
        }
        let (done, more) = rest.split_at_checked(section).unwrap_or((rest, &[]));
        if !drop {
            kept.extend_from_slice(done);
        }
        rest = more;
    }
    Ok(kept)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::build::record::tests::{component, core};

    /// A component with a module, named parts and something else.
    fn named() -> Vec<u8> {
        let mut wasm = component(&core(&[("umari.module", "{}"), (NAMES, "of the module")]));
        for (name, data) in [(NAMES, "of the component"), ("producers", "rustc")] {
            wasm.extend(&core(&[(name, data)])[8..]);
        }
        wasm
    }

    #[test]
    fn the_names_of_a_component_go_and_all_else_stays() {
        let wasm = named();
        let stripped = without_names(&wasm).expect("a component");
        let text = String::from_utf8_lossy(&stripped);
        assert!(!text.contains("of the component"), "{text}");
        assert!(
            ["umari.module", "of the module", "producers"].map(|it| text.contains(it)) == [true; 3]
        );
        assert_eq!(without_names(&stripped).expect("a component"), stripped);
        let mut cut = wasm;
        cut.truncate(cut.len() - 2);
        assert!(without_names(&cut).is_err());
    }

    #[test]
    fn a_module_is_replaced_and_cargos_own_file_is_not_written_to() {
        let dir = tempfile::tempdir().expect("a directory");
        let release = dir.path().join(TARGET).join("release");
        std::fs::create_dir_all(&release).expect("created");
        let built = dir.path().join("leave.wasm");
        std::fs::write(&built, named()).expect("written");
        std::fs::write(release.join("cargos"), "plain").expect("written");
        std::fs::hard_link(release.join("cargos"), release.join("leave.wasm")).expect("linked");

        let path = place(&built, dir.path(), false).expect("placed");
        assert_eq!(path, release.join("leave.wasm"));
        assert_eq!(std::fs::read(&path).expect("read"), named());
        let stripped = place(&built, dir.path(), true).expect("placed");
        assert!(std::fs::read(stripped).expect("read").len() < named().len());
        let cargos = std::fs::read_to_string(release.join("cargos")).expect("read");
        assert_eq!(cargos, "plain");

        std::fs::write(dir.path().join("leave.d"), "leave.wasm: src/lib.rs\n").expect("written");
        let started = SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000_000);
        note_sources(&built, &path, Some(started)).expect("noted");
        for file in ["leave.wasm", "leave.d"] {
            let metadata = std::fs::metadata(release.join(file)).expect("a file");
            assert_eq!(metadata.modified().expect("a time"), started, "{file}");
        }
        let files = std::fs::read_dir(&release).expect("read");
        assert_eq!(files.count(), 3, "nothing is left over");
        for _ in 0..2 {
            note_sources(&built, &path, None).expect("removed");
            assert!(!release.join("leave.d").exists());
        }
    }
}
