//! What several chapters need in order to look closely.

use std::cell::RefCell;
use std::rc::Rc;

use umari::prelude::*;
use umari_testing::prelude::*;

/// The only event of a history that is here for its handler alone.
#[derive(Event, DomainIds, Serialize, Deserialize)]
pub struct Tick {}

type Work = Rc<dyn Fn() -> anyhow::Result<()>>;

thread_local! {
    static WORK: RefCell<Option<Work>> = const { RefCell::new(None) };
}

/// A projector whose handler is whatever a test wants to do with a database.
struct Scratch {}

impl Projector for Scratch {
    type Query = SingleEvent<Tick>;

    fn init() -> anyhow::Result<Self> {
        Ok(Scratch {})
    }

    fn handle(&mut self, _event: StoredEvent<Tick>) -> anyhow::Result<()> {
        let work = WORK.with_borrow(Clone::clone);
        work.expect("a test has set the work")()
    }
}

fn scratch(work: impl Fn() -> anyhow::Result<()> + 'static) -> Projection {
    WORK.set(Some(Rc::new(work)));
    given(events![Tick {}])
        .without(
            check::PROJECTOR_LAWS,
            "the work is written to run once, on an empty file",
        )
        .project::<Scratch>()
}

/// Does `work` inside a handler, on an empty database; it has to succeed.
#[track_caller]
pub fn in_a_module(work: impl Fn() -> anyhow::Result<()> + 'static) -> Projection {
    scratch(work).then_rows("SELECT 1", rows![[1]])
}

/// Does `work` inside a handler, on an empty database; it has to trap with `message`.
#[track_caller]
pub fn traps_in_a_module(message: &str, work: impl Fn() -> anyhow::Result<()> + 'static) {
    scratch(work).then_fails_at::<Tick>(&format!("panicked: {message}"));
}

/// The stored form of the events of one type, over the history of a scenario.
pub fn stored<E: Event>(given: &Given) -> Vec<StoredEvent<E>> {
    given.fold(EventFold::<E>::new()).events
}
