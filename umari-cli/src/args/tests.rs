//! What the command line accepts, and what it says.

use std::io::Write as _;

use clap::Parser as _;
use expect_test::expect_file;

use super::*;

fn help_of(name: &str) -> String {
    let mut cli = command_line().term_width(100);
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
    command_line().debug_assert();
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

/// Every command that a user can see, with its name as it is typed.
fn every_command() -> Vec<(String, clap::Command)> {
    fn gather(name: &str, command: &clap::Command, all: &mut Vec<(String, clap::Command)>) {
        all.push((name.to_owned(), command.clone()));
        for child in command.get_subcommands().filter(|it| !it.is_hide_set()) {
            gather(&format!("{name} {}", child.get_name()), child, all);
        }
    }
    let mut all = Vec::new();
    gather("umari", &command_line(), &mut all);
    all
}

#[test]
fn every_command_says_what_it_does_shows_how_and_with_what_it_ends() {
    let all = every_command();
    assert!(all.len() > 50, "{} commands", all.len());
    for (name, command) in &all {
        let about = command.get_about().map(ToString::to_string);
        let about = about.unwrap_or_else(|| panic!("`{name}` does not say what it does"));
        assert!(
            about.starts_with(|c: char| c.is_uppercase()) && !about.ends_with('.'),
            "`{name}`: {about}"
        );
        let notes = command.get_after_help().map(ToString::to_string);
        let notes = notes.unwrap_or_else(|| panic!("`{name}` has no example"));
        let (_, examples) = notes
            .split_once("Examples:\n")
            .unwrap_or_else(|| panic!("`{name}` has no example: {notes}"));
        // What the three kinds share is shown with one of them.
        let last = name.rsplit(' ').next().unwrap_or_default();
        assert!(
            examples.contains(&format!(" {last}")) || examples.contains(name),
            "`{name}` shows others: {examples}"
        );
        assert!(notes.contains("Exit codes: 0"), "`{name}`: {notes}");
        assert!(
            notes.lines().all(|line| line.chars().count() <= 100),
            "`{name}` has long lines: {notes}"
        );
    }
}

#[test]
fn every_argument_is_explained() {
    for (name, command) in every_command() {
        for argument in command.get_arguments().filter(|it| !it.is_hide_set()) {
            let help = argument.get_help().map(ToString::to_string);
            let help = help.unwrap_or_default();
            let id = argument.get_id();
            assert!(!help.is_empty(), "`{name}`: {id} is not explained");
            let secret = argument
                .get_env()
                .is_some_and(|name| name.to_string_lossy().contains("KEY"));
            assert!(
                !secret || argument.is_hide_env_values_set(),
                "`{name} --help` shows what {id} holds"
            );
        }
    }
}

#[test]
fn what_prints_json_says_what_it_looks_like() {
    for (name, command) in every_command() {
        let has_json = command.get_arguments().any(|it| it.get_id() == "json");
        let notes = command.get_after_help().map(ToString::to_string);
        let notes = notes.unwrap_or_default();
        if has_json {
            assert!(notes.contains("With --json"), "`{name}`: {notes}");
        }
    }
}

/// Each line of the examples is one that this command line takes.
#[test]
fn every_example_is_one_that_works() {
    let mut tried = 0;
    for (name, command) in every_command() {
        let notes = command.get_after_help().map(ToString::to_string);
        let notes = notes.unwrap_or_default();
        let Some((_, examples)) = notes.split_once("Examples:\n") else {
            continue;
        };
        // One that has another within it is not split here.
        let lines = examples.lines().filter(|line| !line.contains("$(umari"));
        for line in lines.filter(|line| line.starts_with("  ")) {
            for words in calls(line) {
                let read = Cli::try_parse_from(&words);
                assert!(read.is_ok(), "`{name}`: {line}: {words:?}: {read:?}");
                tried += 1;
            }
        }
    }
    assert!(tried > 100, "{tried} examples");
}

/// The calls of this program in a line of a shell: what stands between `umari` and the end of its
/// part of the line, or a remark, which two spaces or more set off.
fn calls(line: &str) -> Vec<Vec<String>> {
    let mut calls = Vec::new();
    for part in line.trim().split([';', '|', '&']) {
        let part = part.split("  ").find(|part| !part.is_empty());
        let words = words(part.unwrap_or_default());
        let begin = words.iter().position(|word| word == "umari");
        calls.extend(begin.map(|begin| words[begin..].to_vec()));
    }
    calls
}

/// A line's words as a shell splits them, up to what it redirects.
fn words(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quoted = false;
    for c in line.chars() {
        match c {
            '\'' => quoted = !quoted,
            ' ' if !quoted => words.push(String::new()),
            c => words.last_mut().expect("a word").push(c),
        }
    }
    words.retain(|word| !word.is_empty());
    let end = words.iter().position(|word| word.starts_with('>'));
    words.truncate(end.unwrap_or(words.len()));
    words
}

/// The lines that the reference and the plan of this command show.
#[test]
fn what_is_promised_elsewhere_is_accepted_here() {
    let lines = "\
umari init shop --template minimal
umari init shop --template warranty --sdk ../umari
umari init shop --sdk https://git.example/umari
umari new command create-product
umari new projector products
umari new effect notify-external-service
umari new event product-created
umari new command create-product --lang rust
umari new command create-product --lang js
umari build
umari build commands/create-product
umari build commands/ projectors/products
umari build --debug
umari build -j 4
umari test
umari deploy
umari deploy --no-activate
umari deploy --bump-patch
umari deploy --dry-run
umari deploy commands/create-product
umari dev --open
umari execute create-product --input {}
umari modules --json
umari commands upload create-product 1.0.0 create_product.wasm --env API_KEY=... --activate
umari effects upload notify 1.0.0 notify.wasm --env KEY=VALUE
umari commands list
umari commands show create-product
umari commands activate create-product 1.0.0
umari commands deactivate create-product
umari commands env create-product
umari commands replay create-product
umari projectors list
umari projectors show products
umari projectors activate products 1.0.0
umari projectors deactivate products
umari projectors env products 1.0.0
umari projectors replay products
umari projector replay plans
umari projectors replay products --until 17 --into products.sqlite
umari projectors replay products --follow
umari projectors query products 'SELECT 1'
umari effects list
umari effects show notify
umari effects activate notify 1.0.0
umari effects deactivate notify
umari effects env notify
umari effects replay notify
umari effects parked notify
umari effects park notify 17
umari effects unpark notify 17
umari effects drop notify 17
umari effects pause notify
umari effects resume notify
umari events tail
umari events show 17
umari events list --type product.created --tag product_id:1
umari events graph 0190b0e4-6a5f-7cc0-9f3b-3f1c5a1d2e4f --json
umari keys list
umari keys shred shop_id:1
umari keys rotate
umari doctor
umari backup shop.jsonl
umari restore shop.jsonl
umari completions zsh
umari man
umari serve --data-dir data --addr 127.0.0.1:3000
umari modules --quiet
umari modules --verbose";
    for line in lines.lines() {
        let read = Cli::try_parse_from(words(line));
        assert!(read.is_ok(), "{line}: {read:?}");
    }
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
    let Command::Commands(CommandArgs {
        action:
            CommandAction::Module(KindAction::Upload {
                name,
                version,
                env,
                activate,
                ..
            }),
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
