//! Which lots of this node hold members of which room, and how far each such room is.
//!
//! A room's entry and the lots' inboxes move together under one lock: who joins at head h gets exactly what comes after h.
//! The room may be another node's: then it is followed (`follow.rs`), and shown here as it is shown there.
//!
//! An entry lives while a connection has the room, or another node follows it; it costs the node once, however many people are in it.

pub mod far;
mod follow;
mod held;
mod turn;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use cluster::NodeId;
use parking_lot::Mutex;
use schema::peer::{Outcome, Word};
use schema::{CloseCode, ConnectionId, Event, RoomId, ServerEvent, UserId};

use crate::metrics::metrics;
use crate::outlet::{Down, Encoded, Outlet};
use crate::peer::Peers;
use crate::read::{Reader, View};
use follow::Ends;
use turn::{Totals, Waiting};

const SHARDS: usize = 64;

pub struct Subscribers {
    outlets: Vec<Outlet>,
    peers: Arc<Peers>,
    /// How often rooms' owners were asked to show them.
    asks: AtomicU64,
    shards: Vec<Mutex<HashMap<RoomId, Entry>>>,
    held: Arc<Totals>,
}

/// The answer to one who asked: a connection here, or the node that passes it on.
#[derive(Debug)]
pub enum Answered {
    Connection(ConnectionId, ServerEvent),
    Node(NodeId, u64, Outcome),
}

/// What several lots are told, each at once, and nodes before them.
#[derive(Default)]
struct Downs {
    lots: Vec<(u16, Vec<Down>)>,
    nodes: Vec<(NodeId, Vec<(u64, Outcome)>)>,
}

impl Downs {
    fn answering(answers: Vec<Answered>) -> Self {
        let mut downs = Self::default();
        for answered in answers {
            match answered {
                Answered::Connection(connection, event) => downs.add(connection.lot, Down::Send { connection, event: Encoded::new(event) }),
                Answered::Node(node, token, outcome) => match downs.nodes.iter_mut().find(|(of, _)| *of == node) {
                    Some((_, outcomes)) => outcomes.push((token, outcome)),
                    None => downs.nodes.push((node, vec![(token, outcome)])),
                },
            }
        }
        downs
    }
    fn add(&mut self, lot: u16, down: Down) {
        match self.lots.iter_mut().find(|(of, _)| *of == lot) {
            Some((_, downs)) => downs.push(down),
            None => self.lots.push((lot, vec![down])),
        }
    }
}

struct Entry {
    view: Option<Box<View>>,
    /// How often something was shown: a view that was loaded meanwhile has to be loaded again.
    shows: u64,
    /// How often somebody was removed: who was found to be a member before that has to be looked up again.
    removals: u64,
    /// Connections in the room, by lot; `Join`s that were pushed less those that the lot reported gone.
    lots: Vec<(u16, u32)>,
    comers: u32,
    /// Reactions that are in the view and that nobody here was sent yet.
    waiting: Option<Box<Waiting>>,
    /// What other nodes have to do with it.
    ends: Option<Box<Ends>>,
}

impl Entry {
    /// What lies between what was shown here and what is to be shown next is not known, or too much: whoever has the room comes
    /// again, and catches up by themselves.
    fn lose(&mut self, room: RoomId, downs: &mut Downs) {
        metrics().follows_lost.increment(1);
        self.release(room, downs);
        for (lot, _) in &self.lots {
            downs.add(*lot, Down::Lose { room, code: CloseCode::Drain });
        }
        self.removals += 1;
        self.view = None;
    }
    fn is_idle(&self) -> bool {
        self.lots.is_empty() && self.comers == 0 && self.ends.as_ref().is_none_or(|ends| ends.far.followers.is_empty())
    }
}

impl Subscribers {
    pub fn new(outlets: Vec<Outlet>, peers: Arc<Peers>) -> Self {
        Self { outlets, peers, asks: AtomicU64::new(0), shards: (0..SHARDS).map(|_| Mutex::default()).collect(), held: Arc::default() }
    }

    fn shard(&self, room: RoomId) -> &Mutex<HashMap<RoomId, Entry>> {
        let id = room.as_bytes();
        &self.shards[(usize::from(id[15]) ^ usize::from(id[7])) % SHARDS]
    }

    pub fn outlet(&self, connection: ConnectionId) -> &Outlet {
        &self.outlets[usize::from(connection.lot)]
    }
    /// To a connection here or on another node.
    pub fn send(&self, connection: ConnectionId, event: ServerEvent) {
        match self.peers.abroad(connection) {
            None => self.outlet(connection).push(Down::Send { connection, event: Encoded::new(event) }),
            Some((node, connection)) => _ = self.peers.say(node, &Word::Send { connection, event }),
        }
    }
    pub fn close(&self, connection: ConnectionId, code: CloseCode) {
        self.outlet(connection).push(Down::Close { connection, code });
    }
    pub fn say(&self, node: NodeId, word: &Word) -> bool {
        self.peers.say(node, word)
    }
    pub fn outlets(&self) -> &[Outlet] {
        &self.outlets
    }

