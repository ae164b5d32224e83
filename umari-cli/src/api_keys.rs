//! `umari api-keys`: who may use a server.

use serde_json::Value;

use crate::args::{ApiKeyAction, ScopeArg, ServerArgs};
use crate::client::Client;
use crate::output::fault::Fault;
use crate::output::table::{Align, Table};
use crate::output::{self, GOOD};

/// Does what was asked with API keys.
pub(crate) fn run(action: &ApiKeyAction) -> Result<(), Fault> {
    match action {
        ApiKeyAction::Create {
            name,
            scopes,
            json,
            server,
        } => create(&connect(server)?, name, scopes, *json),
        ApiKeyAction::List { json, server } => {
            let answer = connect(server)?.api_keys()?;
            if *json {
                output::json(&answer);
            } else if keys(&answer).is_empty() {
                output::progress("there are no API keys");
            } else {
                output::result(&render(keys(&answer)));
            }
            Ok(())
        }
        ApiKeyAction::Revoke { key, server } => revoke(&connect(server)?, key),
    }
}

fn connect(server: &ServerArgs) -> Result<Client, Fault> {
    Ok(Client::new(&server.url, server.api_key.clone())?)
}

fn create(client: &Client, name: &str, scopes: &[ScopeArg], json: bool) -> Result<(), Fault> {
    let scopes: Vec<&str> = scopes.iter().map(|scope| scope.name()).collect();
    let answer = client.create_api_key(name, &scopes)?;
    if json {
        output::json(&answer);
        return Ok(());
    }
    let said = format!(
        "API key {name} for {}; it is not shown again",
        list(&answer)
    );
    output::status(GOOD, "Created", &said);
    // Alone on stdout, so that it can be piped to where it is kept.
    output::result(answer["key"].as_str().unwrap_or_default());
    Ok(())
}

/// A name means the key of this name that is valid; there is at most one.
fn revoke(client: &Client, key: &str) -> Result<(), Fault> {
    if key.parse::<uuid::Uuid>().is_ok() {
        client.revoke_api_key(key)?;
    } else {
        let answer = client.api_keys()?;
        let found = keys(&answer)
            .iter()
            .find(|found| found["name"] == key && found["revoked_at"].is_null())
            .and_then(|found| found["id"].as_str());
        let id = found.ok_or_else(|| {
            Fault::new(format!("there is no valid API key {key}"))
                .help("`umari api-keys list` shows them all")
        })?;
        client.revoke_api_key(id)?;
    }
    output::status(GOOD, "Revoked", &format!("API key {key}"));
    Ok(())
}

fn keys(answer: &Value) -> &[Value] {
    answer["api_keys"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default()
}

fn render(keys: &[Value]) -> String {
    let mut table = Table::new(&[
        ("NAME", Align::Left),
        ("SCOPES", Align::Left),
        ("CREATED", Align::Left),
        ("LAST USED", Align::Left),
        ("REVOKED", Align::Left),
        ("ID", Align::Left),
    ]);
    for key in keys {
        let text = |name: &str| key[name].as_str().unwrap_or("-").to_owned();
        table.row([
            text("name"),
            list(key),
            text("created_at"),
            text("last_used_at"),
            text("revoked_at"),
            text("id"),
        ]);
    }
    table.render("")
}

/// The scopes of a key.
fn list(key: &Value) -> String {
    let scopes = key["scopes"].as_array().into_iter().flatten();
    let scopes: Vec<&str> = scopes.filter_map(Value::as_str).collect();
    scopes.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;
    use serde_json::json;

    #[test]
    fn keys_are_a_table() {
        let keys = [
            json!({ "id": "1", "name": "ci", "scopes": ["read", "deploy"], "created_at": "2026-01-01T00:00:00Z",
                "last_used_at": "2026-01-02T03:00:00Z", "revoked_at": null }),
            json!({ "id": "2", "name": "old", "scopes": ["admin"], "created_at": "2025-01-01T00:00:00Z",
                "last_used_at": null, "revoked_at": "2025-02-01T00:00:00Z" }),
        ];
        expect![[r#"
            NAME  SCOPES        CREATED               LAST USED             REVOKED               ID
            ci    read, deploy  2026-01-01T00:00:00Z  2026-01-02T03:00:00Z  -                     1
            old   admin         2025-01-01T00:00:00Z  -                     2025-02-01T00:00:00Z  2"#]]
        .assert_eq(&anstream::adapter::strip_str(&render(&keys)).to_string());
    }
}
