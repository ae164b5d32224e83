//! `umari backup`: the event log as a file.

use std::fs::{File, OpenOptions};
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::os::fd::AsFd as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use host_minimal::backup::{
    BackupError, Damage, Keys, Outline, Request, back_up_directory, outline,
};
use serde_json::json;

use crate::args::{BackupArgs, BackupKeys};
use crate::client::Client;
use crate::host::because;
use crate::output::fault::Fault;
use crate::output::{self, GOOD, units};

/// How many events pass between two looks at the transient line.
const PROGRESS_EVENTS: u64 = 1_000;

/// Makes a backup, or checks some.
pub(crate) fn run(args: &BackupArgs) -> anyhow::Result<()> {
    if args.verify {
        return Ok(verify(&args.files, args.json)?);
    }
    let [file] = args.files.as_slice() else {
        return Err(Fault::usage("a backup is one file")
            .help("name one, or check several with --verify")
            .into());
    };
    let request = request(args)?;
    if file.as_os_str() == "-" {
        return Ok(to_stdout(args, &request)?);
    }
    if file.exists() {
        return Err(Fault::new(format!("{} is there already", file.display()))
            .help(format!(
                "choose another name; what came after it: umari backup NEW --onto {}",
                file.display()
            ))
            .into());
    }
    let made = to_file(args, &request, file)?;
    let size = file.metadata().map(|it| it.len()).unwrap_or_default();
    if args.json {
        output::json(&document(file, &made));
    } else {
        let what = format!(
            "{} to {} ({})",
            held(&made),
            file.display(),
            units::bytes(size)
        );
        output::result(&output::status_line(GOOD, "Backed up", &what));
    }
    Ok(())
}

/// What is wanted. A backup to go on from is checked, since a new piece of it is worth no more.
fn request(args: &BackupArgs) -> Result<Request, Fault> {
    let mut request = Request {
        after: args.from.unwrap_or(0),
        keys: match args.keys {
            BackupKeys::Wrapped => Keys::Wrapped,
            BackupKeys::None => Keys::None,
        },
        ..Request::default()
    };
    if let Some(before) = &args.onto {
        let before = read(before)?;
        (request.after, request.after_id) = (before.head, before.head_id);
    }
    Ok(request)
}

/// Writes beside the file, which appears when it is whole and on disk.
fn to_file(args: &BackupArgs, request: &Request, file: &Path) -> Result<Outline, Fault> {
    let mut unfinished = file.as_os_str().to_owned();
    unfinished.push(".part");
    let unfinished = PathBuf::from(unfinished);
    let made = to_new_file(args, request, &unfinished);
    let named = made.and_then(|made| {
        std::fs::rename(&unfinished, file)
            .map_err(|error| cannot_write(file, &error))
            .map(|()| made)
    });
    if named.is_err() {
        // Half a backup is none.
        let _ = std::fs::remove_file(&unfinished);
    }
    output::clear_transient();
    named
}

fn to_new_file(args: &BackupArgs, request: &Request, path: &Path) -> Result<Outline, Fault> {
    let mut out = BufWriter::new(create(path).map_err(|error| cannot_write(path, &error))?);
    let made = if let Some(dir) = &args.data_dir {
        from_directory(dir, request, &mut out)?;
        None
    } else {
        Some(from_server(args, request, &mut out)?)
    };
    let file = out.into_inner().map_err(io::IntoInnerError::into_error);
    file.and_then(|file| file.sync_all())
        .map_err(|error| cannot_write(path, &error))?;
    match made {
        Some(made) => Ok(made),
        None => read(path),
    }
}

/// Events may be anyone's business, so the file is its owner's.
fn create(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)
}

fn to_stdout(args: &BackupArgs, request: &Request) -> Result<(), Fault> {
    let failed = |error: io::Error| cannot_write(Path::new("stdout"), &error);
    // A descriptor of its own: what is opened prints what it opens, and that goes nowhere.
    let stdout = io::stdout().as_fd().try_clone_to_owned().map_err(failed)?;
    let mut out = BufWriter::new(File::from(stdout));
    match &args.data_dir {
        Some(dir) => from_directory(dir, request, &mut out)?,
        None => drop(from_server(args, request, &mut out)?),
    }
    out.flush().map_err(failed)
}

