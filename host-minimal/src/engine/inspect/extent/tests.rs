//! Extents.

use super::*;
use crate::engine::inspect::inspect;
use crate::modules::ModuleKind;

/// What is said of a component around this core module. Where nothing is too much, that it has no
/// record.
fn judge(fields: &str) -> InspectError {
    judge_component(&format!("(core module {fields})"))
}

fn judge_component(fields: &str) -> InspectError {
    let wasm = wat::parse_str(format!("(component {fields})")).expect("a component");
    let name = "a".parse().expect("a name");
    inspect(&wasm, ModuleKind::Command, &name).expect_err("a refusal")
}

fn too_much(what: &'static str, given: u64, most: u64) -> InspectError {
    InspectError::TooMuch { what, given, most }
}

fn count(most: u64) -> usize {
    usize::try_from(most).expect("a number")
}

#[test]
fn functions_are_counted() {
    let most = limits::MODULE_FUNCTIONS;
    let functions = |more: usize| "(func)".repeat(count(most) + more);
    assert_eq!(judge(&functions(0)), InspectError::NoRecord);
    assert_eq!(judge(&functions(1)), too_much("functions", most + 1, most));
    // Those of several modules together.
    let two = format!("(core module {}) (core module (func))", functions(0));
    assert_eq!(judge_component(&two), too_much("functions", most + 1, most));
}

#[test]
fn code_is_measured() {
    // The number of locals, and the end.
    let most = limits::FUNCTION_BYTES;
    let function = |bytes: usize| format!("(func {})", "nop ".repeat(bytes - 2));
    assert_eq!(judge(&function(count(most))), InspectError::NoRecord);
    assert_eq!(
        judge(&function(count(most) + 1)),
        too_much("bytes in one function", most + 1, most)
    );
    // 12 bytes for each of these.
    let line = "i64.const -9223372036854775808 drop ";
    let function = format!("(func {})", line.repeat(count(most) / 12 - 1));
    let module = format!(
        "(core module {})",
        function.repeat(count(limits::MODULE_CODE_BYTES / most) / 2)
    );
    assert_eq!(judge_component(&module), InspectError::NoRecord);
    match judge_component(&module.repeat(3)) {
        InspectError::TooMuch { what, most, .. } => {
            assert_eq!((what, most), ("bytes of code", limits::MODULE_CODE_BYTES));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn locals_and_merges_are_counted() {
    let most = limits::FUNCTION_LOCALS;
    let function = |locals: usize, loops: usize| {
        let (locals, loops) = ("i32 ".repeat(locals), "block end ".repeat(loops));
        format!("(func (param i32 i32) (local {locals}) {loops})")
    };
    assert_eq!(judge(&function(count(most) - 2, 0)), InspectError::NoRecord);
    assert_eq!(
        judge(&function(count(most) - 1, 0)),
        too_much("locals in one function", most + 1, most)
    );
    // Parameters are locals, too.
    let most = limits::FUNCTION_MERGES;
    let full = function(98, count(most) / 100);
    assert_eq!(judge(&full), InspectError::NoRecord);
    assert_eq!(
        judge(&function(98, count(most) / 100 + 1)),
        too_much("merges in one function", most + 100, most)
    );
    // A loop counts as eight.
    let loops = |loops: usize| {
        let locals = "i32 ".repeat(100);
        format!("(func (local {locals}) {})", "loop end ".repeat(loops))
    };
    assert_eq!(judge(&loops(count(most) / 800)), InspectError::NoRecord);
    assert_eq!(
        judge(&loops(count(most) / 800 + 1)),
        too_much("merges in one function", most + 800, most)
    );
    let functions = limits::MODULE_MERGES / most;
    assert_eq!(
        judge(&full.repeat(count(functions))),
        InspectError::NoRecord
    );
    assert_eq!(
        judge(&full.repeat(count(functions) + 1)),
        too_much("merges", most * (functions + 1), limits::MODULE_MERGES)
    );
}

#[test]
fn parts_and_items_are_counted() {
    let most = limits::MODULE_PARTS;
    let parts = |more: usize| "(core module)".repeat(count(most) + more);
    assert_eq!(judge_component(&parts(0)), InspectError::NoRecord);
    assert_eq!(
        judge_component(&parts(1)),
        too_much("modules and components in it", most + 1, most)
    );
    let most = limits::MODULE_ITEMS;
    let items = |more: usize| "(type u8)".repeat(count(most) + more);
    assert_eq!(judge_component(&items(0)), InspectError::NoRecord);
    assert_eq!(
        judge_component(&items(1)),
        too_much(
            "types, imports, exports, instances and the like",
            most + 1,
            most
        )
    );
}
