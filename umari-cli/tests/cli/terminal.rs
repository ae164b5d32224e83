//! What is drawn on a terminal: bars that are replaced in place, and are gone at the end.

use std::io::{BufReader, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;

use rexpect::session::{PtySession, spawn_command};

use crate::builds::workspace;
use crate::requests::Request;
use crate::support::{PATIENCE, run, through_shell, umari};

/// Removes the line that is replaced in place.
const CLEARED: &str = "\r\x1b[2K";

/// The binary on a terminal of its own, which says at the end with which code it has ended.
struct Screen(PtySession);

impl Screen {
    fn of(command: &Command, variables: &[(&str, &str)]) -> Self {
        // Ctrl-C is for the program, and not for the shell that tells of its end.
        let script = "trap : INT; \"$@\"; echo \"exit code $?\"";
        let mut shell = through_shell(script, command);
        shell
            .env_remove("NO_COLOR")
            .env("TERM", "xterm")
            .envs(variables.iter().copied());
        let patience = u64::try_from(PATIENCE.as_millis()).expect("a short time");
        Self(spawn_command(shell, Some(patience)).expect("a terminal"))
    }

    /// What is drawn until a text is, which is no part of it.
    fn until(&mut self, text: &str) -> String {
        self.0
            .exp_string(text)
            .unwrap_or_else(|error| panic!("no `{text}`: {error}"))
    }

    fn interrupt(&mut self) {
        self.0.send_control('c').expect("a terminal");
    }

    /// What is drawn until the program ends, and its exit code.
    fn end(mut self) -> (String, i32) {
        let drawn = self.until("exit code ");
        let code = self.until("\r\n");
        (drawn, code.trim().parse().expect("a code"))
    }
}

/// What a screen shows in the end of what was drawn: of each line what stands after the last time
/// that it was cleared.
fn shown(drawn: &str) -> Vec<&str> {
    let lines = drawn.split("\r\n");
    let lines = lines.map(|line| line.rsplit(CLEARED).next().unwrap_or_default());
    lines.filter(|line| !line.is_empty()).collect()
}

/// The terminal's own echo of Ctrl-C.
fn without_echo(drawn: &str) -> String {
    drawn.replace("^C", "")
}

fn building(dir: &Path) -> Command {
    let mut command = umari();
    command
        .arg("build")
        .current_dir(dir)
        .env_remove("CARGO_TARGET_DIR")
        .env_remove("CARGO_TERM_COLOR");
    command
}

#[test]
fn a_build_draws_its_bar_and_leaves_none() {
    let workspace = workspace();
    let (drawn, code) = Screen::of(&building(workspace.path()), &[]).end();
    assert_eq!(code, 0, "{drawn}");
    assert!(drawn.contains("[>               ] 0/2 "), "{drawn:?}");
    assert!(drawn.contains(CLEARED), "{drawn:?}");
    let left = shown(&drawn);
    assert!(left.iter().all(|line| !line.contains("] 0/2")), "{left:?}");
    assert!(left.iter().any(|line| line.contains("greet")), "{left:?}");
    assert!(
        drawn.contains("\x1b[32m") || drawn.contains("\x1b[1m\x1b[32m"),
        "{drawn:?}"
    );

    // Without colours it is drawn all the same: replacing a line is none.
    let other = crate::builds::workspace();
    let (drawn, code) = Screen::of(&building(other.path()), &[("NO_COLOR", "1")]).end();
    assert_eq!(code, 0, "{drawn}");
    let colours = drawn.replace(CLEARED, "");
    assert!(!colours.contains('\x1b'), "{colours:?}");

    // A terminal that cannot replace lines, and a pipe, get plain ones.
    let third = crate::builds::workspace();
    let (drawn, code) = Screen::of(&building(third.path()), &[("TERM", "dumb")]).end();
    assert_eq!(code, 0, "{drawn}");
    assert!(
        !drawn.contains(CLEARED) && !drawn.contains("0/2"),
        "{drawn:?}"
    );
    let fourth = crate::builds::workspace();
    let piped = run(&mut building(fourth.path()));
    assert_eq!(piped.code, Some(0), "{}", piped.stderr);
    assert!(!piped.stderr.contains(['\x1b', '\r']), "{:?}", piped.stderr);
    assert!(piped.stderr.contains("Compiling greet"), "{}", piped.stderr);
}

#[test]
fn a_build_that_is_interrupted_leaves_a_clean_line() {
    let workspace = workspace();
    let greet = workspace.path().join("shop/greet");
    // Builds for ever.
    std::fs::write(
        greet.join("build.rs"),
        "fn main() { loop { std::thread::park(); } }\n",
    )
    .expect("written");
    let mut screen = Screen::of(&building(workspace.path()), &[]);
    let begun = screen.until("0/2 ");
    screen.interrupt();
    let (drawn, code) = screen.end();
    assert_eq!(code, 130, "{drawn}");
    let all = without_echo(&format!("{begun}0/2 {drawn}"));
    let left = shown(&all);
    assert!(left.iter().all(|line| !line.contains("0/2")), "{left:?}");
}

/// A server on which a replay is at half, and done when it was asked `looks` times.
fn replaying(looks: usize) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    std::thread::spawn(move || {
        let mut asked = 0;
        for mut stream in listener.incoming().flatten() {
            while Request::read(&mut BufReader::new(&stream)).is_some() {
                let (state, position, ended) = if asked < looks {
                    ("replaying", 500, "null")
                } else {
                    ("done", 1_000, "\"2026-01-01T00:00:00Z\"")
                };
                asked += 1;
                let body = format!(
                    "{{\"name\":\"plans\",\"version\":\"1.0.0\",\"state\":\"{state}\",\
                     \"position\":{position},\"head\":1000,\"events_per_second\":250.0,\
                     \"remaining_seconds\":2.0,\"ended_at\":{ended}}}"
                );
                let head = format!(
                    "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
                    body.len()
                );
                if stream.write_all((head + &body).as_bytes()).is_err() {
                    break;
                }
            }
        }
    });
    format!("http://{address}")
}

fn following(url: &str) -> Command {
    let mut command = umari();
    command.args(["projectors", "replay", "plans", "--follow", "--url", url]);
    command
}

#[test]
fn a_replay_that_is_followed_draws_its_bar_and_leaves_none() {
    let bar = "[##########----------] 50 %, 250 events/s, 2.0 s left";
    let (drawn, code) = Screen::of(&following(&replaying(3)), &[]).end();
    assert_eq!(code, 0, "{drawn}");
    assert!(drawn.matches(bar).count() >= 2, "{drawn:?}");
    let left = shown(&drawn);
    assert_eq!(left.len(), 1, "{left:?}");
    assert!(
        left[0].contains("projector plans 1.0.0 up to position 1000"),
        "{left:?}"
    );

    let piped = run(&mut following(&replaying(3)));
    assert_eq!(
        piped.stderr,
        "    Replayed projector plans 1.0.0 up to position 1000\n"
    );

    let mut screen = Screen::of(&following(&replaying(usize::MAX)), &[]);
    let begun = screen.until(bar);
    screen.interrupt();
    let (drawn, code) = screen.end();
    assert_eq!(code, 130, "{drawn}");
    let all = without_echo(&format!("{begun}{bar}{drawn}"));
    assert!(shown(&all).is_empty(), "{:?}", shown(&all));
}
