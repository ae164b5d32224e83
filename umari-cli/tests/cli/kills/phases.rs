//! What the server does when it is killed, and how it is brought there.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};

use super::victim::Victim;
use super::{CLIENTS, Campaign, MODULES};
use crate::api::{Answer, Api};
use crate::support::PATIENCE;

/// A moment to kill the server at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Phase {
    Appending,
    Projecting,
    CallingOut,
    Recording,
    Deploying,
    Swapping,
    Replaying,
    Pausing,
    Parking,
    ReplayingEffect,
    Shredding,
    Rotating,
    Starting,
    Creating,
    Stopping,
}

impl Phase {
    pub(super) const ALL: [Self; 15] = [
        Self::Appending,
        Self::Projecting,
        Self::CallingOut,
        Self::Recording,
        Self::Deploying,
        Self::Swapping,
        Self::Replaying,
        Self::Pausing,
        Self::Parking,
        Self::ReplayingEffect,
        Self::Shredding,
        Self::Rotating,
        Self::Starting,
        Self::Creating,
        Self::Stopping,
    ];

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Appending => "while clients write",
            Self::Projecting => "while a projector catches up",
            Self::CallingOut => "before an HTTP call is answered",
            Self::Recording => "after it, before or after its record",
            Self::Deploying => "during upload, compilation, activation",
            Self::Swapping => "while versions are swapped",
            Self::Replaying => "while a projector is replayed and switched",
            Self::Pausing => "while modules are paused and resumed",
            Self::Parking => "while events are parked, retried, dropped",
            Self::ReplayingEffect => "while an effect is replayed",
            Self::Shredding => "while a scope is shredded",
            Self::Rotating => "while the master key is rotated",
            Self::Starting => "while the host starts",
            Self::Creating => "while a data directory is made",
            Self::Stopping => "during a graceful stop",
        }
    }
}

impl Campaign {
    /// Brings the server into a phase, kills it there, and buries it.
    pub(super) fn kill_while(&mut self, phase: Phase) {
        let killed = match phase {
            Phase::Appending => {
                let more = self.rng.random_range(1..60);
                self.kill_under_load(|campaign, _| {
                    campaign.pulse.wait_for(more, |counts| counts.acknowledged);
                })
            }
            Phase::Projecting => self.kill_while_projecting(),
            Phase::CallingOut => {
                let skip = self.rng.random_range(0..12);
                self.kill_under_load_with(|campaign, server| {
                    let _held = campaign.target.hold(skip);
                    server.kill()
                })
            }
            Phase::Recording => {
                let more = self.rng.random_range(1..12);
                let moment = self.moment(Duration::from_millis(4));
                self.kill_under_load(|campaign, server| {
                    campaign.pulse.wait_for(more, |counts| counts.answered);
                    server.ends_within(moment);
                })
            }
            Phase::Deploying => self.kill_while_deploying(),
            Phase::Swapping => self.kill_while_swapping(),
            Phase::Replaying => self.kill_while_replaying(),
            Phase::Pausing => self.kill_while_pausing(),
            Phase::Parking => self.kill_while_parking(),
            Phase::ReplayingEffect => self.kill_while_replaying_effect(),
            Phase::Shredding => self.kill_while_shredding(),
            Phase::Rotating => self.kill_while_rotating(),
            Phase::Starting => {
                let moment = self.moment(self.start);
                let mut server = self.spawn();
                server.is_ready_within(moment);
                server.kill()
            }
            Phase::Creating => return self.kill_while_creating(),
            Phase::Stopping => {
                let more = self.rng.random_range(1..30);
                let moment = self.moment(Duration::from_millis(200));
                self.kill_under_load(|campaign, server| {
                    campaign.pulse.wait_for(more, |counts| counts.acknowledged);
                    server.ask_to_stop();
                    server.ends_within(moment);
                })
            }
        };
        self.figures.ended(phase, killed);
        self.bury();
    }

    /// Kills the server under load, at the moment for which `wait` waits.
    fn kill_under_load(&mut self, wait: impl FnOnce(&Self, &Victim)) -> bool {
        self.kill_under_load_with(|campaign, server| {
            wait(campaign, &server);
            server.kill()
        })
    }

