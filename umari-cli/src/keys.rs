//! `umari keys`: encryption scopes, shredding them, and the master key.

mod readers;

use std::path::Path;

use serde_json::{Value, json};

use crate::args::{KeysAction, KeysArgs, ServerArgs, WhyArgs};
use crate::client::Client;
use crate::host;
use crate::inspect::plain;
use crate::output;
use crate::output::confirm::confirm;
use crate::output::fault::Fault;
use crate::output::table::{Align, Table};

/// Holds the master key that is to follow one that is configured.
const NEW_MASTER_KEY: &str = "UMARI_NEW_MASTER_KEY";

/// Does what was asked with keys.
pub(crate) fn run(args: &KeysArgs) -> anyhow::Result<()> {
    match &args.action {
        KeysAction::List {
            prefix,
            json,
            server,
        } => {
            let list = connect(server)?.scopes(prefix).map_err(Fault::from)?;
            print_list("scopes", list, *json, scopes)
        }
        KeysAction::Audit { json, server } => {
            let list = connect(server)?.key_audit().map_err(Fault::from)?;
            print_list("entries", list, *json, entries)
        }
        KeysAction::Shred {
            scope,
            allow_unknown,
            replay,
            why,
            server,
        } => {
            let flags = [("allow_unknown", *allow_unknown), ("replay", *replay)];
            let flags = flags.into_iter().filter(|(_, set)| *set);
            let flags: Vec<&str> = flags.map(|(flag, _)| flag).collect();
            shred(&connect(server)?, scope, &flags, why)
        }
        KeysAction::Rotate {
            data_dir,
            stdin,
            why,
            server,
        } => match data_dir {
            Some(data_dir) => rotate_offline(data_dir, *stdin, why),
            None => rotate_online(server, why),
        },
    }
}

fn connect(server: &ServerArgs) -> Result<Client, Fault> {
    Ok(Client::new(&server.url, server.api_key.clone())?)
}

fn shred(client: &Client, scope: &str, flags: &[&str], why: &WhyArgs) -> anyhow::Result<()> {
    if !why.yes {
        let what = format!(
            "everything that events of {scope} say becomes unreadable on {}, for good",
            client.url()
        );
        confirm(&what, scope)?;
    }
    let entry = client
        .shred(scope, flags, &why.pairs())
        .map_err(Fault::from)?;
    if why.json {
        output::json(&entry);
        return readers::follow_replays(client, &entry);
    }
    output::result(&format!(
        "shredded {scope}: {} deleted (entry {} of the record)",
        data_keys(&entry),
        entry["id"]
    ));
    readers::show(&entry, flags.contains(&"replay"));
    output::progress(
        "Backups of umari.sqlite have the key as long as the master key is not rotated.",
    );
    readers::follow_replays(client, &entry)
}

fn rotate_online(server: &ServerArgs, why: &WhyArgs) -> anyhow::Result<()> {
    if new_master_key().is_some() {
        return Err(
            Fault::usage(format!("{NEW_MASTER_KEY} is for a host that is stopped"))
                .help("name its data directory with --data-dir, or unset the variable")
                .into(),
        );
    }
    let client = connect(server)?;
    if !why.yes {
        let what = format!(
            "backups of umari.sqlite from before cannot be read with the new master key of {}",
            client.url()
        );
        confirm(&what, "rotate")?;
    }
    let entry = client
        .rotate_master_key(&why.pairs())
        .map_err(Fault::from)?;
    rotated(
        &entry,
        why,
        "it is in master.key in the server's data directory",
    );
    Ok(())
}

fn rotate_offline(data_dir: &Path, stdin: bool, why: &WhyArgs) -> anyhow::Result<()> {
    let new = match stdin {
        true => Some(read_stdin()?),
        false => new_master_key(),
    };
    if !why.yes {
        let what = "backups of umari.sqlite from before cannot be read with the new master key";
        confirm(what, "rotate")?;
    }
    let entry = host::rotate_master_key(data_dir, new.as_deref(), why)?;
    let place = match &new {
        Some(_) => "start the host with UMARI_MASTER_KEY set to it".to_owned(),
        None => format!("it is in {}", data_dir.join("master.key").display()),
    };
    rotated(&entry, why, &place);
    Ok(())
}

fn rotated(entry: &Value, why: &WhyArgs, place: &str) {
    if why.json {
        output::json(entry);
        return;
    }
    output::result(&format!(
        "rotated the master key: {} wrapped with the new one (entry {} of the record)",
        data_keys(entry),
        entry["id"]
    ));
    output::progress(&format!(
        "The new master key: {place}.\n\
         Backups of umari.sqlite from before cannot be read with it: make a new one now, with the key \
         apart from it, then destroy every copy of the old key."
    ));
}

