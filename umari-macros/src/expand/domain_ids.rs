use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{DeriveInput, Result};

use crate::ast::Struct;
use crate::errors::Errors;
use crate::expand::quiet;
use crate::valid;

pub(crate) fn expand(node: &DeriveInput) -> Result<TokenStream> {
    let mut errors = Errors::default();
    let node = Struct::read(node, &mut errors);
    if let Some(node) = &node
        && errors.is_empty()
    {
        valid::domain_ids(node, &mut errors);
    }
    errors.finish()?;
    Ok(node.map(|node| implement(&node)).unwrap_or_default())
}

fn implement(node: &Struct<'_>) -> TokenStream {
    let ident = node.ident;
    let (impl_generics, ty_generics, where_clause) = node.generics.split_for_impl();
    let quiet = quiet(node.generics);
    let mut names = Vec::new();
    for field in node.domain_ids() {
        let name = field.tag_name();
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let bind = node.domain_ids().map(|field| {
        let (member, ty, name) = (field.located_at_type(), field.ty, field.tag_name());
        // At the user's type, so that a type which cannot be a domain id is pointed at.
        quote_spanned! {ty.span()=>
            (&&&&::umari::domain_id::field::Probe::<#ty>::new()).kind().bind(&self.#member, #name, &mut values);
        }
    });
    let kinds = node.domain_ids().next().map(|_| {
        quote! {
            use ::umari::domain_id::field::{KnownKind as _, ManyKind as _, OneKind as _, UnfitKind as _};
        }
    });
    let mutable = node.domain_ids().next().map(|_| quote!(mut));
    let empty = match &*names {
        [] => quote!(new()),
        _ => quote!(for_fields(Self::DOMAIN_ID_FIELDS)),
    };
    quote! {
        #[automatically_derived]
        #quiet
        #[allow(deprecated, clippy::all, clippy::pedantic, clippy::nursery)]
        impl #impl_generics ::umari::domain_id::DomainIds for #ident #ty_generics #where_clause {
            const DOMAIN_ID_FIELDS: &'static [&'static str] = &[#(#names),*];

            fn domain_ids(&self) -> ::umari::domain_id::DomainIdBindings {
                ::core::convert::From::from(&self.domain_id_values())
            }

            fn domain_id_values(&self) -> ::umari::domain_id::DomainIdValues {
                #kinds
                let #mutable values = ::umari::domain_id::DomainIdValues::#empty;
                #(#bind)*
                values
            }
        }
    }
}
