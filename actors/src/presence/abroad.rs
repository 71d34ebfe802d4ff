//! Presence over nodes. A user's home says how they are to each node where somebody watches them; that node says who of its own
//! may know, since it knows their rooms.

use std::collections::BTreeMap;

use cluster::NodeId;
use schema::client::Status;
use schema::peer::Word;
use schema::{ConnectionId, RoomId, UserId};

use super::{Attachments, Inner, Presence};
use crate::session::Attachment;
use crate::shared::Shared;
use crate::subscribers::Subscribers;

/// At home.
impl Presence {
    pub fn watch_from(&self, subscribers: &Subscribers, node: NodeId, users: Vec<UserId>) {
        let mut inner = self.0.lock();
        for user in users {
            let nodes = inner.nodes.entry(user).or_default();
            if !nodes.contains(&node) {
                nodes.push(node);
            }
            subscribers.say(node, &inner.seen_word(user, None));
        }
    }
    pub fn unwatch_from(&self, node: NodeId, users: &[UserId]) {
        let mut inner = self.0.lock();
        users.iter().for_each(|user| inner.forget_node(*user, node));
    }
    pub fn unwatch_all_from(&self, node: NodeId) {
        let mut inner = self.0.lock();
        inner.nodes.retain(|_, nodes| {
            nodes.retain(|known| *known != node);
            !nodes.is_empty()
        });
    }

    /// Those who have such a connection, each with it.
    pub fn attached_from(&self, which: impl Fn(ConnectionId) -> bool) -> Vec<(UserId, Attachment)> {
        let inner = self.0.lock();
        let attachments = inner.users.iter().flat_map(|(user, seen)| seen.attachments.clone().take().into_iter().map(|a| (*user, a)));
        attachments.filter(|(_, attachment)| which(attachment.connection)).collect()
    }

    /// How these are somebody else says now, or is about to say; their connections elsewhere are nothing to this node. The answer
    /// are the rooms of those who were here.
    pub fn leave_home(&self, which: impl Fn(UserId) -> bool, is_ours: impl Fn(ConnectionId) -> bool) -> Vec<(UserId, Vec<RoomId>)> {
        let mut inner = self.0.lock();
        let users: Vec<UserId> = inner.users.keys().copied().filter(|user| which(*user)).collect();
        let mut left = Vec::new();
        for user in users {
            let Some(seen) = inner.users.get_mut(&user) else { continue };
            let mut attachments = seen.attachments.take();
            attachments.retain(|attachment| is_ours(attachment.connection));
            seen.attachments = Attachments::of(attachments);
            if seen.status.take().is_some() {
                left.push((user, inner.rooms_of(user)));
            }
            inner.nodes.remove(&user);
            inner.forget_gone(user);
        }
        left
    }
}

/// Where somebody watches.
impl Presence {
    /// What the user's home says.
    pub fn seen_abroad(&self, subscribers: &Subscribers, user: UserId, status: Status, last_seen: Option<u64>, rooms: Vec<RoomId>) {
        let mut inner = self.0.lock();
        if !inner.watchers.contains_key(&user) {
            return;
        }
        inner.users.entry(user).or_default();
        let rooms = inner.numbers.take(rooms);
        inner.replace(subscribers, user, rooms);
        inner.set(subscribers, user, status, last_seen);
    }
    /// Those of these whom somebody here watches.
    pub fn watched(&self, which: impl Fn(UserId) -> bool) -> Vec<UserId> {
        self.0.lock().watchers.keys().copied().filter(|user| which(*user)).collect()
    }
    pub fn rooms_of(&self, user: UserId) -> Vec<RoomId> {
        self.0.lock().rooms_of(user)
    }
    /// Nobody here watches them any more, and what their home said of them ages.
    fn forget_seen(&self, users: &[UserId]) {
        let mut inner = self.0.lock();
        for user in users {
            if !inner.watchers.contains_key(user)
                && let Some(seen) = inner.users.get_mut(user)
            {
                seen.status = None;
                inner.forget_gone(*user);
            }
        }
    }
}

impl Inner {
    pub(super) fn tell_nodes(&self, subscribers: &Subscribers, user: UserId, last_seen: Option<u64>) {
        let Some(nodes) = self.nodes.get(&user) else { return };
        let word = self.seen_word(user, last_seen);
        nodes.iter().for_each(|node| _ = subscribers.say(*node, &word));
    }
    fn seen_word(&self, user: UserId, last_seen: Option<u64>) -> Word {
        Word::Seen { user, status: self.status(user), last_seen, rooms: self.rooms_of(user) }
    }
    pub(super) fn rooms_of(&self, user: UserId) -> Vec<RoomId> {
        self.numbers.of(self.rooms(&user)).collect()
    }
    fn forget_node(&mut self, user: UserId, node: NodeId) {
        if let Some(nodes) = self.nodes.get_mut(&user) {
            nodes.retain(|known| *known != node);
            if nodes.is_empty() {
                self.nodes.remove(&user);
            }
        }
    }
}

impl Shared {
    /// The homes of these are told that somebody here watches them.
    pub(crate) fn watch(&self, users: Vec<UserId>) {
        for (home, users) in self.by_home(users) {
            self.peers.say(home, &Word::Watch { users });
        }
    }
    pub(crate) fn unwatch(&self, users: Vec<UserId>) {
        for (home, users) in self.by_home(users) {
            self.presence.forget_seen(&users);
            self.peers.say(home, &Word::Unwatch { users });
        }
    }
    /// Those whose home is elsewhere.
    fn by_home(&self, users: Vec<UserId>) -> BTreeMap<NodeId, Vec<UserId>> {
        let mut homes: BTreeMap<NodeId, Vec<UserId>> = BTreeMap::new();
        for user in users {
            if let Some(home) = self.home(user) {
                homes.entry(home).or_default().push(user);
            }
        }
        homes
    }
}
