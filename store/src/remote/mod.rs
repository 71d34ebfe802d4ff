//! A store process for many nodes: one process serves its store (the embedded one, as a rule) over TCP, and every node has it
//! as its `Journal` and `Records`. So a cluster runs without a database; the store process is its single point of failure.
//!
//! ```text
//! client.rs   the traits ──▶ calls        call.rs    pure: between the traits' words and the wire's; what may be asked
//! core.rs     pure: what waits, what is under way, what becomes of it when the connection goes
//! line.rs     keeps one connection        greet.rs   version and shared secret   tls.rs   where it is not one machine
//! server.rs   any store ◀── calls         frame.rs, codec.rs   pure: what stands on the wire
//! ```
//!
//! Calls are pipelined and answered in any order: whoever needs one to be before another waits for its answer, as with every
//! backend. Two calls that were under way together may happen either way round, or late, and fencing is what makes that harmless.
//!
//! Invariant: a write that was sent and not answered is `Unknown`, never taken for one that failed, and never sent again from
//! here: who asked repeats it identically, and knows what its answer means then. A read is sent again, within its deadline.
//!
//! **Epochs.** The store process gives none. An owner's epoch is `grant << 16 | activation`, and the grant of a slot is in the
//! table of owners (`cluster::Ring::placement(slot).grant`): from the Raft log where there is a group. `Fenced::Stale { epoch }` of
//! an owner whose grant is the table's newest means that the data has seen higher ones (a rebuilt group, a restored backup): the
//! group raises that slot's grant above `epoch >> 16`. A node that is alone without a group takes `Journal::grant`, which is
//! unlike every other that a process ever had on this data (`grant.rs`).

mod call;
mod client;
mod codec;
mod core;
mod frame;
mod grant;
mod greet;
mod line;
mod metrics;
mod secret;
mod server;
#[cfg(test)]
mod tests;
mod tls;

pub use self::client::{Remote, RemoteConfig};
pub use self::codec::{Decoder, FrameError, encode};
pub use self::core::Limits;
pub use self::frame::{Answered, Call, Expected, Failure, FoundRow, Frame, NumberedBlock, Refusal, RowKey, RowWrite, Speaks, Welcome};
pub use self::secret::{SECRET_BYTES_MIN, Secret};
#[doc(hidden)]
pub use self::server::check;
pub use self::server::{Server, ServerConfig};
pub use self::tls::{Door, is_loopback};