fn from_directory(dir: &Path, request: &Request, out: &mut dyn Write) -> Result<(), Fault> {
    let made = output::without_stdout(|| back_up_directory(dir, request, out));
    made.map_err(|error| {
        let what = format!("no backup of {} was made", dir.display());
        let fault = because(Fault::new(what), &error);
        match error {
            BackupError::DataDir(_) => fault.help("back up a server that runs with --url"),
            _ => fault,
        }
    })
}

/// Copies what the server sends, and proves it on the way.
fn from_server(
    args: &BackupArgs,
    request: &Request,
    out: &mut dyn Write,
) -> Result<Outline, Fault> {
    let client = Client::new(&args.server.url, args.server.api_key.clone())?;
    let keys = match request.keys {
        Keys::Wrapped => "wrapped",
        Keys::None => "none",
    };
    let sent = client.backup(request.after, request.after_id, keys)?;
    let mut input = BufReader::new(Tee {
        from: sent,
        to: out,
    });
    outline(&mut input, &mut shown("Backing up"))
        .map_err(|damage| broken("no backup was made", &damage))
}

/// Reads, and writes what it reads.
struct Tee<'a, R> {
    from: R,
    to: &'a mut dyn Write,
}

impl<R: Read> Read for Tee<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.from.read(buffer)?;
        self.to.write_all(&buffer[..read])?;
        Ok(read)
    }
}

/// `--verify`.
fn verify(files: &[PathBuf], json: bool) -> Result<(), Fault> {
    let mut before: Option<(&PathBuf, Outline)> = None;
    for file in files {
        let found = read(file)?;
        if let Some((earlier, outline)) = &before
            && !found.goes_on_from(outline)
        {
            return Err(Fault::new(format!(
                "{} does not go on from {}",
                file.display(),
                earlier.display()
            ))
            .why(format!(
                "that one ends with position {}, this one begins behind {}, of the same log or of \
                 another",
                outline.head, found.after
            ))
            .help("name the files in the order in which they were made"));
        }
        if json {
            output::json(&document(file, &found));
        } else {
            let what = format!("{}: {}", file.display(), held(&found));
            output::result(&output::status_line(GOOD, "Verified", &what));
        }
        before = Some((file, found));
    }
    Ok(())
}

/// Reads a file to its end.
fn read(path: &Path) -> Result<Outline, Fault> {
    let opened = File::open(path).map_err(|error| {
        Fault::usage(format!("{} cannot be opened", path.display())).why(error.to_string())
    })?;
    let read = outline(&mut BufReader::new(opened), &mut shown("Checking"));
    output::clear_transient();
    read.map_err(|damage| broken(&format!("{} is no whole backup", path.display()), &damage))
}

/// Shows how far it is, now and then.
pub(crate) fn shown(verb: &'static str) -> impl FnMut(u64, u64) {
    move |position, head| {
        if position.is_multiple_of(PROGRESS_EVENTS) {
            output::transient(verb, &format!("event {position} of {head}"));
        }
    }
}

/// What a backup has, in words.
fn held(outline: &Outline) -> String {
    let events = match outline.events {
        0 => format!("no event behind position {}", outline.after),
        1 => format!("event {}", outline.head),
        _ => format!("events {} to {}", outline.after + 1, outline.head),
    };
    match outline.keys {
        None => format!("{events}, without data keys"),
        Some(1) => format!("{events} and 1 data key"),
        Some(keys) => format!("{events} and {keys} data keys"),
    }
}

fn document(file: &Path, outline: &Outline) -> serde_json::Value {
    json!({
        "file": file,
        "log": outline.log,
        "after": outline.after,
        "head": outline.head,
        "events": outline.events,
        "keys": outline.keys,
        "shredded": outline.shredded,
        "host": outline.host,
        "taken_at": outline.taken_at,
    })
}

fn broken(what: &str, damage: &Damage) -> Fault {
    Fault::new(what).why(damage.to_string())
}

fn cannot_write(path: &Path, error: &io::Error) -> Fault {
    Fault::new(format!("{} cannot be written", path.display())).why(error.to_string())
}
