//! Nothing is trimmed that history lacks, and the watermark never lies below what is gone.

use schema::SlotId;
use store::sim::SimCore;

use super::{Check, broken, in_history};
use crate::witness::Witness;

pub const NAME: &str = "trimmed";

pub fn check(witness: &Witness, core: &SimCore, slot: SlotId) -> Check {
    let journaled = &witness.slots[&slot];
    let gone = &journaled.blocks[..journaled.trimmed as usize];
    if let Some(event) = gone.iter().flat_map(|(_, events)| events).find(|event| !in_history(core, event)) {
        return broken(NAME, format!("{} of {} was trimmed and is not in history", event.seq, event.room));
    }
    if journaled.watermark < journaled.trimmed {
        return broken(NAME, format!("slot {} is trimmed to {} with its watermark at {}", slot.0, journaled.trimmed, journaled.watermark));
    }
    Ok(())
}
