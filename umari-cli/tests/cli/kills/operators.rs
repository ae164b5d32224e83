//! What an operator does while the server is killed: parking events, replaying an effect, rotating
//! the master key.

use std::os::unix::process::ExitStatusExt as _;
use std::process::Stdio;
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};

use super::Campaign;
use crate::api::{Answer, Api, NoAnswer};
use crate::support::{PATIENCE, umari};

const EFFECT: &str = "relay";
/// Notes that the target refuses in one life.
const REFUSED: u64 = 4;

impl Campaign {
    /// Parks events that the effect fails at, and delivers them once more or drops them. What was
    /// acknowledged holds after the restart.
    pub(super) fn kill_while_parking(&mut self) -> bool {
        // Every event is parked, and then delivered or dropped.
        let more = self.rng.random_range(1..2 * REFUSED);
        let moment = self.moment(Duration::from_millis(8));
        let rng = StdRng::seed_from_u64(self.rng.random());
        let server = self.start_and_check();
        // What earlier kills interrupted waits in the lanes before.
        server.api.wait_caught_up();
        let notes = self.refused_notes(&server.api, REFUSED);
        let killed = self.kill_under_load_of(server, |campaign, server| {
            let (api, notes) = (server.api.clone(), notes.as_slice());
            std::thread::scope(|scope| {
                scope.spawn(move || campaign.operate(&api, rng, notes));
                campaign.pulse.wait_for(more, |counts| counts.changed);
                server.ends_within(moment);
                server.kill()
            })
        });
        // What was not parked is handled from now on, and what is parked stays so.
        for (_, note_id) in &notes {
            self.target.accept(*note_id);
        }
        self.bury();
        let server = self.start_and_check();
        let parked = server.api.parked(EFFECT);
        let known = self.ledger().head();
        self.ledger().read(server.api.events_after(known));
        let mut desk = self.desk();
        desk.check(&parked.iter().copied().collect(), &self.ledger());
        for position in parked {
            let (_, note_id) = notes.iter().find(|(at, _)| *at == position).expect("ours");
            desk.left(position, *note_id);
        }
        drop(desk);
        self.deliver_everything(&server.api);
        assert!(server.kill());
        killed
    }

    /// Writes notes that the target refuses; their positions and ids.
    fn refused_notes(&self, api: &Api, times: u64) -> Vec<(u64, u64)> {
        let (index, work, first) = self.ledger().calling(times);
        self.target.refuse(first..first + times);
        let answer = work.execute(api, None);
        self.ledger().end(index, answer.clone());
        let Answer::Acknowledged { position, .. } = answer else {
            panic!("{work:?} was answered with {answer:?}");
        };
        let positions = position + 1 - times..=position;
        positions.zip(first..).collect()
    }

    /// Parks all of these notes, then delivers or drops each of them, until the server is gone.
    fn operate(&self, api: &Api, mut rng: StdRng, notes: &[(u64, u64)]) {
        if self.park_all(api, notes).is_err() {
            return;
        }
        loop {
            let open = self.desk().open();
            let Some((position, note_id)) = open.get(rng.random_range(0..REFUSED) as usize) else {
                if open.is_empty() {
                    return;
                }
                continue;
            };
            let done = match rng.random_range(0..3) {
                0 => self.drop_parked(api, *position, *note_id),
                accept => {
                    if accept == 1 {
                        self.target.accept(*note_id);
                    }
                    self.retry_parked(api, *position)
                }
            };
            if done.is_err() {
                return;
            }
            self.pulse.beat(|counts| counts.changed += 1);
        }
    }

    fn park_all(&self, api: &Api, notes: &[(u64, u64)]) -> Result<(), NoAnswer> {
        for (position, note_id) in notes {
            let end = Instant::now() + PATIENCE;
            while !api.park(EFFECT, *position)? {
                assert!(Instant::now() < end, "it does not fail");
                std::thread::yield_now();
            }
            self.desk().parked(*position, *note_id, self.target.count());
            self.pulse.beat(|counts| counts.changed += 1);
        }
        Ok(())
    }

    fn drop_parked(&self, api: &Api, position: u64, note_id: u64) -> Result<(), NoAnswer> {
        self.ledger().drop_note(note_id);
        self.desk().drop_asked(position);
        let outcome = api.drop_parked(EFFECT, position)?;
        assert_eq!(outcome, "dropped", "{position}");
        // Should it come again, it is not to be refused, but to be found out.
        self.target.accept(note_id);
        self.desk().dropped(position);
        Ok(())
    }

    fn retry_parked(&self, api: &Api, position: u64) -> Result<(), NoAnswer> {
        self.desk().retry_asked(position, self.target.count());
        let outcome = api.retry_parked(EFFECT, position)?;
        self.desk().retried(position, &outcome, self.target.count());
        Ok(())
    }

