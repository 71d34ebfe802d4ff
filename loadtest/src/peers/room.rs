//! Pure. One room as the loop counts it: which posts are under way, and which are over because every member has them.

use super::MEMBERS;

pub const UNDER_WAY_MAX: usize = 64;

#[derive(Debug)]
pub struct Room {
    pub posted: u64,
    /// Posts up to this one are with every member.
    pub over: u64,
    /// How many members have a post, by its number modulo the most that may be under way.
    having: [usize; UNDER_WAY_MAX],
}

impl Default for Room {
    fn default() -> Self {
        Self { posted: 0, over: 0, having: [0; UNDER_WAY_MAX] }
    }
}

impl Room {
    pub fn under_way(&self) -> usize {
        (self.posted - self.over) as usize
    }

    /// One more member has a post. False: nobody posted that, or everybody has it already.
    #[must_use]
    pub fn delivered(&mut self, number: u64) -> bool {
        if number <= self.over || number > self.posted {
            return false;
        }
        self.having[number as usize % UNDER_WAY_MAX] += 1;
        while self.over < self.posted && self.having[(self.over + 1) as usize % UNDER_WAY_MAX] == MEMBERS {
            self.over += 1;
            self.having[self.over as usize % UNDER_WAY_MAX] = 0;
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_post_is_over_when_every_member_has_it_and_not_before() {
        let mut room = Room { posted: 2, ..Room::default() };
        for _ in 0..MEMBERS {
            assert!(room.delivered(2));
        }
        assert_eq!((room.over, room.under_way()), (0, 2));
        for _ in 1..MEMBERS {
            assert!(room.delivered(1));
        }
        assert_eq!(room.over, 0);
        assert!(room.delivered(1));
        assert_eq!((room.over, room.under_way()), (2, 0));
    }

    #[test]
    fn what_nobody_posted_or_all_have_is_refused() {
        let mut room = Room { posted: 1, ..Room::default() };
        assert!(!room.delivered(2));
        assert!(!room.delivered(0));
        (0..MEMBERS).for_each(|_| assert!(room.delivered(1)));
        assert!(!room.delivered(1));
    }
}
