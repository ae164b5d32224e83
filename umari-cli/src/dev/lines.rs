//! What is printed between the session's own lines: by programs, by modules, and the events that
//! are written. Each line is marked with where it comes from, always in the same colour.

use std::io::{BufRead as _, BufReader, Read};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use anstyle::{AnsiColor, Style};
use host_minimal::PrintedLine;
use serde_json::{Value, json};

use crate::client::{Client, EventFilter};
use crate::events;
use crate::output::{self, FAINT, paint};

/// Lines of modules that wait to be printed; more are lost rather than hold a module up.
const WAITING_LINES: usize = 4_096;

/// The colours that tell names apart. Red and yellow are for errors and warnings.
const COLOURS: [AnsiColor; 8] = [
    AnsiColor::Cyan,
    AnsiColor::Magenta,
    AnsiColor::Blue,
    AnsiColor::Green,
    AnsiColor::BrightCyan,
    AnsiColor::BrightMagenta,
    AnsiColor::BrightBlue,
    AnsiColor::BrightGreen,
];

/// Passes on a program's lines until it ends.
pub(super) fn of_program(name: String, stream: impl Read + Send + 'static, to_stderr: bool) {
    std::thread::spawn(move || {
        for line in BufReader::new(stream).split(b'\n').map_while(Result::ok) {
            let line = marked(&name, String::from_utf8_lossy(&line).trim_end());
            print(&line, to_stderr);
        }
    });
}

/// Where the host puts the lines of modules, which are passed on as they come.
pub(super) fn of_modules(to_stderr: bool) -> SyncSender<PrintedLine> {
    let (sender, receiver): (_, Receiver<PrintedLine>) = sync_channel(WAITING_LINES);
    std::thread::spawn(move || {
        for line in receiver {
            let text = marked(line.name.as_str(), line.text.trim_end());
            print(&text, to_stderr);
        }
    });
    sender
}

/// Shows what is written to the log from now on, until the server ends.
pub(super) fn of_events(client: &Client, json: bool) {
    let Ok(mut messages) = client.stream(&EventFilter::default()) else {
        return;
    };
    std::thread::spawn(move || {
        while let Ok(Some(message)) = messages.next() {
            if message.is_problem || message.data.is_empty() {
                continue;
            }
            let event: Value = serde_json::from_str(&message.data).unwrap_or_default();
            if json {
                output::json(&json!({ "event": "appended", "appended": event }));
            } else {
                let line = paint(FAINT, events::line(&event));
                output::result(&format!("{} {line}", paint(FAINT, "[event]")));
            }
        }
    });
}

fn print(line: &str, to_stderr: bool) {
    if to_stderr {
        output::progress(line);
    } else {
        output::result(line);
    }
}

fn marked(name: &str, text: &str) -> String {
    format!("{} {text}", paint(colour(name), format_args!("[{name}]")))
}

/// A name has the same colour in every session.
fn colour(name: &str) -> Style {
    let sum = name.bytes().fold(0_usize, |sum, byte| {
        sum.wrapping_mul(31).wrapping_add(usize::from(byte))
    });
    COLOURS[sum % COLOURS.len()].on_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_where_it_comes_from() {
        let line = anstream::adapter::strip_str(&marked("plans", "12 rows")).to_string();
        assert_eq!(line, "[plans] 12 rows");
    }

    #[test]
    fn names_have_colours_of_their_own() {
        let names = ["plans", "register-webhooks", "webhook-sink"];
        let mut colours: Vec<String> = names.iter().map(|it| colour(it).to_string()).collect();
        assert_eq!(colour("plans").to_string(), colours[0]);
        colours.sort();
        colours.dedup();
        assert_eq!(colours.len(), names.len());
    }
}
