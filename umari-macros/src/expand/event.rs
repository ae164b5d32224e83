use proc_macro2::TokenStream;
use quote::quote;
use syn::{DeriveInput, Result};

use crate::ast::Struct;
use crate::errors::Errors;
use crate::valid;

pub(crate) fn expand(node: &DeriveInput) -> Result<TokenStream> {
    let mut errors = Errors::default();
    let node = Struct::read(node, &mut errors);
    if let Some(node) = &node
        && errors.is_empty()
    {
        valid::event(node, &mut errors);
    }
    errors.finish()?;
    Ok(node.map(|node| implement(&node)).unwrap_or_default())
}

fn implement(node: &Struct<'_>) -> TokenStream {
    let ident = node.ident;
    let (impl_generics, ty_generics, where_clause) = node.generics.split_for_impl();
    let event_type = node.event_type();
    let version = node.attrs.event_type.as_ref().and_then(|(_, event_type)| {
        let version = event_type.version.as_ref()?;
        Some(quote!(const SCHEMA_VERSION: ::core::primitive::u32 = #version;))
    });
    let scope = node.crypto_scope().map(|field| {
        let (member, name) = (field.ident, field.tag_name());
        quote! {
            fn encryption_scope(&self) -> ::core::option::Option<::std::string::String> {
                ::umari::__private::encryption_scope(#name, &self.#member)
            }
        }
    });
    quote! {
        #[automatically_derived]
        #[allow(deprecated, clippy::all, clippy::pedantic, clippy::nursery)]
        impl #impl_generics ::umari::event::Event for #ident #ty_generics #where_clause {
            const EVENT_TYPE: &'static ::core::primitive::str = #event_type;
            #version
            #scope
        }
    }
}
