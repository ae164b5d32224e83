//! `umari init` and `umari new`: what they make builds, passes its tests and runs, and what they
//! refuse leaves nothing behind.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};

use crate::support::{Ended, Server, run, umari};

/// The checkout that these tests are part of.
fn checkout() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    root.canonicalize().expect("a checkout")
}

/// `umari init` with these arguments in a directory.
fn init(dir: &Path, args: &[&str]) -> Ended {
    run(umari().current_dir(dir).arg("init").args(args))
}

/// `umari new` with these arguments in a directory.
fn new(dir: &Path, args: &[&str]) -> Ended {
    run(umari().current_dir(dir).arg("new").args(args))
}

fn succeeded(ended: &Ended) {
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
}

/// That a call was refused with this code, and what it said first.
fn refused(ended: &Ended, code: i32, first: &str) {
    assert_eq!(ended.code, Some(code), "{}", ended.stderr);
    assert_eq!(ended.stdout, "");
    let line = format!("error: {first}\n");
    assert!(ended.stderr.starts_with(&line), "{}", ended.stderr);
    assert!(ended.stderr.contains(" help: "), "{}", ended.stderr);
}

/// Every file below a directory with its text.
fn snapshot(dir: &Path) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut open = vec![dir.to_owned()];
    while let Some(dir) = open.pop() {
        for entry in std::fs::read_dir(&dir).expect("a directory") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                open.push(path);
            } else {
                let text = std::fs::read_to_string(&path).expect("text");
                found.push((path, text));
            }
        }
    }
    found.sort();
    found
}

/// The profile of this project, which is that of what its target directory holds.
const PROFILE: &str = "[profile.dev]
debug = \"line-tables-only\"
[profile.dev.package.\"*\"]
opt-level = 1
debug = false
";

/// A directory in which new workspaces are built as this project is.
pub(crate) fn directory() -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a directory");
    std::fs::create_dir(dir.path().join(".cargo")).expect("created");
    std::fs::write(dir.path().join(".cargo/config.toml"), PROFILE).expect("written");
    dir
}

/// Lets a call build in a new workspace, with this project's dependencies and into the same place,
/// so that little but the new crates is compiled. None of these may be called like a crate of this
/// project: cargo would take the one for the other.
pub(crate) fn building(mut command: Command, workspace: &Path) -> Command {
    let lock = workspace.join("Cargo.lock");
    if workspace.join("Cargo.toml").exists() && !lock.exists() {
        std::fs::copy(checkout().join("Cargo.lock"), lock).expect("copied");
    }
    // The binary is in `debug`, in the target directory.
    let binary = Path::new(env!("CARGO_BIN_EXE_umari"));
    let target = binary.ancestors().nth(2).expect("a target directory");
    command
        .current_dir(workspace)
        .env("CARGO_NET_OFFLINE", "true")
        .env("CARGO_TARGET_DIR", target);
    command
}

/// Held by a test that builds modules of a template: they have the same names everywhere, and so the
/// same place in the target directory.
pub(crate) fn building_alone() -> MutexGuard<'static, ()> {
    static BUILDING: Mutex<()> = Mutex::new(());
    BUILDING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Cargo in a new workspace.
fn cargo(workspace: &Path, args: &[&str]) -> Ended {
    run(building(Command::new("cargo"), workspace).args(args))
}

#[test]
fn a_new_workspace_grows_is_tested_built_and_run() {
    let _one_at_a_time = building_alone();
    let dir = directory();
    // As people name their directories.
    let place = dir.path().join("Läden & mehr");
    std::fs::create_dir(&place).expect("created");
    let sdk = checkout();
    let sdk = sdk.to_str().expect("text");
    succeeded(&init(&place, &["corner-shop", "--sdk", sdk]));
    let shop = place.join("corner-shop");
    let deep = shop.join("commands/add-task/src");
    for args in [
        ["event", "task-finished"],
        ["command", "finish-task"],
        ["projector", "finished-tasks"],
        ["effect", "send-mail"],
    ] {
        // Anywhere in the workspace will do.
        succeeded(&new(&deep, &args));
    }
    assert!(!shop.join(".cargo").exists());

    let formatted = cargo(&shop, &["fmt", "--all", "--check"]);
    assert_eq!(formatted.code, Some(0), "{}", formatted.stdout);
    let tested = cargo(&shop, &["test"]);
    succeeded(&tested);
    for test in [
        "events::task_finished::tests::it_is_found_by_what_it_happened_to",
        "folds::tests::a_task_exists_once_it_was_added",
        "tests::a_target_that_fails_is_told_again",
        "tests::a_task_is_listed",
        "tests::an_id_is_taken_once_at_the_same_moment_too",
        "tests::it_is_done_once",
        "tests::what_happened_is_counted",
    ] {
        let line = format!("test {test} ... ok");
        assert!(tested.stdout.contains(&line), "{}", tested.stdout);
    }
    let clippy = cargo(
        &shop,
        &["clippy", "--workspace", "--all-targets", "--", "-Dwarnings"],
    );
    succeeded(&clippy);

    builds_and_runs(&shop);
}

