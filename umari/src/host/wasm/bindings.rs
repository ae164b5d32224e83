//! Bindings that are generated from the contract.
//!
//! The exported interfaces are generated here too, so that a module crate needs no WIT: their
//! macros write the exported functions, and only then the component exports them.

#![allow(
    unsafe_code,
    reason = "the canonical ABI passes raw memory; `wit-bindgen` writes it"
)]
#![allow(missing_docs, unreachable_pub, unused_qualifications, clippy::all)]

mod imports {
    wit_bindgen::generate!({
        inline: "
            package umari:sdk;
            world imports {
                import umari:common/types@0.1.0;
                import umari:command/types@0.1.0;
                import umari:command/transaction@0.1.0;
                import umari:sqlite/connection@0.1.0;
                import umari:crypto/shredding@0.1.0;
            }
        ",
        path: ["wit/common", "wit/command", "wit/sqlite", "wit/crypto"],
        world: "umari:sdk/imports",
        runtime_path: "::umari::__private::wit_bindgen::rt",
        generate_all,
        generate_unused_types: true,
    });
}

pub mod projector {
    wit_bindgen::generate!({
        path: ["wit/common", "wit/command", "wit/sqlite", "wit/projector"],
        world: "umari:projector/projector",
        runtime_path: "::umari::__private::wit_bindgen::rt",
        with: {
            "umari:common/types@0.1.0": ::umari::__private::wit::common,
            "umari:sqlite/connection@0.1.0": ::umari::__private::wit::sqlite::connection,
        },
        pub_export_macro: true,
        export_macro_name: "export_projector_world",
        default_bindings_module: "::umari::__private::wit::projector",
    });
}

pub mod effect {
    wit_bindgen::generate!({
        path: ["wit/common", "wit/command", "wit/sqlite", "wit/crypto", "wit/effect"],
        world: "umari:effect/effect",
        runtime_path: "::umari::__private::wit_bindgen::rt",
        with: {
            "umari:common/types@0.1.0": ::umari::__private::wit::common,
            "umari:command/types@0.1.0": ::umari::__private::wit::command,
            "umari:command/transaction@0.1.0": ::umari::__private::wit::transaction,
            "umari:sqlite/connection@0.1.0": ::umari::__private::wit::sqlite::connection,
            "umari:crypto/shredding@0.1.0": ::umari::__private::wit::crypto::shredding,
        },
        pub_export_macro: true,
        export_macro_name: "export_effect_world",
        default_bindings_module: "::umari::__private::wit::effect",
    });
}

pub use imports::umari::command::transaction;
pub use imports::umari::command::types as command;
pub use imports::umari::common::types as common;
pub use imports::umari::crypto;
pub use imports::umari::sqlite;
