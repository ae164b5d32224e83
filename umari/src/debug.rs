//! What `{:?}` shows of errors.

/// Natively an error derives `Debug`. In a module its `Debug` is its message: what is inside
/// reaches nobody there, and the names of fields and variants, with the code that lays them out, are
/// 5 KB of every module.
macro_rules! debug_is_message {
    ($($error:ty),+ $(,)?) => {
        $(
            #[cfg(target_family = "wasm")]
            impl ::core::fmt::Debug for $error {
                fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                    ::core::fmt::Display::fmt(self, f)
                }
            }
        )+
    };
}

debug_is_message!(
    crate::command::CommandError,
    crate::command::ExecuteError,
    crate::command::InvalidInput,
    crate::crypto::ShredError,
    crate::domain_id::FromDomainIdsError,
    crate::domain_id::ParseDomainIdError,
    crate::event::SerializationCause,
    crate::event::SerializationError,
    crate::fold::FoldError,
    crate::host::TransactionError,
);
