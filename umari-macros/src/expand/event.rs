use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{DeriveInput, Result, Type};

use crate::ast::Struct;
use crate::attr::{Step, Upcast};
use crate::errors::Errors;
use crate::expand::quiet;
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
    let quiet = quiet(node.generics);
    let event_type = node.event_type();
    let version = node
        .version()
        .map(|version| quote!(const SCHEMA_VERSION: ::core::primitive::u32 = #version;));
    let aliases = node.aliases();
    let aliases = (!aliases.is_empty()).then(|| {
        quote! {
            const ALIASES: &'static [&'static ::core::primitive::str] = &[#(#aliases),*];
        }
    });
    let upcast = upcast(node);
    let scope = node.crypto_scope().map(|field| {
        let (member, ty, name) = (field.located_at_type(), field.ty, field.tag_name());
        let scope = quote_spanned! {ty.span()=>
            (&&&&::umari::domain_id::field::Probe::<#ty>::new()).kind().scope(&self.#member, #name)
        };
        quote! {
            fn encryption_scope(&self) -> ::core::option::Option<::std::string::String> {
                use ::umari::domain_id::field::{KnownKind as _, ManyKind as _, OneKind as _, UnfitKind as _};
                #scope
            }
        }
    });
    quote! {
        #[automatically_derived]
        #quiet
        #[allow(deprecated, clippy::all, clippy::pedantic, clippy::nursery)]
        impl #impl_generics ::umari::event::Event for #ident #ty_generics #where_clause {
            const EVENT_TYPE: &'static ::core::primitive::str = #event_type;
            #version
            #aliases
            #scope
            #upcast
        }
    }
}

/// One arm for each earlier version.
fn upcast(node: &Struct<'_>) -> Option<TokenStream> {
    let upcasts = node.upcasts();
    if upcasts.is_empty() {
        return None;
    }
    let arms = upcasts
        .iter()
        .enumerate()
        .map(|(place, (version, upcast))| {
            let read = match &upcast.step {
                Step::From(shape) => from_shape(*version, shape, &upcasts[place + 1..]),
                Step::With(function) => quote_spanned! {function.span()=>
                    ::umari::event::upcast_with(#version, json, #function, events)
                },
            };
            quote!(#version => #read,)
        });
    Some(quote! {
        fn upcast(
            version: ::core::primitive::u32,
            json: &::core::primitive::str,
            events: &mut ::std::vec::Vec<Self>,
        ) -> ::core::result::Result<(), ::umari::event::SerializationCause> {
            match version {
                #(#arms)*
                found => ::core::result::Result::Err(
                    ::umari::event::SerializationCause::MissingUpcast {
                        found,
                        known: <Self as ::umari::event::Event>::SCHEMA_VERSION,
                    },
                ),
            }
        }
    })
}

/// Reads a previous shape, and converts it through the shapes after it into the event.
fn from_shape(version: u32, shape: &Type, later: &[(u32, &Upcast)]) -> TokenStream {
    let mut convert = quote_spanned! {shape.span()=>
        let data = <#shape as ::umari::event::PreviousShape>::read(#version, json)?;
    };
    let mut last = shape;
    for (_, upcast) in later {
        if let Step::From(next) = &upcast.step {
            // At the shape that lacks the conversion.
            convert.extend(quote_spanned! {last.span()=>
                let data = <#next as ::umari::event::NextShape<#last>>::next(data);
            });
            last = next;
        }
    }
    let event = quote_spanned! {last.span()=>
        <Self as ::umari::event::NextShape<#last>>::next(data)
    };
    quote_spanned! {shape.span()=> {
        #convert
        events.push(#event);
        ::core::result::Result::Ok(())
    }}
}
