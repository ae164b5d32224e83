//! The rules, each reported where it is broken.

use std::collections::HashSet;

use syn::{Error, Generics};

use crate::ast::{Set, Struct};
use crate::errors::Errors;
use crate::names;

/// Rules for everything with domain ids. Several derives on one struct report them alike, and the
/// compiler shows equal errors once.
pub(crate) fn domain_ids(node: &Struct<'_>, errors: &mut Errors) {
    let mut seen = HashSet::new();
    for field in node.domain_ids() {
        let name = field.tag_name();
        let named = field
            .attrs
            .domain_id
            .as_ref()
            .and_then(|(_, name)| name.as_ref());
        if let Some(wrong) = names::wrong_domain_id(&name) {
            match named {
                Some(literal) => errors.at(literal, wrong),
                None => errors.at(field.ident, wrong),
            }
        } else if !seen.insert(name.clone()) {
            let message = format!("another field is already the domain id `{name}`");
            match named {
                Some(literal) => errors.at(literal, message),
                None => errors.at(field.ident, message),
            }
        }
    }
}

pub(crate) fn event(node: &Struct<'_>, errors: &mut Errors) {
    no_lifetimes(
        node.generics,
        "an event is read back from the log, so it owns its data",
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
    if let Some((_, event_type)) = &node.attrs.event_type {
        if let Some(name) = &event_type.name
            && let Some(wrong) = names::wrong_event_type(&name.value())
        {
            errors.at(name, wrong);
        }
        if let Some(version) = &event_type.version {
            match version.base10_parse::<u32>() {
                Ok(0) => errors.at(version, "versions of an event's shape start at 1"),
                Ok(_) => {}
                Err(error) => errors.push(error),
            }
        }
    }
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
            "an event is encrypted as a whole, under one scope",
        );
    }
}

pub(crate) fn from_domain_ids(node: &Struct<'_>, errors: &mut Errors) {
    no_lifetimes(
        node.generics,
        "a fold outlives the input it is built from",
        errors,
    );
    for field in &node.fields {
        if let Some(attribute) = field.attrs.from_domain_id
            && field.is_domain_id()
        {
            errors.at(
                attribute,
                "a `#[domain_id]` field is read from the input, not defaulted",
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
        errors.at(node.ident, "an event set has at least one event type");
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
                    format!("`{}` is named twice", entry.name),
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
