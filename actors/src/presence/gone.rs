//! Pure. Who closed their last connection while their session slept, and since when: nobody wakes it only to wait until they are
//! to be seen as offline. Who comes back in time is taken out; whoever knows more than this is the session, once it is awake.

use std::collections::{BTreeSet, HashMap};

use schema::UserId;

#[derive(Debug, Default)]
pub struct Gone {
    since: HashMap<UserId, u64>,
    /// Invariant: the same, longest first.
    order: BTreeSet<(u64, UserId)>,
}

impl Gone {
    pub fn went(&mut self, user: UserId, now_ms: u64) {
        self.forget(user);
        self.since.insert(user, now_ms);
        self.order.insert((now_ms, user));
    }
    pub fn forget(&mut self, user: UserId) {
        if let Some(since) = self.since.remove(&user) {
            self.order.remove(&(since, user));
            crate::directory::let_go(&mut self.since);
        }
    }
    pub fn since(&self, user: UserId) -> Option<u64> {
        self.since.get(&user).copied()
    }
    /// Those who have been away for so long.
    pub fn due(&self, now_ms: u64, after_ms: u64) -> Vec<UserId> {
        self.order.iter().take_while(|(since, _)| since + after_ms <= now_ms).map(|(_, user)| *user).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(n: u8) -> UserId {
        UserId::from_bytes([n; 16])
    }

    #[test]
    fn who_went_is_due_after_a_while_and_not_if_they_came_back_or_went_again() {
        let mut gone = Gone::default();
        [1, 2, 3].into_iter().for_each(|n| gone.went(user(n), 1_000));
        gone.forget(user(2));
        gone.went(user(3), 5_000);
        assert_eq!((gone.since(user(2)), gone.since(user(3))), (None, Some(5_000)));
        assert!(gone.due(20_999, 20_000).is_empty());
        assert_eq!(gone.due(21_000, 20_000), [user(1)]);
        assert_eq!(gone.due(25_000, 20_000), [user(1), user(3)]);
    }

    #[test]
    fn nothing_is_left_of_those_who_are_forgotten() {
        let mut gone = Gone::default();
        (0..=255).for_each(|n| gone.went(user(n), u64::from(n)));
        (0..=255).for_each(|n| gone.forget(user(n)));
        assert!(gone.since.is_empty() && gone.order.is_empty() && gone.since.capacity() < 256);
    }
}
