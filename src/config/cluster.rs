//! The group of nodes: where this one listens for others, and how it came to them.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Cluster {
    /// Address and port for other nodes. Empty: none, and the node stays alone.
    pub listen: String,
    /// `host:port` at which others reach it; empty: as it listens.
    pub advertise: String,
    /// Where it stands: another rack, another building.
    pub zone: String,
    /// Its share of the slots beside the others'; 0 takes none.
    pub weight: u16,
    /// Where nodes of the group are, `host:port` each; a name may stand for many. A new one joins there by `token`, and one that has lost
    /// the others looks for them there. Without both a new one begins a group of its own.
    pub join: Vec<String>,
    /// From `hubbub cluster token`; of use only to a node that is in no group yet.
    pub token: String,
}

impl Default for Cluster {
    fn default() -> Self {
        Self { listen: String::new(), advertise: String::new(), zone: String::new(), weight: 100, join: Vec::new(), token: String::new() }
    }
}

impl Cluster {
    /// Errors: a sentence.
    pub fn listen(&self) -> Result<Option<SocketAddr>, String> {
        if self.listen.is_empty() {
            return Ok(None);
        }
        let parsed = self.listen.parse().map(Some);
        parsed.map_err(|_| format!("\"{}\" is no address and port: write it like \"10.0.0.1:7000\" or \"[::]:7000\"", self.listen))
    }
}
