//! Event-sourced business logic as plain functions over events.
//!
//! A module is a command, a projector or an effect. It is compiled to a WASM component and run
//! by a host; the same code runs natively in tests, on the same seam ([`host`]).
//!
//! - [`event`] is what happened, [`domain_id`] how it is found again.
//! - [`fold`] derives state from events, [`command`] decides on it and writes,
//!   [`fold_query`] asks without deciding.
//! - [`projector`] builds rows with [`sqlite`]; [`effect`] reacts with [`http`] and commands, and
//!   is configured through [`env`](mod@env).
//!
//! # Examples
//!
//! ```
//! use serde::{Deserialize, Serialize};
//! use umari::prelude::*;
//!
//! #[derive(Event, DomainIds, Serialize, Deserialize)]
//! #[event_type("shop.connected")]
//! struct ShopConnected {
//!     #[domain_id]
//!     shop_id: u64,
//! }
//!
//! #[derive(DomainIds, Serialize, Deserialize)]
//! struct Input {
//!     #[domain_id]
//!     shop_id: u64,
//! }
//!
//! #[export_command(name = "connect-shop")]
//! fn execute(input: Input, context: CommandContext) -> anyhow::Result<ExecuteOutput> {
//!     Command::new(input, context)
//!         .fold::<EventFold<ShopConnected>>()
//!         .execute(|input, connected| {
//!             anyhow::ensure!(!connected.exists(), "shop is already connected");
//!             Ok(emit![ShopConnected { shop_id: input.shop_id }])
//!         })
//! }
//! ```
//!
//! # Features
//!
//! | feature | what it adds |
//! |---|---|
//! | `http` (default) | [`http::Client`](mod@http) for effects |
//! | `validator` (default) | errors of `input.validate()?` become violations with the field's path |
//! | `schemars` | a command whose input has `JsonSchema` tells its schema |
//! | `decimal` | `rust_decimal::Decimal` in the prelude and in SQLite |

#![cfg_attr(docsrs, feature(doc_cfg))]

// The derives write `::umari`, and this crate's own tests use them too.
extern crate self as umari;

mod boundary;
pub mod command;
pub mod decider;
pub mod domain_id;
pub mod effect;
pub mod env;
pub mod event;
mod export;
pub mod fold;
pub mod fold_query;
pub mod host;
#[cfg(feature = "http")]
pub mod http;
pub mod limits;
pub mod prelude;
pub mod projector;
pub mod sqlite;

#[doc(hidden)]
pub mod __private;
