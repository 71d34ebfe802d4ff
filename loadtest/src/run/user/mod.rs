//! One virtual user: a device that does what the plan says, and watches everything that it is sent.

mod again;
mod core;
mod hear;
mod shell;
mod way;

pub use self::core::{Core, Moments};
pub use shell::{Shared, User};
