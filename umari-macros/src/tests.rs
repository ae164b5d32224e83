//! The phases of the macros, each called as a function, and what they write.
//!
//! What the compiler makes of it is tested where it can be compiled: in the crate `umari`, whose
//! ui tests also pin every message. The `macro_rules!` of that crate have no expansion to look at
//! on a stable compiler; `emit!`, `params!` and `named_params!` are tested by the values that they
//! make, and the two exports by what a module with them does.

use syn::Error;

use crate::errors::Errors;

mod ast;
mod attr;
mod command;
mod goldens;
mod prop;
mod valid;

/// The messages, in their order.
fn messages(error: Error) -> Vec<String> {
    error.into_iter().map(|error| error.to_string()).collect()
}

/// What was reported.
fn reported(errors: Errors) -> Vec<String> {
    errors.finish().err().map_or_else(Vec::new, messages)
}

/// Asserts that exactly one error was reported, which says `part`; none for an empty `part`.
#[track_caller]
fn assert_says(found: &[String], part: &str, what: &str) {
    match (found, part) {
        ([], "") => {}
        ([message], part) if !part.is_empty() && message.contains(part) => {}
        _ => panic!("{what}: expected {part:?}, found {found:#?}"),
    }
}
