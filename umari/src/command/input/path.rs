//! Where in a JSON text the value stands that a type did not take.
//!
//! `serde_json` says the line and column, and a caller wants the field. A deserialiser that keeps
//! track of the path wraps every step of every type, in every module; here only what failed is
//! looked at again.

use std::fmt::Write as _;

use serde_json::Error;

/// The path of the value that `error` is about, as in `lines[2].price`; empty for the whole.
///
/// `read` reads a text as the type that `error` came from.
pub(super) fn of(error: &Error, json: &str, read: &mut dyn FnMut(&str) -> Option<Error>) -> String {
    let Some(mut read_until) = until(error, json) else {
        return String::new();
    };
    // A value that its own type refuses, after it was read, is noticed at the end of the object or
    // list if it is the last one there. Without that end it is noticed right after the value.
    while let Some(shorter) = before_closing(read_until) {
        match read(shorter) {
            Some(again) if again.is_data() => match until(&again, shorter) {
                Some(shorter) => read_until = shorter,
                None => break,
            },
            _ => break,
        }
    }
    path_to_end(read_until)
}

/// What was read of `json` before `error`. Of an error that comes from no place in it, nothing is
/// known.
fn until<'a>(error: &Error, json: &'a str) -> Option<&'a str> {
    let before = error.line().checked_sub(1)?;
    let lines = json.split_inclusive('\n').take(before);
    json.get(..lines.map(str::len).sum::<usize>() + error.column())
}

/// `text` without the `}` or `]` that it ends with.
fn before_closing(text: &str) -> Option<&str> {
    text.trim_ascii_end().strip_suffix(['}', ']'])
}

/// An object or list that is not closed yet.
enum Open<'a> {
    /// With the key that was read last, as it is written.
    Object(Option<&'a str>),
    /// With the number of elements before the present one.
    List(usize),
}

/// The path to the place where `json` ends, which is the beginning of some JSON text.
fn path_to_end(json: &str) -> String {
    let mut open = Vec::new();
    let mut bytes = json.bytes().enumerate();
    let mut key_is_next = false;
    while let Some((place, byte)) = bytes.next() {
        match byte {
            b'{' => open.push(Open::Object(None)),
            b'[' => open.push(Open::List(0)),
            b'}' | b']' => drop(open.pop()),
            b'"' => {
                let end = end_of_string(&mut bytes);
                if let Some(Open::Object(key)) = open.last_mut()
                    && key_is_next
                {
                    *key = end.map(|end| &json[place..=end]);
                }
            }
            b',' => {
                if let Some(Open::List(index)) = open.last_mut() {
                    *index += 1;
                }
            }
            _ => {}
        }
        key_is_next = matches!(byte, b'{' | b',') || key_is_next && byte.is_ascii_whitespace();
    }
    written(&open)
}

/// Goes on to behind the string that has begun, and says where its closing quote is.
fn end_of_string(bytes: &mut impl Iterator<Item = (usize, u8)>) -> Option<usize> {
    loop {
        match bytes.next()? {
            (place, b'"') => return Some(place),
            (_, b'\\') => drop(bytes.next()),
            _ => {}
        }
    }
}

fn written(open: &[Open<'_>]) -> String {
    let mut path = String::new();
    for step in open {
        match step {
            Open::List(index) => drop(write!(path, "[{index}]")),
            Open::Object(key) => {
                let key = key.and_then(|key| serde_json::from_str::<String>(key).ok());
                if let Some(key) = key {
                    path.push_str(if path.is_empty() { "" } else { "." });
                    path.push_str(&key);
                }
            }
        }
    }
    path
}

#[cfg(test)]
mod tests;
