//! Per user and node: the connections, and how fast requests come in over all of them.
//!
//! The rate is a virtual schedule (GCRA, ITU-T I.371): one number a user. Time comes in as milliseconds. A user without a
//! connection is forgotten as soon as the schedule has caught up, so that reconnecting wins nothing.

use std::collections::HashMap;

use parking_lot::Mutex;
use schema::{ConnectionId, UserId};

use crate::limits::Limits;

const SHARDS: usize = 16;

#[derive(Debug)]
pub struct Users {
    shards: [Mutex<Shard>; SHARDS],
    connections_max: usize,
    interval_ms: u64,
    burst_ms: u64,
}

#[derive(Debug, Default)]
struct Shard {
    users: HashMap<UserId, User>,
    /// Sweep for forgotten users above this many.
    sweep_at: usize,
}

#[derive(Debug, Default)]
struct User {
    /// When the next event would be due if they came evenly.
    due_ms: u64,
    /// With the second of its last event.
    connections: Box<[(ConnectionId, u32)]>,
}

impl Users {
    pub fn new(limits: &Limits) -> Self {
        let interval_ms = 60_000 / u64::from(limits.user_events_per_minute.max(1));
        Self {
            shards: Default::default(),
            connections_max: limits.connections_per_user_max as usize,
            interval_ms,
            burst_ms: interval_ms * u64::from(limits.user_events_burst.saturating_sub(1)),
        }
    }

    /// A connection of the user is greeted; returns the one that has to go for it, the one that is idle longest.
    pub fn enter(&self, user: UserId, connection: ConnectionId, now_ms: u64) -> Option<ConnectionId> {
        let mut shard = self.shard(user).lock();
        let entry = shard.users.entry(user).or_default();
        let mut connections = std::mem::take(&mut entry.connections).into_vec();
        let idlest = connections.iter().enumerate().min_by_key(|(_, (_, at))| *at).map(|(place, _)| place);
        let replaced = idlest.filter(|_| connections.len() >= self.connections_max).map(|place| connections.remove(place).0);
        connections.push((connection, (now_ms / 1000) as u32));
        entry.connections = connections.into_boxed_slice();
        shard.sweep(now_ms);
        replaced
    }

    pub fn leave(&self, user: UserId, connection: ConnectionId, now_ms: u64) {
        let mut shard = self.shard(user).lock();
        let Some(entry) = shard.users.get_mut(&user) else { return };
        let mut connections = std::mem::take(&mut entry.connections).into_vec();
        connections.retain(|(known, _)| *known != connection);
        entry.connections = connections.into_boxed_slice();
        if entry.is_forgotten(now_ms) {
            shard.users.remove(&user);
        }
    }

    /// Admits one event, or says in how many milliseconds to come again. `connection` counts as active; none: by REST.
    pub fn admit(&self, user: UserId, connection: Option<ConnectionId>, now_ms: u64) -> Result<(), u32> {
        let mut shard = self.shard(user).lock();
        let entry = shard.users.entry(user).or_default();
        if let Some((_, at)) = entry.connections.iter_mut().find(|(known, _)| Some(*known) == connection) {
            *at = (now_ms / 1000) as u32;
        }
        let due = entry.due_ms.max(now_ms);
        if due - now_ms > self.burst_ms {
            return Err((due - now_ms - self.burst_ms) as u32);
        }
        entry.due_ms = due + self.interval_ms;
        shard.sweep(now_ms);
        Ok(())
    }

    fn shard(&self, user: UserId) -> &Mutex<Shard> {
        &self.shards[usize::from(user.as_bytes()[15]) % SHARDS]
    }
}

impl Shard {
    fn sweep(&mut self, now_ms: u64) {
        if self.users.len() > self.sweep_at {
            self.users.retain(|_, user| !user.is_forgotten(now_ms));
            self.sweep_at = self.users.len() * 2 + 64;
        }
    }
}

impl User {
    fn is_forgotten(&self, now_ms: u64) -> bool {
        self.connections.is_empty() && self.due_ms <= now_ms
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn connection(index: u32) -> ConnectionId {
        ConnectionId { lot: 0, generation: 0, index }
    }

    #[test]
    fn twenty_at_once_then_two_a_second() {
        let users = Users::new(&Limits::default());
        let user = UserId::from_bytes([1; 16]);
        for _ in 0..20 {
            assert_eq!(users.admit(user, None, 1_000), Ok(()));
        }
        assert_eq!(users.admit(user, None, 1_000), Err(500));
        assert_eq!(users.admit(user, None, 1_500), Ok(()));
        assert_eq!(users.admit(user, None, 1_501), Err(499));
        assert_eq!(users.admit(UserId::from_bytes([2; 16]), None, 1_501), Ok(()));
    }

    #[test]
    fn the_connection_that_is_idle_longest_makes_room() {
        let limits = Limits { connections_per_user_max: 2, ..Limits::default() };
        let (users, user) = (Users::new(&limits), UserId::from_bytes([1; 16]));
        assert_eq!(users.enter(user, connection(1), 1_000), None);
        assert_eq!(users.enter(user, connection(2), 2_000), None);
        users.admit(user, Some(connection(1)), 3_000).unwrap();
        assert_eq!(users.enter(user, connection(3), 4_000), Some(connection(2)));
    }

    #[test]
    fn who_leaves_and_comes_back_has_not_won_anything() {
        let users = Users::new(&Limits { user_events_burst: 1, ..Limits::default() });
        let user = UserId::from_bytes([1; 16]);
        users.enter(user, connection(1), 0);
        users.admit(user, None, 0).unwrap();
        users.leave(user, connection(1), 1);
        users.enter(user, connection(2), 2);
        assert_eq!(users.admit(user, None, 2), Err(498));
        users.leave(user, connection(2), 10_000);
        assert!(users.shard(user).lock().users.is_empty());
    }
}
