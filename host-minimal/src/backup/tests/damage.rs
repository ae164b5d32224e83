//! Backups that are damaged in every way that there is.

use super::*;
use crate::backup::format::{EventLine, Header};

/// The line and the words of what is wrong.
fn damage(lines: &[u8]) -> (u64, String) {
    let damage = outline_of(lines).expect_err("damage");
    (damage.line, damage.flaw.to_string())
}

fn assert_damage(lines: &[u8], line: u64, words: &str) {
    let (at, flaw) = damage(lines);
    assert!(at == line && flaw.contains(words), "line {at}: {flaw}");
}

#[test]
fn every_changed_byte_is_found_in_its_line() {
    let whole = Source::with_events(5).back_up(&Request::default());
    let mut line = 1;
    for at in 0..whole.len() {
        let mut changed = whole.clone();
        changed[at] ^= 1;
        let (found, flaw) = damage(&changed);
        // A line break that is none joins two lines; a byte that becomes one ends a line early.
        assert!(
            found == line || (found == 1 && line == 1),
            "byte {at}: line {found}: {flaw}"
        );
        line += u64::from(whole[at] == b'\n');
    }
}

#[test]
fn every_cut_is_found() {
    let whole = Source::with_events(3).back_up(&Request::default());
    for length in 0..whole.len() {
        let (_, flaw) = damage(&whole[..length]);
        let unknown = length < b"{\"backup\":".len();
        let words = if unknown {
            "not the first line"
        } else {
            "is not whole"
        };
        assert!(flaw.contains(words), "{length} bytes: {flaw}");
    }
}

#[test]
fn lines_that_are_lost_added_or_moved_are_found() {
    let whole = Source::with_events(5).back_up(&Request::default());
    let text = String::from_utf8(whole).expect("text");
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let checksum = "its checksum does not fit";
    let without = [&lines[..2], &lines[3..]].concat().concat();
    assert_damage(without.as_bytes(), 3, checksum);
    let twice = [&lines[..3], &lines[2..]].concat().concat();
    assert_damage(twice.as_bytes(), 4, checksum);
    let mut moved = lines.clone();
    moved.swap(2, 3);
    assert_damage(moved.concat().as_bytes(), 3, checksum);
    let longer = format!("{text}{}", lines[1]);
    assert_damage(longer.as_bytes(), lines.len() as u64 + 1, checksum);
}

/// A backup with other records, all of them linked: what a program could write, and chance not.
fn forged(change: impl FnOnce(&mut Vec<Record>)) -> Vec<u8> {
    let whole = Source::with_events(5).back_up(&Request::default());
    let text = String::from_utf8(whole).expect("text");
    let mut records: Vec<Record> = text.lines().map(record).collect();
    change(&mut records);
    let mut chain = Chain::default();
    let lines = records.iter().map(|it| chain.line(it).expect("a line"));
    lines.collect::<String>().into_bytes()
}

#[test]
fn what_is_linked_must_make_sense_too() {
    let header = |records: &mut Vec<Record>, change: fn(&mut Header)| match &mut records[0] {
        Record::Backup(header) => change(header),
        other => panic!("{other:?}"),
    };
    let with = |change: fn(&mut Header)| forged(|records| header(records, change));
    assert_damage(
        &with(|it| it.format = 2),
        1,
        "has format 2 and this host knows format 1",
    );
    assert_damage(
        &with(|it| it.log = None),
        2,
        "not the first event of this log",
    );
    assert_damage(
        &with(|it| it.after = 1),
        2,
        "at position 1 where 2 comes next",
    );
    assert_damage(
        &with(|it| it.head = 4),
        6,
        "at position 5 where 5 comes next",
    );
    assert_damage(
        &with(|it| it.head = 6),
        7,
        "at position 7 where 6 comes next",
    );
    assert_damage(
        &with(|it| it.keys = false),
        7,
        "`master_key` line does not belong",
    );
    assert_damage(&forged(|it| drop(it.remove(0))), 1, "not the first line");
    assert_damage(
        &forged(|it| drop(it.remove(2))),
        3,
        "at position 3 where 2 comes next",
    );
    assert_damage(
        &forged(|it| it.swap(2, 3)),
        3,
        "at position 3 where 2 comes next",
    );
    assert_damage(&forged(|it| it.swap(0, 1)), 1, "not the first line");
    assert_damage(
        &forged(|it| it.insert(3, it[0].clone())),
        4,
        "`backup` line does not belong",
    );
    assert_damage(
        &forged(|it| it.insert(7, it[2].clone())),
        8,
        "`event` line does not belong",
    );
    assert_damage(&forged(|it| it.swap(6, 7)), 7, "`key` line does not belong");
    assert_damage(
        &forged(|it| drop(it.remove(8))),
        9,
        "counts 5 events, 2 keys and 0 shredded scopes where",
    );
    let broken = || Record::Broken("the disk is gone".to_owned());
    assert_damage(&forged(|it| it.insert(3, broken())), 4, "the disk is gone");
    let event = |change: fn(&mut EventLine)| {
        forged(|records| match &mut records[1] {
            Record::Event(event) => change(event),
            other => panic!("{other:?}"),
        })
    };
    assert_damage(&event(|it| it.metadata.clear()), 2, "cannot be restored");
    assert_damage(
        &event(|it| it.payload = None),
        2,
        "either `payload` or `base64`",
    );
    assert_damage(
        &event(|it| it.base64 = Some("%".into())),
        2,
        "either `payload` or `base64`",
    );
    assert_damage(
        b"{\"something\":\"else\"}\n",
        1,
        "not the first line of a backup",
    );
    assert_damage(b"\xff\xfe\n", 1, "not the first line of a backup");
}

#[test]
fn a_line_has_a_limit() {
    let mut line = Vec::new();
    line.resize(crate::limits::BACKUP_LINE_BYTES - 1, b'a');
    line.push(b'\n');
    assert_damage(&line, 1, "not the first line");
    line.insert(0, b'a');
    assert_damage(&line, 1, "is longer than");
}
