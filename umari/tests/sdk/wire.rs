//! What the caller over the wire is told.

use umari::command::{execute_json, retry_on_conflict};
use umari::host::TransactionError;
use umari::prelude::*;

use crate::store::Store;

#[derive(DomainIds, Validate, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Input {
    #[domain_id]
    shop_id: u64,
    #[validate(length(min = 1, max = 3))]
    #[serde(default = "one")]
    title: String,
    #[validate(nested)]
    #[serde(default)]
    lines: Vec<Line>,
}

#[derive(Validate, Serialize, Deserialize)]
struct Line {
    #[validate(range(min = 1))]
    price: u32,
}

fn one() -> String {
    "a".to_owned()
}

fn run(json: &str) -> Result<ExecuteOutput, ExecuteError> {
    let context = CommandContext::from_ids(Uuid::nil(), Uuid::nil());
    execute_json(json, context, |input: Input, context| {
        input.validate()?;
        Command::new(input, context).execute(|input, ()| {
            anyhow::ensure!(input.shop_id != 13, "unlucky");
            Ok(emit![])
        })
    })
}

/// `field code: message` of each violation.
fn violations(json: &str) -> Vec<String> {
    let Err(ExecuteError::Invalid(invalid)) = run(json) else {
        panic!("{json} is invalid")
    };
    invalid
        .violations
        .iter()
        .map(|v| format!("{} {}: {}", v.field, v.code, v.message))
        .collect()
}

#[test]
fn what_is_wrong_is_said_at_the_field() {
    let (_store, _installed) = Store::install();
    assert!(run(r#"{"shop_id":1}"#).is_ok());
    assert_eq!(
        violations("{}"),
        ["shop_id missing: missing field `shop_id`"]
    );
    assert_eq!(
        violations(r#"{"shop_id":1,"lines":[{"price":1},{}]}"#),
        ["lines[1].price missing: missing field `price`"]
    );
    assert_eq!(
        violations(r#"{"shop_id":"x"}"#),
        [r#"shop_id type: invalid type: string "x", expected u64"#]
    );
    let unknown = violations(r#"{"shop_id":1,"colour":2}"#);
    assert!(
        unknown[0].starts_with("colour unknown: unknown field `colour`"),
        "{unknown:?}"
    );
    assert!(violations("{").concat().starts_with(" json: "));
    assert!(
        violations(r#"{"shop_id":1} trailing"#)
            .concat()
            .starts_with(" json: ")
    );
    assert_eq!(violations("[]").len(), 1);
}

#[test]
fn every_broken_rule_is_listed_with_its_path() {
    let (_store, _installed) = Store::install();
    assert_eq!(
        violations(r#"{"shop_id":1,"title":"","lines":[{"price":1},{"price":0}]}"#),
        [
            "lines[1].price range: must be at least 1",
            "title length: length must be between 1 and 3",
        ]
    );
}

#[test]
fn classes_survive_wrapping() {
    let (_store, _installed) = Store::install();
    assert_eq!(
        run(r#"{"shop_id":13}"#),
        Err(ExecuteError::Rejected(Rejection::new(
            Rejection::UNCODED,
            "unlucky"
        )))
    );
    let class = |error: TransactionError| {
        ExecuteError::classify(&anyhow::Error::from(error).context("outer"))
    };
    assert!(matches!(
        class(TransactionError::Conflict("c".into())),
        ExecuteError::Conflict(_)
    ));
    assert_eq!(
        class(TransactionError::Unavailable("down".into())),
        ExecuteError::Failed("outer: event store unavailable: down".to_owned())
    );
    assert!(matches!(
        class(TransactionError::Invalid("i".into())),
        ExecuteError::Rejected(_)
    ));
    let invalid = Input {
        shop_id: 1,
        title: String::new(),
        lines: vec![],
    }
    .validate();
    let wrapped = anyhow::Error::from(invalid.unwrap_err()).context("outer");
    assert!(matches!(
        ExecuteError::classify(&wrapped),
        ExecuteError::Invalid(_)
    ));
    assert!(retry_on_conflict(|| Ok(1)).is_ok());
}
