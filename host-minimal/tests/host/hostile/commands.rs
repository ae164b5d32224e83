//! Hostile commands.

use super::*;

use self::Expected::{Answer, Deadline, Memory, Panic, Trap};

/// What an attack must end in.
enum Expected {
    Deadline,
    Memory,
    Panic(&'static str),
    Trap(&'static str),
    /// A rejection with this code, and this in its message: what the guest was told.
    Answer(&'static str, &'static str),
}

pub(super) fn set_loose(host: &TestHost) {
    let settings = r#"{"limits":{"deadline_ms":2000}}"#;
    super::set_loose(host, ModuleKind::Command, "hostile", "", settings).expect("it is stored");
}

pub(super) fn attack(host: &TestHost, attack: &str) -> Result<(), ExecuteError> {
    host.host
        .execute("hostile", attack, &Default::default())
        .map(drop)
}

impl Expected {
    fn is(&self, outcome: &ExecuteError) -> bool {
        match (self, outcome) {
            (Deadline, ExecuteError::Crashed { crash, .. }) => *crash == Crash::Deadline,
            (Memory, ExecuteError::Crashed { crash, .. }) => matches!(crash, Crash::Memory { .. }),
            (
                Panic(said),
                ExecuteError::Crashed {
                    crash: Crash::Panic { message, .. },
                    ..
                },
            ) => message == said,
            (
                Trap(why),
                ExecuteError::Crashed {
                    crash: Crash::Trap(reason),
                    ..
                },
            ) => reason.contains(why),
            (Answer(expected, why), ExecuteError::Rejected { code, message, .. }) => {
                code == expected && message.contains(why)
            }
            _ => false,
        }
    }
}

/// The sort of an outcome, for the table.
fn class(outcome: &ExecuteError) -> &str {
    match outcome {
        ExecuteError::Crashed { crash, .. } => match crash {
            Crash::Panic { .. } => "panic",
            Crash::Deadline => "deadline",
            Crash::Memory { .. } => "memory",
            _ => "trap",
        },
        ExecuteError::Rejected { code, .. } => code,
        _ => "other",
    }
}

/// Repeats an attack until the neighbour has done its commands beside it.
fn beside_a_neighbour(host: &TestHost, name: &str, expected: &Expected) -> Row {
    let enough = AtomicBool::new(false);
    thread::scope(|scope| {
        let attacker = scope.spawn(|| {
            let first = attack(host, name).expect_err(name);
            let mut attempts = 1;
            while !enough.load(Ordering::Relaxed) {
                // What it does a second time may find what it did before.
                let _ = attack(host, name);
                attempts += 1;
            }
            Row {
                attack: name.to_owned(),
                as_expected: expected.is(&first),
                stopped_by: format!("{}: {first}", class(&first)),
                attempts,
            }
        });
        live_next_door(host, NEIGHBOUR_COMMANDS);
        enough.store(true, Ordering::Relaxed);
        attacker.join().expect("an attacker")
    })
}

fn run(title: &str, attacks: &[(&str, Expected)]) -> TestHost {
    let host = neighbourhood(HttpPolicy::default());
    set_loose(&host);
    let rows: Vec<Row> = attacks
        .iter()
        .map(|(name, expected)| beside_a_neighbour(&host, name, expected))
        .collect();
    conclude(&host, title, &rows);
    host
}

#[test]
fn time_memory_and_output_are_the_commands_own() {
    run(
        "commands, with what they have",
        &[
            ("panic", Panic("as announced")),
            ("exit", Trap("exit")),
            ("spin", Deadline),
            ("recurse", Trap("out of bounds memory access")),
            ("grow-memory", Answer("achieved", "refused at 2048 pages")),
            ("hoard", Memory),
            ("copy", Deadline),
            ("sleep", Deadline),
            ("flood", Deadline),
            ("print-much", Answer("achieved", "printed")),
            ("random-much", Trap("exceeds limit 1048576")),
            (
                "look-around",
                Answer(
                    "achieved",
                    "variables [\"ATTACK\"], 0 arguments, 0 bytes of input",
                ),
            ),
        ],
    );
}

#[test]
fn the_log_takes_only_what_it_should() {
    let host = run(
        "commands, with the log",
        &[
            ("payload-large", Answer("invalid", "1048577 bytes")),
            ("payload-huge", Trap("fuel")),
            ("payload-not-json", Answer("achieved", "committed")),
            ("tag-long", Answer("invalid", "tag")),
            ("tags-many", Answer("invalid", "")),
            ("tag-reserved", Answer("invalid", "umari.")),
            ("tag-nul", Answer("invalid", "control character")),
            ("tag-shapeless", Answer("invalid", "tag")),
            ("scope-foreign", Answer("invalid", "scope")),
            ("type-long", Answer("invalid", "255")),
            ("type-empty", Answer("invalid", "type")),
            ("type-nul", Answer("invalid", "control character")),
            ("version-zero", Answer("invalid", "versions start at 1")),
            ("events-none", Answer("invalid", "")),
            ("events-many", Answer("invalid", "1001 events")),
            ("events-half-a-million", Trap("fuel")),
            ("command-foreign", Answer("achieved", "committed")),
            ("command-long", Answer("invalid", "100000 bytes")),
            ("command-empty", Answer("achieved", "committed")),
            ("context-forged", Answer("achieved", "committed")),
            ("commit-twice", Answer("invalid", "has committed")),
            ("commit-in-the-past", Answer("invalid", "reads the past")),
            ("query-items", Answer("invalid", "1024")),
            ("query-terms", Answer("invalid", "4096")),
            ("query-half-a-million", Trap("fuel")),
            ("query-reserved", Answer("invalid", "umari.")),
            ("time-beyond-dates", Answer("invalid", "is no date")),
            ("leak-transactions", Trap("table")),
            ("open-and-close", Deadline),
            ("read-everything-again", Deadline),
        ],
    );
    // Whatever a guest claims to be, the host knows who wrote.
    for event in host.events("hostile.done") {
        assert_eq!(event.author.module, "hostile");
    }
}

/// A transaction locks nothing: as many as there are places for are open until the deadline, and
/// neighbours read and write meanwhile.
#[test]
fn transactions_that_stay_open_hold_nobody_up() {
    let host = neighbourhood(HttpPolicy::default());
    set_loose(&host);
    let enough = AtomicBool::new(false);
    let (attempts, refused) = thread::scope(|scope| {
        let holders: Vec<_> = (0..64)
            .map(|_| {
                scope.spawn(|| {
                    let mut outcomes = (0_u32, 0_u32);
                    while outcomes.0 == 0 || !enough.load(Ordering::Relaxed) {
                        match attack(&host, "hold-transaction").expect_err("no end") {
                            ExecuteError::Crashed {
                                crash, committed, ..
                            } => {
                                assert_eq!((crash, committed), (Crash::Deadline, None));
                                outcomes.0 += 1;
                            }
                            // One command has three quarters of the places.
                            ExecuteError::Overloaded { .. } => outcomes.1 += 1,
                            other => panic!("{other:?}"),
                        }
                    }
                    outcomes
                })
            })
            .collect();
        live_next_door(&host, NEIGHBOUR_COMMANDS);
        enough.store(true, Ordering::Relaxed);
        let ended = holders.into_iter().map(|it| it.join().expect("a holder"));
        ended.fold((0, 0), |sum, it| (sum.0 + it.0, sum.1 + it.1))
    });
    println!(
        "\n64 callers with an open transaction: {attempts} stopped at the deadline, {refused} refused; \
         the neighbour did {NEIGHBOUR_COMMANDS} commands"
    );
    assert_eq!(host.events("hostile.done"), []);
    host.wait_caught_up("notes");
}

#[test]
fn answers_are_cut_and_never_vouched_for() {
    let host = neighbourhood(HttpPolicy::default());
    set_loose(&host);
    let answer = |what: &str| host.host.execute("hostile", what, &Default::default());
    let rejection = |what: &str| match answer(what) {
        Err(ExecuteError::Rejected {
            code,
            message,
            details,
        }) => (code, message, details),
        other => panic!("{what}: {other:?}"),
    };
    let most = host_minimal::limits::GUEST_MESSAGE_BYTES;
    assert_eq!(rejection("huge-message").1.len(), most);
    assert_eq!(
        rejection("huge-code").0.len(),
        host_minimal::limits::GUEST_CODE_BYTES
    );
    assert_eq!(rejection("huge-details").2, None);
    assert_eq!(
        rejection("details-that-are-not-json").2.as_deref(),
        Some("}{")
    );
    assert_eq!(
        rejection("code-with-control-characters").0,
        "a\r\nset-cookie: x\0"
    );
    match answer("endless-message") {
        Err(ExecuteError::Crashed {
            crash: Crash::Trap(_),
            ..
        }) => {}
        // Or it is cut, as the others are.
        Err(ExecuteError::Rejected { message, .. }) => assert_eq!(message.len(), most),
        other => panic!("{other:?}"),
    }
    match answer("many-violations") {
        Err(ExecuteError::Invalid {
            message,
            violations,
        }) => {
            assert_eq!(
                (message.len(), violations.len()),
                (most, host_minimal::limits::GUEST_LIST_ITEMS)
            );
        }
        other => panic!("{other:?}"),
    }
    let lied = answer("events-that-are-not").expect("an answer");
    assert_eq!((lied.position, lied.events), (None, Vec::new()));
    live_next_door(&host, NEIGHBOUR_COMMANDS);
}
