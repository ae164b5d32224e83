//! The macros that export projectors and effects.

/// Exports a [`Projector`](crate::projector::Projector) from a module crate.
///
/// Only the WASM build exports anything; natively this checks the type and its event set. What
/// is exported needs `unsafe` attributes: a crate that sets `unsafe_code = "forbid"` must lower
/// that to `deny`.
#[macro_export]
macro_rules! export_projector {
    ($projector:ty $(,)?) => {
        const _: () = {
            $crate::__private::assert_no_bindings::<
                <$projector as $crate::projector::Projector>::Query,
            >();
            let _ = $crate::projector::handle::<$projector>;
            let _ = <$projector as $crate::projector::Projector>::init;
        };

        #[cfg(target_family = "wasm")]
        #[allow(unsafe_code, unused, clippy::all, clippy::pedantic)]
        const _: () = {
            ::std::thread_local! {
                static INSTANCE: ::std::cell::RefCell<::std::option::Option<$projector>> =
                    const { ::std::cell::RefCell::new(::std::option::Option::None) };
            }

            struct Component;

            impl $crate::__private::wit::projector::exports::umari::projector::handler::Guest
                for Component
            {
                fn query() -> ::std::vec::Vec<$crate::__private::wit::common::QueryItem> {
                    $crate::__private::projector_query::<$projector>()
                }

                fn init() -> ::std::result::Result<(), $crate::__private::wit::common::Failure> {
                    $crate::__private::projector_init::<$projector>(&INSTANCE)
                }

                fn handle(
                    event: $crate::__private::wit::common::StoredEvent,
                ) -> ::std::result::Result<(), $crate::__private::wit::common::Failure> {
                    $crate::__private::projector_handle::<$projector>(&INSTANCE, event)
                }
            }

            $crate::__private::wit::projector::export_projector_world!(
                Component with_types_in $crate::__private::wit::projector
            );

            #[used]
            #[unsafe(link_section = "umari.module")]
            static RECORD: [u8; $crate::__private::Record::projector().len()] =
                $crate::__private::Record::projector().bytes();
        };
    };
}

/// Exports an [`Effect`](crate::effect::Effect) from a module crate.
///
/// Only the WASM build exports anything; natively this checks the type and its event set. What
/// is exported needs `unsafe` attributes: a crate that sets `unsafe_code = "forbid"` must lower
/// that to `deny`.
#[macro_export]
macro_rules! export_effect {
    ($effect:ty $(,)?) => {
        const _: () = {
            $crate::__private::assert_no_bindings::<<$effect as $crate::effect::Effect>::Query>();
            let _ = $crate::effect::handle::<$effect>;
            let _ = <$effect as $crate::effect::Effect>::init;
        };

        #[cfg(target_family = "wasm")]
        #[allow(unsafe_code, unused, clippy::all, clippy::pedantic)]
        const _: () = {
            ::std::thread_local! {
                static INSTANCE: ::std::cell::RefCell<::std::option::Option<$effect>> =
                    const { ::std::cell::RefCell::new(::std::option::Option::None) };
            }

            struct Component;

            impl $crate::__private::wit::effect::exports::umari::effect::handler::Guest for Component {
                fn query() -> ::std::vec::Vec<$crate::__private::wit::common::QueryItem> {
                    $crate::__private::effect_query::<$effect>()
                }

                fn init() -> ::std::result::Result<(), $crate::__private::wit::common::Failure> {
                    $crate::__private::effect_init::<$effect>(&INSTANCE)
                }

                fn partition_key(
                    event: $crate::__private::wit::common::StoredEvent,
                ) -> ::std::result::Result<
                    ::std::option::Option<::std::string::String>,
                    $crate::__private::wit::common::Failure,
                > {
                    $crate::__private::effect_partition_key::<$effect>(&INSTANCE, event)
                }

                fn handle(
                    event: $crate::__private::wit::common::StoredEvent,
                ) -> ::std::result::Result<(), $crate::__private::wit::common::Failure> {
                    $crate::__private::effect_handle::<$effect>(&INSTANCE, event)
                }
            }

            $crate::__private::wit::effect::export_effect_world!(
                Component with_types_in $crate::__private::wit::effect
            );

            #[used]
            #[unsafe(link_section = "umari.module")]
            static RECORD: [u8; $crate::__private::Record::effect().len()] =
                $crate::__private::Record::effect().bytes();
        };
    };
}
