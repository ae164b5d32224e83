//! What is written, read in every way that there is: by who wrote it, in SQL, and as it comes.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use serde_json::{Value, json};

use crate::shop::{PLAN, Shop, Sink};
use crate::support::{Ended, run, umari};

fn ask(shop: &Shop, args: &[&str]) -> Ended {
    run(umari().args(args).args(["--url", shop.url()]))
}

fn read(shop: &Shop, args: &[&str]) -> Value {
    let ended = ask(shop, args);
    assert_eq!(ended.code, Some(0), "{args:?}: {}", ended.stderr);
    serde_json::from_str(&ended.stdout).expect("JSON")
}

#[test]
fn what_is_written_is_read_in_every_way() {
    let data = tempfile::tempdir().expect("a directory");
    let sink = Sink::start();
    let shop = Shop::open(data.path(), &sink);
    let sale = json!({
        "shop_id": 1, "plan_id": PLAN, "warranty_id": "00000000-0000-4000-8000-000000000001",
        "order_id": 1, "line_item_id": 1, "customer_email": "c@example.com",
    });
    let sale = sale.to_string();
    let correlation = "00000000-0000-4000-8000-00000000000a";
    let mut sell = vec!["execute", "sell-warranty", "--input", &sale];
    sell.extend(["--correlation-id", correlation, "--json"]);
    sell.extend(["--wait-for", "plans", "--timeout", "60s"]);
    let receipt = read(&shop, &sell);
    assert_eq!(receipt["caught_up"], true, "{receipt}");
    let position = receipt["position"].to_string();

    // The sale is in the read model, without any waiting by us.
    let sql = "SELECT total_sold, revenue FROM plans WHERE plan_id = :plan";
    let plan = format!(":plan={PLAN}");
    let query = ["projectors", "query", "plans", sql, "--param", &plan];
    let answer = ask(&shop, &query);
    assert_eq!(answer.code, Some(0), "{}", answer.stderr);
    let lines: Vec<&str> = answer.stdout.lines().map(str::trim).collect();
    assert_eq!(lines, ["total_sold  revenue", "1  10.50"]);
    assert!(
        answer.stderr.starts_with("1 row, as of position "),
        "{}",
        answer.stderr
    );
    let mut as_json = query.to_vec();
    as_json.extend(["--min-position", &position, "--json"]);
    assert_eq!(read(&shop, &as_json)["rows"], json!([[1, "10.50"]]));
    let written = ask(
        &shop,
        &["projectors", "query", "plans", "DELETE FROM plans"],
    );
    assert_eq!(written.code, Some(1));
    assert!(
        written.stderr.contains("may only read"),
        "{}",
        written.stderr
    );

    let event = read(&shop, &["events", "show", &position, "--json"]);
    assert_eq!(event["correlation_id"], correlation);
    let shown = ask(
        &shop,
        &["events", "show", event["id"].as_str().expect("an id")],
    );
    assert!(shown.stdout.contains("warranty.sold"), "{}", shown.stdout);
    let graph = ask(&shop, &["events", "graph", correlation]);
    let expected =
        format!("action {correlation}\n└─ sell-warranty 1.0.0\n   └─ {position} warranty.sold ");
    assert!(graph.stdout.starts_with(&expected), "{}", graph.stdout);
    assert_eq!(ask(&shop, &["events", "graph", "one"]).code, Some(2));
    assert_eq!(ask(&shop, &["events", "show", "one"]).code, Some(1));
    let listed = read(&shop, &["events", "--type", "warranty.sold", "--json"]);
    assert_eq!(listed["events"], json!([event]));
}

#[cfg(unix)]
#[test]
fn a_tail_follows_until_the_server_ends_and_says_how_to_go_on() {
    let data = tempfile::tempdir().expect("a directory");
    let sink = Sink::start();
    let shop = Shop::open(data.path(), &sink);
    let mut tail = umari()
        .args([
            "events",
            "tail",
            "--since",
            "0",
            "--type",
            "warranty.sold",
            "--json",
        ])
        .args(["--url", shop.url()])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    let mut lines = BufReader::new(tail.stdout.take().expect("a stdout")).lines();
    let mut last = Value::Null;
    for number in 1..=3 {
        assert_eq!(shop.sell(number).expect("an answer").0, 200);
        let line = lines.next().expect("a line").expect("text");
        last = serde_json::from_str(&line).expect("JSON");
        assert_eq!(last["data"]["order_id"], number);
    }
    let (status, stderr) = shop.end_by("TERM");
    assert_eq!(status.code(), Some(0), "{stderr}");
    assert!(lines.next().is_none());
    let ended = tail.wait_with_output().expect("an end");
    assert_eq!(ended.status.code(), Some(1));
    let stderr = String::from_utf8(ended.stderr).expect("text");
    assert!(
        stderr.starts_with("error: the server ended the stream"),
        "{stderr}"
    );
    let (_, since) = stderr
        .split_once("umari events tail --since ")
        .expect("help");
    let since: u64 = since
        .trim_end()
        .trim_end_matches('`')
        .parse()
        .expect("a position");
    assert!(
        since >= last["position"].as_u64().expect("a position"),
        "{stderr}"
    );
}
