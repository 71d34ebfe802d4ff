//! Pure. What a device has of one room: contiguous from where it began, and what lies beyond a hole.
//!
//! Subscribe first, then fill the gap, then merge by seq. Keeps no messages, only how far it is and a chain of digests
//! over all it has, by which two devices that began at the same place can be compared.

use std::collections::BTreeMap;

use xxhash_rust::xxh3::xxh3_64;

use crate::history::Seen;

/// Events beyond a hole that are kept; above that they are dropped and come again by the fill.
const AHEAD_MAX: usize = 10_000;

#[derive(Clone, Debug, Default)]
pub struct RoomLog {
    have: u64,
    /// The highest seq that this device was told of.
    head: u64,
    chain: u64,
    ahead: BTreeMap<u64, Seen>,
    /// A page is under way.
    pub filling: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Offered {
    /// It was the next one.
    Next,
    /// The device had it.
    Double,
    /// It lies beyond a hole.
    Ahead,
}

impl RoomLog {
    /// Begins after `have`: what lies before is not this device's business.
    pub fn after(have: u64) -> Self {
        Self { have, head: have, ..Self::default() }
    }

    pub fn have(&self) -> u64 {
        self.have
    }
    pub fn head(&self) -> u64 {
        self.head
    }
    /// Equal on two devices that began at the same seq, have the same and saw the same.
    pub fn chain(&self) -> u64 {
        self.chain
    }
    pub fn is_whole(&self) -> bool {
        self.have >= self.head
    }

    pub fn told_of(&mut self, head: u64) {
        self.head = self.head.max(head);
    }

    pub fn offer(&mut self, seen: Seen) -> Offered {
        self.told_of(seen.seq);
        if seen.seq <= self.have {
            return Offered::Double;
        }
        if seen.seq > self.have + 1 {
            if self.ahead.len() < AHEAD_MAX {
                self.ahead.insert(seen.seq, seen);
            }
            return Offered::Ahead;
        }
        self.append(seen);
        while let Some(next) = self.ahead.remove(&(self.have + 1)) {
            self.append(next);
        }
        self.ahead = self.ahead.split_off(&(self.have + 1));
        Offered::Next
    }

    fn append(&mut self, seen: Seen) {
        self.have = seen.seq;
        let mut link = [0; 16];
        link[..8].copy_from_slice(&self.chain.to_be_bytes());
        link[8..].copy_from_slice(&seen.digest.to_be_bytes());
        self.chain = xxh3_64(&link);
    }

    /// The connection is gone: what lay beyond a hole comes again.
    pub fn lost(&mut self) {
        self.ahead.clear();
        self.filling = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use schema::{Cmid, UserId};

    fn seen(seq: u64) -> Seen {
        Seen { seq, cmid: Cmid::default(), user: UserId::default(), digest: seq * 31, erased: false }
    }

    #[test]
    fn events_beyond_a_hole_wait_for_the_fill() {
        let (mut holed, mut straight) = (RoomLog::default(), RoomLog::default());
        assert_eq!([1, 3, 4, 3, 1].map(|seq| holed.offer(seen(seq))), {
            use Offered::{Ahead, Double, Next};
            [Next, Ahead, Ahead, Ahead, Double]
        });
        assert_eq!((holed.have(), holed.head(), holed.is_whole()), (1, 4, false));
        holed.offer(seen(2));
        assert_eq!((holed.have(), holed.is_whole()), (4, true));
        (1..=4).for_each(|seq| assert_eq!(straight.offer(seen(seq)), Offered::Next));
        assert_eq!(holed.chain(), straight.chain());
    }

    #[test]
    fn another_order_or_body_is_another_chain() {
        let chain = |digests: [u64; 2]| {
            let mut log = RoomLog::default();
            for (index, digest) in digests.into_iter().enumerate() {
                log.offer(Seen { digest, ..seen(index as u64 + 1) });
            }
            log.chain()
        };
        assert_ne!(chain([5, 6]), chain([6, 5]));
        assert_ne!(chain([5, 6]), chain([5, 7]));
    }
}
