//! Writing the impls.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{DeriveInput, Generics, Result};

pub(crate) mod domain_ids;
pub(crate) mod event;
pub(crate) mod event_set;
pub(crate) mod from_domain_ids;

/// Keeps an impl out of the lists of "other types" in messages. One with parameters may be what a
/// message is about, and stays.
pub(crate) fn quiet(generics: &Generics) -> Option<TokenStream> {
    let plain = generics.params.is_empty();
    plain.then(|| quote!(#[diagnostic::do_not_recommend]))
}

/// Expands a derive; after an error, its message and an empty impl.
pub(crate) fn derive(
    input: TokenStream,
    expand: fn(&DeriveInput) -> Result<TokenStream>,
    fallback: fn(&DeriveInput) -> TokenStream,
) -> TokenStream {
    let node = match syn::parse2::<DeriveInput>(input) {
        Ok(node) => node,
        Err(error) => return error.into_compile_error(),
    };
    expand(&node).unwrap_or_else(|error| {
        let error = error.into_compile_error();
        let fallback = fallback(&node);
        quote!(#error #fallback)
    })
}
