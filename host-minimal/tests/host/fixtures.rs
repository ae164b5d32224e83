//! The fixtures as components.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The components of the fixtures.
pub(crate) struct Fixtures {
    pub(crate) commands: Vec<u8>,
    pub(crate) projector: Vec<u8>,
    pub(crate) effect: Vec<u8>,
    pub(crate) courier: Vec<u8>,
    pub(crate) vault: Vec<u8>,
    pub(crate) eraser: Vec<u8>,
}

/// Builds the fixtures once per run; cargo keeps them up to date.
pub(crate) fn fixtures() -> &'static Fixtures {
    static FIXTURES: OnceLock<Fixtures> = OnceLock::new();
    FIXTURES.get_or_init(|| {
        let packages = [
            "fixture-commands",
            "fixture-courier",
            "fixture-effect",
            "fixture-eraser",
            "fixture-projector",
            "fixture-vault",
        ];
        let directory = build(&packages.map(|package| ["--package", package]).concat());
        let read = |name: &str| std::fs::read(directory.join(name)).expect("a built fixture");
        Fixtures {
            commands: read("fixture_commands.wasm"),
            projector: read("fixture_projector.wasm"),
            effect: read("fixture_effect.wasm"),
            courier: read("fixture_courier.wasm"),
            vault: read("fixture_vault.wasm"),
            eraser: read("fixture_eraser.wasm"),
        }
    })
}

/// Builds components with cargo; the directory that has them.
pub(crate) fn build(what: &[&str]) -> PathBuf {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("a workspace");
    install_target(workspace);
    let mut cargo = Command::new(env!("CARGO"));
    cargo
        .current_dir(workspace)
        .args(["build", "--quiet", "--release", "--target", TARGET])
        .args(what)
        .env("CARGO_PROFILE_RELEASE_LTO", "true")
        .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "s")
        .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "1")
        .env("CARGO_PROFILE_RELEASE_STRIP", "true");
    assert!(
        cargo.status().expect("cargo runs").success(),
        "the fixtures do not build"
    );
    target_directory(workspace).join(TARGET).join("release")
}

const TARGET: &str = "wasm32-wasip2";

/// Where rustup did not install the target with the toolchain, it is asked to.
fn install_target(workspace: &Path) {
    let libraries = Command::new("rustc")
        .current_dir(workspace)
        .args(["--print", "target-libdir", "--target", TARGET])
        .output()
        .expect("rustc runs");
    let directory = String::from_utf8(libraries.stdout).expect("a path");
    if !Path::new(directory.trim()).exists() {
        let added = Command::new("rustup")
            .current_dir(workspace)
            .args(["target", "add", TARGET])
            .status()
            .expect("rustup runs");
        assert!(
            added.success(),
            "the target {TARGET} is missing and rustup could not add it"
        );
    }
}

fn target_directory(workspace: &Path) -> PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR") {
        Some(directory) => workspace.join(directory),
        None => workspace.join("target"),
    }
}
