//! The node link: what nodes say to each other. Each node dials every other one, once a lane; the one who dialled says and
//! asks, the one who was dialled answers. What is said is opaque here.
//!
//! ```text
//! peer (dials)  ── say, ask ──▶  listener (is dialled)       outbound.rs, inbound.rs   pure: order, bounds, credit, deadlines
//!               ◀── answer, credit ──                        frame.rs, codec.rs        pure: what stands on the wire
//! mesh (all peers of a lane)    lanes (who is above each)    transport.rs              the seam: tcp.rs (mutual TLS), sim.rs
//! ```
//!
//! Invariant: what was said on one connection is heard in order and without a gap, or the connection is over and both sides are
//! told: a session is the unit of what may be relied on. Nothing is carried over into the next one: whoever said it says it
//! again, from what they know to be true by then. That is also what is done with too much: a reset, and not a queue without end.

mod authority;
mod codec;
mod frame;
mod inbound;
mod knock;
mod lanes;
mod listener;
mod mesh;
mod metrics;
mod outbound;
mod peer;
mod sim;
mod tcp;
mod tls;
mod transport;

pub use authority::{Authority, AuthorityError, Credentials, NODE_LASTS, Request, fingerprint};
pub use codec::{Decoder, FrameError, encode};
pub use frame::{Answered, Frame, Hello, Lane, Refusal, Speaks, Welcome};
pub use inbound::{Heard, Inbound};
pub use knock::{Knock, knock};
pub use lanes::Lanes;
pub use listener::{Asked, Listener, Receive, Said, Whence};
pub use mesh::Mesh;
pub use outbound::{AskError, Limits, Outbound, SayError};
pub use peer::{Line, Meet, Peer, Status};
pub use sim::{SimNet, SimTransport};
pub use tcp::TcpTransport;
pub use transport::{Incoming, Transport, Trust};
