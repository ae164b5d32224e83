//! Every variable of the environment that a server and its clients read, by running the binary.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;

use crate::support::{PATIENCE, Server, run, umari};

/// `umari serve` with everything from the environment.
fn serve(data: &Path, variables: &[(&str, &str)]) -> Command {
    let mut command = umari();
    command
        .arg("serve")
        .env("UMARI_DATA_DIR", data)
        .env("UMARI_API_ADDR", "127.0.0.1:0")
        .envs(variables.iter().copied());
    command
}

fn start(data: &Path, variables: &[(&str, &str)]) -> Server {
    Server::start(&mut serve(data, variables))
}

fn modules(variables: &[(&str, &str)]) -> Option<i32> {
    run(umari().arg("modules").envs(variables.iter().copied())).code
}

/// A request whose body has only begun, on a server that is then asked to stop and does not take
/// connections any more.
#[cfg(unix)]
fn in_flight(server: &Server) -> TcpStream {
    let address = server.url.strip_prefix("http://").expect("an address");
    let mut request = TcpStream::connect(address).expect("a connection");
    request
        .set_read_timeout(Some(PATIENCE))
        .expect("a read timeout");
    // The server asks for the body once it is at it.
    request
        .write_all(
            b"POST /commands/none/execute HTTP/1.1\r\nhost: localhost\r\ncontent-length: 2\r\n\
            expect: 100-continue\r\n\r\n",
        )
        .expect("sent");
    let mut asked = [0; 25];
    request.read_exact(&mut asked).expect("an interim answer");
    assert_eq!(&asked, b"HTTP/1.1 100 Continue\r\n\r\n");
    let pid = server.pid().to_string();
    let sent = Command::new("kill").args(["-TERM", &pid]).status();
    assert!(sent.expect("kill runs").success());
    let end = std::time::Instant::now() + PATIENCE;
    while TcpStream::connect(address).is_ok() {
        assert!(std::time::Instant::now() < end, "it still listens");
        std::thread::yield_now();
    }
    request
}

#[test]
fn the_data_directory_and_the_address_come_from_the_environment() {
    let directory = tempfile::tempdir().expect("a directory");
    let data = directory.path().join("deeper/data");
    let server = start(&data, &[]);
    assert!(
        server.url.starts_with("http://127.0.0.1:"),
        "{}",
        server.url
    );
    assert!(data.join("events.db").is_file());
    let wrong = run(&mut serve(&data, &[("UMARI_API_ADDR", "nowhere")]));
    assert_eq!(wrong.code, Some(2));
    assert!(wrong.stderr.contains("--addr"), "{}", wrong.stderr);
}

#[test]
fn the_key_and_the_url_come_from_the_environment() {
    let directory = tempfile::tempdir().expect("a directory");
    let server = start(directory.path(), &[("UMARI_API_KEY", "secret")]);
    let url = ("UMARI_URL", server.url.as_str());
    assert_eq!(modules(&[url, ("UMARI_API_KEY", "secret")]), Some(0));
    assert_eq!(modules(&[url, ("UMARI_API_KEY", "another")]), Some(1));
    assert_eq!(modules(&[url]), Some(1));
    // Beyond loopback a key is a must, and an empty one is none.
    let everywhere = ("UMARI_API_ADDR", "0.0.0.0:0");
    for variables in [vec![everywhere], vec![everywhere, ("UMARI_API_KEY", "")]] {
        let data = tempfile::tempdir().expect("a directory");
        let refused = run(&mut serve(data.path(), &variables));
        assert_eq!(refused.code, Some(2), "{}", refused.stderr);
        assert!(
            refused.stderr.contains("UMARI_API_KEY"),
            "{}",
            refused.stderr
        );
    }
    let data = tempfile::tempdir().expect("a directory");
    let server = start(data.path(), &[everywhere, ("UMARI_API_KEY", "secret")]);
    let url = ("UMARI_URL", server.url.as_str());
    assert_eq!(modules(&[url, ("UMARI_API_KEY", "secret")]), Some(0));
}

