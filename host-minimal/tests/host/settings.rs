//! Settings: what a manifest says about a module is what the module gets, and never more than the
//! host allows.

use std::sync::mpsc;
use std::time::Duration;

use host_minimal::commands::{Call, ExecuteError};
use host_minimal::engine::trap::Crash;
use host_minimal::host::ModuleError;
use host_minimal::modules::{ModuleKind, ModuleSettings, ModuleStoreError};
use host_minimal::{Host, HostConfig};
use serde_json::{Value, json};

use crate::server::TestServer;
use crate::support::{PATIENCE, TestHost, fixtures, upload};
use crate::target::Target;

fn settings(value: &Value) -> ModuleSettings {
    ModuleSettings::from_json(&value.to_string()).expect("settings")
}

fn store(
    host: &Host,
    kind: ModuleKind,
    name: &str,
    version: &str,
    env: &[(&str, &str)],
    value: &Value,
) {
    let mut upload = upload(kind, name, version, env);
    upload.settings = settings(value);
    host.upload(upload.clone()).expect("the module is stored");
    host.activate(kind, &upload.name, &upload.version)
        .expect("the module is activated");
}

#[test]
fn settings_that_are_not_for_the_module_are_refused_and_nothing_is_stored() {
    let host = TestHost::start();
    for (kind, module, value, why) in [
        (
            ModuleKind::Command,
            "note",
            json!({ "start": "latest" }),
            "`start` is not for a command",
        ),
        (
            ModuleKind::Projector,
            "notes",
            json!({ "http": [] }),
            "`http` is not for a projector",
        ),
        (
            ModuleKind::Command,
            "note",
            // The host of these tests allows 32 MB and 3 s.
            json!({ "limits": { "memory_mb": 33 } }),
            "`limits.memory_mb` is 33: it must be between 1 and 32",
        ),
        (
            ModuleKind::Command,
            "note",
            json!({ "limits": { "deadline_ms": 3_001 } }),
            "`limits.deadline_ms` is 3001: it must be between 1 and 3000",
        ),
    ] {
        let mut upload = upload(kind, module, "1.0.0", &[]);
        upload.settings = settings(&value);
        match host.host.upload(upload) {
            Err(ModuleError::Settings(error)) => {
                assert!(error.to_string().contains(why), "{error}");
            }
            other => panic!("{value}: {other:?}"),
        }
    }
    // Too little memory to start in is found before it is stored.
    let mut upload = upload(ModuleKind::Command, "note", "1.0.0", &[]);
    upload.settings = settings(&json!({ "limits": { "memory_mb": 1 } }));
    match host.host.upload(upload) {
        Err(ModuleError::Load(error)) => {
            assert!(error.to_string().contains("1048576 bytes"), "{error}");
        }
        other => panic!("{other:?}"),
    }
    assert!(host.host.stored(None).expect("a module store").is_empty());
}