/// That the modules are built, and that `umari dev` runs all five of them.
fn builds_and_runs(shop: &Path) {
    let in_shop = || building(umari(), shop);
    let built = run(in_shop().args(["build", "--debug", "commands/finish-task"]));
    succeeded(&built);
    let wasm = "wasm32-wasip2/debug/finish_task.wasm";
    assert!(built.stdout.trim_end().ends_with(wasm), "{}", built.stdout);

    let mut dev = in_shop();
    dev.args(["dev", "--no-watch", "--addr", "127.0.0.1:0"]);
    let server = Server::start(&mut dev);
    let opening = &server.opening;
    assert!(opening.contains("ready: 5 modules on "), "{opening}");
    assert!(opening.contains("curl http://127.0.0.1:"), "{opening}");
    let execute = || {
        let input = json!({ "task_id": "t1", "title": "Buy tea" }).to_string();
        run(umari().args([
            "execute",
            "add-task",
            "--json",
            "--url",
            &server.url,
            "--input",
            &input,
        ]))
    };
    let added = execute();
    succeeded(&added);
    let answer: Value = serde_json::from_str(&added.stdout).expect("a document");
    assert_eq!(answer["events"][0]["event_type"], "task.added");
    let again = execute();
    assert_eq!(again.code, Some(1));
    assert!(
        again.stdout.contains("task already exists"),
        "{}",
        again.stdout
    );
}

#[test]
fn the_warranty_shop_is_a_workspace_that_cargo_reads() {
    let dir = tempfile::tempdir().expect("a directory");
    let made = init(
        dir.path(),
        &["tea-shop", "--template", "warranty", "--json"],
    );
    succeeded(&made);
    let document: Value = serde_json::from_str(&made.stdout).expect("a document");
    assert_eq!(document["template"], "warranty");
    assert_eq!(document["sdk"], json!({ "path": checkout() }));
    let shop = dir.path().join("tea-shop");
    let files = document["files"].as_array().expect("a list").len();
    assert_eq!(files, snapshot(&shop).len());
    // With the features of every dependency, and the versions of the project's own lock file.
    let read = cargo(&shop, &["metadata", "--format-version", "1"]);
    succeeded(&read);
    let read: Value = serde_json::from_str(&read.stdout).expect("a document");
    let members = read["workspace_members"].as_array().expect("a list");
    assert_eq!(members.len(), 8);
    succeeded(&cargo(&shop, &["fmt", "--all", "--check"]));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(shop.join("tour.sh")).expect("a file");
        assert_eq!(mode.permissions().mode() & 0o111, 0o111);
    }
}

#[test]
fn a_workspace_within_another_is_one_of_its_own() {
    let dir = tempfile::tempdir().expect("a directory");
    succeeded(&init(dir.path(), &["outer"]));
    let outer = dir.path().join("outer");
    let before = snapshot(&outer);
    succeeded(&init(&outer, &["inner"]));
    let inner = outer.join("inner");
    succeeded(&new(&inner, &["command", "finish-task"]));
    assert!(inner.join("commands/finish-task/src/lib.rs").is_file());
    let around = |(path, _): &(PathBuf, String)| !path.starts_with(&inner);
    let after: Vec<_> = snapshot(&outer).into_iter().filter(around).collect();
    assert_eq!(after, before, "the one around it is as it was");
    for (workspace, members) in [(&outer, 3), (&inner, 4)] {
        let read = cargo(workspace, &["metadata", "--format-version", "1"]);
        succeeded(&read);
        let read: Value = serde_json::from_str(&read.stdout).expect("a document");
        for list in ["workspace_members", "workspace_default_members"] {
            let listed = read[list].as_array().expect("a list").len();
            assert_eq!(listed, members, "{list} of {}", workspace.display());
        }
    }
}

#[test]
fn the_sdk_comes_from_where_it_was_said() {
    let dir = tempfile::tempdir().expect("a directory");
    for (name, sdk, row) in [
        (
            "one",
            "https://git.example/umari",
            "umari = { git = \"https://git.example/umari\" }",
        ),
        ("two", "0.1", "umari = \"0.1\""),
    ] {
        succeeded(&init(dir.path(), &[name, "--sdk", sdk]));
        let manifest = dir.path().join(name).join("Cargo.toml");
        let text = std::fs::read_to_string(manifest).expect("a manifest");
        assert!(text.contains(row), "{text}");
        assert!(text.contains("# The SDK and its test harness."), "{text}");
    }
    let ended = init(dir.path(), &["three", "--sdk", "no/such/place"]);
    refused(&ended, 2, "the SDK cannot be taken from `no/such/place`");
    assert!(!dir.path().join("three").exists());
}

