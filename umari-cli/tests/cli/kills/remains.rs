//! What a killed server leaves in the files of its modules, read before anyone repairs it.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use rusqlite::Connection;

use super::ledger::Ledger;

/// A projector's file and an effect's, as the kill left them.
pub(super) struct Remains {
    projector: Projector,
    effect: Effect,
}

struct Projector {
    position: u64,
    notes: Vec<(u64, String, u64, String)>,
    relayed: Vec<u64>,
}

struct Effect {
    watermark: u64,
    completed: BTreeSet<u64>,
    /// Put aside by an operator, in whatever state.
    parked: BTreeSet<u64>,
    seen: BTreeSet<u64>,
}

impl Remains {
    /// Reads copies, so that the next start finds the files as they are.
    pub(super) fn read(data: &Path) -> Self {
        let copies = tempfile::tempdir().expect("a directory");
        let open = |module: &str| {
            let copy = copies.path().join(module.replace('/', "-"));
            for end in ["", "-wal"] {
                let from = data.join(format!("{module}{end}"));
                if from.exists() {
                    fs::copy(from, format!("{}{end}", copy.display())).expect("a copy");
                }
            }
            Connection::open(copy).expect("a database")
        };
        let projector = open("projector/notes.sqlite");
        let effect = open("effect/relay.sqlite");
        Self {
            projector: Projector {
                position: position(&projector),
                notes: rows(
                    &projector,
                    "SELECT position, counter, note_id, text FROM notes ORDER BY position",
                    |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)),
                ),
                relayed: rows(&projector, "SELECT note_id FROM relayed", |row| row.get(0)),
            },
            effect: Effect::read(&effect),
        }
    }

    /// Checks that both had handled all of the log.
    pub(super) fn check_complete(&self, ledger: &Ledger) {
        let reached = (self.projector.position, self.effect.watermark);
        assert_eq!(reached, (ledger.head(), ledger.head()));
    }

    /// Holds the files against the log, which has been read since.
    pub(super) fn check(&self, ledger: &Ledger) {
        let head = ledger.head();
        let Projector {
            position,
            notes,
            relayed,
        } = &self.projector;
        assert!(*position <= head, "the projector knows more than the log");
        let known = &ledger.log()[..usize::try_from(*position).expect("a position")];
        let mut folded = Vec::new();
        let mut relayed_folded = Vec::new();
        for event in known {
            let note_id = || event.data["note_id"].as_u64().expect("an id");
            let text = |name: &str| event.data[name].as_str().expect("a text").to_owned();
            match event.event_type.as_str() {
                "noted" => folded.push((event.position, text("counter"), note_id(), text("text"))),
                "note.relayed" => relayed_folded.push(note_id()),
                _ => {}
            }
        }
        assert_eq!(
            notes, &folded,
            "the rows are not the log's up to {position}"
        );
        let mut relayed = relayed.clone();
        relayed.sort_unstable();
        relayed_folded.sort_unstable();
        assert_eq!(relayed, relayed_folded, "up to {position}");

        let Effect {
            watermark,
            completed,
            parked,
            seen,
        } = &self.effect;
        assert!(*watermark <= head, "the effect knows more than the log");
        for event in ledger.log().iter().filter(|it| it.event_type == "noted") {
            if event.position <= *watermark || completed.contains(&event.position) {
                let note_id = event.data["note_id"].as_u64().expect("an id");
                let done = ledger.relayed_at(note_id).is_some() && seen.contains(&note_id);
                let aside = parked.contains(&event.position) || ledger.may_be_dropped(note_id);
                assert!(done || aside, "counts as handled, but is not: {event:?}");
            }
        }
    }
}

impl Effect {
    /// A kill during a replay may leave a file without any table.
    fn read(connection: &Connection) -> Self {
        let positions = |table: &str, column: &str| {
            let there = "SELECT count(*) FROM sqlite_schema WHERE name = ?1";
            let there: u64 = connection
                .query_row(there, [table.split(' ').next()], |row| row.get(0))
                .expect("a database");
            let sql = format!("SELECT {column} FROM {table}");
            match there {
                0 => BTreeSet::new(),
                _ => rows(connection, &sql, |row| row.get(0))
                    .into_iter()
                    .collect(),
            }
        };
        Self {
            watermark: positions("umari_progress", "last_position")
                .into_iter()
                .sum(),
            completed: positions("umari_completed", "position"),
            parked: positions("umari_failed WHERE state <> 'retrying'", "position"),
            seen: positions("seen", "note_id"),
        }
    }
}

fn position(connection: &Connection) -> u64 {
    let sql = "SELECT last_position FROM umari_progress";
    connection
        .query_row(sql, (), |row| row.get(0))
        .expect("a position")
}

fn rows<T>(
    connection: &Connection,
    sql: &str,
    read: impl Fn(&rusqlite::Row<'_>) -> rusqlite::Result<T>,
) -> Vec<T> {
    let mut statement = connection.prepare(sql).expect("a table");
    let rows = statement.query_map((), |row| read(row)).expect("rows");
    rows.map(|row| row.expect("a row")).collect()
}
