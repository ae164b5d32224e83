//! The modules that have read a scope that was shredded, and their replays.

use serde_json::Value;

use crate::client::Client;
use crate::output;
use crate::output::fault::Fault;
use crate::output::table::{Align, Table};
use crate::replay;

/// Shows who has read the scope, and what to do about it.
pub(super) fn show(entry: &Value, replayed: bool) {
    let Some(readers) = entry["readers"].as_array() else {
        output::warning("who has read the scope is not known; the server's log says why");
        return;
    };
    if readers.is_empty() {
        output::progress("No projector and no effect has read it.");
        return;
    }
    output::result(&table(readers).render(""));
    let keep = |kind: &str| {
        let mut keeps = readers.iter().filter(|reader| reader["keeps_data"] == true);
        keeps.any(|reader| reader["kind"] == kind)
    };
    if keep("projector") && !replayed {
        output::progress(
            "Projectors keep the rows that they wrote: `umari keys shred` with --replay builds these anew, \
             as `umari projectors replay` does.",
        );
    }
    if keep("effect") {
        output::progress(
            "Effects keep the rows that they wrote: `umari effects replay` begins with none, and may do \
             again what the log does not know of.",
        );
    }
}

/// Follows the replays that have begun, one after the other. A fault where one was refused.
pub(super) fn follow_replays(client: &Client, entry: &Value) -> anyhow::Result<()> {
    let readers = entry["readers"].as_array().into_iter().flatten();
    let mut refused = Vec::new();
    for reader in readers {
        let name = reader["name"].as_str().unwrap_or_default();
        if reader["replay"] == "begun" {
            let replay = client.replay_status(name).map_err(Fault::from)?;
            replay::follow(client, replay, false)?;
        } else if let Some(why) = reader["replay"]["refused"].as_str() {
            refused.push((name, why));
        }
    }
    let Some((name, _)) = refused.first() else {
        return Ok(());
    };
    let what = "the scope is shredded, but not every projector that has read it is replayed";
    let fault = refused.iter().fold(Fault::new(what), |fault, (name, why)| {
        fault.why(format!("{name}: {why}"))
    });
    let fix = format!(
        "see to the cause, then run `umari projectors replay {name}`; the read model of a projector that is \
         not wanted any more is projector/{name}.sqlite in the data directory, to be deleted"
    );
    Err(fault.help(fix).into())
}

/// The modules in one cell.
pub(super) fn words(entry: &Value) -> String {
    let readers = entry["readers"].as_array().into_iter().flatten();
    let words = readers.map(|reader| {
        let name = reader["name"].as_str().unwrap_or_default();
        match reader["replay"] == "begun" {
            true => format!("{name} (replayed)"),
            false => name.to_owned(),
        }
    });
    words.collect::<Vec<_>>().join(", ")
}

fn table(readers: &[Value]) -> Table {
    let mut table = Table::new(&[
        ("MODULE", Align::Left),
        ("NAME", Align::Left),
        ("READ", Align::Left),
        ("POSITION", Align::Right),
        ("KEEPS", Align::Left),
        ("REPLAY", Align::Left),
    ]);
    for reader in readers {
        let text = |field: &str| super::optional(&reader[field]);
        let choose = |field: &str, yes: &str, no: &str| {
            let words = if reader[field] == true { yes } else { no };
            words.to_owned()
        };
        let replay = match &reader["replay"] {
            Value::Object(refused) if refused.contains_key("refused") => "refused".to_owned(),
            replay => super::optional(replay),
        };
        table.row([
            text("kind"),
            text("name"),
            choose("certain", "yes", "perhaps"),
            text("position"),
            choose("keeps_data", "rows", "nothing"),
            replay,
        ]);
    }
    table
}

#[cfg(test)]
mod tests {
    use expect_test::expect;
    use serde_json::json;

    use super::*;

    #[test]
    fn readers_are_a_table() {
        let reader = |kind: &str, name: &str, certain: bool, replay: Value| {
            json!({ "kind": kind, "name": name, "position": 7, "certain": certain,
                    "keeps_data": kind == "projector", "replay": replay })
        };
        let readers = [
            reader("projector", "plans", true, json!("begun")),
            reader(
                "projector",
                "old-plans",
                false,
                json!({ "refused": "not active" }),
            ),
            reader("effect", "mails", true, Value::Null),
        ];
        let text = table(&readers).render("");
        expect![[r#"
            MODULE     NAME       READ     POSITION  KEEPS    REPLAY
            projector  plans      yes             7  rows     begun
            projector  old-plans  perhaps         7  rows     refused
            effect     mails      yes             7  nothing"#]]
        .assert_eq(&anstream::adapter::strip_str(&text).to_string());
    }
}
