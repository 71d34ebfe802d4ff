//! Both ends of following a room: its owner shows it to the nodes that asked, and they show it to who has it there.
//!
//! Invariant: a follower shows a room's events without a gap, or begins anew. What it has is a head; whatever does not continue
//! that is asked for from there, so nothing depends on a word not being lost.

use std::sync::Arc;
use std::time::Duration;

use cluster::NodeId;
use schema::peer::Word;
use schema::{CloseCode, ConnectionId, Event, RoomId, ServerEvent, limits};
use tokio::sync::Notify;

use super::{Comer, Entry, Subscribers};
use crate::metrics::metrics;
use crate::outlet::Down;
use crate::peer::{FRAME_BYTES, Peers};
use crate::read::{Reader, View};

/// For the owner's word; it is asked again meanwhile, since the question may have gone with a session.
const FOLLOW_WITHIN: Duration = Duration::from_secs(3);
const ASK_EVERY: Duration = Duration::from_millis(250);

#[derive(Default)]
pub(super) struct Far {
    /// Nodes that are shown what is shown here; the room is ours.
    pub followers: Vec<NodeId>,
    /// Who shows it to us; the room is theirs.
    pub following: Option<NodeId>,
    /// They were asked to, and have not begun.
    is_asked: bool,
    /// It became ours, and what happened before that was not shown yet.
    pub is_behind: bool,
    /// The owner says that there is no such room.
    is_missing: bool,
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
    pub async fn followed(&self, reader: &Reader, room: RoomId, by: NodeId, known: Option<u64>) -> Result<(), store::Error> {
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
            if comer.let_follow(reader, by, head, missed) {
                return Ok(());
            }
        }
    }

    pub fn unfollowed(&self, room: RoomId, by: NodeId) {
        let mut shard = self.shard(room).lock();
        if let Some(far) = shard.get_mut(&room).and_then(|entry| entry.far.as_mut()) {
            far.followers.retain(|node| *node != by);
            self.forget_idle(&mut shard, room);
        }
    }

    /// Nothing of that node is heard any more.
    pub fn forget_follower(&self, node: NodeId) {
        for shard in &self.shards {
            let mut shard = shard.lock();
            let mut of: Vec<RoomId> = Vec::new();
            for (room, entry) in shard.iter_mut() {
                if let Some(far) = entry.far.as_mut().filter(|far| far.followers.contains(&node)) {
                    far.followers.retain(|follower| *follower != node);
                    of.push(*room);
                }
            }
            of.into_iter().for_each(|room| self.forget_idle(&mut shard, room));
        }
    }
}

