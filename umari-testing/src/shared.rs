//! Folds and deciders that are run more than once, although running one takes it.

use std::rc::Rc;

use umari::command::Emit;
use umari::decider::Decider;
use umari::domain_id::{DomainIdBindings, DomainIdValues, DomainIds};
use umari::event::{EventSet, StoredEvent};
use umari::fold::Fold;
use umari::snapshot::Snapshot;

/// The same fold, or decider, again.
pub(crate) struct Shared<F>(Rc<F>);

impl<F> From<&Rc<F>> for Shared<F> {
    fn from(reader: &Rc<F>) -> Self {
        Self(Rc::clone(reader))
    }
}

/// The name of the reader itself, whether or not it is shared.
pub(crate) fn inner_name(name: &str) -> &str {
    let inner = name.strip_prefix(concat!(module_path!(), "::Shared<"));
    inner
        .and_then(|inner| inner.strip_suffix('>'))
        .unwrap_or(name)
}

impl<F> Shared<F> {
    /// A message of the SDK with the name of the reader itself.
    pub(crate) fn unwrap_name(message: &str) -> String {
        let shared = std::any::type_name::<Self>();
        message.replace(shared, std::any::type_name::<F>())
    }
}

impl<F: DomainIds> DomainIds for Shared<F> {
    const DOMAIN_ID_FIELDS: &'static [&'static str] = F::DOMAIN_ID_FIELDS;

    fn domain_ids(&self) -> DomainIdBindings {
        self.0.domain_ids()
    }

    fn domain_id_values(&self) -> DomainIdValues {
        self.0.domain_id_values()
    }
}

impl<F: Fold> Fold for Shared<F> {
    type Events = F::Events;
    type State = F::State;

    const MAX_EVENTS: u64 = F::MAX_EVENTS;
    const SNAPSHOT: Snapshot<Self> = F::SNAPSHOT.wrapped(|shared| F::SNAPSHOT.key(&shared.0));

    fn apply(&self, state: &mut F::State, event: StoredEvent<<F::Events as EventSet>::Item>) {
        self.0.apply(state, event);
    }
}

impl<D: Decider> Decider for Shared<D> {
    type Events = D::Events;
    type State = D::State;
    type Input = D::Input;

    const MAX_EVENTS: u64 = D::MAX_EVENTS;
    const SNAPSHOT: Snapshot<Self> = D::SNAPSHOT.wrapped(|shared| D::SNAPSHOT.key(&shared.0));

    fn initial(&self) -> D::State {
        self.0.initial()
    }

    fn evolve(
        &self,
        state: D::State,
        event: StoredEvent<<D::Events as EventSet>::Item>,
    ) -> D::State {
        self.0.evolve(state, event)
    }

    fn decide(&self, input: D::Input, state: D::State) -> anyhow::Result<Emit> {
        self.0.decide(input, state)
    }
}
