//! Who owns what: slots, and the table that says which node owns each. Keys are opaque; what a room is, is not known here.

pub mod ring;

pub use ring::{Kind, NodeId, Ring, Table, slot_of};
