/// Connects a shop.
pub fn execute(input: Input, context: CommandContext) -> anyhow::Result<ExecuteOutput> {
    fn execute_command(
        mut input: Input,
        context: CommandContext,
    ) -> anyhow::Result<ExecuteOutput> {
        input.calls += 1;
        Command::new(input, context).execute(|_, ()| Ok(emit![]))
    }
    execute_command(
        input,
        ::umari::command::requirements::SecondArgument::enter(
            context,
            "connect-shop",
            ::core::concat!(::core::module_path!(), "::", "execute"),
        ),
    )
}
#[cfg(all(test, not(target_family = "wasm")))]
#[allow(dead_code, non_upper_case_globals)]
const a_crate_has_one_command_named_connect_shop: () = ();
#[cfg(any(not(test), target_family = "wasm"))]
#[doc(hidden)]
#[allow(non_local_definitions)]
#[macro_export]
macro_rules! a_crate_has_one_command_named_connect_shop {
    () => {};
}
#[cfg(not(target_family = "wasm"))]
#[allow(deprecated, unused, clippy::all, clippy::pedantic)]
const _: () = {
    let () = <Input as ::umari::command::requirements::CommandInput>::READ;
    let _: fn(
        Input,
        CommandContext,
    ) -> ::core::result::Result<
        ::umari::command::ExecuteOutput,
        ::umari::__private::anyhow::Error,
    > = |input, context| {
        use ::umari::command::requirements::{
            ClassifiedError as _, MuteError as _, TextError as _,
        };
        let returned = execute(input, context);
        ::umari::command::requirements::CommandReturn::into_result(returned)
            .map_err(|error| {
                (&&&::umari::command::requirements::ErrorProbe::of(&error))
                    .kind()
                    .convert(error)
            })
    };
};
#[cfg(target_family = "wasm")]
#[doc(hidden)]
#[allow(
    unsafe_code,
    unused,
    missing_docs,
    unreachable_pub,
    clippy::all,
    clippy::pedantic
)]
mod __umari_export_execute {
    ::umari::__private::wit_bindgen::generate!(
        { inline :
        "package umari-module:commands; ..",
        path : [], runtime_path : "::umari::__private::wit_bindgen::rt", with : {
        "umari:common/types@0.1.0" : ::umari::__private::wit::common,
        "umari:command/types@0.1.0" : ::umari::__private::wit::command, }, }
    );
    pub struct Component;
    export!(Component);
    #[used]
    #[unsafe(link_section = "umari.module")]
    static RECORD: [u8; ::umari::__private::Record::command("connect-shop").len()] = ::umari::__private::Record::command(
            "connect-shop",
        )
        .bytes();
}
#[cfg(target_family = "wasm")]
#[allow(unsafe_code, unused, clippy::all, clippy::pedantic)]
const _: () = {
    impl __umari_export_execute::exports::connect_shop::Guest
    for __umari_export_execute::Component {
        fn schema() -> ::core::option::Option<::std::string::String> {
            use ::umari::__private::{KnownSchema as _, UnknownSchema as _};
            match ::core::option_env!("UMARI_SCHEMA_connect-shop") {
                ::core::option::Option::Some("") => ::core::option::Option::None,
                ::core::option::Option::Some(schema) => {
                    ::core::option::Option::Some(::std::string::String::from(schema))
                }
                ::core::option::Option::None => {
                    (&::umari::__private::SchemaOf::<Input>::new()).schema()
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
            ::umari::__private::execute(
                &input,
                context,
                |input: Input, context| {
                    use ::umari::command::requirements::{
                        ClassifiedError as _, MuteError as _, TextError as _,
                    };
                    let returned = execute(input, context);
                    ::umari::command::requirements::CommandReturn::into_result(returned)
                        .map_err(|error| {
                            (&&&::umari::command::requirements::ErrorProbe::of(&error))
                                .kind()
                                .convert(error)
                        })
                },
            )
        }
    }
};
