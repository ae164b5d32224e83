//! What the effect calls: a real HTTP target that remembers every call.

use std::collections::BTreeSet;
use std::io::{BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};

use super::pulse::Pulse;
use crate::requests::Request;

/// The target. Clones are handles to the same one.
#[derive(Clone)]
pub(super) struct Target {
    pub(super) address: String,
    shared: Arc<Shared>,
}

struct Shared {
    pulse: Arc<Pulse>,
    state: Mutex<State>,
    /// Connections that have not been seen to end.
    open: AtomicUsize,
}

#[derive(Default)]
struct State {
    calls: Vec<Received>,
    /// Notes that are answered with an error.
    refused: BTreeSet<u64>,
    life: usize,
    hold: Option<Hold>,
}

struct Hold {
    /// Calls to answer before.
    skip: u64,
    held: Sender<Sender<()>>,
}

/// One call.
#[derive(Debug, Clone)]
pub(super) struct Received {
    pub(super) note_id: u64,
    /// The idempotency key that came with it.
    pub(super) key: String,
    /// Which life of the server made it.
    pub(super) life: usize,
    /// Whether it was answered as a call that went well, if it was answered.
    pub(super) accepted: bool,
}

/// A call that is not answered before this is dropped.
pub(super) struct Held {
    _release: Sender<()>,
}

impl Target {
    pub(super) fn start(pulse: Arc<Pulse>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let target = Self {
            address: listener.local_addr().expect("an address").to_string(),
            shared: Arc::new(Shared {
                pulse,
                state: Mutex::default(),
                open: AtomicUsize::new(0),
            }),
        };
        let server = target.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                server.shared.open.fetch_add(1, Ordering::SeqCst);
                let server = server.clone();
                std::thread::spawn(move || {
                    server.serve(&stream);
                    server.shared.open.fetch_sub(1, Ordering::SeqCst);
                });
            }
        });
        target
    }

    /// Answers the requests of one connection.
    fn serve(&self, stream: &TcpStream) {
        let mut reader = BufReader::new(stream);
        while let Some(request) = Request::read(&mut reader) {
            let (accepted, hold) = self.take(&request);
            self.shared.pulse.beat(|counts| counts.called += 1);
            if let Some(hold) = hold {
                let (release, released) = channel();
                // Both fail where the campaign waits no longer.
                let _ = hold.send(release);
                let _ = released.recv();
            }
            let mut stream = stream;
            let status = if accepted { "200 OK" } else { "409 Conflict" };
            let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n");
            if stream.write_all(answer.as_bytes()).is_err() {
                return;
            }
            self.shared.pulse.beat(|counts| counts.answered += 1);
        }
    }

    /// Remembers a call: whether it is accepted, and, where it is the one to hold, who wants to know.
    fn take(&self, request: &Request) -> (bool, Option<Sender<Sender<()>>>) {
        let Some(note_id) = request.path.strip_prefix("/notes/") else {
            return (true, None);
        };
        let note_id = note_id.parse().expect("an id");
        let mut state = self.shared.state.lock().expect("a lock");
        let life = state.life;
        let accepted = !state.refused.contains(&note_id);
        state.calls.push(Received {
            note_id,
            key: request.header("idempotency-key").expect("a key").to_owned(),
            life,
            accepted,
        });
        let hold = match &mut state.hold {
            Some(hold) if hold.skip > 0 => {
                hold.skip -= 1;
                None
            }
            hold => hold.take().map(|hold| hold.held),
        };
        (accepted, hold)
    }

    /// Answers calls about these notes with an error, until they are accepted.
    pub(super) fn refuse(&self, note_ids: impl IntoIterator<Item = u64>) {
        let mut state = self.shared.state.lock().expect("a lock");
        state.refused.extend(note_ids);
    }

    /// Accepts calls about a note.
    pub(super) fn accept(&self, note_id: u64) {
        let mut state = self.shared.state.lock().expect("a lock");
        state.refused.remove(&note_id);
    }

    /// How many calls there were.
    pub(super) fn count(&self) -> usize {
        self.shared.state.lock().expect("a lock").calls.len()
    }

    /// Answers `skip` calls, then waits for one and keeps it waiting.
    pub(super) fn hold(&self, skip: u64) -> Held {
        let (held, holding) = channel();
        self.shared.state.lock().expect("a lock").hold = Some(Hold { skip, held });
        let release = holding.recv_timeout(crate::support::PATIENCE);
        Held {
            _release: release.expect("the effect calls"),
        }
    }

    /// Waits until everything that a server sent before it was killed has been read, and counts
    /// what comes from now on as sent by its next life.
    pub(super) fn next_life(&self) {
        // Accepted behind all connections of the dead server.
        let mut fence = TcpStream::connect(&self.address).expect("a connection");
        fence
            .write_all(b"GET / HTTP/1.1\r\n\r\n")
            .expect("a request");
        let mut first = [0];
        std::io::Read::read_exact(&mut fence, &mut first).expect("an answer");
        drop(fence);
        while self.shared.open.load(Ordering::SeqCst) > 0 {
            std::thread::yield_now();
        }
        self.shared.state.lock().expect("a lock").life += 1;
    }

    /// Which life of the server it is.
    pub(super) fn life(&self) -> usize {
        self.shared.state.lock().expect("a lock").life
    }

    /// Every call so far.
    pub(super) fn calls(&self) -> Vec<Received> {
        self.shared.state.lock().expect("a lock").calls.clone()
    }
}
