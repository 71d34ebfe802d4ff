//! Owners that die (SIGKILL), each node in its turn, the leader among them: from the kill until a post that was sent after it is acknowledged,
//! in each room that has to move. Posts come through the two other nodes, one into each room at that moment, besides the ones that always come.
//! A room has moved if its post waited for longer than any does that finds its owner; nobody is taken for dead before that.

use std::time::Duration;

use anyhow::ensure;

use super::traffic::{Plan, Traffic};
use super::{Host, with_last_words};
use crate::group::Group;
use crate::load::{Error, Figure, enrol, make_groups, progress};

const NODES: usize = 3;
const ROOMS: usize = 300;
const PEOPLE: usize = 30;
const PER_SECOND: f64 = 300.0;
/// A node is not suspected before it was silent for longer.
const MOVED_US: u64 = 200_000;

pub async fn measure(host: &Host<'_>) -> Result<Vec<Figure>, Error> {
    let group = host.start("group-kills", &[100; NODES], 0, host.all_processors()).await?;
    let found = during(&group, host.options.kills).await;
    with_last_words(&group, found).await
}

async fn during(group: &Group, kills: usize) -> Result<Vec<Figure>, Error> {
    let (people, rooms) = {
        let nodes = super::held(group).await?;
        let people = enrol(&nodes[0], "poster", PEOPLE).await?;
        let members = (0..ROOMS).map(|n| vec![n % PEOPLE, (n + 1) % PEOPLE]).collect();
        let rooms = make_groups(nodes[0].target(), &people, members).await?;
        (people, rooms)
    };
    let doors = group.addresses().await?;
    let traffic = Traffic::start(Plan { people, doors, everywhere: true, rooms, busy: ROOMS / 2, per_second: PER_SECOND }).await?;
    let (mut moved_us, mut worst_us, mut refused) = (Vec::new(), Vec::new(), 0);
    let bar = progress("killing", kills);
    for n in 0..kills {
        let (door, node) = (n % NODES, group.nodes()[n % NODES].clone());
        traffic.close(door).await?;
        node.process().await?.kill()?;
        let moved: Vec<u64> = traffic.burst().await?.into_iter().filter(|us| *us > MOVED_US).collect();
        ensure!(moved.len() > ROOMS / NODES / 2, "of {ROOMS} rooms only {} waited for another owner", moved.len());
        worst_us.extend(moved.iter().max());
        moved_us.extend(moved);
        // Not at once: who starts takes most of a processor.
        tokio::time::sleep(Duration::from_secs(1)).await;
        node.start_again().await?;
        group.settle().await?;
        traffic.open(door).await?;
        refused += traffic.look().await?.refused;
        bar.inc(1);
    }
    bar.finish_and_clear();
    traffic.end().await?;
    [&mut moved_us, &mut worst_us].into_iter().for_each(|all| all.sort_unstable());
    let at = |all: &[u64], share: f64| all.get((all.len() as f64 * share) as usize).or(all.last()).copied().unwrap_or(0) as f64 / 1e6;
    let detail = format!(
        "{kills} kills, {} rooms moved: half {:.2} s, 9 of 10 {:.2}, at most {:.2}; until the last room of a kill: half {:.2} s, 9 of 10 {:.2}",
        moved_us.len(),
        at(&moved_us, 0.5),
        at(&moved_us, 0.9),
        at(&moved_us, 1.0),
        at(&worst_us, 0.5),
        at(&worst_us, 0.9),
    );
    Ok(vec![
        Figure::new("first ack in a moved room after kill -9", at(&moved_us, 0.99), "s p99", detail),
        Figure::new("requests refused meanwhile", refused as f64, "refusals", String::new()),
    ])
}
