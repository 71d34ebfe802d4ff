//! All nodes as they are reached from here, on one lane: follows who is in the group, and what is said finds its way by the
//! node's id. Nothing is kept for a node that is away: [`Meet`] tells when to begin anew with it.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use parking_lot::RwLock;
use tokio::runtime::Handle;
use tokio::sync::watch;

use super::frame::Lane;
use super::outbound::{AskError, Limits, SayError};
use super::peer::{Line, Meet, Peer, Status, Turn};
use super::transport::Transport;
use crate::NodeId;

pub struct Mesh {
    us: NodeId,
    lane: Lane,
    /// Knows the transport, so that nobody else has to.
    dial: Box<dyn Fn(Line, Turn) -> Peer + Send + Sync>,
    runtime: Handle,
    reached: RwLock<Reached>,
}

#[derive(Default)]
struct Reached {
    peers: HashMap<NodeId, Dialled>,
    /// By node: whoever is dialled anew waits until the one before has hung up. Those of nodes that are gone go when nobody waits.
    turns: HashMap<NodeId, Turn>,
    table: u64,
}

struct Dialled {
    address: String,
    peer: Peer,
}

impl Mesh {
    /// Dials nobody before it follows somebody. Connections live on the runtime it is made on, wherever it is called from later.
    pub fn new<T: Transport>(transport: Arc<T>, us: NodeId, lane: Lane, limits: Limits, meet: Arc<dyn Meet>) -> Self {
        let dial = move |line, turn| Peer::meet(transport.clone(), line, limits, meet.clone(), turn);
        Self { us, lane, dial: Box::new(dial), runtime: Handle::current(), reached: RwLock::default() }
    }

    /// Dials who is new or has another address, hangs up on who is gone, and leaves all others as they are. Never dials ourselves.
    pub fn follow(&self, addresses: &BTreeMap<NodeId, String>) {
        let _on = self.runtime.enter();
        let mut reached = self.reached.write();
        let Reached { peers, turns, table } = &mut *reached;
        peers.retain(|node, dialled| addresses.get(node) == Some(&dialled.address));
        turns.retain(|node, turn| addresses.contains_key(node) || Arc::strong_count(turn) > 1);
        for (node, address) in addresses.iter().filter(|(node, _)| **node != self.us) {
            peers.entry(*node).or_insert_with(|| {
                let line = Line { us: self.us, them: *node, address: address.clone(), lane: self.lane };
                let peer = (self.dial)(line, turns.entry(*node).or_default().clone());
                peer.knows_table(*table);
                Dialled { address: address.clone(), peer }
            });
        }
    }

    /// In order behind what was said to this node before. Errors: it was not and will not be heard; a node that is not followed is away.
    pub fn say(&self, to: NodeId, body: Bytes) -> Result<(), SayError> {
        self.reached.read().peers.get(&to).map_or(Err(SayError::Away), |dialled| dialled.peer.say(body))
    }

    /// Sent before it returns to be awaited, in order with what is said. Errors: at once, if the node is away or is not followed.
    pub fn ask(&self, to: NodeId, body: Bytes, within: Duration) -> impl Future<Output = Result<Bytes, AskError>> + Send + use<> {
        let asked = self.reached.read().peers.get(&to).map(|dialled| dialled.peer.ask(body, within));
        async move {
            match asked {
                Some(answered) => answered.await,
                None => Err(AskError::Away),
            }
        }
    }

    /// The newest slot table that is known here: stands on everything that is said from now on, to nodes that follow later too.
    pub fn knows_table(&self, version: u64) {
        let mut reached = self.reached.write();
        reached.table = reached.table.max(version);
        reached.peers.values().for_each(|dialled| dialled.peer.knows_table(reached.table));
    }

    /// `None`: it is not followed. What is seen here may be newer than what [`Meet`] was told.
    pub fn status(&self, of: NodeId) -> Option<watch::Receiver<Status>> {
        self.reached.read().peers.get(&of).map(|dialled| dialled.peer.status())
    }

    /// Those that can be spoken to now.
    pub fn up(&self) -> Vec<NodeId> {
        let reached = self.reached.read();
        reached.peers.iter().filter(|(_, dialled)| *dialled.peer.status().borrow() != Status::Away).map(|(node, _)| *node).collect()
    }
}
