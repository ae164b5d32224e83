//! `umari projectors query`: a question to a read model.

use serde_json::{Map, Value, json};

use crate::args::{Param, QueryArgs};
use crate::client::Client;
use crate::inspect::{plain, shorten};
use crate::output;
use crate::output::fault::Fault;
use crate::output::table::{Align, Table};

/// Asks, and prints the answer as a table.
pub(crate) fn run(args: &QueryArgs) -> Result<(), Fault> {
    let mut question = json!({ "sql": args.sql, "params": params(&args.params)? });
    let mut set = |name: &str, value: Option<u64>| {
        if let Some(value) = value {
            question[name] = value.into();
        }
    };
    set("min_position", args.min_position);
    set("max_rows", args.max_rows.map(u64::from));
    let millis = |time: std::time::Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    set("timeout_ms", args.timeout.map(millis));
    let client = Client::new(&args.server.url, args.server.api_key.clone())?;
    let answer = client.query(&args.name, &question)?;
    if args.json {
        output::json(&answer);
        return Ok(());
    }
    output::result(&render(&answer));
    output::note(&summary(&answer));
    if answer["truncated"] == true {
        output::warning("there are more rows; ask for fewer at a time with WHERE or LIMIT");
    }
    Ok(())
}

/// The values as the server takes them: a list, or an object by name.
fn params(params: &[Param]) -> Result<Value, Fault> {
    let mut positional = Vec::new();
    let mut named = Map::new();
    for Param { name, value } in params {
        match name {
            None => positional.push(value.clone()),
            Some(name) => {
                if named.insert(name.clone(), value.clone()).is_some() {
                    return Err(Fault::usage(format!(
                        "the parameter `{name}` is given twice"
                    )));
                }
            }
        }
    }
    match (positional.is_empty(), named.is_empty()) {
        (_, true) => Ok(positional.into()),
        (true, false) => Ok(named.into()),
        (false, false) => Err(
            Fault::usage("some parameters are given by name and some are not")
                .help("write all of them as --param :name=VALUE, or none; a text that begins with `:` and has a `=` is written as a JSON string"),
        ),
    }
}

fn render(answer: &Value) -> String {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let names: Vec<String> = list(&answer["columns"]).iter().map(cell).collect();
    let rows: Vec<Vec<Value>> = list(&answer["rows"]).iter().map(list).collect();
    let columns: Vec<(&str, Align)> = names
        .iter()
        .enumerate()
        .map(|(index, name)| {
            let values = rows.iter().filter_map(|row| row.get(index));
            let numeric = values.clone().any(Value::is_number)
                && values
                    .clone()
                    .all(|value| value.is_number() || value.is_null());
            let align = if numeric { Align::Right } else { Align::Left };
            (name.as_str(), align)
        })
        .collect();
    let mut table = Table::new(&columns);
    for row in &rows {
        table.row(row.iter().map(cell).collect::<Vec<_>>());
    }
    table.render("")
}

/// A value as a cell. Control characters are the terminal's to act on, so none is printed.
fn cell(value: &Value) -> String {
    let text = match value {
        Value::Null => "NULL".to_owned(),
        Value::Object(object) => object.values().next().map(plain).unwrap_or_default(),
        value => plain(value),
    };
    let visible = |c: char| match c {
        c if c.is_control() => c.escape_default().collect::<Vec<_>>(),
        c => vec![c],
    };
    shorten(&text.chars().flat_map(visible).collect::<String>())
}

fn summary(answer: &Value) -> String {
    let rows = answer["rows"].as_array().map_or(0, Vec::len);
    let noun = if rows == 1 { "row" } else { "rows" };
    format!("{rows} {noun}, as of position {}", answer["position"])
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;

    fn read(texts: &[&str]) -> Result<Value, Fault> {
        let texts: Vec<Param> = texts
            .iter()
            .map(|text| text.parse().expect("any text is a parameter"))
            .collect();
        params(&texts)
    }

    #[test]
    fn parameters_are_json_where_they_read_so_and_text_elsewhere() {
        assert_eq!(
            read(&["7", "-1.5", "null", "true", "seven", "\"7\"", "", "a=b"]),
            Ok(json!([7, -1.5, null, true, "seven", "7", "", "a=b"]))
        );
        assert_eq!(
            read(&[":a=1", "@b=x=y", "$c="]),
            Ok(json!({ ":a": 1, "@b": "x=y", "$c": "" }))
        );
        assert_eq!(read(&[]), Ok(json!([])));
        assert!(read(&[":a=1", "2"]).is_err());
        assert!(read(&[":a=1", ":a=2"]).is_err());
    }

    #[test]
    fn an_answer_is_a_table_with_numbers_to_the_right() {
        let answer = json!({
            "columns": ["id", "title", "price"],
            "rows": [[1, "Two years", 10.5], [20, "a\u{1b}[2J\nb", null], [3, null, { "base64": "AP8=" }]],
            "position": 7, "truncated": false,
        });
        expect![[r#"
            id  title          price
             1  Two years      10.5
            20  a\u{1b}[2J\nb  NULL
             3  NULL           AP8="#]]
        .assert_eq(&anstream::adapter::strip_str(&render(&answer)).to_string());
        assert_eq!(summary(&answer), "3 rows, as of position 7");
    }
}
