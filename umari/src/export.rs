//! The macros that export projectors and effects.

/// Exports a [`Projector`](crate::projector::Projector) from a module crate.
///
/// Only the WASM build exports anything; natively this checks the type and its event set. A
/// crate exports one projector or one effect, and a second one anywhere in it does not compile, save
/// in a test, whose modules may stand for as many crates. What is exported needs `unsafe`
/// attributes: a crate that sets `unsafe_code = "forbid"` must lower that to `deny`.
#[macro_export]
macro_rules! export_projector {
    ($projector:ty $(,)?) => {
        // The modules of one test may stand for as many crates.
        #[cfg(all(test, not(target_family = "wasm")))]
        #[allow(dead_code, non_upper_case_globals)]
        const a_crate_exports_one_projector_or_one_effect: () = ();

        // Whatever module it is written in, the name is in the root of the crate.
        #[cfg(any(not(test), target_family = "wasm"))]
        #[doc(hidden)]
        #[allow(non_local_definitions)]
        #[macro_export]
        macro_rules! a_crate_exports_one_projector_or_one_effect {
            () => {};
        }

        #[allow(unused_imports)]
        const _: () = {
            use $crate::__private::NoFacts as _;
            ::core::assert!(
                !$crate::__private::ProjectorFacts::<$projector>::NEEDS_BINDINGS,
                "{}",
                ::core::concat!(
                    "the projector `",
                    ::core::stringify!($projector),
                    "` has no domain ids to bind: a `#[scope(field)]` in its event set needs a value, \
                     as in `#[scope(topic = \"orders/paid\")]`, or write `#[scope()]` for all events",
                ),
            );
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
/// Only the WASM build exports anything; natively this checks the type and its event set. A
/// crate exports one projector or one effect, and a second one anywhere in it does not compile, save
/// in a test, whose modules may stand for as many crates. What is exported needs `unsafe`
/// attributes: a crate that sets `unsafe_code = "forbid"` must lower that to `deny`.
#[macro_export]
macro_rules! export_effect {
    ($effect:ty $(,)?) => {
        // The modules of one test may stand for as many crates.
        #[cfg(all(test, not(target_family = "wasm")))]
        #[allow(dead_code, non_upper_case_globals)]
        const a_crate_exports_one_projector_or_one_effect: () = ();

        // Whatever module it is written in, the name is in the root of the crate.
        #[cfg(any(not(test), target_family = "wasm"))]
        #[doc(hidden)]
        #[allow(non_local_definitions)]
        #[macro_export]
        macro_rules! a_crate_exports_one_projector_or_one_effect {
            () => {};
        }

        #[allow(unused_imports)]
        const _: () = {
            use $crate::__private::NoFacts as _;
            ::core::assert!(
                !$crate::__private::EffectFacts::<$effect>::NEEDS_BINDINGS,
                "{}",
                ::core::concat!(
                    "the effect `",
                    ::core::stringify!($effect),
                    "` has no domain ids to bind: a `#[scope(field)]` in its event set needs a value, \
                     as in `#[scope(topic = \"orders/paid\")]`, or write `#[scope()]` for all events",
                ),
            );
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
