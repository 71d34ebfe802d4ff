//! What an operator may ask of a node: over the admin port (probes, metrics, log level) and, as orders of the command
//! line, over a Unix socket that only the node's own user can open.

pub mod client;
pub mod desk;
pub mod metrics;
pub mod order;
mod people;
pub mod port;
pub mod socket;

pub use desk::{Carry, Desk};
pub use order::{Answer, Order, Refused};
