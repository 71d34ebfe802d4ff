//! `hubbub-bench crowd`: as many people as nodes of their own hold, idle until all is asleep, and then heard. What one of
//! them costs a node of its own memory.

use anyhow::Result;

use super::node;
use super::run::carry_out;
use crate::report::figures;

/// Each node holds so many sockets with room to spare, where a process may have 20,000 files.
const USERS_PER_NODE: u32 = 17_000;

pub use super::run::OwnScenario as Options;

pub async fn crowd(options: &Options) -> Result<u8> {
    let scenario = options.scenario("crowd")?;
    let mut node = node::Options { start: true, ..options.node.clone() };
    node.nodes = node.nodes.max(scenario.people.users.div_ceil(USERS_PER_NODE));
    node.workers = node.workers.max(node.nodes);
    // The store's cache is as large as its key says, whoever is connected: one that is full before tells nothing of people.
    for key in ["store.cache_bytes=2097152", "rooms.room_idle_ms=2000"] {
        node.set.push(node::set(key).map_err(anyhow::Error::msg)?);
    }
    carry_out(&scenario, "crowd", &node, &options.output, |how| how.until_asleep = true, figures::crowd).await
}
