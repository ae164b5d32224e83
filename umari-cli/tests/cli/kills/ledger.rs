//! What the clients know, and what must therefore be in the log.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use rand::Rng as _;
use rand::rngs::StdRng;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::api::{Answer, Api, Event};

/// Ids of notes begin here; below are the numbers that `count-up` gives.
const FIRST_NOTE: u64 = 1_000_000;
/// What the effect adds to the id of a note that it echoes.
const ECHO: u64 = 1_000_000;
/// The counter whose steps must be numbered without a gap.
const STEPS: &str = "steps";

/// What a client asks for.
#[derive(Debug, Clone)]
pub(super) enum Work {
    /// Some notes at once, with ids that nobody else uses.
    Notes {
        counter: String,
        first: u64,
        times: u64,
        text: &'static str,
    },
    /// The next step of one counter, which conflicts with every other.
    Step { text: String },
    /// An encrypted note.
    Secret { owner: String, text: String },
}

impl Work {
    fn command(&self) -> &'static str {
        match self {
            Self::Notes { .. } => "note",
            Self::Step { .. } => "count-up",
            Self::Secret { .. } => "note-secret",
        }
    }

    fn input(&self) -> Value {
        match self {
            Self::Notes {
                counter,
                first,
                times,
                text,
            } => json!({ "counter": counter, "note_id": first, "times": times, "text": text }),
            Self::Step { text } => json!({ "counter": STEPS, "text": text }),
            Self::Secret { owner, text } => json!({ "owner": owner, "text": text }),
        }
    }

    /// Does it.
    pub(super) fn execute(&self, api: &Api, key: Option<Uuid>) -> Answer {
        api.execute(self.command(), &self.input(), key)
    }

    fn events(&self) -> u64 {
        match self {
            Self::Notes { times, .. } => *times,
            Self::Step { .. } | Self::Secret { .. } => 1,
        }
    }
}

/// A call that was made, what its client was told, and what was found of it.
#[derive(Debug)]
struct Call {
    work: Work,
    key: Option<Uuid>,
    answer: Option<Answer>,
    found: Vec<(u64, Uuid)>,
}

impl Call {
    fn last(&self) -> Option<u64> {
        self.found.last().map(|(position, _)| *position)
    }
}

/// How calls ended, and what became of them.
#[derive(Debug, Default, Clone)]
pub(super) struct Tally {
    pub(super) acknowledged: u64,
    pub(super) refused: u64,
    pub(super) unknown: u64,
    pub(super) unknown_written: u64,
    pub(super) retried_found: u64,
    pub(super) retried_written: u64,
    pub(super) repeated: u64,
}

/// All calls, and all of the log that has been read.
#[derive(Default)]
pub(super) struct Ledger {
    calls: Vec<Call>,
    /// Calls that may still be written, for all that is known.
    unsettled: BTreeSet<usize>,
    /// The call by its first note.
    by_note: BTreeMap<u64, usize>,
    by_text: HashMap<String, usize>,
    /// The call by the ids of events that were acknowledged.
    by_id: HashMap<Uuid, usize>,
    notes: u64,
    log: Vec<Event>,
    ids: BTreeSet<Uuid>,
    steps: u64,
    /// Position of the note, and how often the log says that it was relayed.
    relayed: BTreeMap<u64, u64>,
    /// Notes that an operator wanted to be dropped.
    dropped: BTreeSet<u64>,
    echoes: BTreeMap<u64, Uuid>,
    tally: Tally,
}

impl Ledger {
    /// Makes up a call that is about to be made.
    pub(super) fn invent(&mut self, rng: &mut StdRng) -> (usize, Work, Option<Uuid>) {
        let counter = match rng.random_range(0..9) {
            0 => "global".to_owned(),
            number => format!("c{number}"),
        };
        let number = self.calls.len();
        let work = match rng.random_range(0..100) {
            0..50 => {
                let text = match rng.random_range(0..10) {
                    0..7 => "call",
                    7 => "echo",
                    _ => "quiet",
                };
                self.notes_under(counter, 1, text)
            }
            50..65 => {
                let times = rng.random_range(2..20);
                self.notes_under(counter, times, "quiet")
            }
            65..80 => Work::Step {
                text: format!("step {number}"),
            },
            _ => Work::Secret {
                owner: format!("owner {}", rng.random_range(0..200)),
                text: format!("secret {number}"),
            },
        };
        let key = rng.random_bool(0.5).then(|| Uuid::from_u128(rng.random()));
        (self.begin(work.clone(), key), work, key)
    }

