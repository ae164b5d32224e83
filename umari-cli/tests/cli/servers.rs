//! Servers that run, and servers that are not there.

use std::net::TcpListener;

use crate::support::{Server, run, umari, umari_with};

#[test]
fn a_server_that_is_not_there_is_named() {
    // Bound and dropped: the port is free, so nobody answers there.
    let address = TcpListener::bind("127.0.0.1:0")
        .and_then(|it| it.local_addr())
        .expect("a port");
    let ended = umari_with(["modules", "--url", &format!("http://{address}")]);
    assert_eq!(ended.code, Some(1));
    let first = format!("error: the server at http://{address} does not answer\n");
    assert!(ended.stderr.starts_with(&first), "{}", ended.stderr);
    assert!(ended.stderr.contains("umari serve"), "{}", ended.stderr);
}

#[test]
fn without_a_key_only_loopback_is_served() {
    let data = tempfile::tempdir().expect("a directory");
    for command in ["serve", "dev"] {
        let mut call = umari();
        call.arg(command)
            .args(["--addr", "0.0.0.0:0"])
            .arg("--data-dir")
            .arg(data.path());
        let ended = run(&mut call);
        assert_eq!(ended.code, Some(2), "{}", ended.stderr);
        let first = "error: refusing to listen on 0.0.0.0:0 without UMARI_API_KEY\n";
        assert!(ended.stderr.starts_with(first), "{}", ended.stderr);
    }
}

#[test]
fn a_taken_address_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address").to_string();
    let data = tempfile::tempdir().expect("a directory");
    let ended = run(umari()
        .args(["serve", "--addr", &address])
        .arg("--data-dir")
        .arg(data.path()));
    assert_eq!(ended.code, Some(1));
    assert!(
        ended
            .stderr
            .starts_with(&format!("error: cannot listen on {address}\n")),
        "{}",
        ended.stderr
    );
}

#[cfg(unix)]
#[test]
fn a_server_says_when_it_is_ready_and_stops_cleanly() {
    let data = tempfile::tempdir().expect("a directory");
    for signal in ["TERM", "INT"] {
        let server = Server::serve(data.path());
        assert!(
            server
                .opening
                .starts_with("ready: listening on http://127.0.0.1:"),
            "{}",
            server.opening
        );
        let ended = umari_with(["modules", "--json", "--url", &server.url]);
        assert_eq!(
            (ended.code, ended.stdout.as_str()),
            (Some(0), "{\"modules\":[]}\n"),
            "{}",
            ended.stderr
        );
        let ended = umari_with(["commands", "show", "nothing", "--url", &server.url]);
        assert_eq!(ended.code, Some(1));
        let (status, stderr) = server.end_by(signal);
        assert_eq!(status.code(), Some(0), "{signal}: {stderr}");
    }
}