    /// From the answered view on the connection gets the room's events. `None`: there is no such room, or the user is not
    /// in it any more.
    ///
    /// Nothing is shown to a connection whose user is not a member: one who is removed while they are looked up is looked
    /// up again, and a removal that is shown later cuts the connection off where it is shown.
    pub async fn join(&self, reader: &Reader, user: UserId, room: RoomId, connection: ConnectionId) -> Result<Option<View>, store::Error> {
        let comer = self.come(room);
        loop {
            // Before the role is asked for: what is not in the view yet is shown behind it.
            let seen = comer.look();
            if !seen.has_view {
                if let Some(owner) = reader.owner(room) {
                    if !comer.follow(reader, owner).await? {
                        return Ok(None);
                    }
                } else if let Some(view) = reader.view(room).await? {
                    comer.bring(view, seen.shows);
                } else {
                    return Ok(None);
                }
                continue;
            }
            if reader.role(room, user).await?.is_none() {
                return Ok(None);
            }
            if let Some(view) = comer.join(user, connection, seen.removals) {
                return Ok(Some(view));
            }
        }
    }

    fn come(&self, room: RoomId) -> Comer<'_> {
        let mut shard = self.shard(room).lock();
        let entry = shard.entry(room).or_insert_with(|| Entry {
            view: None,
            shows: 0,
            removals: 0,
            lots: Vec::new(),
            comers: 0,
            waiting: None,
            ends: None,
        });
        entry.comers += 1;
        Comer { subscribers: self, room }
    }

    /// The room as it was shown here; `None`: nobody here watches it. Of a room elsewhere it may be a moment old.
    pub fn view(&self, room: RoomId) -> Option<View> {
        self.shard(room).lock().get(&room).and_then(|entry| entry.view.as_deref().cloned())
    }
    /// The same of a room that is ours, as of everything applied.
    pub fn own_view(&self, room: RoomId) -> Option<View> {
        let shard = self.shard(room).lock();
        let own = |entry: &&Entry| entry.ends.as_ref().is_none_or(|ends| ends.far.is_current());
        shard.get(&room).filter(own).and_then(|entry| entry.view.as_deref().cloned())
    }

    /// Connections here that have the room.
    pub fn audience(&self, room: RoomId) -> u32 {
        self.shard(room).lock().get(&room).map_or(0, |entry| entry.lots.iter().map(|(_, n)| n).sum())
    }

    /// A connection leaves the room before it closes.
    pub fn part(&self, room: RoomId, connection: ConnectionId) {
        let (mut shard, mut downs) = (self.shard(room).lock(), Downs::default());
        if let Some(entry) = shard.get_mut(&room) {
            entry.release(room, &mut downs);
        }
        downs.add(connection.lot, Down::Part { connection, room });
        self.push(downs);
    }

    /// A lot has `count` connections fewer in the room than it was sent joins for.
    pub fn left(&self, room: RoomId, lot: u16, count: u32) {
        let mut shard = self.shard(room).lock();
        let Some(entry) = shard.get_mut(&room) else { return };
        if let Some((_, joined)) = entry.lots.iter_mut().find(|(l, _)| *l == lot) {
            *joined = joined.saturating_sub(count);
        }
        entry.lots.retain(|(_, joined)| *joined > 0);
        self.forget_idle(&mut shard, room);
    }

    fn forget_idle(&self, shard: &mut HashMap<RoomId, Entry>, room: RoomId) {
        if shard.get(&room).is_some_and(Entry::is_idle) {
            let followed = shard.remove(&room).and_then(|entry| entry.ends).and_then(|ends| ends.far.following());
            if let Some(owner) = followed {
                self.peers.say(owner, &Word::Unfollow { room });
            }
        }
    }

    /// Shows applied events of a room, in order, to every lot that has members of it.
    pub fn show(&self, room: RoomId, events: &[Arc<Event>]) {
        self.show_answered(room, events, Vec::new());
    }

    /// The same behind the answers to those who asked for these events: a lot has all of it before it is woken, so that who
    /// asked gets both in one write.
    pub fn show_answered(&self, room: RoomId, events: &[Arc<Event>], answers: Vec<Answered>) {
        let mut downs = Downs::answering(answers);
        self.answer_nodes(&mut downs);
        let mut shard = self.shard(room).lock();
        if let Some(entry) = shard.get_mut(&room) {
            entry.shows += 1;
            entry.removals += events.iter().filter(|event| event.body.removed().is_some()).count() as u64;
            let shown = entry.view.as_deref().map_or(0, |view| view.head);
            let fresh: Vec<&Arc<Event>> = events.iter().filter(|event| event.seq > shown).collect();
            if let Some(ends) = &entry.ends {
                // Those who have a hole by it ask for it themselves.
                follow::show(&self.peers, room, &ends.far.followers, &fresh);
            }
            if let Some(view) = entry.view.as_deref_mut() {
                let is_whole = fresh.first().is_none_or(|event| event.seq == shown + 1);
                fresh.iter().for_each(|event| view.apply(event));
                if is_whole {
                    entry.show(room, &fresh, &self.held, &mut downs);
                } else {
                    entry.lose(room, &mut downs);
                }
            }
        }
        // Still under the lock: whoever joins now, joins behind these.
        self.push(downs);
    }

    pub fn answer(&self, answers: Vec<Answered>) {
        let mut downs = Downs::answering(answers);
        self.answer_nodes(&mut downs);
        self.push(downs);
    }
    fn answer_nodes(&self, downs: &mut Downs) {
        for (node, outcomes) in std::mem::take(&mut downs.nodes) {
            self.peers.say(node, &Word::Answered { outcomes });
        }
    }
    fn push(&self, downs: Downs) {
        downs.lots.into_iter().for_each(|(lot, downs)| self.outlets[usize::from(lot)].push_all(downs));
    }

    /// Something that is not kept, for all who have the room, on whatever node.
    pub fn tell(&self, room: RoomId, event: ServerEvent, except: Option<ConnectionId>) {
        let mut shard = self.shard(room).lock();
        let Some(entry) = shard.get_mut(&room) else { return };
        if let Some(ends) = &entry.ends {
            follow::tell(&self.peers, room, &ends.far.followers, &event, except);
        }
        self.tell_lots(entry, room, event, except);
    }
    /// The same for those who have it here.
    pub fn tell_here(&self, room: RoomId, event: ServerEvent, except: Option<ConnectionId>) {
        let mut shard = self.shard(room).lock();
        if let Some(entry) = shard.get_mut(&room) {
            self.tell_lots(entry, room, event, except);
        }
    }
    fn tell_lots(&self, entry: &mut Entry, room: RoomId, event: ServerEvent, except: Option<ConnectionId>) {
        entry.told();
        let event = Encoded::new(event);
        for (lot, _) in &entry.lots {
            self.outlets[usize::from(*lot)].push(Down::Ephemeral { room, event: event.clone(), except });
        }
    }
}

