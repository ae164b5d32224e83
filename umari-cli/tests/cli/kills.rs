//! `kill -9` at every moment, again and again, on the real binary.
//!
//! Clients write with and without idempotency keys and remember what they were told; an effect
//! calls a real HTTP target that remembers what it got; modules are deployed and swapped. The
//! server is killed in the middle of each of it, started again, and held against what must be
//! true: what was acknowledged is in the log as it was acknowledged, what was refused is not,
//! nothing is there twice, a call made again under its key is written once, positions have no
//! gap, the projector's rows are a fold of the log up to its position at every moment, and the
//! effect has recorded everything once and called the outside once, or once more where a kill fell
//! between a call and its record. What an operator was told holds too: an event that was parked is,
//! one that was dropped is sent by a replay of the effect alone, and every secret is read with the
//! master key that a rotation left.
//!
//! ```text
//! UMARI_KILLS=300 cargo test -p umari-cli --test cli kills
//! UMARI_KILLS_SEED=7 cargo test -p umari-cli --test cli kills    # the plan of an earlier run
//! ```
//!
//! A killed process leaves what it wrote to the kernel. So this proves nothing about a power cut,
//! where only what was synced to the disk remains: that an acknowledgement comes after the sync, and
//! that a failed sync ends all writing, is for the store's own tests and for reading
//! `host_minimal::store`.

#[path = "kills/desk.rs"]
mod desk;
#[path = "kills/ledger.rs"]
mod ledger;
#[path = "kills/operators.rs"]
mod operators;
#[path = "kills/phases.rs"]
mod phases;
#[path = "kills/pulse.rs"]
mod pulse;
#[path = "kills/remains.rs"]
mod remains;
#[path = "kills/report.rs"]
mod report;
#[path = "kills/target.rs"]
mod target;
#[path = "kills/victim.rs"]
mod victim;

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use rand::rngs::StdRng;
use rand::seq::SliceRandom as _;
use rand::{Rng as _, SeedableRng as _};
use tempfile::TempDir;

use self::desk::Desk;
use self::ledger::Ledger;
use self::phases::Phase;
use self::pulse::Pulse;
use self::remains::Remains;
use self::report::Figures;
use self::target::{Received, Target};
use self::victim::Victim;
use crate::api::Built;
use crate::fixtures::fixtures;
use crate::support::PATIENCE;

/// Kills where nothing is said.
const KILLS: usize = 20;
const CLIENTS: u64 = 4;

#[test]
fn whenever_it_is_killed_nothing_is_lost_and_nothing_happens_twice() {
    let number = |name: &str| {
        let value = std::env::var(name).ok()?;
        Some(value.parse::<u64>().expect("a number"))
    };
    let kills = number("UMARI_KILLS").map_or(KILLS, |kills| usize::try_from(kills).expect("fewer"));
    let seed = number("UMARI_KILLS_SEED").unwrap_or_else(rand::random);
    let mut campaign = Campaign::begin(seed);
    while campaign.figures.kills() < kills {
        let mut phases = Phase::ALL;
        phases.shuffle(&mut campaign.rng);
        for phase in phases {
            if campaign.figures.kills() < kills {
                campaign.kill_while(phase);
            }
        }
    }
    campaign.finish();
}

/// A data directory, what is known of it, and what its servers went through.
struct Campaign {
    seed: u64,
    rng: StdRng,
    directory: TempDir,
    target: Target,
    pulse: Arc<Pulse>,
    ledger: Mutex<Ledger>,
    desk: Mutex<Desk>,
    /// Rotations of the master key: how many were asked for, and acknowledged.
    rotations: (usize, usize),
    figures: Figures,
    /// When each life of the server began.
    lives: Vec<DateTime<Utc>>,
    /// What the last kill left, until the log has been read.
    remains: Option<Remains>,
    /// Versions that were made so far.
    versions: u32,
    /// How long the last start and the last deployment took: a kill comes within that.
    start: Duration,
    deployment: Duration,
}

