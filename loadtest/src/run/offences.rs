//! Pure. Broken promises: all are counted, the first of each kind are kept with their sentences.

use schema::RoomId;
use serde::{Deserialize, Serialize};

use crate::report::{Offence, Offending};

/// Of each kind.
const KEPT_MAX: usize = 20;

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Offences {
    pub kept: Vec<Offence>,
    counts: [u64; 5],
}

impl Offences {
    pub fn add(&mut self, kind: Offending, room: RoomId, seq: Option<u64>, what: String) {
        self.counts[kind as usize] += 1;
        if self.counts[kind as usize] <= KEPT_MAX as u64 {
            self.kept.push(Offence { kind, room: room.to_string(), seq, what });
        }
    }

    pub fn count(&self, kind: Offending) -> u64 {
        self.counts[kind as usize]
    }
    /// Of all kinds.
    pub fn total(&self) -> u64 {
        self.counts.iter().sum()
    }
    #[cfg(test)]
    pub fn is_empty(&self) -> bool {
        self.total() == 0
    }

    pub fn merge(&mut self, other: Self) {
        self.kept.extend(other.kept);
        self.counts.iter_mut().zip(other.counts).for_each(|(own, other)| *own += other);
    }
}