#[test]
fn a_version_names_its_settings_for_good() {
    let host = TestHost::start();
    let mut given = upload(ModuleKind::Projector, "notes", "1.0.0", &[]);
    given.settings = settings(&json!({ "start": "latest" }));
    let stored = host.host.upload(given.clone()).expect("stored").module;
    assert_eq!(stored.settings, given.settings);
    assert!(
        host.host
            .upload(given.clone())
            .expect("the same")
            .already_present
    );
    given.settings = ModuleSettings::default();
    match host.host.upload(given) {
        Err(ModuleError::Store(ModuleStoreError::SettingsDiffer { .. })) => {}
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_module_has_its_own_memory_before_and_after_a_restart() {
    let host = TestHost::start();
    let limits = json!({ "limits": { "memory_mb": 4 } });
    store(
        &host.host,
        ModuleKind::Command,
        "hoard",
        "1.0.0",
        &[],
        &limits,
    );
    let hoard = |host: &TestHost| match host.execute("hoard", json!({ "counter": "c" })) {
        Err(ExecuteError::Crashed { crash, .. }) => crash,
        other => panic!("{other:?}"),
    };
    let expected = Crash::Memory {
        limit_bytes: 4 << 20,
    };
    assert_eq!(hoard(&host), expected);
    let host = host.restart();
    assert_eq!(hoard(&host), expected);
}

#[test]
fn a_module_has_its_own_deadline() {
    let directory = tempfile::tempdir().expect("a directory");
    let mut config = HostConfig::new(directory.path());
    // Nobody would wait for this one.
    config.settings.command_deadline = Duration::from_secs(86_400);
    let host = Host::start(config).expect("a host");
    let limits = json!({ "limits": { "deadline_ms": 20 } });
    store(&host, ModuleKind::Command, "spin", "1.0.0", &[], &limits);
    let (ended, outcome) = mpsc::channel();
    std::thread::spawn(move || {
        let _ = ended.send(host.execute("spin", r#"{"counter": "c"}"#, &Call::default()));
    });
    match outcome.recv_timeout(PATIENCE).expect("an end") {
        Err(ExecuteError::Crashed { crash, .. }) => assert_eq!(crash, Crash::Deadline),
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_effect_calls_only_what_its_settings_list() {
    let (host, target) = (TestHost::with_commands(), Target::start());
    let env = [("TARGET", target.url.as_str())];
    let listed = json!({ "http": ["api.example.com", "https://127.0.0.1:*"] });
    store(
        &host.host,
        ModuleKind::Effect,
        "relay",
        "1.0.0",
        &env,
        &listed,
    );
    host.note("a", 1, "x");
    let (_, failure) = host.wait_for_failure("relay", 2);
    assert!(
        failure.message.contains("does not allow requests"),
        "{}",
        failure.message
    );
    assert_eq!(target.count(1), 0);

    let authority = target.url.trim_start_matches("http://");
    let listed = json!({ "http": ["api.example.com", authority] });
    store(
        &host.host,
        ModuleKind::Effect,
        "relay",
        "1.0.1",
        &env,
        &listed,
    );
    host.wait_caught_up("relay");
    assert_eq!(target.count(1), 1);
}

#[test]
fn the_list_of_an_effect_allows_nothing_that_the_host_does_not() {
    let host = TestHost::with_commands();
    let env = [("TARGET", "http://10.0.0.1:9")];
    store(
        &host.host,
        ModuleKind::Effect,
        "relay",
        "1.0.0",
        &env,
        &json!({ "http": ["10.0.0.1:9"] }),
    );
    host.note("a", 1, "x");
    let (_, failure) = host.wait_for_failure("relay", 1);
    assert!(
        failure.message.contains("does not allow requests"),
        "{}",
        failure.message
    );
}

#[test]
fn settings_travel_in_a_header_and_are_shown() {
    let server = TestServer::with_commands();
    let path = "/projectors/notes/versions/1.0.0";
    let send = |settings: &str| {
        let headers = [("x-umari-settings", settings)];
        server.request("POST", path, &headers, &fixtures().projector)
    };
    for (wrong, why) in [
        (
            r#"{"limits":{"memroy_mb":1}}"#,
            "unknown field `memroy_mb`, expected one of `memory_mb`",
        ),
        (
            r#"{"limits":{"memory_mb":99}}"#,
            "it must be between 1 and 32",
        ),
        (r#"{"http":["a.example"]}"#, "`http` is not for a projector"),
        ("{", "not JSON"),
    ] {
        let reply = send(wrong);
        assert_eq!(reply.problem(400), "invalid-settings");
        let detail = reply.body["detail"].as_str().expect("a text");
        assert!(detail.contains(why), "{detail}");
    }
    let given = json!({ "limits": { "memory_mb": 16 }, "start": "latest" });
    let stored = send(&given.to_string());
    assert_eq!((stored.status, &stored.body["settings"]), (201, &given));
    assert_eq!(send(&given.to_string()).status, 200);
    let other = send("{}");
    assert_eq!(other.problem(409), "version-exists");
    let shown = server.request("GET", "/projectors/notes", &[], &[]);
    assert_eq!(shown.body["versions"][0]["settings"], given);
}
