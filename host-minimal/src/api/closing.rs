//! The end of a server, for answers that would outlast it.

use tokio::sync::watch;

/// Tells that the server answers what has begun and takes nothing new.
#[derive(Debug, Clone)]
pub(super) struct Closing(watch::Receiver<bool>);

impl Closing {
    /// The two ends: `true` begins the end.
    pub(super) fn channel() -> (watch::Sender<bool>, Self) {
        let (sender, receiver) = watch::channel(false);
        (sender, Self(receiver))
    }

    /// Completes when the end has begun, which never happens to a router without a server.
    pub(super) async fn begun(&mut self) {
        if self.0.wait_for(|closing| *closing).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
