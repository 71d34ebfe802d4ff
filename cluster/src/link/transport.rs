//! The seam under the link: streams of bytes to nodes, and who the other side is. Everything above it is the same over TLS
//! and in a test's memory, down to every encoded byte.

use std::future::Future;
use std::io;
use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncWrite};

use super::authority::Credentials;
use crate::NodeId;

pub trait Transport: Send + Sync + 'static {
    type Stream: AsyncRead + AsyncWrite + Unpin + Send + 'static;
    type Incoming: Incoming<Stream = Self::Stream>;

    /// A stream to this very node. Errors: also when somebody else answers at the address.
    fn dial(&self, to: NodeId, address: &str) -> impl Future<Output = io::Result<Self::Stream>> + Send;

    /// A stream to whoever is at the address, if it is of the group with this authority (SHA-256); we are nobody there.
    fn knock(&self, address: &str, authority: [u8; 32]) -> impl Future<Output = io::Result<Self::Stream>> + Send;

    /// The addresses, `host:port` again, behind one of which the name may stand for many (DNS, RFC 1035).
    fn resolve(&self, name: &str) -> impl Future<Output = io::Result<Vec<String>>> + Send;

    /// The next one who dials us; not known yet, and quick.
    fn accept(&self) -> impl Future<Output = io::Result<Self::Incoming>> + Send;

    /// From here on this is who we are, and whom we believe; before that nobody is dialled and nobody let in.
    fn appear(&self, node: NodeId, credentials: &Credentials, trust: Arc<Trust>) -> io::Result<()>;

    /// From here on connections are made with these; those that are open stay.
    fn replace(&self, credentials: &Credentials) -> io::Result<()>;
}

/// Whether the membership has this certificate (SHA-256) for the node.
pub type Trust = dyn Fn(NodeId, [u8; 32]) -> bool + Send + Sync;

/// Somebody who dialled.
pub trait Incoming: Send + 'static {
    type Stream;

    /// The stream, and who is at its other end; `None`: somebody who knocks. Errors: it is nobody of the group and pretends to be.
    fn open(self) -> impl Future<Output = io::Result<(Option<NodeId>, Self::Stream)>> + Send;
}
