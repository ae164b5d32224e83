//! How the calls of all stories ended, so that a test which proves nothing is told from one that does.

use std::collections::BTreeMap;

use crate::command::Ended;
use crate::report::story::cut;
use crate::report::table;

/// Reasons of refusal that are listed for a command.
const REASONS_MAX: usize = 4;

/// One count for each command and each way in which its calls ended.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    wrote: BTreeMap<usize, u64>,
    otherwise: BTreeMap<usize, BTreeMap<String, u64>>,
}

impl Tally {
    pub(crate) fn count(&mut self, command: usize, ended: &Ended, wrote: bool) {
        if wrote {
            *self.wrote.entry(command).or_default() += 1;
            return;
        }
        let how = match ended {
            Ended::Done(_) => "emitted nothing".to_owned(),
            ended => cut(&ended.to_string()),
        };
        let ways = self.otherwise.entry(command).or_default();
        *ways.entry(how).or_default() += 1;
    }

    /// Whether some call of the command wrote an event.
    pub(crate) fn wrote(&self, command: usize) -> bool {
        self.wrote.contains_key(&command)
    }

    /// How the calls of a command ended, the most frequent first.
    pub(crate) fn ways(&self, command: usize) -> String {
        let Some(ways) = self.otherwise.get(&command) else {
            return "it was never called\n".to_owned();
        };
        let mut ways: Vec<_> = ways.iter().collect();
        ways.sort_by_key(|(how, count)| (std::cmp::Reverse(**count), (*how).clone()));
        let rows: Vec<_> = ways
            .iter()
            .take(REASONS_MAX)
            .map(|(how, count)| vec![format!("{count} times"), (*how).clone()])
            .collect();
        table::columns(&rows)
    }
}
