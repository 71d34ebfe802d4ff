//! Which lots of this node hold members of which room, and how far each such room is.
//!
//! A room's entry and the lots' inboxes move together under one lock: who joins at head h gets exactly what comes after h.
//! An entry lives while a connection has the room; it costs the node once, however many people are in it.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use schema::{ConnectionId, Event, RoomId, ServerEvent};

use crate::metrics::metrics;
use crate::outlet::{Down, Encoded, Outlet};
use crate::read::{Reader, View};

const SHARDS: usize = 64;

pub struct Subscribers {
    outlets: Vec<Outlet>,
    shards: Vec<Mutex<HashMap<RoomId, Entry>>>,
}

/// What one connection is told.
pub type Word = (ConnectionId, ServerEvent);

/// What several lots are told, each at once.
struct Downs(Vec<(u16, Vec<Down>)>);

impl Downs {
    fn answering(answers: Vec<Word>) -> Self {
        let mut downs = Self(Vec::new());
        for (connection, event) in answers {
            downs.add(connection.lot, Down::Send { connection, event: Encoded::new(event) });
        }
        downs
    }
    fn add(&mut self, lot: u16, down: Down) {
        match self.0.iter_mut().find(|(of, _)| *of == lot) {
            Some((_, downs)) => downs.push(down),
            None => self.0.push((lot, vec![down])),
        }
    }
}

struct Entry {
    view: Option<Box<View>>,
    /// How often something was shown: a view that was loaded meanwhile has to be loaded again.
    shows: u64,
    /// Connections in the room, by lot; `Join`s that were pushed less those that the lot reported gone.
    lots: Vec<(u16, u32)>,
    loaders: u32,
}

impl Subscribers {
    pub fn new(outlets: Vec<Outlet>) -> Self {
        Self { outlets, shards: (0..SHARDS).map(|_| Mutex::default()).collect() }
    }

    fn shard(&self, room: RoomId) -> &Mutex<HashMap<RoomId, Entry>> {
        let id = room.as_bytes();
        &self.shards[(usize::from(id[15]) ^ usize::from(id[7])) % SHARDS]
    }

    pub fn outlet(&self, connection: ConnectionId) -> &Outlet {
        &self.outlets[usize::from(connection.lot)]
    }
    pub fn send(&self, connection: ConnectionId, event: ServerEvent) {
        self.outlet(connection).push(Down::Send { connection, event: Encoded::new(event) });
    }
    pub fn outlets(&self) -> &[Outlet] {
        &self.outlets
    }

    /// From the answered view on the connection gets the room's events. `None`: there is no such room.
    pub async fn join(&self, reader: &Reader, room: RoomId, connection: ConnectionId) -> Result<Option<View>, store::Error> {
        loop {
            if let Some(view) = self.join_loaded(room, connection) {
                return Ok(Some(view));
            }
            let mut load = self.begin_load(room);
            let Some(view) = reader.view(room).await? else { return Ok(None) };
            load.view = Some(Box::new(view));
        }
    }

    fn join_loaded(&self, room: RoomId, connection: ConnectionId) -> Option<View> {
        let mut shard = self.shard(room).lock();
        let entry = shard.get_mut(&room)?;
        let view = entry.view.as_deref()?.clone();
        match entry.lots.iter_mut().find(|(lot, _)| *lot == connection.lot) {
            Some((_, count)) => *count += 1,
            None => entry.lots.push((connection.lot, 1)),
        }
        self.outlet(connection).push(Down::Join { connection, room });
        Some(view)
    }

