//! Files that cannot be used.

use super::super::support::{fails, failure};
use super::*;

fn check(text: &str) -> impl FnOnce() {
    let folder = Folder::new();
    folder.write(text);
    move || folder.update().event(plan()).check()
}

#[test]
fn no_file_in_ci() {
    let folder = Folder::new();
    let text = failure(|| {
        folder
            .lock()
            .writing(Writing::Nothing)
            .event(plan())
            .check();
    });
    let path = folder.path().display().to_string();
    expect![[r#"
        there is no `umari-events.lock`

        expected at
          <folder>/umari-events.lock

        cause
          in CI (the variable `CI` is set) a missing file is one that nobody committed

        fix
          run this test on your machine, which writes the file, and commit it
    "#]]
    .assert_eq(&text.replace(&path, "<folder>/umari-events.lock"));
    assert!(!folder.path().exists());
}

#[test]
fn a_folder_in_its_place() {
    let folder = Folder::new();
    std::fs::create_dir(folder.path()).expect("a folder");
    fails(
        || folder.lock().event(plan()).check(),
        expect![[r#"
        `umari-events.lock` cannot be used

        cause
          Is a directory (os error 21)

        fix
          make it a file that this test may read
    "#]],
    );
}

#[test]
fn a_folder_that_is_not_there() {
    let folder = Folder::new();
    let gone = folder.0.path().join("gone");
    let text = failure(|| {
        EventLock::in_folder(&gone)
            .writing(Writing::Missing)
            .event(plan())
            .check();
    });
    let gone = gone.display().to_string();
    expect![[r#"
        `umari-events.lock` cannot be written

        file
          <folder>/umari-events.lock

        cause
          No such file or directory (os error 2)

        fix
          let this test write to the folder; or run it where it can, and commit the file
    "#]]
    .assert_eq(&text.replace(&gone, "<folder>"));
}

#[test]
fn no_json() {
    fails(
        check("events:\n  - plan.created\n"),
        expect![[r#"
        `umari-events.lock` cannot be used

        cause
          expected value at line 1 column 1

        fix
          take back what was edited by hand, with your version control; if it is gone, the last commit has the file as it was
    "#]],
    );
}

#[test]
fn an_empty_file() {
    fails(
        check(""),
        expect![[r#"
        `umari-events.lock` cannot be used

        cause
          EOF while parsing a value at line 1 column 0

        fix
          take back what was edited by hand, with your version control; if it is gone, the last commit has the file as it was
    "#]],
    );
}

#[test]
fn text_that_is_no_utf_8() {
    let folder = Folder::new();
    std::fs::write(folder.path(), [0xff, 0xfe]).expect("a folder that can be written to");
    fails(
        || folder.update().event(plan()).check(),
        expect![[r#"
        `umari-events.lock` cannot be used

        cause
          stream did not contain valid UTF-8

        fix
          make it a file that this test may read
    "#]],
    );
}

#[test]
fn another_field() {
    let text = Folder::locked()
        .text()
        .replace("\"domain_ids\"", "\"domain_id\"");
    fails(
        check(&text),
        expect![[r#"
        `umari-events.lock` cannot be used

        cause
          unknown field `domain_id`, expected one of `type`, `version`, `domain_ids`, `crypto_scope`, `shape`, `payloads` at line 8 column 17

        fix
          take back what was edited by hand, with your version control; if it is gone, the last commit has the file as it was
    "#]],
    );
}

#[test]
fn a_later_format() {
    fails(
        check(r#"{ "lock_version": 2, "entries": [] }"#),
        expect![[r#"
            `umari-events.lock` cannot be used

            cause
              its `lock_version` is 2, and this release of umari-testing knows 1

            fix
              raise the version of `umari-testing`
        "#]],
    );
}

#[test]
fn a_merge_that_is_not_resolved() {
    let text = Folder::locked().text();
    let conflict = text.replace(
        "      \"domain_ids\": [\n",
        "<<<<<<< HEAD\n      \"domain_ids\": [\n=======\n      \"domain_ids\": [\n>>>>>>> branch\n",
    );
    fails(
        check(&conflict),
        expect![[r#"
            `umari-events.lock` cannot be used

            cause
              a merge is not resolved: there is a conflict marker in line 8

            fix
              where both sides added entries, keep them all; where both changed one entry, take either; then `UMARI_UPDATE=1 cargo test` adds what the merged code has besides
        "#]],
    );
}

#[test]
fn an_entry_twice() {
    let mut lock: serde_json::Value = serde_json::from_str(&Folder::locked().text()).expect("JSON");
    let entry = lock["events"][0].clone();
    lock["events"].as_array_mut().expect("entries").push(entry);
    fails(
        check(&lock.to_string()),
        expect![[r#"
        `umari-events.lock` cannot be used

        cause
          it has two entries for `plan.created` version 1

        fix
          take back what was edited by hand, with your version control; if it is gone, the last commit has the file as it was
    "#]],
    );
}

#[test]
fn a_payload_that_was_edited() {
    let text = Folder::locked()
        .text()
        .replace("\"months\": 24", "\"years\": \"2\"");
    fails(
        check(&text),
        expect![[r#"
        `umari-events.lock` cannot be used

        cause
          the shape of `plan.created` version 1 is not that of its payloads: one of them was edited by hand

        shape (- of its payloads, + in the file)
          + months: integer
            plan_id: integer
            shop_id: integer
            title: string
          - years: string

        fix
          take the edit back: a payload is what some release wrote, so it never changes; one that was stored before there was a lock is registered with `Events::with_stored`, and added by `UMARI_UPDATE=1 cargo test`
    "#]],
    );
}

#[test]
fn no_payload() {
    let mut lock: serde_json::Value = serde_json::from_str(&Folder::locked().text()).expect("JSON");
    lock["events"][0]["payloads"] = json!([]);
    lock["events"][0]["shape"] = json!({});
    fails(
        check(&lock.to_string()),
        expect![[r#"
        `umari-events.lock` cannot be used

        cause
          the shape of `plan.created` version 1 is not that of its payloads: one of them was edited by hand

        fix
          take the edit back: a payload is what some release wrote, so it never changes; one that was stored before there was a lock is registered with `Events::with_stored`, and added by `UMARI_UPDATE=1 cargo test`
    "#]],
    );
}

#[test]
fn a_tag_that_is_none() {
    let text = Folder::locked()
        .text()
        .replace("\"shop_id:42\"", "\"shop 42\"");
    let folder = Folder::new();
    folder.write(&text);
    fails(
        || folder.lock().event(plan()).check(),
        expect![[r#"
            `umari-events.lock` cannot be used

            cause
              the tag `shop 42` of `plan.created` is not `name:value`

            fix
              take back what was edited by hand, with your version control; if it is gone, the last commit has the file as it was
        "#]],
    );
}
