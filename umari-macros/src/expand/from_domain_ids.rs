use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
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
        valid::from_domain_ids(node, &mut errors);
    }
    errors.finish()?;
    Ok(node.map(|node| implement(&node)).unwrap_or_default())
}

fn implement(node: &Struct<'_>) -> TokenStream {
    let ident = node.ident;
    let (impl_generics, ty_generics, where_clause) = node.generics.split_for_impl();
    let quiet = quiet(node.generics);
    let types: Vec<_> = node.arguments().map(|field| field.ty).collect();
    let arguments: Vec<_> = node
        .arguments()
        .map(|field| format_ident!("argument_{}", field.ident))
        .collect();
    let (args, pattern) = match (&*types, &*arguments) {
        ([ty], [argument]) => (quote!(#ty), quote!(#argument)),
        _ => (quote!((#(#types),*)), quote!((#(#arguments),*))),
    };
    let fields = node.fields.iter().map(|field| {
        let (member, ty) = (field.ident, field.ty);
        let value = if field.is_domain_id() {
            let name = field.tag_name();
            quote_spanned! {ty.span()=>
                ::umari::domain_id::field::bound(
                    (&&&::umari::domain_id::field::Probe::<#ty>::new()).read(values.get(#name)),
                    #name,
                    values,
                )?
            }
        } else if field.attrs.from_domain_id.is_some() {
            quote_spanned!(ty.span()=> <#ty as ::umari::domain_id::field::DefaultField>::by_default())
        } else {
            let argument = format_ident!("argument_{}", field.ident);
            quote!(#argument)
        };
        quote!(#member: #value)
    });
    let body = if node.domain_ids().next().is_some() {
        quote!(
            use ::umari::domain_id::field::{ReadMany as _, ReadNothing as _, ReadOne as _};
        )
    } else {
        quote!(let _ = values;)
    };
    quote! {
        #[automatically_derived]
        #quiet
        #[allow(deprecated, clippy::all, clippy::pedantic, clippy::nursery)]
        impl #impl_generics ::umari::domain_id::FromDomainIds for #ident #ty_generics #where_clause {
            type Args = #args;

            fn from_domain_ids(
                args: Self::Args,
                bindings: &::umari::domain_id::DomainIdBindings,
            ) -> ::core::result::Result<Self, ::umari::domain_id::FromDomainIdsError> {
                Self::from_domain_id_values(args, &::core::convert::From::from(bindings))
            }

            fn from_domain_id_values(
                #pattern: Self::Args,
                values: &::umari::domain_id::DomainIdValues,
            ) -> ::core::result::Result<Self, ::umari::domain_id::FromDomainIdsError> {
                #body
                ::core::result::Result::Ok(Self { #(#fields),* })
            }
        }
    }
}
