//! An ack names what the journal holds, from the moment it is given, for ever: this cmid, at this seq.

use schema::{Cmid, RoomId};

use super::{Check, broken};
use crate::witness::Witness;

pub const NAME: &str = "acked";

pub fn check(witness: &Witness, room: RoomId, cmid: Cmid, seq: u64) -> Check {
    if let Some(before) = witness.acks.get(&(room, cmid)).filter(|before| **before != seq) {
        return broken(NAME, format!("{cmid:?} was acknowledged at {before} and at {seq}"));
    }
    match witness.event(room, seq) {
        Some(event) if event.cmid == cmid => Ok(()),
        Some(other) => broken(NAME, format!("{cmid:?} was acknowledged at {seq} of {room}, where {:?} is", other.cmid)),
        None => broken(NAME, format!("{cmid:?} was acknowledged at {seq} of {room}, where the journal has nothing")),
    }
}