    /// Notes that the effect only records.
    pub(super) fn backlog(&mut self, times: u64) -> (usize, Work) {
        let counter = format!("c{}", self.notes % 8);
        let work = self.notes_under(counter, times, "quiet");
        (self.begin(work.clone(), None), work)
    }

    /// Notes that the effect calls out for, one after the other, and the id of the first.
    pub(super) fn calling(&mut self, times: u64) -> (usize, Work, u64) {
        let first = FIRST_NOTE + self.notes;
        let work = self.notes_under("calling".to_owned(), times, "call");
        (self.begin(work.clone(), None), work, first)
    }

    fn notes_under(&mut self, counter: String, times: u64, text: &'static str) -> Work {
        let first = FIRST_NOTE + self.notes;
        self.notes += times;
        assert!(self.notes < ECHO, "echoes would meet other notes");
        Work::Notes {
            counter,
            first,
            times,
            text,
        }
    }

    fn begin(&mut self, work: Work, key: Option<Uuid>) -> usize {
        let index = self.calls.len();
        match &work {
            Work::Notes { first, .. } => {
                self.by_note.insert(*first, index);
            }
            Work::Step { text } | Work::Secret { text, .. } => {
                self.by_text.insert(text.clone(), index);
            }
        }
        self.calls.push(Call {
            work,
            key,
            answer: None,
            found: Vec::new(),
        });
        self.unsettled.insert(index);
        index
    }

    /// A secret of an owner who is to be forgotten.
    pub(super) fn secret(&mut self, owner: &str) -> (usize, Work) {
        let work = Work::Secret {
            owner: owner.to_owned(),
            text: format!("secret {}", self.calls.len()),
        };
        (self.begin(work.clone(), None), work)
    }

    /// How many secrets of an owner were read with what they say.
    pub(super) fn readable_secrets(&self, owner: &str) -> usize {
        let positions = self.secrets_of(owner);
        let readable = positions.iter().filter(|at| !self.log[**at].data.is_null());
        readable.count()
    }

    /// From now on the secrets of an owner are read without what they say.
    pub(super) fn forget_secrets(&mut self, owner: &str) {
        for at in self.secrets_of(owner) {
            self.log[at].data = Value::Null;
        }
    }

    /// Where in the log an owner's secrets are.
    fn secrets_of(&self, of: &str) -> Vec<usize> {
        let of_owner =
            |call: &&Call| matches!(&call.work, Work::Secret { owner, .. } if owner == of);
        let calls = self.calls.iter().filter(of_owner);
        let positions = calls.flat_map(|call| call.found.iter().map(|(position, _)| position - 1));
        positions
            .map(|at| usize::try_from(at).expect("a position"))
            .collect()
    }

    /// What the client was told.
    pub(super) fn end(&mut self, index: usize, answer: Answer) {
        match &answer {
            Answer::Acknowledged { ids, .. } => {
                self.tally.acknowledged += 1;
                self.by_id.extend(ids.iter().map(|id| (*id, index)));
            }
            Answer::Refused(_) => self.tally.refused += 1,
            Answer::Unknown => self.tally.unknown += 1,
        }
        self.calls[index].answer = Some(answer);
    }

    /// The position up to which the log has been read.
    pub(super) fn head(&self) -> u64 {
        self.log.len() as u64
    }

    pub(super) fn log(&self) -> &[Event] {
        &self.log
    }

    pub(super) fn tally(&self) -> &Tally {
        &self.tally
    }

    /// Adds what was read of the log, and holds each event against the call that asked for it.
    pub(super) fn read(&mut self, events: Vec<Event>) {
        for event in events {
            assert_eq!(event.position, self.head() + 1, "positions have no gap");
            assert!(self.ids.insert(event.id), "an id twice: {event:?}");
            self.attribute(&event);
            self.log.push(event);
        }
    }

    fn attribute(&mut self, event: &Event) {
        let text = event.data["text"].as_str();
        let note_id = event.data["note_id"].as_u64();
        let index = match (event.event_type.as_str(), note_id) {
            ("secret.noted", _) => match text {
                Some(text) => self.by_text.get(text).copied(),
                None => self.by_id.get(&event.id).copied(),
            },
            ("note.relayed", Some(id)) => {
                let before = self.relayed.insert(id, event.position);
                assert_eq!(before, None, "note {id} was recorded as relayed twice");
                return;
            }
            ("noted", Some(id)) if id >= FIRST_NOTE + ECHO => {
                let key = event.idempotency_key.expect("an echo has a key");
                let before = self.echoes.insert(id - ECHO, key);
                assert_eq!(before, None, "note {id} was echoed twice");
                return;
            }
            ("noted", Some(id)) if id >= FIRST_NOTE => {
                let found = self.by_note.range(..=id).next_back();
                found.map(|(_, index)| *index)
            }
            ("noted", Some(id)) => {
                self.steps += 1;
                assert_eq!(id, self.steps, "a step saw another boundary: {event:?}");
                self.by_text.get(text.expect("a text")).copied()
            }
            _ => None,
        };
        let index = index.unwrap_or_else(|| panic!("nobody asked for {event:?}"));
        let call = &mut self.calls[index];
        let late = "came after it had been looked for";
        assert!(
            self.unsettled.contains(&index),
            "{event:?} {late}: {call:?}"
        );
        if let Some(last) = call.last() {
            let together = "events of one call lie together";
            assert_eq!(event.position, last + 1, "{together}: {call:?}");
        }
        assert_eq!(event.idempotency_key, call.key, "{call:?}");
        call.found.push((event.position, event.id));
    }

