//! Questions about the model.

use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Ident, LitInt, LitStr};

use crate::ast::{Field, Set, Struct, Variant};
use crate::attr::Upcast;

impl Struct<'_> {
    /// The name that the event is stored under.
    pub(crate) fn event_type(&self) -> String {
        self.attrs
            .event_type
            .as_ref()
            .and_then(|(_, event_type)| event_type.name.as_ref())
            .map_or_else(|| self.ident.unraw().to_string(), LitStr::value)
    }

    /// The version of its shape.
    pub(crate) fn version(&self) -> Option<&LitInt> {
        let (_, event_type) = self.attrs.event_type.as_ref()?;
        event_type.version.as_ref()
    }

    /// The names that it was stored under in the past.
    pub(crate) fn aliases(&self) -> &[LitStr] {
        self.attrs
            .event_type
            .as_ref()
            .map_or(&[], |(_, event_type)| &event_type.aliases)
    }

    /// The upcasts, with their versions, from the first on.
    pub(crate) fn upcasts(&self) -> Vec<(u32, &Upcast)> {
        let upcasts = self.attrs.upcasts.iter();
        // What is no number is reported by `valid`.
        let mut upcasts: Vec<_> = upcasts
            .filter_map(|upcast| Some((upcast.version.base10_parse().ok()?, upcast)))
            .collect();
        upcasts.sort_by_key(|(version, _)| *version);
        upcasts
    }

    pub(crate) fn domain_ids(&self) -> impl Iterator<Item = &Field<'_>> {
        self.fields.iter().filter(|field| field.is_domain_id())
    }

    /// The field whose domain id names the data key.
    pub(crate) fn crypto_scope(&self) -> Option<&Field<'_>> {
        self.fields
            .iter()
            .find(|field| field.attrs.crypto_scope.is_some())
    }

    /// The fields that neither a domain id nor a default fills.
    pub(crate) fn arguments(&self) -> impl Iterator<Item = &Field<'_>> {
        self.fields
            .iter()
            .filter(|field| !field.is_domain_id() && field.attrs.from_domain_id.is_none())
    }
}

impl Field<'_> {
    /// The field's name with the place of its type, for messages about the type.
    pub(crate) fn located_at_type(&self) -> Ident {
        let mut name = self.ident.clone();
        name.set_span(name.span().located_at(self.ty.span()));
        name
    }

    pub(crate) fn is_domain_id(&self) -> bool {
        self.attrs.domain_id.is_some()
    }

    /// The name in the tag.
    pub(crate) fn tag_name(&self) -> String {
        match &self.attrs.domain_id {
            Some((_, Some(name))) => name.value(),
            _ => self.ident.unraw().to_string(),
        }
    }
}

impl Set<'_> {
    /// Whether a scope names a domain id without giving its value.
    pub(crate) fn needs_bindings(&self) -> bool {
        self.variants
            .iter()
            .any(|variant| variant.dynamic_fields().next().is_some())
    }
}

impl Variant<'_> {
    pub(crate) fn dynamic_fields(&self) -> impl Iterator<Item = &str> {
        self.attrs
            .scope
            .iter()
            .flat_map(|(_, entries)| entries)
            .filter(|entry| entry.value.is_none())
            .map(|entry| entry.name.as_str())
    }

    pub(crate) fn static_fields(&self) -> impl Iterator<Item = (&str, &LitStr)> {
        self.attrs
            .scope
            .iter()
            .flat_map(|(_, entries)| entries)
            .filter_map(|entry| Some((entry.name.as_str(), entry.value.as_ref()?)))
    }
}
