//! What the log asks of an event, said so that a forgotten derive is one error in our words.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::__private::Never;

/// What the log can hold.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be written to the log: add `Serialize` to its derives",
    label = "no `Serialize`",
    note = "an event is a struct with `#[derive(Event, DomainIds, Serialize, Deserialize)]`; where it has type parameters, they need `Serialize` too"
)]
pub trait Writable: Serialize {}

#[diagnostic::do_not_recommend]
impl<T: Serialize> Writable for T {}

#[diagnostic::do_not_recommend]
impl<T: Serialize> Writable for T
where
    for<'a> &'a (): Never,
    T: Writable,
{
}

/// What can be read back from the log.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be read from the log: add `Deserialize` to its derives",
    label = "no `Deserialize`",
    note = "an event is a struct with `#[derive(Event, DomainIds, Serialize, Deserialize)]`; where it has type parameters, they need `DeserializeOwned` too"
)]
pub trait Readable: DeserializeOwned {}

#[diagnostic::do_not_recommend]
impl<T: DeserializeOwned> Readable for T {}

#[diagnostic::do_not_recommend]
impl<T: DeserializeOwned> Readable for T
where
    for<'a> &'a (): Never,
    T: Readable,
{
}
