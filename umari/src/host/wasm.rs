//! The WASM side of the seam: the WIT imports.
//!
//! [`bindings`] is generated from the contract, [`convert`] is the only place that knows both its
//! types and ours, and `http` speaks `wasi:http`.

use uuid::Uuid;

use super::{
    AsOf, Database, Host, HttpFailure, HttpRequest, HttpResponse, KeptState, NewEvent,
    PreparedStatement, QueryItem, RawEvent, ReaderQuery, Receipt, Rows, SqliteFault, Transaction,
    TransactionError,
};
use crate::command::CommandContext;
use crate::crypto::{ShredError, Shredded};
use crate::sqlite::ParamList;

pub mod bindings;
pub(crate) mod convert;
#[cfg(feature = "http")]
mod http;

use bindings::crypto::shredding;
use bindings::sqlite::connection;
use bindings::transaction;

/// Runs `call` with the host of the component.
///
/// The type is the host's own, not `dyn Host`: a table of all methods would make every component
/// import everything.
pub(crate) fn with<T>(call: impl FnOnce(&Imports) -> T) -> T {
    call(&Imports)
}

/// The imports of the component.
#[derive(Debug)]
pub(crate) struct Imports;

impl Host for Imports {
    fn open(
        &self,
        query: &[QueryItem],
        context: &CommandContext,
        command: &str,
    ) -> Result<Box<dyn Transaction>, TransactionError> {
        let opened = transaction::Transaction::open(
            &convert::query_to_wit(query),
            convert::context_to_wit(context),
            command,
        );
        Ok(Box::new(Open(opened.map_err(convert::transaction_error)?)))
    }

    fn open_as_of(
        &self,
        query: &[QueryItem],
        bound: AsOf,
    ) -> Result<Box<dyn Transaction>, TransactionError> {
        let opened = transaction::Transaction::open_as_of(
            &convert::query_to_wit(query),
            convert::as_of_to_wit(bound),
        );
        Ok(Box::new(Open(opened.map_err(convert::transaction_error)?)))
    }

    fn database(&self) -> &dyn Database {
        &Imports
    }

    fn send(&self, request: HttpRequest) -> Result<HttpResponse, HttpFailure> {
        #[cfg(feature = "http")]
        return http::send(request);
        #[cfg(not(feature = "http"))]
        Err(HttpFailure {
            code: "not-built".to_owned(),
            message: format!(
                "{} cannot be called: this module was built without the feature `http` of umari",
                request.url
            ),
        })
    }

    fn shred(&self, scope: &str, reason: &str) -> Result<Shredded, ShredError> {
        shredding::shred(scope, reason)
            .map(|shredded| convert::shredded_from_wit(&shredded))
            .map_err(convert::shred_error)
    }

    fn env(&self, name: &str) -> Option<String> {
        std::env::var(name).ok()
    }

    fn new_id(&self) -> Uuid {
        Uuid::new_v4()
    }
}

struct Open(transaction::Transaction);

impl Transaction for Open {
    fn duplicate(&self) -> Option<u64> {
        self.0.duplicate()
    }

    #[allow(private_interfaces)]
    fn import(&self) -> &transaction::Transaction {
        &self.0
    }

    fn next_batch(&mut self) -> Result<Vec<RawEvent>, TransactionError> {
        let batch = self.0.next_batch().map_err(convert::transaction_error)?;
        Ok(batch.into_iter().map(convert::event_from_wit).collect())
    }

    fn head(&self) -> u64 {
        self.0.head()
    }

    fn commit(&mut self, events: Vec<NewEvent>) -> Result<Receipt, TransactionError> {
        let events: Vec<_> = events.into_iter().map(convert::new_event_to_wit).collect();
        let receipt = self.0.commit(&events).map_err(convert::transaction_error)?;
        Ok(convert::receipt_from_wit(&receipt))
    }
}

/// Reads by readers, and returns for each the state that was kept last.
pub(crate) fn resume(
    transaction: &mut dyn Transaction,
    readers: &[ReaderQuery],
) -> Result<Vec<Option<KeptState>>, TransactionError> {
    let readers: Vec<_> = readers.iter().map(convert::reader_to_wit).collect();
    let kept = transaction.import().resume(&readers);
    let kept = kept.map_err(convert::transaction_error)?;
    let state = |kept: Option<_>| kept.map(convert::snapshot_from_wit);
    Ok(kept.into_iter().map(state).collect())
}

/// Gives back a state that does not decode.
pub(crate) fn discard(transaction: &mut dyn Transaction, reader: usize) {
    transaction.import().discard(convert::place(reader));
}

/// Offers the state of a reader.
pub(crate) fn keep(transaction: &mut dyn Transaction, reader: usize, state: String) {
    transaction.import().keep(convert::place(reader), &state);
}

impl Database for Imports {
    fn execute(&self, sql: &str, params: ParamList<'_>) -> Result<u64, SqliteFault> {
        connection::execute(sql, &convert::params_to_wit(params)).map_err(convert::sqlite_error)
    }

    fn execute_batch(&self, sql: &str) -> Result<(), SqliteFault> {
        connection::execute_batch(sql).map_err(convert::sqlite_error)
    }

    fn query(
        &self,
        sql: &str,
        params: ParamList<'_>,
        max_rows: Option<u32>,
    ) -> Result<Rows, SqliteFault> {
        connection::query(sql, &convert::params_to_wit(params), max_rows)
            .map(convert::rows_from_wit)
            .map_err(convert::sqlite_error)
    }

    fn last_insert_rowid(&self) -> Option<i64> {
        connection::last_insert_rowid()
    }

    fn prepare(&self, sql: &str) -> Result<Box<dyn PreparedStatement>, SqliteFault> {
        let statement = connection::Statement::prepare(sql).map_err(convert::sqlite_error)?;
        Ok(Box::new(Prepared(statement)))
    }
}

struct Prepared(connection::Statement);

impl PreparedStatement for Prepared {
    fn execute(&self, params: ParamList<'_>) -> Result<u64, SqliteFault> {
        self.0
            .execute(&convert::params_to_wit(params))
            .map_err(convert::sqlite_error)
    }

    fn query(&self, params: ParamList<'_>, max_rows: Option<u32>) -> Result<Rows, SqliteFault> {
        self.0
            .query(&convert::params_to_wit(params), max_rows)
            .map(convert::rows_from_wit)
            .map_err(convert::sqlite_error)
    }
}
