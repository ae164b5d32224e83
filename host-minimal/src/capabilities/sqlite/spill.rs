//! The files that SQLite makes to sort and to join. They count against no database, and the disk that
//! they fill may be the one of the event log.

use std::path::Path;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::guards::millis;
use crate::limits;

/// Between two looks at the disk.
const PAUSE: Duration = Duration::from_millis(50);

/// Ends calls that are at SQL for long while the disk of temporary files is nearly full. What is
/// short fills no disk, and goes on on a full one.
#[derive(Debug)]
pub(crate) struct Spill {
    reserve: u64,
    patience: Duration,
    /// When to look next, in milliseconds.
    next: AtomicU64,
    full: AtomicBool,
}

impl Default for Spill {
    fn default() -> Self {
        Self::new(
            limits::SQLITE_SPILL_RESERVE_BYTES,
            limits::SQLITE_SPILL_PATIENCE,
        )
    }
}

impl Spill {
    pub(super) fn new(reserve: u64, patience: Duration) -> Self {
        let this = Self {
            reserve,
            patience,
            next: AtomicU64::default(),
            full: AtomicBool::default(),
        };
        this.begin();
        this
    }

    /// A call begins.
    pub(super) fn begin(&self) {
        self.full.store(false, Ordering::Relaxed);
        self.look_after(self.patience);
    }

    /// Whether the call must end. Asked every few operations, and cheap.
    pub(crate) fn must_end(&self) -> bool {
        if millis(Instant::now()) < self.next.load(Ordering::Relaxed) {
            return false;
        }
        self.look_after(PAUSE);
        let full = free(&DIRECTORY).is_some_and(|free| free < self.reserve);
        self.full.fetch_or(full, Ordering::Relaxed);
        full
    }

    /// Why the call was ended, if this did it.
    pub(crate) fn reason(&self) -> Option<String> {
        self.full.load(Ordering::Relaxed).then(|| {
            format!(
                "the disk of SQLite's temporary files, {}, has less than {} MiB left; sort and join \
                 less at a time, or make room",
                DIRECTORY.display(),
                self.reserve >> 20
            )
        })
    }

    fn look_after(&self, pause: Duration) {
        self.next
            .store(millis(Instant::now() + pause), Ordering::Relaxed);
    }
}

/// Where SQLite puts temporary files: <https://sqlite.org/tempfiles.html#temporary_file_storage_locations>.
static DIRECTORY: LazyLock<std::path::PathBuf> = LazyLock::new(|| {
    let configured = ["SQLITE_TMPDIR", "TMPDIR"]
        .into_iter()
        .filter_map(std::env::var_os);
    let usual = ["/var/tmp", "/usr/tmp", "/tmp"].map(Into::into);
    let mut places = configured.chain(usual).map(std::path::PathBuf::from);
    let usable = |place: &std::path::PathBuf| {
        place.is_dir() && rustix::fs::access(place, rustix::fs::Access::WRITE_OK).is_ok()
    };
    places.find(usable).unwrap_or_else(|| ".".into())
});

/// Bytes that this process may still write there; `None` where nobody knows.
fn free(directory: &Path) -> Option<u64> {
    let disk = rustix::fs::statvfs(directory).ok()?;
    Some(disk.f_bavail.saturating_mul(disk.f_frsize))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_ends_where_there_is_less_room_than_is_kept() {
        let roomy = Spill::new(0, Duration::ZERO);
        assert!(!roomy.must_end());
        assert_eq!(roomy.reason(), None);

        let full = Spill::new(u64::MAX, Duration::ZERO);
        assert!(full.must_end());
        assert!(
            full.reason()
                .is_some_and(|it| it.contains("sort and join less"))
        );
        full.begin();
        assert_eq!(full.reason(), None, "another call");

        let short = Spill::new(u64::MAX, Duration::from_secs(600));
        assert!(!short.must_end(), "what is short goes on");
    }
}
