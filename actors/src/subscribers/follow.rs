//! Both ends of following a room: its owner shows it to the nodes that asked, and they show it to who has it there. What is to be
//! done with a word, `far.rs` says.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use cluster::NodeId;
use schema::peer::Word;
use schema::{ConnectionId, Event, RoomId, ServerEvent, limits};
use tokio::sync::Notify;

use super::far::{Begun, Far, Shown};
use super::{Comer, Downs, Entry, Subscribers};
use crate::metrics::metrics;
use crate::peer::{FRAME_BYTES, Peers};
use crate::read::{Reader, View};

/// For the owner's word; it is asked again meanwhile, since the question may have gone with a session.
const FOLLOW_WITHIN: Duration = Duration::from_secs(3);
const ASK_EVERY: Duration = Duration::from_millis(250);
/// What was not shown is read so often at the most, after this long.
const MISSED_TRIES: usize = 10;
const MISSED_AGAIN: Duration = Duration::from_millis(100);

/// The two ends of one room, and who waits at them.
#[derive(Default)]
pub(super) struct Ends {
    pub far: Far,
    /// Rings with the owner's first word.
    heard: Arc<Notify>,
}

/// Applied events, in frames that are not too long, encoded once for all.
pub(super) fn show(peers: &Peers, room: RoomId, followers: &[NodeId], events: &[&Arc<Event>]) {
    if followers.is_empty() || events.is_empty() {
        return;
    }
    let mut bytes = 0;
    let frames = events.chunk_by(|_, next| {
        bytes += crate::slot::weight(next);
        let fits = bytes <= FRAME_BYTES;
        bytes = if fits { bytes } else { 0 };
        fits
    });
    for frame in frames {
        let word = Word::Shown { room, events: frame.iter().map(|event| (***event).clone()).collect() };
        let word = schema::wire::to_msgpack(&word);
        for node in followers {
            // Not heard: its session is over, and it follows anew.
            peers.say_bytes(*node, word.clone());
        }
    }
    metrics().shown_abroad.increment(followers.len() as u64);
}

pub(super) fn tell(peers: &Peers, room: RoomId, followers: &[NodeId], event: &ServerEvent, except: Option<ConnectionId>) {
    let except = except.and_then(|connection| peers.abroad(connection));
    for node in followers {
        let except = except.filter(|(of, _)| of == node).map(|(_, connection)| connection);
        peers.say(*node, &Word::Told { room, event: event.clone(), except });
    }
}

/// The owner's side.
impl Subscribers {
    /// From the room as it is now on, that node is shown what happens, and before that what it missed, unless it is too much.
    pub async fn followed(&self, reader: &Reader, room: RoomId, by: NodeId, known: Option<u64>, ask: u64) -> Result<(), store::Error> {
        let comer = self.come(room);
        loop {
            let seen = comer.look();
            if !seen.has_view {
                let Some(view) = reader.view(room).await? else {
                    self.peers.say(by, &Word::NoRoom { room });
                    return Ok(());
                };
                comer.bring(view, seen.shows);
            }
            let Some(head) = self.view(room).map(|view| view.head) else { continue };
            let missed = match known {
                Some(known) if known < head && head - known <= limits::RESUME_ROOM_EVENTS_MAX => {
                    reader.events(room, known + 1, head).await?
                }
                _ => Vec::new(),
            };
            if comer.let_follow(reader, (by, ask), head, missed) {
                return Ok(());
            }
        }
    }

    pub fn unfollowed(&self, room: RoomId, by: NodeId) {
        let mut shard = self.shard(room).lock();
        if let Some(ends) = shard.get_mut(&room).and_then(|entry| entry.ends.as_mut()) {
            ends.far.followers.retain(|node| *node != by);
            self.forget_idle(&mut shard, room);
        }
    }

    /// Nothing of that node is heard any more.
    pub fn forget_follower(&self, node: NodeId) {
        for shard in &self.shards {
            let mut shard = shard.lock();
            let mut of: Vec<RoomId> = Vec::new();
            for (room, entry) in shard.iter_mut() {
                if let Some(ends) = entry.ends.as_mut().filter(|ends| ends.far.followers.contains(&node)) {
                    ends.far.followers.retain(|follower| *follower != node);
                    of.push(*room);
                }
            }
            of.into_iter().for_each(|room| self.forget_idle(&mut shard, room));
        }
    }
}

