//! Everything that a test needs: `use umari_testing::prelude::*;`, beside `umari::prelude::*`.

pub use crate::check::{self, Check};
pub use crate::{
    EffectGiven, EffectOutcome, Events, Given, Http, Interleaving, Metadata, Outcome, Past,
    Projection, QueryOutcome, Race, Request, event_lock, events, given, given_nothing, rows,
};
pub use expect_test::expect;

#[cfg(feature = "proptest")]
pub use crate::histories;
#[cfg(feature = "proptest")]
pub use crate::invariant::invariant;
