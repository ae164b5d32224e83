//! Between cargo and the compiler, so that modules are optimised across crates.
//!
//! Cargo does that (LTO) only where everything that a crate is built to allows it. A module is a
//! cdylib and, for the effects and tests that link it, an rlib, which does not allow it. So a
//! build for deployment gives cargo this very program as its `RUSTC_WRAPPER`, and the one call
//! with both kinds becomes two: first as cargo wants it, then the cdylib alone, with LTO.
//!
//! Between the two the component is there, and is asked for the schemas of its commands. The
//! second call is told them, and leaves out the code that makes them: about 40 KB, which would run
//! once in the life of a version.
//!
//! Which files there are, and which of them are up to date, stays cargo's business. It does not
//! know of the second call, so no other cargo may work in the target directory of such a build.

use std::env;
use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use super::profile::Lto;
use super::schemas;
use super::toolchain::TARGET;
use crate::output;

/// Tells this program that it is the wrapper, and which LTO the cdylibs get.
const LTO: &str = "UMARI_RUSTC_LTO";
/// The wrapper that the user has, which is called in turn.
const WRAPPED: &str = "UMARI_RUSTC_WRAPPED";
/// Cargo's variable.
const WRAPPER: &str = "RUSTC_WRAPPER";

/// Makes the cargo of `command` call the compiler through this program.
pub(crate) fn wrap(command: &mut Command, lto: Lto) -> io::Result<()> {
    if let Some(wrapped) = env::var_os(WRAPPER).filter(|wrapped| !wrapped.is_empty()) {
        command.env(WRAPPED, wrapped);
    }
    command
        .env(WRAPPER, env::current_exe()?)
        .env(LTO, lto.name());
    Ok(())
}

/// Does the wrapper's work if that is what this process was started for.
pub(crate) fn run() -> Option<ExitCode> {
    let lto = env::var_os(LTO)?;
    let mut args = env::args_os().skip(1);
    let rustc = args.next()?;
    let args: Vec<OsString> = args.collect();
    let calls = match calls(&args, &lto) {
        Calls::AsItIs => return Some(compile(&rustc, &args, Vec::new())),
        Calls::Only(call) => return Some(compile(&rustc, &call, Vec::new())),
        Calls::Twice(second) => second,
    };
    let first = compile(&rustc, &args, Vec::new());
    if first != ExitCode::SUCCESS {
        return Some(first);
    }
    // A module that cannot be asked is only larger; whoever loads it says what is wrong with it.
    let known = component(&args).and_then(|component| schemas::variables(&component).ok());
    Some(compile(&rustc, &calls, known.unwrap_or_default()))
}

/// Calls the compiler, through the user's wrapper where there is one.
fn compile(rustc: &OsStr, args: &[OsString], env: Vec<(String, String)>) -> ExitCode {
    let mut command = match env::var_os(WRAPPED) {
        Some(wrapped) => {
            let mut command = Command::new(wrapped);
            command.arg(rustc);
            command
        }
        None => Command::new(rustc),
    };
    match command.args(args).envs(env).status() {
        Ok(status) if status.success() => ExitCode::SUCCESS,
        Ok(status) => {
            let code = status.code().and_then(|code| u8::try_from(code).ok());
            ExitCode::from(code.unwrap_or(1))
        }
        Err(error) => {
            let rustc = rustc.display();
            output::progress(&format!("error: {rustc} could not be started: {error}"));
            ExitCode::FAILURE
        }
    }
}

/// Where a call for a cdylib leaves it.
fn component(args: &[OsString]) -> Option<PathBuf> {
    let value = |flag: &str| {
        let mut pairs = args.windows(2);
        pairs.find_map(|pair| (pair[0] == flag).then_some(&*pair[1]))
    };
    let suffix = args
        .iter()
        .find_map(|arg| arg.to_str()?.strip_prefix("extra-filename="));
    let name = value("--crate-name")?.to_str()?;
    let file = format!("{name}{}.wasm", suffix.unwrap_or_default());
    Some(Path::new(value("--out-dir")?).join(file))
}

/// The calls of the compiler that do what one call of cargo asks for.
#[derive(Debug, PartialEq)]
enum Calls {
    /// That one.
    AsItIs,
    /// One for the same with other settings.
    Only(Vec<OsString>),
    /// That one, and then this one for the component alone.
    Twice(Vec<OsString>),
}

