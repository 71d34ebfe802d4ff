//! A session: one user over all their devices. Knows their rooms, how far they have read, their drafts and mentions, and
//! decides how others see them. Messages do not pass through it.
//!
//! It sleeps soon: an idle user is parked connections and a `Parked` of some hundred bytes.

pub mod actor;
pub mod core;
mod load;
mod markers;
mod presence;

pub use actor::{SessionActor, SessionMessage};
pub use core::{Attachment, Parked};
