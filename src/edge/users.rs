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
    connections: Connections,
}

/// Most users have one: it needs no memory of its own.
#[derive(Debug, Default)]
enum Connections {
    #[default]
    None,
    One(Active),
    /// Invariant: two or more. (A box, so that a user stays small.)
    #[allow(clippy::box_collection)]
    Many(Box<Vec<Active>>),
}

#[derive(Clone, Copy, Debug)]
struct Active {
    connection: ConnectionId,
    /// The second of its last event.
    at: u32,
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
        let mut connections = entry.connections.take();
        let idlest = connections.iter().enumerate().min_by_key(|(_, active)| active.at).map(|(place, _)| place);
        let replaced = idlest.filter(|_| connections.len() >= self.connections_max).map(|place| connections.remove(place).connection);
        connections.push(Active { connection, at: (now_ms / 1000) as u32 });
        entry.connections = Connections::of(connections);
        shard.sweep(now_ms);
        replaced
    }

    pub fn leave(&self, user: UserId, connection: ConnectionId, now_ms: u64) {
        let mut shard = self.shard(user).lock();
        let Some(entry) = shard.users.get_mut(&user) else { return };
        let mut connections = entry.connections.take();
        connections.retain(|active| active.connection != connection);
        entry.connections = Connections::of(connections);
        if entry.is_forgotten(now_ms) {
            shard.users.remove(&user);
            shard.shrink();
        }
    }

    /// Admits one event, or says in how many milliseconds to come again. `connection` counts as active; none: by REST.
    pub fn admit(&self, user: UserId, connection: Option<ConnectionId>, now_ms: u64) -> Result<(), u32> {
        let mut shard = self.shard(user).lock();
        let entry = shard.users.entry(user).or_default();
        if let Some(active) = entry.connections.as_mut_slice().iter_mut().find(|active| Some(active.connection) == connection) {
            active.at = (now_ms / 1000) as u32;
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
            self.shrink();
        }
    }

    /// After a rush the table does not keep its size.
    fn shrink(&mut self) {
        if self.users.capacity() > 64 && self.users.len() * 4 < self.users.capacity() {
            self.users.shrink_to(self.users.len() * 2);
        }
    }
}

impl Connections {
    fn of(mut connections: Vec<Active>) -> Self {
        match *connections {
            [] => Self::None,
            [one] => Self::One(one),
            _ => {
                connections.shrink_to_fit();
                Self::Many(Box::new(connections))
            }
        }
    }
    fn take(&mut self) -> Vec<Active> {
        match std::mem::take(self) {
            Self::None => Vec::new(),
            Self::One(one) => vec![one],
            Self::Many(many) => *many,
        }
    }
    fn as_mut_slice(&mut self) -> &mut [Active] {
        match self {
            Self::None => &mut [],
            Self::One(one) => std::slice::from_mut(one),
            Self::Many(many) => many,
        }
    }
    fn is_empty(&self) -> bool {
        matches!(self, Self::None)
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
    fn a_user_takes_forty_bytes_of_the_table_and_a_table_that_emptied_is_small_again() {
        assert_eq!(size_of::<(UserId, User)>(), 40);
        let users = Users::new(&Limits::default());
        let many: Vec<UserId> = (0..2_000u32).map(|n| UserId::from_bytes(u128::from(n).to_be_bytes())).collect();
        let capacity = |users: &Users| users.shards.iter().map(|shard| shard.lock().users.capacity()).sum::<usize>();
        assert!(many.iter().all(|user| users.enter(*user, connection(1), 0).is_none()));
        assert!(capacity(&users) >= 2_000);
        many.iter().for_each(|user| users.leave(*user, connection(1), 1));
        assert!(capacity(&users) <= SHARDS * 64, "{}", capacity(&users));
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
