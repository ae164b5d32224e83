//! Questions to read models over HTTP.

use std::time::Duration;

use axum::extract::{Path, Request, State};
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::closing::Closing;
use super::modules::parse_name;
use super::{Problem, read_body};
use crate::Host;
use crate::limits;
use crate::read_model::{QueryParams, ReadModelAnswer, ReadModelQuery};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Question {
    sql: String,
    #[serde(default)]
    params: Value,
    min_position: Option<u64>,
    timeout_ms: Option<u64>,
    max_rows: Option<usize>,
}

#[derive(Serialize)]
pub(super) struct Answer {
    columns: Vec<String>,
    rows: Vec<Vec<Value>>,
    position: u64,
    truncated: bool,
}

pub(super) async fn query(
    State(host): State<Host>,
    Extension(mut closing): Extension<Closing>,
    Path(name): Path<String>,
    request: Request,
) -> Result<Json<Answer>, Problem> {
    let body = read_body(request.into_body(), limits::INPUT_BYTES).await?;
    let name = parse_name(&name)?;
    let question: Question = serde_json::from_slice(&body).map_err(|error| {
        invalid_body(&format!(
            "the body must be {{\"sql\": \"SELECT …\"}}, with params, min_position, timeout_ms and \
             max_rows where they are wanted: {error}"
        ))
    })?;
    let answer = tokio::select! {
        answer = host.query(&name, question.try_into()?) => answer?,
        () = closing.begun() => return Err(Problem::shutting_down()),
    };
    Ok(Json(answer.into()))
}

impl TryFrom<Question> for ReadModelQuery {
    type Error = Problem;

    fn try_from(question: Question) -> Result<Self, Problem> {
        let params = match question.params {
            Value::Null => QueryParams::default(),
            Value::Array(values) => QueryParams::Positional(values),
            Value::Object(values) => QueryParams::Named(values.into_iter().collect()),
            other => {
                return Err(invalid_body(&format!(
                    "params must be a list of values, or an object of values by name, but is {other}"
                )));
            }
        };
        let whole = Self::new(question.sql);
        Ok(Self {
            params,
            min_position: question.min_position,
            timeout: question
                .timeout_ms
                .map_or(whole.timeout, Duration::from_millis),
            max_rows: question.max_rows.unwrap_or(whole.max_rows),
            ..whole
        })
    }
}

impl From<ReadModelAnswer> for Answer {
    fn from(answer: ReadModelAnswer) -> Self {
        let ReadModelAnswer {
            columns,
            rows,
            position,
            truncated,
        } = answer;
        Self {
            columns,
            rows,
            position,
            truncated,
        }
    }
}

fn invalid_body(detail: &str) -> Problem {
    Problem::bad_request("invalid-body", "Invalid body", detail)
}
