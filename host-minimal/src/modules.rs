//! Modules: what they are called, where their versions are kept, and how one becomes runnable.
//!
//! Upload stores, activation swaps. Nothing is stored before it has been compiled, linked and
//! started once, so whatever can be activated also runs.

pub(crate) mod component;
pub mod name;
pub mod settings;
pub mod store;

pub use self::component::{LoadError, command_schema};
pub use self::name::{InvalidModuleName, ModuleKind, ModuleName};
pub use self::settings::ModuleSettings;
pub use self::store::{ModuleStore, ModuleStoreError, StoredModule};
