//! From lines to what they hold, each proved before it is believed.

use std::io::{self, BufRead, Read};

use uuid::Uuid;

use super::format::{Chain, EventLine, FORMAT, Header, KeyLine, Record, ShreddedLine, Tally};
use crate::limits;
use crate::store::read_envelope;

/// What a whole backup holds, without the events themselves.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Outline {
    /// The log, by the id of its first event; `None` where the log had none.
    pub log: Option<Uuid>,
    /// It begins behind this position.
    pub after: u64,
    /// The id of the event there.
    pub after_id: Option<Uuid>,
    /// It ends with this position.
    pub head: u64,
    /// The id of the event there.
    pub head_id: Option<Uuid>,
    /// How many events it has.
    pub events: u64,
    /// How many data keys it has; `None` where they were left out.
    pub keys: Option<u64>,
    /// How many scopes it knows to be shredded.
    pub shredded: u64,
    /// The version of the host that wrote it.
    pub host: String,
    /// When that was, as it is written there.
    pub taken_at: String,
}

impl Outline {
    /// Whether this backup begins where `before` ends, in the same log.
    pub fn goes_on_from(&self, before: &Self) -> bool {
        // An empty log has no name yet.
        let same_log = before.log.is_none() || before.log == self.log;
        same_log && (self.after, self.after_id) == (before.head, before.head_id)
    }
}

/// What is wrong with a backup, and where.
#[derive(Debug, thiserror::Error)]
#[error("line {line}: {flaw}")]
#[non_exhaustive]
pub struct Damage {
    /// The line, counted from 1.
    pub line: u64,
    /// What is wrong with it.
    pub flaw: Flaw,
}

/// What is wrong with a line of a backup.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Flaw {
    /// It cannot be read.
    #[error("it cannot be read: {0}")]
    Unreadable(io::Error),
    /// Nothing of this size was written.
    #[error("it is longer than {} bytes", limits::BACKUP_LINE_BYTES)]
    TooLong,
    /// The chain does not fit.
    #[error(
        "its checksum does not fit: it, or a line before it, was changed, lost, added or moved"
    )]
    Checksum,
    /// The line is linked, and still no line of a backup.
    #[error("it is no line of a backup: {0}")]
    Unknown(String),
    /// The file is something else.
    #[error("it is not the first line of a backup")]
    NoBackup,
    /// A newer host wrote it.
    #[error("the backup has format {found} and this host knows format {FORMAT}: use a newer one")]
    Newer {
        /// The version of its format.
        found: u32,
    },
    /// A position is missing, or comes twice.
    #[error("it has the event at position {found} where {expected} comes next")]
    Gap {
        /// What should be there.
        expected: u64,
        /// What is there.
        found: u64,
    },
    /// The line may not stand here.
    #[error("a `{0}` line does not belong here")]
    Misplaced(&'static str),
    /// An event that no host wrote, or that no store takes.
    #[error("its event cannot be restored: {0}")]
    Event(String),
    /// The file ends too soon.
    #[error("the file ends here and is not whole: its last line must be an `end` line")]
    Cut,
    /// The writer could not go on.
    #[error("the backup broke off when it was made: {0}")]
    Broken(String),
    /// The last line counts something else.
    #[error("it counts {counted} where there are {found}")]
    Count {
        /// As the line has it.
        counted: String,
        /// As it was read.
        found: String,
    },
}

/// Reads a backup to its end and proves every line. `seen` is called for each event with its
/// position and the position of the last.
///
/// # Errors
///
/// The first line at fault.
pub fn outline(input: &mut dyn BufRead, seen: &mut dyn FnMut(u64, u64)) -> Result<Outline, Damage> {
    let mut reader = BackupReader::open(input)?;
    let head = reader.header.head;
    while let Some(item) = reader.next()? {
        if let Item::Event(event) = item {
            seen(event.position, head);
        }
    }
    Ok(reader.outline())
}

/// What stands between the first line and the last.
#[derive(Debug)]
pub(super) enum Item {
    Event(EventLine),
    MasterKey(Vec<u8>),
    Key(KeyLine),
    Shredded(ShreddedLine),
}

/// The parts of a backup, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Events,
    Keys,
    Shredded,
}

/// A backup that is read line by line.
pub(super) struct BackupReader<'a> {
    input: &'a mut dyn BufRead,
    line: u64,
    chain: Chain,
    pub(super) header: Header,
    /// The last event so far.
    position: u64,
    id: Option<Uuid>,
    part: Part,
    tally: Tally,
}

impl<'a> BackupReader<'a> {
    /// Reads the first line.
    pub(super) fn open(input: &'a mut dyn BufRead) -> Result<Self, Damage> {
        let (mut line, mut chain) = (0, Chain::default());
        let begins = |bytes: &[u8]| bytes.starts_with(b"{\"backup\":");
        let is_ours = input.fill_buf().is_ok_and(begins);
        let first = match next_record(input, &mut line, &mut chain) {
            // Another sort of file: no checksum tells anything about it.
            Err(Damage {
                flaw: Flaw::Checksum | Flaw::Cut,
                ..
            }) if !is_ours => Err(Flaw::NoBackup),
            Err(damage) => return Err(damage),
            Ok(Record::Broken(why)) => Err(Flaw::Broken(why)),
            Ok(Record::Backup(header)) if header.format != FORMAT => Err(Flaw::Newer {
                found: header.format,
            }),
            Ok(Record::Backup(header)) => Ok(header),
            Ok(_) => Err(Flaw::NoBackup),
        };
        let header = first.map_err(|flaw| Damage { line, flaw })?;
        Ok(Self {
            input,
            line,
            chain,
            position: header.after,
            id: header.after_id,
            header,
            part: Part::Events,
            tally: Tally::default(),
        })
    }