    /// Settles all calls, when the log has been read after the server's death. The calls with a
    /// key whose outcome is unknown are returned: they are to be made again.
    pub(super) fn settle(&mut self) -> Vec<(usize, Work, Uuid)> {
        let mut again = Vec::new();
        for index in std::mem::take(&mut self.unsettled) {
            let call = &self.calls[index];
            let (found, wanted) = (call.found.len() as u64, call.work.events());
            assert!([0, wanted].contains(&found), "half of a call: {call:?}");
            match call.answer.as_ref().expect("an answer or none") {
                Answer::Acknowledged { position, ids } => {
                    let written: Vec<Uuid> = call.found.iter().map(|(_, id)| *id).collect();
                    assert_eq!(&written, ids, "lost, or not as acknowledged: {call:?}");
                    assert_eq!(call.last(), Some(*position), "{call:?}");
                }
                Answer::Refused(_) => assert_eq!(found, 0, "refused and yet written: {call:?}"),
                Answer::Unknown => {
                    self.tally.unknown_written += u64::from(found > 0);
                    if let Some(key) = call.key {
                        again.push((index, call.work.clone(), key));
                    }
                }
            }
        }
        again
    }

    /// Takes the answer to a call that was made again under its key.
    pub(super) fn made_again(&mut self, index: usize, answer: Answer) {
        let call = &mut self.calls[index];
        let Answer::Acknowledged { position, ids } = &answer else {
            panic!("made again, {call:?} was answered with {answer:?}");
        };
        if let Some(last) = call.last() {
            assert_eq!((*position, ids.len()), (last, 0), "{call:?}");
            self.tally.retried_found += 1;
        } else {
            assert_eq!(ids.len() as u64, call.work.events(), "{call:?}");
            self.tally.retried_written += 1;
            self.unsettled.insert(index);
            call.answer = Some(answer);
        }
    }

    /// A call with a key that is known to be written: making it again must change nothing.
    pub(super) fn written_with_key(&self, rng: &mut StdRng) -> Option<(usize, Work, Uuid)> {
        let start = rng.random_range(0..self.calls.len().max(1));
        let mut calls = self.calls.iter().enumerate().skip(start);
        calls.find_map(|(index, call)| {
            let key = call.key.filter(|_| call.last().is_some())?;
            Some((index, call.work.clone(), key))
        })
    }

    /// Takes the answer to a call that had been acknowledged before.
    pub(super) fn repeated(&mut self, index: usize, answer: &Answer) {
        let call = &self.calls[index];
        let expected = Answer::Acknowledged {
            position: call.last().expect("it is written"),
            ids: Vec::new(),
        };
        assert_eq!(answer, &expected, "{call:?}");
        self.tally.repeated += 1;
    }

    /// Where the log says that a note was relayed.
    pub(super) fn relayed_at(&self, note_id: u64) -> Option<u64> {
        self.relayed.get(&note_id).copied()
    }

    /// An operator asks for a note to be dropped, so that it may never be recorded.
    pub(super) fn drop_note(&mut self, note_id: u64) {
        self.dropped.insert(note_id);
    }

    /// Whether an operator asked for a note to be dropped.
    pub(super) fn may_be_dropped(&self, note_id: u64) -> bool {
        self.dropped.contains(&note_id)
    }

    /// Checks what must be true once the effect has handled everything.
    pub(super) fn check_effects(&self) {
        for event in self.log.iter().filter(|it| it.event_type == "noted") {
            let note_id = event.data["note_id"].as_u64().expect("an id");
            let done = self.relayed.contains_key(&note_id) || self.may_be_dropped(note_id);
            assert!(done, "never: {event:?}");
            let echo = self.echoes.get(&note_id);
            let wanted = (event.data["text"] == "echo").then_some(&event.id);
            assert_eq!(echo, wanted, "{event:?}");
        }
    }
}
