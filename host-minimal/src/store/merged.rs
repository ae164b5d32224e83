//! Several readers of one log as one.

use std::collections::VecDeque;

use super::error::ReadError;
use super::{Reader, RecordedEvent};
use crate::limits;

/// What several readers return, in position order and each event once.
#[derive(Debug)]
pub(crate) struct MergedReader {
    parts: Vec<Part>,
}

#[derive(Debug)]
struct Part {
    reader: Reader,
    /// What was read ahead.
    events: VecDeque<RecordedEvent>,
    ended: bool,
}

impl MergedReader {
    pub(crate) fn new(readers: impl IntoIterator<Item = Reader>) -> Self {
        let part = |reader| Part {
            reader,
            events: VecDeque::new(),
            ended: false,
        };
        Self {
            parts: readers.into_iter().map(part).collect(),
        }
    }

    /// The next events, `max` of them at the most. An empty answer is the end.
    ///
    /// # Errors
    ///
    /// As [`Reader::next_batch`]: all events before the trouble come first.
    pub(crate) fn next_batch(&mut self, max: usize) -> Result<Vec<RecordedEvent>, ReadError> {
        if let [only] = &mut self.parts[..] {
            return only.reader.next_batch(max);
        }
        let mut batch = Vec::new();
        while batch.len() < max {
            match self.next() {
                Ok(Some(event)) => batch.push(event),
                Ok(None) => break,
                // The reader stays where it is, and says so again next time.
                Err(error) if batch.is_empty() => return Err(error),
                Err(_) => break,
            }
        }
        Ok(batch)
    }

    fn next(&mut self) -> Result<Option<RecordedEvent>, ReadError> {
        for part in &mut self.parts {
            part.fill()?;
        }
        let fronts = self.parts.iter().filter_map(|part| part.events.front());
        let Some(position) = fronts.map(|event| event.position).min() else {
            return Ok(None);
        };
        let mut next = None;
        for part in &mut self.parts {
            if part
                .events
                .front()
                .is_some_and(|it| it.position == position)
            {
                next = part.events.pop_front();
            }
        }
        Ok(next)
    }
}

impl Part {
    fn fill(&mut self) -> Result<(), ReadError> {
        if self.events.is_empty() && !self.ended {
            self.events = self.reader.next_batch(limits::READ_BATCH_EVENTS)?.into();
            self.ended = self.events.is_empty();
        }
        Ok(())
    }
}
