//! The tree of all commands, as their help shows it, and how each of them is called.
//!
//! What a test wants of every command it wants of this tree, so that a new command is in it.

use std::path::Path;

use crate::support::umari_with;

/// A command, with what its help says of it.
#[derive(Debug, Clone)]
pub(crate) struct Known {
    /// What is typed behind `umari`.
    pub(crate) words: Vec<String>,
    /// How many arguments have a place and no name.
    pub(crate) places: usize,
    /// The options, with whether they take a value.
    pub(crate) options: Vec<(String, bool)>,
    /// The whole of its help.
    pub(crate) help: String,
    is_family: bool,
}

impl Known {
    /// What is typed behind `umari`, on one line.
    pub(crate) fn name(&self) -> String {
        self.words.join(" ")
    }

    pub(crate) fn has(&self, option: &str) -> bool {
        self.options.iter().any(|(name, _)| name == option)
    }

    fn read(words: Vec<String>) -> (Self, Vec<String>) {
        let ended = umari_with(words.iter().map(String::as_str).chain(["--help"]));
        assert_eq!(ended.code, Some(0), "{words:?}: {}", ended.stderr);
        let help = ended.stdout;
        let section = |title: &str| {
            let lines = help.lines().skip_while(|line| *line != title).skip(1);
            lines
                .take_while(|line| line.is_empty() || line.starts_with(' '))
                .map(str::to_owned)
                .collect::<Vec<_>>()
        };
        let first = |line: &String| line.split_whitespace().next().map(str::to_owned);
        let children = section("Commands:");
        let children: Vec<String> = children
            .iter()
            .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
            .filter_map(first)
            .collect();
        let places = section("Arguments:");
        let places = places
            .iter()
            .filter(|line| line.trim_start().starts_with(['<', '[']))
            .filter(|line| !line.trim_start().starts_with("[default"))
            .filter(|line| !line.trim_start().starts_with("[possible"))
            .count();
        let options = section("Options:");
        let options = options
            .iter()
            .filter_map(|line| {
                let begin = line.find("--")?;
                // What stands before the name is a short one, or nothing.
                let before = line[..begin].trim().trim_end_matches(',');
                let is_option = before.is_empty() || (before.len() == 2 && before.starts_with('-'));
                let mut parts = line[begin..].split_whitespace();
                let name = parts.next().filter(|_| is_option)?;
                let takes_value = parts
                    .next()
                    .is_some_and(|part| part.starts_with(['<', '[']));
                Some((name.to_owned(), takes_value))
            })
            .collect();
        let known = Self {
            words,
            places,
            options,
            is_family: !children.is_empty(),
            help,
        };
        (known, children)
    }
}

/// All commands that do something themselves, in the order of the help.
pub(crate) fn tree() -> Vec<Known> {
    let mut all = Vec::new();
    let mut open = vec![Vec::new()];
    while let Some(words) = open.pop() {
        let (known, children) = Known::read(words.clone());
        let below = children.iter().rev().map(|child| {
            let mut below = words.clone();
            below.push(child.clone());
            below
        });
        open.extend(below);
        // The list of `umari events` is there under a name of its own.
        if !known.is_family {
            all.push(known);
        }
    }
    assert!(all.len() > 50, "{} commands", all.len());
    all
}

/// What a command is for, which says what is to be expected of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sort {
    /// It reads, and changes nothing.
    Reads,
    /// It does something.
    Acts,
}

