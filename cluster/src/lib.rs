//! Who is alive, and who owns what: the state that a group of nodes agrees on, the plan that says what should change in it, and the
//! ring that hot paths read. Keys are opaque; what a room is, is not known here.

pub mod detector;
pub mod link;
pub mod member;
pub mod membership;
pub mod plan;
mod raft;
pub mod ring;
pub mod state;

pub use member::Member;
pub use membership::Membership;
pub use ring::{Kind, NodeId, Placement, Ring, Table, slot_of};
pub use state::{Command, Node, Outcome, Refusal, Spec, Standing, State, Status};
