//! What an idle, signed-in user costs the node of its own memory: session, resume state and rooms of 100 included. The
//! node's private bytes before and after so many came, over all of them. The kernel's part of a socket is not in it; pages
//! of the program that are read for the first time, and what its allocator keeps for later, are. What it has allocated is
//! a figure of its own: it says the same of a small number of people, and of a program that is built without optimisation.
//!
//! Before and after, the node is left alone until every session and room sleeps and its memory falls no more. The store's
//! cache is as large as its key says, whoever is connected: here it is so small that making people and rooms fills it.
//! What else the store keeps of what it reads is in the figure.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use anyhow::ensure;
use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::flock::connect;
use super::raw::Counts;
use super::{Error, Figure, enrol, make_groups, progress};
use crate::process::{Key, Process};

const ROOM_MEMBERS: usize = 100;
/// Connections that are opened first, so that what a node allocates once is not counted.
const WARM: usize = 200;
/// Sessions sleep after ten seconds, and are looked at every five; more than that is a node that does not let go.
const ASLEEP_MAX: Duration = Duration::from_secs(90);

/// What the node is to run with.
pub fn keys() -> Vec<Key<'static>> {
    // Nobody posts here; who made the rooms, and who has left, need not be waited for that long.
    let soon = || "2000".to_owned();
    vec![
        ("store", "cache_bytes", (2 << 20).to_string()),
        ("rooms", "room_idle_ms", soon()),
        ("rooms", "session_idle_ms", soon()),
        ("rooms", "offline_after_ms", soon()),
    ]
}

/// `rooms_each`: rooms of 100 that each of the connections' people is in.
pub async fn measure(node: &Process, connections: usize, rooms_each: usize, files: u64) -> Result<Vec<Figure>, Error> {
    ensure!((connections as u64) + 200 < files, "{connections} connections need more open files than {files}: raise `ulimit -n`");
    let people = enrol(node, "idler", connections).await?;
    make_groups(node.target(), &people, rooms(people.len(), rooms_each)).await?;
    let counts = Arc::new(Counts::default());
    drop(connect(node.target(), 0, &people[..WARM.min(people.len())], &counts, drop).await?);
    let before = settled(node, 0).await?;
    let open = connect(node.target(), 0, &people, &counts, drop).await?;
    let after = settled(node, open.len()).await?;
    ensure!(!open.iter().any(|open| open.reader.is_finished()), "a connection was lost while it was idle");
    ensure!(counts.deliveries.load(Ordering::Relaxed) == 0, "the connections were not idle");
    drop(open);
    let gone = settled(node, 0).await?;
    let s = if rooms_each == 1 { "" } else { "s" };
    let figure = |what: &str, of: fn(&Memory) -> u64| {
        let each = |memory: &Memory| of(memory).saturating_sub(of(&before)) as f64 / connections as f64;
        let detail = format!(
            "{} KiB before, {} KiB with {connections} users, one connection each; {:.0} bytes each stay when all have gone",
            of(&before) / 1024,
            of(&after) / 1024,
            each(&gone),
        );
        Figure::new(format!("idle user in {rooms_each} room{s} of {ROOM_MEMBERS}, {what}"), each(&after), "bytes", detail)
    };
    Ok(vec![figure("private", |memory| memory.private_bytes), figure("allocated", |memory| memory.allocated_bytes)])
}

/// A node's, at rest.
struct Memory {
    private_bytes: u64,
    allocated_bytes: u64,
}

/// Everybody is in `each` rooms, with other people in every one of them.
fn rooms(people: usize, each: usize) -> Vec<Vec<usize>> {
    let mut rooms = Vec::new();
    for layer in 0..each {
        let mut order: Vec<usize> = (0..people).collect();
        order.sort_by_cached_key(|n| xxh3_64_with_seed(&n.to_le_bytes(), layer as u64));
        rooms.extend(order.chunks(ROOM_MEMBERS).map(<[usize]>::to_vec));
    }
    rooms
}

/// The node's memory when it has so many connections, nothing is awake, and it has fallen no further for five seconds.
async fn settled(node: &Process, connections: usize) -> Result<Memory, Error> {
    let bar = progress("waiting for sleep", ASLEEP_MAX.as_secs() as usize);
    let begun = Instant::now();
    loop {
        let mut awake = BTreeMap::new();
        for name in ["hubbub_actors_sessions_awake", "hubbub_actors_rooms_awake"] {
            awake.insert(name, node.metric(name).await?);
        }
        awake.insert("hubbub_edge_connections", node.metric("hubbub_edge_connections").await? - connections as f64);
        if awake.values().all(|count| *count == 0.0) {
            break;
        }
        ensure!(begun.elapsed() < ASLEEP_MAX, "the node did not come to rest in {} s: {awake:?}", ASLEEP_MAX.as_secs());
        bar.set_position(begun.elapsed().as_secs());
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    bar.set_message("waiting for memory");
    let mut since = Instant::now();
    let mut least = Memory { private_bytes: u64::MAX, allocated_bytes: 0 };
    while since.elapsed() < Duration::from_secs(5) && begun.elapsed() < 2 * ASLEEP_MAX {
        let private_bytes = node.private_bytes()?;
        // Less than a page in a thousand is noise.
        if private_bytes < least.private_bytes - least.private_bytes / 4096 {
            (least.private_bytes, since) = (private_bytes, Instant::now());
        }
        // The last counts: the node looks once a second, so that the first may be of before.
        least.allocated_bytes = node.metric("hubbub_memory_allocated_bytes").await? as u64;
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    bar.finish_and_clear();
    Ok(least)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_is_in_as_many_rooms_as_asked_for_and_once_in_each() {
        let mut places = vec![0; 1000];
        for room in rooms(1000, 20) {
            assert_eq!(room.len(), ROOM_MEMBERS);
            room.iter().for_each(|n| places[*n] += 1);
        }
        assert!(places.iter().all(|count| *count == 20));
    }
}
