//! What slots, rooms and sessions do: pure cores, thin ractor shells, the node's directory and subscribers.
//! Knows nothing of sockets, of HTTP, of database drivers or of how nodes find each other.

mod acquaintance;
mod admission;
pub mod config;
mod depart;
mod directory;
pub mod error;
mod greet;
mod metrics;
pub mod node;
pub mod outlet;
pub mod peer;
mod presence;
pub mod project;
pub mod read;
mod relay;
mod reply;
pub mod room;
pub mod session;
mod shared;
mod shed;
pub mod slot;
pub mod subscribers;
mod supervisor;

pub use config::Config;
pub use error::Error;
pub use node::{Among, Attach, Command, Load, NEW_ROOM, Node};
pub use read::{PageQuery, Pinned, View};
pub use reply::Reply;
pub use shared::now_ms;
pub use shed::Class;
