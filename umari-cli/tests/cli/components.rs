//! The same scenarios on the built components: `umari test`, and what it says.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

use expect_test::{Expect, expect};

use crate::support::{Ended, run, umari};

/// Modules whose components do something else, on purpose.
fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
}

fn umari_test(paths: &[PathBuf]) -> Ended {
    let mut command = umari();
    command
        .arg("test")
        .args(paths)
        .args(["--", "--no-fail-fast"])
        .env("RUST_BACKTRACE", "0");
    run(&mut command)
}

/// What a failed test printed, from its second line on.
fn report<'a>(ended: &'a Ended, test: &str) -> &'a str {
    let head = format!("---- tests::{test} stdout ----\n");
    let Some((_, report)) = ended.stdout.split_once(&head) else {
        panic!("{test} did not fail\n{}\n{}", ended.stdout, ended.stderr);
    };
    let (_, report) = report.split_once("panicked at ").expect("a place");
    let (place, report) = report.split_once(":\n").expect("a message");
    assert!(
        place.contains("src/tests.rs"),
        "the test's own line: {place}"
    );
    report.split("\n\ncomponent\n").next().expect("a beginning")
}

/// Compares the part of a report that differs from case to case.
fn check(ended: &Ended, test: &str, expected: Expect) {
    expected.assert_eq(report(ended, test));
}

#[test]
fn the_examples_are_the_same_on_their_components() {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples");
    let modules = [
        "warranty/commands",
        "warranty/projectors",
        "warranty/effects",
        "courses/commands",
        "courses/projectors",
    ];
    let ended = umari_test(&modules.map(|kind| examples.join(kind)));
    assert_eq!(ended.code, Some(0), "{}\n{}", ended.stdout, ended.stderr);
    let summary = ended.stderr.lines().last().expect("a summary");
    let numbers: Vec<usize> = summary
        .split_whitespace()
        .filter_map(|word| word.parse().ok())
        .collect();
    let [all, commands, projectors, effects] = numbers[..] else {
        panic!("four numbers: {summary}");
    };
    assert_eq!(all, commands + projectors + effects);
    assert!(
        commands >= 60 && projectors >= 7 && effects >= 8,
        "{summary}"
    );
}

