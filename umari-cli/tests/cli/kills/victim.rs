//! The server that is killed.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::api::Api;
use crate::support::umari;

/// `umari serve`, which is to be killed.
pub(super) struct Victim {
    child: Child,
    /// What it prints on stdout; the channel ends with the process.
    lines: Receiver<String>,
    pub(super) api: Api,
}

impl Victim {
    /// Starts the server on `data`. What it logs is appended to the file `log`.
    pub(super) fn spawn(data: &Path, target: &str, log: &Path) -> Self {
        let log = File::options().create(true).append(true).open(log);
        let mut child = umari()
            .args(["serve", "--addr", "127.0.0.1:0", "--no-banner"])
            .args(["--allow-http", target])
            .arg("--data-dir")
            .arg(data)
            .stdout(Stdio::piped())
            .stderr(log.expect("a log file"))
            .spawn()
            .expect("the binary starts");
        let stdout = BufReader::new(child.stdout.take().expect("a stdout"));
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                // The last lines of one that is killed interest nobody.
                let _ = sender.send(line);
            }
        });
        Self {
            child,
            lines,
            api: Api::at(String::new()),
        }
    }

    /// Waits until the API answers, for `patience` at most; whether it does.
    pub(super) fn is_ready_within(&mut self, patience: Duration) -> bool {
        let end = Instant::now() + patience;
        loop {
            match self
                .lines
                .recv_timeout(end.saturating_duration_since(Instant::now()))
            {
                Ok(line) => {
                    let url = line.strip_prefix("ready: listening on ");
                    if let Some(url) = url {
                        self.api = Api::at(url.to_owned());
                        return true;
                    }
                }
                Err(RecvTimeoutError::Timeout) => return false,
                Err(RecvTimeoutError::Disconnected) => {
                    let status = self.child.wait().expect("an end");
                    panic!("the server ended by itself before it was ready: {status}");
                }
            }
        }
    }

    /// Waits until the process ends by itself, for `patience` at most; whether it did.
    pub(super) fn ends_within(&self, patience: Duration) -> bool {
        let end = Instant::now() + patience;
        loop {
            match self
                .lines
                .recv_timeout(end.saturating_duration_since(Instant::now()))
            {
                Ok(_) => {}
                Err(RecvTimeoutError::Timeout) => return false,
                Err(RecvTimeoutError::Disconnected) => return true,
            }
        }
    }

    /// Asks for a stop in order.
    pub(super) fn ask_to_stop(&self) {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        // It fails where the process has ended.
        let _ = kill_process(pid.expect("a pid"), Signal::TERM);
    }

    /// Kills the process; whether that is what ended it.
    pub(super) fn kill(mut self) -> bool {
        use std::os::unix::process::ExitStatusExt as _;
        self.child.kill().expect("a process");
        let status = self.child.wait().expect("an end");
        assert!(
            status.signal() == Some(9) || status.success(),
            "the server ended by itself: {status}"
        );
        status.signal() == Some(9)
    }
}

impl Drop for Victim {
    fn drop(&mut self) {
        // Both fail when it has ended, which is fine.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
