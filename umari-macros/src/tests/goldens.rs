//! What the macros write, as files in `tests-data`.
//!
//! `UPDATE_EXPECT=1 cargo test -p umari-macros` writes them anew.

use expect_test::{ExpectFile, expect_file};
use proc_macro2::{Literal, TokenStream};
use quote::quote;
use syn::{DeriveInput, Result, parse_quote};

use crate::command::{self, world};
use crate::{expand, fallback};

fn pretty(tokens: TokenStream) -> String {
    prettyplease::unparse(&syn::parse2(tokens).expect("items"))
}

#[expect(clippy::needless_pass_by_value, reason = "a file is checked once")]
fn check(expand: fn(&DeriveInput) -> Result<TokenStream>, node: DeriveInput, expected: ExpectFile) {
    expected.assert_eq(&pretty(expand(&node).expect("no rule is broken")));
}

#[test]
fn event() {
    check(
        expand::event::expand,
        parse_quote!(
            struct ShopConnected {}
        ),
        expect_file!["../../tests-data/event.rs"],
    );
}

#[test]
fn event_with_everything() {
    check(
        expand::event::expand,
        parse_quote! {
            #[event_type("plan.created", version = 4, aliases = ["plan.added", "plan.made"])]
            #[upcast(version = 1, from = PlanCreatedV1)]
            #[upcast(version = 2, from = PlanCreatedV2)]
            #[upcast(version = 3, with = split)]
            struct PlanCreated<T>
            where
                T: Clone,
            {
                #[domain_id]
                #[crypto_scope]
                shop_id: u64,
                terms: T,
            }
        },
        expect_file!["../../tests-data/event_with_everything.rs"],
    );
}

#[test]
fn domain_ids() {
    check(
        expand::domain_ids::expand,
        parse_quote! {
            struct Input<T> {
                #[domain_id]
                r#type: u64,
                #[domain_id("plan_id")]
                plan: Option<Uuid>,
                #[domain_id("plan_id")]
                others: Vec<Uuid>,
                title: T,
            }
        },
        expect_file!["../../tests-data/domain_ids.rs"],
    );
    check(
        expand::domain_ids::expand,
        parse_quote!(
            struct Input {}
        ),
        expect_file!["../../tests-data/domain_ids_without_any.rs"],
    );
}

#[test]
fn from_domain_ids() {
    check(
        expand::from_domain_ids::expand,
        parse_quote! {
            struct SoldSince {
                #[domain_id]
                shop_id: u64,
                #[domain_id("plan_id")]
                plans: Vec<Uuid>,
                #[from_domain_id(default)]
                seen: u32,
                since: DateTime<Utc>,
                r#type: String,
            }
        },
        expect_file!["../../tests-data/from_domain_ids.rs"],
    );
    check(
        expand::from_domain_ids::expand,
        parse_quote!(
            struct Since {
                since: u64,
            }
        ),
        expect_file!["../../tests-data/from_domain_ids_with_one_argument.rs"],
    );
}

#[test]
fn event_set() {
    check(
        expand::event_set::expand,
        parse_quote! {
            enum Query {
                All(Opened),
                #[scope()]
                Any(Closed),
                #[scope(shop_id)]
                Bound(Sold),
                #[scope(topic = "orders/paid", shop_id, "plan_id" = "7")]
                Mixed(hooks::Received),
            }
        },
        expect_file!["../../tests-data/event_set.rs"],
    );
}

/// What it would check at compile time it cannot, and so does not.
#[test]
fn event_set_with_parameters() {
    check(
        expand::event_set::expand,
        parse_quote! {
            enum Either<A: Event, B: Event> {
                #[scope(shop_id)]
                A(A),
                B(B),
            }
        },
        expect_file!["../../tests-data/event_set_with_parameters.rs"],
    );
}

#[test]
fn export_command() {
    let tokens = command::expand(
        quote!(name = "connect-shop"),
        quote! {
            /// Connects a shop.
            pub fn execute(mut input: Input, context: CommandContext) -> anyhow::Result<ExecuteOutput> {
                input.calls += 1;
                Command::new(input, context).execute(|_, ()| Ok(emit![]))
            }
        },
    );
    // The contract has its own files.
    let world = Literal::string(&world::world("connect-shop")).to_string();
    let text = pretty(tokens).replace(&world, "\"package umari-module:commands; ..\"");
    expect_file!["../../tests-data/export_command.rs"].assert_eq(&text);
}

/// After an error there is an impl all the same, so that uses of the type are no errors.
#[test]
fn fallbacks() {
    let node: DeriveInput = parse_quote! {
        struct ShopConnected<T> {
            #[domain_id("shop id")]
            shop_id: T,
        }
    };
    let fallbacks = [
        fallback::event,
        fallback::domain_ids,
        fallback::from_domain_ids,
        fallback::event_set,
    ];
    let text: Vec<_> = fallbacks.map(|fallback| pretty(fallback(&node))).into();
    expect_file!["../../tests-data/fallbacks.rs"].assert_eq(&text.join("\n"));
    let borrowed: DeriveInput = parse_quote!(
        struct Borrowed<'a> {
            a: &'a str,
        }
    );
    for fallback in fallbacks {
        assert!(fallback(&borrowed).is_empty());
    }
}

#[test]
fn a_derive_reports_everything_and_falls_back() {
    let tokens = expand::derive(
        quote!(
            #[event_type("")]
            struct X {
                #[crypto_scope]
                a: u8,
            }
        ),
        expand::event::expand,
        fallback::event,
    );
    let text = tokens.to_string();
    assert_eq!(text.matches("compile_error !").count(), 2, "{text}");
    assert!(
        text.contains("impl :: umari :: event :: Event for X"),
        "{text}"
    );
    assert!(
        expand::derive(
            quote!(
                fn f() {}
            ),
            expand::event::expand,
            fallback::event
        )
        .to_string()
        .contains("compile_error !")
    );
}
