//! Which of SQLite's functions a statement may call, and own ones in place of those that are too
//! slow to be let loose on long values.
//!
//! Nothing interrupts a function while it runs; SQLite looks at the deadline between operations. So
//! each function that may be called takes one pass over its arguments, or as many as it has
//! arguments. What takes the product of two lengths is replaced here where SQL is written with it,
//! and refused where it is not. For `trim`, two values of 1 MiB were an hour.

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use memchr::memmem;
use rusqlite::functions::{Context, FunctionFlags};
use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, Error, Result, ffi};

#[cfg(test)]
mod tests;

/// Functions that take one pass, with those that this file replaces.
pub(super) const ALLOWED: &[&str] = &[
    "->",
    "->>",
    "abs",
    "avg",
    "bm25",
    "changes",
    "char",
    "coalesce",
    "concat",
    "concat_ws",
    "count",
    "cume_dist",
    "current_date",
    "current_time",
    "current_timestamp",
    "date",
    "datetime",
    "dense_rank",
    "first_value",
    "format",
    "glob",
    "group_concat",
    "hex",
    "if",
    "ifnull",
    "iif",
    "instr",
    "json",
    "json_array",
    "json_array_insert",
    "json_array_length",
    "json_error_position",
    "json_extract",
    "json_group_array",
    "json_group_object",
    "json_insert",
    "json_object",
    "json_pretty",
    "json_quote",
    "json_remove",
    "json_replace",
    "json_set",
    "json_type",
    "json_valid",
    "jsonb",
    "jsonb_array",
    "jsonb_array_insert",
    "jsonb_extract",
    "jsonb_group_array",
    "jsonb_group_object",
    "jsonb_insert",
    "jsonb_object",
    "jsonb_remove",
    "jsonb_replace",
    "jsonb_set",
    "julianday",
    "lag",
    "last_insert_rowid",
    "last_value",
    "lead",
    "length",
    "like",
    "likelihood",
    "likely",
    "lower",
    "ltrim",
    "match",
    "max",
    "min",
    "nth_value",
    "ntile",
    "nullif",
    "octet_length",
    "percent_rank",
    "printf",
    "quote",
    "random",
    "randomblob",
    "rank",
    "replace",
    "round",
    "row_number",
    "rtrim",
    "sign",
    "soundex",
    "sqlite_compileoption_get",
    "sqlite_compileoption_used",
    "sqlite_source_id",
    "sqlite_version",
    "strftime",
    "string_agg",
    "substr",
    "substring",
    "subtype",
    "sum",
    "time",
    "timediff",
    "total",
    "total_changes",
    "trim",
    "typeof",
    "unhex",
    "unicode",
    "unistr",
    "unistr_quote",
    "unixepoch",
    "unlikely",
    "upper",
    "zeroblob",
];

/// Functions that are refused, and why.
pub(super) const REFUSED: &[(&str, &str)] = &[
    ("fts3_tokenizer", INTERNAL),
    ("fts5", INTERNAL),
    ("fts5_get_locale", INTERNAL),
    ("fts5_insttoken", INTERNAL),
    ("fts5_locale", INTERNAL),
    ("fts5_source_id", INTERNAL),
    (
        "highlight",
        "its time grows with the square of the matches in a text",
    ),
    ("json_patch", MERGE),
    ("jsonb_patch", MERGE),
    ("load_extension", "modules load no machine code"),
    ("matchinfo", FTS4),
    ("offsets", FTS4),
    ("optimize", FTS4),
    ("rtreecheck", INTERNAL),
    ("rtreedepth", INTERNAL),
    ("rtreenode", INTERNAL),
    (
        "snippet",
        "its time grows with the square of the matches in a text",
    ),
    ("sqlite_log", "it writes to the log of the host"),
];

const INTERNAL: &str = "it is for those who work on SQLite";
const MERGE: &str =
    "its time grows with the product of both documents; merge them in the module, or use json_set";
const FTS4: &str = "it is for FTS3 and FTS4; use FTS5";

/// What SQLite itself calls for `ALTER TABLE`, and nobody else can.
const OF_ALTER: &[&str] = &[
    "sqlite_add_constraint",
    "sqlite_drop_column",
    "sqlite_drop_constraint",
    "sqlite_fail",
    "sqlite_find_constraint",
    "sqlite_rename_column",
    "sqlite_rename_quotefix",
    "sqlite_rename_table",
    "sqlite_rename_test",
];

