//! The wish of whoever watches that a run end now, in good order: what was asked for is answered, audited and reported. Who
//! wishes it twice does not wait for that.

use std::sync::Arc;

use anyhow::{Result, bail};
use tokio::sync::watch;

#[derive(Clone, Debug, Default)]
pub struct Stop(Arc<watch::Sender<u8>>);

impl Stop {
    pub fn now(&self) {
        self.0.send_modify(|times| *times = times.saturating_add(1));
    }
    pub fn is_wanted(&self) -> bool {
        *self.0.borrow() > 0
    }
    /// Waits for it; may be dropped without loss.
    pub async fn wanted(&self) {
        self.times(1).await;
    }
    pub async fn insisted(&self) {
        self.times(2).await;
    }

    async fn times(&self, least: u8) {
        // The sender is this very value: it cannot be gone.
        self.0.subscribe().wait_for(|times| *times >= least).await.ok();
    }

    /// What comes before the first phase is worth nothing by half.
    pub async fn or<T>(&self, preparing: impl Future<Output = Result<T>>) -> Result<T> {
        tokio::select! {
            prepared = preparing => prepared,
            () = self.wanted() => bail!("stopped before the run began: there is nothing to report"),
        }
    }
}
