//! Every byte that outlives its writer: what clients and nodes say, what the journal holds, what is stored.
//! No async, no IO, no clock. A type that goes over a wire or to a disk is defined here, once.

pub mod block;
pub mod client;
pub mod code;
pub mod event;
pub mod fold;
pub mod id;
pub mod limits;
pub mod mention;
pub mod peer;
pub mod record;
pub mod rest;
pub mod server;
pub mod wire;

pub use client::ClientEvent;
pub use code::{CloseCode, ErrorCode};
pub use event::{Event, EventBody, Role, RoomKind, RoomSettings};
pub use id::{Cmid, ConnectionId, DeviceId, InstallationId, InviteId, LoginId, RoomId, SlotId, UserId};
pub use server::ServerEvent;
