//! Everything at or below a slot's watermark is in history; after a power cut too.

use schema::SlotId;
use store::sim::SimCore;

use super::{Check, broken, in_history};
use crate::witness::Witness;

pub const NAME: &str = "watermark";

/// Looks at the blocks after `known`.
pub fn check(witness: &Witness, core: &SimCore, slot: SlotId, known: u64) -> Check {
    let journaled = &witness.slots[&slot];
    if journaled.watermark > journaled.blocks.len() as u64 {
        return broken(NAME, format!("slot {} has its watermark at {} of {}", slot.0, journaled.watermark, journaled.blocks.len()));
    }
    let below = &journaled.blocks[known as usize..journaled.watermark as usize];
    match below.iter().flat_map(|(_, events)| events).find(|event| !in_history(core, event)) {
        Some(event) => broken(NAME, format!("{} of {} is below watermark {}", event.seq, event.room, journaled.watermark)),
        None => Ok(()),
    }
}
