//! Running the real binary, to its end or as a server.

use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::thread::JoinHandle;
use std::time::Duration;

/// How long a test waits for what must happen before it gives up.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// A call of the binary in an environment without settings of this machine's user.
pub(crate) fn umari() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_umari"));
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(|name| name.starts_with("UMARI_")) {
            command.env_remove(name);
        }
    }
    command.env("NO_COLOR", "1").stdin(Stdio::null());
    command
}

/// The same call in a process that is not ended by a file over its limit: the write fails, as on a
/// full disk.
#[cfg(unix)]
pub(crate) fn with_failing_writes(command: &Command) -> Command {
    // An ignored signal stays ignored in the program that the shell becomes.
    through_shell("trap '' XFSZ; exec \"$@\"", command)
}

/// The same, where no file may have more than a few megabytes.
#[cfg(unix)]
pub(crate) fn on_a_small_disk(command: &Command) -> Command {
    through_shell("trap '' XFSZ; ulimit -S -f 4096; exec \"$@\"", command)
}

/// The same call as `"$@"` of a script.
#[cfg(unix)]
pub(crate) fn through_shell(script: &str, command: &Command) -> Command {
    let mut shell = Command::new("sh");
    shell
        .args(["-c", script, "sh"])
        .arg(command.get_program())
        .args(command.get_args())
        .stdin(Stdio::null());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => shell.env(name, value),
            None => shell.env_remove(name),
        };
    }
    if let Some(dir) = command.get_current_dir() {
        shell.current_dir(dir);
    }
    shell
}

/// Lets the files of a process grow to so many bytes and no further; `None` makes room again.
#[cfg(unix)]
pub(crate) fn fill_disk(pid: u32, bytes: Option<u64>) {
    use rustix::process::{Pid, Resource, Rlimit, getrlimit, prlimit};
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
    // The hard limit stays what it is here: only the superuser could raise it again.
    let maximum = getrlimit(Resource::Fsize).maximum;
    let limit = Rlimit {
        current: bytes.or(maximum),
        maximum,
    };
    prlimit(Some(pid.expect("a pid")), Resource::Fsize, limit).expect("a limit");
}

/// What a call that ended left behind.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Runs a call to its end.
pub(crate) fn run(command: &mut Command) -> Ended {
    let output = command.output().expect("the binary starts");
    Ended {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).expect("stdout is text"),
        stderr: String::from_utf8(output.stderr).expect("stderr is text"),
    }
}

/// Runs the binary with these arguments to its end.
pub(crate) fn umari_with<S: AsRef<OsStr>>(args: impl IntoIterator<Item = S>) -> Ended {
    run(umari().args(args))
}

/// Runs the binary with this text on stdin.
pub(crate) fn umari_fed(args: &[&str], stdin: &str) -> Ended {
    let mut child = umari()
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    child
        .stdin
        .take()
        .expect("a stdin")
        .write_all(stdin.as_bytes())
        .expect("written");
    let output = child.wait_with_output().expect("an end");
    Ended {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).expect("stdout is text"),
        stderr: String::from_utf8(output.stderr).expect("stderr is text"),
    }
}

/// `umari serve` or `umari dev` on a free port, ready to be called. Killed when dropped.
pub(crate) struct Server {
    child: Child,
    stdout: BufReader<ChildStdout>,
    stderr: JoinHandle<String>,
    /// The API's URL, as the server printed it.
    pub(crate) url: String,
    /// Everything on stdout up to the line that says `ready:`.
    pub(crate) opening: String,
}

impl Server {
    /// Starts `umari serve` on a data directory.
    pub(crate) fn serve(data_dir: &Path) -> Self {
        Self::start(
            umari()
                .arg("serve")
                .arg("--data-dir")
                .arg(data_dir)
                .args(["--addr", "127.0.0.1:0"]),
        )
    }

    /// Starts `umari dev` on a directory with modules. Prepared for tests with an example.
    #[allow(dead_code, reason = "for the end-to-end tests of the examples")]
    pub(crate) fn dev(path: &Path, data_dir: &Path, more: &[&str]) -> Self {
        let mut command = umari();
        command
            .arg("dev")
            .arg(path)
            .arg("--data-dir")
            .arg(data_dir)
            .args(["--addr", "127.0.0.1:0"])
            .args(more);
        Self::start(&mut command)
    }

    /// Starts a server and reads its stdout up to the line that says `ready:`.
    pub(crate) fn start(command: &mut Command) -> Self {
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        let stdout = BufReader::new(child.stdout.take().expect("a stdout"));
        let mut stream = child.stderr.take().expect("a stderr");
        // Read all along: a full pipe would stop the server.
        let stderr = std::thread::spawn(move || {
            let mut text = Vec::new();
            let _ = stream.read_to_end(&mut text);
            String::from_utf8_lossy(&text).into_owned()
        });
        let mut server = Self {
            child,
            stdout,
            stderr,
            url: String::new(),
            opening: String::new(),
        };
        server.wait_until_ready();
        server
    }

    fn wait_until_ready(&mut self) {
        loop {
            let mut line = String::new();
            if self.stdout.read_line(&mut line).expect("stdout is text") == 0 {
                let status = self.child.wait().expect("an end");
                let stderr = self.take_stderr();
                let opening = &self.opening;
                panic!("the server ended with {status} before it was ready\n{opening}{stderr}");
            }
            self.opening.push_str(&line);
            if line.starts_with("ready:") {
                let url = line
                    .split_whitespace()
                    .find(|word| word.starts_with("http://"));
                self.url = url.expect("a url").to_owned();
                return;
            }
        }
    }

    /// Everything on stderr, once the server has ended.
    fn take_stderr(&mut self) -> String {
        std::mem::replace(&mut self.stderr, std::thread::spawn(String::new))
            .join()
            .expect("a reader")
    }

    /// The next line on stdout, such as the one for a swapped module.
    #[allow(dead_code, reason = "for the end-to-end tests of the examples")]
    pub(crate) fn next_line(&mut self) -> Option<String> {
        let mut line = String::new();
        let read = self.stdout.read_line(&mut line).expect("stdout is text");
        (read > 0).then(|| line.trim_end().to_owned())
    }

    /// The process id.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits until the server ends by itself.
    pub(crate) fn wait(mut self) -> (ExitStatus, String) {
        let status = self.child.wait().expect("an end");
        let stderr = self.take_stderr();
        (status, stderr)
    }

    /// Sends a signal by its name, such as `TERM`, and waits for the end.
    #[cfg(unix)]
    pub(crate) fn end_by(mut self, signal: &str) -> (ExitStatus, String) {
        let sent = Command::new("kill")
            .args([&format!("-{signal}"), &self.pid().to_string()])
            .status();
        assert!(sent.expect("kill runs").success());
        let status = self.child.wait().expect("an end");
        let stderr = self.take_stderr();
        (status, stderr)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Both fail when it has ended, which is fine.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
