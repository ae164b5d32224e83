//! Components that are refused before they run for anybody.

use host_minimal::host::ModuleError;
use host_minimal::limits;

use super::*;

/// A component in text, with the record of a module of this kind.
pub(super) fn component(kind: ModuleKind, fields: &str) -> Vec<u8> {
    let record = match kind {
        ModuleKind::Command => {
            r#"{\"kind\":\"command\",\"name\":\"m\",\"sdk\":\"0\",\"contract\":\"0.1.0\"}"#
        }
        ModuleKind::Projector => r#"{\"kind\":\"projector\",\"sdk\":\"0\",\"contract\":\"0.1.0\"}"#,
        ModuleKind::Effect => r#"{\"kind\":\"effect\",\"sdk\":\"0\",\"contract\":\"0.1.0\"}"#,
    };
    let text =
        format!("(component {fields} (core module (@custom \"umari.module\" \"{record}\\n\")))");
    wat::parse_str(text).expect("a component")
}

/// A command around a core module, which is started when the command is.
pub(super) fn command(core: &str) -> Vec<u8> {
    component(
        ModuleKind::Command,
        &format!(
            r#"{core}
            (core module $answers (func (export "f")))
            (core instance $answering (instantiate $answers))
            (func $f (canon lift (core func $answering "f")))
            (instance $m (export "execute" (func $f)) (export "schema" (func $f)))
            (export "m" (instance $m))"#
        ),
    )
}