/// Kinds of virtual tables that a module may make.
const VIRTUAL_TABLES: &[&str] = &["fts5", "fts5vocab", "rtree", "rtree_i32"];

pub(crate) fn is_allowed(name: &str) -> bool {
    ALLOWED
        .iter()
        .chain(OF_ALTER)
        .any(|allowed| allowed.eq_ignore_ascii_case(name))
}

pub(super) fn is_allowed_table(module: &str) -> bool {
    VIRTUAL_TABLES
        .iter()
        .any(|allowed| allowed.eq_ignore_ascii_case(module))
}

/// Why SQLite says that a statement is not authorised to call a function.
pub(crate) fn why_refused(message: &str) -> Option<&'static str> {
    let name = message.strip_prefix("not authorized to use function: ")?;
    let known = REFUSED
        .iter()
        .find(|(refused, _)| refused.eq_ignore_ascii_case(name));
    Some(known.map_or("the host does not know what it costs", |(_, why)| *why))
}

/// Puts the own functions in the place of SQLite's. They give what SQLite's give.
pub(super) fn install(connection: &Connection, most_bytes: usize) -> Result<()> {
    let numbers = Numbers::default();
    let define = |name: &str, arguments: i32, call: fn(&Call<'_>) -> Result<Option<Value>>| {
        let numbers = numbers.clone();
        // Without the second flag they could not stand in views, triggers and indexes, where
        // SQLite's can.
        let flags = FunctionFlags::SQLITE_UTF8
            | FunctionFlags::SQLITE_DETERMINISTIC
            | FunctionFlags::SQLITE_INNOCUOUS;
        connection.create_scalar_function(name, arguments, flags, move |context| {
            call(&Call {
                context,
                numbers: &numbers,
                most_bytes,
            })
        })
    };
    define("instr", 2, instr)?;
    define("replace", 3, replace)?;
    define("trim", 2, |call| trim(call, true, true))?;
    define("ltrim", 2, |call| trim(call, true, false))?;
    define("rtrim", 2, |call| trim(call, false, true))?;
    define("unhex", 2, unhex)
}

/// One call of a function.
struct Call<'a> {
    context: &'a Context<'a>,
    numbers: &'a Numbers,
    most_bytes: usize,
}

impl Call<'_> {
    fn raw(&self, index: usize) -> ValueRef<'_> {
        self.context.get_raw(index)
    }

    /// An argument as text; `None` for NULL.
    fn text(&self, index: usize) -> Result<Option<Cow<'_, [u8]>>> {
        Ok(match self.raw(index) {
            ValueRef::Null => None,
            ValueRef::Text(bytes) | ValueRef::Blob(bytes) => Some(Cow::Borrowed(bytes)),
            ValueRef::Integer(number) => Some(Cow::Owned(number.to_string().into_bytes())),
            ValueRef::Real(number) => Some(Cow::Owned(self.numbers.text(number)?)),
        })
    }
}

/// How SQLite writes a number with a fraction, which nobody else does as it does.
#[derive(Clone, Default)]
struct Numbers {
    connection: Arc<Mutex<Option<Connection>>>,
}

impl Numbers {
    fn text(&self, number: f64) -> Result<Vec<u8>> {
        let mut connection = self
            .connection
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let connection = match &mut *connection {
            Some(connection) => connection,
            none => none.insert(Connection::open_in_memory()?),
        };
        connection
            .prepare_cached("SELECT CAST(?1 AS TEXT)")?
            .query_row([number], |row| row.get::<_, String>(0))
            .map(String::into_bytes)
    }
}

fn instr(call: &Call<'_>) -> Result<Option<Value>> {
    let both_blobs = matches!(
        (call.raw(0), call.raw(1)),
        (ValueRef::Blob(_), ValueRef::Blob(_))
    );
    let (Some(text), Some(sought)) = (call.text(0)?, call.text(1)?) else {
        return Ok(None);
    };
    let found = match sought.first() {
        None => Some(0),
        // It begins within a character, where no match of text begins but at the very start.
        Some(first) if !both_blobs && is_continuation(*first) => {
            text.starts_with(&sought).then_some(0)
        }
        Some(_) => memmem::find(&text, &sought),
    };
    let position = found.map_or(0, |at| {
        let before = &text[..at];
        if both_blobs {
            at + 1
        } else {
            // SQLite counts the first byte as a character, whatever it is.
            let later = before
                .iter()
                .skip(1)
                .filter(|byte| !is_continuation(**byte));
            later.count() + usize::from(!before.is_empty()) + 1
        }
    });
    Ok(Some(Value::Integer(position as i64)))
}

