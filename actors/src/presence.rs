//! Who is here, and who looks at whom: the node's table of attached users, their status, and the connections that watch them.
//!
//! A session decides what a user's status is; this only keeps and passes on the last word.

use std::collections::{HashMap, HashSet};

use parking_lot::Mutex;
use schema::client::Status;
use schema::server::{Presence as Told, UserStatus};
use schema::{ConnectionId, ServerEvent, UserId};

use crate::session::Attachment;
use crate::subscribers::Subscribers;

#[derive(Default)]
pub struct Presence(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    /// Everybody whose status is not plain offline, or who has a connection here.
    users: HashMap<UserId, Seen>,
    watchers: HashMap<UserId, Vec<ConnectionId>>,
    watched: HashMap<ConnectionId, Vec<UserId>>,
}

#[derive(Clone, Default)]
struct Seen {
    status: Option<Status>,
    /// Kept here and not in the session, which sleeps, and which may break.
    attachments: Vec<Attachment>,
}

impl Presence {
    pub fn is_attached(&self, user: UserId) -> bool {
        self.0.lock().users.get(&user).is_some_and(|seen| !seen.attachments.is_empty())
    }
    pub fn attached(&self, user: UserId, attachment: Attachment) {
        let mut inner = self.0.lock();
        let attachments = &mut inner.users.entry(user).or_default().attachments;
        attachments.reserve_exact(1);
        attachments.push(attachment);
    }
    pub fn attachments(&self, user: UserId) -> Vec<Attachment> {
        self.0.lock().users.get(&user).map(|seen| seen.attachments.clone()).unwrap_or_default()
    }
    pub fn detached(&self, user: UserId, connection: ConnectionId) {
        let mut inner = self.0.lock();
        inner.unwatch(connection);
        let Some(seen) = inner.users.get_mut(&user) else { return };
        seen.attachments.retain(|attachment| attachment.connection != connection);
        if seen.attachments.is_empty() && seen.status.is_none() {
            inner.users.remove(&user);
        }
    }

    pub fn status(&self, user: UserId) -> Status {
        self.0.lock().users.get(&user).and_then(|seen| seen.status).unwrap_or(Status::Offline)
    }

    /// A user's status as others see it; watchers hear of it if it is another one. `Some(true)`: came, `Some(false)`: went.
    pub fn set(&self, subscribers: &Subscribers, user: UserId, status: Status, last_seen: Option<u64>) -> Option<bool> {
        let mut inner = self.0.lock();
        let before = inner.users.get(&user).and_then(|seen| seen.status).unwrap_or(Status::Offline);
        let seen = inner.users.entry(user).or_default();
        seen.status = (status != Status::Offline).then_some(status);
        if seen.status.is_none() && seen.attachments.is_empty() {
            inner.users.remove(&user);
        }
        if before == status {
            return None;
        }
        for connection in inner.watchers.get(&user).into_iter().flatten() {
            let users = vec![UserStatus { user, status, last_seen }];
            subscribers.send(*connection, ServerEvent::Presence(Told { users }));
        }
        let was_here = before != Status::Offline;
        let is_here = status != Status::Offline;
        (was_here != is_here).then_some(is_here)
    }

    /// From here on the connection hears of these, and of no others; the answer is how they are now.
    pub fn watch(&self, connection: ConnectionId, users: Vec<UserId>) -> Vec<UserStatus> {
        let mut inner = self.0.lock();
        inner.unwatch(connection);
        let users: Vec<UserId> = users.into_iter().collect::<HashSet<_>>().into_iter().collect();
        for user in &users {
            inner.watchers.entry(*user).or_default().push(connection);
        }
        let status = |user: &UserId| inner.users.get(user).and_then(|seen| seen.status).unwrap_or(Status::Offline);
        let now = users.iter().map(|user| UserStatus { user: *user, status: status(user), last_seen: None }).collect();
        inner.watched.insert(connection, users);
        now
    }
}

impl Inner {
    fn unwatch(&mut self, connection: ConnectionId) {
        for user in self.watched.remove(&connection).unwrap_or_default() {
            if let Some(watchers) = self.watchers.get_mut(&user) {
                watchers.retain(|c| *c != connection);
                if watchers.is_empty() {
                    self.watchers.remove(&user);
                }
            }
        }
    }
}
