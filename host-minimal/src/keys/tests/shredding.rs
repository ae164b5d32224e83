//! Deleting keys, what is left of them, and what is said about it.

use super::*;
use crate::limits;

fn shred(keys: &KeyRing, scope: &str) -> AuditEntry {
    keys.shred(&Shredding::of(scope)).expect("shredded")
}

/// The wrapped data keys of a scope, as they lie in the database.
fn wrapped(place: &Place, scope: &str) -> Vec<Vec<u8>> {
    let connection = Connection::open(place.database()).expect("another connection");
    let mut statement = connection
        .prepare("SELECT wrapped FROM data_key WHERE scope = ?1")
        .expect("a statement");
    let keys = statement.query_map([scope], |row| row.get(0));
    keys.and_then(Iterator::collect).expect("the keys")
}

/// Every file of the directory, with its bytes.
fn files(place: &Place) -> Vec<(PathBuf, Vec<u8>)> {
    fs::read_dir(place.directory.path())
        .expect("a directory")
        .map(|entry| entry.expect("an entry").path())
        .map(|path| (path.clone(), fs::read(path).expect("a file")))
        .collect()
}

fn holds(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

#[test]
fn a_shredded_key_is_gone_from_memory_and_from_the_files() {
    const SCOPES: usize = 120;
    let place = Place::new();
    // Every key is retired at once and counted, so that cells grow, move and split pages.
    let sizes = Sizes {
        messages: 2,
        block: 1,
        cached: 1_000,
    };
    let keys = KeyRing::with_sizes(&place.database(), &hex_key("ab"), sizes).expect("a ring");
    let scope = |n: usize| format!("shop_id:{n}");
    let sealed: Vec<_> = (0..SCOPES)
        .map(|n| {
            let first = encrypt(&keys, &scope(n), "secret");
            encrypt(&keys, &scope(n), "secret");
            encrypt(&keys, &scope(n), "secret");
            first
        })
        .collect();
    let shredded: Vec<usize> = (0..SCOPES).filter(|n| n % 3 != 1).collect();
    let gone: Vec<Vec<u8>> = shredded
        .iter()
        .flat_map(|&n| wrapped(&place, &scope(n)))
        .collect();
    assert_eq!(
        gone.len(),
        2 * shredded.len(),
        "a retired key and a current one"
    );
    let before = files(&place);
    let is_there = |key: &Vec<u8>| before.iter().any(|(_, bytes)| holds(bytes, key));
    assert!(gone.iter().all(is_there), "what is looked for can be found");

    for &n in &shredded {
        assert_eq!(shred(&keys, &scope(n)).keys, 2);
    }
    keys.erase().expect("erased");
    let after = files(&place);
    for key in &gone {
        // Nonce, key and tag: no part of it either.
        for part in [&key[..12], &key[12..44], &key[44..]] {
            for (path, bytes) in &after {
                assert!(
                    !holds(bytes, part),
                    "a part of a key is in {}",
                    path.display()
                );
            }
        }
    }
    let log = place.database().with_extension("sqlite-wal");
    assert_eq!(fs::metadata(log).expect("a file").len(), 0);
    let connection = Connection::open(place.database()).expect("another connection");
    let check: String = connection
        .query_row("PRAGMA integrity_check", [], |row| row.get(0))
        .expect("a check");
    assert_eq!(check, "ok");
    for (n, sealed) in sealed.iter().enumerate() {
        let expected = (n % 3 == 1).then_some("secret");
        assert_eq!(
            decrypt(&keys, &scope(n), sealed).as_deref(),
            expected,
            "{n}"
        );
    }
}

#[test]
fn a_scope_gets_a_new_key_and_the_old_one_stays_shredded() {
    let place = Place::new();
    let keys = place.open(&hex_key("ab")).expect("a ring");
    let old = encrypt(&keys, "shop_id:7", "old");
    let other = encrypt(&keys, "shop_id:8", "other");
    assert!(keys.is_readable(old.0, "shop_id:7").expect("an answer"));
    shred(&keys, "shop_id:7");
    let new = encrypt(&keys, "shop_id:7", "new");
    assert!(new.0 > old.0);
    for keys in [&keys, &place.open(&hex_key("ab")).expect("a ring")] {
        assert_eq!(decrypt(keys, "shop_id:7", &old), None);
        assert!(!keys.is_readable(old.0, "shop_id:7").expect("an answer"));
        assert_eq!(decrypt(keys, "shop_id:7", &new).as_deref(), Some("new"));
        assert_eq!(decrypt(keys, "shop_id:8", &other).as_deref(), Some("other"));
    }
}

#[test]
fn a_missing_key_that_was_not_shredded_is_lost() {
    let place = Place::new();
    let sealed = encrypt(
        &place.open(&hex_key("ab")).expect("a ring"),
        "shop_id:7",
        "secret",
    );
    let lose = "DELETE FROM data_key WHERE scope = 'shop_id:7'";
    let connection = Connection::open(place.database()).expect("another connection");
    connection.execute(lose, []).expect("a loss");
    let keys = place.open(&hex_key("ab")).expect("a ring");
    let lost = |sealed: &(Uuid, Vec<u8>)| {
        let binding = binding(Uuid::nil(), "shop_id:7", &[]);
        let error = keys.decrypt(sealed.0, &binding, &sealed.1);
        matches!(error, Err(KeyError::Lost { key_id, .. }) if key_id == sealed.0)
    };
    assert!(lost(&sealed));
    assert!(matches!(
        keys.shred(&Shredding::of("shop_id:7")),
        Err(KeyError::UnknownScope { .. })
    ));

    let accepted = Shredding {
        allow_unknown: true,
        ..Shredding::of("shop_id:7")
    };
    assert_eq!(keys.shred(&accepted).expect("accepted").keys, 0);
    assert_eq!(decrypt(&keys, "shop_id:7", &sealed), None);

    // A later key of the scope can be lost as well, and is not covered by the shredding.
    let later = encrypt(&keys, "shop_id:7", "later");
    connection.execute(lose, []).expect("a loss");
    keys.forget("shop_id:7");
    assert!(lost(&later));
    assert_eq!(shred(&keys, "shop_id:7").keys, 0, "the scope is known");
    assert_eq!(decrypt(&keys, "shop_id:7", &later), None);
}

#[test]
fn keys_stay_apart_where_the_clock_was_turned_back() {
    let place = Place::new();
    let keys = place.open(&hex_key("ab")).expect("a ring");
    let tomorrow = Uuid::from_u128(Uuid::now_v7().as_u128() + (86_400_000 << 80));
    keys.take_for_shredded("shop_id:7", tomorrow)
        .expect("noted");
    let sealed = encrypt(&keys, "shop_id:7", "today");
    assert!(sealed.0 > tomorrow);
    assert_eq!(
        decrypt(&keys, "shop_id:7", &sealed).as_deref(),
        Some("today")
    );
    shred(&keys, "shop_id:7");
    assert_eq!(decrypt(&keys, "shop_id:7", &sealed), None);
    assert!(encrypt(&keys, "shop_id:7", "today").0 > sealed.0);
}

#[test]
fn an_event_shreds_a_scope_once() {
    let place = Place::new();
    let keys = place.open(&hex_key("ab")).expect("a ring");
    let shredding = Shredding {
        event_id: Some(Uuid::from_u128(1)),
        allow_unknown: true,
        ..Shredding::of("shop_id:7")
    };
    let old = encrypt(&keys, "shop_id:7", "old");
    let first = keys.shred(&shredding).expect("shredded");
    assert_eq!(first.keys, 1);
    let new = encrypt(&keys, "shop_id:7", "new");
    assert_eq!(keys.shred(&shredding).expect("nothing more"), first);
    assert_eq!(decrypt(&keys, "shop_id:7", &old), None);
    assert_eq!(decrypt(&keys, "shop_id:7", &new).as_deref(), Some("new"));
    let by_another_event = Shredding {
        event_id: Some(Uuid::from_u128(2)),
        ..shredding
    };
    assert_eq!(keys.shred(&by_another_event).expect("shredded").keys, 1);
    assert_eq!(keys.audit(0, 9).expect("the record").len(), 2);
}

#[test]
fn the_record_says_what_was_done_and_why() {
    let place = Place::new();
    let keys = place.open(&hex_key("ab")).expect("a ring");
    encrypt(&keys, "shop_id:7", "secret");
    let entry = keys
        .shred(&Shredding {
            reason: Some("request 4711".to_owned()),
            requested_by: Some("ada".to_owned()),
            ..Shredding::of("shop_id:7")
        })
        .expect("shredded");
    assert!(matches!(
        keys.shred(&Shredding::of("shop_id:8")),
        Err(KeyError::UnknownScope { scope }) if scope == "shop_id:8"
    ));
    let keys = place.open(&hex_key("ab")).expect("another start");
    let record = keys.audit(0, 9).expect("the record");
    assert_eq!(record, std::slice::from_ref(&entry));
    assert_eq!(
        (entry.action, entry.scope.as_deref(), entry.keys),
        (KeyAction::Shred, Some("shop_id:7"), 1)
    );
    assert_eq!(
        (entry.reason.as_deref(), entry.requested_by.as_deref()),
        (Some("request 4711"), Some("ada"))
    );
    assert_eq!(keys.audit(entry.id, 9).expect("the rest"), []);
}

#[test]
fn traces_are_remembered_until_they_are_removed() {
    let place = Place::new();
    let keys = place.open(&hex_key("ab")).expect("a ring");
    assert!(!keys.has_traces(KeyAction::Shred).expect("an answer"));
    encrypt(&keys, "shop_id:7", "secret");
    shred(&keys, "shop_id:7");
    let keys = place.open(&hex_key("ab")).expect("after a crash");
    assert!(keys.has_traces(KeyAction::Shred).expect("an answer"));
    keys.settle().expect("noted");
    assert!(!keys.has_traces(KeyAction::Shred).expect("an answer"));
}

#[test]
fn a_reader_that_holds_the_old_pages_is_noticed() {
    let place = Place::new();
    let keys = place.open(&hex_key("ab")).expect("a ring");
    encrypt(&keys, "shop_id:7", "secret");
    let reader = Connection::open(place.database()).expect("another connection");
    reader
        .execute_batch("BEGIN; SELECT * FROM data_key")
        .expect("a snapshot");
    shred(&keys, "shop_id:7");
    keys.connection()
        .busy_timeout(std::time::Duration::ZERO)
        .expect("no patience");
    let error = keys.erase().expect_err("the reader still has the page");
    assert!(matches!(error, KeyError::NotErased(_)), "{error}");
    reader.execute_batch("COMMIT").expect("the end");
    keys.erase().expect("erased");
}

#[test]
fn scopes_are_listed_by_name() {
    let place = Place::new();
    let keys = place.open(&hex_key("ab")).expect("a ring");
    for scope in [
        "shop_id:7",
        "shop_id:10",
        "user:ada",
        "shop_id:8",
        "shop_idx:1",
    ] {
        encrypt(&keys, scope, "secret");
    }
    shred(&keys, "shop_id:8");
    let old = shred(&keys, "user:ada");
    let (new, _) = encrypt(&keys, "user:ada", "secret");
    let list = |prefix: &str, after: &str, limit| {
        let filter = ScopeFilter {
            prefix: prefix.to_owned(),
            after: after.to_owned(),
            limit,
        };
        keys.scopes(&filter).expect("scopes")
    };
    let names = |scopes: Vec<ScopeKeys>| -> Vec<String> {
        scopes.into_iter().map(|keys| keys.scope).collect()
    };
    assert_eq!(
        names(list("", "", 99)),
        [
            "shop_id:10",
            "shop_id:7",
            "shop_id:8",
            "shop_idx:1",
            "user:ada"
        ]
    );
    assert_eq!(names(list("shop_id:", "shop_id:10", 1)), ["shop_id:7"]);
    assert_eq!(names(list("shop_id:", "shop_id:8", 9)), [""; 0]);
    assert_eq!(names(list("%", "", 9)), [""; 0], "a prefix and no pattern");

    let [ada] = &list("user:", "", 9)[..] else {
        panic!("one scope")
    };
    assert_eq!((ada.active_key_id, ada.keys), (Some(new), 1));
    assert_eq!(ada.shredded_at, Some(old.at));
    assert!(ada.created_at > ada.shredded_at);
    let [eight] = &list("shop_id:8", "", 9)[..] else {
        panic!("one scope")
    };
    assert_eq!((eight.active_key_id, eight.keys), (None, 0));
    assert_eq!(eight.created_at, None);
}

#[test]
fn pages_end_at_their_limit() {
    let place = Place::new();
    let keys = place.open(&hex_key("ab")).expect("a ring");
    let fill = |count: usize| {
        let connection = Connection::open(place.database()).expect("another connection");
        let numbers = "WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n LIMIT ?1)";
        for into in [
            "INSERT INTO shredded_scope SELECT 'n:' || n, zeroblob(16) FROM n WHERE true
                 ON CONFLICT DO NOTHING",
            "INSERT OR REPLACE INTO key_audit (id, at, action, keys, settled)
                 SELECT n, 0, 'shred', 0, 1 FROM n",
        ] {
            connection
                .execute(&format!("{numbers} {into}"), [count])
                .expect("rows");
        }
        let filter = ScopeFilter {
            limit: usize::MAX >> 1,
            ..ScopeFilter::default()
        };
        let scopes = keys.scopes(&filter).expect("scopes").len();
        let entries = keys.audit(0, usize::MAX >> 1).expect("entries").len();
        (scopes, entries)
    };
    let limit = limits::KEYS_PAGE_ENTRIES;
    assert_eq!(fill(limit), (limit, limit));
    assert_eq!(fill(limit + 1), (limit, limit));
}
