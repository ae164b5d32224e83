//! A history as it was.

use std::fmt::Debug;

use umari::decider::Decider;
use umari::fold::Fold;
use umari::host::AsOf;

use super::{AsDecider, AsFold, Reader};
use crate::report::demand;
use crate::world::World;

/// A history as it was at a position or a moment; made by [`Given::as_of`](crate::Given::as_of).
#[derive(Debug, Clone)]
pub struct Past {
    world: World,
    bound: AsOf,
}

impl Past {
    pub(crate) fn new(mut world: World, bound: AsOf) -> Self {
        let bound_words = match bound {
            AsOf::Position(position) => format!("position {position}"),
            AsOf::Time(time) => time.to_rfc3339(),
        };
        world.story.line("as of", &bound_words);
        Self { world, bound }
    }

    /// The state of a fold then.
    ///
    /// # Panics
    ///
    /// As [`Given::fold`](crate::Given::fold).
    #[track_caller]
    #[must_use]
    pub fn fold<F: Fold>(&self, fold: F) -> F::State {
        demand(super::state::<AsFold, F>(
            &self.world,
            fold,
            Some(self.bound),
        ))
    }

    /// The state of a decider then.
    ///
    /// # Panics
    ///
    /// As [`Given::fold`](crate::Given::fold).
    #[track_caller]
    #[must_use]
    pub fn decider<D: Decider>(&self, decider: D) -> D::State {
        demand(super::state::<AsDecider, D>(
            &self.world,
            decider,
            Some(self.bound),
        ))
    }

    /// The state of this fold or decider was `expected` then.
    ///
    /// # Panics
    ///
    /// Panics where it was not.
    #[track_caller]
    #[expect(
        clippy::needless_pass_by_value,
        reason = "the expected state is written in place"
    )]
    pub fn then_state<K, R: Reader<K>>(&self, reader: R, expected: R::State) -> Self
    where
        R::State: PartialEq + Debug,
    {
        demand(super::check(
            &self.world,
            reader,
            Some(self.bound),
            &expected,
        ));
        self.clone()
    }
}
