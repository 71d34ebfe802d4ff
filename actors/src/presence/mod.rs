//! Who is here, and who looks at whom: the node's table of attached users, their status, and the connections that watch them.
//!
//! A session decides what a user's status is; this only keeps and passes on the last word. A status is for those who share
//! a room with the user: for everybody else they are as somebody who does not exist.

use std::collections::{HashMap, HashSet};

use cluster::NodeId;
use parking_lot::Mutex;
use schema::client::Status;
use schema::server::{Presence as Told, UserStatus};
use schema::{ConnectionId, RoomId, ServerEvent, UserId};

use crate::acquaintance::{Numbers, Rooms, meet};
use crate::directory::let_go;
use crate::session::Attachment;
use crate::subscribers::Subscribers;
use gone::Gone;

#[derive(Default)]
pub struct Presence(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    /// Everybody whose status is not plain offline, or who has a connection here.
    users: HashMap<UserId, Seen>,
    watchers: HashMap<UserId, Vec<Watcher>>,
    watched: HashMap<ConnectionId, Vec<UserId>>,
    /// Nodes that are told of a user whose home is here, for those who watch there.
    nodes: HashMap<UserId, Vec<NodeId>>,
    numbers: Numbers,
    /// Of those whose home is here.
    gone: Gone,
}

/// Rooms that have one more who is here (`true`), or one less.
pub type Counts = Vec<(RoomId, bool)>;

/// Whom somebody here watches, and nobody did; and the reverse.
pub struct Changed {
    pub begun: Vec<UserId>,
    pub ended: Vec<UserId>,
}

struct Watcher {
    connection: ConnectionId,
    user: UserId,
    /// They share a room with whom they watch.
    sees: bool,
}

#[derive(Default)]
struct Seen {
    status: Option<Status>,
    /// Kept here and not in the session, which sleeps, and which may break.
    attachments: Attachments,
    /// Their session says it, before it says a status.
    rooms: Rooms,
}

/// Most users have one: it needs no memory of its own.
#[derive(Clone, Default)]
enum Attachments {
    #[default]
    None,
    One(Attachment),
    /// Invariant: two or more. (A box, so that a user stays small.)
    #[allow(clippy::box_collection)]
    Many(Box<Vec<Attachment>>),
}

impl Attachments {
    fn of(mut attachments: Vec<Attachment>) -> Self {
        match *attachments {
            [] => Self::None,
            [one] => Self::One(one),
            _ => {
                attachments.shrink_to_fit();
                Self::Many(Box::new(attachments))
            }
        }
    }
    fn take(&mut self) -> Vec<Attachment> {
        match std::mem::take(self) {
            Self::None => Vec::new(),
            Self::One(one) => vec![one],
            Self::Many(many) => *many,
        }
    }
    fn is_empty(&self) -> bool {
        matches!(self, Self::None)
    }
    fn has(&self, connection: ConnectionId) -> bool {
        match self {
            Self::None => false,
            Self::One(one) => one.connection == connection,
            Self::Many(many) => many.iter().any(|attachment| attachment.connection == connection),
        }
    }
}

impl Presence {
    pub fn is_attached(&self, user: UserId) -> bool {
        self.0.lock().users.get(&user).is_some_and(|seen| !seen.attachments.is_empty())
    }
    pub fn attached(&self, user: UserId, attachment: Attachment) {
        let mut inner = self.0.lock();
        inner.gone.forget(user);
        let seen = inner.users.entry(user).or_default();
        let mut attachments = seen.attachments.take();
        // Said again, as after a node was away.
        attachments.retain(|known| known.connection != attachment.connection);
        attachments.push(attachment);
        seen.attachments = Attachments::of(attachments);
    }
    pub fn attachments(&self, user: UserId) -> Vec<Attachment> {
        self.0.lock().users.get(&user).map(|seen| seen.attachments.clone().take()).unwrap_or_default()
    }
    /// The answer are those whom nobody here watches any more.
    pub fn detached(&self, user: UserId, connection: ConnectionId) -> Vec<UserId> {
        let mut inner = self.0.lock();
        let unwatched = inner.unwatch(connection);
        let Some(seen) = inner.users.get_mut(&user) else { return unwatched };
        let mut attachments = seen.attachments.take();
        attachments.retain(|attachment| attachment.connection != connection);
        seen.attachments = Attachments::of(attachments);
        inner.forget_gone(user);
        unwatched
    }

    /// If that was the last connection of somebody who is seen, they are away since now.
    pub fn went(&self, user: UserId, now_ms: u64) {
        let mut inner = self.0.lock();
        if inner.users.get(&user).is_some_and(|seen| seen.attachments.is_empty()) {
            inner.gone.went(user, now_ms);
        }
    }
    pub fn gone_since(&self, user: UserId) -> Option<u64> {
        self.0.lock().gone.since(user)
    }
    /// Those who have been away for so long.
    pub fn due(&self, now_ms: u64, after_ms: u64) -> Vec<UserId> {
        self.0.lock().gone.due(now_ms, after_ms)
    }
    /// One of them did not come back, unless they did in this very moment.
    pub fn offline(&self, subscribers: &Subscribers, user: UserId, now_ms: u64, after_ms: u64) -> Counts {
        let mut inner = self.0.lock();
        if inner.gone.since(user).is_none_or(|since| since + after_ms > now_ms) {
            return Vec::new();
        }
        inner.set(subscribers, user, Status::Offline, Some(now_ms))
    }