/// A call that makes sense on a server with the warranty shop, for each command that asks one.
/// Files are taken and made in `dir`.
pub(crate) fn calls(dir: &Path) -> Vec<(Sort, Vec<String>)> {
    use Sort::{Acts, Reads};
    let file = |name: &str| dir.join(name).display().to_string();
    let (past, backup) = (file("past.sqlite"), file("backup.jsonl"));
    let wasm = file("module.wasm");
    let correlation = "00000000-0000-4000-8000-00000000000a";
    let mut all: Vec<(Sort, Vec<&str>)> = vec![
        (Reads, vec!["modules"]),
        (Reads, vec!["events", "list"]),
        (Reads, vec!["events", "show", "1"]),
        (Reads, vec!["events", "graph", correlation]),
        (
            Reads,
            vec!["projectors", "query", "plans", "SELECT * FROM plans"],
        ),
        (Reads, vec!["projectors", "replay", "plans", "--status"]),
        (Reads, vec!["effects", "parked", "register-webhooks"]),
        (Reads, vec!["keys", "list"]),
        (Reads, vec!["keys", "audit"]),
        (Reads, vec!["api-keys", "list"]),
        (Reads, vec!["backup", &backup]),
        (Acts, vec!["projectors", "replay", "plans"]),
        (Acts, vec!["projectors", "replay", "plans", "--follow"]),
        (Acts, vec!["projectors", "replay", "plans", "--cancel"]),
        (
            Acts,
            vec![
                "projectors",
                "replay",
                "plans",
                "--until",
                "1",
                "--into",
                &past,
            ],
        ),
        (Acts, vec!["effects", "replay", "register-webhooks"]),
        (Acts, vec!["effects", "park", "register-webhooks"]),
        (Acts, vec!["effects", "unpark", "register-webhooks", "1"]),
        (Acts, vec!["effects", "drop", "register-webhooks", "1"]),
        (Acts, vec!["execute", "archive-plan", "--input", "{}"]),
        (Acts, vec!["keys", "shred", "shop_id:99", "--yes"]),
        (Acts, vec!["keys", "rotate", "--yes"]),
        (Acts, vec!["api-keys", "create", "ci", "--scope", "admin"]),
        (Acts, vec!["api-keys", "revoke", "ci"]),
        (Acts, vec!["events", "tail"]),
    ];
    for (kinds, name) in [
        ("commands", "sell-warranty"),
        ("projectors", "plans"),
        ("effects", "register-webhooks"),
    ] {
        all.push((Reads, vec![kinds, "list"]));
        all.push((Reads, vec![kinds, "show", name]));
        all.push((Reads, vec![kinds, "env", name]));
        all.push((Acts, vec![kinds, "activate", name, "9.9.9"]));
        all.push((Acts, vec![kinds, "deactivate", name]));
        all.push((Acts, vec![kinds, "upload", name, "9.9.9", &wasm]));
    }
    for kinds in ["projectors", "effects"] {
        all.push((Acts, vec![kinds, "pause", "nothing"]));
        all.push((Acts, vec![kinds, "resume", "nothing"]));
    }
    let owned = |words: Vec<&str>| words.into_iter().map(str::to_owned).collect();
    all.into_iter()
        .map(|(sort, words)| (sort, owned(words)))
        .collect()
}

/// What asks no server, or builds first.
pub(crate) const LOCAL: &[&str] = &[
    "init",
    "new",
    "dev",
    "build",
    "test",
    "deploy",
    "serve",
    "restore",
    "doctor",
    "completions",
    "man",
];

/// The command of the tree that a call is one of.
pub(crate) fn command_of<'a>(tree: &'a [Known], call: &[String]) -> &'a Known {
    let found = tree.iter().find(|known| call.starts_with(&known.words));
    found.unwrap_or_else(|| panic!("no command {call:?}"))
}

#[test]
fn every_command_that_asks_a_server_is_called_by_these_tests() {
    let tree = tree();
    let calls = calls(Path::new("/nowhere"));
    for known in &tree {
        let name = known.name();
        let is_called = calls.iter().any(|(_, call)| call.starts_with(&known.words));
        assert_eq!(
            is_called,
            !LOCAL.contains(&name.as_str()),
            "`{name}` has to be in `calls` or in `LOCAL`"
        );
        // What asks a server among other things.
        let may_ask = ["deploy", "doctor"].contains(&name.as_str());
        assert_eq!(known.has("--url"), is_called || may_ask, "{name}");
    }
    for (_, call) in &calls {
        command_of(&tree, call);
    }
}
