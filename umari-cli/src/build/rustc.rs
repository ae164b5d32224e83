//! Between cargo and the compiler, so that modules are optimised across crates.
//!
//! Cargo does that (LTO) only where everything that a crate is built to allows it. A module is a
//! cdylib and, for the effects and tests that link it, an rlib, which does not allow it. So a
//! build for deployment gives cargo this very program as its `RUSTC_WRAPPER`, and the one call
//! with both kinds becomes two: first the rlib, then the cdylib alone, with LTO.
//!
//! Which files there are, and which of them are up to date, stays cargo's business. It does not
//! know of the second call, so no other cargo may work in the target directory of such a build.

use std::env;
use std::ffi::{OsStr, OsString};
use std::io;
use std::process::{Command, ExitCode};

use super::profile::Lto;
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
    for call in calls(&args, &lto) {
        let mut command = match env::var_os(WRAPPED) {
            Some(wrapped) => {
                let mut command = Command::new(wrapped);
                command.arg(&rustc);
                command
            }
            None => Command::new(&rustc),
        };
        match command.args(call).status() {
            Ok(status) if status.success() => {}
            Ok(status) => {
                let code = status.code().and_then(|code| u8::try_from(code).ok());
                return Some(ExitCode::from(code.unwrap_or(1)));
            }
            Err(error) => {
                let rustc = rustc.display();
                output::progress(&format!("error: {rustc} could not be started: {error}"));
                return Some(ExitCode::FAILURE);
            }
        }
    }
    Some(ExitCode::SUCCESS)
}

/// The calls of the compiler that do what one call of cargo asks for.
fn calls(args: &[OsString], lto: &OsStr) -> Vec<Vec<OsString>> {
    let has = |flag: &str, value: &str| {
        args.windows(2)
            .any(|pair| pair[0] == flag && pair[1] == value)
    };
    let asks = args.iter().any(|arg| {
        arg.to_str()
            .is_some_and(|arg| arg == "-" || arg.starts_with("--print"))
    });
    if asks || !has("--target", TARGET) || !has("--crate-type", "cdylib") {
        return vec![args.to_vec()];
    }
    let rlib = without_crate_types(args, |kind| kind == "cdylib");
    let mut cdylib = without_crate_types(args, |kind| kind != "cdylib");
    let mut add = |value: String| cdylib.extend(["-C".into(), value.into()]);
    // The linker leaves room in every address and index for the largest there could be. It only
    // refuses to take it out where that would make debug information wrong.
    if has("-C", "strip=symbols") || has("-C", "strip=debuginfo") {
        add("link-arg=--compress-relocations".to_owned());
    }
    if !rlib.iter().any(|arg| arg == "--crate-type") {
        // Nothing but a cdylib: cargo itself has asked for LTO.
        return vec![cdylib];
    }
    add(format!("lto={}", lto.display()));
    // The first call has said everything that there is to say about the source.
    cdylib.extend(["--cap-lints".into(), "allow".into()]);
    vec![rlib, cdylib]
}

fn without_crate_types(args: &[OsString], unwanted: impl Fn(&OsStr) -> bool) -> Vec<OsString> {
    let mut kept: Vec<OsString> = Vec::with_capacity(args.len());
    for arg in args {
        if kept.last().is_some_and(|flag| flag == "--crate-type") && unwanted(arg) {
            kept.pop();
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

    fn check(call: &str, expected: &Expect) {
        let args: Vec<OsString> = call.split(' ').map(OsString::from).collect();
        let calls = calls(&args, OsStr::new("fat"));
        let lines = calls.iter().map(|call| call.join(OsStr::new(" ")));
        let lines: Vec<_> = lines
            .map(|call| call.into_string().expect("text"))
            .collect();
        expected.assert_eq(&lines.join("\n"));
    }

    #[test]
    fn a_module_that_others_link_is_compiled_twice() {
        check(
            "--crate-name leave --crate-type cdylib --crate-type rlib --target wasm32-wasip2 -C strip=symbols",
            &expect![[r#"
                --crate-name leave --crate-type rlib --target wasm32-wasip2 -C strip=symbols
                --crate-name leave --crate-type cdylib --target wasm32-wasip2 -C strip=symbols -C link-arg=--compress-relocations -C lto=fat --cap-lints allow"#]],
        );
    }

    #[test]
    fn a_module_that_nobody_links_has_its_lto_from_cargo() {
        check(
            "--crate-name leave --crate-type cdylib -C lto --target wasm32-wasip2 -C strip=symbols",
            &expect![
                "--crate-name leave --crate-type cdylib -C lto --target wasm32-wasip2 -C strip=symbols -C link-arg=--compress-relocations"
            ],
        );
    }

    #[test]
    fn debug_information_keeps_the_linker_from_moving_code() {
        check(
            "--crate-type cdylib --crate-type rlib --target wasm32-wasip2",
            &expect![[r#"
                --crate-type rlib --target wasm32-wasip2
                --crate-type cdylib --target wasm32-wasip2 -C lto=fat --cap-lints allow"#]],
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
            let args: Vec<OsString> = call.split(' ').map(OsString::from).collect();
            assert_eq!(calls(&args, OsStr::new("fat")), [args]);
        }
    }
}
