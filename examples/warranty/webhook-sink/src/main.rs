//! A stand-in for the shop platform: takes webhook registrations, prints them and counts them.
//!
//! It keeps them in memory, so a restart forgets them.

use std::net::SocketAddr;

use anyhow::Context;
use clap::Parser;
use tokio::net::TcpListener;

mod api;
mod registrations;

/// Takes webhook registrations, prints them and counts them.
#[derive(Parser)]
#[command(version)]
struct Args {
    /// Where to listen.
    #[arg(long, default_value = "127.0.0.1:4000")]
    addr: SocketAddr,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let listener = TcpListener::bind(args.addr)
        .await
        .with_context(|| format!("cannot listen on {}", args.addr))?;
    api::print(&format!(
        "webhook-sink listens on http://{}",
        listener.local_addr()?
    ));

    axum::serve(listener, api::router())
        .with_graceful_shutdown(stopped()?)
        .await?;
    Ok(())
}

/// Resolves when somebody asks the program to stop: Ctrl-C or, on Unix, SIGTERM.
#[cfg(unix)]
fn stopped() -> std::io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};

    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

/// Resolves when somebody asks the program to stop: Ctrl-C or, on Unix, SIGTERM.
#[cfg(not(unix))]
fn stopped() -> std::io::Result<impl Future<Output = ()>> {
    Ok(async {
        // Without a handler the system's own stops the program as well.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    })
}
