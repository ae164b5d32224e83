//! Reading attributes.

use quote::ToTokens;
use syn::{Attribute, LitInt, LitStr, parse_quote};

use super::{assert_says, reported};
use crate::attr::{Attrs, Step};
use crate::errors::Errors;

fn read<R>(attributes: &[Attribute], look: impl FnOnce(&Attrs<'_>) -> R) -> R {
    let mut errors = Errors::default();
    let attrs = Attrs::read(attributes, &mut errors);
    assert_eq!(reported(errors), [] as [String; 0]);
    look(&attrs)
}

#[track_caller]
fn refuses(attributes: &[Attribute], part: &str) {
    let mut errors = Errors::default();
    Attrs::read(attributes, &mut errors);
    let text: Vec<_> = attributes
        .iter()
        .map(|it| it.to_token_stream().to_string())
        .collect();
    assert_says(&reported(errors), part, &text.join(" "));
}

#[test]
fn an_event_type_has_a_name_a_version_and_aliases() {
    type Parts<'a> = (Option<&'a str>, Option<&'a str>, &'a [&'a str]);
    let cases: [(Attribute, Parts<'_>); 5] = [
        (parse_quote!(#[event_type("a")]), (Some("a"), None, &[])),
        (parse_quote!(#[event_type("a",)]), (Some("a"), None, &[])),
        (
            parse_quote!(#[event_type(version = 2)]),
            (None, Some("2"), &[]),
        ),
        (
            parse_quote!(#[event_type("a", version = 2, aliases = ["b", "c",],)]),
            (Some("a"), Some("2"), &["b", "c"]),
        ),
        (
            parse_quote!(#[event_type("a", aliases = ["b"], version = 3)]),
            (Some("a"), Some("3"), &["b"]),
        ),
    ];
    for (attribute, (name, version, aliases)) in cases {
        read(&[attribute], |attrs| {
            let (_, event_type) = attrs.event_type.as_ref().unwrap();
            assert_eq!(event_type.name.as_ref().map(LitStr::value).as_deref(), name);
            let digits = event_type.version.as_ref().map(LitInt::base10_digits);
            assert_eq!(digits, version);
            let found: Vec<_> = event_type.aliases.iter().map(LitStr::value).collect();
            assert_eq!(found, aliases);
        });
    }
}

#[test]
fn an_upcast_has_a_version_and_a_step() {
    let cases: [(Attribute, &str); 3] = [
        (
            parse_quote!(#[upcast(version = 1, from = old::V1)]),
            "from old :: V1",
        ),
        (
            parse_quote!(#[upcast(from = V1<u8>, version = 1,)]),
            "from V1 < u8 >",
        ),
        (
            parse_quote!(#[upcast(version = 1, with = old::split)]),
            "with old :: split",
        ),
    ];
    for (attribute, expected) in cases {
        read(&[attribute], |attrs| {
            let [upcast] = &*attrs.upcasts else {
                panic!("one upcast")
            };
            assert_eq!(upcast.version.base10_digits(), "1");
            let step = match &upcast.step {
                Step::From(ty) => format!("from {}", ty.to_token_stream()),
                Step::With(path) => format!("with {}", path.to_token_stream()),
            };
            assert_eq!(step, expected);
        });
    }
}

#[test]
fn fields_have_names_scopes_and_defaults() {
    let attributes: [Attribute; 4] = [
        parse_quote!(#[domain_id("plan_id")]),
        parse_quote!(#[crypto_scope]),
        parse_quote!(#[from_domain_id(default)]),
        parse_quote!(#[serde(default)]),
    ];
    read(&attributes, |attrs| {
        let (_, name) = attrs.domain_id.as_ref().unwrap();
        assert_eq!(name.as_ref().unwrap().value(), "plan_id");
        assert!(attrs.crypto_scope.is_some() && attrs.from_domain_id.is_some());
        assert!(attrs.event_type.is_none() && attrs.scope.is_none() && attrs.upcasts.is_empty());
    });
    read(&[parse_quote!(#[domain_id])], |attrs| {
        assert!(matches!(attrs.domain_id, Some((_, None))));
    });
}

#[test]
fn scopes_have_names_with_and_without_values() {
    type Entries<'a> = &'a [(&'a str, Option<&'a str>)];
    let cases: [(Attribute, Entries<'_>); 5] = [
        (parse_quote!(#[scope()]), &[]),
        (parse_quote!(#[scope(shop_id)]), &[("shop_id", None)]),
        (
            parse_quote!(#[scope(r#type, "shop-id",)]),
            &[("type", None), ("shop-id", None)],
        ),
        (
            parse_quote!(#[scope(topic = "orders/paid", shop_id)]),
            &[("topic", Some("orders/paid")), ("shop_id", None)],
        ),
        (
            parse_quote!(#[scope("topic" = "a")]),
            &[("topic", Some("a"))],
        ),
    ];
    for (attribute, expected) in cases {
        read(&[attribute], |attrs| {
            let (_, entries) = attrs.scope.as_ref().unwrap();
            let found: Vec<_> = entries
                .iter()
                .map(|entry| (entry.name.clone(), entry.value.as_ref().map(LitStr::value)))
                .collect();
            let expected: Vec<_> = expected
                .iter()
                .map(|(name, value)| ((*name).to_owned(), value.map(str::to_owned)))
                .collect();
            assert_eq!(found, expected);
        });
    }
}

#[test]
fn unknown_forms_are_refused() {
    let name = "expected the event type's name";
    let parentheses = "written in parentheses";
    let upcast = "expected an earlier version and how its data is read";
    let version = "a version is a whole number";
    let default = "the only form is `#[from_domain_id(default)]`";
    let scope = "expected domain ids";
    let cases: [(Attribute, &str); 28] = [
        (parse_quote!(#[event_type]), parentheses),
        (parse_quote!(#[event_type = "a"]), parentheses),
        (parse_quote!(#[event_type()]), name),
        (parse_quote!(#[event_type(a)]), name),
        (parse_quote!(#[event_type("a", revision = 2)]), name),
        (parse_quote!(#[event_type("a", version)]), name),
        (
            parse_quote!(#[event_type("a", version = 1, version = 2)]),
            name,
        ),
        (
            parse_quote!(#[event_type("a" version = 1)]),
            "expected a comma",
        ),
        (parse_quote!(#[event_type("a", version = "1")]), version),
        (
            parse_quote!(#[event_type("a", aliases = "b")]),
            "the old names are a list",
        ),
        (
            parse_quote!(#[event_type("a", aliases = [b])]),
            "the old names are a list",
        ),
        (parse_quote!(#[upcast]), parentheses),
        (parse_quote!(#[upcast()]), upcast),
        (parse_quote!(#[upcast(version = 1)]), upcast),
        (parse_quote!(#[upcast(from = V1)]), upcast),
        (
            parse_quote!(#[upcast(version = 1, from = V1, with = f)]),
            upcast,
        ),
        (parse_quote!(#[upcast(version = one, from = V1)]), version),
        (
            parse_quote!(#[upcast(version = 1, from = "V1")]),
            "expected the struct",
        ),
        (
            parse_quote!(#[upcast(version = 1, with = "f")]),
            "expected the name of a function",
        ),
        (parse_quote!(#[domain_id = "a"]), "named in parentheses"),
        (
            parse_quote!(#[domain_id(a)]),
            "expected the domain id's name",
        ),
        (
            parse_quote!(#[domain_id()]),
            "expected the domain id's name",
        ),
        (
            parse_quote!(#[crypto_scope("a")]),
            "write `#[crypto_scope]` alone",
        ),
        (parse_quote!(#[from_domain_id]), default),
        (parse_quote!(#[from_domain_id(skip)]), default),
        (parse_quote!(#[scope]), parentheses),
        (parse_quote!(#[scope(1)]), scope),
        (
            parse_quote!(#[scope(a = 1)]),
            "a fixed value is written in quotes",
        ),
    ];
    for (attribute, part) in cases {
        refuses(&[attribute], part);
    }
}

#[test]
fn all_but_upcasts_are_written_once() {
    let cases: [Attribute; 5] = [
        parse_quote!(#[event_type("a")]),
        parse_quote!(#[domain_id]),
        parse_quote!(#[crypto_scope]),
        parse_quote!(#[from_domain_id(default)]),
        parse_quote!(#[scope(a)]),
    ];
    for attribute in cases {
        refuses(&[attribute.clone(), attribute], "already: write it once");
    }
    let upcast: Attribute = parse_quote!(#[upcast(version = 1, with = f)]);
    refuses(&[upcast.clone(), upcast], "");
}
