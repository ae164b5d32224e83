//! The data directory, part by part, and the disk that it is on.

use std::path::{Path, PathBuf};

use host_minimal::survey::{Catalogue, Found, Survey, survey};

use super::{Check, State};
use crate::args::{DEFAULT_DATA_DIR, DEV_DATA_DIR, DoctorArgs};
use crate::host;
use crate::output;
use crate::output::fault::Fault;
use crate::output::units;

/// Less than this and the event store cannot take its next step of 256 MiB.
const SPACE_NEEDED_BYTES: u64 = 256 << 20;
/// Less than this is soon too little.
const SPACE_WARNING_BYTES: u64 = 1 << 30;

pub(super) fn checks(args: &DoctorArgs) -> Vec<Check> {
    let dirs: Vec<PathBuf> = match &args.data_dir {
        Some(dir) => vec![dir.clone()],
        None => [
            args.path.join(DEV_DATA_DIR),
            PathBuf::from(DEFAULT_DATA_DIR),
        ]
        .into_iter()
        .filter(|dir| dir.exists())
        .collect(),
    };
    if dirs.is_empty() {
        let none =
            format!("none yet: `umari dev` makes {DEV_DATA_DIR}, `umari serve` {DEFAULT_DATA_DIR}");
        let here = Path::new(DEFAULT_DATA_DIR);
        return vec![Check::new("data", State::None, none), space(here)];
    }
    dirs.iter().flat_map(|dir| directory(dir)).collect()
}

fn directory(dir: &Path) -> Vec<Check> {
    const NAME: &str = "data";
    let shown = dir.display();
    let mut checks = Vec::new();
    let cannot_start = |error: &dyn std::error::Error| {
        let fault = host::because(Fault::new(format!("no host can start on {shown}")), error);
        Check::fault(NAME, &fault)
            .fix("name another directory with --data-dir or UMARI_DATA_DIR, or mend this one")
    };
    // What is opened prints what it opens.
    match output::without_stdout(|| survey(dir, host::master_key().as_deref())) {
        Err(error) => return vec![cannot_start(&error)],
        Ok(Survey::Absent) => {
            let none = format!("{shown} has nothing of umari's yet");
            checks.push(Check::new(NAME, State::None, none));
        }
        Ok(Survey::InUse { process }) => {
            let process = process.map(|id| format!(" (process {id})"));
            let found = format!("a host runs on {shown}{}", process.unwrap_or_default());
            checks.push(Check::ok(NAME, found));
        }
        Ok(Survey::Found(found)) => {
            checks.push(Check::ok(NAME, format!("{shown} is in nobody's use")));
            checks.extend(parts(dir, *found));
        }
        Ok(_) => {}
    }
    checks.extend(writable(dir));
    checks.push(space(dir));
    checks
}

fn parts(dir: &Path, found: Found) -> Vec<Check> {
    let part = |name, what: &str, error: &dyn std::error::Error| {
        Check::fault(name, &host::because(Fault::new(what.to_owned()), error))
    };
    let none = |name, what: &str| {
        let found = format!("no {what} yet: the first start makes it");
        Check::new(name, State::None, found)
    };
    let restore = format!(
        "restore {} from a backup: umari restore --help",
        dir.display()
    );
    let modules = match found.database {
        Ok(Some(catalogue)) => Check::ok("modules", words(catalogue)),
        Ok(None) => none("modules", "umari.sqlite"),
        Err(error) => part("modules", "modules and keys cannot be read", &error)
            .fix(host::fix(&error).unwrap_or(&restore)),
    };
    let key = match found.master_key {
        Ok(true) if host::master_key().is_some() && dir.join("master.key").exists() => {
            let found = "master.key is not in use, as UMARI_MASTER_KEY is set";
            Check::new("key", State::Warning, found)
                .why("it may be an old key, which opens old backups")
                .fix("keep it in a safe place, or destroy it")
        }
        Ok(true) => Check::ok("key", "the master key is the right one"),
        Ok(false) => none("key", "master.key"),
        // Its errors say what to do.
        Err(error) => part("key", "the master key cannot be used", &error),
    };
    let store = match found.head {
        Ok(Some(0)) => Check::ok("store", "the event log is empty"),
        Ok(Some(head)) => Check::ok("store", format!("the event log ends at position {head}")),
        Ok(None) => none("store", "events.db"),
        Err(error) => part("store", "the event log cannot be read", &error).fix(&restore),
    };
    vec![store, modules, key]
}

