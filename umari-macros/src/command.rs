//! `#[export_command]`.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream};
use syn::spanned::Spanned;
use syn::{Error, FnArg, Ident, ItemFn, LitStr, Result, ReturnType, Signature, Token, Type};

use crate::errors::Errors;
use crate::names;

pub(crate) mod world;

pub(crate) fn expand(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let function = match syn::parse2::<ItemFn>(item.clone()) {
        Ok(function) => function,
        Err(error) => {
            let error = Error::new(error.span(), "`#[export_command]` stands on a function");
            let error = error.into_compile_error();
            return quote!(#error #item);
        }
    };
    match read(arguments, &function) {
        Ok(command) => write(&command, &function),
        // The function stays, so that its callers give no further errors.
        Err(error) => {
            let error = error.into_compile_error();
            quote!(#error #function)
        }
    }
}

struct Command<'a> {
    name: String,
    /// Where the name comes from.
    named: Span,
    input: &'a Type,
    context: &'a Type,
}

/// `name = "connect-shop"`, or nothing.
struct Arguments {
    name: Option<LitStr>,
}

impl Parse for Arguments {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        if input.is_empty() {
            return Ok(Self { name: None });
        }
        let expected = "the only argument is the command's name, as in `name = \"connect-shop\"`";
        let key = input
            .call(Ident::parse_any)
            .map_err(|error| Error::new(error.span(), expected))?;
        if key != "name" {
            return Err(Error::new(key.span(), expected));
        }
        let begin = input.span();
        let value = input.parse::<Token![=]>().and_then(|_| input.parse());
        let name = value.map_err(|_| Error::new(begin, expected))?;
        input.parse::<Option<Token![,]>>()?;
        if !input.is_empty() {
            return Err(input.error(expected));
        }
        Ok(Self { name: Some(name) })
    }
}

fn read<'a>(arguments: TokenStream, function: &'a ItemFn) -> Result<Command<'a>> {
    let mut errors = Errors::default();
    let (name, named) = match syn::parse2::<Arguments>(arguments) {
        Ok(Arguments { name }) => (
            named(name.as_ref(), &function.sig.ident, &mut errors),
            name.map_or_else(|| function.sig.ident.span(), |name| name.span()),
        ),
        Err(error) => {
            errors.push(error);
            (String::new(), Span::call_site())
        }
    };
    let types = signature(function, &mut errors);
    errors.finish()?;
    // Without errors there are both.
    let Some((input, context)) = types else {
        return Err(shape(&function.sig.ident, &function.sig));
    };
    Ok(Command {
        name,
        named,
        input,
        context,
    })
}

fn named(explicit: Option<&LitStr>, function: &Ident, errors: &mut Errors) -> String {
    if let Some(literal) = explicit {
        if let Some(wrong) = names::wrong_command(&literal.value()) {
            errors.at(literal, format!("{wrong}: {NAME_RULE}"));
        }
        return literal.value();
    }
    let own = function.unraw().to_string();
    let name = if own == "execute" {
        // Cargo sets it; a build without Cargo has only the function.
        std::env::var("CARGO_PKG_NAME").unwrap_or(own)
    } else {
        own
    };
    let name = name.trim_matches('_').replace('_', "-");
    if let Some(wrong) = names::wrong_command(&name) {
        errors.at(
            function,
            format!("{wrong}: {NAME_RULE}; say `#[export_command(name = \"..\")]`"),
        );
    }
    name
}

const NAME_RULE: &str = "a command's name is lowercase words joined by `-`, each beginning with a \
                         letter, as in `connect-shop`";

/// Reports a signature, with the one that it should be.
fn shape(tokens: impl ToTokens, sig: &Signature) -> Error {
    let input = sig.inputs.iter().find_map(|argument| match argument {
        FnArg::Typed(argument) if !is_context(&argument.ty) => plain_name(&argument.ty),
        _ => None,
    });
    Error::new_spanned(
        tokens,
        format!(
            "a command takes its input and a `CommandContext`: \
             `fn {}(input: {}, context: CommandContext) -> anyhow::Result<ExecuteOutput>`",
            sig.ident,
            input.map_or_else(|| "Input".to_owned(), ToString::to_string),
        ),
    )
}

fn plain_name(ty: &Type) -> Option<&Ident> {
    match ty {
        Type::Path(path) if path.qself.is_none() => path.path.get_ident(),
        _ => None,
    }
}

/// Whether a type is written as the context. An alias is recognised by the compiler alone.
fn is_context(ty: &Type) -> bool {
    match ty {
        Type::Path(path) if path.qself.is_none() => {
            let last = path.path.segments.last();
            last.is_some_and(|segment| segment.ident == "CommandContext")
        }
        _ => false,
    }
}