    /// Has everything that is parked delivered, which nothing refuses any more.
    fn deliver_everything(&self, api: &Api) {
        let open = self.desk().open();
        for (position, _) in open {
            self.desk().retry_asked(position, self.target.count());
            // Not parked: it was queued before the kill.
            let outcome = api.retry_parked(EFFECT, position).expect("an answer");
            assert_ne!(outcome, "failed", "{position}");
        }
        api.wait_caught_up();
        assert!(api.parked(EFFECT).is_empty(), "all is delivered");
        self.desk().forget();
    }

    /// Replays the effect. Once acknowledged, it goes on after the restart, and what was dropped
    /// before is sent as well, once.
    pub(super) fn kill_while_replaying_effect(&mut self) -> bool {
        let moment = self.moment(Duration::from_millis(250));
        let mut acknowledged = false;
        let server = self.start_and_check();
        server.api.wait_caught_up();
        let notes = self.refused_notes(&server.api, 1);
        let (position, dropped) = notes[0];
        let parked = self.park_all(&server.api, &notes);
        parked
            .and_then(|()| self.drop_parked(&server.api, position, dropped))
            .expect("an answer");
        self.desk().forget();
        let killed = self.kill_under_load_of(server, |campaign, server| {
            let api = &server.api.clone();
            campaign.desk().replay_asked(campaign.target.count());
            std::thread::scope(|scope| {
                let replay = scope.spawn(|| api.replay_effect(EFFECT));
                server.ends_within(moment);
                let killed = server.kill();
                acknowledged = replay.join().expect("no panic");
                killed
            })
        });
        self.bury();
        let server = self.start_and_check();
        server.api.wait_caught_up();
        let known = self.ledger().head();
        self.ledger().read(server.api.events_after(known));
        let sent = self.ledger().relayed_at(dropped).is_some();
        assert!(sent || !acknowledged, "the replay did not go on");
        if !sent {
            let calls = self.target.count();
            self.desk().silence(dropped, calls);
        }
        assert!(server.kill());
        killed
    }

    /// Rotates the master key of a server that works, or of a directory that nobody uses. Every
    /// secret is read as before afterwards.
    pub(super) fn kill_while_rotating(&mut self) -> bool {
        let (asked, acknowledged) = &mut self.rotations;
        *asked += 1;
        let acknowledged_before = *acknowledged;
        let mut done = false;
        let killed = if self.rng.random_bool(0.5) {
            let moment = self.moment(Duration::from_millis(25));
            let killed = self.kill_under_load_with(|_, server| {
                let api = &server.api.clone();
                std::thread::scope(|scope| {
                    let rotation = scope.spawn(|| api.rotate_master_key());
                    server.ends_within(moment);
                    let killed = server.kill();
                    done = rotation.join().expect("no panic");
                    killed
                })
            });
            self.bury();
            killed
        } else {
            // No server lives here, so there is none to bury.
            let moment = self.moment(Duration::from_millis(60));
            let mut rotation = umari()
                .args(["keys", "rotate", "--yes", "--data-dir"])
                .arg(self.data())
                .stdout(Stdio::piped())
                .stderr(Stdio::null())
                .spawn()
                .expect("the binary starts");
            let stdout = rotation.stdout.take().expect("a stdout");
            ends_within(stdout, moment);
            rotation.kill().expect("a process");
            let status = rotation.wait().expect("an end");
            assert!(status.signal() == Some(9) || status.success(), "{status}");
            done = status.success();
            !done
        };
        self.rotations.1 = acknowledged_before + usize::from(done);
        let server = self.start_and_check();
        let known = self.ledger().head();
        self.ledger().read(server.api.events_after(known));
        let secrets = server.api.events_of_type("secret.noted");
        let ledger = self.ledger();
        let written = ledger.log().iter();
        let written = written.filter(|event| event.event_type == "secret.noted");
        assert!(secrets.iter().eq(written), "secrets are not what they were");
        drop(ledger);
        let (asked, acknowledged) = self.rotations;
        let recorded = server.api.rotations();
        assert!(
            (acknowledged..=asked).contains(&recorded),
            "{acknowledged} rotations of {asked} were acknowledged, {recorded} are recorded"
        );
        assert!(server.kill());
        killed
    }
}

/// Waits for the end of a process that has this output, for `patience` at most.
fn ends_within(mut stdout: std::process::ChildStdout, patience: Duration) {
    let (ended, end) = std::sync::mpsc::channel::<()>();
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut stdout, &mut std::io::sink());
        drop(ended);
    });
    // Whether it has ended or not, it is killed now.
    let _ = end.recv_timeout(patience);
}
