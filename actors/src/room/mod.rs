//! A room: gives every event its number, exactly once, and decides who may do what.
//!
//! A room exists always, by its id; its actor lives while it is used. It wakes from what the slot's journal holds above
//! the watermark and from history, and is dropped without a word when the slot stops: everything that was shown is durable.
//! It shows nothing before the journal has it: *admitted is not applied*.

pub mod actor;
pub mod core;
mod exactly_once;
pub mod learn;
mod members;
mod recent;
mod rules;
pub mod wake;

pub use actor::{Request, RoomActor, RoomMessage};
pub use core::{Ask, Core, Effect, Fact, Input, Need, Outcome, State};
pub use members::Members;
