//! Connections: from `accept` through the handshake to a lot, where a socket lives without a task of its own.
//!
//! Knows frames, formats and bounds. Knows nothing of rooms' rules, of who may do what, or of storage: whole requests
//! go up through one closure, and what to send comes down through `actors::outlet`.

mod accept;
mod addresses;
mod certificates;
pub mod decode;
pub mod frame;
pub mod handshake;
pub mod heartbeat;
mod lot;
mod lots;
mod metrics;
mod origin;
pub mod outbox;
pub mod parser;
mod rate;
mod refuse;
mod rooms;
mod slab;
pub mod tls;
mod tls_stream;
mod users;

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::Arc;

use schema::client::{ClientEvent, Hello};
use schema::wire::Format;
use schema::{ConnectionId, RoomId, UserId};

pub use accept::{Door, Secure};
pub use addresses::Addresses;
pub use certificates::{Certificates, Error as CertificateError};
pub use lots::{Lots, Prepared, Voice};
pub use origin::Origins;
pub use users::Users;

/// What a lot says to the actors. Every `Hello` is answered by `Down::Greet` or `Down::Close`, every event with an id by
/// exactly one answer.
#[derive(Debug)]
pub enum Up {
    Hello {
        connection: ConnectionId,
        format: Format,
        address: IpAddr,
        hello: Hello,
    },
    Event {
        connection: ConnectionId,
        user: UserId,
        format: Format,
        event: ClientEvent,
    },
    /// The lot has `count` connections fewer in the room than it was sent `Join`s for.
    Left {
        room: RoomId,
        lot: u16,
        count: u32,
    },
    /// Said once for every `Hello`. `user` is known after the greeting; once more if a greeting comes for a connection that has gone.
    Closed {
        connection: ConnectionId,
        user: Option<UserId>,
    },
}

/// Takes all that a lot said since the last time, in order. Called on a lot's thread: does not block.
pub type UpFn = Arc<dyn Fn(&mut VecDeque<Up>) + Send + Sync>;
