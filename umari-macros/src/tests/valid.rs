//! Checking the rules.

use syn::{DeriveInput, parse_quote};

use super::{assert_says, reported};
use crate::ast::{Set, Struct};
use crate::errors::Errors;
use crate::valid;

type Rule = fn(&Struct<'_>, &mut Errors);

#[track_caller]
fn check(rule: Rule, cases: &[(DeriveInput, &str)]) {
    for (node, part) in cases {
        let mut errors = Errors::default();
        let model = Struct::read(node, &mut errors).unwrap();
        rule(&model, &mut errors);
        assert_says(&reported(errors), part, &node.ident.to_string());
    }
}

#[test]
fn names_and_versions_of_events() {
    let version = "a version is a whole number from 1";
    check(
        valid::event,
        &[
            (
                parse_quote!(
                    struct Plain {}
                ),
                "",
            ),
            (
                parse_quote!(
                    struct Generic<T> {
                        a: T,
                    }
                ),
                "",
            ),
            (
                parse_quote!(
                    struct Unit;
                ),
                "write `struct Unit {}`",
            ),
            (
                parse_quote!(
                    struct Borrowed<'a> {
                        a: &'a str,
                    }
                ),
                "no lifetimes here",
            ),
            (
                parse_quote!(
                    #[event_type("")]
                    struct Empty {}
                ),
                "needs a name",
            ),
            (
                parse_quote!(
                    #[event_type("\u{7}")]
                    struct Bell {}
                ),
                "control characters",
            ),
            (
                parse_quote!(
                    #[event_type("a ")]
                    struct Space {}
                ),
                "begin or end with a space",
            ),
            (
                parse_quote!(
                    #[event_type("a", aliases = ["b"])]
                    struct Aliased {}
                ),
                "",
            ),
            (
                parse_quote!(
                    #[event_type("a", aliases = ["a"])]
                    struct Same {}
                ),
                "has this name already",
            ),
            (
                parse_quote!(
                    #[event_type("a", aliases = ["b", "b"])]
                    struct Twice {}
                ),
                "has this name already",
            ),
            (
                parse_quote!(
                    #[event_type("a", aliases = [""])]
                    struct EmptyAlias {}
                ),
                "needs a name",
            ),
            (
                parse_quote!(
                    #[event_type("a", version = 1)]
                    struct First {}
                ),
                "",
            ),
            (
                parse_quote!(
                    #[event_type("a", version = 4294967295)]
                    struct Last {}
                ),
                "",
            ),
            (
                parse_quote!(
                    #[event_type("a", version = 0)]
                    struct Zero {}
                ),
                version,
            ),
            (
                parse_quote!(
                    #[event_type("a", version = -1)]
                    struct Negative {}
                ),
                version,
            ),
            (
                parse_quote!(
                    #[event_type("a", version = 4294967296)]
                    struct TooLarge {}
                ),
                version,
            ),
            (
                parse_quote!(
                    #[event_type("a", version = 2u8)]
                    struct Suffixed {}
                ),
                version,
            ),
        ],
    );
}

#[test]
fn upcasts_are_from_earlier_versions() {
    check(
        valid::event,
        &[
            (
                parse_quote! {
                    #[event_type("a", version = 3)]
                    #[upcast(version = 2, with = f)]
                    #[upcast(version = 1, from = V1)]
                    struct Chain {}
                },
                "",
            ),
            (
                parse_quote!(
                    #[upcast(version = 1, with = f)]
                    struct Unversioned {}
                ),
                "version = 2)]",
            ),
            (
                parse_quote!(
                    #[event_type("a", version = 2)]
                    #[upcast(version = 2, with = f)]
                    struct Own {}
                ),
                "version = 3)]",
            ),
            (
                parse_quote!(
                    #[event_type("a", version = 2)]
                    #[upcast(version = 0, with = f)]
                    struct Zero {}
                ),
                "a version is a whole number",
            ),
            (
                parse_quote! {
                    #[event_type("a", version = 2)]
                    #[upcast(version = 1, with = f)]
                    #[upcast(version = 1, with = g)]
                    struct Twice {}
                },
                "an upcast from version 1 already",
            ),
        ],
    );
}