fn is_continuation(byte: u8) -> bool {
    byte & 0xc0 == 0x80
}

fn replace(call: &Call<'_>) -> Result<Option<Value>> {
    let (Some(text), Some(sought)) = (call.text(0)?, call.text(1)?) else {
        return Ok(None);
    };
    // To SQLite, what begins with a NUL is empty.
    if matches!(sought.first(), None | Some(0)) {
        return Ok(Some(text_value(text.into_owned())));
    }
    let Some(replacement) = call.text(2)? else {
        return Ok(None);
    };
    let mut replaced = Vec::with_capacity(text.len());
    let mut copied = 0;
    for at in memmem::find_iter(&text, &*sought) {
        replaced.extend_from_slice(&text[copied..at]);
        replaced.extend_from_slice(&replacement);
        copied = at + sought.len();
        // What remains can be no longer than it is, or than what it is replaced with.
        if replaced.len() > call.most_bytes {
            return Err(too_big());
        }
    }
    replaced.extend_from_slice(&text[copied..]);
    Ok(Some(text_value(replaced)))
}

fn trim(call: &Call<'_>, left: bool, right: bool) -> Result<Option<Value>> {
    let (Some(text), Some(unwanted)) = (call.text(0)?, call.text(1)?) else {
        return Ok(None);
    };
    let unwanted: HashSet<char> = up_to_nul(&unwanted).chars().collect();
    // No character is the end of another, so that one of these lengths fits, or none.
    let is_unwanted = |bytes: &[u8]| {
        let mut characters = str::from_utf8(bytes).unwrap_or_default().chars();
        let first = characters.next();
        characters.next().is_none() && first.is_some_and(|it| unwanted.contains(&it))
    };
    let mut kept = &*text;
    while left
        && let Some(length) = (1..=kept.len().min(4)).find(|length| is_unwanted(&kept[..*length]))
    {
        kept = &kept[length..];
    }
    while right
        && let Some(length) =
            (1..=kept.len().min(4)).find(|length| is_unwanted(&kept[kept.len() - length..]))
    {
        kept = &kept[..kept.len() - length];
    }
    Ok(Some(text_value(kept.to_vec())))
}

fn unhex(call: &Call<'_>) -> Result<Option<Value>> {
    let (Some(digits), Some(passed_over)) = (call.text(0)?, call.text(1)?) else {
        return Ok(None);
    };
    let passed_over: HashSet<char> = String::from_utf8_lossy(&passed_over).chars().collect();
    let mut bytes = Vec::with_capacity(digits.len() / 2);
    let digits = up_to_nul(&digits);
    let mut characters = digits.chars();
    while let Some(character) = characters.next() {
        match (character.to_digit(16), characters.as_str().chars().next()) {
            (Some(high), Some(next)) => {
                // Nothing is passed over within a byte.
                let Some(low) = next.to_digit(16) else {
                    return Ok(None);
                };
                characters.next();
                bytes.push(u8::try_from(high << 4 | low).unwrap_or_default());
            }
            (None, _) if passed_over.contains(&character) => {}
            _ => return Ok(None),
        }
    }
    Ok(Some(Value::Blob(bytes)))
}

fn up_to_nul(text: &[u8]) -> Cow<'_, str> {
    let end = memchr::memchr(0, text).unwrap_or(text.len());
    String::from_utf8_lossy(&text[..end])
}

/// A result that SQLite takes for text. What is none, because an argument was none, is one with
/// marks in place of the wrong bytes.
fn text_value(bytes: Vec<u8>) -> Value {
    Value::Text(
        String::from_utf8(bytes)
            .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()),
    )
}

fn too_big() -> Error {
    Error::SqliteFailure(
        ffi::Error::new(ffi::SQLITE_TOOBIG),
        Some("string or blob too big".to_owned()),
    )
}
