//! Deployments of an effect beside a command and a projector that do not go well, from end to end:
//! what runs afterwards, what the user is told, and what the outside got.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::api::{Answer, Api, Built};
use crate::fixtures::fixtures;
use crate::shop::Sink;
use crate::support::{Ended, Server, run, umari};

/// What ran before the deployment.
const OLD: &str = "1.0.0-old";
/// What the fixtures' manifests say.
const NEW: &str = "1.0.0";

/// A server on which a command, a projector and an effect run, with one note that the effect cannot
/// pass on, because its target refuses.
struct Office {
    server: Server,
    api: Api,
    sink: Sink,
    /// A target that takes everything.
    other: Sink,
}

impl Office {
    fn open(data: &Path) -> Self {
        let (sink, other) = (Sink::start(), Sink::start());
        sink.refuse(true);
        let targets = format!("{},{}", sink.address(), other.address());
        let server = Server::start(
            umari()
                .args(["serve", "--addr", "127.0.0.1:0", "--allow-http", &targets])
                .arg("--data-dir")
                .arg(data),
        );
        let api = Api::at(server.url.clone());
        let office = Self {
            server,
            api,
            sink,
            other,
        };
        let target = ("TARGET".to_owned(), office.target());
        for (kinds, name, wasm, env) in [
            ("commands", "note", &fixtures().commands, vec![]),
            (
                "projectors",
                "fixture-projector",
                &fixtures().projector,
                vec![],
            ),
            (
                "effects",
                "fixture-effect",
                &fixtures().effect,
                vec![target],
            ),
        ] {
            let wasm = wasm.clone();
            assert!(office.api.upload(kinds, name, OLD, &Built { wasm, env }));
            assert!(office.api.activate(kinds, name, OLD));
        }
        let note = json!({ "counter": "a", "note_id": 1, "text": "hello" });
        let answer = office.api.execute("note", &note, None);
        assert!(matches!(answer, Answer::Acknowledged { .. }), "{answer:?}");
        // Twice, so that nobody can take it for chance.
        office.wait_for(|effect| effect["last_error"]["attempts"].as_u64() >= Some(2));
        office
    }

    fn target(&self) -> String {
        format!("http://{}", self.sink.address())
    }

    /// Deploys the fixtures, with these variables.
    fn deploy(&self, env: &[&str]) -> Ended {
        let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../host-minimal/tests/fixtures");
        let paths: [PathBuf; 3] =
            ["second-command", "projector", "effect"].map(|crate_| fixtures.join(crate_));
        let env = env.iter().flat_map(|pair| ["--env", pair]);
        run(umari()
            .arg("deploy")
            .args(paths)
            .args(["--url", &self.server.url])
            .args(env))
    }

    fn modules(&self) -> Vec<Value> {
        let ended = run(umari().args(["modules", "--json", "--url", &self.server.url]));
        let answer: Value = serde_json::from_str(&ended.stdout).expect("JSON");
        answer["modules"].as_array().expect("modules").clone()
    }

    /// What runs, as kind, name and version.
    fn running(&self) -> Vec<String> {
        let modules = self.modules();
        let words = modules.iter().map(|module| {
            let word = |field: &str| module[field].as_str().expect("text").to_owned();
            [word("kind"), word("name"), word("version")].join(" ")
        });
        words.collect()
    }

    fn wait_for(&self, reached: impl Fn(&Value) -> bool) {
        let end = std::time::Instant::now() + crate::support::PATIENCE;
        loop {
            let modules = self.modules();
            let effect = modules.iter().find(|module| module["kind"] == "effect");
            if effect.is_some_and(&reached) {
                return;
            }
            assert!(
                std::time::Instant::now() < end,
                "it did not happen: {modules:#?}"
            );
            std::thread::yield_now();
        }
    }

    /// Lets the target take what it gets, and waits until the effect has passed everything on.
    fn assert_told_once(&self) {
        assert!(self.sink.registrations().is_empty());
        self.sink.refuse(false);
        // The pauses between attempts have grown long: whoever mended the target resumes the effect.
        for action in ["pause", "resume"] {
            let url = ["--url", &self.server.url];
            let ended = run(umari()
                .args(["effects", action, "fixture-effect"])
                .args(url));
            assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        }
        self.wait_for(|effect| effect["position"] == effect["head"] && effect["healthy"] == true);
        let told = self.sink.registrations();
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].contains("hello"), "{told:?}");
    }
}

