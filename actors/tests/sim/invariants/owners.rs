//! Nobody appends to a slot but whom the log gave it, by the grant by which it did.

use cluster::NodeId;
use schema::SlotId;

use super::{Check, broken};
use crate::witness::Witness;

pub const NAME: &str = "owners";

/// `node` 0: it is not known whose append it was, since it came late. Where nobody gives anything, nothing is checked.
pub fn check(witness: &Witness, slot: SlotId, epoch: u64, node: usize) -> Check {
    if witness.given.is_empty() {
        return Ok(());
    }
    match witness.given.get(&(slot, epoch >> 16)) {
        Some(NodeId(given)) if node == 0 || *given == node as u64 => Ok(()),
        given => broken(NAME, format!("node {node} appends to slot {} by {epoch:x}, which was given to {given:?}", slot.0)),
    }
}
