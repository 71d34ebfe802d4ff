//! What a slot's journal holds above the watermark, by room, for everybody on the node who reads: pages, resumes, wakings.
//!
//! Readers take from here first and from history then: what has left the tail in between is in history.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::{Mutex, RwLock};
use schema::{Event, EventBody, Role, RoomId, UserId};
use tokio::sync::{MutexGuard, watch};
use tokio::time::Instant;

use super::above::Above;
use super::block::weight;

#[derive(Debug)]
pub struct Tail {
    inner: RwLock<Inner>,
    /// What `Inner::grant` is, for those who wait.
    open: watch::Sender<Option<u64>>,
    memberships: Arc<Memberships>,
    above: Arc<Above>,
    /// One asks the store, whoever else wants to know waits for its answer.
    confirming: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct Inner {
    /// By which the slot is served: it is that of its owner, whole. `None`: it is not served here.
    grant: Option<u64>,
    /// When the store was last asked who answered that the slot is served by no higher grant. `None`: not by this grant.
    confirmed: Option<Instant>,
    blocks: BTreeMap<u64, Vec<Arc<Event>>>,
    rooms: HashMap<RoomId, Vec<Arc<Event>>>,
    events: usize,
    bytes: usize,
}

impl Tail {
    pub fn new(memberships: Arc<Memberships>, above: Arc<Above>) -> Self {
        Self { inner: RwLock::default(), open: watch::Sender::new(None), memberships, above, confirming: tokio::sync::Mutex::default() }
    }

    /// Waits until the slot is served by this grant.
    pub async fn opened(&self, grant: u64) {
        // Never closed: `self` has the sender.
        let _ = self.open.subscribe().wait_for(|open| *open == Some(grant)).await;
    }
    /// The slot is served here: this is all there is, and nobody sees less of it.
    pub fn open(&self, grant: u64, blocks: Vec<(u64, Vec<Arc<Event>>)>) {
        let mut inner = self.inner.write();
        self.empty(&mut inner);
        blocks.into_iter().for_each(|(block, events)| self.add(&mut inner, block, events));
        inner.grant = Some(grant);
        self.open.send_replace(Some(grant));
    }
    /// Somebody else has the slot.
    pub fn close(&self) {
        let mut inner = self.inner.write();
        self.empty(&mut inner);
        self.open.send_replace(None);
    }

    /// The store was asked at this time, and knew of no higher grant.
    pub fn confirm(&self, grant: u64, asked: Instant) {
        let mut inner = self.inner.write();
        if inner.grant == Some(grant) {
            inner.confirmed = inner.confirmed.max(Some(asked));
        }
    }
    /// Whether that is less than `within` ago: another owner, if there is one, is not older than that.
    pub fn is_confirmed(&self, within: Duration) -> bool {
        self.inner.read().confirmed.is_some_and(|asked| asked.elapsed() < within)
    }
    pub async fn confirming(&self) -> MutexGuard<'_, ()> {
        self.confirming.lock().await
    }

    pub fn bytes(&self) -> usize {
        self.inner.read().bytes
    }
    pub fn events(&self) -> usize {
        self.inner.read().events
    }
    /// Numbers of the oldest and the newest block; `None`: everything is in the projections.
    pub fn span(&self) -> Option<(u64, u64)> {
        let inner = self.inner.read();
        Some((*inner.blocks.first_key_value()?.0, *inner.blocks.last_key_value()?.0))
    }

    pub fn push(&self, block: u64, events: Vec<Arc<Event>>) {
        self.add(&mut self.inner.write(), block, events);
    }
    fn add(&self, inner: &mut Inner, block: u64, events: Vec<Arc<Event>>) {
        let bytes = bytes_of(&events);
        self.above.add(bytes);
        inner.bytes += bytes;
        inner.events += events.len();
        for event in &events {
            self.memberships.add(event);
            inner.rooms.entry(event.room).or_default().push(event.clone());
        }
        inner.blocks.insert(block, events);
    }

