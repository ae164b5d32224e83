//! Every command with nonsense in every argument, without anybody who reads, and with servers that
//! are none: one clear error, a documented exit code, and never a panic.

use std::ffi::OsString;
use std::io::{BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::unix::ffi::OsStringExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use crate::requests::Request;
use crate::support::{Server, through_shell, umari};
use crate::tree::{Known, Sort, calls, tree};

/// That a call has ended in an orderly way, whatever it did. What it printed on stderr.
fn orderly(call: &str, output: &Output) -> String {
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    let code = output.status.code();
    assert!(
        matches!(code, Some(0..=2)),
        "{call}: {code:?} by signal {:?}: {stderr}",
        output.status.signal()
    );
    assert!(!stderr.contains("panicked"), "{call}: {stderr}");
    let errors = stderr.lines().filter(|line| line.starts_with("error:"));
    let errors = errors.count();
    // What `doctor` finds is its report, on stdout.
    let is_report = code == Some(1) && call.starts_with("doctor");
    assert!(
        errors == usize::from(code != Some(0)) || (is_report && errors == 0),
        "{call}: {code:?} with {errors} errors: {stderr}"
    );
    stderr
}

/// What nobody means, by name.
fn nonsense() -> Vec<(&'static str, OsString)> {
    vec![
        ("nothing", OsString::new()),
        ("no text", OsString::from_vec(vec![0xff, 0xfe, b'x'])),
        ("a smile on two lines", "\u{1f642}\n/../%00".into()),
        ("too much", "9".repeat(60_000).into()),
        ("an open brace", "{\"a\":".into()),
    ]
}

/// Calls of a command with nonsense in one argument, and what makes sense in the others.
fn nonsensical(known: &Known, sound: &[String]) -> Vec<(String, Vec<OsString>)> {
    let mut all = Vec::new();
    for (what, value) in nonsense() {
        for place in 0..known.places {
            let mut line: Vec<OsString> = known.words.iter().map(OsString::from).collect();
            let given = sound.iter().skip(known.words.len());
            let given = given.take_while(|word| !word.starts_with("--"));
            let mut given: Vec<OsString> = given.map(OsString::from).collect();
            given.resize(known.places.max(given.len()), "x".into());
            given[place] = value.clone();
            line.extend(given);
            let options = sound.iter().skip_while(|word| !word.starts_with("--"));
            line.extend(options.map(OsString::from));
            all.push((format!("{}, place {place}: {what}", known.name()), line));
        }
        for (option, takes_value) in &known.options {
            // What every command takes is read by one piece of code.
            let is_shared = ["--url", "--api-key"].contains(&option.as_str());
            if !takes_value || (is_shared && known.name() != "modules") {
                continue;
            }
            let mut line: Vec<OsString> = sound.iter().map(OsString::from).collect();
            line.extend([option.into(), value.clone()]);
            all.push((format!("{} {option}: {what}", known.name()), line));
        }
    }
    all
}

/// What makes sense for commands that ask no server, as far as it is of use here.
fn local(known: &Known) -> Vec<String> {
    let more: &[&str] = match known.name().as_str() {
        "init" => &["shop"],
        "new" => &["command", "x"],
        "completions" => &["bash"],
        "restore" => &["x.jsonl"],
        "man" => &["pages"],
        _ => &[],
    };
    let more = more.iter().map(|word| (*word).to_owned());
    known.words.iter().cloned().chain(more).collect()
}

#[test]
fn nonsense_in_any_argument_is_one_error() {
    let place = tempfile::tempdir().expect("a directory");
    // Nobody answers there, and no server can be started there.
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address").to_string();
    std::thread::spawn(move || taken.incoming().for_each(drop));
    let calls = calls(place.path());
    let mut count = 0;
    for known in tree() {
        let sound = calls
            .iter()
            .find(|(_, call)| call.starts_with(&known.words));
        let sound = sound.map_or_else(|| local(&known), |(_, call)| call.clone());
        for (what, line) in nonsensical(&known, &sound) {
            let here = tempfile::tempdir_in(place.path()).expect("a directory");
            let mut command = umari();
            command
                .args(&line)
                .current_dir(here.path())
                .env("UMARI_URL", "http://127.0.0.1:1")
                .env("UMARI_API_ADDR", &address)
                // A crate in a directory above would be one to build.
                .env("CARGO_NET_OFFLINE", "true");
            let output = command.output().expect("the binary starts");
            orderly(&what, &output);
            count += 1;
        }
    }
    assert!(count > 300, "{count} calls");
}

/// The call in a shell that closes its stdout first.
fn without_stdout(command: &Command) -> Command {
    through_shell("exec \"$@\" >&-", command)
}

#[test]
fn nobody_who_reads_is_no_fault() {
    let place = tempfile::tempdir().expect("a directory");
    let server = Server::serve(&place.path().join("data"));
    let follows = |call: &[String]| call.ends_with(&["tail".to_owned()]);
    let mut all: Vec<Vec<String>> = calls(place.path())
        .into_iter()
        .filter(|(sort, call)| *sort == Sort::Reads && !follows(call))
        .map(|(_, call)| call)
        .collect();
    for known in tree() {
        let mut help = known.words.clone();
        help.push("--help".to_owned());
        all.push(help);
    }
    for line in [
        "man",
        "completions zsh",
        "doctor",
        "doctor --json",
        "init shop --sdk 0.1",
    ] {
        all.push(line.split(' ').map(str::to_owned).collect());
    }
    for call in &all {
        let call_of = |dir: &Path| {
            let mut command = umari();
            command
                .args(call)
                .current_dir(dir)
                .env("UMARI_URL", &server.url)
                .env("UMARI_API_ADDR", "127.0.0.1:0");
            command
        };
        let here = tempfile::tempdir_in(place.path()).expect("a directory");
        let mut child = call_of(here.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        // Gone before anything is read.
        drop(child.stdout.take());
        let output = child.wait_with_output().expect("an end");
        orderly(&format!("{call:?} | true"), &output);
        if call[0] == "backup" {
            let _gone = std::fs::remove_file(&call[1]);
        }
        let here = tempfile::tempdir_in(place.path()).expect("a directory");
        let mut shell = without_stdout(&call_of(here.path()));
        let output = shell.current_dir(here.path()).output().expect("a shell");
        orderly(&format!("{call:?} >&-"), &output);
        if call[0] == "backup" {
            let _gone = std::fs::remove_file(&call[1]);
        }
    }
}

/// A server that answers each request with the same bytes and closes the connection.
fn stranger(answer: &'static [u8]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || answer_with(&stream, answer));
        }
    });
    format!("http://{address}")
}

