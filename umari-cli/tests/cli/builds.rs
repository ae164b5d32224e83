//! What can be said without building a module.

use crate::support::{run, umari, umari_with};

#[test]
fn a_directory_without_a_workspace_is_explained() {
    let empty = tempfile::tempdir().expect("a directory");
    let ended = run(umari().arg("build").current_dir(empty.path()));
    assert_eq!(ended.code, Some(1));
    assert!(
        ended
            .stderr
            .starts_with("error: cargo cannot read the workspace of "),
        "{}",
        ended.stderr
    );
}

#[test]
fn a_workspace_without_modules_is_told_what_a_module_is() {
    let dir = tempfile::tempdir().expect("a directory");
    std::fs::create_dir(dir.path().join("src")).expect("created");
    std::fs::write(dir.path().join("src/lib.rs"), "").expect("written");
    std::fs::write(
        dir.path().join("Cargo.toml"),
        "[package]\nname = \"plain\"\nedition = \"2024\"\n",
    )
    .expect("written");
    for command in ["build", "dev"] {
        let mut call = umari();
        call.arg(command).arg(dir.path());
        if command == "dev" {
            call.args(["--addr", "127.0.0.1:0"]);
        }
        let ended = run(&mut call);
        assert_eq!(ended.code, Some(1), "{command}: {}", ended.stderr);
        assert!(
            ended
                .stderr
                .starts_with("error: there is no module crate under "),
            "{}",
            ended.stderr
        );
        assert!(
            ended.stderr.contains("crate-type = [\"cdylib\", \"rlib\"]"),
            "{}",
            ended.stderr
        );
        assert_eq!(ended.stdout, "");
    }
}

#[test]
fn a_path_that_does_not_exist_is_a_mistake_in_the_command_line() {
    let ended = umari_with(["build", "no/such/place"]);
    assert_eq!(ended.code, Some(2));
    assert!(
        ended
            .stderr
            .starts_with("error: no/such/place is not a directory with crates\n"),
        "{}",
        ended.stderr
    );
}

#[test]
fn a_file_that_is_no_module_is_not_uploaded() {
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), "text").expect("written");
    let path = file.path().to_str().expect("text");
    let ended = umari_with(["commands", "upload", "x", "1.0.0", path]);
    assert_eq!(ended.code, Some(1));
    assert!(
        ended.stderr.contains("is not an Umari module"),
        "{}",
        ended.stderr
    );
}

/// A workspace with two modules and a stand-in for the SDK, so that it builds in a moment and
/// needs nothing from outside.
pub(crate) fn workspace() -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a directory");
    let write = |file: &str, text: &str| {
        let file = dir.path().join(file);
        std::fs::create_dir_all(file.parent().expect("a parent")).expect("created");
        std::fs::write(file, text).expect("written");
    };
    let package = |name: &str| {
        format!("[package]\nname = \"{name}\"\nversion = \"1.2.3\"\nedition = \"2024\"\n")
    };
    write(
        "Cargo.toml",
        "[workspace]\nresolver = \"3\"\nmembers = [\"sdk\", \"shop/*\"]\n",
    );
    write("sdk/Cargo.toml", &package("umari"));
    write("sdk/src/lib.rs", "#![no_std]\n");
    for name in ["greet", "leave"] {
        let library = "[lib]\ncrate-type = [\"cdylib\", \"rlib\"]\n[dependencies]\numari = { path = \"../../sdk\" }\n";
        write(
            &format!("shop/{name}/Cargo.toml"),
            &format!("{}{library}", package(name)),
        );
        write(&format!("shop/{name}/src/lib.rs"), &module(name));
    }
    dir
}

/// The binary in a workspace that has its target directory to itself.
fn umari_in(workspace: &tempfile::TempDir) -> std::process::Command {
    let mut command = umari();
    command
        .current_dir(workspace.path())
        .env_remove("CARGO_TARGET_DIR");
    command
}

/// The source of a module that carries a record and nothing else.
fn module(name: &str) -> String {
    let record =
        format!(r#"{{"kind":"command","name":"{name}","sdk":"0.1.0","contract":"0.1.0"}}"#);
    format!(
        "#[used]\n#[unsafe(link_section = \"umari.module\")]\nstatic RECORD: [u8; {}] = *b{record:?};\n",
        record.len()
    )
}

#[test]
fn modules_are_built_and_described() {
    let workspace = workspace();
    let built = |args: &[&str]| {
        let ended = run(umari_in(&workspace).arg("build").args(args));
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        ended
    };
    let ended = built(&["--json"]);
    let lines: Vec<serde_json::Value> = ended
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).expect("a document"))
        .collect();
    assert_eq!(lines.len(), 2);
    for document in &lines {
        assert_eq!(
            (&document["kind"], &document["version"]),
            (&"command".into(), &"1.2.3".into())
        );
        assert_eq!(document["names"], serde_json::json!([document["package"]]));
        let wasm = std::fs::metadata(document["path"].as_str().expect("a path")).expect("a file");
        assert_eq!(document["size"], wasm.len());
    }
    assert!(
        ended.stderr.contains("Built command greet ("),
        "{}",
        ended.stderr
    );
    // Once more, and a part of it: nothing is compiled, and stdout has just the paths.
    let ended = built(&["shop/leave"]);
    assert!(
        ended.stderr.contains("Fresh command leave ("),
        "{}",
        ended.stderr
    );
    assert!(
        ended
            .stdout
            .trim_end()
            .ends_with("target/wasm32-wasip2/release/leave.wasm"),
        "{}",
        ended.stdout
    );
    assert_eq!(ended.stdout.lines().count(), 1);
}

