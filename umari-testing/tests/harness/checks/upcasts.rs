//! What upcasts may do with what they read, and what not.

use umari::prelude::*;
use umari_testing::prelude::*;

use super::super::support::fails;

/// What became of addresses: they are split into parts, empty ones are dropped, and the country is
/// told by the code of a number's region.
#[derive(Debug, PartialEq, Event, DomainIds, Serialize, Deserialize)]
#[event_type("address.given", version = 3)]
#[upcast(version = 1, with = split)]
#[upcast(version = 2, with = only_filled)]
struct AddressGiven {
    #[domain_id]
    user_id: u64,
    city: String,
    street: String,
    confirmed: bool,
    lines: Vec<i64>,
}

fn split(old: serde_json::Value) -> anyhow::Result<serde_json::Value> {
    let text = old["address"].as_str().unwrap_or_default();
    let (street, city) = text.split_once(", ").unwrap_or((text, ""));
    anyhow::ensure!(old["country"] == "NL", "an unknown country");
    Ok(json!({
        "user_id": old["user_id"],
        "street": street,
        "city": city,
        "confirmed": old["status"] == "confirmed",
        "lines": old["lines"]
    }))
}

fn only_filled(mut old: serde_json::Value) -> Option<serde_json::Value> {
    old["confirmed"] = json!(old["confirmed"].as_bool().unwrap_or(false));
    (old["street"] != "").then_some(old)
}

fn stored(version: u32, data: &serde_json::Value) -> Given {
    given(Events::new().with_stored("address.given", version, ["user_id:1"], data))
}

fn cities() -> EventCounter<AddressGiven> {
    EventCounter::new().with("user_id", 1)
}

#[test]
fn what_is_converted_is_not_lost() {
    stored(
        1,
        &json!({
            "user_id": 1,
            "address": "Main Street 1, Utrecht",
            "country": "NL",
            "status": "confirmed",
            "lines": [-3, 4],
            "note": null
        }),
    )
    .then_state(cities(), 1);
    // All of it is dropped, and that is meant.
    stored(
        2,
        &json!({ "user_id": 1, "street": "", "city": "Utrecht", "lines": [] }),
    )
    .then_state(cities(), 0);
}

#[test]
fn every_field_that_is_lost_is_named() {
    fails(
        || {
            stored(
                1,
                &json!({
                    "user_id": 1,
                    "address": "Main Street 1, Utrecht",
                    "country": "NL",
                    "status": "confirmed",
                    "lines": [],
                    "old": { "zip/code": ["1000", 2.5], "valid": true }
                }),
            )
            .then_state(cities(), 1)
        },
        expect![[r#"
            the upcast of `address.given` from version 1 loses `old.valid`, `old.zip/code[0]`, `old.zip/code[1]`

            scenario
              given  1  address.given  user_id:1

            stored
              {"address":"Main Street 1, Utrecht","country":"NL","lines":[],"old":{"valid":true,"zip/code":["1000",2.5]},"status":"confirmed","user_id":1}

            read as
              {"city":"Utrecht","confirmed":true,"lines":[],"street":"Main Street 1","user_id":1}

            cause
              whatever `old.valid`, `old.zip/code[0]`, `old.zip/code[1]` says in an event of version 1, the upcast makes the same of it

            fix
              carry it over, in the `#[upcast(version = 1, ..)]` or a later one; or, where nobody wants to know it any more, `.without(check::UPCAST_LOSS, "why")`
        "#]],
    );
}

/// Counts addresses in a table.
struct Addresses;

impl Projector for Addresses {
    type Query = SingleEvent<AddressGiven>;

    fn init() -> anyhow::Result<Self> {
        execute_batch("CREATE TABLE IF NOT EXISTS addresses (city TEXT)")?;
        Ok(Self)
    }

    fn handle(&mut self, event: StoredEvent<AddressGiven>) -> anyhow::Result<()> {
        execute(
            "INSERT INTO addresses VALUES (?1)",
            params![event.data.city],
        )?;
        Ok(())
    }
}

/// Reads addresses, and does nothing about them.
struct Watch;

impl Effect for Watch {
    type Query = SingleEvent<AddressGiven>;

    fn init() -> anyhow::Result<Self> {
        Ok(Self)
    }

    fn handle(&mut self, _event: StoredEvent<AddressGiven>) -> anyhow::Result<()> {
        Ok(())
    }
}

#[derive(DomainIds, Serialize, Deserialize)]
struct Forget {
    #[domain_id]
    user_id: u64,
}

#[test]
fn it_is_found_wherever_events_are_read() {
    let old = stored(
        2,
        &json!({ "user_id": 1, "street": "a", "city": "b", "lines": [], "zip": "1000" }),
    );
    let command = |input: Forget, context: CommandContext| {
        Command::new(input, context)
            .fold::<EventFold<AddressGiven>>()
            .execute(|_, _| Ok(emit![]))
    };
    let headline = "the upcast of `address.given` from version 2 loses `zip`\n";
    let found: [(&str, String); 4] = [
        (
            "fold",
            super::super::support::failure(|| old.fold(cities())),
        ),
        (
            "command",
            super::super::support::failure(|| old.when(command, Forget { user_id: 1 })),
        ),
        (
            "projector",
            super::super::support::failure(|| old.project::<Addresses>()),
        ),
        (
            "effect",
            super::super::support::failure(|| old.when_caught_up().run::<Watch>()),
        ),
    ];
    for (reader, message) in found {
        assert!(message.starts_with(headline), "{reader}: {message}");
    }
    let meant = old.without(check::UPCAST_LOSS, "nobody asks for it");
    meant
        .when(command, Forget { user_id: 1 })
        .then_nothing()
        .project::<Addresses>()
        .then_rows("SELECT * FROM addresses", rows![["b"]]);
}
