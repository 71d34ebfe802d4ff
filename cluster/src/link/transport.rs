//! The seam under the link: streams of bytes to nodes, and who the other side is. Everything above it is the same over TLS
//! and in a test's memory, down to every encoded byte.

use std::future::Future;
use std::io;

use tokio::io::{AsyncRead, AsyncWrite};

use crate::NodeId;

pub trait Transport: Send + Sync + 'static {
    type Stream: AsyncRead + AsyncWrite + Unpin + Send + 'static;
    type Incoming: Incoming<Stream = Self::Stream>;

    /// A stream to this very node. Errors: also when somebody else answers at the address.
    fn dial(&self, to: NodeId, address: &str) -> impl Future<Output = io::Result<Self::Stream>> + Send;

    /// The next one who dials us; not known yet, and quick.
    fn accept(&self) -> impl Future<Output = io::Result<Self::Incoming>> + Send;
}

/// Somebody who dialled.
pub trait Incoming: Send + 'static {
    type Stream;

    /// The stream, and who is at its other end. Errors: it is nobody of the group.
    fn open(self) -> impl Future<Output = io::Result<(NodeId, Self::Stream)>> + Send;
}