    /// The next item; `None` at an end that is one.
    pub(super) fn next(&mut self) -> Result<Option<Item>, Damage> {
        let record = next_record(self.input, &mut self.line, &mut self.chain)?;
        self.accept(record).map_err(|flaw| Damage {
            line: self.line,
            flaw,
        })
    }

    /// What the backup held; of meaning at its end.
    pub(super) fn outline(&self) -> Outline {
        let Header {
            log,
            after,
            after_id,
            head,
            keys,
            host,
            taken_at,
            format: _,
        } = self.header.clone();
        Outline {
            log,
            after,
            after_id,
            head,
            head_id: self.id,
            events: self.tally.events,
            keys: keys.then_some(self.tally.keys),
            shredded: self.tally.shredded,
            host,
            taken_at,
        }
    }

    fn accept(&mut self, record: Record) -> Result<Option<Item>, Flaw> {
        match record {
            Record::Backup(_) => Err(Flaw::Misplaced("backup")),
            Record::Event(_) if self.part > Part::Events => Err(Flaw::Misplaced("event")),
            Record::Event(event) => self.accept_event(event).map(Some),
            Record::MasterKey(_) if self.part > Part::Events || !self.header.keys => {
                Err(Flaw::Misplaced("master_key"))
            }
            Record::MasterKey(line) => {
                self.require_all_events()?;
                self.part = Part::Keys;
                Ok(Some(Item::MasterKey(line.proof.0)))
            }
            Record::Key(_) if self.part != Part::Keys => Err(Flaw::Misplaced("key")),
            Record::Key(key) => {
                self.tally.keys += 1;
                Ok(Some(Item::Key(key)))
            }
            Record::Shredded(scope) => {
                self.require_all_events()?;
                self.part = Part::Shredded;
                self.tally.shredded += 1;
                Ok(Some(Item::Shredded(scope)))
            }
            Record::Broken(why) => Err(Flaw::Broken(why)),
            Record::End(counted) => {
                self.require_all_events()?;
                self.end(counted)
            }
        }
    }

    fn accept_event(&mut self, event: EventLine) -> Result<Item, Flaw> {
        let expected = self.position + 1;
        if event.position != expected || event.position > self.header.head {
            let found = event.position;
            return Err(Flaw::Gap { expected, found });
        }
        // The first event of a log is its name.
        if event.position == 1 && self.header.log != Some(event.id) {
            return Err(Flaw::Event(
                "it is not the first event of this log".to_owned(),
            ));
        }
        let stored = event.clone().into_stored().map_err(Flaw::Event)?;
        read_envelope(stored).map_err(|error| Flaw::Event(crate::report::chain(&error)))?;
        self.position = event.position;
        self.id = Some(event.id);
        self.tally.events += 1;
        Ok(Item::Event(event))
    }

    fn require_all_events(&self) -> Result<(), Flaw> {
        if self.position == self.header.head {
            return Ok(());
        }
        Err(Flaw::Gap {
            expected: self.position + 1,
            found: self.header.head + 1,
        })
    }

    /// Nothing may come behind the last line.
    fn end(&mut self, counted: Tally) -> Result<Option<Item>, Flaw> {
        let words = |tally: Tally| {
            let Tally {
                events,
                keys,
                shredded,
            } = tally;
            format!("{events} events, {keys} keys and {shredded} shredded scopes")
        };
        if counted != self.tally {
            return Err(Flaw::Count {
                counted: words(counted),
                found: words(self.tally),
            });
        }
        match read_line(self.input)? {
            None => Ok(None),
            Some(_) => {
                self.line += 1;
                Err(Flaw::Checksum)
            }
        }
    }
}

fn next_record(
    input: &mut dyn BufRead,
    number: &mut u64,
    chain: &mut Chain,
) -> Result<Record, Damage> {
    *number += 1;
    let line = *number;
    let damage = |flaw| Damage { line, flaw };
    let bytes = read_line(input).map_err(damage)?;
    let whole = bytes.filter(|bytes| bytes.ends_with(b"\n"));
    let bytes = whole.ok_or_else(|| damage(Flaw::Cut))?;
    // What is not text was changed.
    let text = String::from_utf8(bytes).map_err(|_| damage(Flaw::Checksum))?;
    let object = chain.unlink(&text).ok_or_else(|| damage(Flaw::Checksum))?;
    serde_json::from_str(&object).map_err(|error| damage(Flaw::Unknown(error.to_string())))
}

/// A line with its line break; without one at the end of a file that was cut.
fn read_line(input: &mut dyn BufRead) -> Result<Option<Vec<u8>>, Flaw> {
    let mut bytes = Vec::new();
    let limit = limits::BACKUP_LINE_BYTES as u64 + 1;
    let read = input.take(limit).read_until(b'\n', &mut bytes);
    match read.map_err(Flaw::Unreadable)? {
        0 => Ok(None),
        length if length > limits::BACKUP_LINE_BYTES => Err(Flaw::TooLong),
        _ => Ok(Some(bytes)),
    }
}
