//! A request is journaled once, however often and wherever it was sent.

use schema::Event;

use super::{Check, broken};
use crate::witness::Witness;

pub const NAME: &str = "cmid_once";

/// Before the event is taken.
pub fn check(witness: &Witness, event: &Event) -> Check {
    match witness.cmids.get(&(event.room, event.cmid)) {
        Some(seq) => broken(NAME, format!("{:?} is in {} at {seq} and at {}", event.cmid, event.room, event.seq)),
        None => Ok(()),
    }
}
