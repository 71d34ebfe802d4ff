//! What a node that is short of memory does not serve for now: the least important first. Acks and resumes always go on.
//! Decides nothing: who watches the memory says how far it has to go.

use std::sync::atomic::{AtomicU8, Ordering};

use schema::ErrorCode;

use crate::error::Refused;
use crate::metrics::metrics;

/// Kinds of requests, the first to go first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// Who is here, who types, signals.
    Presence,
    /// Pages, hashes, lists of people.
    History,
    /// Everything that has an order in a room.
    Send,
}

impl Class {
    pub const ALL: [Class; 3] = [Self::Presence, Self::History, Self::Send];
}

/// How many classes are not served.
#[derive(Debug, Default)]
pub struct Shed(AtomicU8);

impl Shed {
    pub fn set(&self, classes: u8) {
        self.0.store(classes, Ordering::Relaxed);
    }

    /// Errors: `busy` while requests of this class are not served.
    pub fn check(&self, class: Class) -> Result<(), Refused> {
        if class as u8 >= self.0.load(Ordering::Relaxed) {
            return Ok(());
        }
        metrics().shed(class).increment(1);
        Err(Refused { code: ErrorCode::Busy, why: "the node is short of memory: resend later" })
    }
}
