//! Where each virtual user connects to and from. Nodes that share nothing have their own accounts each; in a group anybody
//! may go anywhere, and goes elsewhere when a node does not take them.

use std::net::SocketAddr;

use anyhow::Result;
use serde::{Deserialize, Serialize};

use crate::client::{Target, Tls, Trust};
use crate::people::source;
use crate::plan::Crowd;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Places {
    /// At least one.
    pub nodes: Vec<SocketAddr>,
    /// They are one group.
    pub together: bool,
    /// The first of the loopback addresses that connections come from; none: the machine's own.
    pub sources: Option<u32>,
    /// Whom to believe; none: without TLS.
    pub trust: Option<Trust>,
}

/// Places that connections can be made to.
#[derive(Clone, Debug)]
pub struct Open {
    places: Places,
    tls: Option<&'static Tls>,
}

impl Places {
    /// Errors: certificates that cannot be used.
    pub fn open(&self) -> Result<Open> {
        let tls = self.trust.as_ref().map(Trust::ready).transpose().map_err(anyhow::Error::msg)?;
        Ok(Open { places: self.clone(), tls })
    }
}

impl Open {
    /// Where a user begins.
    pub fn of(&self, crowd: &Crowd, user: u32) -> Target {
        let Places { nodes, sources, together, .. } = &self.places;
        let node = if *together { user } else { crowd.node(crowd.account(user)) } as usize % nodes.len();
        Target { node: nodes[node], source: sources.map(|first| source(first, user)), tls: self.tls }
    }

    /// Where to go when that did not work.
    pub fn after(&self, target: Target) -> Target {
        let Places { nodes, together, .. } = &self.places;
        let here = nodes.iter().position(|node| *node == target.node).filter(|_| *together);
        here.map_or(target, |here| Target { node: nodes[(here + 1) % nodes.len()], ..target })
    }

    pub fn node(&self, address: SocketAddr) -> Target {
        Target { node: address, source: None, tls: self.tls }
    }
}