impl Comer<'_> {
    /// `head`: what was missed goes up to it. False: what came since cannot be told any more, so begin again.
    fn let_follow(&self, reader: &Reader, (by, ask): (NodeId, u64), head: u64, missed: Vec<Arc<Event>>) -> bool {
        let (peers, room) = (&self.subscribers.peers, self.room);
        self.with(|entry| {
            let Some(view) = entry.view.as_deref() else { return false };
            let since: Vec<Arc<Event>> =
                reader.tail_here(room).unwrap_or_default().into_iter().filter(|event| event.seq > head && event.seq <= view.head).collect();
            if since.len() as u64 != view.head - head {
                return false;
            }
            let events: Vec<&Arc<Event>> = missed.iter().chain(&since).collect();
            show(peers, room, &[by], &events);
            peers.say(by, &Word::Following { room, view: view.clone().into(), ask });
            let followers = &mut entry.ends.get_or_insert_default().far.followers;
            if !followers.contains(&by) {
                followers.push(by);
            }
            true
        })
    }

    /// Waits until the room's owner has shown it, or somebody else has it. False: there is no such room. Errors: `Unknown`, the owner
    /// cannot be heard.
    pub(super) async fn follow(&self, reader: &Reader, owner: NodeId) -> Result<bool, store::Error> {
        let (peers, room) = (&self.subscribers.peers, self.room);
        let ask = || async {
            loop {
                let heard = self.with(|entry| {
                    // Looked at under the lock: who was the owner before is not followed any more.
                    if entry.view.is_some() || reader.owner(room) != Some(owner) {
                        return Err(true);
                    }
                    let ends = entry.ends.get_or_insert_default();
                    let Some(ask) = ends.far.follow(owner, self.subscribers.next_ask()) else { return Err(false) };
                    let mut heard = Box::pin(ends.heard.clone().notified_owned());
                    heard.as_mut().enable();
                    peers.say(owner, &Word::Follow { room, known: None, ask });
                    Ok(heard)
                });
                match heard {
                    Err(is_there) => return is_there,
                    Ok(heard) => _ = tokio::time::timeout(ASK_EVERY, heard).await,
                }
            }
        };
        let silent = || store::Error::Unknown("the room's owner is not heard".into());
        tokio::time::timeout(FOLLOW_WITHIN, ask()).await.map_err(|_| silent())
    }
}

