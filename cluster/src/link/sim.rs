//! A network in memory: the same bytes, and faults on demand. A direction that is cut swallows nothing and passes nothing on,
//! as TCP in a partition; a pair that is broken loses its connections and what was on the way.

use std::collections::{HashMap, HashSet};
use std::io;
use std::sync::{Arc, OnceLock};

use parking_lot::Mutex;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, ReadHalf, WriteHalf};
use tokio::sync::{mpsc, watch};

use super::authority::Credentials;
use super::transport::{Incoming, Transport, Trust};
use crate::NodeId;

/// On the way in one direction of a connection.
const PIPE_BYTES: usize = 64 << 10;
const DIALS_MAX: usize = 64;
/// Whoever knocks is nobody yet: no cut is about them.
const NOBODY: NodeId = NodeId(0);

#[derive(Clone, Default)]
pub struct SimNet(Arc<Inner>);

#[derive(Default)]
struct Inner {
    doors: Mutex<HashMap<String, Door>>,
    names: Mutex<HashMap<String, Vec<String>>>,
    faults: watch::Sender<Faults>,
}

#[derive(Clone)]
struct Door {
    node: Who,
    dials: mpsc::Sender<SimIncoming>,
}

/// Who a transport is; nobody yet, before it appears.
type Who = Arc<OnceLock<(NodeId, Mutex<[u8; 32]>, Arc<Trust>)>>;

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
    us: Who,
    dials: tokio::sync::Mutex<mpsc::Receiver<SimIncoming>>,
}

pub struct SimIncoming {
    /// With the certificate it shows; `None`: it knocks.
    from: Option<(NodeId, [u8; 32])>,
    to: Who,
    stream: DuplexStream,
}

impl SimNet {
    /// A node that can be dialled here; one that had the address before cannot any more.
    pub fn join(&self, node: NodeId, address: &str) -> SimTransport {
        let transport = self.open(address);
        drop(transport.us.set((node, Mutex::default(), Arc::new(|_, _| true))));
        transport
    }
    /// Of somebody who is no node yet.
    pub fn open(&self, address: &str) -> SimTransport {
        let (dials, dialled) = mpsc::channel(DIALS_MAX);
        let us = Who::default();
        self.0.doors.lock().insert(address.to_owned(), Door { node: us.clone(), dials });
        SimTransport { net: self.clone(), us, dials: tokio::sync::Mutex::new(dialled) }
    }

    /// From now on this name stands for these addresses.
    pub fn name(&self, name: &str, addresses: &[&str]) {
        self.0.names.lock().insert(name.to_owned(), addresses.iter().map(|address| (*address).to_owned()).collect());
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

    fn door(&self, address: &str) -> io::Result<Door> {
        self.0.doors.lock().get(address).cloned().ok_or_else(|| io::ErrorKind::ConnectionRefused.into())
    }

    async fn connect(&self, door: Door, us: NodeId, to: NodeId, from: Option<(NodeId, [u8; 32])>) -> io::Result<DuplexStream> {
        let mut faults = self.0.faults.subscribe();
        // A greeting takes both ways.
        let is_open = |faults: &Faults| !faults.cut.contains(&(us, to)) && !faults.cut.contains(&(to, us));
        let _ = faults.wait_for(is_open).await;
        let (ours, near) = tokio::io::duplex(PIPE_BYTES);
        let (far, theirs) = tokio::io::duplex(PIPE_BYTES);
        let ((near_read, near_write), (far_read, far_write)) = (tokio::io::split(near), tokio::io::split(far));
        tokio::spawn(self.clone().carry(us, to, near_read, far_write));
        tokio::spawn(self.clone().carry(to, us, far_read, near_write));
        let incoming = SimIncoming { from, to: door.node, stream: theirs };
        door.dials.send(incoming).await.map_err(|_| io::ErrorKind::ConnectionRefused)?;
        Ok(ours)
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
        let (us, shown, trust) = self.us.get().ok_or(io::ErrorKind::NotConnected)?;
        let shown = *shown.lock();
        let door = self.net.door(address)?;
        if !door.node.get().is_some_and(|(node, fingerprint, _)| *node == to && trust(to, *fingerprint.lock())) {
            return Err(io::Error::other("somebody else has this address"));
        }
        self.net.connect(door, *us, to, Some((*us, shown))).await
    }

    async fn knock(&self, address: &str, _authority: [u8; 32]) -> io::Result<DuplexStream> {
        let door = self.net.door(address)?;
        let to = door.node.get().ok_or(io::ErrorKind::ConnectionRefused)?.0;
        self.net.connect(door, NOBODY, to, None).await
    }

    /// A name stands for itself, or for all that it was given to (`SimNet::name`).
    async fn resolve(&self, name: &str) -> io::Result<Vec<String>> {
        let names = self.net.0.names.lock();
        Ok(names.get(name).cloned().unwrap_or_else(|| vec![name.to_owned()]))
    }

    async fn accept(&self) -> io::Result<SimIncoming> {
        self.dials.lock().await.recv().await.ok_or_else(|| io::ErrorKind::NotConnected.into())
    }

    fn appear(&self, node: NodeId, credentials: &Credentials, trust: Arc<Trust>) -> io::Result<()> {
        let shown = Mutex::new(credentials.fingerprint());
        self.us.set((node, shown, trust)).map_err(|_| io::Error::other("it has appeared before"))
    }

    fn replace(&self, credentials: &Credentials) -> io::Result<()> {
        *self.us.get().ok_or(io::ErrorKind::NotConnected)?.1.lock() = credentials.fingerprint();
        Ok(())
    }
}

impl Incoming for SimIncoming {
    type Stream = DuplexStream;

    async fn open(self) -> io::Result<(Option<NodeId>, DuplexStream)> {
        let Some((node, fingerprint)) = self.from else { return Ok((None, self.stream)) };
        match self.to.get() {
            Some((_, _, trust)) if trust(node, fingerprint) => Ok((Some(node), self.stream)),
            _ => Err(io::ErrorKind::PermissionDenied.into()),
        }
    }
}
