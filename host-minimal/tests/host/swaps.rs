//! Hot swap: versions change under load, and no event is lost or handled twice.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use host_minimal::modules::ModuleKind;

use crate::support::{TestHost, name, upload, wait_until};
use crate::target::Target;

/// How often each module is swapped.
const SWAPS: u64 = 12;
/// What has to happen between two swaps, so that none of them finds its module idle.
const NOTES_BETWEEN_SWAPS: u64 = 8;
const WRITERS: u64 = 3;

#[test]
fn versions_change_under_load_and_every_event_is_handled_once() {
    let (host, target) = (TestHost::start(), Target::start());
    let modules = [
        (ModuleKind::Command, "note"),
        (ModuleKind::Projector, "notes"),
        (ModuleKind::Effect, "relay"),
    ];
    for version in 0..=SWAPS {
        for (kind, module) in modules {
            let env = [("TARGET", target.url.as_str())];
            let upload = upload(kind, module, &format!("1.{version}.0"), &env);
            host.host.upload(upload).expect("stored");
        }
    }
    let activate = |version: u64| {
        let version = format!("1.{version}.0").parse().expect("a version");
        for (kind, module) in modules {
            host.host
                .activate(kind, &name(module), &version)
                .expect("a swap");
        }
    };
    activate(0);

    let (next, enough) = (AtomicU64::new(1), AtomicBool::new(false));
    let written: BTreeMap<u64, u64> = thread::scope(|scope| {
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| {
                let (host, next, enough) = (&host, &next, &enough);
                scope.spawn(move || {
                    let mut written = BTreeMap::new();
                    while !enough.load(Ordering::Relaxed) {
                        let note_id = next.fetch_add(1, Ordering::Relaxed);
                        // Every command succeeds: a swap makes nobody wait in vain.
                        let position = host.note(&format!("writer-{writer}"), note_id, "x");
                        written.insert(note_id, position);
                    }
                    written
                })
            })
            .collect();
        for version in 1..=SWAPS {
            let more = next.load(Ordering::Relaxed) + NOTES_BETWEEN_SWAPS;
            wait_until(|| (next.load(Ordering::Relaxed) >= more).then_some(()));
            activate(version);
        }
        enough.store(true, Ordering::Relaxed);
        let written = writers.into_iter().map(|it| it.join().expect("a writer"));
        written.flatten().collect()
    });
    host.wait_caught_up("relay");
    host.wait_caught_up("notes");

    let noted = host.events("noted");
    let in_log: BTreeSet<u64> = noted.iter().map(|event| event.position).collect();
    assert_eq!(
        in_log,
        written.values().copied().collect(),
        "the log has what was answered"
    );

    let connection = host.read_model("notes");
    let mut rows = connection
        .prepare("SELECT note_id, position FROM notes")
        .expect("a table");
    let rows = rows
        .query_map((), |row| Ok((row.get(0)?, row.get(1)?)))
        .expect("rows");
    let rows: Vec<(u64, u64)> = rows.map(|row| row.expect("a row")).collect();
    assert_eq!(rows.len(), written.len(), "each event is one row");
    assert_eq!(rows.into_iter().collect::<BTreeMap<_, _>>(), written);

    let relay = host.module("relay").subscription.expect("it runs");
    for note_id in written.keys() {
        let calls = target.count(*note_id);
        assert_eq!(
            calls, 1,
            "calls for note {note_id}: {:?}",
            relay.last_failure
        );
    }
    let relayed = host.events("note.relayed");
    assert_eq!(relayed.len(), written.len(), "each call is recorded once");
    let count = |sql: &str| {
        connection
            .query_row(sql, (), |row| row.get::<_, u64>(0))
            .expect("a count")
    };
    assert_eq!(count("SELECT count(*) FROM relayed"), written.len() as u64);
    assert_eq!(
        count("SELECT count(DISTINCT note_id) FROM relayed"),
        written.len() as u64
    );

    // All of it is worth something only if several versions did the work.
    let versions = |events: &[host_minimal::store::RecordedEvent]| {
        let versions = events.iter().map(|event| event.author.version.clone());
        versions.collect::<BTreeSet<_>>().len() as u64
    };
    let (commands, effects) = (versions(&noted), versions(&relayed));
    println!(
        "{SWAPS} swaps of {} modules beside {} commands of {WRITERS} writers: {commands} versions of the \
         command and {effects} of the effect wrote events; nothing is missing, nothing is there twice",
        modules.len(),
        written.len(),
    );
    assert!(
        commands > SWAPS / 2 && effects > SWAPS / 2,
        "{commands}, {effects}"
    );
}
