//! The component that carries a command: its world, its export, its record.
//!
//! Only the WASM build has it. The export is an instance named after the command, so that any
//! number of commands link into one component.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::ext::IdentExt;
use syn::{Ident, Type};

const COMMON: &str = include_str!("../../wit/common/common.wit");
const COMMAND: &str = include_str!("../../wit/command/command.wit");

/// `call` calls the function with `input` and `context`.
pub(crate) fn export(
    name: &str,
    function: &Ident,
    input: &Type,
    call: &TokenStream,
) -> TokenStream {
    let module = format_ident!("__umari_export_{}", function.unraw());
    let instance = instance(name);
    let world = world(name);
    // What `umari build` calls the schema that it has asked the module for.
    let known_schema = format!("UMARI_SCHEMA_{name}");
    quote! {
        #[cfg(target_family = "wasm")]
        #[doc(hidden)]
        #[allow(unsafe_code, unused, missing_docs, unreachable_pub, clippy::all, clippy::pedantic)]
        mod #module {
            ::umari::__private::wit_bindgen::generate!({
                inline: #world,
                path: [],
                runtime_path: "::umari::__private::wit_bindgen::rt",
                with: {
                    "umari:common/types@0.1.0": ::umari::__private::wit::common,
                    "umari:command/types@0.1.0": ::umari::__private::wit::command,
                },
            });

            pub struct Component;
            export!(Component);

            #[used]
            #[unsafe(link_section = "umari.module")]
            static RECORD: [u8; ::umari::__private::Record::command(#name).len()] =
                ::umari::__private::Record::command(#name).bytes();
        }

        #[cfg(target_family = "wasm")]
        #[allow(unsafe_code, unused, clippy::all, clippy::pedantic)]
        const _: () = {
            impl #module::exports::#instance::Guest for #module::Component {
                fn schema() -> ::core::option::Option<::std::string::String> {
                    use ::umari::__private::{KnownSchema as _, UnknownSchema as _};
                    match ::core::option_env!(#known_schema) {
                        ::core::option::Option::Some("") => ::core::option::Option::None,
                        ::core::option::Option::Some(schema) => {
                            ::core::option::Option::Some(::std::string::String::from(schema))
                        }
                        ::core::option::Option::None => {
                            (&::umari::__private::SchemaOf::<#input>::new()).schema()
                        }
                    }
                }

                fn execute(
                    input: ::std::string::String,
                    context: ::umari::__private::wit::command::Context,
                ) -> ::core::result::Result<
                    ::umari::__private::wit::command::ExecuteOutput,
                    ::umari::__private::wit::command::ExecuteError,
                > {
                    ::umari::__private::execute(&input, context, |input: #input, context| #call)
                }
            }
        };
    }
}

/// The module that `wit-bindgen` writes for the instance. It appends `_` to Rust's keywords.
fn instance(name: &str) -> Ident {
    let name = name.replace('-', "_");
    syn::parse_str(&name).unwrap_or_else(|_| format_ident!("{name}_"))
}

/// A world that exports one command, with the packages that it needs written into it.
///
/// It is named after the command, as the linker joins sections of one name.
pub(crate) fn world(name: &str) -> String {
    format!(
        "package umari-module:commands;\n\
         world %{name} {{\n\
         export %{name}: interface {{\n\
         use umari:command/types@{version}.{{context, execute-error, execute-output}};\n\
         schema: func() -> option<string>;\n\
         execute: func(input: string, context: context) -> result<execute-output, execute-error>;\n\
         }}\n\
         }}\n\
         {common}{command}",
        version = version(COMMAND),
        common = nested(COMMON),
        command = nested(COMMAND),
    )
}

/// The header of a package: `package umari:common@0.1.0;`.
fn header(text: &str) -> &str {
    text.lines()
        .find(|line| line.starts_with("package "))
        .unwrap_or_default()
}

fn version(text: &str) -> &str {
    header(text)
        .trim_end_matches(';')
        .rsplit('@')
        .next()
        .unwrap_or_default()
}

/// A file's package in the form that can stand inside another file.
fn nested(text: &str) -> String {
    let header = header(text);
    let body = text
        .lines()
        .filter(|line| *line != header && !line.trim_start().starts_with("//"));
    let body: Vec<_> = body.filter(|line| !line.trim().is_empty()).collect();
    format!(
        "{} {{\n{}\n}}\n",
        header.trim_end_matches(';'),
        body.join("\n")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_world_exports_one_instance_and_carries_its_packages() {
        let world = world("connect-shop");
        assert!(world.contains("world %connect-shop {\nexport %connect-shop: interface {"));
        assert!(world.contains("package umari:common@0.1.0 {\ninterface types {"));
        assert!(world.contains("package umari:command@0.1.0 {\ninterface types {"));
        assert_eq!(world.matches('{').count(), world.matches('}').count());
    }

    #[test]
    fn keywords_get_the_name_that_the_bindings_give_them() {
        assert_eq!(instance("connect-shop"), "connect_shop");
        assert_eq!(instance("type"), "type_");
    }

    /// In the repository the copies are those of `wit/`; a published crate has only the copies.
    #[test]
    fn the_copies_of_the_contract_have_not_drifted() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../wit");
        for (path, copy) in [
            ("common/common.wit", COMMON),
            ("command/command.wit", COMMAND),
        ] {
            if let Ok(original) = std::fs::read_to_string(root.join(path)) {
                assert_eq!(original, copy, "copy wit/{path} into umari-macros/wit");
            }
        }
    }
}
