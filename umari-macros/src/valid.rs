//! The rules, each reported where it is broken.

use std::collections::HashSet;

use syn::{Error, Generics, LitInt};

use crate::ast::{Field, Set, Struct};
use crate::attr::VERSION;
use crate::errors::Errors;
use crate::names;

/// Rules for everything with domain ids. Several derives on one struct report them alike, and the
/// compiler shows equal errors once.
pub(crate) fn domain_ids(node: &Struct<'_>, errors: &mut Errors) {
    for field in node.domain_ids() {
        if let Some(wrong) = names::wrong_domain_id(&field.tag_name()) {
            at_name(field, wrong, errors);
        }
    }
}

/// Reports something about a domain id's name where the name is written.
fn at_name(field: &Field<'_>, message: String, errors: &mut Errors) {
    match &field.attrs.domain_id {
        Some((_, Some(literal))) => errors.at(literal, message),
        _ => errors.at(field.ident, message),
    }
}

pub(crate) fn event(node: &Struct<'_>, errors: &mut Errors) {
    no_lifetimes(
        node.generics,
        "an event is read back from the log, so it owns its data, as `String` rather than `&str`",
        errors,
    );
    if node.unit {
        errors.at(
            node.ident,
            format!(
                "the payload of an event is an object: write `struct {} {{}}`",
                node.ident
            ),
        );
    }
    names(node, errors);
    versions(node, errors);
    crypto_scope(node, errors);
}

fn names(node: &Struct<'_>, errors: &mut Errors) {
    let name = node
        .attrs
        .event_type
        .as_ref()
        .and_then(|(_, event_type)| event_type.name.as_ref());
    let mut seen = HashSet::from([node.event_type()]);
    if let Some(name) = name
        && let Some(wrong) = names::wrong_event_type(&name.value())
    {
        errors.at(name, wrong);
    }
    for alias in node.aliases() {
        if let Some(wrong) = names::wrong_event_type(&alias.value()) {
            errors.at(alias, wrong);
        } else if !seen.insert(alias.value()) {
            errors.at(
                alias,
                "the event type has this name already: `aliases` are the other ones that it had",
            );
        }
    }
}

fn versions(node: &Struct<'_>, errors: &mut Errors) {
    let current = match node.version() {
        Some(version) => match number(version, errors) {
            Some(number) => number,
            None => return,
        },
        None => 1,
    };
    let mut seen = HashSet::new();
    for upcast in &node.attrs.upcasts {
        let version = &upcast.version;
        let Some(number) = number(version, errors) else {
            continue;
        };
        if number >= current {
            errors.at(
                version,
                format!(
                    "an upcast is from an earlier version, and the event is at version {current}: \
                     say `#[event_type(\"..\", version = {})]`",
                    number.saturating_add(1)
                ),
            );
        } else if !seen.insert(number) {
            errors.at(
                version,
                format!("there is an upcast from version {number} already: keep one of them"),
            );
        }
    }
}

fn number(version: &LitInt, errors: &mut Errors) -> Option<u32> {
    match version.base10_parse::<u32>() {
        Ok(number) if number > 0 && version.suffix().is_empty() => Some(number),
        _ => {
            errors.at(version, VERSION);
            None
        }
    }
}

fn crypto_scope(node: &Struct<'_>, errors: &mut Errors) {
    let mut scopes = node
        .fields
        .iter()
        .filter_map(|field| Some((field, field.attrs.crypto_scope?)));
    if let Some((field, attribute)) = scopes.next()
        && !field.is_domain_id()
    {
        errors.at(
            attribute,
            "the encryption scope is one of the event's domain ids: add `#[domain_id]` to the field",
        );
    }
    for (_, attribute) in scopes {
        errors.at(
            attribute,
            "there is a `#[crypto_scope]` already, and an event is encrypted as a whole, under one: keep one of them",
        );
    }
}

pub(crate) fn from_domain_ids(node: &Struct<'_>, errors: &mut Errors) {
    no_lifetimes(
        node.generics,
        "a fold outlives the input it is built from, so it owns its data, as `String` rather than `&str`",
        errors,
    );
    let mut seen = HashSet::new();
    for field in node.domain_ids() {
        let name = field.tag_name();
        if !seen.insert(name.clone()) {
            let message = format!(
                "another field is already the domain id `{name}`, so its value could be for either: \
                 build this fold with `.fold_with(|input| ..)` instead of `FromDomainIds`"
            );
            at_name(field, message, errors);
        }
    }
    for field in &node.fields {
        if let Some(attribute) = field.attrs.from_domain_id
            && field.is_domain_id()
        {
            errors.at(
                attribute,
                "a `#[domain_id]` field is read from the input, and never its default: keep one of the two attributes",
            );
        }
    }
}

pub(crate) fn event_set(node: &Set<'_>, errors: &mut Errors) {
    no_lifetimes(
        node.generics,
        "events are read from the log, so they own their data",
        errors,
    );
    if node.variants.is_empty() {
        errors.at(
            node.ident,
            format!(
                "`{}` has no variant; an event set has one for each event type, as in `ShopConnected(ShopConnected)`",
                node.ident
            ),
        );
    }
    for variant in &node.variants {
        let Some((_, entries)) = &variant.attrs.scope else {
            continue;
        };
        let mut seen = HashSet::new();
        for entry in entries {
            if let Some(wrong) = names::wrong_domain_id(&entry.name) {
                errors.push(Error::new(entry.span, wrong));
            } else if !seen.insert(&entry.name) {
                errors.push(Error::new(
                    entry.span,
                    format!(
                        "`{}` is there already: name it once, bound or with its value",
                        entry.name
                    ),
                ));
            }
        }
    }
}

fn no_lifetimes(generics: &Generics, reason: &str, errors: &mut Errors) {
    for lifetime in generics.lifetimes() {
        errors.at(lifetime, format!("no lifetimes here: {reason}"));
    }
}