#[test]
fn a_store_elsewhere_is_refused() {
    let data = tempfile::tempdir().expect("a directory");
    let store = ("UMARI_EVENT_STORE_URL", "http://localhost:50051");
    let mut dev = umari();
    dev.arg("dev").arg(data.path()).envs([store]);
    for mut command in [serve(data.path(), &[store]), dev] {
        let refused = run(&mut command);
        assert_eq!(refused.code, Some(2), "{}", refused.stderr);
        let first = "error: UMARI_EVENT_STORE_URL is not supported\n";
        assert!(refused.stderr.starts_with(first), "{}", refused.stderr);
    }
    start(data.path(), &[("UMARI_EVENT_STORE_URL", "")]);
}

#[cfg(unix)]
#[test]
fn what_is_logged_comes_from_the_environment() {
    // Making an API key is worth a line at the level `info`.
    let logged = |variables: &[(&str, &str)]| {
        let data = tempfile::tempdir().expect("a directory");
        let server = start(data.path(), variables);
        let made = run(umari()
            .args(["api-keys", "create", "me", "--scope", "admin"])
            .env("UMARI_URL", &server.url));
        assert_eq!(made.code, Some(0), "{}", made.stderr);
        let (status, stderr) = server.end_by("TERM");
        assert_eq!(status.code(), Some(0), "{stderr}");
        stderr
    };
    let made = "made the API key";
    assert!(logged(&[]).contains(made));
    assert!(logged(&[("UMARI_LOG", "umari=info")]).contains(made));
    let quiet = logged(&[("UMARI_LOG", "error")]);
    assert!(!quiet.contains(made), "{quiet}");
    let error = ("UMARI_LOG", "error");
    assert!(logged(&[error, ("UMARI_VERBOSE", "true")]).contains(made));
    assert!(!logged(&[error, ("UMARI_VERBOSE", "false")]).contains(made));
    let data = tempfile::tempdir().expect("a directory");
    let wrong = run(&mut serve(data.path(), &[("UMARI_LOG", "umari=loud")]));
    assert_eq!(wrong.code, Some(2));
    assert!(wrong.stderr.contains("UMARI_LOG"), "{}", wrong.stderr);
}

#[cfg(unix)]
#[test]
fn the_banner_can_be_left_out() {
    for (value, shown) in [("", true), ("false", true), ("true", false), ("1", false)] {
        let data = tempfile::tempdir().expect("a directory");
        let variables: &[(&str, &str)] = match value {
            "" => &[],
            value => &[("UMARI_NO_BANNER", value)],
        };
        let (_, stderr) = start(data.path(), variables).end_by("TERM");
        assert_eq!(
            stderr.contains("access  open to this machine"),
            shown,
            "{value}: {stderr}"
        );
    }
}

#[cfg(unix)]
#[test]
fn a_request_in_flight_is_finished_within_the_timeout() {
    let data = tempfile::tempdir().expect("a directory");
    let server = start(data.path(), &[("UMARI_SHUTDOWN_TIMEOUT", "100s")]);
    let mut request = in_flight(&server);
    request.write_all(b"{}").expect("sent");
    let mut answer = String::new();
    request.read_to_string(&mut answer).expect("an answer");
    assert!(answer.contains("unknown-command"), "{answer}");
    let (status, stderr) = server.wait();
    assert_eq!(status.code(), Some(0), "{stderr}");
}

#[cfg(unix)]
#[test]
fn a_request_that_outlasts_the_timeout_is_given_up() {
    let data = tempfile::tempdir().expect("a directory");
    let server = start(data.path(), &[("UMARI_SHUTDOWN_TIMEOUT", "200ms")]);
    let request = in_flight(&server);
    let (status, stderr) = server.wait();
    assert_eq!(status.code(), Some(1), "{stderr}");
    assert!(
        stderr.contains("requests were still in flight at the deadline"),
        "{stderr}"
    );
    drop(request);
    let wrong = run(&mut serve(
        data.path(),
        &[("UMARI_SHUTDOWN_TIMEOUT", "soon")],
    ));
    assert_eq!(wrong.code, Some(2));
    assert!(
        wrong.stderr.contains("--shutdown-timeout"),
        "{}",
        wrong.stderr
    );
}
