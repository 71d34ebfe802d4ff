//! Whether the group can agree on anything, as this node knows it: the leader counts who answers it, and says with everything that it
//! sends how long ago those were more than half. Decides nothing: who serves what goes on as it was.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use openraft::ServerState;
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::Membership;

/// An election or two fit in: shorter is no news.
pub const LOST_MS: u64 = 1_000;
const LOOK_MS: u64 = 100;
/// Who did not run itself for so long has to listen again before it says anything.
const GAP_MS: u64 = 500;
/// While there is none it is said again.
const REMIND: Duration = Duration::from_secs(60);

/// When more than half of the voters were last with their leader, by this node's own clock.
pub struct Quorum {
    began: Instant,
    agreed_ms: AtomicU64,
}

impl Quorum {
    pub fn new() -> Self {
        Self { began: Instant::now(), agreed_ms: 0.into() }
    }

    pub fn heard(&self, ago_ms: u64) {
        self.agreed_ms.fetch_max(self.now_ms().saturating_sub(ago_ms), Ordering::AcqRel);
    }

    pub fn ago_ms(&self) -> u64 {
        self.now_ms() - self.agreed_ms.load(Ordering::Acquire).min(self.now_ms())
    }

    fn now_ms(&self) -> u64 {
        self.began.elapsed().as_millis() as u64
    }
}

impl Membership {
    /// Since when the group can agree on nothing, as far as this node knows; `None`: it can.
    pub fn no_quorum_since(&self) -> Option<SystemTime> {
        *self.inner.no_quorum.borrow()
    }

    pub fn watch_quorum(&self) -> watch::Receiver<Option<SystemTime>> {
        self.inner.no_quorum.subscribe()
    }

    pub(super) async fn look_for_quorum(self) {
        let mut looks = interval(Duration::from_millis(LOOK_MS));
        looks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let (mut looked_ms, mut listened_ms, mut said) = (self.now_ms(), self.now_ms(), Instant::now());
        loop {
            looks.tick().await;
            let now_ms = self.now_ms();
            if now_ms - std::mem::replace(&mut looked_ms, now_ms) > GAP_MS {
                listened_ms = now_ms;
            }
            self.hear_ourselves();
            let ago_ms = self.inner.quorum.ago_ms();
            let is_lost = ago_ms > LOST_MS && now_ms - listened_ms > LOST_MS;
            match (is_lost, self.no_quorum_since()) {
                (true, None) => {
                    let since = SystemTime::now() - Duration::from_millis(ago_ms);
                    self.inner.no_quorum.send_replace(Some(since));
                    said = Instant::now();
                    self.say_lost(ago_ms);
                }
                (true, Some(_)) if said.elapsed() >= REMIND => {
                    said = Instant::now();
                    self.say_lost(ago_ms);
                }
                (false, Some(_)) => {
                    self.inner.no_quorum.send_replace(None);
                    tracing::info!("the group agrees again: more than half of its voters reach each other");
                }
                _ => {}
            }
        }
    }

    /// The leader's own count; alone it is always enough.
    fn hear_ourselves(&self) {
        let metrics = self.inner.raft.metrics();
        let metrics = metrics.borrow();
        if let (ServerState::Leader, Some(ago_ms)) = (metrics.state, metrics.millis_since_quorum_ack) {
            self.inner.quorum.heard(ago_ms);
        }
    }

    fn say_lost(&self, ago_ms: u64) {
        let up = self.inner.mesh.up();
        let away: Vec<_> = self.other_voters().into_iter().filter(|node| !up.contains(node)).map(|node| node.0).collect();
        tracing::warn!(
            seconds = ago_ms / 1_000,
            ?away,
            "no quorum: fewer than half of the voters reach each other; this node serves what it has, and nothing moves before they are back"
        );
    }
}
