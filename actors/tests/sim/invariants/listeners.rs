//! Whoever listens gets a room's events without a gap, and the same ones as everybody: those of the journal.

use schema::{Event, EventBody};

use super::{Check, broken};
use crate::witness::Witness;

pub const NAME: &str = "listeners";

/// `last`: what the listener has. Events it has already are no news.
pub fn check(witness: &Witness, last: u64, event: &Event) -> Check {
    if event.seq != last + 1 {
        return broken(NAME, format!("a listener of {} has {last} and is shown {}", event.room, event.seq));
    }
    match witness.event(event.room, event.seq) {
        Some(journaled) if **journaled == *event => Ok(()),
        Some(journaled) if event.body == EventBody::Erased && journaled.cmid == event.cmid => Ok(()),
        other => broken(NAME, format!("a listener is shown {event:?} where the journal has {other:?}")),
    }
}
