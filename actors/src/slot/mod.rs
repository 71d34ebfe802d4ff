//! A slot: one journal, one writer at a time, and the rooms that are awake in it.
//!
//! States: reading the watermark → fencing → replaying the tail → serving → stopped. A stopped activation is replaced by a
//! fresh one with a higher epoch, unless a higher epoch owns the slot. Rooms and everything unapplied go with it.

mod above;
pub mod actor;
mod block;
pub mod core;
mod tail;

pub use above::Above;
pub use actor::{SlotActor, SlotMessage};
pub use block::weight;
pub use tail::{Change, Memberships, Tail};
