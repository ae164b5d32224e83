//! What failing steps say, word for word.

use umari_testing::prelude::*;

use super::shop::connected;

mod effects;
mod events;
mod projectors;
mod steps;

fn shop() -> Given {
    given(events![connected(42)])
}
