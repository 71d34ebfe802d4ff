//! *Pure.* The group as an operator wants to see it, in numbers and in lines.

use std::fmt;

use cluster::membership::GroupStatus;
use cluster::{NodeId, Status};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Overview {
    /// Who says this.
    pub node: u64,
    /// Nobody, without a quorum.
    pub leader: Option<u64>,
    /// RFC 3339, in UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub no_quorum_since: Option<String>,
    /// Rises with every election.
    pub term: u64,
    /// Of the table; the same on all nodes that know all.
    pub version: u64,
    pub slots: usize,
    /// On their way from one node to another.
    pub moving: usize,
    /// As many may be.
    pub at_once: usize,
    pub nodes: Vec<NodeEntry>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeEntry {
    pub node: u64,
    pub address: String,
    pub zone: String,
    pub weight: u16,
    pub status: Status,
    pub votes: bool,
    pub slots: usize,
}

pub fn of(status: &GroupStatus) -> Overview {
    let state = &status.state;
    let entry = |(id, node): (&NodeId, &cluster::Node)| NodeEntry {
        node: id.0,
        address: node.spec.address.clone(),
        zone: node.spec.zone.clone(),
        weight: node.spec.weight,
        status: node.status,
        votes: status.voters.contains(id),
        slots: state.owned_by(*id),
    };
    Overview {
        node: status.node.0,
        leader: status.leader.map(|leader| leader.0),
        no_quorum_since: status.no_quorum_since.map(super::at),
        term: status.term,
        version: state.version,
        slots: state.slots.len(),
        moving: state.slots.iter().filter(|slot| slot.moving.is_some()).count(),
        at_once: cluster::plan::moves_in_flight_max(state),
        nodes: state.nodes.iter().map(entry).collect(),
    }
}

impl fmt::Display for Overview {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "{:>8}  {:9}  {:6}  {:>5}  {:>6}  {:12}  address", "node", "state", "votes", "slots", "weight", "zone")?;
        for entry in &self.nodes {
            let state = format!("{:?}", entry.status).to_lowercase();
            let votes = if self.leader == Some(entry.node) {
                "leads"
            } else if entry.votes {
                "yes"
            } else {
                "no"
            };
            let address = if entry.address.is_empty() { "does not listen for others" } else { &entry.address };
            let (node, slots, weight, zone) = (entry.node, entry.slots, entry.weight, &entry.zone);
            writeln!(out, "{node:>8}  {state:9}  {votes:6}  {slots:>5}  {weight:>6}  {zone:12}  {address}")?;
        }
        let (version, slots, moving, term) = (self.version, self.slots, self.moving, self.term);
        writeln!(out, "{slots} slots, {moving} of them moving; version {version}, term {term}, as node {} sees it", self.node)?;
        if self.at_once == 0 {
            writeln!(out, "moves are held: `hubbub cluster rebalance` lets them go on")?;
        }
        match (&self.no_quorum_since, self.leader) {
            (Some(since), _) => writeln!(
                out,
                "no quorum since {since}: what stands here is what was agreed on before; nothing can change until more than half of those that vote reach each other"
            ),
            (None, Some(_)) => Ok(()),
            (None, None) => writeln!(out, "nobody leads for the moment: nothing can change before those that vote have chosen"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_sees_who_leads_and_who_is_down() {
        let entry = |node, status, votes, slots| NodeEntry {
            node,
            address: format!("n{node}:7000"),
            zone: "east".into(),
            weight: 100,
            status,
            votes,
            slots,
        };
        let nodes = vec![entry(1, Status::Active, true, 256), entry(12, Status::Down, false, 0)];
        let mut overview =
            Overview { node: 1, leader: Some(1), no_quorum_since: None, term: 3, version: 40, slots: 256, moving: 0, at_once: 16, nodes };
        let text = overview.to_string();
        let lines: Vec<_> = text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>()).collect();
        assert_eq!(lines[1], ["1", "active", "leads", "256", "100", "east", "n1:7000"]);
        assert_eq!(lines[2], ["12", "down", "no", "0", "100", "east", "n12:7000"]);
        assert!(!text.contains("held"));
        overview.at_once = 0;
        assert!(overview.to_string().contains("moves are held"));
        overview.leader = None;
        assert!(overview.to_string().contains("nobody leads"));
        overview.no_quorum_since = Some(super::super::at(std::time::UNIX_EPOCH));
        assert!(overview.to_string().contains("no quorum since 1970-01-01T00:00:00Z"));
    }
}
