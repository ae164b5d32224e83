//! What the clock check takes for the machine's time, and what not.

use std::time::SystemTime;

use umari::prelude::*;
use umari_testing::prelude::*;

use super::super::support::failure;

#[derive(Debug, Clone, Event, DomainIds, Serialize, Deserialize)]
#[event_type("note.taken")]
struct NoteTaken {
    #[domain_id]
    note_id: u64,
    at: serde_json::Value,
}

#[derive(DomainIds, Serialize, Deserialize)]
struct TakeNote {
    #[domain_id]
    note_id: u64,
    at: serde_json::Value,
}

fn take(input: TakeNote, context: CommandContext) -> anyhow::Result<ExecuteOutput> {
    Command::new(input, context)
        .fold::<EventFold<NoteTaken>>()
        .execute(|input, _| {
            Ok(emit![NoteTaken {
                note_id: input.note_id,
                at: input.at
            }])
        })
}

fn machine() -> DateTime<Utc> {
    SystemTime::now().into()
}

/// Takes a note of the machine's time, in the way of writing that the input names.
fn take_by_machine(input: TakeNote, context: CommandContext) -> anyhow::Result<ExecuteOutput> {
    let now = machine();
    let at = match input.at.as_str() {
        Some("text") => json!(now),
        Some("date") => json!(now.date_naive().to_string()),
        Some("seconds") => json!(now.timestamp()),
        Some("milliseconds") => json!(now.timestamp_millis()),
        Some("microseconds") => json!(now.timestamp_micros()),
        Some("nested") => json!({ "written": [{ "at": now.timestamp() }] }),
        _ => json!(null),
    };
    take(TakeNote { at, ..input }, context)
}

fn note(at: serde_json::Value) -> TakeNote {
    TakeNote { note_id: 1, at }
}

#[test]
fn the_machines_time_is_known_in_every_way_of_writing() {
    let forms = ["text", "date", "seconds", "milliseconds", "microseconds"];
    for form in forms {
        let message = failure(|| given_nothing().when(take_by_machine, note(json!(form))));
        assert!(message.contains("reads the machine's clock"), "{message}");
        assert!(
            message.contains("`at` of `note.taken {note_id:1}`"),
            "{message}"
        );
    }
    let nested = failure(|| given_nothing().when(take_by_machine, note(json!("nested"))));
    assert!(nested.contains("`at.written[0].at` of"), "{nested}");
}

#[test]
fn a_time_that_the_test_puts_in_is_left_alone() {
    let now = json!(machine());
    given_nothing()
        .when(take, note(now.clone()))
        .then_count::<NoteTaken>(1);
    // A copy of what is in the history.
    let copy = move |input: TakeNote, context: CommandContext| {
        Command::new(input, context)
            .fold::<LatestEvent<NoteTaken>>()
            .execute(|input, latest| {
                let at = latest.map(|note| note.data.at).unwrap_or_default();
                Ok(emit![NoteTaken {
                    note_id: input.note_id,
                    at
                }])
            })
    };
    given(events![NoteTaken {
        note_id: 1,
        at: now
    }])
    .when(copy, note(json!(null)))
    .then_count::<NoteTaken>(1);
    // A number that is no time, and a time that is another.
    for at in [
        json!(42),
        json!(0.5),
        json!("2026-01-01T00:00:00Z"),
        json!("now"),
    ] {
        let fixed = at.clone();
        let write = move |input: TakeNote, context: CommandContext| {
            let at = fixed.clone();
            take(TakeNote { at, ..input }, context)
        };
        given_nothing()
            .when(write, note(json!("input")))
            .then_count::<NoteTaken>(1);
    }
}

#[test]
fn a_scenario_in_the_present_has_no_clock_of_its_own() {
    given_nothing()
        .at(machine())
        .when(take_by_machine, note(json!("date")))
        .then_count::<NoteTaken>(1);
}

#[test]
fn the_sdk_tells_the_time_of_the_scenario() {
    let noon: DateTime<Utc> = "2031-05-01T12:00:00Z".parse().expect("a time");
    let ask = |input: TakeNote, context: CommandContext| {
        let at = json!(umari::clock::now());
        take(TakeNote { at, ..input }, context)
    };
    given_nothing()
        .at(noon)
        .when(ask, note(json!(null)))
        .then(events![NoteTaken {
            note_id: 1,
            at: json!(noon)
        }]);
}

/// Stamps its rows with the time of the rebuild.
struct Stamps;

impl Projector for Stamps {
    type Query = SingleEvent<NoteTaken>;

    fn init() -> anyhow::Result<Self> {
        execute_batch("CREATE TABLE IF NOT EXISTS notes (at TEXT)")?;
        Ok(Self)
    }

    fn handle(&mut self, _event: StoredEvent<NoteTaken>) -> anyhow::Result<()> {
        execute(
            "INSERT INTO notes VALUES (?1)",
            params![umari::clock::now()],
        )?;
        Ok(())
    }
}

#[test]
fn a_projector_that_asks_for_the_time_is_found_when_it_is_rebuilt() {
    let message = failure(|| {
        given(events![NoteTaken {
            note_id: 1,
            at: json!(null)
        }])
        .project::<Stamps>()
    });
    assert!(
        message.starts_with("`Stamps` has other rows when it is rebuilt from scratch"),
        "{message}"
    );
    assert!(
        message.contains("+ 2026-01-01T01:00:00.000000Z"),
        "{message}"
    );
}
