//! The wasm target of the toolchain that cargo uses.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::environment::CargoEnv;
use crate::output::fault::Fault;
use crate::output::{self, BUSY};

/// What modules are compiled for.
pub(crate) const TARGET: &str = "wasm32-wasip2";

/// Makes sure that modules can be compiled, installing the target with rustup where it is missing.
pub(crate) fn ensure_target(env: &CargoEnv) -> Result<(), Fault> {
    let Some(sysroot) = missing_target(env)? else {
        return Ok(());
    };
    output::status(
        BUSY,
        "Installing",
        &format!("the {TARGET} target: rustup target add {TARGET}"),
    );
    match env.command("rustup").args(["target", "add", TARGET]).status() {
        Ok(status) if status.success() && has_target(&sysroot) => Ok(()),
        Ok(status) if status.success() => Err(Fault::new(format!("this Rust cannot build for {TARGET}"))
            .why(format!("rustup has installed the target, but cargo uses the Rust in {}", sysroot.display()))
            .help("put rustup's directory (~/.cargo/bin) first in PATH, or install the target for that Rust")),
        Ok(status) => Err(Fault::new(format!("the {TARGET} target could not be installed"))
            .why(format!("`rustup target add {TARGET}` ended with {status}"))
            .help("check the network connection and run it again by hand")),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            Err(Fault::new(format!("this Rust cannot build for {TARGET}"))
                .why(format!("{} has no {TARGET}, and rustup, which could add it, is not installed", sysroot.display()))
                .help(format!(
                    "install Rust with rustup (https://rustup.rs), or the package of your\n\
                     distribution that has the standard library for {TARGET}"
                )))
        }
        Err(error) => Err(Fault::new("rustup could not be started").why(error.to_string())),
    }
}

/// Where the toolchain keeps its libraries, if those for modules are not among them.
pub(crate) fn missing_target(env: &CargoEnv) -> Result<Option<PathBuf>, Fault> {
    let sysroot = PathBuf::from(ask(env.rustc(), "rustc", &["--print", "sysroot"])?);
    Ok(Some(sysroot).filter(|sysroot| !has_target(sysroot)))
}

/// What a tool says of its version, as `rustc 1.95.0`.
pub(crate) fn version(tool: Command, name: &str) -> Result<String, Fault> {
    let said = ask(tool, name, &["--version"])?;
    // The hash and the date behind it help nobody here.
    let words: Vec<&str> = said.split_whitespace().take(2).collect();
    Ok(words.join(" "))
}

/// What a tool prints.
fn ask(mut tool: Command, name: &str, args: &[&str]) -> Result<String, Fault> {
    let what = match name {
        "rustc" => "Rust compiler",
        name => name,
    };
    let output = tool
        .args(args)
        .output()
        .map_err(|error| match error.kind() {
            ErrorKind::NotFound => Fault::new(format!("there is no {what}"))
                .why(format!("`{name}` is not in PATH"))
                .help("install Rust with rustup: https://rustup.rs"),
            _ => Fault::new(format!("the {what} could not be started")).why(error.to_string()),
        })?;
    if !output.status.success() {
        return Err(Fault::new(format!("the {what} does not work in this directory"))
            .why(String::from_utf8_lossy(&output.stderr).trim().to_owned())
            .help(format!(
                "run `{name} --version` there; a rust-toolchain.toml may name a toolchain that is \
                 not installed"
            )));
    }
    let said = String::from_utf8_lossy(&output.stdout);
    Ok(said.trim().to_owned())
}

fn has_target(sysroot: &Path) -> bool {
    sysroot.join("lib/rustlib").join(TARGET).is_dir()
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    /// A machine whose rustc and rustup are these scripts; `{sysroot}` stands for its directory.
    fn machine(rustc: Option<&str>, rustup: Option<&str>) -> (tempfile::TempDir, CargoEnv) {
        let dir = tempfile::tempdir().expect("a directory");
        for (name, script) in [("rustc", rustc), ("rustup", rustup)] {
            let Some(script) = script else { continue };
            let file = dir.path().join(name);
            let script = script.replace(
                "{sysroot}",
                &dir.path().join("sysroot").display().to_string(),
            );
            std::fs::write(&file, format!("#!/bin/sh\n{script}\n")).expect("written");
            std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755))
                .expect("executable");
        }
        std::fs::create_dir_all(dir.path().join("sysroot/lib/rustlib")).expect("created");
        let env = CargoEnv::for_dir(dir.path()).with_path(dir.path());
        (dir, env)
    }

    fn text(fault: &Fault) -> String {
        anstream::adapter::strip_str(&fault.render()).to_string()
    }

    #[test]
    fn a_target_that_is_there_needs_no_rustup() {
        let (dir, env) = machine(Some("echo {sysroot}"), None);
        std::fs::create_dir_all(dir.path().join("sysroot/lib/rustlib").join(TARGET))
            .expect("created");
        assert_eq!(ensure_target(&env), Ok(()));
    }

    #[test]
    fn a_missing_target_is_added_by_rustup() {
        let add = "[ \"$1 $2 $3\" = \"target add wasm32-wasip2\" ] && exec /bin/mkdir {sysroot}/lib/rustlib/$3";
        let (_dir, env) = machine(Some("echo {sysroot}"), Some(add));
        assert_eq!(ensure_target(&env), Ok(()));
    }

    #[test]
    fn without_rustup_the_fault_says_what_to_install() {
        let (_dir, env) = machine(Some("echo {sysroot}"), None);
        let text = text(&ensure_target(&env).unwrap_err());
        assert!(
            text.contains("rustup, which could add it, is not installed"),
            "{text}"
        );
        assert!(text.contains("https://rustup.rs"), "{text}");
    }

    #[test]
    fn a_rust_that_rustup_does_not_manage_is_named() {
        let (_dir, env) = machine(Some("echo {sysroot}"), Some("exit 0"));
        let text = text(&ensure_target(&env).unwrap_err());
        assert!(text.contains("but cargo uses the Rust in"), "{text}");
    }

    #[test]
    fn a_failing_installation_shows_its_status() {
        let (_dir, env) = machine(Some("echo {sysroot}"), Some("exit 3"));
        assert!(text(&ensure_target(&env).unwrap_err()).contains("exit status: 3"));
    }

    #[test]
    fn a_missing_or_broken_compiler_is_explained() {
        let (_dir, env) = machine(None, None);
        assert!(text(&ensure_target(&env).unwrap_err()).contains("`rustc` is not in PATH"));
        let (_dir, env) = machine(
            Some("echo 'toolchain x is not installed' >&2; exit 1"),
            None,
        );
        assert!(text(&ensure_target(&env).unwrap_err()).contains("toolchain x is not installed"));
    }
}
