//! Requests of people here that a room elsewhere has to decide. Each is kept with its places until it is answered, and said again
//! verbatim, in order, to whoever owns the room by then; its `cmid` makes that once. After a while it is answered `unavailable`.

use std::sync::Arc;
use std::time::{Duration, Instant};

use cluster::NodeId;
use parking_lot::Mutex;
use schema::peer::Word;
use schema::{ErrorCode, RoomId, SlotId};
use tokio::sync::Notify;
use uuid::Uuid;

use super::pending::{Due, Pending};
use crate::metrics::metrics;
use crate::reply::{Answering, RETRY_MS};
use crate::room::Request;
use crate::shared::Shared;

/// A client waits for its answer about as long.
pub const GIVE_UP_MS: u64 = 5_000;
/// Between two tries to say what is not said.
const AGAIN: Duration = Duration::from_millis(20);

/// As many as there are places for requests.
pub struct Forwards {
    /// What the times below are counted from: no clock that can be put back.
    began: Instant,
    pending: Mutex<Pending<Answering>>,
    /// Rings when something has to be said again.
    bell: Notify,
}

impl Default for Forwards {
    fn default() -> Self {
        // By chance: a count, or a clock, would meet the numbers of the process before.
        let after = Uuid::new_v4().as_u128() as u64 >> 3;
        Self { began: Instant::now(), pending: Mutex::new(Pending::new(after)), bell: Notify::new() }
    }
}

impl Forwards {
    pub(super) fn now_ms(&self) -> u64 {
        self.began.elapsed().as_millis() as u64
    }

    pub fn take(&self, shared: &Shared, room: RoomId, requests: Vec<Request>) {
        let (slot, until_ms) = (shared.reader.slot(room), self.now_ms() + GIVE_UP_MS);
        let mut pending = self.pending.lock();
        for Request { user, order, act, answering } in requests {
            pending.take(slot, (user, order, act), answering, until_ms);
        }
        self.say(&mut pending, shared);
        if pending.is_any_unsaid() {
            self.bell.notify_one();
        }
    }

    /// Its answer came. `None`: it has one already.
    pub fn answered(&self, token: u64) -> Option<Answering> {
        self.pending.lock().answered(token)
    }
    /// Whoever was told of it does not do it.
    pub fn moved(&self, token: u64, by: NodeId) {
        self.pending.lock().moved(token, by);
        self.bell.notify_one();
    }
    /// Those of which this is true, by whom was told and by slot, have to be said again.
    pub fn unsaid(&self, again: impl Fn(NodeId, SlotId) -> bool) {
        self.pending.lock().again(again);
        self.bell.notify_one();
    }

    /// True: there is something left to say.
    fn say_again(&self, shared: &Shared) -> bool {
        self.expire();
        let mut pending = self.pending.lock();
        self.say(&mut pending, shared);
        pending.is_any_unsaid()
    }

    fn expire(&self) {
        let late = self.pending.lock().expired(self.now_ms());
        metrics().forwards_lost.increment(late.len() as u64);
        late.into_iter().for_each(|answering| answering.refuse(ErrorCode::Unavailable, Some(RETRY_MS)));
    }

    /// In order; those of one room go together. What cannot be said stays, and what is behind it in its room too.
    fn say(&self, pending: &mut Pending<Answering>, shared: &Shared) {
        let table = shared.ring.table();
        for due in pending.due(shared.ring.node(), |slot| table.slots[usize::from(slot.0)].owner) {
            match due {
                Due::Take { room, requests } => {
                    let again = requests.into_iter().map(|(request, answering)| Request {
                        user: request.user,
                        order: request.order,
                        act: request.act,
                        answering,
                    });
                    shared.requests_here(room, again.collect());
                }
                Due::Say { to, room, frames } => {
                    let mut frames = frames.into_iter();
                    for requests in frames.by_ref() {
                        metrics().forwarded.increment(requests.len() as u64);
                        let word = Word::Requests { room, requests };
                        if !shared.peers.say(to, &word) {
                            let Word::Requests { requests, .. } = word else { unreachable!("as it was made") };
                            pending.unheard(&requests);
                            break;
                        }
                    }
                    frames.for_each(|requests| pending.unheard(&requests));
                }
            }
        }
    }
}

/// For as long as the node lives.
pub(super) fn keep(shared: &Arc<Shared>) {
    let shared = Arc::downgrade(shared);
    tokio::spawn(async move {
        let mut every = tokio::time::interval(Duration::from_secs(1));
        loop {
            let Some(strong) = shared.upgrade() else { return };
            let peers = strong.peers.clone();
            drop(strong);
            tokio::select! {
                _ = every.tick() => {
                    peers.forwards.expire();
                    if let Some(strong) = shared.upgrade() {
                        peers.give_up(&strong.subscribers, |remarks, now_ms| remarks.expired(now_ms));
                    }
                    if let Some(strong) = shared.upgrade().filter(|_| peers.are_any()) {
                        strong.subscribers.ask_again();
                    }
                }
                () = peers.forwards.bell.notified() => loop {
                    let Some(strong) = shared.upgrade() else { return };
                    let is_left = peers.forwards.say_again(&strong);
                    drop(strong);
                    if !is_left {
                        break;
                    }
                    tokio::time::sleep(AGAIN).await;
                },
            }
        }
    });
}
