//! The figures of a campaign.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::Phase;
use super::desk::Desk;
use super::ledger::Ledger;
use super::target::Received;

/// What was counted.
#[derive(Debug, Default)]
pub(super) struct Figures {
    killed: BTreeMap<Phase, usize>,
    /// Servers that had ended in order before the kill.
    ended: usize,
    /// Kills after which the files were held against the log.
    pub(super) states_checked: usize,
}

impl Figures {
    /// Counts a server that was killed, or had ended before.
    pub(super) fn ended(&mut self, phase: Phase, killed: bool) {
        if killed {
            *self.killed.entry(phase).or_default() += 1;
        } else {
            self.ended += 1;
        }
    }

    pub(super) fn kills(&self) -> usize {
        self.killed.values().sum()
    }

    /// The table.
    pub(super) fn table(
        &self,
        seed: u64,
        ledger: &Ledger,
        desk: &Desk,
        calls: &[Received],
    ) -> String {
        let mut table = format!("kill -9, UMARI_KILLS_SEED={seed}\n");
        let mut line = |name: &str, count: u64| {
            let _ = writeln!(table, "  {name:<48} {count:>7}");
        };
        line("kills", self.kills() as u64);
        for (phase, kills) in &self.killed {
            line(&format!("  {}", phase.as_str()), *kills as u64);
        }
        line("ended in order before the kill", self.ended as u64);
        let tally = ledger.tally();
        line(
            "calls acknowledged, all found as they were",
            tally.acknowledged,
        );
        line("calls refused, none found", tally.refused);
        line("calls of unknown outcome", tally.unknown);
        line("  found, each once", tally.unknown_written);
        let again = tally.retried_found + tally.retried_written;
        line("  made again under their key", again);
        line(
            "    had been written, and were not again",
            tally.retried_found,
        );
        line("    written now, once", tally.retried_written);
        line(
            "acknowledged calls made again, none written",
            tally.repeated,
        );
        line("events, without a gap", ledger.head());
        line(
            "read models that were a fold of the log",
            self.states_checked as u64,
        );
        let accepted = calls.iter().filter(|call| call.accepted);
        let notes: BTreeSet<u64> = accepted.clone().map(|call| call.note_id).collect();
        line(
            "notes sent to the outside, each recorded once",
            notes.len() as u64,
        );
        line(
            "  sent again: killed between call and record",
            (accepted.count() - notes.len()) as u64,
        );
        line("events parked, none sent meanwhile", desk.parked);
        line("  delivered once more", desk.retried);
        line("  dropped", desk.dropped);
        line(
            "    sent because the effect was replayed",
            desk.check_calls(calls) as u64,
        );
        table
    }
}
