//! Nothing is journaled that nobody asked for.

use schema::Event;

use super::{Check, broken};
use crate::witness::Witness;

pub const NAME: &str = "phantoms";

/// Where nobody's requests are known, nothing is checked.
pub fn check(witness: &Witness, event: &Event) -> Check {
    if witness.asked.is_empty() || witness.asked.contains(&event.cmid) {
        return Ok(());
    }
    broken(NAME, format!("{} of {} is {:?}, which nobody asked for", event.seq, event.room, event.cmid))
}