fn calls(args: &[OsString], lto: &OsStr) -> Calls {
    let has = |flag: &str, value: &str| {
        args.windows(2)
            .any(|pair| pair[0] == flag && pair[1] == value)
    };
    let asks = args.iter().any(|arg| {
        arg.to_str()
            .is_some_and(|arg| arg == "-" || arg.starts_with("--print"))
    });
    if asks || !has("--target", TARGET) || !has("--crate-type", "cdylib") {
        return Calls::AsItIs;
    }
    let mut cdylib = cdylib_alone(args);
    let mut add = |value: String| cdylib.extend(["-C".into(), value.into()]);
    // The linker leaves room in every address and index for the largest there could be. It only
    // refuses to take it out where that would make debug information wrong.
    if has("-C", "strip=symbols") || has("-C", "strip=debuginfo") {
        add("link-arg=--compress-relocations".to_owned());
    }
    if !has("--crate-type", "rlib") {
        // Nothing but a cdylib: cargo itself has asked for LTO.
        return Calls::Only(cdylib);
    }
    add(format!("lto={}", lto.display()));
    // The first call has said everything that there is to say about the source.
    cdylib.extend(["--cap-lints".into(), "allow".into()]);
    Calls::Twice(cdylib)
}

/// The call for nothing but the cdylib. What it depends on cargo knows from the first call.
fn cdylib_alone(args: &[OsString]) -> Vec<OsString> {
    let mut kept: Vec<OsString> = Vec::with_capacity(args.len());
    for arg in args {
        let is_kind = kept.last().is_some_and(|flag| flag == "--crate-type");
        let is_emit = arg.to_str().is_some_and(|arg| arg.starts_with("--emit="));
        if is_kind && arg != "cdylib" {
            kept.pop();
        } else if is_emit {
            kept.push("--emit=link".into());
        } else {
            kept.push(arg.clone());
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};

    fn args(call: &str) -> Vec<OsString> {
        call.split(' ').map(OsString::from).collect()
    }

    fn check(call: &str, expected: &Expect) {
        let written = match calls(&args(call), OsStr::new("fat")) {
            Calls::AsItIs => "as it is".to_owned(),
            Calls::Only(call) => format!("only {}", call.join(OsStr::new(" ")).display()),
            Calls::Twice(call) => format!("then {}", call.join(OsStr::new(" ")).display()),
        };
        expected.assert_eq(&written);
    }

    #[test]
    fn a_module_that_others_link_is_compiled_twice() {
        check(
            "--crate-name leave --emit=dep-info,link --crate-type cdylib --crate-type rlib --target wasm32-wasip2 -C strip=symbols",
            &expect![
                "then --crate-name leave --emit=link --crate-type cdylib --target wasm32-wasip2 -C strip=symbols -C link-arg=--compress-relocations -C lto=fat --cap-lints allow"
            ],
        );
    }

    #[test]
    fn a_module_that_nobody_links_has_its_lto_from_cargo() {
        check(
            "--crate-name leave --crate-type cdylib -C lto --target wasm32-wasip2 -C strip=symbols",
            &expect![
                "only --crate-name leave --crate-type cdylib -C lto --target wasm32-wasip2 -C strip=symbols -C link-arg=--compress-relocations"
            ],
        );
    }

    #[test]
    fn debug_information_keeps_the_linker_from_moving_code() {
        check(
            "--crate-type cdylib --crate-type rlib --target wasm32-wasip2",
            &expect![
                "then --crate-type cdylib --target wasm32-wasip2 -C lto=fat --cap-lints allow"
            ],
        );
    }

    #[test]
    fn everything_else_is_called_as_it_is() {
        for call in [
            "-vV",
            "- --crate-name ___ --print=file-names --crate-type cdylib --crate-type rlib --target wasm32-wasip2",
            "--crate-name serde --crate-type lib --target wasm32-wasip2",
            "--crate-name native --crate-type cdylib --crate-type rlib",
        ] {
            assert_eq!(calls(&args(call), OsStr::new("fat")), Calls::AsItIs);
        }
    }

    #[test]
    fn the_component_is_where_cargo_wants_it() {
        let call = "--crate-name leave --out-dir target/deps -C metadata=1 -C extra-filename=-2";
        assert_eq!(
            component(&args(call)),
            Some(PathBuf::from("target/deps/leave-2.wasm"))
        );
        assert_eq!(component(&args("--crate-name leave")), None);
    }
}
