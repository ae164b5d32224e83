//! `umari projectors replay` and `umari effects replay`: building anew what follows from the log.

use std::path::Path;
use std::time::Duration;

use serde_json::json;
use tempfile::NamedTempFile;

use crate::args::{ReplayArgs, ReplayEffectArgs};
use crate::client::Client;
use crate::client::replay::Replay;
use crate::output::fault::Fault;
use crate::output::{self, BUSY, GOOD, units};

/// How often a replay is looked at while it is followed.
const LOOK_INTERVAL: Duration = Duration::from_millis(200);
/// Characters of a progress bar.
const BAR_CHARS: u64 = 20;

/// `umari projectors replay`.
pub(crate) fn run(args: &ReplayArgs) -> Result<(), Fault> {
    let client = Client::new(&args.server.url, args.server.api_key.clone())?;
    if let (Some(until), Some(into)) = (&args.until, &args.into) {
        return read_model_as_of(&client, args, until, into);
    }
    let replay = if args.cancel {
        client.cancel_replay(&args.name)?
    } else if args.status {
        client.replay_status(&args.name)?
    } else {
        client.replay(&args.name)?
    };
    if args.follow {
        return follow(&client, replay, args.json);
    }
    if args.json || args.cancel || replay.has_ended() {
        show(&replay, args.json);
    } else {
        show_begun(&replay);
    }
    Ok(())
}

/// Shows a replay that goes on after this command.
pub(crate) fn show_begun(replay: &Replay) {
    show(replay, false);
    if let Some(running) = &replay.replaces {
        let version = &replay.version;
        output::progress(&format!("{running} runs until {version} knows as much"));
    }
    let name = &replay.name;
    output::progress(&format!(
        "follow it with `umari projectors replay {name} --status --follow`"
    ));
}

/// `umari effects replay`.
pub(crate) fn effect(args: &ReplayEffectArgs) -> Result<(), Fault> {
    let client = Client::new(&args.server.url, args.server.api_key.clone())?;
    let answer = client.replay_effect(&args.name)?;
    if args.json {
        output::json(&answer);
        return Ok(());
    }
    let what = format!("effect {} from the first event on", args.name);
    output::status(BUSY, "Replaying", &what);
    output::progress("see how far it is with `umari modules`");
    Ok(())
}

/// Why there is no `umari commands replay`.
pub(crate) fn of_a_command(name: &str) -> Fault {
    Fault::usage(format!("the command {name} keeps nothing that could be replayed"))
        .why("a command reads the events that it decides on each time that it is executed")
        .help("`umari projectors replay NAME` builds a read model anew, `umari effects replay NAME` repeats an effect")
}

/// Shows progress until the replay has ended; a fault when that is not a new read model.
pub(crate) fn follow(client: &Client, mut replay: Replay, json: bool) -> Result<(), Fault> {
    while !replay.has_ended() {
        if json {
            output::json(&replay.raw);
        } else {
            output::transient("Replaying", &progress(&replay));
        }
        std::thread::sleep(LOOK_INTERVAL);
        replay = client.replay_status(&replay.name)?;
    }
    output::clear_transient();
    show(&replay, json);
    if replay.state == "done" {
        return Ok(());
    }
    let what = format!("projector {} was not replayed", replay.name);
    if json {
        return Err(Fault::shown(what));
    }
    let fault = Fault::new(what).why(reason(&replay));
    Err(match &replay.failure {
        Some(_) => fault.help(
            "its read model is as it was; deploy a version that handles the event, and replay again",
        ),
        None => fault,
    })
}

fn reason(replay: &Replay) -> String {
    if let Some(failure) = &replay.failure {
        return match failure.position {
            Some(position) => format!("event {position}: {}", failure.message),
            None => failure.message.clone(),
        };
    }
    match &replay.cancelled {
        Some(reason) => format!("it was cancelled: {reason}"),
        None => format!("it is {}", replay.state),
    }
}

fn show(replay: &Replay, json: bool) {
    if json {
        output::json(&replay.raw);
        return;
    }
    let what = format!("projector {} {}", replay.name, replay.version);
    match replay.state.as_str() {
        "done" => {
            let line = format!("{what} up to position {}", replay.position);
            output::status(GOOD, "Replayed", &line);
        }
        "cancelled" => output::status(GOOD, "Cancelled", &format!("the replay of {what}")),
        "failed" => output::status(
            output::BAD,
            "Failed",
            &format!("{what}: {}", reason(replay)),
        ),
        "queued" => output::status(BUSY, "Queued", &format!("{what}, behind other replays")),
        _ => output::status(BUSY, "Replaying", &format!("{what}: {}", progress(replay))),
    }
}

/// One line for a replay among other things.
pub(crate) fn line(replay: &Replay) -> String {
    let (name, version) = (&replay.name, &replay.version);
    let how = match (replay.state.as_str(), &replay.replaces) {
        ("failed", _) => format!("the replay of {version} failed: {}", reason(replay)),
        (state, None) => format!("{state} {version}: {}", progress(replay)),
        (state, Some(running)) => {
            format!(
                "{state} {version} to replace {running}: {}",
                progress(replay)
            )
        }
    };
    format!("projector {name}: {how}")
}

/// One line for how far a replay is.
fn progress(replay: &Replay) -> String {
    let done = replay.position.min(replay.head);
    let (filled, percent) = match replay.head {
        0 => (BAR_CHARS, 100),
        head => (done * BAR_CHARS / head, done * 100 / head),
    };
    let bar: String = (0..BAR_CHARS)
        .map(|at| if at < filled { '#' } else { '-' })
        .collect();
    let mut line = format!("[{bar}] {percent} %");
    if let Some(rate) = replay.events_per_second {
        line.push_str(&format!(", {rate:.0} events/s"));
    }
    let remaining = replay
        .remaining_seconds
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    if let Some(remaining) = remaining {
        line.push_str(&format!(", {} left", units::duration(remaining)));
    }
    line
}

/// Writes what a read model said at some time into a file of the user's, which is whole or not there.
fn read_model_as_of(
    client: &Client,
    args: &ReplayArgs,
    until: &str,
    into: &Path,
) -> Result<(), Fault> {
    // Said now and not after the replay.
    if !args.force && into.exists() {
        return Err(Fault::new(format!("{} exists", into.display()))
            .help("give another name, or write over it with --force"));
    }
    let cannot_write = |error: &std::io::Error| {
        Fault::new(format!("cannot write {}", into.display())).why(error.to_string())
    };
    let directory = match into.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let mut file = NamedTempFile::new_in(directory).map_err(|error| cannot_write(&error))?;
    output::transient(
        "Replaying",
        &format!("projector {} up to {until}", args.name),
    );
    let received = client.read_model_as_of(&args.name, until, file.as_file_mut());
    output::clear_transient();
    let received = received?;
    let kept = file.as_file().sync_all().and_then(|()| {
        let kept = if args.force {
            file.persist(into)
        } else {
            file.persist_noclobber(into)
        };
        kept.map(drop).map_err(|error| error.error)
    });
    kept.map_err(|error| cannot_write(&error))?;
    let position = received.position;
    if args.json {
        output::json(&json!({
            "name": args.name,
            "into": into,
            "position": position,
            "size": received.bytes,
        }));
        return Ok(());
    }
    let (into, size) = (into.display(), units::bytes(received.bytes));
    let what = format!(
        "projector {} as of position {position} to {into} ({size})",
        args.name
    );
    output::status(GOOD, "Wrote", &what);
    Ok(())
}
