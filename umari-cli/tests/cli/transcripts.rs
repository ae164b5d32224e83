//! What a user types and sees, as documents in `tests/transcripts`, typed and compared.
//!
//! In a block of `console`, a line that begins with `$ ` is a command, with `> ` its next line, and
//! with `? ` the exit code that it ends with where that is not 0. What stands below is what it
//! prints on both streams: `[..]` is any text in a line, `...` any lines. A block of `console
//! server` begins a command that goes on, or follows the one that does: each line below is waited
//! for. `$ ^C` interrupts it.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use crate::scaffold;
use crate::support::{run, umari};

/// How long a line of a server is waited for; it may build modules first.
const PATIENCE: Duration = Duration::from_secs(900);

#[test]
fn a_first_hour() {
    let _one_at_a_time = scaffold::building_alone();
    let dir = scaffold::directory();
    Stage::new("first-hour.md", dir.path()).play();
}

/// One command with what it prints.
#[derive(Debug, Default, PartialEq, Eq)]
struct Step {
    /// The line of the document.
    line: usize,
    command: String,
    code: i32,
    expected: Vec<String>,
    is_server: bool,
}

/// The steps of a document.
fn read(text: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut block: Option<bool> = None;
    for (line, text) in (1..).zip(text.lines()) {
        match (block, text) {
            (None, "```console") => block = Some(false),
            (None, "```console server") => {
                block = Some(true);
                // What comes before a command in it is of the server that runs.
                steps.push(Step {
                    line,
                    is_server: true,
                    ..Step::default()
                });
            }
            (Some(_), "```") => block = None,
            (Some(is_server), text) => {
                if let Some(command) = text.strip_prefix("$ ") {
                    steps.push(Step {
                        line,
                        command: command.to_owned(),
                        is_server,
                        ..Step::default()
                    });
                    continue;
                }
                let step = steps.last_mut().expect("a command before its output");
                let next = text.strip_prefix("> ").or((text == ">").then_some(""));
                match (next, text.strip_prefix("? ")) {
                    (Some(next), _) if step.expected.is_empty() => {
                        step.command = format!("{}\n{next}", step.command);
                    }
                    (_, Some(code)) => step.code = code.parse().expect("an exit code"),
                    _ => step.expected.push(text.to_owned()),
                }
            }
            (None, _) => {}
        }
    }
    steps
}

/// A shell, and what runs beside it.
struct Stage {
    document: &'static str,
    dir: PathBuf,
    url: Option<String>,
    server: Option<Running>,
    /// What differs. The commands after one that differs are run too: each says something.
    differences: Vec<String>,
}

/// A command that goes on. Killed when dropped.
struct Running {
    child: Child,
    lines: Receiver<String>,
    seen: Vec<String>,
}

impl Stage {
    fn new(document: &'static str, dir: &Path) -> Self {
        Self {
            document,
            dir: dir.to_owned(),
            url: None,
            server: None,
            differences: Vec::new(),
        }
    }

    fn play(&mut self) {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/transcripts");
        let text = std::fs::read_to_string(path.join(self.document)).expect("a document");
        for step in read(&text) {
            match step.command.as_str() {
                "^C" => self.interrupt(&step),
                "" => self.follow(&step),
                command if step.is_server => {
                    self.server = Some(Running::start(self.shell(&format!("exec {command}"))));
                    self.follow(&step);
                }
                command => match command.strip_prefix("cd ") {
                    Some(dir) => self.dir.push(dir),
                    None => self.run(&step),
                },
            }
        }
        assert!(
            self.server.is_none(),
            "{}: a server was left",
            self.document
        );
    }

    fn run(&mut self, step: &Step) {
        let ended = run(&mut self.shell(&step.command));
        let printed: Vec<&str> = ended.stdout.lines().collect();
        let expected: Vec<&str> = step.expected.iter().map(String::as_str).collect();
        if lines_match(&expected, &printed) && ended.code == Some(step.code) {
            return;
        }
        self.differences.push(format!(
            "{}:{}: $ {}\nexpected, with code {}:\n{}\n\nprinted, with code {:?}:\n{}",
            self.document,
            step.line,
            step.command,
            step.code,
            expected.join("\n"),
            ended.code,
            printed.join("\n")
        ));
    }

    /// Waits for each line of a step.
    fn follow(&mut self, step: &Step) {
        if step.expected.is_empty() {
            return;
        }
        let place = format!("{}:{}", self.document, step.line);
        let server = self.server.as_mut().expect("a server");
        for expected in step.expected.iter().filter(|it| *it != "...") {
            let line = server.wait_for(expected, &place);
            let url = line.split_whitespace().find(|it| it.starts_with("http://"));
            if let (true, Some(url)) = (line.starts_with("ready:"), url) {
                self.url = Some(url.to_owned());
            }
        }
    }

