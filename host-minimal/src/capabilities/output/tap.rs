//! What modules print, line by line, for whoever wants to see it at once.

use std::sync::mpsc::SyncSender;

use crate::limits;
use crate::modules::{ModuleKind, ModuleName};

/// A line that a module printed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PrintedLine {
    /// The module's kind.
    pub kind: ModuleKind,
    /// Its name.
    pub name: ModuleName,
    /// The line, without its line break; cut where it is very long.
    pub text: String,
}

/// Hands on each line of one module. A receiver that does not keep up loses lines: a module never
/// waits for it.
#[derive(Debug)]
pub(crate) struct Tap {
    kind: ModuleKind,
    name: ModuleName,
    lines: SyncSender<PrintedLine>,
    /// The line that has no end yet.
    begun: Vec<u8>,
}

impl Tap {
    pub(crate) fn new(kind: ModuleKind, name: ModuleName, lines: SyncSender<PrintedLine>) -> Self {
        Self {
            kind,
            name,
            lines,
            begun: Vec::new(),
        }
    }

    pub(super) fn write(&mut self, bytes: &[u8]) {
        let mut parts = bytes.split(|byte| *byte == b'\n');
        self.add(parts.next().unwrap_or_default());
        for part in parts {
            self.end_line();
            self.add(part);
        }
    }

    fn add(&mut self, part: &[u8]) {
        let room = limits::PRINTED_LINE_BYTES.saturating_sub(self.begun.len());
        self.begun.extend(&part[..part.len().min(room)]);
    }

    fn end_line(&mut self) {
        let text = String::from_utf8_lossy(&self.begun).into_owned();
        self.begun.clear();
        let _ = self.lines.try_send(PrintedLine {
            kind: self.kind,
            name: self.name.clone(),
            text,
        });
    }
}

impl Drop for Tap {
    fn drop(&mut self) {
        if !self.begun.is_empty() {
            self.end_line();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::sync_channel;

    use super::*;

    fn printed(capacity: usize, writes: &[&[u8]]) -> Vec<String> {
        let (sender, receiver) = sync_channel(capacity);
        let name = "plans".parse().expect("a name");
        let mut tap = Tap::new(ModuleKind::Projector, name, sender);
        writes.iter().for_each(|bytes| tap.write(bytes));
        drop(tap);
        receiver.iter().map(|line| line.text).collect()
    }

    #[test]
    fn lines_are_whole_however_they_are_written() {
        let writes: [&[u8]; 3] = [b"on", b"e\ntwo\n\nfo", b"ur"];
        assert_eq!(printed(9, &writes), ["one", "two", "", "four"]);
        assert!(printed(9, &[b""]).is_empty());
    }

    #[test]
    fn a_long_line_is_cut() {
        let text = [b'a'; limits::PRINTED_LINE_BYTES + 1];
        let exact = &text[..limits::PRINTED_LINE_BYTES];
        for written in [exact, &text] {
            let lines = printed(9, &[written, b"\nb"]);
            assert_eq!(lines[0].len(), limits::PRINTED_LINE_BYTES);
            assert_eq!(lines[1], "b");
        }
    }

    #[test]
    fn who_does_not_keep_up_loses_lines() {
        assert_eq!(printed(2, &[b"1\n2\n3\n"]), ["1", "2"]);
    }
}
