//! A node that hears nothing of its group asks the others where it stands, as somebody who knocks: who was removed is let in no other
//! way, and would wait for ever. Whoever answers also says who they are, so that those find each other again whose addresses changed.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::files::Files;
use super::join::{Reply, SEEDS_MAX, resolve};
use crate::link::{Transport, knock};
use crate::membership::Membership;
use crate::raft::{decode, encode};
use crate::ring::NodeId;
use crate::state::Standing;

/// Between two rounds; each asks an address once.
const ROUNDS: Duration = Duration::from_secs(1);

/// Of somebody who knows the group's number, which nobody else does.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    pub cluster: u128,
    pub node: NodeId,
}

#[derive(Serialize, Deserialize)]
pub struct Stands {
    /// Who answers.
    us: NodeId,
    /// Of who asks.
    standing: Standing,
}

impl Question {
    pub fn to_bytes(&self) -> Vec<u8> {
        encode(self)
    }
    /// The whole of what somebody sent whom nobody knows, and nothing else.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, crate::raft::Error> {
        decode(bytes)
    }

    /// `None`: it is of another group, and hears nothing of this one.
    pub fn answer(&self, membership: &Membership) -> Option<Stands> {
        let identity = membership.identity();
        let standing = || membership.standing(self.node);
        (self.cluster == identity.cluster).then(|| Stands { us: identity.node, standing: standing() })
    }
}

pub struct Asker<T> {
    pub transport: Arc<T>,
    pub membership: Membership,
    pub files: Files,
    /// SHA-256 of the certificate of the group's authority: whose answers are believed.
    pub authority: [u8; 32],
    /// Where others may be besides where the group has them.
    pub seeds: Vec<String>,
    pub address: String,
}

impl<T: Transport> Asker<T> {
    /// Ends when this node is out of its group, which is on disk then.
    pub async fn ask(self, removed: watch::Sender<bool>) {
        let us = self.membership.node();
        let (mut state, mut quorum) = (self.membership.watch(), self.membership.watch_quorum());
        loop {
            let mut is_removed = state.borrow_and_update().standing(us) == Standing::Removed;
            let is_lost = quorum.borrow_and_update().is_some();
            if !is_removed && is_lost {
                is_removed = self.round().await;
            }
            if is_removed {
                if let Err(error) = self.files.note_removed() {
                    tracing::warn!(%error, "that this node was removed is not on disk: it will ask again");
                }
                removed.send_replace(true);
                return;
            }
            tokio::select! {
                changed = state.changed() => if changed.is_err() { return },
                changed = quorum.changed() => if changed.is_err() { return },
                () = sleep(ROUNDS), if is_lost => {}
            }
        }
    }

    /// Whether one of those who answer knows that this node was removed.
    async fn round(&self) -> bool {
        let identity = self.membership.identity();
        let mut addresses: Vec<_> =
            self.membership.addresses().into_iter().filter(|(id, _)| *id != identity.node).map(|(_, at)| at).collect();
        addresses.extend(resolve(&*self.transport, &self.seeds, &self.address, &mut Vec::new()).await);
        addresses.sort();
        addresses.dedup();
        let question = Question { cluster: identity.cluster, node: identity.node }.to_bytes();
        let mut answers = JoinSet::new();
        for address in addresses.into_iter().take(SEEDS_MAX) {
            let (transport, question, authority) = (self.transport.clone(), question.clone(), self.authority);
            answers.spawn(async move { (knock(&*transport, &address, authority, question.into()).await, address) });
        }
        while let Some(answered) = answers.join_next().await {
            let Ok((Ok(answer), address)) = answered else { continue };
            let Ok(Reply::Stands(Stands { us, standing })) = decode(&answer) else { continue };
            if us != identity.node {
                self.membership.met(us, address);
            }
            if standing == Standing::Removed {
                return true;
            }
        }
        false
    }
}
