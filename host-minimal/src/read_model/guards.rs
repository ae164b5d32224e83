//! What keeps a question from doing anything but reading, and from running for ever.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use rusqlite::{Connection, ErrorCode};

use super::QueryError;
use crate::capabilities::sqlite::{
    functions,
    guards::{confine, is_readable_pragma},
    spill::Spill,
};
use crate::limits;

/// The hooks of one connection, and what they refused.
#[derive(Debug)]
pub(super) struct ReadGuards {
    refused: Arc<Mutex<Option<String>>>,
    spill: Arc<Spill>,
}

impl ReadGuards {
    /// Puts limits and hooks on `connection`: from now on it reads, until `deadline`.
    pub(super) fn install(
        connection: &mut Connection,
        deadline: Instant,
    ) -> rusqlite::Result<Self> {
        confine(connection, limits::SQLITE_VALUE_BYTES)?;
        let refused = Arc::new(Mutex::new(None));
        let spill = Arc::new(Spill::default());
        connection.authorizer(Some({
            let refused = Arc::clone(&refused);
            move |context: AuthContext<'_>| match beyond_reading(&context.action) {
                None if is_refused_function(&context.action) => Authorization::Deny,
                None => Authorization::Allow,
                Some(what) => {
                    let mut refused = refused.lock().unwrap_or_else(PoisonError::into_inner);
                    refused.get_or_insert(what);
                    Authorization::Deny
                }
            }
        }))?;
        connection.progress_handler(
            limits::SQLITE_PROGRESS_STEPS,
            Some({
                let spill = Arc::clone(&spill);
                move || Instant::now() > deadline || spill.must_end()
            }),
        )?;
        Ok(Self { refused, spill })
    }

    /// What SQLite's error means to whoever asked.
    pub(super) fn explain(&self, error: &rusqlite::Error, timeout: Duration) -> QueryError {
        let refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(what) = refused.clone() {
            return QueryError::ReadOnly(what);
        }
        let (message, offset) = match error {
            // The whole of it would repeat the SQL, which the client has.
            rusqlite::Error::SqlInputError { msg, offset, .. } => {
                let message = match functions::why_refused(msg) {
                    Some(why) => format!("{msg}: {why}"),
                    None => msg.clone(),
                };
                (message, usize::try_from(*offset).ok())
            }
            rusqlite::Error::MultipleStatement => (
                "there is more than one statement; ask one question at a time".to_owned(),
                None,
            ),
            error => (error.to_string(), None),
        };
        match error.sqlite_error_code() {
            Some(ErrorCode::OperationInterrupted) => match self.spill.reason() {
                Some(message) => QueryError::Sql {
                    message,
                    offset: None,
                },
                None => QueryError::TooSlow { timeout },
            },
            Some(ErrorCode::ReadOnly) => QueryError::ReadOnly("a write".to_owned()),
            _ => QueryError::Sql { message, offset },
        }
    }
}

fn is_refused_function(action: &AuthAction<'_>) -> bool {
    matches!(action, AuthAction::Function { function_name } if !functions::is_allowed(function_name))
}

/// What an action is, where it is more than reading this one file.
fn beyond_reading(action: &AuthAction<'_>) -> Option<String> {
    match action {
        AuthAction::Select | AuthAction::Read { .. } | AuthAction::Recursive => None,
        AuthAction::Function { function_name } => function_name
            .eq_ignore_ascii_case("load_extension")
            .then(|| "an extension".to_owned()),
        AuthAction::Pragma {
            pragma_name,
            pragma_value,
        } => (!is_readable_pragma(pragma_name, *pragma_value))
            .then(|| format!("PRAGMA {pragma_name}")),
        AuthAction::Insert { table_name }
        | AuthAction::Update { table_name, .. }
        | AuthAction::Delete { table_name }
            if !table_name.starts_with("sqlite_") =>
        {
            Some(format!("a write to {table_name}"))
        }
        AuthAction::Attach { .. } | AuthAction::Detach { .. } => {
            Some("another database".to_owned())
        }
        AuthAction::Transaction { .. } | AuthAction::Savepoint { .. } => {
            Some("a transaction of its own".to_owned())
        }
        _ => Some("a change of the schema".to_owned()),
    }
}