impl Campaign {
    /// Makes a data directory with a command, a projector and an effect of two versions each.
    fn begin(seed: u64) -> Self {
        let pulse = Arc::<Pulse>::default();
        let mut campaign = Self {
            seed,
            rng: StdRng::seed_from_u64(seed),
            directory: tempfile::tempdir().expect("a directory"),
            target: Target::start(Arc::clone(&pulse)),
            pulse,
            ledger: Mutex::default(),
            desk: Mutex::default(),
            rotations: (0, 0),
            figures: Figures::default(),
            lives: Vec::new(),
            remains: None,
            versions: 0,
            start: PATIENCE,
            deployment: PATIENCE,
        };
        let server = campaign.start();
        for version in ["1.0.0", "1.0.1"] {
            for module in MODULES {
                let built = module.built(None, &campaign.target);
                let api = &server.api;
                assert!(api.upload(module.kinds, module.name, version, &built));
                assert!(api.activate(module.kinds, module.name, version));
            }
        }
        server.api.wait_caught_up();
        assert!(server.kill());
        campaign.bury();
        campaign
    }

    fn data(&self) -> PathBuf {
        self.directory.path().join("data")
    }

    fn log_file(&self) -> PathBuf {
        self.directory.path().join("log")
    }

    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().expect("a lock")
    }

    fn desk(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().expect("a lock")
    }

    /// A random duration up to `longest`.
    fn moment(&mut self, longest: Duration) -> Duration {
        longest.mul_f64(self.rng.random())
    }

    /// Begins a life of the server and waits until it is ready.
    fn start(&mut self) -> Victim {
        let begin = Instant::now();
        let mut server = self.spawn();
        assert!(server.is_ready_within(PATIENCE), "it does not start");
        self.start = begin.elapsed();
        server
    }

    fn spawn(&mut self) -> Victim {
        self.lives.push(Utc::now());
        Victim::spawn(&self.data(), &self.target.address, &self.log_file())
    }

    /// Waits until nothing of the dead server is on its way, and looks at what it left.
    fn bury(&mut self) {
        self.target.next_life();
        assert_eq!(self.target.life(), self.lives.len(), "a life of the server");
        self.remains = Some(Remains::read(&self.data()));
    }

    /// Starts the server and checks what is known of the life before.
    fn start_and_check(&mut self) -> Victim {
        let server = self.start();
        let mut ledger = self.ledger.lock().expect("a lock");
        let known = ledger.head();
        ledger.read(server.api.events_after(known));
        let again = ledger.settle();
        if let Some(remains) = self.remains.take() {
            remains.check(&ledger);
            self.figures.states_checked += 1;
        }
        for (index, work, key) in again {
            let answer = work.execute(&server.api, Some(key));
            ledger.made_again(index, answer);
        }
        if let Some((index, work, key)) = ledger.written_with_key(&mut self.rng) {
            let answer = work.execute(&server.api, Some(key));
            ledger.repeated(index, &answer);
        }
        drop(ledger);
        server
    }

    /// Lets everything be handled, checks all of it, and prints the figures.
    fn finish(mut self) {
        let server = self.start_and_check();
        server.api.wait_caught_up();
        let mut ledger = self.ledger.lock().expect("a lock");
        let known = ledger.head();
        ledger.read(server.api.events_after(known));
        assert_eq!(ledger.settle().len(), 0, "nothing is left to be made again");
        let whole = server.api.events_after(0);
        assert!(whole == ledger.log(), "the log is not what it was");
        ledger.check_effects();
        drop(ledger);
        server.ask_to_stop();
        assert!(server.ends_within(PATIENCE), "it does not stop");
        assert!(!server.kill(), "it had ended");
        self.bury();
        let (ledger, remains) = (self.ledger(), self.remains.as_ref().expect("files"));
        remains.check(&ledger);
        remains.check_complete(&ledger);
        self.check_calls(&ledger);
        drop(ledger);
        self.check_leftovers();
        let log = std::fs::read_to_string(self.log_file()).expect("a log");
        assert!(!log.contains("panicked at"), "the host has a bug:\n{log}");
        let table = self.figures.table(
            self.seed,
            &self.ledger(),
            &self.desk(),
            &self.target.calls(),
        );
        // Not captured: the figures are to be seen where everything is well, too.
        writeln!(std::io::stderr(), "{table}").expect("a terminal");
    }

    /// The outside was called for every note that asks for it, under the note's id, and again only
    /// in another life, where the first call was not recorded before.
    fn check_calls(&self, ledger: &Ledger) {
        let mut calls: BTreeMap<u64, Vec<Received>> = BTreeMap::new();
        for call in self.target.calls() {
            calls.entry(call.note_id).or_default().push(call);
        }
        for event in ledger.log().iter().filter(|it| it.event_type == "noted") {
            let note_id = event.data["note_id"].as_u64().expect("an id");
            let calls = calls.remove(&note_id).unwrap_or_default();
            assert_eq!(calls.is_empty(), event.data["text"] == "quiet", "{event:?}");
            assert!(calls.iter().all(|call| call.key == event.id.to_string()));
            let accepted: Vec<_> = calls.iter().filter(|call| call.accepted).collect();
            assert!(
                accepted.windows(2).all(|pair| pair[0].life < pair[1].life),
                "called twice in one life: {calls:?}"
            );
            let Some(recorded) = ledger.relayed_at(note_id) else {
                assert!(ledger.may_be_dropped(note_id), "not recorded: {event:?}");
                continue;
            };
            let recorded = &ledger.log()[usize::try_from(recorded - 1).expect("a position")];
            let needless = calls
                .iter()
                .find(|call| recorded.timestamp < self.lives[call.life]);
            assert!(needless.is_none(), "{needless:?} after {recorded:?}");
        }
        assert!(calls.is_empty(), "nobody asked for {calls:?}");
    }

    /// Files that are only there while they are made have gone.
    fn check_leftovers(&self) {
        let mut directories = vec![self.data()];
        while let Some(directory) = directories.pop() {
            for entry in std::fs::read_dir(directory).expect("a directory") {
                let path = entry.expect("an entry").path();
                if path.is_dir() {
                    directories.push(path);
                    continue;
                }
                let extension = path.extension().unwrap_or_default();
                let unfinished = ["tmp", "new", "next"].iter().any(|it| extension == *it);
                let replayed = path.starts_with(self.data().join("replay"));
                assert!(!unfinished && !replayed, "{}", path.display());
            }
        }
    }
}