#[test]
fn what_cannot_be_a_workspace_is_refused_and_leaves_nothing() {
    let dir = tempfile::tempdir().expect("a directory");
    std::fs::create_dir(dir.path().join("full")).expect("created");
    std::fs::write(dir.path().join("full/notes.txt"), "mine").expect("written");
    std::fs::write(dir.path().join("file"), "mine").expect("written");
    let before = snapshot(dir.path());
    for name in [
        "",
        "Corner Shop",
        "../shop",
        "a/b",
        "match",
        "umari",
        "9lives",
    ] {
        let ended = init(dir.path(), &["--", name]);
        refused(&ended, 2, &format!("`{name}` cannot be a name"));
    }
    let ended = init(dir.path(), &["CornerShop"]);
    assert!(
        ended.stderr.contains("write `corner-shop`"),
        "{}",
        ended.stderr
    );
    for name in ["full", "file"] {
        let ended = init(dir.path(), &[name]);
        assert_eq!(ended.code, Some(2));
        assert!(
            ended.stderr.contains(" is there already\n"),
            "{}",
            ended.stderr
        );
    }
    for name in ["add-task", "serde"] {
        refused(
            &init(dir.path(), &[name]),
            2,
            &format!("the name `{name}` is taken"),
        );
    }
    assert_eq!(
        init(dir.path(), &["shop", "--template", "big"]).code,
        Some(2)
    );
    assert_eq!(snapshot(dir.path()), before);
    let entries = std::fs::read_dir(dir.path()).expect("a directory").count();
    assert_eq!(entries, 2);
    // An empty directory is as good as none.
    std::fs::create_dir(dir.path().join("empty")).expect("created");
    succeeded(&init(dir.path(), &["empty"]));
}

#[cfg(unix)]
#[test]
fn a_place_that_cannot_be_written_is_named() {
    let dir = tempfile::tempdir().expect("a directory");
    // The staging directory is named after the process, so the target itself has to be in the way.
    let gone = dir.path().join("gone");
    std::fs::create_dir(&gone).expect("created");
    let mut shell = Command::new("sh");
    shell
        .args(["-c", "rmdir \"$PWD\" && exec \"$0\" init shop"])
        .arg(env!("CARGO_BIN_EXE_umari"))
        .current_dir(&gone);
    let ended = run(&mut shell);
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    assert!(
        ended.stderr.contains("error: cannot find ."),
        "{}",
        ended.stderr
    );
}

#[test]
fn a_module_is_refused_where_it_cannot_be_and_changes_nothing() {
    let dir = tempfile::tempdir().expect("a directory");
    let ended = new(dir.path(), &["command", "finish-task"]);
    assert_eq!(ended.code, Some(1));
    assert!(
        ended.stderr.starts_with("error: there is no workspace in "),
        "{}",
        ended.stderr
    );
    assert!(ended.stderr.contains("umari init NAME"), "{}", ended.stderr);

    succeeded(&init(dir.path(), &["shop"]));
    let shop = dir.path().join("shop");
    std::fs::create_dir_all(shop.join("effects/half-made")).expect("created");
    let before = snapshot(&shop);
    let taken = |args: &[&str], name: &str| {
        refused(&new(&shop, args), 2, &format!("the name `{name}` is taken"));
    };
    taken(&["command", "add-task"], "add-task");
    // A module of another kind, the library itself, and what modules use.
    taken(&["projector", "add-task"], "add-task");
    taken(&["effect", "shop"], "shop");
    taken(&["command", "anyhow"], "anyhow");
    taken(&["event", "task-added"], "task-added");
    let ended = new(&shop, &["effect", "half-made"]);
    assert!(
        ended
            .stderr
            .contains("effects/half-made is there already\n"),
        "{}",
        ended.stderr
    );
    refused(
        &new(&shop, &["command", "Finish"]),
        2,
        "`Finish` cannot be a name",
    );
    refused(
        &new(&shop, &["event", "finished"]),
        2,
        "`finished` cannot be a name",
    );
    let js = new(&shop, &["command", "finish-task", "--lang", "js"]);
    refused(&js, 2, "modules in JavaScript cannot be made yet");
    let other = new(&shop, &["command", "finish-task", "--shared", "add-task"]);
    refused(
        &other,
        2,
        "`add-task` is not a shared library of the workspace",
    );
    assert_eq!(new(&shop, &["saga", "x-y"]).code, Some(2));
    assert_eq!(
        new(&shop, &["command", "x", "--path", "no/such"]).code,
        Some(2)
    );
    assert_eq!(snapshot(&shop), before);
}

