//! A session: one user over all their devices. Knows their rooms, how far they have read, their drafts and mentions, and
//! decides how others see them. Messages do not pass through it.
//!
//! It sleeps soon: an idle user is parked connections, and a `Parked` if they chose how to be seen. Signing on does not
//! wake it.

pub mod actor;
mod connections;
pub mod core;
mod load;
mod markers;
pub mod owed;
mod presence;
mod rooms;

pub use actor::{SessionActor, SessionMessage};
pub use core::{Attachment, Parked};
pub use load::load;