#[test]
fn a_component_that_does_something_else_is_found() {
    let ended = umari_test(&[fixtures()]);
    assert_eq!(ended.code, Some(1), "{}\n{}", ended.stdout, ended.stderr);
    let failed = ended
        .stdout
        .lines()
        .filter(|line| line.ends_with("... FAILED"));
    assert_eq!(failed.count(), 10, "{}", ended.stdout);
    decisions_that_drift(&ended);
    other_drifts_of_commands(&ended);
    projectors_that_drift(&ended);
    effects_that_drift(&ended);
    let (_, end) = ended
        .stdout
        .split_once("---- tests::rows_drift stdout ----\n")
        .expect("a report");
    let (_, end) = end.split_once("\ncause\n").expect("a cause");
    let end = end.split("\n\n\n").next().expect("an end");
    expect![[r#"
          both are the same sources, so something depends on where they run:
          a `#[cfg(..)]`, the size of `usize`, a static, the wall clock, a random id

        fix
          let it depend on input and history alone
          or, if it is meant, `.without(check::COMPONENT, "why")`"#]]
    .assert_eq(end);
}

fn decisions_that_drift(ended: &Ended) {
    check(
        ended,
        "what_is_emitted_drifts",
        expect![[r#"
        `drifting_command::execute` does something else as a component

        scenario
          when     drifting_command::execute({"thing_id":7,"drift":"Event"})
          emitted  1  thing.counted  thing_id:7

        events (- native, + component)
            1  thing.counted
               - by: 1
               + by: 2
                 thing_id: 7"#]],
    );
    check(
        ended,
        "the_rule_drifts",
        expect![[r#"
        `drifting_command::execute` does something else as a component

        scenario
          given    1  thing.counted  thing_id:7
          when     drifting_command::execute({"thing_id":7,"drift":"Rule"})
          emitted  2  thing.counted  thing_id:7

        outcome (- native, + component)
          - success
          + rejected: counted 1 times, which is enough
          +   code rejected

        events (- native, + component)
          - 1  thing.counted
               - by: 1
               - thing_id: 7"#]],
    );
}

fn other_drifts_of_commands(ended: &Ended) {
    check(
        ended,
        "the_boundary_drifts",
        expect![[r#"
        `drifting_command::execute` does something else as a component

        scenario
          given    1  thing.counted  thing_id:7
          when     drifting_command::execute({"thing_id":7,"drift":"Boundary"})
          emitted  2  thing.counted  thing_id:7

        read (- native, + component)
          - thing.counted  {thing_id:7}
          + thing.counted  {thing_id:0}"#]],
    );
    check(
        ended,
        "a_panic_is_new",
        expect![[r#"
        `drifting_command::execute` does something else as a component

        scenario
          when     drifting_command::execute({"thing_id":7,"drift":"Panic"})
          emitted  1  thing.counted  thing_id:7

        outcome (- native, + component)
          - success
          + panicked: this was not foreseen

        events (- native, + component)
          - 1  thing.counted
               - by: 1
               - thing_id: 7"#]],
    );
}

fn projectors_that_drift(ended: &Ended) {
    check(
        ended,
        "rows_drift",
        expect![[r#"
        `Views` does something else as a component

        scenario
          given    1  page.viewed  page:/a
                   2  page.viewed  page:/twice
          project  Views

        rows (- native, + component)
            views
            page    times  share
            ------  -----  -----
            /a      1      0.5
          - /twice  1      0.5
          + /twice  2      0.5"#]],
    );
    check(
        ended,
        "an_event_is_refused",
        expect![[r#"
        `Views` does something else as a component

        scenario
          given    1  page.viewed  page:/a
                   2  page.viewed  page:/forbidden
                   3  page.viewed  page:/b
          project  Views

        outcome (- native, + component)
          - handled everything
          + stopped at 2 page.viewed {page:/forbidden}: nobody may see /forbidden

        rows (- native, + component)
            views
          - page        times  share
          - ----------  -----  -----
          - /a          1      0.5
          - /b          1      0.5
          - /forbidden  1      0.5
          + page  times  share
          + ----  -----  -----
          + /a    1      0.5"#]],
    );
}

fn effects_that_drift(ended: &Ended) {
    check(
        ended,
        "a_request_drifts",
        expect![[r#"
        `Greet` does something else as a component

        scenario
          event    1  member.joined   member_id:7
          run      Greet
          sent     POST https://greet.test
          emitted  2  member.greeted  member_id:7

        requests (- native, + component)
            1  POST https://greet.test/
               - text: "Hello request"
               + text: "Welcome request""#]],
    );
    check(
        ended,
        "the_lane_drifts",
        expect![[r#"
        `Greet` does something else as a component

        scenario
          event    1  member.joined   member_id:7
          run      Greet
          sent     POST https://greet.test
          emitted  2  member.greeted  member_id:7

        deliveries (- native, + component)
          - 1 member.joined {member_id:7}, partition key "7"
          + 1 member.joined {member_id:7}, partition key none"#]],
    );
    check(
        ended,
        "the_record_drifts",
        expect![[r#"
        `Greet` does something else as a component

        scenario
          event    1  member.joined   member_id:7
          run      Greet
          sent     POST https://greet.test
          emitted  2  member.greeted  member_id:7

        events (- native, + component)
          - 1  member.greeted
               - member_id: 7"#]],
    );
    // The manifest does not list the place: natively the request is sent, and by the component not.
    let refused = report(ended, "a_request_goes_where_the_manifest_does_not_allow");
    for said in [
        "`Greet` does something else as a component",
        "  sent     POST https://elsewhere.test",
        "requests (- native, + component)",
        "deliveries (- native, + component)",
    ] {
        assert!(refused.contains(said), "{refused}");
    }
}

/// The tests of a fixture, compiled as `umari test` compiles them.
fn compiled_tests(package: &str) -> PathBuf {
    let mut cargo = Command::new("cargo");
    cargo
        .args(["test", "--offline", "--no-run", "--lib", "-p", package])
        .args(["--features", "umari-testing/component"])
        .args(["--message-format", "json"])
        .current_dir(fixtures());
    let ended = run(&mut cargo);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let messages = ended
        .stdout
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).expect("a message"));
    let mut executables =
        messages.filter_map(|message| message["executable"].as_str().map(PathBuf::from));
    executables.next().expect("an executable")
}

/// The tests of a projector, run by hand: with a target directory of their own.
struct ByHand {
    tests: PathBuf,
    package: PathBuf,
    target: tempfile::TempDir,
    component: PathBuf,
}

impl ByHand {
    fn new() -> Self {
        let target = tempfile::tempdir().expect("a directory");
        let release = target.path().join("wasm32-wasip2/release");
        std::fs::create_dir_all(&release).expect("created");
        Self {
            tests: compiled_tests("drifting-projector"),
            package: fixtures().join("drifting-projector"),
            component: release.join("drifting_projector.wasm"),
            target,
        }
    }

    /// Puts something at the component's place, with a list of sources, dated `modified`.
    fn place(&self, wasm: &[u8], modified: SystemTime) {
        let notes = self.component.with_extension("d");
        let source = self.package.join("src/lib.rs");
        std::fs::write(&self.component, wasm).expect("written");
        std::fs::write(&notes, format!("x.wasm: {}\n", source.display())).expect("written");
        for path in [&self.component, &notes] {
            let file = std::fs::File::options().append(true).open(path);
            let file = file.expect("a file");
            file.set_modified(modified).expect("dated");
        }
    }

    /// What a test prints that fails.
    fn failure(&self, binary: &str) -> String {
        let mut command = Command::new(&self.tests);
        command
            .arg("tests::nothing_drifts")
            .current_dir(&self.package)
            .env("CARGO_TARGET_DIR", self.target.path())
            .env("RUST_BACKTRACE", "0")
            .env("UMARI_BIN", binary);
        let ended = run(&mut command);
        assert_eq!(ended.code, Some(101), "{}", ended.stdout);
        let (_, report) = ended.stdout.split_once("src/tests.rs:").expect("a report");
        let (_, report) = report.split_once(":\n").expect("a message");
        let report = report.split("\nnote: run with").next().expect("a report");
        report.replace(&self.target.path().display().to_string(), "TARGET")
    }
}

const UMARI: &str = env!("CARGO_BIN_EXE_umari");

#[test]
fn a_component_that_is_missing_or_out_of_date_is_a_failure() {
    let by_hand = ByHand::new();
    expect![[r#"
        the component of `drifting-projector` is not built

        component
          TARGET/wasm32-wasip2/release/drifting_projector.wasm

        cause
          there is no such file

        fix
          run `umari build`, or let `umari test` do it
    "#]]
    .assert_eq(&by_hand.failure(UMARI));

    std::fs::write(&by_hand.component, CORE_MODULE).expect("written");
    expect![[r#"
        the component of `drifting-projector` may be out of date

        component
          TARGET/wasm32-wasip2/release/drifting_projector.wasm

        cause
          the list of its sources, TARGET/wasm32-wasip2/release/drifting_projector.d, is not there

        fix
          run `umari build`, or let `umari test` do it
    "#]]
    .assert_eq(&by_hand.failure(UMARI));

    by_hand.place(CORE_MODULE, SystemTime::UNIX_EPOCH + Duration::from_secs(1));
    expect![[r#"
        the component of `drifting-projector` is out of date

        component
          TARGET/wasm32-wasip2/release/drifting_projector.wasm

        cause
          umari-cli/tests/fixtures/drifting-projector/src/lib.rs is newer

        fix
          run `umari build`, or let `umari test` do it
    "#]]
    .assert_eq(&by_hand.failure(UMARI));
}

/// WASM, but no component.
const CORE_MODULE: &[u8] = b"\0asm\x01\0\0\0";

#[test]
fn a_component_that_cannot_be_run_is_a_failure() {
    let by_hand = ByHand::new();
    by_hand.place(CORE_MODULE, SystemTime::now());
    expect![[r#"
        the component of `drifting_projector::Views` cannot be run

        component
          TARGET/wasm32-wasip2/release/drifting_projector.wasm

        cause
          this is a core webassembly module, not a component; build it for the target wasm32-wasip2
    "#]]
    .assert_eq(&by_hand.failure(UMARI));
    expect![[r#"
        components are run by the command `/nonexistent/umari`, which could not be started

        cause
          No such file or directory (os error 2)

        fix
          install umari-cli, or name its binary in UMARI_BIN; `umari test` does that by itself
    "#]]
    .assert_eq(&by_hand.failure("/nonexistent/umari"));
    // Something else of this name.
    expect![[r#"
        components are run by the command `true`, which could not be started

        cause
          it said nothing; it ended with exit status: 0

        fix
          install umari-cli, or name its binary in UMARI_BIN; `umari test` does that by itself
    "#]]
    .assert_eq(&by_hand.failure("true"));
}

#[test]
fn a_program_that_runs_no_components_is_told_from_one_that_does() {
    let by_hand = ByHand::new();
    by_hand.place(CORE_MODULE, SystemTime::now());
    let failure = |name: &str| {
        let program = fixtures().join("runners").join(name);
        let program = program.display().to_string();
        by_hand.failure(&program).replace(&program, name)
    };
    expect![[r#"
        the command `newer` and this umari-testing do not understand each other

        cause
          `newer` is umari 9.9.9, umari-testing is 0.1.0

        fix
          install the umari-cli of the same version as umari-testing
    "#]]
    .assert_eq(&failure("newer"));
    expect![[r#"
        the process that runs components ended in the middle of a scenario

        cause
          it said nothing; it ended with exit status: 3

        fix
          look at what it said on stderr; this is no fault of the module
    "#]]
    .assert_eq(&failure("quitter"));
}

#[test]
fn a_workspace_without_the_harness_is_told_so() {
    let dir = tempfile::tempdir().expect("a directory");
    let write = |file: &str, text: &str| {
        let file = dir.path().join(file);
        std::fs::create_dir_all(file.parent().expect("a parent")).expect("created");
        std::fs::write(file, text).expect("written");
    };
    write(
        "Cargo.toml",
        "[workspace]\nresolver = \"3\"\nmembers = [\"sdk\", \"shop\"]\n",
    );
    write(
        "sdk/Cargo.toml",
        "[package]\nname = \"umari\"\nedition = \"2024\"\n",
    );
    write("sdk/src/lib.rs", "");
    write(
        "shop/Cargo.toml",
        "[package]\nname = \"shop\"\nedition = \"2024\"\n[lib]\ncrate-type = [\"cdylib\", \"rlib\"]\n\
         [dependencies]\numari = { path = \"../sdk\" }\n",
    );
    write("shop/src/lib.rs", "");
    let ended = run(umari().arg("test").current_dir(dir.path()));
    assert_eq!(ended.code, Some(1));
    let root = dir.path().canonicalize().expect("a path");
    let said = ended
        .stderr
        .replace(&root.display().to_string(), "WORKSPACE");
    expect![[r#"
        error: no crate under WORKSPACE has `umari-testing`, so nothing would run on components
         help: add it to the crates whose tests use it: `cargo add --dev umari-testing`
    "#]]
    .assert_eq(&said);
}
