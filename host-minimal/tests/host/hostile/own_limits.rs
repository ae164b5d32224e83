//! The limits that a module's own manifest sets: each at the limit, and one past it.

use super::components::{command, refusal_of};
use super::*;

/// What happens within the limit and what beyond it, as a failure says it.
struct Edge {
    limit: &'static str,
    within: String,
    beyond: String,
    says: &'static str,
}

#[test]
fn a_projector_has_what_its_manifest_says_and_no_more() {
    let numbers = |count: u32| {
        format!(
            "select:WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n LIMIT {count}) \
             SELECT x FROM n"
        )
    };
    let blob = |length: u32| format!("select:SELECT zeroblob({length})");
    let sql = |length: usize| format!("sql:SELECT 1{}", " ".repeat(length - 8));
    let edges = [
        Edge {
            limit: r#""handles":20"#,
            within: "hold:20".to_owned(),
            beyond: "hold:21".to_owned(),
            says: "no free keys",
        },
        Edge {
            limit: r#""hostcall_kb":64"#,
            within: sql(64 << 10),
            beyond: sql((64 << 10) + 1),
            says: "fuel",
        },
        Edge {
            limit: r#""sqlite_rows":10"#,
            within: numbers(10),
            beyond: numbers(11),
            says: "a query may return 10 rows",
        },
        Edge {
            limit: r#""sqlite_result_kb":2"#,
            within: blob(2_048),
            beyond: blob(2_049),
            says: "a query may return 2048 bytes",
        },
        Edge {
            limit: r#""sqlite_value_kb":64"#,
            within: blob(64 << 10),
            beyond: blob((64 << 10) + 1),
            says: "too big",
        },
    ];
    let host = neighbourhood(HttpPolicy::default());
    let mut rows = Vec::new();
    for (n, edge) in edges.into_iter().enumerate() {
        let settings = format!(r#"{{"limits":{{{}}}}}"#, edge.limit);
        for (side, attack, says) in [
            ("within", edge.within, "achieved"),
            ("beyond", edge.beyond, edge.says),
        ] {
            let module = format!("{side}{n}");
            set_loose(&host, ModuleKind::Projector, &module, &attack, &settings).expect(&attack);
            live_next_door(&host, NEIGHBOUR_COMMANDS);
            let (_, failure) = host.wait_for_failure(&module, 1);
            host.host
                .deactivate(ModuleKind::Projector, &name(&module))
                .expect("it ends");
            rows.push(Row {
                attack: format!("{side} {}", edge.limit),
                as_expected: failure.message.contains(says),
                stopped_by: failure.message,
                attempts: failure.attempts,
            });
        }
    }
    conclude(&host, "limits of a manifest", &rows);
}

#[test]
fn a_component_is_started_within_the_limits_of_its_manifest() {
    let host = neighbourhood(HttpPolicy::default());
    let core = |fields: &str| {
        command(&format!(
            "(core module $m0 {fields}) (core instance (instantiate $m0))"
        ))
    };
    for (limit, within, beyond, says) in [
        (
            r#""table_elements":10"#,
            "(table 10 funcref)",
            "(table 11 funcref)",
            "table minimum size of 11 elements exceeds table limits",
        ),
        (
            r#""memory_mb":1"#,
            "(memory 16)",
            "(memory 17)",
            "an instance may have 1048576 bytes",
        ),
    ] {
        let settings = format!(r#"{{"limits":{{{limit}}}}}"#);
        let try_to_start = |fields| refusal_of(&host, ModuleKind::Command, core(fields), &settings);
        // It starts, and then has no schema that the host could read.
        let text = try_to_start(within);
        assert!(
            text.contains("type mismatch with results"),
            "{limit}: {text}"
        );
        let text = try_to_start(beyond);
        assert!(text.contains(says), "{limit}: {text}");
    }
}

#[test]
fn as_much_is_kept_of_what_a_module_prints_as_its_manifest_says() {
    let host = neighbourhood(HttpPolicy::default());
    let limits = r#"{"limits":{"output_kb":1,"log_mb":1}}"#;
    let project = |module: &str, attack: &str| {
        set_loose(&host, ModuleKind::Projector, module, attack, limits).expect(attack);
    };
    // The last kilobyte is where the host looks for the report of a panic.
    project("short", "panic-with:800");
    project("long", "panic-with:1000");
    let message = |module: &str| host.wait_for_failure(module, 1).1.message;
    assert!(message("short").contains("panicked at "));
    assert!(message("long").contains("trapped: "));
    for (module, printed, files) in [("full", 1 << 20, 1), ("fuller", (1 << 20) + 1, 2)] {
        project(module, &format!("print:{printed}"));
        host.wait_for(module, |status| {
            status
                .subscription
                .as_ref()
                .is_some_and(|it| it.position > 0)
        });
        let directory = host.directory().join("data/projector");
        let logs = [format!("{module}.log"), format!("{module}.log.1")];
        let sizes: Vec<u64> = logs
            .iter()
            .filter_map(|log| std::fs::metadata(directory.join(log)).ok())
            .map(|file| file.len())
            .collect();
        assert_eq!(sizes.len(), files, "{module}: {sizes:?}");
        assert_eq!(sizes.iter().sum::<u64>(), printed);
    }
    live_next_door(&host, NEIGHBOUR_COMMANDS);
}
