//! Where each virtual user connects to and from. Nodes that share nothing have their own accounts each.

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
    pub fn of(&self, crowd: &Crowd, user: u32) -> Target {
        let Places { nodes, sources, .. } = &self.places;
        let node = crowd.node(crowd.account(user)) as usize % nodes.len();
        Target { node: nodes[node], source: sources.map(|first| source(first, user)), tls: self.tls }
    }

    pub fn node(&self, address: SocketAddr) -> Target {
        Target { node: address, source: None, tls: self.tls }
    }
}
