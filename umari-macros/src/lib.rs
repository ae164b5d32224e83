//! Derive macros and `#[export_command]` for the `umari` crate, which re-exports
//! them: depend on that one. Everything that they write begins with `::umari`.
//!
//! | macro | on | writes |
//! |---|---|---|
//! | [`Event`](derive@Event) | a struct | its name in the log, its version and upcasts, its encryption scope |
//! | [`DomainIds`](derive@DomainIds) | a struct | which of its fields are domain ids, and their values |
//! | [`FromDomainIds`](derive@FromDomainIds) | a fold | how it is built from the domain ids of an input |
//! | [`EventSet`](derive@EventSet) | an enum | which events it has, what selects them, and how they are decoded |
//! | [`macro@export_command`] | a function | the component's export, on WASM alone |
//!
//! # From the inside
//!
//! A derive goes through the same phases each time: `attr` reads the attributes, `ast` builds
//! the model, `valid` checks every rule and reports all that are broken, `prop` answers
//! questions about the model, `expand` writes the impl, and `fallback` writes an empty one
//! after an error, so that one mistake gives one error.

use proc_macro::TokenStream;

mod ast;
mod attr;
mod command;
mod errors;
mod expand;
mod fallback;
mod names;
mod prop;
#[cfg(test)]
mod tests;
mod valid;

/// Makes a struct an event.
///
/// | attribute | on | says |
/// |---|---|---|
/// | `#[event_type("shop.connected")]` | the struct | the name it is stored under; the struct's name by default |
/// | `#[event_type("shop.connected", version = 2)]` | the struct | also the version of its shape; 1 by default |
/// | `#[event_type("shop.connected", aliases = ["shop.added"])]` | the struct | names that it was stored under in the past |
/// | `#[upcast(version = 1, from = ShopConnectedV1)]` | the struct | data of version 1 has the shape of this struct, which converts by `From` |
/// | `#[upcast(version = 1, with = split)]` | the struct | data of version 1 goes through this function |
/// | `#[crypto_scope]` | a `#[domain_id]` field with one value | encrypt the whole payload under a key of this domain id; where it is an `Option` that holds `None`, the payload is stored in the clear |
///
/// An event also needs `DomainIds`, `Serialize` and `Deserialize`.
#[proc_macro_derive(Event, attributes(event_type, upcast, domain_id, crypto_scope))]
pub fn derive_event(input: TokenStream) -> TokenStream {
    expand::derive(input.into(), expand::event::expand, fallback::event).into()
}

/// Says which fields of a struct are domain ids.
///
/// `#[domain_id]` on a field makes it one, under the field's name; `#[domain_id("plan_id")]` gives
/// it another name. A field that holds `None` binds nothing; a `Vec`, an array or a set binds each of
/// its values; fields may share a name.
#[proc_macro_derive(DomainIds, attributes(domain_id))]
pub fn derive_domain_ids(input: TokenStream) -> TokenStream {
    expand::derive(
        input.into(),
        expand::domain_ids::expand,
        fallback::domain_ids,
    )
    .into()
}

/// Builds a fold from the domain ids of a command's input.
///
/// `#[domain_id]` fields are read from the input, `#[from_domain_id(default)]` fields get their
/// default, and the others become the arguments of `fold_args`.
#[proc_macro_derive(FromDomainIds, attributes(domain_id, from_domain_id))]
pub fn derive_from_domain_ids(input: TokenStream) -> TokenStream {
    expand::derive(
        input.into(),
        expand::from_domain_ids::expand,
        fallback::from_domain_ids,
    )
    .into()
}

/// Makes an enum with one variant for each event type an event set.
///
/// `#[scope(..)]` on a variant says which domain ids select its events; see the trait.
#[proc_macro_derive(EventSet, attributes(scope))]
pub fn derive_event_set(input: TokenStream) -> TokenStream {
    expand::derive(input.into(), expand::event_set::expand, fallback::event_set).into()
}

/// Exports a function as a command.
///
/// The function takes an input and a `CommandContext`, and stays an ordinary function that tests
/// and effects call. The command is named after the package where the function is called
/// `execute`, else after the function; `#[export_command(name = "connect-shop")]` names it
/// otherwise. A crate may export several commands, under different names.
///
/// Only the WASM build exports anything. What is exported needs `unsafe` attributes: a crate that
/// sets `unsafe_code = "forbid"` must lower that to `deny`.
#[proc_macro_attribute]
pub fn export_command(arguments: TokenStream, item: TokenStream) -> TokenStream {
    command::expand(arguments.into(), item.into()).into()
}