    /// Lets clients write until `kill` has killed the server.
    pub(super) fn kill_under_load_with(
        &mut self,
        kill: impl FnOnce(&Self, Victim) -> bool,
    ) -> bool {
        let server = self.start_and_check();
        self.kill_under_load_of(server, kill)
    }

    /// The same, on a server that was brought to where it is to be.
    pub(super) fn kill_under_load_of(
        &mut self,
        server: Victim,
        kill: impl FnOnce(&Self, Victim) -> bool,
    ) -> bool {
        let seeds: Vec<u64> = (0..CLIENTS).map(|_| self.rng.random()).collect();
        std::thread::scope(|scope| {
            for seed in seeds {
                let (api, campaign) = (server.api.clone(), &*self);
                scope.spawn(move || campaign.write(&api, StdRng::seed_from_u64(seed)));
            }
            kill(self, server)
        })
    }

    /// Writes until the server is gone, as one client.
    fn write(&self, api: &Api, mut rng: StdRng) {
        loop {
            let (index, work, key) = self.ledger().invent(&mut rng);
            let answer = work.execute(api, key);
            self.ledger().end(index, answer.clone());
            match answer {
                Answer::Acknowledged { .. } => self.pulse.beat(|counts| counts.acknowledged += 1),
                Answer::Refused(code) if code == "shutting-down" => return,
                Answer::Refused(_) => {}
                Answer::Unknown => return,
            }
        }
    }

    fn kill_while_projecting(&mut self) -> bool {
        let server = self.start_and_check();
        let api = &server.api;
        api.deactivate("projectors", "notes");
        for _ in 0..3 {
            let (index, work) = self.ledger().backlog(150);
            let answer = work.execute(api, None);
            self.ledger().end(index, answer);
        }
        assert!(api.activate("projectors", "notes", "1.0.0"));
        let begin = api.position("notes");
        while api.position("notes") == begin {
            std::thread::yield_now();
        }
        let moment = self.moment(Duration::from_millis(5));
        server.ends_within(moment);
        server.kill()
    }

    /// Deploys a version that was never seen before, which has to be compiled.
    fn kill_while_deploying(&mut self) -> bool {
        let module = MODULES[self.rng.random_range(0..MODULES.len())];
        self.versions += 1;
        let version = format!("1.1.{}", self.versions);
        let built = module.built(Some(self.versions), &self.target);
        let deploy = |api: &Api| {
            let begin = Instant::now();
            let done = api.upload(module.kinds, module.name, &version, &built)
                && api.activate(module.kinds, module.name, &version);
            done.then(|| begin.elapsed())
        };
        let moment = self.moment(self.deployment.min(Duration::from_secs(5)));
        let mut deployed = None;
        let killed = self.kill_under_load_with(|_, server| {
            std::thread::scope(|scope| {
                let (api, (done, finished)) = (server.api.clone(), channel());
                scope.spawn(move || done.send(deploy(&api)));
                deployed = finished.recv_timeout(moment).ok().flatten();
                server.kill()
            })
        });
        self.deployment = deployed.unwrap_or(self.deployment);
        // Whatever is left of it is no obstacle to the next attempt.
        self.bury();
        let server = self.start_and_check();
        assert!(deploy(&server.api).is_some());
        assert!(server.kill());
        killed
    }

    fn kill_while_swapping(&mut self) -> bool {
        let more = self.rng.random_range(1..6);
        let moment = self.moment(Duration::from_millis(20));
        self.kill_under_load_with(|campaign, server| {
            std::thread::scope(|scope| {
                let api = server.api.clone();
                scope.spawn(move || {
                    let versions = ["1.0.0", "1.0.1"].iter().cycle();
                    for (version, module) in versions.flat_map(|v| MODULES.map(|m| (v, m))) {
                        if !api.activate(module.kinds, module.name, version) {
                            return;
                        }
                        campaign.pulse.beat(|counts| counts.changed += 1);
                    }
                });
                campaign.pulse.wait_for(more, |counts| counts.changed);
                server.ends_within(moment);
                server.kill()
            })
        })
    }