    pub fn status(&self, user: UserId) -> Status {
        self.0.lock().status(user)
    }

    /// The user is in these rooms, and in no others.
    pub fn rooms(&self, subscribers: &Subscribers, user: UserId, rooms: impl IntoIterator<Item = RoomId>) -> Counts {
        let mut inner = self.0.lock();
        if !inner.users.contains_key(&user) {
            return Vec::new();
        }
        let rooms = inner.numbers.take(rooms);
        inner.replace(subscribers, user, rooms)
    }
    pub fn entered(&self, subscribers: &Subscribers, user: UserId, room: RoomId) -> Counts {
        let mut inner = self.0.lock();
        let Some(seen) = inner.users.get(&user) else { return Vec::new() };
        let rooms = inner.numbers.of(&seen.rooms).chain([room]).collect::<Vec<_>>();
        let rooms = inner.numbers.take(rooms);
        inner.replace(subscribers, user, rooms)
    }
    pub fn exited(&self, subscribers: &Subscribers, user: UserId, room: RoomId) -> Counts {
        let mut inner = self.0.lock();
        let Some(seen) = inner.users.get(&user) else { return Vec::new() };
        let rooms = inner.numbers.of(&seen.rooms).filter(|known| *known != room).collect::<Vec<_>>();
        let rooms = inner.numbers.take(rooms);
        inner.replace(subscribers, user, rooms)
    }

    /// A user's status as others see it; watchers hear of it if it is another one.
    pub fn set(&self, subscribers: &Subscribers, user: UserId, status: Status, last_seen: Option<u64>) -> Counts {
        self.0.lock().set(subscribers, user, status, last_seen)
    }

    /// A user whose session sleeps has a connection, if it is not gone again. What others count by that is counted by `count`
    /// before anybody can see them go.
    pub fn came(&self, subscribers: &Subscribers, user: UserId, connection: ConnectionId, status: Status, count: impl FnOnce(Counts)) {
        let mut inner = self.0.lock();
        let is_here = |seen: &Seen| seen.status.is_none() && seen.attachments.has(connection);
        let status = if status == Status::Invisible { Status::Offline } else { status };
        if inner.users.get(&user).is_some_and(is_here) {
            count(inner.set(subscribers, user, status, None));
        }
    }

    /// From here on the user's connection hears of these, and of no others; the answer is how they are now.
    pub fn watch(&self, connection: ConnectionId, user: UserId, users: Vec<UserId>) -> (Vec<UserStatus>, Changed) {
        let mut inner = self.0.lock();
        let mut ended = inner.unwatch(connection);
        let mut begun = Vec::new();
        let users: Vec<UserId> = users.into_iter().collect::<HashSet<_>>().into_iter().collect();
        for watched in &users {
            let sees = inner.sees(user, watched);
            let watchers = inner.watchers.entry(*watched).or_default();
            if watchers.is_empty() && !ended.contains(watched) {
                begun.push(*watched);
            }
            ended.retain(|gone| gone != watched);
            watchers.push(Watcher { connection, user, sees });
        }
        let now = users.iter().map(|watched| inner.seen(*watched, inner.sees(user, watched))).collect();
        inner.watched.insert(connection, users);
        (now, Changed { begun, ended })
    }

    /// How these are for somebody who need not be here, and is in these rooms.
    pub fn seen_from(&self, user: UserId, rooms: impl IntoIterator<Item = RoomId>, users: &[UserId]) -> Vec<UserStatus> {
        let inner = self.0.lock();
        let rooms = inner.numbers.known(rooms);
        users.iter().map(|seen| inner.seen(*seen, *seen == user || meet(&rooms, inner.rooms(seen)))).collect()
    }
}

impl Inner {
    fn set(&mut self, subscribers: &Subscribers, user: UserId, status: Status, last_seen: Option<u64>) -> Counts {
        let before = self.status(user);
        let rooms = if (before == Status::Offline) == (status == Status::Offline) { Vec::new() } else { self.rooms_of(user) };
        self.users.entry(user).or_default().status = (status != Status::Offline).then_some(status);
        self.forget_gone(user);
        if before == status {
            return Vec::new();
        }
        self.tell_nodes(subscribers, user, last_seen);
        for watcher in self.watchers.get(&user).into_iter().flatten().filter(|watcher| watcher.sees) {
            let users = vec![UserStatus { user, status, last_seen }];
            subscribers.send(watcher.connection, ServerEvent::Presence(Told { users }));
        }
        rooms.into_iter().map(|room| (room, status != Status::Offline)).collect()
    }