impl Comer<'_> {
    /// `head`: what was missed goes up to it. False: what came since cannot be told any more, so begin again.
    fn let_follow(&self, reader: &Reader, by: NodeId, head: u64, missed: Vec<Arc<Event>>) -> bool {
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
            peers.say(by, &Word::Following { room, view: view.clone().into() });
            let far = entry.far.get_or_insert_default();
            if !far.followers.contains(&by) {
                far.followers.push(by);
            }
            true
        })
    }

    /// Waits until the room's owner has shown it. False: there is no such room. Errors: `Unknown`, the owner cannot be heard.
    pub(super) async fn follow(&self, owner: NodeId) -> Result<bool, store::Error> {
        let (peers, room) = (&self.subscribers.peers, self.room);
        let ask = || async {
            loop {
                let heard = self.with(|entry| {
                    if entry.view.is_some() {
                        return Err(true);
                    }
                    let far = entry.far.get_or_insert_default();
                    if std::mem::take(&mut far.is_missing) {
                        return Err(false);
                    }
                    far.following = Some(owner);
                    let mut heard = Box::pin(far.heard.clone().notified_owned());
                    heard.as_mut().enable();
                    peers.say(owner, &Word::Follow { room, known: None });
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
    pub fn following(&self, room: RoomId, owner: NodeId, view: View) {
        let mut shard = self.shard(room).lock();
        let Some(entry) = shard.get_mut(&room).filter(|entry| entry.is_followed(owner)) else {
            self.peers.say(owner, &Word::Unfollow { room });
            return;
        };
        match entry.view.as_deref() {
            Some(ours) if ours.head > view.head => {}
            Some(ours) if ours.head < view.head => {
                // Too much to show it all: who has the room comes again, and catches up by themselves.
                metrics().follows_lost.increment(1);
                for (lot, _) in &entry.lots {
                    self.outlets[usize::from(*lot)].push(Down::Lose { room, code: CloseCode::Drain });
                }
                entry.removals += 1;
                entry.view = Some(Box::new(view));
            }
            _ => entry.view = Some(Box::new(view)),
        }
        if let Some(far) = entry.far.as_mut() {
            far.is_asked = false;
            far.heard.notify_waiters();
        }
    }

    pub fn no_room(&self, room: RoomId, owner: NodeId) {
        let mut shard = self.shard(room).lock();
        if let Some(far) = shard.get_mut(&room).filter(|entry| entry.is_followed(owner)).and_then(|entry| entry.far.as_mut()) {
            (far.is_missing, far.is_asked) = (true, false);
            far.heard.notify_waiters();
        }
    }

    /// What the owner showed. What does not continue what is here is asked for.
    pub fn shown(&self, room: RoomId, owner: NodeId, events: Vec<Arc<Event>>) {
        {
            let mut shard = self.shard(room).lock();
            let Some(entry) = shard.get_mut(&room).filter(|entry| entry.is_followed(owner)) else {
                self.peers.say(owner, &Word::Unfollow { room });
                return;
            };
            let known = entry.view.as_deref().map(|view| view.head);
            if let (Some(known), Some(first)) = (known, events.first())
                && first.seq > known + 1
            {
                if let Some(far) = entry.far.as_mut() {
                    far.is_asked = true;
                }
                self.peers.say(owner, &Word::Follow { room, known: Some(known) });
                return;
            }
        }
        // One task hears an owner: nobody shows anything of this room in between.
        self.show(room, &events);
    }

    /// Rooms that begin anew: followed by who has them by now, from where they are here.
    pub fn follow_again(&self, reader: &Reader, begins: &impl Fn(RoomId) -> bool) {
        for shard in &self.shards {
            for (room, entry) in shard.lock().iter_mut().filter(|(room, _)| begins(**room)) {
                let far = entry.far.get_or_insert_default();
                far.is_asked = true;
                let before = std::mem::replace(&mut far.following, reader.owner(*room));
                far.is_behind = far.following.is_none() && (before.is_some() || far.is_behind);
                match far.following {
                    Some(owner) => {
                        far.followers.clear();
                        let known = entry.view.as_deref().map(|view| view.head);
                        self.peers.say(owner, &Word::Follow { room: *room, known });
                    }
                    None => far.heard.notify_waiters(),
                }
            }
        }
    }

    /// Whoever was asked to show a room may have given it up in that moment, or could not read it: asked again until they begin.
    pub fn ask_again(&self) {
        for shard in &self.shards {
            for (room, entry) in shard.lock().iter() {
                if let Some(Far { following: Some(owner), is_asked: true, .. }) = entry.far.as_deref() {
                    let known = entry.view.as_deref().map(|view| view.head);
                    self.peers.say(*owner, &Word::Follow { room: *room, known });
                }
            }
        }
    }

    /// Everything that happened before the room became ours is shown.
    pub fn caught_up(&self, room: RoomId) {
        if let Some(far) = self.shard(room).lock().get_mut(&room).and_then(|entry| entry.far.as_mut()) {
            far.is_behind = false;
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
    fn is_followed(&self, owner: NodeId) -> bool {
        self.far.as_ref().is_some_and(|far| far.following == Some(owner))
    }
}
