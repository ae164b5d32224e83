//! The only part of this command that knows the host library: starting it, its API server, and
//! stopping both.

use std::net::{IpAddr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::mpsc::SyncSender;
use std::time::{Duration, Instant};

pub(crate) use host_minimal::CONTRACT_VERSION;
use host_minimal::api::{Access, Server};
use host_minimal::data_dir::{DataDir, DataDirError};
use host_minimal::keys::{MasterKey, Rotation};
use host_minimal::survey::{Survey, survey};
use host_minimal::{Host, HostConfig, HttpPolicy, PrintedLine, StartError};
use serde_json::Value;
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::args::{HostArgs, WhyArgs};
use crate::output;
use crate::output::fault::Fault;

/// What a host is started with.
#[derive(Debug, Clone)]
pub(crate) struct HostOptions {
    /// Where everything is kept.
    pub(crate) data_dir: PathBuf,
    /// Where the API listens.
    pub(crate) addr: SocketAddr,
    /// What clients have to send.
    pub(crate) api_key: Option<String>,
    /// Where effects may send requests although the address is private.
    pub(crate) reach: Reach,
    /// Takes the lines that modules print.
    pub(crate) printed: Option<SyncSender<PrintedLine>>,
    /// Whether to go on with a log whose umari.sqlite is lost.
    pub(crate) new_metadata: bool,
}

/// What effects may call besides public addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Reach {
    /// Every port of this machine, as in development.
    Loopback,
    /// These, written `HOST:PORT`.
    Named(Vec<String>),
}

/// A host whose API answers.
pub(crate) struct RunningHost {
    host: Host,
    addr: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    server: JoinHandle<()>,
}

impl RunningHost {
    /// Starts the host and its API server.
    pub(crate) fn start(runtime: &Handle, options: &HostOptions) -> Result<Self, Fault> {
        check_address(options)?;
        let _context = runtime.enter();
        let mut config = HostConfig::new(options.data_dir.clone());
        config.http = policy(&options.reach)?;
        config.master_key = master_key();
        config.printed = options.printed.clone();
        config.new_metadata = options.new_metadata;
        // The embedded event store prints what it opens.
        let host = output::without_stdout(|| Host::start(config))
            .map_err(|error| start_fault(&options.data_dir, &error))?;
        let access = options.key().map_or_else(Access::open, Access::with_key);
        let server = runtime
            .block_on(Server::bind(host.clone(), options.addr, access))
            .map_err(|error| bind_fault(options.addr, &error.to_string()))?;
        let addr = server.local_addr();
        let (stop, stopped) = oneshot::channel();
        let server = runtime.spawn(async move {
            // An error means that the other end is gone, which asks to stop as well.
            let shutdown = async move { drop(stopped.await) };
            server.run(shutdown).await;
        });
        Ok(Self {
            host,
            addr,
            stop: Some(stop),
            server,
        })
    }

    /// Where the API listens, with the port that was taken for port 0.
    pub(crate) fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The API's URL, as a client on this machine writes it.
    pub(crate) fn url(&self) -> String {
        url_of(self.addr)
    }

    /// Completes when the event store has failed, with one line that says how.
    pub(crate) async fn failure(&self) -> String {
        self.host.wait_failure().await
    }

    /// Calls `act` when the event store has failed.
    pub(crate) fn on_failure(&self, runtime: &Handle, act: impl FnOnce(String) + Send + 'static) {
        let host = self.host.clone();
        runtime.spawn(async move { act(host.wait_failure().await) });
    }

    /// Answers what is in flight, then stops the modules. Gives what went wrong on the way.
    pub(crate) fn stop(mut self, runtime: &Handle, deadline: Duration) -> Option<String> {
        let started = Instant::now();
        // The server may have ended by itself; then nobody listens and there is nothing to ask.
        let _ = self.stop.take().map(|stop| stop.send(()));
        let drained =
            runtime.block_on(async { tokio::time::timeout(deadline, &mut self.server).await });
        let problem = match drained {
            Ok(Ok(())) => None,
            Ok(Err(error)) => Some(error.to_string()),
            Err(_) => {
                self.server.abort();
                Some("requests were still in flight at the deadline".to_owned())
            }
        };
        let stopped = self
            .host
            .shutdown(deadline.saturating_sub(started.elapsed()));
        let late = (!stopped)
            .then(|| "a module was still busy at the deadline; its event comes again".to_owned());
        problem.or_else(|| self.host.failure()).or(late)
    }
}

