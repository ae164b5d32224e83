//! Wrong command lines, and the texts that help out of them.

use crate::support::{Server, run, umari, umari_fed, umari_with};

#[test]
fn without_a_command_the_help_is_shown() {
    let ended = umari_with::<&str>([]);
    assert_eq!(ended.code, Some(2));
    assert!(ended.stderr.contains("Usage: umari"), "{}", ended.stderr);
}

#[test]
fn the_version_and_the_help_go_to_stdout() {
    let ended = umari_with(["--version"]);
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
    assert!(ended.stdout.starts_with("umari "), "{}", ended.stdout);
    let ended = umari_with(["deploy", "--help"]);
    assert_eq!(ended.code, Some(0));
    assert!(ended.stdout.contains("--bump-patch"), "{}", ended.stdout);
}

#[test]
fn a_mistyped_command_is_corrected() {
    let ended = umari_with(["deplyo"]);
    assert_eq!(ended.code, Some(2));
    assert!(ended.stderr.contains("deploy"), "{}", ended.stderr);
}

#[test]
fn an_input_that_is_not_json_is_refused_before_anything_is_sent() {
    let ended = umari_with(["execute", "greet", "--input", "{name: 1}"]);
    assert_eq!(ended.code, Some(2));
    assert_eq!(ended.stdout, "");
    assert!(
        ended
            .stderr
            .starts_with("error: the input from --input is not JSON\n"),
        "{}",
        ended.stderr
    );
    let ended = umari_fed(&["execute", "greet", "--input", "-"], "nothing");
    assert_eq!(ended.code, Some(2));
    assert!(
        ended
            .stderr
            .starts_with("error: the input from stdin is not JSON\n"),
        "{}",
        ended.stderr
    );
}

#[test]
fn a_key_that_is_no_uuid_is_refused() {
    let ended = umari_with([
        "execute",
        "greet",
        "--input",
        "{}",
        "--idempotency-key",
        "one",
    ]);
    assert_eq!(ended.code, Some(2));
    assert!(
        ended.stderr.contains("--idempotency-key"),
        "{}",
        ended.stderr
    );
}

#[test]
fn a_url_without_a_scheme_is_refused() {
    let ended = umari_with(["modules", "--url", "localhost:3000"]);
    assert_eq!(ended.code, Some(2));
    assert!(
        ended.stderr.contains("http://HOST:PORT"),
        "{}",
        ended.stderr
    );
}

#[test]
fn completions_are_a_script() {
    let ended = umari_with(["completions", "bash"]);
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
    assert!(
        ended.stdout.contains("complete -F _umari"),
        "{}",
        ended.stdout
    );
    assert_eq!(umari_with(["completions", "cobol"]).code, Some(2));
}

#[test]
fn the_manual_has_a_page_for_every_command() {
    let ended = umari_with(["man"]);
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
    assert!(ended.stdout.contains(".TH umari 1"), "{}", ended.stdout);
    assert!(
        ended.stdout.contains("Exit codes: 0 done"),
        "{}",
        ended.stdout
    );
    let dir = tempfile::tempdir().expect("a directory");
    let pages = dir.path().join("man1");
    let ended = umari_with(["man".as_ref(), pages.as_os_str()]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    for page in ["umari.1", "umari-deploy.1", "umari-events-tail.1"] {
        assert!(pages.join(page).is_file(), "{page}");
    }
    let page = std::fs::read_to_string(pages.join("umari-events-list.1")).expect("a page");
    for part in ["UMARI_URL", "Examples:", "Exit codes: 0"] {
        assert!(page.contains(part), "{part}: {page}");
    }
    // What is for this program alone is for no reader.
    assert!(!pages.join("umari-__guard.1").exists());
}

#[test]
fn quiet_says_results_and_errors_alone_and_verbose_what_is_called() {
    let dir = tempfile::tempdir().expect("a directory");
    let init = |name: &str, more: &str| {
        let args = ["init", name, "--sdk", "0.1", more];
        run(umari()
            .args(args.iter().filter(|arg| !arg.is_empty()))
            .current_dir(dir.path()))
    };
    let normal = init("one", "");
    assert!(normal.stderr.contains("Created"), "{}", normal.stderr);
    let quiet = init("two", "--quiet");
    assert_eq!((quiet.code, quiet.stderr.as_str()), (Some(0), ""));
    assert_eq!(quiet.stdout, normal.stdout.replace("one", "two"));
    let again = init("two", "--quiet");
    assert!(again.stderr.starts_with("error: "), "{}", again.stderr);

    let server = Server::serve(&dir.path().join("data"));
    let url = ["--url", &server.url];
    let asked = umari_with(["modules", "--verbose"].iter().chain(&url));
    let call = format!("GET {}/modules: 200 OK", server.url);
    assert!(asked.stderr.contains(&call), "{}", asked.stderr);
    let asked = umari_with(["modules", "-q"].iter().chain(&url));
    assert_eq!((asked.code, asked.stderr.as_str()), (Some(0), ""));
    assert_eq!(umari_with(["modules", "-q", "-v"]).code, Some(2));
}

#[cfg(unix)]
#[test]
fn a_reader_that_goes_away_is_no_error() {
    for args in [
        &["completions", "zsh"][..],
        &["man"],
        &["--help"],
        &["doctor", "--json"],
    ] {
        let mut child = umari()
            .args(args)
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::piped())
            .spawn()
            .expect("the binary starts");
        // Closed before anything is read.
        drop(child.stdout.take());
        let ended = child.wait_with_output().expect("an end");
        let stderr = String::from_utf8_lossy(&ended.stderr);
        assert!(!stderr.contains("panicked"), "{args:?}: {stderr}");
        assert!(
            ended.status.code().is_some_and(|code| code < 2),
            "{args:?}: {stderr}"
        );
    }
}

#[cfg(unix)]
#[test]
fn a_guarded_program_passes_its_code_on_and_ends_with_its_stdin() {
    // A stdin that is closed from the start ends the program, which would run for ever.
    let ended = umari_fed(
        &[
            "__guard",
            "--",
            "sh",
            "-c",
            "while :; do read line || exec sleep 1000000; done",
        ],
        "",
    );
    assert_eq!(ended.code, Some(1));
    let mut child = umari()
        .args(["__guard", "--", "sh", "-c", "exit 7"])
        .stdin(std::process::Stdio::piped())
        .spawn()
        .expect("the binary starts");
    let _held = child.stdin.take();
    assert_eq!(child.wait().expect("an end").code(), Some(7));
}
