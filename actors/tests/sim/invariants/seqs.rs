//! A room's seqs run from 1 without a gap or a double; ordinals count its messages; its times rise.

use schema::Event;

use super::{Check, broken};
use crate::witness::Witness;

pub const NAME: &str = "seqs";

/// Before the event is taken.
pub fn check(witness: &Witness, event: &Event) -> Check {
    let head = witness.head(event.room);
    if event.seq != head + 1 {
        return broken(NAME, format!("room {} has {head} events and the next is {}", event.room, event.seq));
    }
    let (ordinal, at) = witness.event(event.room, head).map_or((0, 0), |last| (last.ordinal, last.at));
    if event.ordinal != ordinal + u64::from(event.body.is_message()) {
        return broken(NAME, format!("ordinal {} follows {ordinal} at {} of {}", event.ordinal, event.seq, event.room));
    }
    if event.at <= at {
        return broken(NAME, format!("time {} follows {at} at {} of {}", event.at, event.seq, event.room));
    }
    Ok(())
}
