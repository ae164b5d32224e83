//! Reading attributes, without judging what they say.

use proc_macro2::Span;
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{
    Attribute, Error, ExprPath, Ident, LitInt, LitStr, Meta, Path, Result, Token, Type, bracketed,
};

use crate::errors::Errors;

/// Every attribute that one item, field or variant may have.
#[derive(Default)]
pub(crate) struct Attrs<'a> {
    pub(crate) event_type: Option<(&'a Attribute, EventType)>,
    pub(crate) upcasts: Vec<Upcast>,
    pub(crate) domain_id: Option<(&'a Attribute, Option<LitStr>)>,
    pub(crate) crypto_scope: Option<&'a Attribute>,
    pub(crate) from_domain_id: Option<&'a Attribute>,
    pub(crate) scope: Option<(&'a Attribute, Vec<ScopeEntry>)>,
}

/// `#[event_type("name", version = 2, aliases = ["old.name"])]`.
#[derive(Default)]
pub(crate) struct EventType {
    pub(crate) name: Option<LitStr>,
    pub(crate) version: Option<LitInt>,
    pub(crate) aliases: Vec<LitStr>,
}

/// `#[upcast(version = 1, from = PlanCreatedV1)]`.
pub(crate) struct Upcast {
    pub(crate) version: LitInt,
    pub(crate) step: Step,
}

/// How data of one version becomes data of the next.
pub(crate) enum Step {
    /// `from = Type`: it has the shape of a struct, which converts by `From`.
    From(Box<Type>),
    /// `with = function`.
    With(ExprPath),
}

/// One of the names in `#[scope(shop_id, topic = "orders/paid")]`.
pub(crate) struct ScopeEntry {
    pub(crate) name: String,
    pub(crate) span: Span,
    pub(crate) value: Option<LitStr>,
}

impl<'a> Attrs<'a> {
    pub(crate) fn read(attributes: &'a [Attribute], errors: &mut Errors) -> Self {
        let mut attrs = Self::default();
        for attribute in attributes {
            if let Some(error) = attrs.add(attribute).err() {
                errors.push(error);
            }
        }
        attrs
    }

    fn add(&mut self, attribute: &'a Attribute) -> Result<()> {
        let path = attribute.path();
        if path.is_ident("event_type") {
            list(attribute, "`#[event_type(\"shop.connected\")]`")?;
            let event_type = attribute.parse_args()?;
            set(&mut self.event_type, attribute, (attribute, event_type))
        } else if path.is_ident("upcast") {
            list(attribute, "`#[upcast(version = 1, from = PlanCreatedV1)]`")?;
            self.upcasts.push(attribute.parse_args()?);
            Ok(())
        } else if path.is_ident("domain_id") {
            set(
                &mut self.domain_id,
                attribute,
                (attribute, domain_id(attribute)?),
            )
        } else if path.is_ident("crypto_scope") {
            if !matches!(attribute.meta, Meta::Path(_)) {
                return Err(Error::new_spanned(
                    &attribute.meta,
                    "write `#[crypto_scope]` alone: the scope is the domain id of its field",
                ));
            }
            set(&mut self.crypto_scope, attribute, attribute)
        } else if path.is_ident("from_domain_id") {
            from_domain_id(attribute)?;
            set(&mut self.from_domain_id, attribute, attribute)
        } else if path.is_ident("scope") {
            list(attribute, "`#[scope(shop_id)]`")?;
            let entries = Punctuated::<ScopeEntry, Token![,]>::parse_terminated;
            let entries = attribute.parse_args_with(entries)?.into_iter().collect();
            set(&mut self.scope, attribute, (attribute, entries))
        } else {
            Ok(())
        }
    }
}

fn set<T>(place: &mut Option<T>, attribute: &Attribute, value: T) -> Result<()> {
    if place.is_some() {
        let name = attribute.path().to_token_stream();
        return Err(Error::new_spanned(
            attribute,
            format!("there is a `#[{name}]` already: write it once"),
        ));
    }
    *place = Some(value);
    Ok(())
}

/// Refuses what does not have the form of `example`.
fn list(attribute: &Attribute, example: &str) -> Result<()> {
    if matches!(attribute.meta, Meta::List(_)) {
        return Ok(());
    }
    Err(Error::new_spanned(
        &attribute.meta,
        format!("what it says is written in parentheses, as in {example}"),
    ))
}

fn domain_id(attribute: &Attribute) -> Result<Option<LitStr>> {
    match &attribute.meta {
        Meta::Path(_) => Ok(None),
        Meta::List(list) => list.parse_args().map(Some).map_err(|error| {
            Error::new(
                error.span(),
                "expected the domain id's name, as in `#[domain_id(\"plan_id\")]`",
            )
        }),
        Meta::NameValue(_) => Err(Error::new_spanned(
            &attribute.meta,
            "a domain id is named in parentheses, as in `#[domain_id(\"plan_id\")]`",
        )),
    }
}

fn from_domain_id(attribute: &Attribute) -> Result<()> {
    let known = attribute
        .parse_args::<Path>()
        .is_ok_and(|path| path.is_ident("default"));
    if known {
        return Ok(());
    }
    Err(Error::new_spanned(
        &attribute.meta,
        "the only form is `#[from_domain_id(default)]`",
    ))
}

impl Parse for EventType {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let mut event_type = Self::default();
        if input.is_empty() {
            return Err(input.error(
                "expected the event type's name, as in `#[event_type(\"shop.connected\")]`",
            ));
        }
        if input.peek(LitStr) {
            event_type.name = Some(input.parse()?);
            comma(input)?;
        }
        while !input.is_empty() {
            let expected = "expected the event type's name in quotes, then `version = 2`, \
                            `aliases = [\"old.name\"]` or nothing";
            let key = key(input, expected)?;
            if key == "version" && event_type.version.is_none() {
                event_type.version = Some(value(input, VERSION)?);
            } else if key == "aliases" && event_type.aliases.is_empty() {
                event_type.aliases = aliases(input)?;
            } else {
                return Err(Error::new(key.span(), expected));
            }
            comma(input)?;
        }
        Ok(event_type)
    }
}

impl Parse for Upcast {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let expected = "expected an earlier version and how its data is read: \
                        `version = 1, from = PlanCreatedV1` or `version = 1, with = function`";
        let begin = input.span();
        let (mut version, mut step) = (None, None);
        while !input.is_empty() {
            let key = key(input, expected)?;
            if key == "version" && version.is_none() {
                version = Some(value(input, VERSION)?);
            } else if key == "from" && step.is_none() {
                let ty = value(
                    input,
                    "expected the struct of the earlier shape, as in `from = PlanCreatedV1`",
                )?;
                step = Some(Step::From(Box::new(ty)));
            } else if key == "with" && step.is_none() {
                step = Some(Step::With(value(
                    input,
                    "expected the name of a function, as in `with = split`",
                )?));
            } else {
                return Err(Error::new(key.span(), expected));
            }
            comma(input)?;
        }
        match (version, step) {
            (Some(version), Some(step)) => Ok(Self { version, step }),
            _ => Err(Error::new(begin, expected)),
        }
    }
}