fn answer_with(mut stream: &TcpStream, answer: &[u8]) {
    if Request::read(&mut BufReader::new(stream)).is_none() {
        return;
    }
    let written = stream.write_all(answer);
    // A client that has not read it all would lose it with a connection that is reset.
    let _closed = written.and_then(|()| stream.shutdown(std::net::Shutdown::Write));
    let _rest = stream.read(&mut [0]);
}

#[test]
fn a_server_that_is_none_is_one_error() {
    let place = tempfile::tempdir().expect("a directory");
    let wasm = crate::fixtures::fixtures().commands.clone();
    std::fs::write(place.path().join("module.wasm"), wasm).expect("written");
    // Bound and dropped: the port is free, so nobody answers there.
    let gone = TcpListener::bind("127.0.0.1:0").and_then(|it| it.local_addr());
    let gone = format!("http://{}", gone.expect("a port"));
    let html = "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\nconnection: close\r\n\r\n\
                <!doctype html><title>It works</title>";
    let failed = "HTTP/1.1 500 Internal Server Error\r\ncontent-type: text/html\r\n\
                  connection: close\r\n\r\n<h1>500</h1>";
    let cut = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 999\r\n\r\n\
               {\"modules\": [{\"kind\"";
    let open = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n\r\n\
                {\"modules\": [{\"kind\"";
    let other = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n\r\n[7]";
    let empty = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n\r\n{}";
    let moved = "HTTP/1.1 302 Found\r\nlocation: /login\r\ncontent-length: 0\r\n\r\n";
    let nothing = "";
    let noise = "\u{0}\u{1}\u{2} what?\r\n\r\n";
    let servers = [
        ("nobody", gone),
        ("HTML", stranger(html.as_bytes())),
        ("a failure", stranger(failed.as_bytes())),
        ("half an answer", stranger(cut.as_bytes())),
        ("half a document", stranger(open.as_bytes())),
        ("another document", stranger(other.as_bytes())),
        ("an empty document", stranger(empty.as_bytes())),
        ("another place", stranger(moved.as_bytes())),
        ("nothing", stranger(nothing.as_bytes())),
        ("noise", stranger(noise.as_bytes())),
    ];
    let mut strange = Vec::new();
    for (_, call) in calls(place.path()) {
        for (what, url) in &servers {
            let output = umari()
                .args(&call)
                .args(["--url", url])
                .current_dir(place.path())
                .output()
                .expect("the binary starts");
            let stderr = orderly(&format!("{call:?} from {what}"), &output);
            if output.status.code() != Some(1) || !output.stdout.is_empty() {
                let stdout = String::from_utf8_lossy(&output.stdout);
                strange.push(format!("{call:?} from {what}: {stdout}{stderr}"));
            }
        }
    }
    assert!(strange.is_empty(), "{}", strange.join("\n"));
    let left = std::fs::read_dir(place.path()).expect("a directory");
    let left: Vec<_> = left
        .map(|entry| entry.expect("an entry").file_name())
        .collect();
    assert_eq!(left, ["module.wasm"], "half an answer is kept");
}