    fn interrupt(&mut self, step: &Step) {
        let mut server = self.server.take().expect("a server");
        let pid = server.child.id().to_string();
        let sent = Command::new("kill").args(["-INT", &pid]).status();
        assert!(sent.expect("kill runs").success());
        let code = server.child.wait().expect("an end").code();
        let place = format!("{}:{}", self.document, step.line);
        assert_eq!(code, Some(step.code), "{place}: {}", server.seen.join("\n"));
        self.url = None;
    }

    /// A shell as its user has it: the command in the path, any free port for servers, and the
    /// server that runs for whatever asks one.
    fn shell(&self, command: &str) -> Command {
        let umari = umari();
        let binary = Path::new(umari.get_program());
        let mut shell = Command::new("sh");
        shell.args(["-c", &format!("exec 2>&1\n{command}")]);
        for (name, value) in umari.get_envs() {
            match value {
                Some(value) => shell.env(name, value),
                None => shell.env_remove(name),
            };
        }
        let mut path = vec![binary.parent().expect("a directory").to_owned()];
        path.extend(std::env::split_paths(
            &std::env::var_os("PATH").expect("a path"),
        ));
        shell
            .env("PATH", std::env::join_paths(path).expect("a path"))
            .env("UMARI_API_ADDR", "127.0.0.1:0")
            .env("RUST_BACKTRACE", "0")
            .stdin(Stdio::null());
        if let Some(url) = &self.url {
            shell.env("UMARI_URL", url);
        }
        scaffold::building(shell, &self.dir)
    }
}

impl Running {
    fn start(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().expect("a shell");
        let stdout = BufReader::new(child.stdout.take().expect("a stdout"));
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                let _ = sender.send(line);
            }
        });
        Self {
            child,
            lines,
            seen: Vec::new(),
        }
    }

    fn wait_for(&mut self, expected: &str, place: &str) -> String {
        loop {
            let Ok(line) = self.lines.recv_timeout(PATIENCE) else {
                panic!(
                    "{place}: no line `{expected}` after\n{}",
                    self.seen.join("\n")
                );
            };
            self.seen.push(line.clone());
            if line_matches(expected, &line) {
                return line;
            }
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Both fail when it has ended, which is fine.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn lines_match(expected: &[&str], printed: &[&str]) -> bool {
    match (expected, printed) {
        (["...", rest @ ..], _) => {
            (0..=printed.len()).any(|skipped| lines_match(rest, &printed[skipped..]))
        }
        ([first, rest @ ..], [line, more @ ..]) => {
            line_matches(first, line.trim_end()) && lines_match(rest, more)
        }
        ([], printed) => printed.is_empty(),
        (_, []) => false,
    }
}

fn line_matches(expected: &str, line: &str) -> bool {
    let Some((begin, rest)) = expected.split_once("[..]") else {
        return expected == line;
    };
    let Some(line) = line.strip_prefix(begin) else {
        return false;
    };
    let ends = line.char_indices().map(|(at, _)| at).chain([line.len()]);
    ends.into_iter().any(|at| line_matches(rest, &line[at..]))
}

#[test]
fn a_document_is_read_into_steps() {
    let text = "# Title\n```console\n$ cat <<END\n> a\n>\n> END\na\n\n$ false\n? 1\n```\nprose\n\
                ```console server\n$ umari dev\nready\n```\n```console server\nmore\n```\n";
    let steps = read(text);
    let shown: Vec<_> = steps
        .iter()
        .map(|it| (it.line, it.command.as_str(), it.code, it.expected.join("|")))
        .collect();
    assert_eq!(
        shown,
        [
            (3, "cat <<END\na\n\nEND", 0, "a|".to_owned()),
            (9, "false", 1, String::new()),
            (13, "", 0, String::new()),
            (14, "umari dev", 0, "ready".to_owned()),
            (17, "", 0, "more".to_owned()),
        ]
    );
}

#[test]
fn patterns_match_what_they_should_and_no_more() {
    assert!(line_matches("took [..] ms", "took 12 ms"));
    assert!(line_matches("[..]a[..]b", "a-b"));
    assert!(!line_matches("took [..] ms", "took 12 s"));
    assert!(!line_matches("took", "took 1"));
    assert!(lines_match(&["...", "end"], &["a", "b", "end"]));
    assert!(lines_match(&["a", "..."], &["a"]));
    assert!(!lines_match(&["a", "...", "c"], &["a", "b"]));
    assert!(!lines_match(&["a"], &["a", "b"]));
}