fn refusal(host: &TestHost, kind: ModuleKind, wasm: Vec<u8>) -> String {
    refusal_of(host, kind, wasm, r#"{"limits":{"deadline_ms":200}}"#)
}

/// The same with other settings.
pub(super) fn refusal_of(
    host: &TestHost,
    kind: ModuleKind,
    wasm: Vec<u8>,
    settings: &str,
) -> String {
    let upload = Upload {
        kind,
        name: name("m"),
        version: "1.0.0".parse().expect("a version"),
        env: [("A".to_owned(), "b".to_owned())].into(),
        settings: ModuleSettings::from_json(settings).expect("settings"),
        wasm,
    };
    match host.host.upload(upload) {
        Err(ModuleError::Load(error)) => error.to_string(),
        Err(error @ ModuleError::TooLarge { .. }) => error.to_string(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_a_module_of_its_kind_does_not_get_is_not_linked() {
    let host = neighbourhood(HttpPolicy::default());
    let (command, projector, effect) = (
        ModuleKind::Command,
        ModuleKind::Projector,
        ModuleKind::Effect,
    );
    let function = "(export \"f\" (func))";
    for (kinds, import, why) in [
        (
            &[command, projector, effect][..],
            "wasi:filesystem/preopens@0.2.0",
            "modules have no files",
        ),
        (
            &[command, projector, effect],
            "wasi:filesystem/types@0.2.0",
            "modules have no files",
        ),
        (
            &[command, projector, effect],
            "wasi:sockets/tcp@0.2.0",
            "modules have no sockets",
        ),
        (
            &[command, projector, effect],
            "wasi:sockets/ip-name-lookup@0.2.0",
            "modules have no sockets",
        ),
        (
            &[command, projector],
            "wasi:http/outgoing-handler@0.2.0",
            "only effects send",
        ),
        (
            &[command],
            "umari:sqlite/connection@0.1.0",
            "have a database",
        ),
        (
            &[projector],
            "umari:command/transaction@0.1.0",
            "only commands and effects write",
        ),
        (&[command], "evil:host/shell@1.0.0", "evil:host/shell"),
    ] {
        for kind in kinds {
            let wasm = component(
                *kind,
                &format!("(import \"{import}\" (instance {function}))"),
            );
            let text = refusal(&host, *kind, wasm);
            assert!(text.contains("asks for what"), "{text}");
            assert!(text.contains(import) && text.contains(why), "{text}");
        }
    }
    let stored = host.host.stored(None).expect("a module store");
    assert_eq!(stored.len(), 2, "the neighbours alone");
}

#[test]
fn a_component_takes_no_more_than_its_share_of_the_pool() {
    let host = neighbourhood(HttpPolicy::default());
    let modules = |count: u32, fields: &str| {
        let one =
            |n: u32| format!("(core module $m{n} {fields}) (core instance (instantiate $m{n}))");
        (0..count).map(one).collect::<String>()
    };
    let mut unexpected = Vec::new();
    for (what, core, why) in [
        (
            "memories",
            modules(limits::GUEST_MEMORIES + 1, "(memory 1)"),
            "memor",
        ),
        ("memory", modules(1, "(memory 2049)"), "memory"),
        ("memory in pieces", modules(2, "(memory 1025)"), "memory"),
        (
            "several tables",
            modules(1, "(table 1 funcref) (table 1 funcref)"),
            "table",
        ),
        ("table", modules(1, "(table 20001 funcref)"), "table"),
        (
            "instances",
            modules(limits::GUEST_CORE_INSTANCES, ""),
            "instance",
        ),
        (
            "several memories",
            modules(1, "(memory 1) (memory 1)"),
            "memor",
        ),
        ("wide memory", modules(1, "(memory i64 1)"), "memory64"),
        (
            "spin",
            modules(1, "(func $f (loop (br 0))) (start $f)"),
            "deadline",
        ),
        (
            "stack",
            modules(1, "(func $f (call $f)) (start $f)"),
            "call stack exhausted",
        ),
        (
            "trap",
            modules(1, "(func $f unreachable) (start $f)"),
            "unreachable",
        ),
        (
            "table growth",
            modules(
                1,
                "(table $t 1 funcref) (func $f
                    (if (i32.eq (table.grow $t (ref.null func) (i32.const 20000)) (i32.const -1))
                        (then unreachable))) (start $f)",
            ),
            "unreachable",
        ),
    ] {
        let text = refusal(&host, ModuleKind::Command, command(&core));
        println!("{what:<20} {text}");
        if !text.contains(why) {
            unexpected.push((what, text));
        }
    }
    assert!(unexpected.is_empty(), "{unexpected:#?}");
    // At the limits it starts, and then has no schema that the host could read.
    for core in [
        // One of them is that of the answers.
        modules(limits::GUEST_CORE_INSTANCES - 1, ""),
        modules(limits::GUEST_MEMORIES, "(memory 1)"),
        modules(1, "(memory 2048)"),
        modules(1, "(table 20000 funcref)"),
    ] {
        let text = refusal(&host, ModuleKind::Command, command(&core));
        assert!(
            text.contains("could not be started") && !text.contains("exceeds"),
            "{text}"
        );
    }
    live_next_door(&host, NEIGHBOUR_COMMANDS);
}

#[test]
fn bytes_that_are_no_module_are_refused() {
    let host = neighbourhood(HttpPolicy::default());
    let whole = hostile(ModuleKind::Command);
    let kind = ModuleKind::Command;
    let at = |part: usize| whole[..whole.len() * part / 10].to_vec();
    for part in 0..10 {
        refusal(&host, kind, at(part));
    }
    refusal(&host, kind, wat::parse_str("(module)").expect("a module"));
    assert!(refusal(&host, kind, whole.to_vec()).contains("does not export the command \"m\""));
    let text = refusal(&host, kind, vec![0; limits::MODULE_BYTES + 1]);
    assert!(text.contains("67108865 bytes: at most 67108864"), "{text}");
    // One bit here and there: refused, or a module that still is one.
    for n in 0..16 {
        let mut flipped = whole.to_vec();
        let at = whole.len() / 16 * n;
        flipped[at] ^= 1 << (n % 8);
        let upload = Upload {
            kind,
            name: name("hostile"),
            version: format!("1.0.{n}").parse().expect("a version"),
            env: Default::default(),
            settings: ModuleSettings::default(),
            wasm: flipped,
        };
        let _ = host.host.upload(upload);
    }
    live_next_door(&host, NEIGHBOUR_COMMANDS);
}

/// Most would take minutes, or more memory than there is.
#[test]
fn what_takes_long_to_compile_is_refused() {
    let host = neighbourhood(HttpPolicy::default());
    let deep = |loops: usize, locals: usize| {
        let body: String = (0..loops)
            .map(|n| {
                let local = n % locals;
                format!("loop local.get {local} i32.const 1 i32.add local.set {local} ")
            })
            .collect();
        let ends = "i32.const 0 br_if 0 end ".repeat(loops);
        format!("(func (local {}) {body} {ends})", "i32 ".repeat(locals))
    };
    let module = |fields: String| command(&format!("(core module {fields})"));
    let exports = |count: usize| -> String {
        (0..count)
            .map(|n| format!("(export \"e{n}\" (func $g)) "))
            .collect()
    };
    let rows = [
        (
            "functions",
            module("(func)".repeat(20_001)),
            "20001 functions: at most 20000",
        ),
        (
            "a function of calls",
            module(format!("(func $f {})", "call $f ".repeat(66_000))),
            "bytes in one function: at most 131072",
        ),
        (
            "loops and locals",
            module(deep(1_000, 1_000)),
            "8000000 merges in one function",
        ),
        (
            "many such functions",
            module(deep(350, 350).repeat(11)),
            "10780000 merges",
        ),
        (
            "locals",
            module(format!("(func (local {}))", "i64 ".repeat(10_001))),
            "10001 locals in one function",
        ),
        (
            "modules",
            command(&"(core module)".repeat(101)),
            "modules and components in it",
        ),
        (
            "exported functions",
            command(&format!(
                "(core module $x (func (export \"f\")))
                (core instance $x (instantiate $x))
                (func $g (canon lift (core func $x \"f\"))) {}",
                exports(20_001)
            )),
            "types, imports, exports, instances",
        ),
        (
            "exported instances",
            command(
                &(0..10_001)
                    .map(|n| format!("(instance $i{n}) (export \"i{n}\" (instance $i{n})) "))
                    .collect::<String>(),
            ),
            "types, imports, exports, instances",
        ),
    ];
    let rows: Vec<Row> = rows
        .into_iter()
        .map(|(attack, wasm, says)| {
            let bytes = wasm.len();
            let stopped_by = refusal(&host, ModuleKind::Command, wasm);
            live_next_door(&host, NEIGHBOUR_COMMANDS);
            Row {
                attack: format!("{attack}, {bytes} bytes"),
                as_expected: stopped_by.contains(says),
                stopped_by,
                attempts: 1,
            }
        })
        .collect();
    conclude(&host, "components that are long to compile", &rows);
}

/// As much as is compiled, several times at once: commands keep their cores.
#[test]
fn compiling_slows_commands_by_no_more_than_its_share() {
    let host = neighbourhood(HttpPolicy::default());
    let enough = AtomicBool::new(false);
    let uploads = thread::scope(|scope| {
        let uploaders: Vec<_> = (0..4)
            .map(|uploader| {
                let (host, enough) = (&host, &enough);
                scope.spawn(move || {
                    let mut made = 0;
                    while made == 0 || !enough.load(Ordering::Relaxed) {
                        // Another content each time, which no cache has.
                        let function = format!(
                            "(func $f i32.const {uploader} drop i32.const {made} drop {})",
                            "call $f ".repeat(20_000)
                        );
                        let wasm = command(&format!("(core module {function})"));
                        let text = refusal(host, ModuleKind::Command, wasm);
                        assert!(text.contains("could not be started"), "{text}");
                        made += 1;
                    }
                    made
                })
            })
            .collect();
        live_next_door(&host, NEIGHBOUR_COMMANDS);
        enough.store(true, Ordering::Relaxed);
        let made = uploaders
            .into_iter()
            .map(|it| it.join().expect("an uploader"));
        made.sum::<u32>()
    });
    println!("\n{uploads} components compiled by 4 uploaders beside {NEIGHBOUR_COMMANDS} commands");
}
