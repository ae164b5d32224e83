//! The warranty shop on the real binary: nothing is lost and nothing happens twice, whatever
//! ends the process.

use std::io::{BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use serde_json::{Value, json};

use crate::requests::Request;
use crate::support::{PATIENCE, Server, fill_disk, run, umari, with_failing_writes};

const SALES: u64 = 500;

/// A real HTTP target for the shop's webhooks.
#[derive(Clone)]
pub(crate) struct Sink {
    address: String,
    registrations: Arc<Mutex<Vec<String>>>,
    refuses: Arc<AtomicBool>,
}

impl Sink {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address").to_string();
        let sink = Self {
            address,
            registrations: Arc::default(),
            refuses: Arc::default(),
        };
        let server = sink.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let server = server.clone();
                std::thread::spawn(move || server.serve(&stream));
            }
        });
        sink
    }

    /// Takes the requests of one connection.
    fn serve(&self, stream: &TcpStream) {
        let mut reader = BufReader::new(stream);
        while let Some(request) = Request::read(&mut reader) {
            let answer = if self.refuses.load(Ordering::Acquire) {
                "503 Service Unavailable"
            } else {
                let body = String::from_utf8(request.body).expect("text");
                self.registrations.lock().expect("a lock").push(body);
                "201 Created"
            };
            let answer = format!("HTTP/1.1 {answer}\r\ncontent-length: 0\r\n\r\n");
            let mut stream = stream;
            if stream.write_all(answer.as_bytes()).is_err() {
                return;
            }
        }
    }

    /// From now on requests are refused, or taken again.
    pub(crate) fn refuse(&self, refuses: bool) {
        self.refuses.store(refuses, Ordering::Release);
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    pub(crate) fn registrations(&self) -> Vec<String> {
        self.registrations.lock().expect("a lock").clone()
    }
}

/// The shop behind a server on a data directory.
pub(crate) struct Shop {
    server: Server,
    data: PathBuf,
    sink: Sink,
}

impl Shop {
    fn serve(data: &Path, sink: &Sink) -> Self {
        let mut command = umari();
        command
            .args(["serve", "--addr", "127.0.0.1:0"])
            .args(["--allow-http", &sink.address])
            .arg("--data-dir")
            .arg(data);
        let mut command = with_failing_writes(&command);
        Self {
            server: Server::start(&mut command),
            data: data.to_owned(),
            sink: sink.clone(),
        }
    }

    /// Builds and deploys the example on a log that is there.
    pub(crate) fn reopen(data: &Path, sink: &Sink) -> Self {
        let shop = Self::serve(data, sink);
        let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/warranty");
        let deployed = run(umari()
            .arg("deploy")
            .arg(example)
            .args(["--url", &shop.server.url])
            .args(["--env", &format!("WEBHOOK_ADDRESS=http://{}", sink.address)]));
        assert_eq!(deployed.code, Some(0), "{}", deployed.stderr);
        shop
    }

    /// Builds and deploys the example, connects a shop and offers a plan.
    pub(crate) fn open(data: &Path, sink: &Sink) -> Self {
        let shop = Self::reopen(data, sink);
        let connected = shop.execute(
            "connect-shop",
            &json!({
                "shop_id": 1, "shop_domain": "one.example", "shop_name": "One",
                "access_token": "a-token-of-some-length", "owner_email": "one@example.com",
            }),
        );
        assert_eq!(connected.expect("an answer").0, 200);
        let created = shop.execute(
            "create-warranty-plan",
            &json!({
                "shop_id": 1, "plan_id": PLAN, "title": "Two years", "duration_months": 24,
                "price": "10.50", "applicable_to": "all", "status": "active",
            }),
        );
        let (status, body) = created.expect("an answer");
        assert_eq!(status, 200, "{body}");
        shop
    }

    /// Sells one warranty; `None` where no answer arrived.
    pub(crate) fn sell(&self, number: u64) -> Option<(u16, Value)> {
        let input = json!({
            "shop_id": 1, "plan_id": PLAN,
            "warranty_id": format!("00000000-0000-4000-8000-{number:012x}"),
            "order_id": number, "line_item_id": number, "customer_email": "c@example.com",
        });
        self.execute("sell-warranty", &input)
    }

    /// The file that a module of the example is built to.
    pub(crate) fn component(&self, name: &str) -> PathBuf {
        let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/warranty");
        let built = run(umari().args(["build", "--json"]).arg(example));
        assert_eq!(built.code, Some(0), "{}", built.stderr);
        let mut documents = built
            .stdout
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
        let found = documents.find(|document| document["names"] == json!([name]));
        let path = found.expect("the module")["path"].clone();
        path.as_str().expect("a path").into()
    }

    /// The API's URL.
    pub(crate) fn url(&self) -> &str {
        &self.server.url
    }

    /// Ends the server by a signal.
    #[cfg(unix)]
    pub(crate) fn end_by(self, signal: &str) -> (std::process::ExitStatus, String) {
        self.server.end_by(signal)
    }

    fn execute(&self, command: &str, input: &Value) -> Option<(u16, Value)> {
        let url = format!("{}/commands/{command}/execute", self.server.url);
        let mut response = agent().post(url).send_json(input).ok()?;
        let body = response.body_mut().read_json().ok()?;
        Some((response.status().as_u16(), body))
    }

    pub(crate) fn get(&self, path: &str) -> Value {
        let url = format!("{}{path}", self.server.url);
        let mut response = agent().get(url).call().expect("an answer");
        response.body_mut().read_json().expect("JSON")
    }

