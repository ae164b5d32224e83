//! What scripts read: `--json` of every command that reads, on a server that has something to say.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::Stdio;

use serde_json::{Value, json};

use crate::shop::{PLAN, Shop, Sink};
use crate::support::{Ended, run, umari};
use crate::tree::{Known, LOCAL, Sort, calls, command_of, tree};

/// The documents that a call printed, one a line.
fn documents(ended: &Ended) -> Vec<Value> {
    let lines = ended.stdout.lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect()
}

/// The names of fields in a document, down to those of the things that it lists.
fn fields(document: &Value) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let Some(object) = document.as_object() else {
        return names;
    };
    for (name, value) in object {
        names.insert(name.clone());
        let items = value.as_array().map(Vec::as_slice).unwrap_or_default();
        names.extend(items.iter().flat_map(fields));
    }
    names
}

/// The help of a command, and of those that it refers to.
fn described(tree: &[Known], known: &Known) -> String {
    let mut all = known.help.clone();
    for other in tree {
        let family = other.words.first() == known.words.first();
        let last = other.words.last().map(String::as_str).unwrap_or_default();
        let is_named = known
            .help
            .contains(&format!("`umari {} --help`", other.name()));
        if is_named || (family && known.help.contains(&format!("`{last} --help`"))) {
            all.push_str(&other.help);
        }
    }
    all
}

fn assert_described(tree: &[Known], call: &[String], documents: &[Value]) {
    let known = command_of(tree, call);
    let help = described(tree, known);
    for name in documents.iter().flat_map(fields) {
        assert!(
            help.contains(&format!("\"{name}\"")),
            "`umari {} --help` says nothing of {name}, which {call:?} prints",
            known.name()
        );
    }
}

/// A shop in which everything has happened that there is to read of.
fn lively(data: &Path, sink: &Sink) -> Shop {
    sink.refuse(true);
    let shop = Shop::open(data, sink);
    let effect = "register-webhooks";
    shop.wait_for(effect, |module| module["status"] == "retrying");
    let sale = json!({
        "shop_id": 1, "plan_id": PLAN, "warranty_id": "00000000-0000-4000-8000-000000000001",
        "order_id": 1, "line_item_id": 1, "customer_email": "c@example.com",
    })
    .to_string();
    let correlation = "00000000-0000-4000-8000-00000000000a";
    for args in [
        &["effects", "park", effect][..],
        &[
            "execute",
            "sell-warranty",
            "--input",
            &sale,
            "--correlation-id",
            correlation,
        ],
        &["projectors", "replay", "plans", "--follow"],
        &["keys", "rotate", "--yes", "--reason", "a test"],
    ] {
        let ended = run(umari().args(args).args(["--url", shop.url()]));
        assert_eq!(ended.code, Some(0), "{args:?}: {}", ended.stderr);
    }
    shop
}

#[test]
fn every_command_that_reads_prints_json_as_its_help_describes_it() {
    let place = tempfile::tempdir().expect("a directory");
    let shop = lively(&place.path().join("data"), &Sink::start());
    let tree = tree();
    let mut count = 0;
    for (sort, call) in calls(place.path()) {
        if sort != Sort::Reads {
            continue;
        }
        assert!(command_of(&tree, &call).has("--json"), "{call:?}");
        let ask = |more: &[&str]| {
            run(umari()
                .args(&call)
                .args(more)
                .args(["--url", shop.url()])
                .current_dir(place.path()))
        };
        let ended = ask(&["--json"]);
        assert_eq!(ended.code, Some(0), "{call:?}: {}", ended.stderr);
        let documents = documents(&ended);
        assert_eq!(documents.len(), 1, "{call:?}: {}", ended.stdout);
        assert_described(&tree, &call, &documents);
        if call[0] == "backup" {
            let _gone = std::fs::remove_file(&call[1]);
        }
        // The same for a person is something else, and as good.
        let ended = ask(&[]);
        assert_eq!(ended.code, Some(0), "{call:?}: {}", ended.stderr);
        assert!(!ended.stdout.starts_with('{'), "{call:?}: {}", ended.stdout);
        count += 1;
    }
    assert!(count >= 20, "{count} commands");

    tails_and_writes(&tree, &shop, place.path());
}

/// What prints JSON and is not only a look at the server.
fn tails_and_writes(tree: &[Known], shop: &Shop, dir: &Path) {
    let words = |line: &str| line.split(' ').map(str::to_owned).collect::<Vec<_>>();
    for line in [
        "projectors replay plans --json",
        "projectors replay plans --status --follow --json",
        "projectors replay plans --until 1 --into past.sqlite --json",
        "effects pause register-webhooks --json",
        "effects resume register-webhooks --json",
        "effects drop register-webhooks 1 --json",
        "effects replay register-webhooks --json",
        "backup more.jsonl --json",
        "backup --verify backup.jsonl more.jsonl --json",
        "restore backup.jsonl --data-dir restored --json",
        "doctor --data-dir data --addr 127.0.0.1:0 --json",
        "init tea-list --sdk 0.1 --json",
        "api-keys create ci --scope admin --json",
    ] {
        let call = words(line);
        let mut command = umari();
        command.args(&call).current_dir(dir);
        if command_of(tree, &call).has("--url") {
            command.env("UMARI_URL", shop.url());
        }
        let ended = run(&mut command);
        let is_restored = line.starts_with("backup --verify");
        // Two whole backups of one log do not go on from each other.
        assert_eq!(
            ended.code,
            Some(i32::from(is_restored)),
            "{line}: {}",
            ended.stderr
        );
        let documents = documents(&ended);
        assert!(!documents.is_empty(), "{line}");
        assert_described(tree, &call, &documents);
        if let Some(key) = documents[0]["key"].as_str() {
            tails(tree, shop, key);
        }
    }
    for name in LOCAL {
        let known = tree.iter().find(|known| known.name() == *name);
        let known = known.expect("a command");
        // What prints text for a shell or a reader has no documents.
        let prints_text = ["serve", "test", "completions", "man"].contains(name);
        assert_eq!(known.has("--json"), !prints_text, "{name}");
    }
}

/// That each line of a stream is a document.
fn tails(tree: &[Known], shop: &Shop, key: &str) {
    let call = ["events", "tail", "--since", "0", "--json"].map(str::to_owned);
    let mut child = umari()
        .args(&call)
        .args(["--url", shop.url()])
        .env("UMARI_API_KEY", key)
        .stdout(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    let lines = BufReader::new(child.stdout.take().expect("a stdout")).lines();
    let lines = lines.take(2).map(|line| line.expect("text"));
    let documents: Vec<Value> = lines
        .map(|line| serde_json::from_str(&line).expect("JSON"))
        .collect();
    let _ended = child.kill();
    child.wait().expect("an end");
    assert_eq!(documents.len(), 2);
    assert_described(tree, &call, &documents);
}
