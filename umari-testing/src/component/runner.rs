//! The processes that run components. A test takes an idle one or starts another, so that tests on
//! several threads do not wait for each other; the end of this process ends them.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Mutex, PoisonError};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::wire::{Answer, Done, Hello, HttpRequest, Line, Request, VERSION};
use crate::report::{Report, Verdict};

/// Names the binary to start instead of the `umari` on the path.
const BINARY: &str = "UMARI_BIN";

/// Those that nobody uses just now.
static IDLE: Mutex<Vec<Runner>> = Mutex::new(Vec::new());

struct Runner {
    child: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
}

/// What came of a request.
pub(super) enum Answered {
    Done(Done),
    /// The component holds nothing of this kind and name, but this.
    Absent(String),
    /// The component cannot be run: why.
    Refused(String),
}

/// Has a component run. `answer` is what its HTTP requests get.
pub(super) fn ask(
    cache: &Path,
    request: &Request<'_>,
    answer: &mut dyn FnMut(HttpRequest) -> Answer,
) -> Verdict<Answered> {
    let idle = IDLE.lock().unwrap_or_else(PoisonError::into_inner).pop();
    let mut runner = match idle {
        Some(runner) => runner,
        None => Runner::start(cache)?,
    };
    let answered = runner.converse(request, answer);
    match answered {
        Ok(answered) => {
            let mut idle = IDLE.lock().unwrap_or_else(PoisonError::into_inner);
            idle.push(runner);
            Ok(answered)
        }
        Err(error) => Err(Box::new(
            Report::new("the process that runs components ended in the middle of a scenario")
                .cause(format!("{error}{}", runner.end()))
                .fix("look at what it said on stderr; this is no fault of the module"),
        )),
    }
}

impl Runner {
    fn start(cache: &Path) -> Verdict<Self> {
        let binary = std::env::var_os(BINARY).unwrap_or_else(|| "umari".into());
        let named = binary.to_string_lossy().into_owned();
        let failed = |cause: String| {
            Box::new(
                Report::new(format!(
                    "components are run by the command `{named}`, which could not be started"
                ))
                .cause(cause)
                .fix(format!(
                    "install umari-cli, or name its binary in {BINARY}; `umari test` does that by itself"
                )),
            )
        };
        let mut child = Command::new(&binary)
            .arg("__trial")
            .arg(cache)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| failed(error.to_string()))?;
        let (Some(stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(failed("it has no stdin or stdout".to_owned()));
        };
        let mut runner = Self {
            child,
            stdin,
            stdout: BufReader::new(stdout),
        };
        let hello: Hello = match runner.hear() {
            Ok(hello) => hello,
            Err(error) => return Err(failed(format!("{error}{}", runner.end()))),
        };
        if hello.speaks == VERSION {
            return Ok(runner);
        }
        Err(Box::new(
            Report::new(format!(
                "the command `{named}` and this umari-testing do not understand each other"
            ))
            .cause(format!(
                "`{named}` is umari {}, umari-testing is {}",
                hello.umari,
                env!("CARGO_PKG_VERSION")
            ))
            .fix("install the umari-cli of the same version as umari-testing"),
        ))
    }

    fn converse(
        &mut self,
        request: &Request<'_>,
        answer: &mut dyn FnMut(HttpRequest) -> Answer,
    ) -> std::io::Result<Answered> {
        self.say(request)?;
        loop {
            match self.hear()? {
                Line::Send(request) => {
                    let answer = answer(request);
                    self.say(&answer)?;
                }
                Line::Done(done) => return Ok(Answered::Done(done)),
                Line::Absent(exports) => return Ok(Answered::Absent(exports)),
                Line::Refused(why) => return Ok(Answered::Refused(why)),
            }
        }
    }

    fn say(&mut self, line: &impl Serialize) -> std::io::Result<()> {
        let mut text = serde_json::to_vec(line)?;
        text.push(b'\n');
        self.stdin.write_all(&text)?;
        self.stdin.flush()
    }

    fn hear<T: DeserializeOwned>(&mut self) -> std::io::Result<T> {
        let mut line = String::new();
        if self.stdout.read_line(&mut line)? == 0 {
            return Err(std::io::Error::other("it said nothing"));
        }
        Ok(serde_json::from_str(&line)?)
    }

    /// Ends the process; how it ended, for a message.
    fn end(mut self) -> String {
        drop(self.stdin);
        match self.child.wait() {
            Ok(status) => format!("; it ended with {status}"),
            Err(_) => String::new(),
        }
    }
}
