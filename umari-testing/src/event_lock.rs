//! A test that every stored event stays readable, and the file that it keeps.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use umari::decider::Decider;
use umari::event::Event;
use umari::fold::Fold;

mod advice;
mod compare;
mod file;
mod kind;
mod replay;
mod shape;
#[cfg(test)]
mod tests;
mod upcast;

pub(crate) use self::kind::Kind;

use self::compare::{Comparison, Registered};
use self::file::{FILE_NAME, LockFile};
use self::replay::Replay;
use crate::events::{Events, Fact};
use crate::report::{Report, Verdict, demand};

/// The event lock of the crate whose test this is: `umari-events.lock` beside its `Cargo.toml`.
///
/// See [`EventLock`].
#[macro_export]
macro_rules! event_lock {
    () => {
        $crate::EventLock::in_folder(::core::env!("CARGO_MANIFEST_DIR"))
    };
}

/// Keeps in a file what stores may hold, and checks that the code of today reads all of it.
///
/// Events are never rewritten, so whatever an event looked like in any release has to be read by
/// every later one. One test says which events a crate has, by a sample of each, and which folds
/// read them:
///
/// ```
/// # let folder = std::env::temp_dir().join(format!("umari-event-lock-{}", std::process::id()));
/// # std::fs::create_dir_all(&folder).unwrap();
/// use umari::prelude::*;
/// use umari_testing::prelude::*;
///
/// #[derive(Event, DomainIds, Serialize, Deserialize)]
/// #[event_type("shop.connected")]
/// struct ShopConnected {
///     #[domain_id]
///     shop_id: u64,
///     name: String,
/// }
///
/// # /*
/// #[test]
/// # */
/// fn stored_events_stay_readable() {
/// # use umari_testing::{EventLock, Writing};
/// # macro_rules! event_lock { () => {
/// #     EventLock::in_folder(std::env::temp_dir().join(format!("umari-event-lock-{}", std::process::id())))
/// #         .writing(Writing::Additions)
/// # } }
///     event_lock!()
///         .event(ShopConnected { shop_id: 42, name: "Tea & Kettles".to_owned() })
///         .fold(EventCounter::<ShopConnected>::new().with("shop_id", 42))
///         .check();
/// }
/// # stored_events_stay_readable();
/// # let text = std::fs::read_to_string(folder.join("umari-events.lock")).unwrap();
/// # assert!(text.contains(r#""type": "shop.connected""#) && text.contains(r#""name": "string""#));
/// # std::fs::remove_dir_all(folder).unwrap();
/// ```
///
/// The first run writes `umari-events.lock`, which is committed as `Cargo.lock` is. For each event
/// type and version it has the domain ids, the crypto scope, the shape (fields and their JSON
/// types) and what the sample was at that time, tags included.
///
/// # What is checked
///
/// - Every locked payload of every version is read by the code of today, through its upcasts and
///   aliases. What it reads of the present version it also writes as it was, new fields apart.
/// - Every locked payload is replayed through every fold that is registered, in the place that the
///   sample of its type has among the samples. Give the samples in the order in which they happen.
/// - Domain ids and crypto scopes stay what they are: stored events keep their tags and keys.
/// - An entry stays as long as stores may hold such events. Only a person removes one.
///
/// Where one does not hold, the failure says which field it is and what to write: the upcast from
/// the locked version, `#[serde(default)]`, the alias, or `#[domain_id("old_name")]`.
///
/// # When the file is written
///
/// - Without a file the test writes one, and passes. In CI (the variable `CI` is set, to anything but
///   `false`) it fails instead: there a missing file is one that nobody committed.
/// - A new event, a new version, a field that old payloads are read without, and any other change that loses
///   nothing make the test fail until it is run with `UMARI_UPDATE=1`, which adds to the file.
/// - Nothing else is ever written. A change that makes stored events unreadable cannot be added. Who
///   deletes the file deletes what is known of earlier versions.
///
/// A crate with folds of its own over the events of another checks them against that crate's file:
/// [`EventLock::in_folder`] with the path of the other crate, its samples, and [`Writing::Nothing`].
///
/// # What it does not see
///
/// What an upcast makes of an old payload is read, and not compared with anything: a test of its own, with
/// [`Events::with_stored`], says what it has to be. A sample shows one value of each field, so take the one that says most: options that are `Some`,
/// lists with an element. A variant of an enum that no sample shows is not locked.
#[must_use = "an event lock checks nothing until `check`"]
pub struct EventLock {
    folder: PathBuf,
    writing: Writing,
    facts: Vec<Fact>,
    folds: Vec<Replay>,
}

