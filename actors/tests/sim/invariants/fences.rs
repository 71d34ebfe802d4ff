//! Once an owner was told that a slot is its own, nobody with a lower epoch appends to it.

use schema::SlotId;

use super::{Check, broken};
use crate::witness::Witness;

pub const NAME: &str = "fences";

pub fn check(witness: &Witness, slot: SlotId, epoch: u64) -> Check {
    match witness.slots.get(&slot).map(|slot| slot.fenced) {
        Some(fenced) if epoch < fenced => broken(NAME, format!("slot {} was fenced by {fenced:x} and {epoch:x} appended", slot.0)),
        _ => Ok(()),
    }
}
