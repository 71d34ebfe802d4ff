//! What a room that sleeps costs its owner: rooms that nobody is connected to, made by people who leave, until none of them is awake. A group of
//! one on a store process, so that the store's own memory is not in it; what the node has allocated with so many rooms, and with ten times as many.

use std::time::{Duration, Instant};

use anyhow::ensure;

use super::{Host, held};
use crate::load::{Error, Figure, enrol, idle, make_groups};
use crate::process::Process;

const PEOPLE: usize = 2_000;
const FEW: usize = 10_000;
const ASLEEP_MAX: Duration = Duration::from_secs(90);

pub async fn measure(host: &Host<'_>) -> Result<Vec<Figure>, Error> {
    let own = idle::keys();
    let is_own = |(section, key, _): &&crate::process::Key<'_>| !own.iter().any(|(of, other, _)| (of, other) == (section, key));
    let keys: Vec<_> = host.keys.iter().filter(is_own).chain(&own).cloned().collect();
    let host = Host { keys: &keys, ..*host };
    let group = host.start("sleeping-rooms", &[100], 0, host.all_processors()).await?;
    let nodes = held(&group).await?;
    let (node, many) = (&nodes[0], host.options.rooms.max(2 * FEW));
    let people = enrol(node, "maker", PEOPLE).await?;
    let rooms = |count: usize| (0..count).map(|n| vec![n % PEOPLE, (n + 1) % PEOPLE]).collect();
    make_groups(node.target(), &people, rooms(FEW)).await?;
    let before = asleep(node).await?;
    make_groups(node.target(), &people, rooms(many - FEW)).await?;
    let after = asleep(node).await?;
    let each = |of: fn(&(u64, u64)) -> u64| of(&after).saturating_sub(of(&before)) as f64 / (many - FEW) as f64;
    let detail = format!(
        "allocated: {} KiB with {FEW} rooms, {} KiB with {many}, all asleep and of people who are away; private memory {:.0} bytes a room",
        before.1 / 1024,
        after.1 / 1024,
        each(|memory| memory.0)
    );
    Ok(vec![Figure::new("a sleeping room at its owner", each(|memory| memory.1), "bytes", detail)])
}

/// Private and allocated bytes, when nothing is awake and the node had time to give back what it had for that.
async fn asleep(node: &Process) -> Result<(u64, u64), Error> {
    let begun = Instant::now();
    loop {
        let awake = node.metric("hubbub_actors_sessions_awake").await? + node.metric("hubbub_actors_rooms_awake").await?;
        if awake == 0.0 {
            break;
        }
        ensure!(begun.elapsed() < ASLEEP_MAX, "{awake} rooms and sessions are awake after {} s", ASLEEP_MAX.as_secs());
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    tokio::time::sleep(Duration::from_secs(8)).await;
    Ok((node.private_bytes()?, node.metric("hubbub_memory_allocated_bytes").await? as u64))
}
