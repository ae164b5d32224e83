//! The text that is scraped.

use crate::modules::ModuleKind;
use crate::subscriptions::{Phase, SubscriptionStatus};

use super::*;

fn moment(modules: Vec<ModuleStatus>) -> Moment {
    Moment {
        head: 12,
        appended: Appended {
            appends: 3,
            events: 9,
        },
        snapshots: Figures {
            hits: 21,
            misses: 22,
            ignored: 23,
            kept: 24,
            refused: 25,
            entries: 26,
            bytes: 27,
        },
        load: CommandLoad {
            running: 2,
            waiting: 1,
        },
        modules,
    }
}

fn lines(text: &str) -> Vec<&str> {
    text.lines().filter(|line| !line.starts_with('#')).collect()
}

#[test]
fn what_happened_and_how_things_stand_is_one_text() {
    let metrics = Metrics::default();
    metrics.read(11);
    metrics.attempted("note", true);
    metrics.attempted("note", false);
    metrics.called(Some("note"), "ok", Duration::from_millis(3));
    metrics.called(None, "unknown-command", Duration::ZERO);
    let status = StatusCode::OK;
    metrics.answered(&Method::GET, Some("/events/{id}"), status, Duration::ZERO);
    let text = metrics
        .encode(&moment(vec![ModuleStatus {
            kind: ModuleKind::Projector,
            name: "notes".parse().expect("a name"),
            version: "1.0.0".parse().expect("a version"),
            subscription: Some(SubscriptionStatus {
                phase: Phase::Live,
                position: 10,
                events_per_second: 0.0,
                failure: None,
                last_failure: None,
                stalled: false,
                failures: 4,
            }),
            broken: None,
            replay: None,
        }]))
        .expect("text");
    let lines = lines(&text);
    for expected in [
        concat!(
            "umari_build_info{version=\"",
            env!("CARGO_PKG_VERSION"),
            "\"} 1"
        ),
        "umari_command_calls_total{command=\"note\",outcome=\"ok\"} 1",
        "umari_command_calls_total{command=\"unknown\",outcome=\"unknown-command\"} 1",
        "umari_command_attempts_total{command=\"note\"} 2",
        "umari_command_conflicts_total{command=\"note\"} 1",
        "umari_command_duration_seconds_bucket{le=\"0.0025\",command=\"note\"} 0",
        "umari_command_duration_seconds_bucket{le=\"0.005\",command=\"note\"} 1",
        "umari_command_duration_seconds_count{command=\"note\"} 1",
        "umari_http_requests_total{method=\"GET\",route=\"/events/{id}\",status=\"200\"} 1",
        "umari_log_head 12",
        "umari_log_appends_total 3",
        "umari_log_events_total 9",
        "umari_boundary_events_total 11",
        "umari_snapshot_hits_total 21",
        "umari_snapshot_misses_total 22",
        "umari_snapshots_ignored_total 23",
        "umari_snapshots_kept_total 24",
        "umari_snapshots_refused_total 25",
        "umari_snapshots 26",
        "umari_snapshots_bytes 27",
        "umari_commands_running 2",
        "umari_commands_waiting 1",
        "umari_module_healthy{kind=\"projector\",module=\"notes\"} 1",
        "umari_module_position{kind=\"projector\",module=\"notes\"} 10",
        "umari_module_lag_events{kind=\"projector\",module=\"notes\"} 2",
        "umari_module_failures_total{kind=\"projector\",module=\"notes\"} 4",
    ] {
        assert!(lines.contains(&expected), "{expected}\n{text}");
    }
    assert!(text.ends_with("# EOF\n"), "{text}");
    assert_eq!(text.matches("# EOF").count(), 1);
}

#[test]
fn clients_cannot_make_time_series() {
    let metrics = Metrics::default();
    let series = |metrics: &Metrics| {
        let text = metrics.encode(&moment(Vec::new())).expect("text");
        lines(&text).len()
    };
    let ask = |method: &str| {
        let method = Method::from_bytes(method.as_bytes()).expect("a method");
        metrics.answered(&method, None, StatusCode::NOT_FOUND, Duration::ZERO);
        metrics.called(None, "unknown-command", Duration::ZERO);
    };
    ask("BREW");
    let before = series(&metrics);
    for number in 0..100 {
        ask(&format!("BREW{number}"));
    }
    assert_eq!(series(&metrics), before);
}
