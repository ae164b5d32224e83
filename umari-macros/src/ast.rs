//! The model of what a derive stands on.

use syn::{Data, DeriveInput, Fields, Generics, Ident, Type};

use crate::attr::Attrs;
use crate::errors::Errors;

/// A struct with named fields, or without any.
pub(crate) struct Struct<'a> {
    pub(crate) ident: &'a Ident,
    pub(crate) generics: &'a Generics,
    pub(crate) attrs: Attrs<'a>,
    pub(crate) fields: Vec<Field<'a>>,
    /// `struct X;`
    pub(crate) unit: bool,
}

/// A named field.
pub(crate) struct Field<'a> {
    pub(crate) ident: &'a Ident,
    pub(crate) ty: &'a Type,
    pub(crate) attrs: Attrs<'a>,
}

/// An enum with one event type in each variant.
pub(crate) struct Set<'a> {
    pub(crate) ident: &'a Ident,
    pub(crate) generics: &'a Generics,
    pub(crate) variants: Vec<Variant<'a>>,
}

/// A variant around one event.
pub(crate) struct Variant<'a> {
    pub(crate) ident: &'a Ident,
    pub(crate) event: &'a Type,
    pub(crate) attrs: Attrs<'a>,
}

impl<'a> Struct<'a> {
    /// The struct, unless `node` is none. Several derives on one type say the same here, and the
    /// compiler shows equal errors once.
    pub(crate) fn read(node: &'a DeriveInput, errors: &mut Errors) -> Option<Self> {
        let attrs = Attrs::read(&node.attrs, errors);
        let data = match &node.data {
            Data::Struct(data) => data,
            Data::Enum(data) => {
                errors.at(
                    data.enum_token,
                    format!(
                        "`{}` is an enum; events, inputs and folds are structs: \
                         write `struct {0} {{ .. }}`, for events one for each variant",
                        node.ident
                    ),
                );
                return None;
            }
            Data::Union(data) => {
                errors.at(
                    data.union_token,
                    format!(
                        "`{}` is a union; events, inputs and folds are structs: write `struct {0} {{ .. }}`",
                        node.ident
                    ),
                );
                return None;
            }
        };
        let fields = match &data.fields {
            Fields::Named(fields) => fields
                .named
                .iter()
                .filter_map(|field| {
                    Some(Field {
                        ident: field.ident.as_ref()?,
                        ty: &field.ty,
                        attrs: Attrs::read(&field.attrs, errors),
                    })
                })
                .collect(),
            Fields::Unit => Vec::new(),
            Fields::Unnamed(fields) => {
                errors.at(
                    fields,
                    format!(
                        "the fields of `{}` have no names, after which domain ids are called: \
                         write `struct {0} {{ name: .. }}`",
                        node.ident
                    ),
                );
                return None;
            }
        };
        let unit = matches!(data.fields, Fields::Unit);
        Some(Self {
            ident: &node.ident,
            generics: &node.generics,
            attrs,
            fields,
            unit,
        })
    }
}

impl<'a> Set<'a> {
    /// The enum, unless `node` is none.
    pub(crate) fn read(node: &'a DeriveInput, errors: &mut Errors) -> Option<Self> {
        let data = match &node.data {
            Data::Enum(data) => data,
            Data::Struct(data) => {
                errors.at(
                    data.struct_token,
                    format!(
                        "`{}` is a struct; an event set is an enum with one variant for each event type, \
                         and a single type is read with `SingleEvent<..>`",
                        node.ident
                    ),
                );
                return None;
            }
            Data::Union(data) => {
                errors.at(
                    data.union_token,
                    format!(
                        "`{}` is a union; an event set is an enum with one variant for each event type",
                        node.ident
                    ),
                );
                return None;
            }
        };
        let mut variants = Vec::new();
        for variant in &data.variants {
            let attrs = Attrs::read(&variant.attrs, errors);
            match &variant.fields {
                Fields::Unnamed(fields) if fields.unnamed.len() == 1 => variants.push(Variant {
                    ident: &variant.ident,
                    event: &fields.unnamed[0].ty,
                    attrs,
                }),
                _ => errors.at(
                    variant,
                    format!(
                        "a variant holds one event and nothing else: write `{0}({0})`",
                        variant.ident
                    ),
                ),
            }
        }
        Some(Self {
            ident: &node.ident,
            generics: &node.generics,
            variants,
        })
    }
}
