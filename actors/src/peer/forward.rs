//! Requests of people here that a room elsewhere has to decide. Each is kept with its places until it is answered, and said again
//! verbatim, in order, to whoever owns the room by then; its `cmid` makes that once. After a while it is answered `unavailable`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use cluster::NodeId;
use parking_lot::Mutex;
use schema::peer::{Forwarded, Word};
use schema::{ErrorCode, RoomId, SlotId};
use tokio::sync::Notify;

use super::FRAME_BYTES;
use crate::metrics::metrics;
use crate::node::weight;
use crate::reply::{Answering, RETRY_MS};
use crate::room::Request;
use crate::shared::{Shared, now_ms};

/// A client waits for its answer about as long.
const GIVE_UP_MS: u64 = 5_000;
/// Between two tries to say what is not said.
const AGAIN: Duration = Duration::from_millis(20);

/// As many as there are places for requests.
#[derive(Default)]
pub struct Forwards {
    inner: Mutex<Inner>,
    /// Rings when something has to be said again.
    bell: Notify,
}

#[derive(Default)]
struct Inner {
    last: u64,
    pending: BTreeMap<u64, Pending>,
    /// Those that nobody was told of yet, or not whoever has the room now.
    unsaid: BTreeSet<u64>,
}

struct Pending {
    slot: SlotId,
    request: Forwarded,
    answering: Answering,
    to: NodeId,
    until_ms: u64,
}

/// What is to be done with requests that are due.
enum Due {
    Say(NodeId, RoomId, Vec<Forwarded>),
    /// The room is ours by now.
    Take(RoomId, Vec<Request>),
}

impl Forwards {
    pub fn take(&self, shared: &Shared, room: RoomId, requests: Vec<Request>) {
        let (slot, until_ms) = (shared.reader.slot(room), now_ms() + GIVE_UP_MS);
        let mut inner = self.inner.lock();
        for Request { user, order, act, answering } in requests {
            inner.last += 1;
            let token = inner.last;
            let request = Forwarded { token, user, order, act };
            inner.pending.insert(token, Pending { slot, request, answering, to: NodeId(0), until_ms });
            inner.unsaid.insert(token);
        }
        inner.say(shared);
        if !inner.unsaid.is_empty() {
            self.bell.notify_one();
        }
    }

    /// Its answer came. `None`: it has one already.
    pub fn answered(&self, token: u64) -> Option<Answering> {
        let mut inner = self.inner.lock();
        inner.unsaid.remove(&token);
        inner.pending.remove(&token).map(|pending| pending.answering)
    }
    /// Whoever was told of it does not do it.
    pub fn moved(&self, token: u64, by: NodeId) {
        let mut inner = self.inner.lock();
        if inner.pending.get(&token).is_some_and(|pending| pending.to == by) {
            inner.unsaid.insert(token);
            self.bell.notify_one();
        }
    }
    /// Those of which this is true, by whom was told and by slot, have to be said again.
    pub fn unsaid(&self, again: impl Fn(NodeId, SlotId) -> bool) {
        let mut inner = self.inner.lock();
        let Inner { pending, unsaid, .. } = &mut *inner;
        unsaid.extend(pending.iter().filter(|(_, pending)| again(pending.to, pending.slot)).map(|(token, _)| *token));
        self.bell.notify_one();
    }

    /// True: there is something left to say.
    fn say_again(&self, shared: &Shared) -> bool {
        self.expire();
        let mut inner = self.inner.lock();
        inner.say(shared);
        !inner.unsaid.is_empty()
    }

    /// Those that nobody answered, said or not. They were taken in the order in which they are given up.
    fn expire(&self) {
        let (now_ms, mut late) = (now_ms(), Vec::new());
        let mut inner = self.inner.lock();
        while let Some(first) = inner.pending.first_entry().filter(|first| first.get().until_ms < now_ms) {
            let (token, pending) = first.remove_entry();
            inner.unsaid.remove(&token);
            late.push(pending);
        }
        drop(inner);
        metrics().forwards_lost.increment(late.len() as u64);
        late.into_iter().for_each(|pending| pending.answering.refuse(ErrorCode::Unavailable, Some(RETRY_MS)));
    }
}

impl Inner {
    /// In order; those of one room go together. What cannot be said stays, and what is behind it in its room too.
    fn say(&mut self, shared: &Shared) {
        for due in self.due(shared) {
            match due {
                Due::Take(room, requests) => shared.requests_here(room, requests),
                Due::Say(to, room, requests) => self.say_to(shared, to, room, requests),
            }
        }
    }

    fn due(&mut self, shared: &Shared) -> Vec<Due> {
        let mut due: Vec<Due> = Vec::new();
        for token in std::mem::take(&mut self.unsaid) {
            let Some(pending) = self.pending.get_mut(&token) else { continue };
            let (room, owner) = (pending.request.order.room, shared.ring.placement(pending.slot).owner);
            if owner == shared.ring.node() {
                let Some(Pending { request: Forwarded { user, order, act, .. }, answering, .. }) = self.pending.remove(&token) else {
                    continue;
                };
                let request = Request { user, order, act, answering };
                match due.iter_mut().find_map(|due| match due {
                    Due::Take(of, requests) if *of == room => Some(requests),
                    _ => None,
                }) {
                    Some(requests) => requests.push(request),
                    None => due.push(Due::Take(room, vec![request])),
                }
                continue;
            }
            pending.to = owner;
            let request = pending.request.clone();
            match due.iter_mut().find_map(|due| match due {
                Due::Say(to, of, requests) if *of == room && *to == owner => Some(requests),
                _ => None,
            }) {
                Some(requests) => requests.push(request),
                None => due.push(Due::Say(owner, room, vec![request])),
            }
        }
        due
    }

    fn say_to(&mut self, shared: &Shared, to: NodeId, room: RoomId, mut requests: Vec<Forwarded>) {
        while !requests.is_empty() {
            let mut bytes = 0;
            let fits = requests.iter().take_while(|request| {
                bytes += weight(&request.act);
                bytes <= FRAME_BYTES
            });
            let rest = requests.split_off(fits.count().max(1));
            let tokens: Vec<u64> = requests.iter().map(|request| request.token).collect();
            metrics().forwarded.increment(tokens.len() as u64);
            if !shared.peers.say(to, &Word::Requests { room, requests }) {
                self.unsaid.extend(tokens.into_iter().chain(rest.iter().map(|request| request.token)));
                return;
            }
            requests = rest;
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