    fn status(&self, user: UserId) -> Status {
        self.users.get(&user).and_then(|seen| seen.status).unwrap_or(Status::Offline)
    }
    fn rooms(&self, user: &UserId) -> &[u32] {
        self.users.get(user).map(|seen| &seen.rooms[..]).unwrap_or_default()
    }
    fn sees(&self, user: UserId, watched: &UserId) -> bool {
        user == *watched || meet(self.rooms(&user), self.rooms(watched))
    }
    fn seen(&self, user: UserId, is_seen: bool) -> UserStatus {
        let status = self.status(user);
        UserStatus { user, status: if is_seen { status } else { Status::Offline }, last_seen: None }
    }

    fn forget_gone(&mut self, user: UserId) {
        if self.users.get(&user).is_some_and(|seen| seen.status.is_none() && seen.attachments.is_empty())
            && let Some(gone) = self.users.remove(&user)
        {
            self.numbers.give_back(&gone.rooms);
            self.gone.forget(user);
            let_go(&mut self.users);
        }
    }

    fn replace(&mut self, subscribers: &Subscribers, user: UserId, rooms: Rooms) -> Counts {
        let Some(seen) = self.users.get_mut(&user) else {
            self.numbers.give_back(&rooms);
            return Vec::new();
        };
        let (changed, is_here) = (seen.rooms != rooms, seen.status.is_some());
        let before = std::mem::replace(&mut seen.rooms, rooms.clone());
        let only = |these: &Rooms, others: &Rooms| these.iter().filter(|n| others.binary_search(n).is_err()).copied().collect::<Vec<u32>>();
        let mut counts: Counts = Vec::new();
        if is_here && changed {
            counts.extend(self.numbers.of(&only(&rooms, &before)).map(|room| (room, true)));
            counts.extend(self.numbers.of(&only(&before, &rooms)).map(|room| (room, false)));
        }
        self.numbers.give_back(&before);
        if changed {
            self.tell_nodes(subscribers, user, None);
            self.look_again(subscribers, user);
        }
        counts
    }

    /// Who watches this user, and whom this user watches: they may share a room now, or none any more.
    fn look_again(&mut self, subscribers: &Subscribers, user: UserId) {
        let attachments = self.users.get(&user).map(|seen| seen.attachments.clone().take()).unwrap_or_default();
        let watched = attachments.iter().filter_map(|attachment| self.watched.get(&attachment.connection)).flatten();
        let watched: HashSet<UserId> = watched.copied().chain([user]).collect();
        for watched in watched {
            let Some(mut watchers) = self.watchers.remove(&watched) else { continue };
            for watcher in watchers.iter_mut().filter(|watcher| watcher.user == user || watched == user) {
                let sees = self.sees(watcher.user, &watched);
                if std::mem::replace(&mut watcher.sees, sees) != sees && self.status(watched) != Status::Offline {
                    let users = vec![self.seen(watched, sees)];
                    subscribers.send(watcher.connection, ServerEvent::Presence(Told { users }));
                }
            }
            self.watchers.insert(watched, watchers);
        }
    }

    /// The answer are those whom nobody here watches any more.
    fn unwatch(&mut self, connection: ConnectionId) -> Vec<UserId> {
        let mut ended = Vec::new();
        for user in self.watched.remove(&connection).unwrap_or_default() {
            if let Some(watchers) = self.watchers.get_mut(&user) {
                watchers.retain(|watcher| watcher.connection != connection);
                if watchers.is_empty() {
                    self.watchers.remove(&user);
                    ended.push(user);
                }
            }
        }
        ended
    }
}

mod abroad;
mod gone;

#[cfg(test)]
mod tests {
    use schema::LoginId;

    use super::*;

    const USER: UserId = UserId::from_bytes([1; 16]);

    fn attachment(index: u32) -> Attachment {
        Attachment { connection: ConnectionId { lot: 0, generation: 0, index }, login: LoginId::default() }
    }

    fn comes(presence: &Presence, index: u32) -> bool {
        let mut came = false;
        presence
            .came(&Subscribers::new(Vec::new(), Default::default()), USER, attachment(index).connection, Status::Online, |_| came = true);
        came
    }

    #[test]
    fn a_connection_that_was_gone_before_it_was_greeted_shows_nobody() {
        let presence = Presence::default();
        presence.attached(USER, attachment(1));
        presence.detached(USER, attachment(1).connection);
        assert!(!comes(&presence, 1));
        assert_eq!(presence.status(USER), Status::Offline);
        assert!(presence.0.lock().users.is_empty());
    }

    #[test]
    fn a_user_comes_with_the_first_connection_and_stays_whatever_others_do() {
        let presence = Presence::default();
        [1, 2, 3].into_iter().for_each(|n| presence.attached(USER, attachment(n)));
        assert!(comes(&presence, 1) && !comes(&presence, 2));
        presence.detached(USER, attachment(1).connection);
        assert_eq!((presence.status(USER), presence.attachments(USER)), (Status::Online, vec![attachment(2), attachment(3)]));
    }

    #[test]
    fn a_user_takes_seventy_two_bytes_of_the_table() {
        assert_eq!(size_of::<(UserId, Seen)>(), 72);
    }
}