/// What a version looks like.
pub(crate) const VERSION: &str =
    "a version is a whole number from 1 to 4294967295, as in `version = 2`";

fn value<T: Parse>(input: ParseStream<'_>, expected: &str) -> Result<T> {
    let begin = input.span();
    input.parse().map_err(|_| Error::new(begin, expected))
}

fn aliases(input: ParseStream<'_>) -> Result<Vec<LitStr>> {
    let begin = input.span();
    let read = || {
        let names;
        bracketed!(names in input);
        let names = Punctuated::<LitStr, Token![,]>::parse_terminated(&names)?;
        Ok(names.into_iter().collect())
    };
    read().map_err(|_: Error| {
        Error::new(
            begin,
            "the old names are a list of texts, as in `aliases = [\"shop.added\"]`",
        )
    })
}

/// The name before a `=`, which is read too.
fn key(input: ParseStream<'_>, expected: &str) -> Result<Ident> {
    let key = input
        .call(Ident::parse_any)
        .map_err(|error| Error::new(error.span(), expected))?;
    if input.parse::<Option<Token![=]>>()?.is_none() {
        return Err(Error::new(key.span(), expected));
    }
    Ok(key)
}

/// The comma before the next entry, or the end.
fn comma(input: ParseStream<'_>) -> Result<()> {
    if !input.is_empty() {
        let begin = input.span();
        let comma = input.parse::<Token![,]>();
        comma.map_err(|_| Error::new(begin, "expected a comma, or the end"))?;
    }
    Ok(())
}

impl Parse for ScopeEntry {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let (name, span) = if input.peek(LitStr) {
            let name: LitStr = input.parse()?;
            (name.value(), name.span())
        } else {
            let name = input.call(Ident::parse_any).map_err(|error| {
                Error::new(
                    error.span(),
                    "expected domain ids, as in `#[scope(shop_id)]` or `#[scope(topic = \"orders/paid\")]`",
                )
            })?;
            (name.unraw().to_string(), name.span())
        };
        let value = match input.parse::<Option<Token![=]>>()? {
            Some(_) => Some(input.parse().map_err(|error: Error| {
                Error::new(
                    error.span(),
                    "a fixed value is written in quotes, as it stands in the tag",
                )
            })?),
            None => None,
        };
        Ok(Self { name, span, value })
    }
}