/// Rotates the master key of a data directory whose host is stopped; the entry of the record, as
/// the API shows it.
pub(crate) fn rotate_master_key(
    data_dir: &Path,
    new: Option<&str>,
    why: &WhyArgs,
) -> Result<Value, Fault> {
    let failed = |error: &dyn std::error::Error| {
        let what = format!("the master key of {} was not rotated", data_dir.display());
        because(Fault::new(what), error)
    };
    let key = |digits: &str| MasterKey::from_hex(digits).map_err(|error| failed(&error));
    let current = master_key().as_deref().map(key).transpose()?;
    let new = new.map(key).transpose()?;
    if !data_dir.join("umari.sqlite").exists() {
        return Err(Fault::usage(format!(
            "{} is not the data directory of a host",
            data_dir.display()
        )));
    }
    let directory = DataDir::open(data_dir).map_err(|error| failed(&error))?;
    let rotation = Rotation {
        reason: why.reason.clone(),
        requested_by: why.requested_by.clone(),
    };
    let entry = host_minimal::host::rotate_master_key(
        &directory,
        current.as_ref(),
        new.as_ref(),
        &rotation,
    )
    .map_err(|error| failed(&error))?;
    Ok(host_minimal::api::audit_entry(entry))
}

/// Refuses an address before anything is built: one that is taken, or one that others can reach
/// while no key is asked for.
pub(crate) fn check_address(options: &HostOptions) -> Result<(), Fault> {
    if !options.addr.ip().to_canonical().is_loopback() && options.key().is_none() {
        return Err(Fault::usage(format!(
            "refusing to listen on {} without UMARI_API_KEY",
            options.addr
        ))
        .help("set UMARI_API_KEY to a secret that clients send, or listen on 127.0.0.1"));
    }
    TcpListener::bind(options.addr)
        .map(drop)
        .map_err(|error| bind_fault(options.addr, &error.to_string()))
}

/// Refuses a data directory on whose umari.sqlite no host starts, before anything is built.
pub(crate) fn check_metadata(options: &HostOptions) -> Result<(), Fault> {
    let found = output::without_stdout(|| survey(&options.data_dir, master_key().as_deref()));
    match found {
        Ok(Survey::Found(found)) if !options.new_metadata => found
            .database
            .map(drop)
            .map_err(|error| start_fault(&options.data_dir, &error)),
        // Whatever else is wrong is said at the start.
        _ => Ok(()),
    }
}

impl HostOptions {
    /// The key that clients have to send. An empty one protects nothing and counts as none.
    pub(crate) fn key(&self) -> Option<&str> {
        self.api_key.as_deref().filter(|key| !key.is_empty())
    }
}

/// Refuses a store elsewhere: whoever asks for one would look for the events in the wrong place.
pub(crate) fn check_store(args: &HostArgs) -> Result<(), Fault> {
    match args.event_store_url.as_deref() {
        None | Some("") => Ok(()),
        Some(_) => Err(Fault::usage("UMARI_EVENT_STORE_URL is not supported")
            .why("this host has its event store in the data directory, and no client of another")
            .help("unset UMARI_EVENT_STORE_URL; events are kept in events.db there")),
    }
}

fn policy(reach: &Reach) -> Result<HttpPolicy, Fault> {
    match reach {
        Reach::Loopback => Ok(HttpPolicy::default().allow_loopback()),
        Reach::Named(destinations) => {
            destinations
                .iter()
                .try_fold(HttpPolicy::default(), |policy, destination| {
                    policy.allow(destination).map_err(|error| {
                        Fault::usage("--allow-http cannot be used").why(error.to_string())
                    })
                })
        }
    }
}

