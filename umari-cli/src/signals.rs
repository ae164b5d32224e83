//! Stopping: Ctrl-C and SIGTERM, and the processes that have to end with this one.
//!
//! Children run in process groups of their own, so that Ctrl-C in a terminal reaches this process
//! alone and the order of the end is ours: cargo and its compilers are told at once, programs and
//! the host are ended by their owners.

use std::collections::BTreeSet;
use std::io;
use std::process::{Child, Command};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, Once, PoisonError};

use tokio::runtime::Handle;
use tokio::sync::watch;

use crate::output;

/// What a shell reports for a process that Ctrl-C ended.
const EXIT_FORCED: i32 = 130;

/// Whether the user asked this process to stop. Clones share one answer.
#[derive(Clone)]
pub(crate) struct Stop {
    shared: Arc<Shared>,
}

struct Shared {
    requested: watch::Sender<bool>,
    groups: Mutex<BTreeSet<u32>>,
    wakers: Mutex<Vec<Box<dyn Fn() + Send>>>,
}

impl Stop {
    /// Nothing has been asked for yet.
    pub(crate) fn new() -> Self {
        let shared = Shared {
            requested: watch::Sender::new(false),
            groups: Mutex::new(BTreeSet::new()),
            wakers: Mutex::new(Vec::new()),
        };
        Self {
            shared: Arc::new(shared),
        }
    }

    /// Listens to the signals. The first asks to stop, the second ends the process.
    pub(crate) fn listen(&self, runtime: &Handle) -> io::Result<()> {
        HAS_LISTENER.store(true, Ordering::Release);
        let _context = runtime.enter();
        let mut signals = Signals::new()?;
        let stop = self.clone();
        runtime.spawn(async move {
            signals.next().await;
            stop.request();
            signals.next().await;
            std::process::exit(EXIT_FORCED);
        });
        Ok(())
    }

    /// Asks to stop, as a signal does.
    pub(crate) fn request(&self) {
        if self.shared.requested.send_replace(true) {
            return;
        }
        for group in lock(&self.shared.groups).iter() {
            end_group(*group);
        }
        for waker in lock(&self.shared.wakers).iter() {
            waker();
        }
    }

    /// Whether a stop was asked for.
    pub(crate) fn is_requested(&self) -> bool {
        *self.shared.requested.borrow()
    }

    /// Completes when a stop is asked for.
    pub(crate) async fn requested(&self) {
        // An error means that no sender is left; `self` holds one.
        let _ = self
            .shared
            .requested
            .subscribe()
            .wait_for(|requested| *requested)
            .await;
    }

    /// Calls `waker` when a stop is asked for, and at once if that has happened.
    pub(crate) fn on_request(&self, waker: impl Fn() + Send + 'static) {
        let mut wakers = lock(&self.shared.wakers);
        if self.is_requested() {
            waker();
        }
        wakers.push(Box::new(waker));
    }

    /// Starts a process that is ended when a stop is asked for.
    pub(crate) fn spawn(&self, command: &mut Command) -> io::Result<Supervised> {
        // Held while spawning, so that a request comes either before or after it, never between.
        let mut groups = lock(&self.shared.groups);
        let child = own_group(command).spawn()?;
        let group = child.id();
        groups.insert(group);
        if self.is_requested() {
            end_group(group);
        }
        Ok(Supervised {
            child,
            stop: self.clone(),
        })
    }

    /// Starts a process in the group of this one, where a terminal's Ctrl-C reaches it by itself.
    pub(crate) fn adopt(&self, command: &mut Command) -> io::Result<Supervised> {
        Ok(Supervised {
            child: command.spawn()?,
            stop: self.clone(),
        })
    }
}

/// A process that ends with this one.
pub(crate) struct Supervised {
    /// The process.
    pub(crate) child: Child,
    stop: Stop,
}

impl Drop for Supervised {
    fn drop(&mut self) {
        lock(&self.stop.shared.groups).remove(&self.child.id());
    }
}

/// Puts the process into a group of its own.
pub(crate) fn own_group(command: &mut Command) -> &mut Command {
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(command, 0);
    command
}

/// Asks a whole group to end. The group may be gone already.
fn end_group(group: u32) {
    #[cfg(unix)]
    if let Some(pid) = i32::try_from(group)
        .ok()
        .and_then(rustix::process::Pid::from_raw)
    {
        let _ = rustix::process::kill_process_group(pid, rustix::process::Signal::TERM);
    }
    #[cfg(not(unix))]
    let _ = group;
}

/// What is guarded stays valid whichever thread panicked.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether a [`Stop`] decides what a signal means.
static HAS_LISTENER: AtomicBool = AtomicBool::new(false);

/// From now on a signal that ends this process clears the transient line first. What is drawn in
/// place would otherwise stand before the next prompt.
pub(crate) fn clear_line_on_interrupt() {
    static BEGUN: Once = Once::new();
    BEGUN.call_once(|| {
        // Where it cannot be arranged the line stays, which is no reason to fail.
        let Ok(runtime) = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .build()
        else {
            return;
        };
        let signals = {
            let _context = runtime.enter();
            Signals::new()
        };
        let Ok(mut signals) = signals else {
            return;
        };
        std::thread::spawn(move || {
            runtime.block_on(signals.next());
            if !HAS_LISTENER.load(Ordering::Acquire) {
                output::end();
                std::process::exit(EXIT_FORCED);
            }
        });
    });
}

struct Signals {
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
}

impl Signals {
    #[cfg(unix)]
    fn new() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    #[cfg(not(unix))]
    #[expect(clippy::unnecessary_wraps, reason = "the same signature everywhere")]
    fn new() -> io::Result<Self> {
        Ok(Self {})
    }

    #[cfg(unix)]
    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }

    #[cfg(not(unix))]
    async fn next(&mut self) {
        // Where Ctrl-C cannot be heard there is nothing to wait for.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    #[test]
    fn a_request_wakes_everyone_once() {
        let stop = Stop::new();
        let (sender, receiver) = mpsc::channel();
        let early = sender.clone();
        stop.on_request(move || early.send("early").expect("a receiver"));
        assert!(!stop.is_requested());
        stop.request();
        stop.request();
        stop.on_request(move || sender.send("late").expect("a receiver"));
        assert!(stop.is_requested());
        assert_eq!(receiver.try_iter().collect::<Vec<_>>(), ["early", "late"]);
    }

    #[cfg(unix)]
    #[test]
    fn a_request_ends_the_processes_that_run() {
        let stop = Stop::new();
        let mut waiting = stop
            .spawn(
                Command::new("sh")
                    .args(["-c", "read line"])
                    .stdin(std::process::Stdio::piped()),
            )
            .expect("a shell");
        stop.request();
        assert!(!waiting.child.wait().expect("an end").success());
        let mut late = stop
            .spawn(
                Command::new("sh")
                    .args(["-c", "read line"])
                    .stdin(std::process::Stdio::piped()),
            )
            .expect("a shell");
        assert!(!late.child.wait().expect("an end").success());
    }
}
