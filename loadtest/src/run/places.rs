//! Where each virtual user connects to and from. Nodes that share nothing have their own accounts each.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

use crate::client::Target;
use crate::people::source;
use crate::plan::Crowd;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Places {
    /// At least one.
    pub nodes: Vec<SocketAddr>,
    /// The first of the loopback addresses that connections come from; none: the machine's own.
    pub sources: Option<u32>,
}

impl Places {
    pub fn of(&self, crowd: &Crowd, user: u32) -> Target {
        let node = crowd.node(crowd.account(user)) as usize % self.nodes.len();
        Target { node: self.nodes[node], source: self.sources.map(|first| source(first, user)) }
    }
}
