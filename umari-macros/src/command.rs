//! `#[export_command]`.

use proc_macro2::TokenStream;
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream};
use syn::spanned::Spanned;
use syn::{Error, FnArg, Ident, ItemFn, LitStr, Result, ReturnType, Token, Type};

use crate::errors::Errors;
use crate::names;

mod world;

pub(crate) fn expand(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let function = match syn::parse2::<ItemFn>(item.clone()) {
        Ok(function) => function,
        Err(error) => {
            let error = Error::new(error.span(), "`#[export_command]` exports a function");
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
        input.parse::<Token![=]>()?;
        let name = input.parse()?;
        input.parse::<Option<Token![,]>>()?;
        if !input.is_empty() {
            return Err(input.error(expected));
        }
        Ok(Self { name: Some(name) })
    }
}

fn read<'a>(arguments: TokenStream, function: &'a ItemFn) -> Result<Command<'a>> {
    let mut errors = Errors::default();
    let name = match syn::parse2::<Arguments>(arguments) {
        Ok(arguments) => named(arguments.name.as_ref(), &function.sig.ident, &mut errors),
        Err(error) => {
            errors.push(error);
            String::new()
        }
    };
    let types = signature(function, &mut errors);
    errors.finish()?;
    // Without errors there are both.
    let Some((input, context)) = types else {
        return Err(shape(&function.sig));
    };
    Ok(Command {
        name,
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

fn shape(tokens: impl ToTokens) -> Error {
    Error::new_spanned(
        tokens,
        "a command is `fn(input: Input, context: CommandContext) -> anyhow::Result<ExecuteOutput>`",
    )
}

fn signature<'a>(function: &'a ItemFn, errors: &mut Errors) -> Option<(&'a Type, &'a Type)> {
    let sig = &function.sig;
    if let Some(token) = &sig.asyncness {
        errors.at(
            token,
            "a command is not async: every call to its host returns when it is done",
        );
    }
    if let Some(token) = &sig.unsafety {
        errors.at(token, "a command is safe to call");
    }
    if !sig.generics.params.is_empty() {
        errors.at(
            &sig.generics,
            "an exported command has one type of input, so it is not generic",
        );
    }
    if matches!(sig.output, ReturnType::Default) {
        errors.push(shape(&sig.ident));
    }
    let mut inputs = sig.inputs.iter().map(|argument| match argument {
        FnArg::Typed(argument) => Some(&*argument.ty),
        FnArg::Receiver(_) => None,
    });
    if let (Some(Some(input)), Some(Some(context)), None) =
        (inputs.next(), inputs.next(), inputs.next())
    {
        return Some((input, context));
    }
    if sig.inputs.is_empty() {
        errors.push(shape(&sig.ident));
    } else {
        errors.push(shape(&sig.inputs));
    }
    None
}

fn write(command: &Command<'_>, function: &ItemFn) -> TokenStream {
    let Command {
        name,
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
    // At the type, so that a second argument which is no context is pointed at.
    let enter = quote_spanned! {context.span()=>
        ::umari::__private::enter_command(context, #name)
    };
    let call = call(ident, output);
    let export = world::export(name, ident, input, &call);
    quote! {
        #(#attrs)*
        #vis #constness fn #ident(input: #input, context: #context) #output {
            #inner #block
            #inner_ident(input, #enter)
        }

        // What the WASM build exports, so that a native build says what is wrong with it.
        #[cfg(not(target_family = "wasm"))]
        #[allow(deprecated, unused, clippy::all, clippy::pedantic)]
        const _: () = {
            fn decodes<I: ::umari::__private::CommandInput>() {}
            let _ = decodes::<#input>;
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

/// Calls the function with `input` and `context`, and turns its error into an `anyhow::Error`.
fn call(function: &Ident, output: &ReturnType) -> TokenStream {
    let span = match output {
        ReturnType::Default => function.span(),
        ReturnType::Type(_, ty) => ty.span(),
    };
    quote_spanned! {span=> {
        use ::umari::__private::{ClassifiedError as _, MuteError as _, TextError as _};
        ::umari::__private::CommandReturn::into_result(#function(input, context))
            .map_err(|error| (&&&::umari::__private::ErrorProbe::of(&error)).kind().convert(error))
    }}
}