/// What an [`EventLock`] may write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Writing {
    /// Nothing at all, as in CI.
    Nothing,
    /// The file, where there is none.
    Missing,
    /// That, and what can be added to it without loss, as with `UMARI_UPDATE=1`.
    Additions,
}

impl Writing {
    /// What the variables of the environment ask for.
    fn wanted(variable: impl Fn(&str) -> Option<OsString>) -> Self {
        let is_set = |name| {
            variable(name).is_some_and(|value| !["", "0", "false"].iter().any(|no| value == *no))
        };
        if is_set("UMARI_UPDATE") {
            Self::Additions
        } else if is_set("CI") {
            Self::Nothing
        } else {
            Self::Missing
        }
    }
}

impl std::fmt::Debug for EventLock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EventLock")
            .field("folder", &self.folder)
            .field("writing", &self.writing)
            .field("events", &self.facts.len())
            .field("folds", &self.folds.len())
            .finish()
    }
}

impl EventLock {
    /// The lock in a folder. [`event_lock!`](crate::event_lock) knows the crate's own.
    pub fn in_folder(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
            writing: Writing::wanted(|name| std::env::var_os(name)),
            facts: Vec::new(),
            folds: Vec::new(),
        }
    }

    /// Registers an event type by a sample. Its name, aliases, version and domain ids are the derive's.
    ///
    /// # Panics
    ///
    /// Panics where the sample's `Serialize` fails.
    #[track_caller]
    pub fn event<E: Event>(self, sample: E) -> Self {
        self.events(Events::new().with(sample))
    }

    /// Registers the types of several samples.
    ///
    /// One that was added by [`Events::with_stored`] is an event as an earlier release stored it,
    /// from before there was a lock. Once it is in the file the test no longer needs it.
    pub fn events(mut self, samples: Events) -> Self {
        self.facts.extend(samples.facts().iter().cloned());
        self
    }

    /// Registers a fold, with domain ids that the samples have.
    pub fn fold<F: Fold>(mut self, fold: F) -> Self {
        self.folds.push(Replay::fold(fold));
        self
    }

    /// Registers a decider, whose state is read in the same way.
    pub fn decider<D: Decider>(mut self, decider: D) -> Self {
        self.folds.push(Replay::decider(decider));
        self
    }

    /// Says what may be written, in place of the environment.
    pub fn writing(mut self, writing: Writing) -> Self {
        self.writing = writing;
        self
    }

    /// Checks, and writes what may be written.
    ///
    /// # Panics
    ///
    /// Panics where something does not hold, and where the file cannot be used or written.
    #[track_caller]
    pub fn check(self) {
        demand(self.run());
    }

    fn run(&self) -> Verdict {
        let path = self.folder.join(FILE_NAME);
        let registered = Registered::new(&self.facts)?;
        let locked = LockFile::read(&path).map_err(|error| advice::unusable(&error))?;
        if locked.is_none() && self.writing == Writing::Nothing {
            return Err(Box::new(advice::not_committed(&path)));
        }
        let is_first = locked.is_none();
        let locked = locked.unwrap_or_default();
        let Comparison {
            next,
            faults,
            pending,
        } = compare::compare(&registered, &locked);
        first(faults)?;
        for fold in &self.folds {
            replay::check(fold, &next, &registered)?;
        }
        if !is_first && self.writing != Writing::Additions {
            first(pending)?;
        }
        if next != locked {
            write(&next, &path)?;
        }
        Ok(())
    }
}

/// The first of `reports` as the failure, which also names the others.
fn first(reports: Vec<Report>) -> Verdict {
    let mut reports = reports.into_iter();
    let Some(report) = reports.next() else {
        return Ok(());
    };
    let others: Vec<_> = reports.map(|report| report.headline().to_owned()).collect();
    Err(Box::new(report.section("besides", others.join("\n"))))
}

fn write(lock: &LockFile, path: &Path) -> Verdict {
    lock.write(path).map_err(|error| {
        Box::new(
            Report::new(format!("`{FILE_NAME}` cannot be written"))
                .section("file", path.display().to_string())
                .cause(error.to_string())
                .fix("let this test write to the folder; or run it where it can, and commit the file"),
        )
    })?;
    eprintln!("wrote {}: commit it", path.display());
    Ok(())
}