impl Drop for Campaign {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.directory.disable_cleanup(true);
            eprintln!(
                "UMARI_KILLS_SEED={} and what is left is in {}",
                self.seed,
                self.directory.path().display()
            );
        }
    }
}

/// A module of the campaign.
#[derive(Debug, Clone, Copy)]
struct Module {
    kinds: &'static str,
    name: &'static str,
}

const MODULES: [Module; 5] = [
    Module::of("commands", "note"),
    Module::of("commands", "count-up"),
    Module::of("commands", "note-secret"),
    Module::of("projectors", "notes"),
    Module::of("effects", "relay"),
];

impl Module {
    const fn of(kinds: &'static str, name: &'static str) -> Self {
        Self { kinds, name }
    }

    /// The component. One with a mark is the same to run, and has to be compiled anew.
    fn built(self, mark: Option<u32>, target: &Target) -> Built {
        let (wasm, env) = match self.kinds {
            "commands" => (&fixtures().commands, vec![]),
            "projectors" => (&fixtures().projector, vec![]),
            _ => {
                let target = format!("http://{}", target.address);
                (&fixtures().effect, vec![("TARGET".to_owned(), target)])
            }
        };
        let mut wasm = wasm.clone();
        if let Some(mark) = mark {
            // A custom section: its id, its size, the length of its name, and its name.
            wasm.extend([0, 5, 4]);
            wasm.extend(format!("{mark:04}").into_bytes());
        }
        Built { wasm, env }
    }
}