/// The follower's side.
impl Subscribers {
    /// By which number a room's owner is asked to show it.
    fn next_ask(&self) -> u64 {
        self.asks.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// `ask`: what they answer.
    pub fn following(&self, room: RoomId, owner: NodeId, view: View, ask: u64) {
        let mut shard = self.shard(room).lock();
        let begun = shard.get_mut(&room).and_then(|entry| Some((entry.begun(owner, view.head, ask)?, entry)));
        let Some((begun, entry)) = begun.filter(|(begun, _)| *begun != Begun::Unwanted) else {
            self.peers.say(owner, &Word::Unfollow { room });
            return;
        };
        if begun == Begun::Lose {
            let mut downs = Downs::default();
            entry.lose(room, &mut downs);
            self.push(downs);
        }
        if begun != Begun::Keep {
            entry.view = Some(Box::new(view));
        }
        entry.ring();
    }

    pub fn no_room(&self, room: RoomId, owner: NodeId) {
        let mut shard = self.shard(room).lock();
        let Some(entry) = shard.get_mut(&room) else { return };
        if entry.ends.as_mut().is_some_and(|ends| ends.far.no_room(owner)) {
            entry.ring();
        }
    }

    /// What the owner showed. What does not continue what is here is asked for.
    pub fn shown(&self, room: RoomId, owner: NodeId, events: Vec<Arc<Event>>) {
        let mut shard = self.shard(room).lock();
        let (first, ask) = (events.first().map(|event| event.seq), self.next_ask());
        let shown = shard.get_mut(&room).and_then(|entry| entry.shown(owner, first, ask)).unwrap_or(Shown::Unwanted);
        drop(shard);
        match shown {
            Shown::Unwanted => _ = self.peers.say(owner, &Word::Unfollow { room }),
            Shown::Ask(known) => _ = self.peers.say(owner, &Word::Follow { room, known: Some(known), ask }),
            // One task hears an owner: nobody shows anything of this room in between.
            Shown::Show => self.show(room, &events),
        }
    }

    /// Rooms that begin anew: followed by who has them by now, from where they are here.
    pub fn follow_again(&self, reader: &Reader, begins: &impl Fn(RoomId) -> bool) {
        for shard in &self.shards {
            for (room, entry) in shard.lock().iter_mut().filter(|(room, _)| begins(**room)) {
                let ask = self.next_ask();
                match entry.ends.get_or_insert_default().far.begin(reader.owner(*room), ask) {
                    Some(owner) => _ = self.peers.say(owner, &Word::Follow { room: *room, known: entry.head(), ask }),
                    None => entry.ring(),
                }
            }
        }
    }

    /// Whoever was asked to show a room may have given it up in that moment, or could not read it: asked again until they begin.
    pub fn ask_again(&self) {
        for shard in &self.shards {
            for (room, entry) in shard.lock().iter() {
                if let Some((owner, ask)) = entry.ends.as_ref().and_then(|ends| ends.far.ask_again()) {
                    self.peers.say(owner, &Word::Follow { room: *room, known: entry.head(), ask });
                }
            }
        }
    }

    /// What happened in a room that is ours beyond what was shown here. Where that cannot be read for long nobody is shown anything:
    /// whoever has the room comes again.
    pub async fn missed(&self, reader: &Reader, room: RoomId) -> Vec<Arc<Event>> {
        for _ in 0..MISSED_TRIES {
            match self.read_missed(reader, room).await {
                Ok(events) => return events,
                // Who has it now shows it from where it is here.
                Err(_) if reader.owner(room).is_some() => return Vec::new(),
                Err(error) => tracing::warn!(%room, %error, "what was not shown of a room cannot be read yet"),
            }
            tokio::time::sleep(MISSED_AGAIN).await;
        }
        let (mut shard, mut downs) = (self.shard(room).lock(), Downs::default());
        if let Some(entry) = shard.get_mut(&room) {
            entry.lose(room, &mut downs);
        }
        self.push(downs);
        Vec::new()
    }
    async fn read_missed(&self, reader: &Reader, room: RoomId) -> Result<Vec<Arc<Event>>, store::Error> {
        let shown = self.view(room).map_or(u64::MAX, |view| view.head);
        match reader.view(room).await? {
            Some(now) if now.head > shown => reader.events(room, shown + 1, now.head).await,
            _ => Ok(Vec::new()),
        }
    }

    /// Everything that happened before these rooms became ours is shown; or nothing of them was ever shown here.
    pub fn caught_up(&self, which: impl Fn(RoomId) -> bool) {
        for shard in &self.shards {
            let mut shard = shard.lock();
            let entries = shard.iter_mut().filter(|(room, _)| which(**room));
            entries.filter_map(|(_, entry)| entry.ends.as_mut()).for_each(|ends| ends.far.caught_up());
        }
    }

    /// Those rooms of which something was shown here.
    pub fn known(&self, which: impl Fn(RoomId) -> bool) -> Vec<RoomId> {
        let mut known = Vec::new();
        for shard in &self.shards {
            known.extend(shard.lock().iter().filter(|(room, entry)| entry.view.is_some() && which(**room)).map(|(room, _)| *room));
        }
        known
    }
}

impl Entry {
    fn head(&self) -> Option<u64> {
        self.view.as_deref().map(|view| view.head)
    }
    fn begun(&mut self, by: NodeId, theirs: u64, ask: u64) -> Option<Begun> {
        let ours = self.head();
        Some(self.ends.as_mut()?.far.begun(by, ours, theirs, ask))
    }
    fn shown(&mut self, by: NodeId, first: Option<u64>, ask: u64) -> Option<Shown> {
        let ours = self.head();
        Some(self.ends.as_mut()?.far.shown(by, ours, first, ask))
    }
    /// For whoever waits for the room's owner.
    fn ring(&self) {
        self.ends.as_ref().inspect(|ends| ends.heard.notify_waiters());
    }
}
