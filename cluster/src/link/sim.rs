//! A network in memory: the same bytes, and faults on demand. A direction that is cut swallows nothing and passes nothing on,
//! as TCP in a partition; a pair that is broken loses its connections and what was on the way.

use std::collections::{HashMap, HashSet};
use std::io;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, ReadHalf, WriteHalf};
use tokio::sync::{mpsc, watch};

use super::transport::{Incoming, Transport};
use crate::NodeId;

/// On the way in one direction of a connection.
const PIPE_BYTES: usize = 64 << 10;
const DIALS_MAX: usize = 64;

#[derive(Clone, Default)]
pub struct SimNet(Arc<Inner>);

#[derive(Default)]
struct Inner {
    doors: Mutex<HashMap<String, (NodeId, mpsc::Sender<SimIncoming>)>>,
    faults: watch::Sender<Faults>,
}

#[derive(Clone, Default)]
struct Faults {
    cut: HashSet<(NodeId, NodeId)>,
    /// How often each pair was broken; a connection lives as long as this stands.
    broken: HashMap<(NodeId, NodeId), u64>,
}

impl Faults {
    fn breaks(&self, a: NodeId, b: NodeId) -> u64 {
        self.broken.get(&(a.min(b), a.max(b))).copied().unwrap_or(0)
    }
}

pub struct SimTransport {
    net: SimNet,
    us: NodeId,
    dials: tokio::sync::Mutex<mpsc::Receiver<SimIncoming>>,
}

pub struct SimIncoming {
    from: NodeId,
    stream: DuplexStream,
}

impl SimNet {
    /// A node that can be dialled here; one that had the address before cannot any more.
    pub fn join(&self, node: NodeId, address: &str) -> SimTransport {
        let (door, dials) = mpsc::channel(DIALS_MAX);
        self.0.doors.lock().insert(address.to_owned(), (node, door));
        SimTransport { net: self.clone(), us: node, dials: tokio::sync::Mutex::new(dials) }
    }

    /// What goes from one to the other stays on the way until it is healed.
    pub fn cut(&self, from: NodeId, to: NodeId) {
        self.0.faults.send_modify(|faults| _ = faults.cut.insert((from, to)));
    }
    pub fn heal(&self, from: NodeId, to: NodeId) {
        self.0.faults.send_modify(|faults| _ = faults.cut.remove(&(from, to)));
    }
    /// Every connection between the two ends, with what was on the way.
    pub fn break_between(&self, a: NodeId, b: NodeId) {
        self.0.faults.send_modify(|faults| *faults.broken.entry((a.min(b), a.max(b))).or_default() += 1);
    }

    /// Bytes from one to the other until either hangs up or the connection is broken.
    async fn carry(self, from: NodeId, to: NodeId, mut read: ReadHalf<DuplexStream>, mut write: WriteHalf<DuplexStream>) {
        let mut faults = self.0.faults.subscribe();
        let breaks = faults.borrow().breaks(from, to);
        let mut broken = self.0.faults.subscribe();
        let pass = async {
            let mut bytes = vec![0; PIPE_BYTES];
            while let Ok(count @ 1..) = read.read(&mut bytes).await {
                let flows = faults.wait_for(|faults| !faults.cut.contains(&(from, to))).await.is_ok();
                if !flows || write.write_all(&bytes[..count]).await.is_err() {
                    break;
                }
            }
        };
        tokio::select! {
            () = pass => {}
            _ = broken.wait_for(|faults| faults.breaks(from, to) != breaks) => {}
        }
        let _ = write.shutdown().await;
    }
}

impl Transport for SimTransport {
    type Stream = DuplexStream;
    type Incoming = SimIncoming;

    async fn dial(&self, to: NodeId, address: &str) -> io::Result<DuplexStream> {
        let door = self.net.0.doors.lock().get(address).cloned();
        let (node, door) = door.ok_or(io::ErrorKind::ConnectionRefused)?;
        if node != to {
            return Err(io::Error::other("somebody else has this address"));
        }
        let mut faults = self.net.0.faults.subscribe();
        // A greeting takes both ways.
        let is_open = |faults: &Faults| !faults.cut.contains(&(self.us, to)) && !faults.cut.contains(&(to, self.us));
        let _ = faults.wait_for(is_open).await;
        let (ours, near) = tokio::io::duplex(PIPE_BYTES);
        let (far, theirs) = tokio::io::duplex(PIPE_BYTES);
        let ((near_read, near_write), (far_read, far_write)) = (tokio::io::split(near), tokio::io::split(far));
        tokio::spawn(self.net.clone().carry(self.us, to, near_read, far_write));
        tokio::spawn(self.net.clone().carry(to, self.us, far_read, near_write));
        let incoming = SimIncoming { from: self.us, stream: theirs };
        door.send(incoming).await.map_err(|_| io::ErrorKind::ConnectionRefused)?;
        Ok(ours)
    }

    async fn accept(&self) -> io::Result<SimIncoming> {
        self.dials.lock().await.recv().await.ok_or_else(|| io::ErrorKind::NotConnected.into())
    }
}

impl Incoming for SimIncoming {
    type Stream = DuplexStream;

    async fn open(self) -> io::Result<(NodeId, DuplexStream)> {
        Ok((self.from, self.stream))
    }
}
