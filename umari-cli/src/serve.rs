//! `umari serve`: the host and its API, until a signal.

use crate::args::ServeArgs;
use crate::host::{HostOptions, Reach, RunningHost, check_address, check_store};
use crate::logging;
use crate::output::fault::Fault;
use crate::output::{self, BUSY, STRONG, paint};
use crate::signals::Stop;

/// Runs until a signal, or until the event store fails.
pub(crate) fn run(args: &ServeArgs) -> anyhow::Result<()> {
    let _logging = logging::start(&args.host, logging::SERVE_FILTER)?;
    let options = HostOptions {
        data_dir: args.data_dir.clone(),
        addr: args.addr,
        api_key: args.host.api_key.clone(),
        reach: Reach::Named(args.allow_http.clone()),
        printed: None,
        new_metadata: args.host.new_metadata,
    };
    check_store(&args.host)?;
    check_address(&options)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    let stop = Stop::new();
    stop.listen(runtime.handle())?;
    let host = RunningHost::start(runtime.handle(), &options)?;
    if !args.no_banner {
        output::note(&banner(&options));
    }
    // Last, and stable: scripts wait for it.
    output::result(&format!("ready: listening on {}", host.url()));
    let failed = runtime.block_on(async {
        tokio::select! {
            () = stop.requested() => None,
            failure = host.failure() => Some(failure),
        }
    });
    if failed.is_none() {
        output::status(
            BUSY,
            "Stopping",
            "after the requests in flight; press Ctrl-C again to force it",
        );
    }
    let problem = host.stop(runtime.handle(), args.host.shutdown_timeout);
    runtime.shutdown_background();
    match (failed, problem) {
        (Some(failure), _) => Err(store_failed(&failure).into()),
        (None, Some(problem)) => Err(Fault::new("the server did not stop cleanly")
            .why(problem)
            .into()),
        (None, None) => Ok(()),
    }
}

/// The failure for an event store that cannot promise anything any more.
pub(crate) fn store_failed(failure: &str) -> Fault {
    Fault::store(format!("the event store failed: {failure}"))
        .help("what was acknowledged is safe; see to the disk, then start again on the same data")
}

fn banner(options: &HostOptions) -> String {
    let access = if options.key().is_some() {
        "UMARI_API_KEY is asked for"
    } else {
        "open to this machine"
    };
    format!(
        "{} {}\n  data    {}\n  access  {access}",
        paint(STRONG, "umari"),
        env!("CARGO_PKG_VERSION"),
        options.data_dir.display()
    )
}