/// What is at the documented place of a module.
fn content(workspace: &tempfile::TempDir, name: &str) -> Vec<u8> {
    let release = workspace.path().join("target/wasm32-wasip2/release");
    std::fs::read(release.join(format!("{name}.wasm"))).expect("a module")
}

#[test]
fn a_module_has_one_content_whoever_links_it_and_whatever_was_built_before() {
    let workspace = workspace();
    let manifest = workspace.path().join("shop/leave/Cargo.toml");
    let text = std::fs::read_to_string(&manifest).expect("read");
    std::fs::write(
        &manifest,
        format!("{text}greet = {{ path = \"../greet\" }}\n"),
    )
    .expect("written");
    let greet = workspace.path().join("shop/greet/src/lib.rs");
    let with = |answer: u8| {
        let source = format!(
            "{}#[unsafe(no_mangle)]\npub extern \"C\" fn answer() -> u8 {{ {answer} }}\n",
            module("greet")
        );
        std::fs::write(&greet, source).expect("written");
    };
    let build = |path: &str| {
        let ended = run(umari_in(&workspace).args(["build", path]));
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        ended.stderr
    };
    with(42);
    build("shop/greet");
    let alone = content(&workspace, "greet");
    let release = workspace.path().join("target/wasm32-wasip2/release");
    let sources = std::fs::read_to_string(release.join("greet.d")).expect("a list of sources");
    assert!(sources.contains("shop/greet/src/lib.rs"), "{sources}");
    // Now it is also linked, and a plain build puts its own file at the same place.
    build(".");
    assert!(content(&workspace, "greet") == alone);
    let mut cargo = std::process::Command::new("cargo");
    cargo
        .args([
            "build",
            "--offline",
            "--release",
            "--target",
            "wasm32-wasip2",
        ])
        .current_dir(workspace.path())
        .env_remove("CARGO_TARGET_DIR");
    assert_eq!(run(&mut cargo).code, Some(0));
    assert!(content(&workspace, "greet").len() > alone.len());
    let said = build(".");
    assert!(
        said.contains("Fresh command greet (") && said.contains("Fresh command leave ("),
        "{said}"
    );
    assert!(content(&workspace, "greet") == alone);
    // An edit is built, and taking it back gives what was there before.
    with(43);
    assert!(build(".").contains("Built command greet ("));
    assert!(content(&workspace, "greet") != alone);
    with(42);
    build("shop/leave");
    build("shop/greet");
    assert!(content(&workspace, "greet") == alone);
}

#[test]
fn the_crate_at_fault_is_named_and_the_others_are_built() {
    let workspace = workspace();
    std::fs::write(
        workspace.path().join("shop/leave/src/lib.rs"),
        "fn broken() -> u8 { \"\" }\n",
    )
    .expect("written");
    let ended = run(umari_in(&workspace).arg("build"));
    assert_eq!(ended.code, Some(1));
    assert!(
        ended.stderr.contains("Built command greet ("),
        "{}",
        ended.stderr
    );
    assert!(
        ended
            .stderr
            .contains("Failed leave: error[E0308]: mismatched types (shop/leave/src/lib.rs:1:21)"),
        "{}",
        ended.stderr
    );
    assert!(
        ended
            .stderr
            .ends_with("error: 1 of 2 modules could not be built: leave\n"),
        "{}",
        ended.stderr
    );
    // Nobody can say what it was built from, so no test takes it for up to date.
    let release = workspace.path().join("target/wasm32-wasip2/release");
    assert!(release.join("greet.wasm").exists() && !release.join("greet.d").exists());
    // Without a watch there is nothing to wait for.
    let data = tempfile::tempdir().expect("a directory");
    let mut dev = umari_in(&workspace);
    dev.args(["dev", "--no-watch", "--addr", "127.0.0.1:0", "--data-dir"])
        .arg(data.path());
    let ended = run(&mut dev);
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    assert_eq!(ended.stdout, "");
}

#[test]
fn a_crate_without_a_record_is_no_module() {
    let workspace = workspace();
    std::fs::write(workspace.path().join("shop/leave/src/lib.rs"), "").expect("written");
    let ended = run(umari_in(&workspace).args(["build", "shop/leave"]));
    assert_eq!(ended.code, Some(1));
    assert!(
        ended
            .stderr
            .contains("error: leave is not an Umari module\n"),
        "{}",
        ended.stderr
    );
    assert!(
        ended.stderr.contains("export_projector!"),
        "{}",
        ended.stderr
    );
}
