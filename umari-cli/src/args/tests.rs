//! What the command line accepts, and what it says.

use std::io::Write as _;

use clap::{CommandFactory as _, Parser as _};
use expect_test::expect_file;

use super::*;

fn help_of(name: &str) -> String {
    let mut cli = Cli::command().term_width(100);
    let command = match name {
        "umari" => &mut cli,
        name => cli
            .find_subcommand_mut(name)
            .expect("a command of this name"),
    };
    // What the variables of this process hold is no part of the text.
    let mut command = command
        .clone()
        .mut_args(|arg| arg.hide_env_values(true))
        .term_width(100);
    command.render_long_help().to_string()
}

#[test]
fn clap_finds_no_contradiction() {
    Cli::command().debug_assert();
}

#[test]
fn help_is_what_the_golden_files_say() {
    expect_file!["../../tests/golden/help-umari.txt"].assert_eq(&help_of("umari"));
    expect_file!["../../tests/golden/help-init.txt"].assert_eq(&help_of("init"));
    expect_file!["../../tests/golden/help-new.txt"].assert_eq(&help_of("new"));
    expect_file!["../../tests/golden/help-dev.txt"].assert_eq(&help_of("dev"));
    expect_file!["../../tests/golden/help-build.txt"].assert_eq(&help_of("build"));
    expect_file!["../../tests/golden/help-test.txt"].assert_eq(&help_of("test"));
    expect_file!["../../tests/golden/help-deploy.txt"].assert_eq(&help_of("deploy"));
    expect_file!["../../tests/golden/help-serve.txt"].assert_eq(&help_of("serve"));
    expect_file!["../../tests/golden/help-backup.txt"].assert_eq(&help_of("backup"));
    expect_file!["../../tests/golden/help-restore.txt"].assert_eq(&help_of("restore"));
    expect_file!["../../tests/golden/help-doctor.txt"].assert_eq(&help_of("doctor"));
    expect_file!["../../tests/golden/help-execute.txt"].assert_eq(&help_of("execute"));
}

#[test]
fn singular_and_plural_are_both_accepted() {
    for name in [
        "command",
        "commands",
        "projector",
        "projectors",
        "effect",
        "effects",
    ] {
        let cli = Cli::try_parse_from(["umari", name, "list"]);
        assert!(cli.is_ok(), "{name}: {cli:?}");
    }
}

#[test]
fn an_upload_names_module_version_and_file() {
    let line = [
        "umari",
        "commands",
        "upload",
        "create-product",
        "1.0.0",
        "x.wasm",
        "--env",
        "A=b=c",
        "--activate",
    ];
    let Command::Commands(KindArgs {
        action:
            KindAction::Upload {
                name,
                version,
                env,
                activate,
                ..
            },
    }) = Cli::try_parse_from(line).expect("a valid line").command
    else {
        panic!("an upload");
    };
    assert_eq!(
        (name.as_str(), version.to_string().as_str(), activate),
        ("create-product", "1.0.0", true)
    );
    assert_eq!(
        env,
        [EnvPair {
            key: "A".into(),
            value: "b=c".into()
        }]
    );
    let error =
        Cli::try_parse_from(["umari", "commands", "upload", "x", "one", "x.wasm"]).unwrap_err();
    assert_eq!(error.exit_code(), 2);
}

#[test]
fn env_pairs_need_a_name_and_an_equals_sign() {
    assert_eq!(
        "A=".parse::<EnvPair>().map(|pair| pair.value),
        Ok(String::new())
    );
    for wrong in ["A", "=x", "1A=x", "A B=x", "A-B=x"] {
        assert!(wrong.parse::<EnvPair>().is_err(), "{wrong}");
    }
}

#[test]
fn inputs_come_from_text_a_file_or_stdin() {
    assert_eq!("{}".parse(), Ok(Input::Text("{}".into())));
    assert_eq!("@in.json".parse(), Ok(Input::File("in.json".into())));
    assert_eq!("-".parse(), Ok(Input::Stdin));
    assert!("@".parse::<Input>().is_err());
    assert!("".parse::<Input>().is_err());
}

#[test]
fn an_input_is_one_json_document_and_stays_as_it_was_written() {
    let text = r#"{"b": 1.50, "a": 12345678901234567890123}"#;
    assert_eq!(Input::Text(text.into()).read(), Ok(text.to_owned()));
    let mut file = tempfile::NamedTempFile::new().expect("a file");
    file.write_all(b"[1]").expect("written");
    assert_eq!(Input::File(file.path().into()).read(), Ok("[1]".to_owned()));
    let fault = Input::Text("{shop: 1}".into()).read().unwrap_err();
    assert_eq!(fault.to_string(), "the input from --input is not JSON");
    let fault = Input::File("/nonexistent/in.json".into())
        .read()
        .unwrap_err();
    assert!(fault.to_string().contains("/nonexistent/in.json"));
}
