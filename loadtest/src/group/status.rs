//! Pure. What `hubbub cluster status` says, as far as it is asked for.

use serde::Deserialize;

#[derive(Deserialize)]
pub struct Said {
    pub status: Status,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Status {
    pub leader: Option<u64>,
    pub moving: usize,
    pub slots: usize,
    pub nodes: Vec<Entry>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Entry {
    pub node: u64,
    pub address: String,
    pub status: String,
    pub slots: usize,
    pub weight: u16,
}

impl Status {
    /// All that is to be there is active and has its share, and nothing is on its way.
    pub fn is_settled(&self, nodes: usize) -> bool {
        let weights = self.nodes.iter().map(|entry| usize::from(entry.weight)).sum::<usize>().max(1);
        let least = |entry: &Entry| self.slots * usize::from(entry.weight) / weights / 2;
        let is_good = |entry: &Entry| entry.status == "active" && entry.slots >= least(entry);
        self.leader.is_some() && self.moving == 0 && self.nodes.len() == nodes && self.nodes.iter().all(is_good)
    }

    pub fn leader_address(&self) -> Option<&str> {
        self.nodes.iter().find(|entry| Some(entry.node) == self.leader).map(|entry| entry.address.as_str())
    }

    pub fn entry(&self, address: &str) -> Option<&Entry> {
        self.nodes.iter().find(|entry| entry.address == address)
    }
}