fn new_master_key() -> Option<String> {
    let key = std::env::var(NEW_MASTER_KEY).ok();
    key.filter(|key| !key.is_empty())
}

fn read_stdin() -> Result<String, Fault> {
    let mut line = String::new();
    std::io::stdin()
        .read_line(&mut line)
        .map_err(|error| Fault::new("the new master key cannot be read").why(error.to_string()))?;
    Ok(line)
}

impl WhyArgs {
    /// What the record is to say, as the API takes it.
    fn pairs(&self) -> [(&'static str, Option<&str>); 2] {
        [
            ("reason", self.reason.as_deref()),
            ("requested_by", self.requested_by.as_deref()),
        ]
    }
}

fn data_keys(entry: &Value) -> String {
    match entry["keys"].as_u64() {
        Some(1) => "1 data key".to_owned(),
        keys => format!("{} data keys", keys.unwrap_or_default()),
    }
}

fn print_list(
    name: &str,
    list: Vec<Value>,
    json: bool,
    render: impl Fn(&[Value]) -> Table,
) -> anyhow::Result<()> {
    if json {
        output::json(&json!({ name: list }));
        return Ok(());
    }
    let table = render(&list);
    if table.is_empty() {
        output::progress(&format!("There are no {name}."));
    } else {
        output::result(&table.render(""));
    }
    Ok(())
}

fn scopes(list: &[Value]) -> Table {
    let mut table = Table::new(&[
        ("SCOPE", Align::Left),
        ("KEYS", Align::Right),
        ("CREATED", Align::Left),
        ("SHREDDED", Align::Left),
        ("REASON", Align::Left),
    ]);
    for scope in list {
        let fields = [
            "scope",
            "keys",
            "created_at",
            "shredded_at",
            "shredded_reason",
        ];
        table.row(fields.map(|field| optional(&scope[field])));
    }
    table
}

fn entries(list: &[Value]) -> Table {
    let mut table = Table::new(&[
        ("ENTRY", Align::Right),
        ("AT", Align::Left),
        ("ACTION", Align::Left),
        ("SCOPE", Align::Left),
        ("KEYS", Align::Right),
        ("BY", Align::Left),
        ("READ BY", Align::Left),
        ("REASON", Align::Left),
    ]);
    for entry in list {
        let cell = |field: &str| optional(&entry[field]);
        table.row([
            cell("id"),
            cell("at"),
            cell("action"),
            cell("scope"),
            cell("keys"),
            cell("requested_by"),
            readers::words(entry),
            cell("reason"),
        ]);
    }
    table
}

/// A value as a cell. Reasons are anybody's text, and control characters the terminal's to act on.
fn optional(value: &Value) -> String {
    if value.is_null() {
        return String::new();
    }
    let visible = |c: char| match c {
        c if c.is_control() => c.escape_default().collect::<String>(),
        c => c.to_string(),
    };
    plain(value).chars().map(visible).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;

    fn text(table: &Table) -> String {
        anstream::adapter::strip_str(&table.render("")).to_string()
    }

    #[test]
    fn lists_are_tables() {
        let list = [
            json!({ "scope": "shop_id:42", "keys": 1, "created_at": "2026-01-01T00:00:00.000000Z",
                    "shredded_at": null, "shredded_reason": null }),
            json!({ "scope": "shop_id:7", "keys": 0, "created_at": null,
                    "shredded_at": "2026-01-02T00:00:00.000000Z", "shredded_reason": "a\u{1b}[2J" }),
        ];
        expect![[r#"
            SCOPE       KEYS  CREATED                      SHREDDED                     REASON
            shop_id:42     1  2026-01-01T00:00:00.000000Z
            shop_id:7      0                               2026-01-02T00:00:00.000000Z  a\u{1b}[2J"#]]
        .assert_eq(&text(&scopes(&list)));
        let list = [
            json!({ "id": 3, "at": "2026-01-02T00:00:00.000000Z", "action": "shred",
            "scope": "shop_id:7", "keys": 1, "requested_by": "ada", "reason": "request 4711",
            "readers": [
                { "kind": "projector", "name": "plans", "replay": "begun" },
                { "kind": "effect", "name": "mails", "replay": null },
            ] }),
        ];
        expect![[r#"
            ENTRY  AT                           ACTION  SCOPE      KEYS  BY   READ BY                  REASON
                3  2026-01-02T00:00:00.000000Z  shred   shop_id:7     1  ada  plans (replayed), mails  request 4711"#]]
        .assert_eq(&text(&entries(&list)));
    }

    #[test]
    fn keys_are_counted_in_words() {
        for (keys, words) in [(0, "0 data keys"), (1, "1 data key"), (2, "2 data keys")] {
            assert_eq!(data_keys(&json!({ "keys": keys })), words);
        }
    }
}
