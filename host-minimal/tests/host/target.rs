//! What effects call.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};

use host_minimal::modules::ModuleKind;
use serde_json::Value;

use crate::support::TestHost;

/// A host with the commands and the effect `relay`, which calls the target.
pub(crate) fn relaying() -> (TestHost, Target) {
    let (host, target) = (TestHost::with_commands(), Target::start());
    host.deploy(ModuleKind::Effect, "relay", &[("TARGET", &target.url)]);
    (host, target)
}

/// A real HTTP target that counts what it got and answers as it is told.
#[derive(Clone)]
pub(crate) struct Target {
    pub(crate) url: String,
    state: Arc<Mutex<State>>,
    answers: Arc<Condvar>,
}

#[derive(Default)]
struct State {
    received: HashMap<String, Vec<Value>>,
    refused: Vec<String>,
    /// Requests are taken and not answered.
    silent: bool,
}

impl Target {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let this = Self {
            url,
            state: Arc::default(),
            answers: Arc::default(),
        };
        let server = this.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let server = server.clone();
                std::thread::spawn(move || server.serve(stream));
            }
        });
        this
    }

    /// Answers the requests of one connection.
    fn serve(&self, stream: TcpStream) {
        let mut reader = BufReader::new(stream.try_clone().expect("a stream"));
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line).unwrap_or(0) == 0 {
                return;
            }
            let path = line.split(' ').nth(1).expect("a path").to_owned();
            let mut length = Some(0);
            loop {
                let mut header = String::new();
                reader.read_line(&mut header).expect("a header");
                let header = header.trim().to_ascii_lowercase();
                if header.is_empty() {
                    break;
                }
                if let Some(value) = header.strip_prefix("content-length:") {
                    length = Some(value.trim().parse().expect("a length"));
                } else if header == "transfer-encoding: chunked" {
                    length = None;
                }
            }
            let body = match length {
                Some(length) => read(&mut reader, length),
                None => read_chunks(&mut reader),
            };
            let status = self.take(path, serde_json::from_slice(&body).expect("JSON"));
            let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n");
            if (&stream).write_all(answer.as_bytes()).is_err() {
                return;
            }
        }
    }

    fn take(&self, path: String, body: Value) -> &'static str {
        let mut state = self.state.lock().expect("a lock");
        state.received.entry(path.clone()).or_default().push(body);
        let state = self
            .answers
            .wait_while(state, |state| state.silent)
            .expect("a lock");
        if state.refused.contains(&path) {
            "503 Service Unavailable"
        } else {
            "200 OK"
        }
    }

    pub(crate) fn refuse(&self, note_ids: &[u64]) {
        let paths = note_ids.iter().map(|id| format!("/notes/{id}")).collect();
        self.state.lock().expect("a lock").refused = paths;
    }

    /// From now on requests are taken and not answered, or answered again.
    pub(crate) fn fall_silent(&self, silent: bool) {
        self.state.lock().expect("a lock").silent = silent;
        self.answers.notify_all();
    }

    pub(crate) fn count(&self, note_id: u64) -> usize {
        let state = self.state.lock().expect("a lock");
        state
            .received
            .get(&format!("/notes/{note_id}"))
            .map_or(0, Vec::len)
    }
}

fn read(reader: &mut impl BufRead, length: usize) -> Vec<u8> {
    let mut body = vec![0; length];
    reader.read_exact(&mut body).expect("a body");
    body
}

fn read_chunks(reader: &mut impl BufRead) -> Vec<u8> {
    let mut body = Vec::new();
    loop {
        let mut size = String::new();
        reader.read_line(&mut size).expect("a size");
        let chunk = usize::from_str_radix(size.trim(), 16).expect("a size");
        body.extend(read(reader, chunk));
        assert_eq!(read(reader, 2), b"\r\n");
        if chunk == 0 {
            return body;
        }
    }
}
