//! Building the model.

use quote::ToTokens;
use syn::{DeriveInput, parse_quote};

use super::{assert_says, reported};
use crate::ast::{Set, Struct};
use crate::errors::Errors;

#[test]
fn a_struct_keeps_its_fields_in_order() {
    let node: DeriveInput = parse_quote! {
        struct ShopConnected<T> {
            #[domain_id]
            shop_id: u64,
            owner: Option<T>,
        }
    };
    let mut errors = Errors::default();
    let model = Struct::read(&node, &mut errors).unwrap();
    assert!(errors.is_empty());
    assert_eq!(
        (model.ident.to_string(), model.unit),
        ("ShopConnected".to_owned(), false)
    );
    assert_eq!(model.generics.params.len(), 1);
    let fields: Vec<_> = model
        .fields
        .iter()
        .map(|field| {
            let ty = field.ty.to_token_stream().to_string();
            (field.ident.to_string(), ty, field.attrs.domain_id.is_some())
        })
        .collect();
    assert_eq!(
        fields,
        [
            ("shop_id".to_owned(), "u64".to_owned(), true),
            ("owner".to_owned(), "Option < T >".to_owned(), false),
        ]
    );
}

#[test]
fn a_set_keeps_its_variants_in_order() {
    let node: DeriveInput = parse_quote! {
        enum Query {
            #[scope()]
            Opened(shop::Opened),
            Closed(Closed),
        }
    };
    let mut errors = Errors::default();
    let model = Set::read(&node, &mut errors).unwrap();
    assert!(errors.is_empty());
    assert_eq!(model.ident, "Query");
    let variants: Vec<_> = model
        .variants
        .iter()
        .map(|variant| {
            let event = variant.event.to_token_stream().to_string();
            (
                variant.ident.to_string(),
                event,
                variant.attrs.scope.is_some(),
            )
        })
        .collect();
    assert_eq!(
        variants,
        [
            ("Opened".to_owned(), "shop :: Opened".to_owned(), true),
            ("Closed".to_owned(), "Closed".to_owned(), false),
        ]
    );
}

#[test]
fn other_shapes_are_refused_once() {
    let cases: [(DeriveInput, &str); 5] = [
        (
            parse_quote!(
                struct X {
                    a: u8,
                }
            ),
            "",
        ),
        (
            parse_quote!(
                struct X;
            ),
            "",
        ),
        (
            parse_quote!(
                struct X(u8);
            ),
            "the fields of `X` have no names",
        ),
        (
            parse_quote!(
                enum X {
                    A,
                }
            ),
            "`X` is an enum",
        ),
        (parse_quote!(union X { a: u8 }), "`X` is a union"),
    ];
    for (node, part) in cases {
        let mut errors = Errors::default();
        let model = Struct::read(&node, &mut errors);
        assert_eq!(model.is_some(), part.is_empty());
        assert_says(&reported(errors), part, "a struct");
    }
    let cases: [(DeriveInput, &str); 6] = [
        (
            parse_quote!(
                enum X {
                    A(A),
                }
            ),
            "",
        ),
        (
            parse_quote!(
                enum X {
                    A,
                }
            ),
            "write `A(A)`",
        ),
        (
            parse_quote!(
                enum X {
                    A { a: A },
                }
            ),
            "write `A(A)`",
        ),
        (
            parse_quote!(
                enum X {
                    A(A, B),
                }
            ),
            "write `A(A)`",
        ),
        (
            parse_quote!(
                struct X {
                    a: A,
                }
            ),
            "`X` is a struct",
        ),
        (parse_quote!(union X { a: u8 }), "`X` is a union"),
    ];
    for (node, part) in cases {
        let mut errors = Errors::default();
        Set::read(&node, &mut errors);
        assert_says(&reported(errors), part, "a set");
    }
}
