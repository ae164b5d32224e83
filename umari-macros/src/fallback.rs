//! Empty impls after an error: without them every use of the type would be another error.

use proc_macro2::TokenStream;
use quote::quote;
use syn::ext::IdentExt;
use syn::{Data, DeriveInput};

use crate::ast::Struct;
use crate::errors::Errors;

pub(crate) fn domain_ids(node: &DeriveInput) -> TokenStream {
    // As far as they can be read, so that a scope by one of them is no error.
    let names: Vec<_> = Struct::read(node, &mut Errors::default())
        .iter()
        .flat_map(Struct::domain_ids)
        .flat_map(|field| [field.tag_name(), field.ident.unraw().to_string()])
        .collect();
    implement(
        node,
        &quote!(domain_id::DomainIds),
        &quote! {
            const DOMAIN_ID_FIELDS: &'static [&'static ::core::primitive::str] =
                &[#(#names),*];

            fn domain_ids(&self) -> ::umari::domain_id::DomainIdBindings {
                ::core::unreachable!()
            }
        },
    )
}

/// A fold with arguments gets none: a use with arguments is a second error that cannot be helped.
pub(crate) fn from_domain_ids(node: &DeriveInput) -> TokenStream {
    implement(
        node,
        &quote!(domain_id::FromDomainIds),
        &quote! {
            type Args = ();

            fn from_domain_ids(
                _: Self::Args,
                _: &::umari::domain_id::DomainIdBindings,
            ) -> ::core::result::Result<Self, ::umari::domain_id::FromDomainIdsError> {
                ::core::unreachable!()
            }
        },
    )
}

pub(crate) fn event(node: &DeriveInput) -> TokenStream {
    // Nothing that serialises, so that this would be another error.
    if matches!(node.data, Data::Union(_)) {
        return TokenStream::new();
    }
    // Every event has another one, so that two of them in a set are no error.
    let name = node.ident.unraw().to_string();
    implement(
        node,
        &quote!(event::Event),
        &quote!(
            const EVENT_TYPE: &'static ::core::primitive::str = #name;
        ),
    )
}

pub(crate) fn event_set(node: &DeriveInput) -> TokenStream {
    implement(
        node,
        &quote!(event::EventSet),
        &quote! {
            type Item = Self;

            fn event_types() -> ::std::vec::Vec<&'static ::core::primitive::str> {
                ::core::unreachable!()
            }

            fn event_domain_ids() -> ::std::vec::Vec<::umari::event::EventDomainId> {
                ::core::unreachable!()
            }

            fn from_event(
                _: &::core::primitive::str,
                _: &::umari::__private::Value,
            ) -> ::core::option::Option<
                ::core::result::Result<Self, ::umari::event::SerializationError>,
            > {
                ::core::unreachable!()
            }
        },
    )
}

fn implement(node: &DeriveInput, name: &TokenStream, body: &TokenStream) -> TokenStream {
    // What was wrong may be the lifetimes; with them the impl would not compile either.
    if node.generics.lifetimes().next().is_some() {
        return TokenStream::new();
    }
    let ident = &node.ident;
    let (impl_generics, ty_generics, where_clause) = node.generics.split_for_impl();
    quote! {
        #[automatically_derived]
        #[allow(clippy::all, clippy::pedantic, clippy::nursery)]
        impl #impl_generics ::umari::#name for #ident #ty_generics #where_clause {
            #body
        }
    }
}
