use proc_macro2::TokenStream;
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{DeriveInput, Result, Type};

use crate::ast::{Set, Variant};
use crate::errors::Errors;
use crate::expand::quiet;
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
    let quiet = quiet(node.generics);
    let needs_bindings = node.needs_bindings();
    let types = node.variants.iter().map(|variant| {
        let event = variant.event;
        let held = held(event);
        quote_spanned!(event.span()=> #held.event_type())
    });
    let domain_ids = node.variants.iter().map(event_domain_id);
    let from_event = node.variants.iter().map(|variant| {
        let (ident, event) = (variant.ident, variant.event);
        let held = held(event);
        quote_spanned! {event.span()=>
            if let ::core::option::Option::Some(read) = #held.read(event_type, data) {
                return ::core::option::Option::map(
                    read,
                    |read| ::core::result::Result::map(read, Self::#ident),
                );
            }
        }
    });
    let decode = node.variants.iter().map(|variant| {
        let (ident, event) = (variant.ident, variant.event);
        let held = held(event);
        quote_spanned! {event.span()=>
            #held.decode(payload, &mut |event| found(Self::#ident(event)))?;
        }
    });
    let checks = if node.generics.params.is_empty() {
        checks(node)
    } else {
        TokenStream::new()
    };
    quote! {
        #[automatically_derived]
        #quiet
        #[allow(deprecated, clippy::all, clippy::pedantic, clippy::nursery)]
        impl #impl_generics ::umari::event::EventSet for #ident #ty_generics #where_clause {
            type Item = Self;

            const NEEDS_BINDINGS: ::core::primitive::bool = #needs_bindings;

            fn event_types() -> ::std::vec::Vec<&'static ::core::primitive::str> {
                use ::umari::__private::{KnownEvent as _, UnknownEvent as _};
                ::std::vec![#(#types),*]
            }

            fn event_domain_ids() -> ::std::vec::Vec<::umari::event::EventDomainId> {
                Self::selected_by().into_owned()
            }

            fn selected_by() -> ::std::borrow::Cow<'static, [::umari::event::EventDomainId]> {
                ::std::borrow::Cow::Borrowed(const { &[#(#domain_ids),*] })
            }

            fn from_event(
                event_type: &::core::primitive::str,
                data: &::umari::__private::Value,
            ) -> ::core::option::Option<
                ::core::result::Result<Self, ::umari::event::SerializationError>,
            > {
                use ::umari::__private::{KnownEvent as _, UnknownEvent as _};
                #(#from_event)*
                ::core::option::Option::None
            }

            fn decode(
                payload: &::umari::event::Payload<'_>,
                found: &mut dyn ::core::ops::FnMut(Self),
            ) -> ::core::result::Result<(), ::umari::event::SerializationError> {
                use ::umari::__private::{KnownEvent as _, UnknownEvent as _};
                #(#decode)*
                ::core::result::Result::Ok(())
            }
        }

        #checks
    }
}

/// A type as people write it.
fn written(ty: &Type) -> String {
    let spaced = ty.to_token_stream().to_string();
    [(" :: ", "::"), (" < ", "<"), (" >", ">"), (" ,", ",")]
        .iter()
        .fold(spaced, |text, (from, to)| text.replace(from, to))
}

/// Answers for the event of a variant, and for what is none too.
fn held(event: &Type) -> TokenStream {
    quote_spanned!(event.span()=> (&::umari::__private::Held::<#event>::new()))
}

/// The one place that needs an event, and reports what is none.
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
                written(event),
            );
            checks.extend(quote_spanned! {entry.span=>
                const _: () = ::core::assert!(
                    !::umari::__private::lacks(
                        ::umari::__private::EventFacts::<#event>::DOMAIN_ID_FIELDS,
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
                    !::umari::__private::share_type(
                        ::umari::__private::EventFacts::<#event>::EVENT_TYPE,
                        ::umari::__private::EventFacts::<#other>::EVENT_TYPE,
                    ),
                    #message
                );
            });
        }
    }
    if checks.is_empty() {
        return checks;
    }
    quote! {
        #[allow(deprecated, unused_imports, clippy::all, clippy::pedantic, clippy::nursery)]
        const _: () = {
            use ::umari::__private::NoEventFacts as _;
            #checks
        };
    }
}