    fn sold(&self) -> u64 {
        let (mut sold, mut after) = (0, 0);
        loop {
            let page = self.get(&format!(
                "/events?type=warranty.sold&limit=1000&after={after}"
            ));
            sold += page["events"].as_array().expect("events").len() as u64;
            match page["next_after"].as_u64() {
                Some(next) => after = next,
                None => return sold,
            }
        }
    }

    /// Waits until `reached` says so of a module's status.
    pub(crate) fn wait_for(&self, name: &str, reached: impl Fn(&Value) -> bool) -> Value {
        let end = Instant::now() + PATIENCE;
        loop {
            let modules = self.get("/modules");
            let modules = modules["modules"].as_array().expect("modules");
            let module = modules.iter().find(|module| module["name"] == name);
            let module = module.expect("an active module");
            if reached(module) {
                return module.clone();
            }
            assert!(Instant::now() < end, "it did not happen: {module:#}");
            std::thread::yield_now();
        }
    }

    /// Waits until every module has handled everything.
    pub(crate) fn wait_caught_up(&self) {
        let end = Instant::now() + PATIENCE;
        loop {
            let modules = self.get("/modules");
            let caught_up = |module: &Value| {
                module["position"].is_null()
                    || (module["healthy"] == true && module["position"] == module["head"])
            };
            if modules["modules"]
                .as_array()
                .expect("modules")
                .iter()
                .all(caught_up)
            {
                return;
            }
            assert!(Instant::now() < end, "they did not catch up: {modules:#}");
            std::thread::yield_now();
        }
    }

    /// What the read model says was sold of the plan, and for how much.
    fn read_model(&self) -> (u64, String) {
        let path = self.data.join("projector/plans.sqlite");
        let connection = rusqlite::Connection::open(path).expect("a read model");
        connection
            .query_row("SELECT total_sold, revenue FROM plans", (), |row| {
                Ok((row.get(0)?, row.get(1)?))
            })
            .expect("the plan")
    }
}

pub(crate) const PLAN: &str = "0c7b5f0e-6c35-4b2f-9a55-0d7d6f5a1b11";

fn agent() -> ureq::Agent {
    ureq::Agent::config_builder()
        .http_status_as_error(false)
        .build()
        .into()
}

/// Sells on and on. Once `end_after` sales are acknowledged, `end` ends the server from another
/// thread, wherever it is then. How many sales were acknowledged.
fn sell_until(shop: &Shop, end_after: u64, end: impl FnOnce() + Send) -> u64 {
    let (acknowledged, reached) = channel();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            // Ends with the sales, too.
            if reached.iter().any(|count| count >= end_after) {
                end();
            }
        });
        let mut count = 0;
        for number in 1..=SALES {
            match shop.sell(number) {
                Some((200, _)) => count += 1,
                Some((503, body)) => {
                    assert_eq!(body["code"], "outcome-unknown", "{body}");
                    break;
                }
                None => break,
                Some(other) => panic!("sale {number}: {other:?}"),
            }
            // Nobody listens once the end is under way.
            let _ = acknowledged.send(count);
        }
        drop(acknowledged);
        count
    })
}

#[test]
fn a_killed_server_loses_nothing_that_it_acknowledged() {
    let data = tempfile::tempdir().expect("a directory");
    let sink = Sink::start();
    let shop = Shop::open(data.path(), &sink);
    let pid = shop.server.pid().to_string();
    let acknowledged = sell_until(&shop, SALES / 3, || {
        let kill = std::process::Command::new("kill")
            .args(["-KILL", &pid])
            .status();
        assert!(kill.expect("kill runs").success());
    });
    assert!(
        acknowledged < SALES,
        "the server was killed after all sales"
    );
    drop(shop);

    let shop = Shop::serve(data.path(), &sink);
    let sold = shop.sold();
    assert!(
        (acknowledged..=acknowledged + 1).contains(&sold),
        "{acknowledged} sales were acknowledged, {sold} are in the log"
    );
    shop.wait_caught_up();
    assert_eq!(shop.read_model().0, sold, "no row is doubled or missing");

    for number in sold + 1..=SALES {
        assert_eq!(shop.sell(number).map(|(status, _)| status), Some(200));
    }
    shop.wait_caught_up();
    let cents = 1_050 * SALES;
    let revenue = format!("{}.{:02}", cents / 100, cents % 100);
    assert_eq!(shop.read_model(), (SALES, revenue));
    let mut registrations = sink.registrations();
    let all = registrations.len();
    registrations.sort();
    registrations.dedup();
    assert_eq!((registrations.len(), all), (2, 2), "{registrations:?}");
}

#[test]
fn a_store_that_fails_ends_the_server_in_order() {
    let data = tempfile::tempdir().expect("a directory");
    let sink = Sink::start();
    let shop = Shop::open(data.path(), &sink);
    shop.wait_caught_up();
    let acknowledged = sell_until(&shop, 20, || {
        fill_disk(shop.server.pid(), Some(1));
    });
    let (status, stderr) = shop.server.wait();
    assert_eq!(status.code(), Some(74), "{stderr}");
    let errors: Vec<&str> = stderr
        .lines()
        .filter(|line| line.starts_with("error:"))
        .collect();
    assert_eq!(errors.len(), 1, "{stderr}");
    assert!(errors[0].contains("event store"), "{stderr}");

    let shop = Shop::serve(data.path(), &sink);
    let sold = shop.sold();
    assert!(
        (acknowledged..=acknowledged + 1).contains(&sold),
        "{acknowledged} sales were acknowledged, {sold} are in the log"
    );
    shop.wait_caught_up();
    assert_eq!(shop.read_model().0, sold);
    assert_eq!(shop.sink.registrations().len(), 2);
}