#[test]
fn workspaces_without_a_shared_library_are_told_what_one_is() {
    let dir = tempfile::tempdir().expect("a directory");
    let manifest = dir.path().join("Cargo.toml");
    std::fs::create_dir(dir.path().join("src")).expect("created");
    std::fs::write(dir.path().join("src/lib.rs"), "").expect("written");
    let package = "[package]\nname = \"plain\"\nedition = \"2024\"\n";
    for (text, said, help) in [
        (
            package.to_owned(),
            " has no [workspace]\n",
            "resolver = \"3\"",
        ),
        (
            format!("{package}[workspace]\n"),
            " has no shared library\n",
            "cargo add umari serde",
        ),
        (
            format!("{package}[workspace\n"),
            "error: cargo cannot read the workspace of ",
            "Cargo.toml",
        ),
    ] {
        std::fs::write(&manifest, &text).expect("written");
        let ended = new(dir.path(), &["command", "finish-task"]);
        assert_eq!(ended.code, Some(1), "{}", ended.stderr);
        assert!(ended.stderr.contains(said), "{}", ended.stderr);
        assert!(ended.stderr.contains(help), "{}", ended.stderr);
        assert_eq!(std::fs::read_to_string(&manifest).expect("read"), text);
    }
}

/// A workspace that somebody wrote: no rows, no lints, remarks, and the library in a directory.
fn written_by_hand(dir: &Path) {
    let write = |file: &str, text: &str| {
        let file = dir.join(file);
        std::fs::create_dir_all(file.parent().expect("a parent")).expect("created");
        std::fs::write(file, text).expect("written");
    };
    write(
        "Cargo.toml",
        "# ours\n[workspace]\nresolver = \"3\"\nmembers = [\n  \"domain\", # all events\n]\n",
    );
    let sdk = checkout().join("umari");
    let library = format!(
        "[package]\nname = \"domain\"\nedition = \"2024\"\n\n[dependencies]\nserde = \"1\"\numari = {{ path = {sdk:?} }} # the SDK\n"
    );
    write("domain/Cargo.toml", &library);
    write(
        "domain/src/lib.rs",
        "//! The domain.\n\n#[cfg(test)]\nmod tests;\n",
    );
    write("domain/src/tests.rs", "");
}

#[test]
fn a_workspace_that_somebody_wrote_keeps_its_looks() {
    let dir = tempfile::tempdir().expect("a directory");
    written_by_hand(dir.path());
    let made = new(dir.path(), &["command", "open-door", "--json"]);
    succeeded(&made);
    let document: Value = serde_json::from_str(&made.stdout).expect("a document");
    assert_eq!(
        (&document["kind"], &document["name"]),
        (&json!("command"), &json!("open-door"))
    );
    assert_eq!(document["files"].as_array().map(Vec::len), Some(3));
    assert_eq!(document["changed"].as_array().map(Vec::len), Some(1));
    succeeded(&new(dir.path(), &["event", "door-opened"]));

    let read = |file: &str| std::fs::read_to_string(dir.path().join(file)).expect(file);
    let sdk = checkout().display().to_string();
    expect_test::expect![[r#"
        # ours
        [workspace]
        resolver = "3"
        members = [
          "domain", # all events
          "commands/open-door",
        ]

        [workspace.dependencies]
        anyhow = { version = "1.0.100", default-features = false }
        domain = { path = "domain" }
        schemars = "1.0"
        serde = { version = "1.0.228", features = ["derive"] }
        umari = { path = "SDK/umari" }
        validator = { version = "0.20", features = ["derive"] }
        umari-testing = { path = "SDK/umari-testing" }
    "#]]
    .assert_eq(&read("Cargo.toml").replace(&sdk, "SDK"));
    expect_test::expect![[r#"
        [package]
        name = "domain"
        edition = "2024"

        [dependencies]
        serde = "1"
        umari = { path = "SDK/umari" } # the SDK

        [dev-dependencies]
        umari-testing.workspace = true
    "#]]
    .assert_eq(&read("domain/Cargo.toml").replace(&sdk, "SDK"));
    expect_test::expect![[r"
        //! The domain.

        pub mod events;

        #[cfg(test)]
        mod tests;
    "]]
    .assert_eq(&read("domain/src/lib.rs"));
    let resolved = cargo(dir.path(), &["metadata", "--format-version", "1"]);
    succeeded(&resolved);
}
