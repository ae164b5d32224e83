//! A lean host for Umari modules.
//!
//! [`Host::start`] opens a data directory and runs what is active in it: commands on demand, a
//! fresh WebAssembly instance for each call; projectors and effects on threads that follow the
//! event log. [`api`] serves a host over HTTP.
//!
//! The way through this crate: [`host`] ties everything together; [`modules`] is how a component
//! becomes something that runs; [`commands`] and [`subscriptions`] run it; [`engine`] is
//! Wasmtime, configured; `capabilities` is what a module may ask for; [`read_model`] answers
//! questions to what projectors keep; [`replay`] builds that anew; [`store`] is the event log;
//! `snapshots` spares its readers what
//! they have read before; [`keys`] encrypts it, [`shredding`] takes back what it said, and [`backup`] takes it elsewhere;
//! [`api_keys`] says who may ask for what; [`data_dir`] says where files are; [`limits`] bounds
//! everything. [`trial`] runs one component by itself, in a world that the caller makes up, and
//! [`survey`] looks at a data directory that no host runs on. WIT types stop at `bindings`.

pub mod api;
pub mod api_keys;
pub mod backup;
mod bindings;
mod capabilities;
pub mod commands;
pub mod data_dir;
pub mod engine;
pub mod host;
pub mod keys;
pub mod limits;
mod metrics;
pub mod modules;
pub mod read_model;
pub mod replay;
mod report;
pub mod shredding;
mod snapshots;
pub mod store;
pub mod subscriptions;
pub mod survey;
#[cfg(feature = "otlp")]
pub mod trace;
#[cfg(not(feature = "otlp"))]
mod trace;
pub mod trial;
mod wall_clock;

pub use bindings::CONTRACT_VERSION;
pub use capabilities::http::{HttpPolicy, HttpPolicyError};
pub use capabilities::output::PrintedLine;
pub use host::{Host, HostConfig, Settings, StartError};
pub use wall_clock::WallClock;
