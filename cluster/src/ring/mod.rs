//! The consistent-hash ring: an id's slot never changes, a slot's owner does.

mod outgrown;
mod slot;
mod table;

pub use outgrown::Outgrown;
pub use slot::{Kind, slot_of};
pub use table::{NodeId, Placement, Ring, Table};
