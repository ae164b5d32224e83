//! Asking the model.

use syn::{DeriveInput, LitStr, parse_quote};

use crate::ast::{Field, Set, Struct};
use crate::errors::Errors;

fn ask<R>(node: &DeriveInput, question: impl FnOnce(&Struct<'_>) -> R) -> R {
    question(&Struct::read(node, &mut Errors::default()).unwrap())
}

#[test]
fn an_event_is_called_after_its_struct_unless_it_says() {
    let cases: [(DeriveInput, &str); 3] = [
        (
            parse_quote!(
                struct ShopConnected {}
            ),
            "ShopConnected",
        ),
        (
            parse_quote!(
                struct r#Type {}
            ),
            "Type",
        ),
        (
            parse_quote!(
                #[event_type("shop.connected")]
                struct ShopConnected {}
            ),
            "shop.connected",
        ),
    ];
    for (node, name) in cases {
        assert_eq!(
            ask(&node, |model| (model.event_type(), model.unit)),
            (name.to_owned(), false)
        );
    }
}

#[test]
fn upcasts_are_sorted_by_version() {
    let node: DeriveInput = parse_quote! {
        #[event_type("a", version = 4, aliases = ["b"])]
        #[upcast(version = 3, with = f)]
        #[upcast(version = 1, from = V1)]
        struct X {}
    };
    ask(&node, |model| {
        let versions: Vec<_> = model
            .upcasts()
            .iter()
            .map(|(version, _)| *version)
            .collect();
        assert_eq!(versions, [1, 3]);
        assert_eq!(model.version().unwrap().base10_digits(), "4");
        let aliases: Vec<_> = model.aliases().iter().map(LitStr::value).collect();
        assert_eq!(aliases, ["b"]);
    });
}

#[test]
fn fields_are_domain_ids_defaults_or_arguments() {
    let node: DeriveInput = parse_quote! {
        struct X {
            #[domain_id]
            r#type: u8,
            #[domain_id("plan_id")]
            #[crypto_scope]
            plan: u8,
            #[from_domain_id(default)]
            cache: u8,
            since: u8,
        }
    };
    ask(&node, |model| {
        let names: Vec<_> = model.domain_ids().map(Field::tag_name).collect();
        assert_eq!(names, ["type", "plan_id"]);
        assert_eq!(model.crypto_scope().unwrap().ident, "plan");
        let arguments: Vec<_> = model
            .arguments()
            .map(|field| field.ident.to_string())
            .collect();
        assert_eq!(arguments, ["since"]);
    });
}

#[test]
fn only_a_scope_without_value_needs_bindings() {
    let cases: [(DeriveInput, bool); 4] = [
        (
            parse_quote!(
                enum Q {
                    A(A),
                }
            ),
            false,
        ),
        (
            parse_quote!(
                enum Q {
                    #[scope()]
                    A(A),
                }
            ),
            false,
        ),
        (
            parse_quote!(
                enum Q {
                    #[scope(a = "1")]
                    A(A),
                }
            ),
            false,
        ),
        (
            parse_quote!(
                enum Q {
                    A(A),
                    #[scope(a = "1", b)]
                    B(B),
                }
            ),
            true,
        ),
    ];
    for (node, needs) in cases {
        let model = Set::read(&node, &mut Errors::default()).unwrap();
        assert_eq!(model.needs_bindings(), needs);
    }
}
