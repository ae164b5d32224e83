//! Components that speak the component model's binary interface as no compiler does
//! (<https://github.com/WebAssembly/component-model/blob/main/design/mvp/CanonicalABI.md>): answers that are
//! none, memory that is given where there is none, destructors that do not end.

use host_minimal::limits;

use super::components::{command, component, refusal_of};
use super::*;

const SETTINGS: &str = r#"{"limits":{"deadline_ms":200,"handles":100}}"#;

/// A command whose schema comes from these functions of a core module.
fn with_schema(encoding: &str, fields: &str) -> Vec<u8> {
    component(
        ModuleKind::Command,
        &format!(
            r#"(core module $answers
                (memory (export "memory") 1)
                (func (export "f"))
                {fields})
            (core instance $answering (instantiate $answers))
            (func $schema (result (option string)) (canon lift (core func $answering "schema")
                (memory $answering "memory") {encoding}
                (post-return (func $answering "post"))))
            (func $f (canon lift (core func $answering "f")))
            (instance $m (export "execute" (func $f)) (export "schema" (func $schema)))
            (export "m" (instance $m))"#
        ),
    )
}

/// The schema lies where `at` says: a discriminant, an address and a length.
fn schema(at: u32, discriminant: u32, address: u32, length: u32) -> String {
    format!(
        r#"(func (export "schema") (result i32)
            (if (i32.le_u (i32.const {at}) (i32.const 65000)) (then
                (i32.store8 (i32.const {at}) (i32.const {discriminant}))
                (i32.store offset=4 (i32.const {at}) (i32.const {address}))
                (i32.store offset=8 (i32.const {at}) (i32.const {length}))))
            (i32.const {at}))
        (data (i32.const 1024) "\ff\fe\00\d8\00\d8")"#
    )
}

const NOTHING: &str = r#"(func (export "post") (param i32))"#;

/// A command that makes resources of its own, which end with `destructor`.
fn with_destructor(destructor: &str, start: &str) -> Vec<u8> {
    command(&format!(
        r#"(core module $ends (func (export "end") (param i32) {destructor}))
        (core instance $ending (instantiate $ends))
        (type $r (resource (rep i32) (dtor (core func $ending "end"))))
        (core func $new (canon resource.new $r))
        (core func $drop (canon resource.drop $r))
        (core module $user
            (import "" "new" (func $new (param i32) (result i32)))
            (import "" "drop" (func $drop (param i32)))
            (func $start {start})
            (start $start))
        (core instance (instantiate $user (with "" (instance
            (export "new" (func $new)) (export "drop" (func $drop))))))"#
    ))
}

/// A command that asks for its variables, and gives `realloc` for the answer.
fn with_realloc(realloc: &str) -> Vec<u8> {
    command(&format!(
        r#"(import "wasi:cli/environment@0.2.0" (instance $environment
            (export "get-environment" (func (result (list (tuple string string)))))))
        (core module $memory
            (memory (export "memory") 1)
            (table (export "table") 1 funcref)
            (type $ask (func (param i32)))
            (func $realloc (export "realloc") (param i32 i32 i32 i32) (result i32) {realloc}))
        (core instance $memory (instantiate $memory))
        (core func $ask (canon lower (func $environment "get-environment")
            (memory $memory "memory") (realloc (func $memory "realloc"))))
        (core module $user
            (import "" "ask" (func $ask (param i32)))
            (import "" "table" (table 1 funcref))
            (elem (i32.const 0) $ask)
            (func $start (call $ask (i32.const 0)))
            (start $start))
        (core instance (instantiate $user (with "" (instance
            (export "ask" (func $ask)) (export "table" (table $memory "table"))))))"#
    ))
}

