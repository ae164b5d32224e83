//! `#[export_command]` on what it should and should not stand on.

use proc_macro2::TokenStream;
use quote::quote;

use super::{assert_says, messages};
use crate::command;

/// What is wrong with it, and what is left of the function.
fn refused(arguments: TokenStream, item: &TokenStream) -> Vec<String> {
    let text = command::expand(arguments, item.clone()).to_string();
    let error = text.contains("compile_error !");
    assert_eq!(
        error,
        text.ends_with(&item.to_string()),
        "the item stays: {text}"
    );
    let file = syn::parse_str::<syn::File>(&text).unwrap();
    let macros = file.items.into_iter().filter_map(|item| match item {
        syn::Item::Macro(item) if item.mac.path.segments.last()?.ident == "compile_error" => {
            Some(item.mac.parse_body::<syn::LitStr>().unwrap())
        }
        _ => None,
    });
    let errors = macros.map(|message| syn::Error::new(message.span(), message.value()));
    errors.flat_map(messages).collect()
}

#[test]
fn signatures() {
    let takes = "a command takes its input and a `CommandContext`: `fn f(input: In, context: CommandContext)";
    let cases = [
        (
            quote!(
                fn f(i: In, c: CommandContext) -> Out {
                    x
                }
            ),
            "",
        ),
        (
            quote!(
                pub(crate) fn f(mut i: In, _: umari::CommandContext) -> Out {
                    x
                }
            ),
            "",
        ),
        // An alias of either is not seen here.
        (
            quote!(
                fn f(i: In, c: Context) -> Out {
                    x
                }
            ),
            "",
        ),
        (
            quote!(
                fn f(i: In) -> Out {
                    x
                }
            ),
            takes,
        ),
        (
            quote!(
                fn f(c: CommandContext, i: In) -> Out {
                    x
                }
            ),
            takes,
        ),
        (
            quote!(
                fn f(i: In, c: CommandContext, n: u8) -> Out {
                    x
                }
            ),
            takes,
        ),
        (
            quote!(
                fn f(i: In, c: CommandContext) {
                    x
                }
            ),
            takes,
        ),
        (
            quote!(
                fn f(i: In) {
                    x
                }
            ),
            takes,
        ),
        (
            quote!(
                fn f() -> Out {
                    x
                }
            ),
            "`fn f(input: Input, context: CommandContext)",
        ),
        (
            quote!(
                fn f(&self, i: In, c: CommandContext) -> Out {
                    x
                }
            ),
            "not a method",
        ),
        (
            quote!(
                async fn f(i: In, c: CommandContext) -> Out {
                    x
                }
            ),
            "leave out `async`",
        ),
        (
            quote!(
                unsafe fn f(i: In, c: CommandContext) -> Out {
                    x
                }
            ),
            "leave out `unsafe`",
        ),
        (
            quote!(
                fn f<I>(i: I, c: CommandContext) -> Out {
                    x
                }
            ),
            "not generic",
        ),
        (
            quote!(
                struct F;
            ),
            "stands on a function",
        ),
    ];
    for (item, part) in cases {
        assert_says(&refused(TokenStream::new(), &item), part, &item.to_string());
    }
}

#[test]
fn names() {
    let function = quote!(
        fn connect_shop(i: In, c: CommandContext) -> Out {
            x
        }
    );
    let only = "the only argument is the command's name";
    let cases = [
        (quote!(), ""),
        (quote!(name = "connect-shop"), ""),
        (quote!(name = "v2",), ""),
        (quote!(name = "Connect"), "is not lowercase"),
        (quote!(name = "connect_shop"), "has a `_`"),
        (quote!(name = "2fa"), "does not begin with a letter"),
        (quote!(name = ""), "this name is empty"),
        (quote!("connect-shop"), only),
        (quote!(name), only),
        (quote!(name = connect_shop), only),
        (quote!(title = "connect-shop"), only),
        (quote!(name = "a", name = "b"), only),
    ];
    for (arguments, part) in cases {
        let what = arguments.to_string();
        assert_says(&refused(arguments, &function), part, &what);
    }
    let odd = quote!(
        fn connect_2nd(i: In, c: CommandContext) -> Out {
            x
        }
    );
    assert_says(
        &refused(quote!(), &odd),
        "say `#[export_command(name = \"..\")]`",
        "2nd",
    );
}
