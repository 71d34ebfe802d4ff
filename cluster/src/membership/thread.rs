//! The group's own thread: whatever the rest of the process is busy with, heartbeats go out.

use std::thread;

use tokio::sync::oneshot;

use super::{Error, Membership};

/// The disk is waited for on one of these: one transaction at a time is all there ever is. Names of nodes are looked up on the other.
const BLOCKING_THREADS: usize = 2;

impl Membership {
    /// Begins on a thread of its own, and answers when it runs, with what else `begin` made. The thread ends when `stop` was called, or the process does.
    pub async fn on_thread<F, M, E>(begin: impl FnOnce() -> F + Send + 'static) -> Result<(Self, M), E>
    where
        F: Future<Output = Result<(Self, M), E>>,
        M: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let body = move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().max_blocking_threads(BLOCKING_THREADS).build();
            let runtime = match runtime {
                Ok(runtime) => runtime,
                Err(error) => return drop(answer.send(Err(Error::Stopped(error.to_string()).into()))),
            };
            runtime.block_on(async {
                let started = begin().await;
                let raft = started.as_ref().ok().map(|(membership, _)| membership.inner.raft.clone());
                let handed = answer.send(started);
                if let (Some(raft), Ok(())) = (raft, handed) {
                    // Ends with an error when the core has stopped, which is all this waits for.
                    let _ = raft.wait(None).metrics(|metrics| metrics.running_state.is_err(), "the group has stopped").await;
                }
            });
        };
        let stopped = |why: String| Error::Stopped(why);
        thread::Builder::new().name("cluster".into()).spawn(body).map_err(|error| stopped(error.to_string()))?;
        answered.await.unwrap_or_else(|_| Err(stopped("its thread has ended".into()).into()))
    }
}