#[test]
fn answers_and_memory_that_are_none_are_traps() {
    let host = neighbourhood(HttpPolicy::default());
    let answer = |at, discriminant, address, length| {
        let fields = schema(at, discriminant, address, length);
        with_schema("", &format!("{fields} {NOTHING}"))
    };
    let ending = |post: &str| {
        let fields = schema(8, 0, 0, 0);
        with_schema(
            "",
            &format!(r#"{fields} (func (export "post") (param i32) {post})"#),
        )
    };
    let wide = with_schema(
        "string-encoding=utf16",
        &format!("{} {NOTHING}", schema(8, 1, 1_026, 2)),
    );
    let forever = "(loop (br 0))";
    let once = "(call $drop (call $new (i32.const 1)))";
    let rows = [
        (
            "text that is no UTF-8",
            answer(8, 1, 1_024, 2),
            "invalid utf-8",
        ),
        ("text that is no UTF-16", wide, "unpaired surrogate"),
        (
            "text out of memory",
            answer(8, 1, 65_530, 100),
            "out of bounds",
        ),
        ("text of 4 GiB", answer(8, 1, 0, u32::MAX), "out of bounds"),
        (
            "an answer at an odd place",
            answer(9, 0, 0, 0),
            "not aligned",
        ),
        (
            "an answer out of memory",
            answer(0x7fff_fff0, 0, 0, 0),
            "out of bounds",
        ),
        (
            "neither some nor none",
            answer(8, 7, 0, 0),
            "invalid option discriminant",
        ),
        (
            "a trap after the answer",
            ending("unreachable"),
            "unreachable",
        ),
        ("no end after the answer", ending(forever), "deadline"),
        (
            "a destructor that traps",
            with_destructor("unreachable", once),
            "unreachable",
        ),
        (
            "a destructor without end",
            with_destructor(forever, once),
            "deadline",
        ),
        (
            "a handle that is dropped twice",
            with_destructor(
                "",
                "(local i32) (local.set 0 (call $new (i32.const 1)))
                (call $drop (local.get 0)) (call $drop (local.get 0))",
            ),
            "unknown handle",
        ),
        (
            "handles without end",
            with_destructor("", "(loop (drop (call $new (i32.const 1))) (br 0))"),
            "handle limit exceeded",
        ),
        (
            "memory that is not there",
            with_realloc("(i32.const 65532)"),
            "beyond end of memory",
        ),
        (
            "memory at an odd place",
            with_realloc("(i32.const 1025)"),
            "not aligned",
        ),
        (
            "memory of nobody",
            with_realloc("(i32.const -16)"),
            "beyond end of memory",
        ),
        ("no memory", with_realloc("unreachable"), "unreachable"),
        (
            "memory some day",
            with_realloc("(loop (br 0)) (i32.const 0)"),
            "deadline",
        ),
        (
            "memory from itself",
            with_realloc("(call $realloc (local.get 0) (local.get 1) (local.get 2) (local.get 3))"),
            "call stack exhausted",
        ),
        (
            "memory from the host",
            with_realloc("(call_indirect (type $ask) (i32.const 0) (i32.const 0)) (i32.const 0)"),
            "cannot leave component instance",
        ),
    ];
    let rows: Vec<Row> = rows
        .into_iter()
        .map(|(attack, wasm, says)| {
            let stopped_by = refusal_of(&host, ModuleKind::Command, wasm, SETTINGS);
            live_next_door(&host, NEIGHBOUR_COMMANDS);
            Row {
                attack: attack.to_owned(),
                as_expected: stopped_by.contains(says),
                stopped_by,
                attempts: 1,
            }
        })
        .collect();
    conclude(&host, "components, with their binary interface", &rows);
}

#[test]
fn long_names_are_not_repeated_at_length() {
    let host = neighbourhood(HttpPolicy::default());
    let import = format!(r#"(import "{}" (func))"#, "a".repeat(90_000));
    let text = refusal_of(&host, ModuleKind::Command, command(&import), SETTINGS);
    assert!(
        text.contains("asks for what a command does not get"),
        "{text:.200}"
    );
    assert!(
        text.len() <= limits::GUEST_MESSAGE_BYTES + 200,
        "{}",
        text.len()
    );
    live_next_door(&host, NEIGHBOUR_COMMANDS);
}
