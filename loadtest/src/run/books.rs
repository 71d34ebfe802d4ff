//! Pure. What all users of one worker share: the rooms' numbers and contents, times, counts.

use std::collections::HashMap;

use schema::RoomId;
use serde::{Deserialize, Serialize};

use super::joined::Joined;
use super::ledger::Ledger;
use crate::measure::Tally;

#[derive(Debug)]
pub struct Books {
    pub rooms: HashMap<RoomId, u32>,
    pub ledger: Ledger,
    pub tally: Tally,
    pub counts: Counts,
    pub joined: Joined,
}

/// Of a whole run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Ordered requests that were given to connections, and how they ended.
    pub asked: u64,
    pub acked: u64,
    pub refused: u64,
    /// Events that came to a device by a page first.
    pub paged: u64,
}

impl Counts {
    pub fn merge(&mut self, other: Self) {
        self.asked += other.asked;
        self.acked += other.acked;
        self.refused += other.refused;
        self.paged += other.paged;
    }
}

impl Books {
    /// Rooms by number, each with the head that it had before the run.
    pub fn of(rooms: &[(RoomId, u64)], entries_max: usize) -> Self {
        let numbers = rooms.iter().enumerate().map(|(number, (room, _))| (*room, number as u32)).collect();
        Self {
            rooms: numbers,
            ledger: Ledger::new(rooms, entries_max),
            tally: Tally::default(),
            counts: Counts::default(),
            joined: Joined::default(),
        }
    }
}