fn signature<'a>(function: &'a ItemFn, errors: &mut Errors) -> Option<(&'a Type, &'a Type)> {
    let sig = &function.sig;
    if let Some(token) = &sig.asyncness {
        errors.at(
            token,
            "a command is not async, and every call to its host returns when it is done: leave out `async`",
        );
    }
    if let Some(token) = &sig.unsafety {
        errors.at(token, "a command is safe to call: leave out `unsafe`");
    }
    if !sig.generics.params.is_empty() {
        errors.at(
            &sig.generics,
            "an exported command has one type of input, so it is not generic: name the type",
        );
    }
    if matches!(sig.output, ReturnType::Default) {
        errors.push(shape(&sig.ident, sig));
    }
    let receiver = sig
        .inputs
        .iter()
        .find(|argument| matches!(argument, FnArg::Receiver(_)));
    if let Some(receiver) = receiver {
        errors.at(
            receiver,
            format!(
                "a command is a function, not a method: write `fn {}` outside of the `impl`, without `self`",
                sig.ident
            ),
        );
        return None;
    }
    let mut inputs = sig.inputs.iter().map(|argument| match argument {
        FnArg::Typed(argument) => Some(&*argument.ty),
        FnArg::Receiver(_) => None,
    });
    if let (Some(Some(input)), Some(Some(context)), None) =
        (inputs.next(), inputs.next(), inputs.next())
        && (is_context(context) || !is_context(input))
    {
        return Some((input, context));
    }
    if matches!(sig.output, ReturnType::Default) {
        // The same message, which is there already.
    } else if sig.inputs.is_empty() {
        errors.push(shape(&sig.ident, sig));
    } else {
        errors.push(shape(&sig.inputs, sig));
    }
    None
}

fn write(command: &Command<'_>, function: &ItemFn) -> TokenStream {
    let Command {
        name,
        named,
        input,
        context,
    } = command;
    let ItemFn {
        attrs,
        vis,
        sig,
        block,
    } = function;
    let ident = &sig.ident;
    let mut inner = sig.clone();
    inner.ident = format_ident!("{}_command", ident.unraw(), span = ident.span());
    let inner_ident = &inner.ident;
    let output = &sig.output;
    let constness = &sig.constness;
    let enter = enter(name, ident, context);
    let read = quote_spanned! {input.span()=>
        <#input as ::umari::command::requirements::CommandInput>::READ
    };
    let unique = format_ident!(
        "a_crate_has_one_command_named_{}",
        name.replace('-', "_"),
        span = *named
    );
    let call = call(ident, output);
    let export = world::export(name, ident, input, &call);
    quote! {
        #(#attrs)*
        #vis #constness fn #ident(input: #input, context: #context) #output {
            #inner #block
            #inner_ident(input, #enter)
        }

        // A crate gives a name once. The modules of one test may stand for as many crates.
        #[cfg(all(test, not(target_family = "wasm")))]
        #[allow(dead_code, non_upper_case_globals)]
        const #unique: () = ();

        // Whatever module it is written in, the name is in the root of the crate.
        #[cfg(any(not(test), target_family = "wasm"))]
        #[doc(hidden)]
        #[allow(non_local_definitions)]
        #[macro_export]
        macro_rules! #unique {
            () => {};
        }

        // What the WASM build exports, so that a native build says what is wrong with it.
        #[cfg(not(target_family = "wasm"))]
        #[allow(deprecated, unused, clippy::all, clippy::pedantic)]
        const _: () = {
            let () = #read;
            let _: fn(
                #input,
                #context,
            ) -> ::core::result::Result<
                ::umari::command::ExecuteOutput,
                ::umari::__private::anyhow::Error,
            > = |input, context| #call;
        };

        #export
    }
}

/// Enters the command, by its name and the function's path. It points at the type, so that a second
/// argument which is no context is pointed at.
fn enter(name: &str, function: &Ident, context: &Type) -> TokenStream {
    let function = function.unraw().to_string();
    quote_spanned! {context.span()=>
        ::umari::command::requirements::SecondArgument::enter(
            context,
            #name,
            ::core::concat!(::core::module_path!(), "::", #function),
        )
    }
}

/// Calls the function with `input` and `context`, and turns its error into an `anyhow::Error`.
fn call(function: &Ident, output: &ReturnType) -> TokenStream {
    let span = match output {
        ReturnType::Default => function.span(),
        ReturnType::Type(_, ty) => ty.span(),
    };
    quote_spanned! {span=> {
        use ::umari::command::requirements::{ClassifiedError as _, MuteError as _, TextError as _};
        let returned = #function(input, context);
        ::umari::command::requirements::CommandReturn::into_result(returned)
            .map_err(|error| {
                (&&&::umari::command::requirements::ErrorProbe::of(&error)).kind().convert(error)
            })
    }}
}
