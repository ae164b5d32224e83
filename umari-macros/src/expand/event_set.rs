use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{DeriveInput, Result};

use crate::ast::{Set, Variant};
use crate::errors::Errors;
use crate::valid;

pub(crate) fn expand(node: &DeriveInput) -> Result<TokenStream> {
    let mut errors = Errors::default();
    let node = Set::read(node, &mut errors);
    if let Some(node) = &node
        && errors.is_empty()
    {
        valid::event_set(node, &mut errors);
    }
    errors.finish()?;
    Ok(node.map(|node| implement(&node)).unwrap_or_default())
}

fn implement(node: &Set<'_>) -> TokenStream {
    let ident = node.ident;
    let (impl_generics, ty_generics, where_clause) = node.generics.split_for_impl();
    let needs_bindings = node.needs_bindings();
    let types = node.variants.iter().map(|variant| {
        let event = variant.event;
        quote_spanned!(event.span()=> <#event as ::umari::event::Event>::EVENT_TYPE)
    });
    let domain_ids = node.variants.iter().map(event_domain_id);
    let from_event = node.variants.iter().map(|variant| {
        let (ident, event) = (variant.ident, variant.event);
        quote_spanned! {event.span()=>
            if ::umari::event::is_named::<#event>(event_type) {
                return ::core::option::Option::map(
                    ::umari::event::decode_data::<#event>(data),
                    |read| ::core::result::Result::map(read, Self::#ident),
                );
            }
        }
    });
    let decode = node.variants.iter().map(|variant| {
        let (ident, event) = (variant.ident, variant.event);
        quote_spanned! {event.span()=>
            payload.decode_as::<#event>(&mut |event| found(Self::#ident(event)))?;
        }
    });
    let checks = if node.generics.params.is_empty() {
        checks(node)
    } else {
        TokenStream::new()
    };
    quote! {
        #[automatically_derived]
        #[allow(deprecated, clippy::all, clippy::pedantic, clippy::nursery)]
        impl #impl_generics ::umari::event::EventSet for #ident #ty_generics #where_clause {
            type Item = Self;

            const NEEDS_BINDINGS: ::core::primitive::bool = #needs_bindings;

            fn event_types() -> ::std::vec::Vec<&'static ::core::primitive::str> {
                ::std::vec![#(#types),*]
            }

            fn event_domain_ids() -> ::std::vec::Vec<::umari::event::EventDomainId> {
                ::std::vec![#(#domain_ids),*]
            }

            fn from_event(
                event_type: &::core::primitive::str,
                data: &::umari::__private::Value,
            ) -> ::core::option::Option<
                ::core::result::Result<Self, ::umari::event::SerializationError>,
            > {
                #(#from_event)*
                ::core::option::Option::None
            }

            fn decode(
                payload: &::umari::event::Payload<'_>,
                found: &mut dyn ::core::ops::FnMut(Self),
            ) -> ::core::result::Result<(), ::umari::event::SerializationError> {
                #(#decode)*
                ::core::result::Result::Ok(())
            }
        }

        #checks
    }
}

fn event_domain_id(variant: &Variant<'_>) -> TokenStream {
    let event = variant.event;
    if variant.attrs.scope.is_none() {
        return quote_spanned!(event.span()=> ::umari::event::EventDomainId::unscoped::<#event>());
    }
    let dynamic = variant.dynamic_fields();
    let (names, values): (Vec<_>, Vec<_>) = variant.static_fields().unzip();
    quote_spanned! {event.span()=>
        ::umari::event::EventDomainId::scoped::<#event>(&[#(#dynamic),*], &[#((#names, #values)),*])
    }
}

/// What only the compiler knows: which domain ids an event has, and what its type is called.
fn checks(node: &Set<'_>) -> TokenStream {
    let mut checks = TokenStream::new();
    for (place, variant) in node.variants.iter().enumerate() {
        let event = variant.event;
        for entry in variant.attrs.scope.iter().flat_map(|(_, entries)| entries) {
            let name = &entry.name;
            let message = format!(
                "`{}` has no domain id `{name}`: mark its field with `#[domain_id]`, or scope by another",
                quote!(#event),
            );
            checks.extend(quote_spanned! {entry.span=>
                const _: () = ::core::assert!(
                    ::umari::__private::contains(
                        <#event as ::umari::domain_id::DomainIds>::DOMAIN_ID_FIELDS,
                        #name,
                    ),
                    #message
                );
            });
        }
        for earlier in &node.variants[..place] {
            let (other, ident) = (earlier.event, earlier.ident);
            let message = format!("the variant `{ident}` already reads this event type");
            checks.extend(quote_spanned! {event.span()=>
                const _: () = ::core::assert!(
                    !::umari::__private::same(
                        <#event as ::umari::event::Event>::EVENT_TYPE,
                        <#other as ::umari::event::Event>::EVENT_TYPE,
                    ),
                    #message
                );
            });
        }
    }
    checks
}