/// The failure for an address that cannot be listened on.
pub(crate) fn bind_fault(addr: SocketAddr, why: &str) -> Fault {
    Fault::new(format!("cannot listen on {addr}"))
        .why(why)
        .help("stop what listens there, or choose another address with --addr or UMARI_API_ADDR")
}

fn start_fault(data_dir: &Path, error: &StartError) -> Fault {
    let what = format!("the host cannot start on {}", data_dir.display());
    let fault = because(Fault::new(what), error);
    match fix(error) {
        Some(fix) => fault.help(fix),
        None => fault,
    }
}

/// What to do about an error whose own message does not say it, as options of this command.
pub(crate) fn fix(error: &StartError) -> Option<&'static str> {
    match error {
        StartError::DataDir(DataDirError::MissingMetadata { .. }) => Some(
            "put a copy of umari.sqlite back, or restore a backup that has the keys into another \
             directory (umari restore). Without either, start once with --new-metadata: every module \
             has to be deployed again, encrypted events stay unreadable, and until there are API keys \
             again whoever reaches the server may use it",
        ),
        StartError::DataDir(DataDirError::MetadataThere { .. }) => {
            Some("leave --new-metadata out; it is for the one start after umari.sqlite was lost")
        }
        _ => None,
    }
}

/// A failure with an error and its causes as reasons.
pub(crate) fn because(fault: Fault, error: &dyn std::error::Error) -> Fault {
    let mut before = String::new();
    std::iter::successors(Some(error), |error| error.source()).fold(fault, |fault, cause| {
        let cause = cause.to_string();
        // Some errors of others say their cause in their own text.
        if before.ends_with(&cause) {
            return fault;
        }
        before.clone_from(&cause);
        fault.why(cause)
    })
}

/// The master key of the configuration, if it is there and not in a file.
pub(crate) fn master_key() -> Option<String> {
    std::env::var("UMARI_MASTER_KEY")
        .ok()
        .filter(|key| !key.is_empty())
}

/// The URL under which an address is reached from this machine.
pub(crate) fn url_of(addr: SocketAddr) -> String {
    let ip = match addr.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::from([127, 0, 0, 1]),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(std::net::Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    format!("http://{}", SocketAddr::new(ip, addr.port()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(addr: &str, api_key: Option<&str>) -> HostOptions {
        let addr = addr.parse().expect("an address");
        let api_key = api_key.map(str::to_owned);
        HostOptions {
            data_dir: PathBuf::new(),
            addr,
            api_key,
            reach: Reach::Named(Vec::new()),
            printed: None,
            new_metadata: false,
        }
    }

    #[test]
    fn without_a_key_only_loopback_is_listened_on() {
        assert!(check_address(&options("127.0.0.1:0", None)).is_ok());
        for key in [None, Some("")] {
            let fault = check_address(&options("0.0.0.0:0", key)).unwrap_err();
            assert_eq!(
                fault.to_string(),
                "refusing to listen on 0.0.0.0:0 without UMARI_API_KEY"
            );
        }
        assert!(check_address(&options("0.0.0.0:0", Some("secret"))).is_ok());
    }

    #[test]
    fn destinations_are_a_host_and_a_port() {
        assert!(
            policy(&Reach::Named(vec![
                "127.0.0.1:4000".into(),
                "crm.internal:443".into()
            ]))
            .is_ok()
        );
        let fault = policy(&Reach::Named(vec!["crm.internal".into()])).unwrap_err();
        assert!(fault.render().contains("host:port"), "{}", fault.render());
    }

    #[test]
    fn a_taken_address_is_named() {
        let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
        let addr = taken.local_addr().expect("an address").to_string();
        let fault = check_address(&options(&addr, None)).unwrap_err();
        assert_eq!(fault.to_string(), format!("cannot listen on {addr}"));
    }

    #[test]
    fn urls_can_be_opened_on_this_machine() {
        assert_eq!(
            url_of("0.0.0.0:3000".parse().expect("an address")),
            "http://127.0.0.1:3000"
        );
        assert_eq!(
            url_of("[::]:3000".parse().expect("an address")),
            "http://[::1]:3000"
        );
        assert_eq!(
            url_of("10.0.0.1:80".parse().expect("an address")),
            "http://10.0.0.1:80"
        );
    }
}
