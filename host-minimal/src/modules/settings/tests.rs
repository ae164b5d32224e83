//! Settings.

use std::time::Duration;

use super::*;
use ModuleKind::{Command, Effect, Projector};

fn read(text: &str) -> ModuleSettings {
    ModuleSettings::from_json(text).expect(text)
}

fn why(text: &str) -> String {
    ModuleSettings::from_json(text).expect_err(text).to_string()
}

#[test]
fn a_key_that_there_is_not_is_named_with_those_that_there_are() {
    assert_eq!(
        why(r#"{"memroy": 1}"#),
        "`memroy`: unknown field `memroy`, expected one of `start`, `limits`, `http`"
    );
    assert_eq!(
        why(r#"{"limits": {"memroy_mb": 1}}"#),
        "`limits.memroy_mb`: unknown field `memroy_mb`, expected one of `memory_mb`, `deadline_ms`, \
         `table_elements`, `handles`, `hostcall_kb`, `output_kb`, `log_mb`, `sqlite_mb`, `sqlite_rows`, \
         `sqlite_result_kb`, `sqlite_value_kb`"
    );
    assert_eq!(
        why(r#"{"start": "now"}"#),
        "`start`: unknown variant `now`, expected `beginning` or `latest`"
    );
    for text in [
        "",
        "[1]",
        "7",
        r#"{"limits": {"memory_mb": -1}}"#,
        r#"{"http": "a"}"#,
    ] {
        why(text);
    }
    assert!(why(r#"{"http": ["a/b"]}"#).contains("it has a path"));
}

#[test]
fn settings_are_written_as_they_are_read() {
    for text in [
        "{}",
        r#"{"start":"latest"}"#,
        r#"{"limits":{"deadline_ms":100}}"#,
        r#"{"http":[]}"#,
        r#"{"http":["*.a.example","https://b.example"],"limits":{"memory_mb":1,"sqlite_mb":2},"start":"latest"}"#,
    ] {
        assert_eq!(
            read(text).to_json(),
            serde_json::from_str::<Value>(text).unwrap()
        );
    }
    assert_eq!(
        read(r#"{"start":"beginning","limits":{}}"#),
        ModuleSettings::default()
    );
}

#[test]
fn people_see_what_is_set() {
    assert_eq!(ModuleSettings::default().to_string(), "");
    assert_eq!(read(r#"{"http":[]}"#).to_string(), "http=nowhere");
    assert_eq!(
        read(
            r#"{"start":"latest","limits":{"memory_mb":1,"sqlite_value_kb":3,"deadline_ms":2},
                "http":["a.example","b.example:1"]}"#
        )
        .to_string(),
        "start=latest memory_mb=1 deadline_ms=2 sqlite_value_kb=3 http=a.example,b.example:1"
    );
}

#[test]
fn a_key_is_for_some_kinds_only() {
    let host = Settings::default();
    for (text, good, bad) in [
        (
            r#"{"start":"latest"}"#,
            &[Projector, Effect][..],
            &[Command][..],
        ),
        (r#"{"http":[]}"#, &[Effect], &[Command, Projector]),
        (
            r#"{"limits":{"sqlite_mb":1,"log_mb":1}}"#,
            &[Projector, Effect],
            &[Command],
        ),
        (
            r#"{"limits":{"sqlite_rows":1,"sqlite_result_kb":1,"sqlite_value_kb":64}}"#,
            &[Projector, Effect],
            &[Command],
        ),
        (
            r#"{"limits":{"memory_mb":1,"deadline_ms":1,"table_elements":1,"handles":1,
                "hostcall_kb":1,"output_kb":1}}"#,
            &ModuleKind::ALL,
            &[],
        ),
        (r#"{"start":"beginning"}"#, &ModuleKind::ALL, &[]),
    ] {
        for kind in good {
            assert_eq!(read(text).check(*kind, &host), Ok(()), "{text}");
        }
        for kind in bad {
            let error = read(text).check(*kind, &host).expect_err(text).to_string();
            assert!(
                error.contains(&format!("is not for a {kind}: only ")),
                "{error}"
            );
        }
    }
}

#[test]
fn limits_are_within_the_hosts_own() {
    let host = Settings::default();
    for (kind, key, least, most) in [
        (Command, "memory_mb", 1, 128),
        (Command, "deadline_ms", 1, 10_000),
        (Projector, "deadline_ms", 1, 30_000),
        (Effect, "deadline_ms", 1, 300_000),
        (Command, "table_elements", 1, 20_000),
        (Command, "handles", 1, 1_000),
        (Projector, "hostcall_kb", 1, 16_384),
        (Command, "output_kb", 1, 64),
        (Projector, "log_mb", 1, 8),
        (Effect, "sqlite_mb", 1, 8_192),
        (Effect, "sqlite_rows", 1, 100_000),
        (Projector, "sqlite_result_kb", 1, 32_768),
        (Projector, "sqlite_value_kb", 64, 2_048),
    ] {
        let check =
            |value: u64| read(&format!(r#"{{"limits":{{"{key}":{value}}}}}"#)).check(kind, &host);
        assert_eq!(
            (check(least), check(most)),
            (Ok(()), Ok(())),
            "{kind} {key}"
        );
        for given in [0, least - 1, most + 1] {
            let expected = SettingsError::Limit {
                key,
                given,
                least,
                most,
            };
            assert_eq!(check(given), Err(expected));
        }
    }
}

#[test]
fn a_list_of_destinations_is_so_long() {
    let http = |count: usize| ModuleSettings {
        http: Some(vec!["a.example".parse().unwrap(); count]),
        ..ModuleSettings::default()
    };
    let host = Settings::default();
    assert_eq!(
        http(limits::MODULE_HTTP_TARGETS).check(Effect, &host),
        Ok(())
    );
    let given = limits::MODULE_HTTP_TARGETS + 1;
    assert_eq!(
        http(given).check(Effect, &host),
        Err(SettingsError::HttpTargets { given })
    );
}

#[test]
fn a_module_gets_the_lower_of_its_own_limits_and_the_hosts() {
    let mut host = Settings::default();
    let everything = ModuleSettings::default().allowance(Projector, &host);
    assert_eq!(
        everything,
        Allowance {
            memory_bytes: limits::GUEST_MEMORY_BYTES,
            deadline: limits::PROJECTOR_DEADLINE,
            table_elements: limits::GUEST_TABLE_ELEMENTS,
            handles: limits::GUEST_HANDLES,
            hostcall_bytes: limits::HOSTCALL_BYTES,
            output: OutputAllowance::default(),
            sqlite: SqliteAllowance::default(),
        }
    );
    let own = read(
        r#"{"limits":{"memory_mb":2,"deadline_ms":3,"table_elements":4,"handles":5,"hostcall_kb":6,
            "output_kb":7,"log_mb":8,"sqlite_mb":9,"sqlite_rows":10,"sqlite_result_kb":11,
            "sqlite_value_kb":64}}"#,
    );
    assert_eq!(
        own.allowance(Effect, &host),
        Allowance {
            memory_bytes: 2 << 20,
            deadline: Duration::from_millis(3),
            table_elements: 4,
            handles: 5,
            hostcall_bytes: 6 << 10,
            output: OutputAllowance {
                kept_bytes: 7 << 10,
                log_bytes: 8 << 20,
            },
            sqlite: SqliteAllowance {
                pages: 9 * 256,
                rows: 10,
                result_bytes: 11 << 10,
                value_bytes: 64 << 10,
            },
        }
    );
    // A host that allows less than when the module was stored.
    host.memory_bytes = 1 << 20;
    host.command_deadline = Duration::from_millis(1);
    let less = own.allowance(Command, &host);
    assert_eq!(
        (less.memory_bytes, less.deadline),
        (1 << 20, Duration::from_millis(1))
    );
}