fn before() -> Vec<String> {
    [
        "command note",
        "projector fixture-projector",
        "effect fixture-effect",
    ]
    .map(|module| format!("{module} {OLD}"))
    .into()
}

/// That everything was taken back, the last first, and what was said about it.
fn assert_rolled_back(ended: &Ended, why: &str) {
    assert_eq!(ended.code, Some(3), "{}", ended.stderr);
    assert_eq!(ended.stdout, "", "nothing is said to be deployed");
    let taken_back: Vec<&str> = ended
        .stderr
        .lines()
        .filter_map(|line| line.trim().strip_prefix("Rolled back "))
        .collect();
    let known = [
        format!("effect fixture-effect {NEW}: active is {OLD}"),
        format!("projector fixture-projector {NEW}: active is {OLD}"),
        // A command that did not run before does not run afterwards.
        format!("command fixture-second-command {NEW}: active is none"),
    ];
    assert_eq!(taken_back, known, "{}", ended.stderr);
    let (_, error) = ended.stderr.split_once("\nerror: ").expect("an error");
    assert!(
        error.starts_with(&format!(
            "effect fixture-effect {NEW} did not come up\n  why: "
        )),
        "{error}"
    );
    assert!(error.contains(why), "{error}");
    assert!(error.contains("what ran before runs again"), "{error}");
}

#[test]
fn an_effect_that_fails_at_an_event_is_rolled_back_with_all_that_came_along() {
    let data = tempfile::tempdir().expect("a directory");
    let office = Office::open(data.path());
    assert_eq!(office.running(), before());
    let target = format!("TARGET={}", office.target());
    let ended = office.deploy(&[&target, "POISONED=1"]);
    assert_rolled_back(&ended, "it fails at the event at position 1: ");
    assert!(
        ended.stderr.contains("poisoned by note 1"),
        "{}",
        ended.stderr
    );
    assert_eq!(office.running(), before());
    office.assert_told_once();
}

#[test]
fn an_effect_that_does_not_start_is_rolled_back_with_all_that_came_along() {
    let data = tempfile::tempdir().expect("a directory");
    let office = Office::open(data.path());
    let ended = office.deploy(&[]);
    assert_rolled_back(&ended, "it does not start: ");
    assert!(ended.stderr.contains("TARGET"), "{}", ended.stderr);
    assert_eq!(office.running(), before());
    office.assert_told_once();
}

#[test]
fn what_mends_an_effect_that_fails_is_not_taken_for_what_failed() {
    let data = tempfile::tempdir().expect("a directory");
    let office = Office::open(data.path());
    let target = format!("TARGET=http://{}", office.other.address());
    let ended = office.deploy(&[&target]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let deployed = format!("Deployed effect fixture-effect {NEW} ");
    assert!(ended.stdout.contains(&deployed), "{}", ended.stdout);
    office.wait_for(|effect| effect["position"] == effect["head"]);
    assert_eq!(office.other.registrations().len(), 1);
    assert!(office.sink.registrations().is_empty());
}

#[test]
fn a_command_that_cannot_run_is_refused_before_anything_is_activated() {
    let data = tempfile::tempdir().expect("a directory");
    let server = Server::serve(data.path());
    // Its modules say what they are, and are not.
    let workspace = crate::builds::workspace();
    let ended = run(umari()
        .args(["deploy", "--url", &server.url])
        .current_dir(workspace.path())
        .env_remove("CARGO_TARGET_DIR"));
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    let (_, error) = ended.stderr.split_once("\nerror: ").expect("an error");
    assert!(
        error.starts_with("the server refused command greet 1.2.3\n  why: "),
        "{error}"
    );
    let listed = run(umari().args(["commands", "list", "--url", &server.url]));
    assert_eq!(listed.stdout, "", "nothing is stored");
}
