//! Slots that move on purpose while people post: three nodes have 10,000 rooms, two join, and leave again. What those see who are at the three
//! that stay: refusals, and how much longer than before a post waits for its acknowledgement.

use super::traffic::{Phase, Plan, Traffic};
use super::{Host, with_last_words};
use crate::group::Group;
use crate::load::{Error, Figure, enrol, make_groups};

const NODES: usize = 3;
const JOIN: usize = 2;
const ROOMS: usize = 10_000;
const BUSY: usize = 500;
const PEOPLE: usize = 600;
const PER_SECOND: f64 = 1_000.0;

pub async fn measure(host: &Host<'_>) -> Result<Vec<Figure>, Error> {
    let group = host.start("group-moves", &[100; NODES + JOIN][..NODES], JOIN, host.all_processors()).await?;
    let found = during(&group).await;
    with_last_words(&group, found).await
}

async fn during(group: &Group) -> Result<Vec<Figure>, Error> {
    let (people, rooms) = {
        let nodes = super::held(group).await?;
        let people = enrol(&nodes[0], "mover", PEOPLE).await?;
        let members = (0..ROOMS).map(|n| vec![n % PEOPLE, (n + 1) % PEOPLE]).collect();
        let rooms = make_groups(nodes[0].target(), &people, members).await?;
        (people, rooms)
    };
    let doors = group.addresses().await?;
    let traffic = Traffic::start(Plan { people, doors, everywhere: false, rooms, busy: BUSY, per_second: PER_SECOND }).await?;
    tokio::time::sleep(std::time::Duration::from_secs(2)).await;
    traffic.look().await?;
    tokio::time::sleep(std::time::Duration::from_secs(5)).await;
    let quiet = traffic.look().await?;
    for _ in 0..JOIN {
        group.grow().await?;
    }
    group.settle().await?;
    let grown = traffic.look().await?;
    for _ in 0..JOIN {
        group.shrink().await?;
    }
    group.settle().await?;
    let shrunk = traffic.look().await?;
    traffic.end().await?;
    let phases = [("nothing moves", quiet), ("3 to 5 nodes", grown), ("5 to 3 nodes", shrunk)];
    Ok(phases.into_iter().flat_map(|(name, phase)| figures(name, phase)).collect())
}

fn figures(name: &str, phase: Phase) -> [Figure; 2] {
    let Phase { acked, refused, wait_us, mut longest_us } = phase;
    longest_us.sort_unstable();
    let ms = |us: u64| us as f64 / 1_000.0;
    let room = |share: f64| ms(longest_us.get((longest_us.len() as f64 * share) as usize).or(longest_us.last()).copied().unwrap_or(0));
    let detail = format!(
        "{acked} posts acknowledged at {PER_SECOND}/s over {ROOMS} rooms: p50 {:.1} p99 {:.1} max {:.1} ms; the longest wait in a room, of {} with a post every {:.1} s: half {:.1} ms, 99 of 100 {:.1} ms",
        ms(wait_us.value_at_quantile(0.5)),
        ms(wait_us.value_at_quantile(0.99)),
        ms(wait_us.max()),
        longest_us.len(),
        BUSY as f64 / (PER_SECOND * 0.8),
        room(0.5),
        room(0.99),
    );
    [
        Figure::new(format!("{name}: longest wait in a room"), room(0.99), "ms p99", detail),
        Figure::new(format!("{name}: requests refused"), refused as f64, "refusals", String::new()),
    ]
}