/// Somebody on the way into a room, whose entry lives as long. Whatever ends it, a join that is given up included, it is
/// counted off once.
struct Comer<'a> {
    subscribers: &'a Subscribers,
    room: RoomId,
}

struct Look {
    has_view: bool,
    shows: u64,
    removals: u64,
}

impl Comer<'_> {
    fn with<T>(&self, act: impl FnOnce(&mut Entry) -> T) -> T {
        act(self.subscribers.shard(self.room).lock().get_mut(&self.room).expect("a room that somebody comes to has an entry"))
    }

    fn look(&self) -> Look {
        self.with(|entry| Look { has_view: entry.view.is_some(), shows: entry.shows, removals: entry.removals })
    }

    /// The room as it was read since it had been shown so often.
    fn bring(&self, view: View, shows: u64) {
        self.with(|entry| {
            if entry.view.is_none() && entry.shows == shows {
                entry.view = Some(Box::new(view));
            }
        });
    }

    /// `None`: there is no view that holds, or somebody was removed since the room had seen so many removals.
    fn join(&self, user: UserId, connection: ConnectionId, removals: u64) -> Option<View> {
        let room = self.room;
        self.with(|entry| {
            let view = entry.view.as_deref().filter(|_| entry.removals == removals)?.clone();
            let mut downs = Downs::default();
            entry.release(room, &mut downs);
            match entry.lots.iter_mut().find(|(lot, _)| *lot == connection.lot) {
                Some((_, count)) => *count += 1,
                None => entry.lots.push((connection.lot, 1)),
            }
            // Under the lock: what is in the view comes before it, and whatever is shown next behind it.
            downs.add(connection.lot, Down::Join { connection, user, room });
            self.subscribers.push(downs);
            Some(view)
        })
    }
}

impl Drop for Comer<'_> {
    fn drop(&mut self) {
        let mut shard = self.subscribers.shard(self.room).lock();
        let Some(entry) = shard.get_mut(&self.room) else { return };
        entry.comers -= 1;
        self.subscribers.forget_idle(&mut shard, self.room);
    }
}

fn show_lots(room: RoomId, lots: &[(u16, u32)], fresh: &[&Arc<Event>], downs: &mut Downs) {
    for batch in cut_at_removals(fresh) {
        let encoded: Vec<Encoded> = held::frames(room, batch).into_iter().map(Encoded::new).collect();
        let removed = batch.last().and_then(|event| event.body.removed());
        metrics().shown.increment(batch.len() as u64);
        for (lot, _) in lots {
            downs.add(*lot, Down::Batch { room, events: encoded.clone(), removed });
        }
    }
}

/// A person who is removed at seq k must not get k + 1: batches end at every removal.
fn cut_at_removals<'a, 'b>(events: &'b [&'a Arc<Event>]) -> impl Iterator<Item = &'b [&'a Arc<Event>]> {
    events.split_inclusive(|event: &&Arc<Event>| event.body.removed().is_some())
}