fn words(catalogue: Catalogue) -> String {
    let counted = |count, what: &str| match count {
        1 => format!("1 {what}"),
        count => format!("{count} {what}s"),
    };
    let update = if catalogue.outdated {
        "; the next start brings its schema up to date"
    } else {
        ""
    };
    format!(
        "{} active, {}{update}",
        counted(catalogue.active_modules, "module"),
        counted(catalogue.data_keys, "data key")
    )
}

/// The directory that is there, or the one in which it would be made.
fn existing(dir: &Path) -> &Path {
    let mut ancestors = dir.ancestors().filter(|dir| !dir.as_os_str().is_empty());
    ancestors.find(|dir| dir.exists()).unwrap_or(Path::new("."))
}

/// A fault where nothing can be written.
#[cfg(unix)]
fn writable(dir: &Path) -> Option<Check> {
    use rustix::fs::{Access, access};
    let place = existing(dir);
    let error = access(place, Access::WRITE_OK | Access::EXEC_OK).err()?;
    let fault = Fault::new(format!("{} cannot be written", place.display()))
        .why(std::io::Error::from(error).to_string())
        .help("give it to the user that runs the host (chown, chmod u+rwx), or name another with --data-dir");
    Some(Check::fault("write", &fault))
}

#[cfg(not(unix))]
fn writable(_: &Path) -> Option<Check> {
    None
}

#[cfg(unix)]
fn space(dir: &Path) -> Check {
    let place = existing(dir);
    match rustix::fs::statvfs(place) {
        Ok(disk) => judge_space(place, disk.f_bavail.saturating_mul(disk.f_frsize)),
        Err(error) => {
            let why = std::io::Error::from(error).to_string();
            Check::new("space", State::Warning, "the free space is not known").why(why)
        }
    }
}

#[cfg(not(unix))]
fn space(_: &Path) -> Check {
    Check::new("space", State::None, "not looked at on this system")
}

fn judge_space(place: &Path, free_bytes: u64) -> Check {
    let found = format!("{} free at {}", units::bytes(free_bytes), place.display());
    let state = match free_bytes {
        ..SPACE_NEEDED_BYTES => State::Fault,
        SPACE_NEEDED_BYTES..SPACE_WARNING_BYTES => State::Warning,
        _ => State::Ok,
    };
    let check = Check::new("space", state, found);
    if state == State::Ok {
        return check;
    }
    check
        .why(format!(
            "the event store grows by {} at once",
            units::bytes(SPACE_NEEDED_BYTES)
        ))
        .fix("make room, or name a directory on another disk with --data-dir")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn little_space_is_a_warning_and_too_little_a_fault() {
        let state = |bytes| judge_space(Path::new("/data"), bytes).state;
        assert_eq!(state(SPACE_NEEDED_BYTES - 1), State::Fault);
        assert_eq!(state(SPACE_NEEDED_BYTES), State::Warning);
        assert_eq!(state(SPACE_WARNING_BYTES - 1), State::Warning);
        assert_eq!(state(SPACE_WARNING_BYTES), State::Ok);
    }

    #[test]
    fn what_is_not_there_is_made_in_what_is() {
        let dir = tempfile::tempdir().expect("a directory");
        assert_eq!(existing(&dir.path().join("a/b")), dir.path());
        assert_eq!(existing(dir.path()), dir.path());
        assert_eq!(existing(Path::new("not-there")), Path::new("."));
    }
}
