//! A program that cannot outlive the session that wanted it.
//!
//! `umari dev` starts each program through a second `umari`, the guard, and holds the other end of
//! its stdin. However the session ends, SIGKILL included, the system closes that end; the guard
//! sees it and ends the program. So no sink of yesterday holds the port of today's.

use std::ffi::OsString;
use std::io::Read as _;
use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;

use crate::output::fault::Fault;

/// How long a program may take to end by itself.
const GRACE: Duration = Duration::from_secs(3);

/// The guard's whole work: run the program until it ends or stdin does.
pub(crate) fn run(command: &[OsString]) -> anyhow::Result<ExitCode> {
    let [program, args @ ..] = command else {
        return Err(Fault::usage("no program to run").into());
    };
    let mut child = Command::new(program)
        .args(args)
        .stdin(Stdio::null())
        .spawn()
        .map_err(|error| {
            Fault::new(format!(
                "{} could not be started",
                program.to_string_lossy()
            ))
            .why(error.to_string())
        })?;
    let pid = child.id();
    std::thread::spawn(move || {
        // Nobody writes here: the read ends when the session does.
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        end(pid, false);
        std::thread::sleep(GRACE);
        end(pid, true);
        // On its way out already, or beyond our reach.
        std::process::exit(1);
    });
    let status = child.wait()?;
    Ok(ExitCode::from(
        status
            .code()
            .and_then(|code| u8::try_from(code).ok())
            .unwrap_or(1),
    ))
}

/// Ends the program, which is not waited for yet, so the id is still its own.
#[cfg(unix)]
fn end(pid: u32, by_force: bool) {
    use rustix::process::{Pid, Signal, kill_process};
    let signal = if by_force { Signal::KILL } else { Signal::TERM };
    if let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) {
        let _ = kill_process(pid, signal);
    }
}

#[cfg(not(unix))]
fn end(pid: u32, by_force: bool) {
    if by_force {
        let _ = Command::new("taskkill")
            .args(["/F", "/T", "/PID", &pid.to_string()])
            .status();
    }
}