#[test]
fn one_domain_id_is_the_crypto_scope() {
    check(
        valid::event,
        &[
            (
                parse_quote!(
                    struct One {
                        #[domain_id]
                        #[crypto_scope]
                        a: u8,
                    }
                ),
                "",
            ),
            (
                parse_quote!(
                    struct NoDomainId {
                        #[crypto_scope]
                        a: u8,
                    }
                ),
                "add `#[domain_id]`",
            ),
            (
                parse_quote! {
                    struct Two { #[domain_id] #[crypto_scope] a: u8, #[domain_id] #[crypto_scope] b: u8 }
                },
                "keep one of them",
            ),
        ],
    );
}

#[test]
fn names_of_domain_ids() {
    check(
        valid::domain_ids,
        &[
            (
                parse_quote!(
                    struct Plain {
                        #[domain_id]
                        a: u8,
                        b: u8,
                    }
                ),
                "",
            ),
            (
                parse_quote!(
                    struct Shared {
                        #[domain_id("x")]
                        a: u8,
                        #[domain_id("x")]
                        b: u8,
                    }
                ),
                "",
            ),
            (
                parse_quote!(
                    struct Colon {
                        #[domain_id("a:b")]
                        a: u8,
                    }
                ),
                "has no `:`",
            ),
            (
                parse_quote!(
                    struct Empty {
                        #[domain_id("")]
                        a: u8,
                    }
                ),
                "needs a name",
            ),
            (
                parse_quote!(
                    struct Space {
                        #[domain_id("a b")]
                        a: u8,
                    }
                ),
                "no spaces",
            ),
            (
                parse_quote!(
                    struct Reserved {
                        #[domain_id("umari.x")]
                        a: u8,
                    }
                ),
                "reserved to the host",
            ),
        ],
    );
}

#[test]
fn folds_are_built_from_distinct_names() {
    check(
        valid::from_domain_ids,
        &[
            (
                parse_quote!(
                    struct Plain {
                        #[domain_id]
                        a: u8,
                        #[from_domain_id(default)]
                        b: u8,
                        c: u8,
                    }
                ),
                "",
            ),
            (
                parse_quote!(
                    struct Borrowed<'a> {
                        a: &'a str,
                    }
                ),
                "no lifetimes here",
            ),
            (
                parse_quote!(
                    struct Shared {
                        #[domain_id("x")]
                        a: u8,
                        #[domain_id("x")]
                        b: u8,
                    }
                ),
                "another field is already the domain id `x`",
            ),
            (
                parse_quote!(
                    struct Both {
                        #[domain_id]
                        #[from_domain_id(default)]
                        a: u8,
                    }
                ),
                "keep one of the two attributes",
            ),
        ],
    );
}

#[test]
fn scopes_of_event_sets() {
    let cases: [(DeriveInput, &str); 8] = [
        (
            parse_quote!(
                enum Q {
                    A(A),
                    #[scope()]
                    B(B),
                }
            ),
            "",
        ),
        (
            parse_quote!(
                enum Q {
                    #[scope(a, b = "1")]
                    A(A),
                }
            ),
            "",
        ),
        (
            parse_quote!(
                enum Q {}
            ),
            "`Q` has no variant",
        ),
        (
            parse_quote!(
                enum Q<'a> {
                    A(&'a A),
                }
            ),
            "no lifetimes here",
        ),
        (
            parse_quote!(
                enum Q {
                    #[scope(a, a)]
                    A(A),
                }
            ),
            "name it once",
        ),
        (
            parse_quote!(
                enum Q {
                    #[scope(a, a = "1")]
                    A(A),
                }
            ),
            "name it once",
        ),
        (
            parse_quote!(
                enum Q {
                    #[scope("")]
                    A(A),
                }
            ),
            "needs a name",
        ),
        (
            parse_quote!(
                enum Q {
                    #[scope("umari.key" = "1")]
                    A(A),
                }
            ),
            "reserved to the host",
        ),
    ];
    for (node, part) in cases {
        let mut errors = Errors::default();
        let model = Set::read(&node, &mut errors).unwrap();
        valid::event_set(&model, &mut errors);
        assert_says(&reported(errors), part, "a set");
    }
}

#[test]
fn every_broken_rule_is_reported() {
    let node: DeriveInput = parse_quote! {
        #[event_type("", version = 0)]
        struct X {
            #[crypto_scope]
            a: u8,
        }
    };
    let mut errors = Errors::default();
    let model = Struct::read(&node, &mut errors).unwrap();
    valid::event(&model, &mut errors);
    assert_eq!(reported(errors).len(), 3);
}