    fn begin_load(&self, room: RoomId) -> Load<'_> {
        let mut shard = self.shard(room).lock();
        let entry = shard.entry(room).or_insert_with(|| Entry { view: None, shows: 0, lots: Vec::new(), loaders: 0 });
        entry.loaders += 1;
        Load { subscribers: self, room, shows: entry.shows, view: None }
    }

    /// The room as the node that watches it knows it; `None`: nobody here watches it.
    pub fn view(&self, room: RoomId) -> Option<View> {
        self.shard(room).lock().get(&room).and_then(|entry| entry.view.as_deref().cloned())
    }

    /// Connections here that have the room.
    pub fn audience(&self, room: RoomId) -> u32 {
        self.shard(room).lock().get(&room).map_or(0, |entry| entry.lots.iter().map(|(_, n)| n).sum())
    }

    /// A connection leaves the room before it closes.
    pub fn part(&self, room: RoomId, connection: ConnectionId) {
        self.outlet(connection).push(Down::Part { connection, room });
    }

    /// A lot has `count` connections fewer in the room than it was sent joins for.
    pub fn left(&self, room: RoomId, lot: u16, count: u32) {
        let mut shard = self.shard(room).lock();
        let Some(entry) = shard.get_mut(&room) else { return };
        if let Some((_, joined)) = entry.lots.iter_mut().find(|(l, _)| *l == lot) {
            *joined = joined.saturating_sub(count);
        }
        entry.lots.retain(|(_, joined)| *joined > 0);
        if entry.lots.is_empty() && entry.loaders == 0 {
            shard.remove(&room);
        }
    }

    /// Shows applied events of a room, in order, to every lot that has members of it.
    pub fn show(&self, room: RoomId, events: &[Arc<Event>]) {
        self.show_answered(room, events, Vec::new());
    }

    /// The same behind the answers to those who asked for these events: a lot has all of it before it is woken, so that who
    /// asked gets both in one write.
    pub fn show_answered(&self, room: RoomId, events: &[Arc<Event>], answers: Vec<Word>) {
        let mut downs = Downs::answering(answers);
        let mut shard = self.shard(room).lock();
        if let Some(entry) = shard.get_mut(&room) {
            entry.shows += 1;
            if let Some(view) = entry.view.as_deref_mut() {
                let fresh: Vec<&Arc<Event>> = events.iter().filter(|event| event.seq > view.head).collect();
                for batch in cut_at_removals(&fresh) {
                    let encoded: Vec<Encoded> = batch.iter().map(|event| Encoded::new(ServerEvent::Event((***event).clone()))).collect();
                    let removed = batch.last().and_then(|event| event.body.removed());
                    metrics().shown.increment(batch.len() as u64);
                    for (lot, _) in &entry.lots {
                        downs.add(*lot, Down::Batch { room, events: encoded.clone(), removed });
                    }
                }
                fresh.iter().for_each(|event| view.apply(event));
            }
        }
        // Still under the lock: whoever joins now, joins behind these.
        self.push(downs);
    }

    pub fn answer(&self, answers: Vec<Word>) {
        self.push(Downs::answering(answers));
    }
    fn push(&self, downs: Downs) {
        downs.0.into_iter().for_each(|(lot, downs)| self.outlets[usize::from(lot)].push_all(downs));
    }

    /// Something that is not kept, for all who have the room here.
    pub fn tell(&self, room: RoomId, event: ServerEvent, except: Option<ConnectionId>) {
        let shard = self.shard(room).lock();
        let Some(entry) = shard.get(&room) else { return };
        let event = Encoded::new(event);
        for (lot, _) in &entry.lots {
            self.outlets[usize::from(*lot)].push(Down::Ephemeral { room, event: event.clone(), except });
        }
    }
}

/// Somebody reads a room's view. Whatever ends it, a join that is given up included, it is counted off once.
struct Load<'a> {
    subscribers: &'a Subscribers,
    room: RoomId,
    /// How often the room had been shown when it began.
    shows: u64,
    view: Option<Box<View>>,
}

impl Drop for Load<'_> {
    fn drop(&mut self) {
        let mut shard = self.subscribers.shard(self.room).lock();
        let Some(entry) = shard.get_mut(&self.room) else { return };
        entry.loaders -= 1;
        let has_loaded = self.view.is_some();
        if entry.view.is_none() && entry.shows == self.shows {
            entry.view = self.view.take();
        }
        // Who has loaded joins next; others who looked for a view may have come for nothing.
        let is_wanted = entry.loaders > 0 || !entry.lots.is_empty() || has_loaded;
        if entry.view.is_none() && entry.loaders == 0 || !is_wanted {
            shard.remove(&self.room);
        }
    }
}

/// A person who is removed at seq k must not get k + 1: batches end at every removal.
fn cut_at_removals<'a, 'b>(events: &'b [&'a Arc<Event>]) -> impl Iterator<Item = &'b [&'a Arc<Event>]> {
    events.split_inclusive(|event: &&Arc<Event>| event.body.removed().is_some())
}