    /// Kills the first start on a directory of its own, until one survives.
    fn kill_while_creating(&mut self) {
        let directory = tempfile::tempdir().expect("a directory");
        let data = directory.path().join("data");
        let moment = self.moment(self.start);
        let spawn = || Victim::spawn(&data, &self.target.address, &self.log_file());
        let mut server = spawn();
        server.is_ready_within(moment);
        let killed = server.kill();
        let mut server = spawn();
        assert!(
            server.is_ready_within(PATIENCE),
            "it cannot be made any more"
        );
        assert_eq!(server.api.events_after(0), []);
        assert!(server.kill());
        self.figures.ended(Phase::Creating, killed);
    }

    /// Builds the read model anew, and kills on the way, at the switch, or after it.
    fn kill_while_replaying(&mut self) -> bool {
        let part: f64 = self.rng.random_range(0.0..1.2);
        let moment = self.moment(Duration::from_millis(10));
        self.kill_under_load(|_, server| {
            assert!(server.api.begin_replay("notes"));
            while server.api.replay_is_short_of("notes", part) {
                std::thread::yield_now();
            }
            server.ends_within(moment);
        })
    }

    /// Pauses and resumes modules; what was acknowledged holds after the restart.
    fn kill_while_pausing(&mut self) -> bool {
        let more = self.rng.random_range(1..8);
        let moment = self.moment(Duration::from_millis(8));
        let told = Mutex::new(BTreeMap::new());
        let killed = self.kill_under_load_with(|campaign, server| {
            std::thread::scope(|scope| {
                let (api, told) = (server.api.clone(), &told);
                scope.spawn(move || {
                    for pause in [true, false].into_iter().cycle() {
                        for module in MODULES.iter().filter(|it| it.kinds != "commands") {
                            let done = api.set_paused(module.kinds, module.name, pause);
                            let told_of = done.then_some(pause);
                            told.lock().expect("a lock").insert(module.name, told_of);
                            if !done {
                                return;
                            }
                            campaign.pulse.beat(|counts| counts.changed += 1);
                        }
                    }
                });
                campaign.pulse.wait_for(more, |counts| counts.changed);
                server.ends_within(moment);
                server.kill()
            })
        });
        self.bury();
        let server = self.start_and_check();
        for (name, paused) in told.into_inner().expect("a lock") {
            // `None`: the answer to the last change did not arrive.
            let is = server.api.is_paused(name);
            assert!(paused.is_none_or(|paused| paused == is), "{name}: {is}");
        }
        for module in MODULES.iter().filter(|it| it.kinds != "commands") {
            assert!(server.api.set_paused(module.kinds, module.name, false));
        }
        assert!(server.kill());
        killed
    }

    /// Shreds what was written under a scope; once acknowledged, nobody reads it any more.
    fn kill_while_shredding(&mut self) -> bool {
        let owner = format!("shredded {}", self.ledger().head());
        let scope = format!("owner:{owner}");
        let moment = self.moment(Duration::from_millis(15));
        let mut acknowledged = false;
        let scope = scope.as_str();
        let killed = self.kill_under_load_with(|campaign, server| {
            for _ in 0..3 {
                let (index, work) = campaign.ledger().secret(&owner);
                let answer = work.execute(&server.api, None);
                campaign.ledger().end(index, answer);
            }
            std::thread::scope(|threads| {
                let (api, (done, finished)) = (server.api.clone(), channel());
                threads.spawn(move || done.send(api.shred(scope)));
                acknowledged = finished.recv_timeout(moment).unwrap_or(false);
                server.kill()
            })
        });
        self.bury();
        let server = self.start_and_check();
        let readable = self.ledger().readable_secrets(&owner);
        assert!(readable == 0 || !acknowledged, "{owner} is still read");
        assert!([0, 3].contains(&readable), "{owner} is half shredded");
        // Again, or now: it is the same to do.
        assert!(server.api.shred(scope));
        self.ledger().forget_secrets(&owner);
        assert!(server.kill());
        killed
    }
}
