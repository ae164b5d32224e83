//! What an operator was told about events that the effect could not handle.

use std::collections::{BTreeMap, BTreeSet};

use super::ledger::Ledger;
use super::target::Received;

/// What is known of an event that was parked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Known {
    Parked,
    Dropped,
    Handled,
    /// It was to be delivered once more, and no answer came.
    RetryAsked,
    /// It was to be dropped, and no answer came.
    DropAsked,
}

/// Calls about a note that must not come: from one number of calls on, until another.
#[derive(Debug)]
struct Silence {
    note_id: u64,
    from: usize,
    until: Option<usize>,
}

/// What an operator was told, in all lives of the server.
#[derive(Debug, Default)]
pub(super) struct Desk {
    /// By position, in the life that is about to end.
    told: BTreeMap<u64, (u64, Known)>,
    silences: Vec<Silence>,
    /// How many calls there were when the effect was to be replayed.
    replays: Vec<usize>,
    pub(super) parked: u64,
    pub(super) retried: u64,
    pub(super) dropped: u64,
}

impl Desk {
    /// An event was parked: its note is not sent before that is asked for.
    pub(super) fn parked(&mut self, position: u64, note_id: u64, calls: usize) {
        self.parked += 1;
        self.told.insert(position, (note_id, Known::Parked));
        self.silence(note_id, calls);
    }

    /// An event is parked after the restart, or being delivered.
    pub(super) fn left(&mut self, position: u64, note_id: u64) {
        self.told.insert(position, (note_id, Known::Parked));
    }

    /// An event is to be delivered once more, so its note may be sent again.
    pub(super) fn retry_asked(&mut self, position: u64, calls: usize) {
        let (note_id, known) = self.told.get_mut(&position).expect("it is parked");
        *known = Known::RetryAsked;
        let open = |silence: &&mut Silence| silence.note_id == *note_id && silence.until.is_none();
        for silence in self.silences.iter_mut().filter(open) {
            silence.until = Some(calls);
        }
    }

    /// How the retry ended: the event is handled, or parked as before.
    pub(super) fn retried(&mut self, position: u64, outcome: &str, calls: usize) {
        let (note_id, known) = self.told.get_mut(&position).expect("it is parked");
        match outcome {
            "handled" => *known = Known::Handled,
            "failed" => {
                *known = Known::Parked;
                let note_id = *note_id;
                self.silence(note_id, calls);
            }
            // It waits for its turn.
            "pending" => {}
            _ => panic!("a parked event at {position} was delivered: {outcome}"),
        }
        self.retried += 1;
    }

    pub(super) fn drop_asked(&mut self, position: u64) {
        self.told.get_mut(&position).expect("it is parked").1 = Known::DropAsked;
    }

    pub(super) fn dropped(&mut self, position: u64) {
        self.dropped += 1;
        self.told.get_mut(&position).expect("it is parked").1 = Known::Dropped;
    }

    /// The note is not sent any more, unless the effect is replayed.
    pub(super) fn silence(&mut self, note_id: u64, calls: usize) {
        self.silences.push(Silence {
            note_id,
            from: calls,
            until: None,
        });
    }

    /// The effect is to handle everything again, what was parked and dropped included.
    pub(super) fn replay_asked(&mut self, calls: usize) {
        self.replays.push(calls);
        for silence in self.silences.iter_mut().filter(|it| it.until.is_none()) {
            silence.until = Some(calls);
        }
    }

    /// What was told has been checked.
    pub(super) fn forget(&mut self) {
        self.told.clear();
    }

    /// The parked events whose end is open, with their notes.
    pub(super) fn open(&self) -> Vec<(u64, u64)> {
        let open = self.told.iter();
        let open = open.filter(|(_, (_, known))| *known == Known::Parked);
        open.map(|(position, (note_id, _))| (*position, *note_id))
            .collect()
    }

    /// Holds what was told against what is parked after the restart, and forgets it.
    pub(super) fn check(&mut self, parked: &BTreeSet<u64>, ledger: &Ledger) {
        for (position, (note_id, known)) in std::mem::take(&mut self.told) {
            let is_parked = parked.contains(&position);
            let is_handled = ledger.relayed_at(note_id).is_some();
            let holds = match known {
                Known::Parked => is_parked,
                Known::Dropped => !is_parked && !is_handled,
                Known::Handled => !is_parked && is_handled,
                Known::RetryAsked => is_parked || is_handled,
                Known::DropAsked => !is_handled,
            };
            assert!(
                holds,
                "told {known:?} of the event at {position}, but parked: {is_parked}, handled: \
                 {is_handled}"
            );
        }
    }

    /// Checks that no note was sent while its event was parked, or after it was dropped. How many
    /// were sent because the effect was replayed.
    pub(super) fn check_calls(&self, calls: &[Received]) -> usize {
        let mut by_replay = BTreeSet::new();
        for silence in &self.silences {
            let until = silence.until.unwrap_or(calls.len());
            let of_note = |call: &Received| call.note_id == silence.note_id;
            let broken = calls[silence.from..until].iter().find(|call| of_note(call));
            assert!(broken.is_none(), "{silence:?} is broken by {broken:?}");
            if self.replays.contains(&until) && calls[until..].iter().any(of_note) {
                by_replay.insert(silence.note_id);
            }
        }
        by_replay.len()
    }
}
