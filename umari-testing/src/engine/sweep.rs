//! Crash points: where a module can be killed between two host calls.

use std::cell::Cell;
use std::fmt;
use std::panic::resume_unwind;

/// A call of the module into its host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HostCall {
    /// Appends to the log.
    Commit,
    /// Sends an HTTP request.
    Send,
    /// Runs SQL.
    Sql,
    /// Deletes the data keys of a scope.
    Shred,
}

impl fmt::Display for HostCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Commit => "commit",
            Self::Send => "HTTP request",
            Self::Sql => "SQL statement",
            Self::Shred => "shredding",
        })
    }
}

/// What a killed module unwinds with; nothing but the sweep ever sees it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Killed {
    pub(crate) call: HostCall,
    /// Killed after the call had its effect, rather than before it.
    pub(crate) after: bool,
}

/// Counts crash points, and kills the module at one of them.
#[derive(Debug, Default)]
pub(crate) struct CrashPoints {
    passed: Cell<u32>,
    kill_at: Cell<Option<u32>>,
}

impl CrashPoints {
    /// How many points were passed.
    pub(crate) fn passed(&self) -> u32 {
        self.passed.get()
    }

    /// Kills the module at the point with this number, from 0.
    pub(crate) fn kill_at(&self, point: u32) {
        self.passed.set(0);
        self.kill_at.set(Some(point));
    }

    pub(crate) fn disarm(&self) {
        self.kill_at.set(None);
    }

    /// Passes a point. Unwinds without the panic hook, since nobody is to see it.
    pub(crate) fn reach(&self, call: HostCall, after: bool) {
        let point = self.passed.replace(self.passed.get() + 1);
        if self.kill_at.get() == Some(point) {
            self.kill_at.set(None);
            resume_unwind(Box::new(Killed { call, after }));
        }
    }
}