    /// A room's events above the watermark, applied ones only, in order; if the slot is served by this grant.
    pub fn look(&self, room: RoomId, grant: u64) -> Option<Vec<Arc<Event>>> {
        let inner = self.inner.read();
        (inner.grant == Some(grant)).then(|| inner.rooms.get(&room).cloned().unwrap_or_default())
    }

    /// The oldest blocks, at least one, until they have `events_min` events: the number of the last one, and all their events.
    pub fn oldest(&self, events_min: usize) -> Option<(u64, Vec<Arc<Event>>)> {
        let inner = self.inner.read();
        let mut events = Vec::new();
        let mut last = None;
        for (number, block) in &inner.blocks {
            events.extend_from_slice(block);
            last = Some(*number);
            if events.len() >= events_min {
                break;
            }
        }
        last.map(|number| (number, events))
    }

    /// Everything up to this block is in the projections.
    pub fn drop_upto(&self, block: u64) {
        let mut inner = self.inner.write();
        let kept = inner.blocks.split_off(&(block + 1));
        let gone = std::mem::replace(&mut inner.blocks, kept);
        let bytes = gone.values().map(|events| bytes_of(events)).sum();
        inner.bytes -= bytes;
        inner.events -= gone.values().map(Vec::len).sum::<usize>();
        let mut last: HashMap<RoomId, u64> = HashMap::new();
        for event in gone.into_values().flatten() {
            self.memberships.remove(&event);
            last.insert(event.room, event.seq);
        }
        for (room, seq) in last {
            if let Some(events) = inner.rooms.get_mut(&room) {
                events.drain(..events.partition_point(|e| e.seq <= seq));
                if events.is_empty() {
                    inner.rooms.remove(&room);
                }
            }
        }
        drop(inner);
        self.above.take_off(bytes);
    }

    fn empty(&self, inner: &mut Inner) {
        let Inner { blocks, bytes, .. } = std::mem::take(inner);
        blocks.into_values().flatten().for_each(|event| self.memberships.remove(&event));
        self.above.take_off(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tail_is_looked_at_by_the_grant_that_it_was_opened_for_and_by_no_other() {
        let (tail, room) = (Tail::new(Arc::default(), Arc::default()), RoomId::default());
        assert_eq!(tail.look(room, 7), None);
        tail.open(7, Vec::new());
        assert_eq!((tail.look(room, 7), tail.look(room, 8)), (Some(Vec::new()), None));
        tail.close();
        assert_eq!(tail.look(room, 7), None);
    }
}

fn bytes_of(events: &[Arc<Event>]) -> usize {
    events.iter().map(|event| weight(event)).sum()
}

/// Changes of membership that are above some slot's watermark, by user: what a user's room list may not show yet.
#[derive(Debug, Default)]
pub struct Memberships(Mutex<HashMap<UserId, Vec<Change>>>);

/// Room, role (`None`: left), and the seq that said so.
pub type Change = (RoomId, Option<Role>, u64);

impl Memberships {
    pub fn of(&self, user: UserId) -> Vec<Change> {
        self.0.lock().get(&user).cloned().unwrap_or_default()
    }
    /// Those of these users.
    pub fn all(&self, which: impl Fn(UserId) -> bool) -> Vec<(UserId, Change)> {
        let users = self.0.lock();
        let changes =
            users.iter().filter(|(user, _)| which(**user)).flat_map(|(user, changes)| changes.iter().map(|change| (*user, *change)));
        changes.collect()
    }
    fn add(&self, event: &Event) {
        for_each_change(event, |user, change| self.0.lock().entry(user).or_default().push(change));
    }
    fn remove(&self, event: &Event) {
        for_each_change(event, |user, change| {
            let mut users = self.0.lock();
            if let Some(changes) = users.get_mut(&user) {
                changes.retain(|known| *known != change);
                if changes.is_empty() {
                    users.remove(&user);
                }
            }
        });
    }
}

fn for_each_change(event: &Event, mut each: impl FnMut(UserId, Change)) {
    match &event.body {
        EventBody::Created { members, .. } => members.iter().for_each(|m| each(m.user, (event.room, Some(m.role), event.seq))),
        EventBody::Member { user, role, .. } => each(*user, (event.room, *role, event.seq)),
        _ => {}
    }
}
