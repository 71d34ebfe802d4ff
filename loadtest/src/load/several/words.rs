//! What nodes say to each other for a post: rooms of 10, 100 and 1,000 whose members are on three nodes, all of them owned by the first. Counted
//! by the nodes themselves, on the lane of chat alone; what they say there in the same time with nobody posting is told beside, and so is
//! the lane of the group, which no post is on.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::ensure;
use bytes::BytesMut;
use schema::RoomId;

use super::{Host, held};
use crate::client::Target;
use crate::load::flock::Open;
use crate::load::raw::{self, Counts, Glimpse};
use crate::load::{Error, Figure, TEXT, delivered, enrol, make_groups, until};
use crate::people::source;
use crate::process::Process;

const NODES: usize = 3;
const SIZES: [usize; 3] = [10, 100, 1_000];
const POSTS: u64 = 200;
const CHAT: &str = "hubbub_cluster_link_words_total{lane=\"chat\"}";
const GROUP: &str = "hubbub_cluster_link_words_total{lane=\"group\"}";

pub async fn measure(host: &Host<'_>) -> Result<Vec<Figure>, Error> {
    let group = host.start("group-words", &[100, 0, 0], 0, host.all_processors()).await?;
    let nodes = held(&group).await?;
    let people = enrol(&nodes[0], "member", SIZES[2]).await?;
    let rooms = make_groups(nodes[0].target(), &people, SIZES.map(|size| (0..size).collect()).to_vec()).await?;
    let (counts, head) = (Arc::new(Counts::default()), Arc::new(AtomicU64::new(0)));
    let mut open = Vec::new();
    for (n, person) in people.iter().enumerate() {
        let from = Target { source: Some(source(0, n as u32)), ..nodes[n % NODES].target() };
        let (reader, writer) = raw::open(from, person, Arc::clone(&counts)).await?;
        let head = Arc::clone(&head);
        let look = move |glimpse| {
            if let Glimpse::Delivered { seq, .. } = glimpse {
                head.fetch_max(seq, Ordering::Relaxed);
            }
        };
        open.push(Open { reader: tokio::spawn(reader.run(look)), writer });
    }
    // What greetings leave behind is said by then.
    tokio::time::sleep(Duration::from_secs(3)).await;
    let quiet = quiet(&nodes).await?;
    let (mut figures, mut due) = (Vec::new(), 0);
    for (size, room) in SIZES.into_iter().zip(rooms) {
        for (from, name) in [(0, "its owner's node"), (1, "another node")] {
            let (before, begun) = (sum(&nodes, CHAT).await?, Instant::now());
            // The creation, those who were invited, and the posts from the other node.
            head.store(size.saturating_sub(200).max(1) as u64 + if from == 0 { 0 } else { POSTS }, Ordering::Relaxed);
            for n in 0..POSTS {
                due += size as u64;
                post(&open[from], room, n, &head)?;
                until("a post with everybody", || counts.deliveries.load(Ordering::Relaxed) >= due).await?;
            }
            delivered(&counts, due).await?;
            let (said, seconds) = (sum(&nodes, CHAT).await? - before, begun.elapsed().as_secs_f64());
            let detail = format!(
                "{POSTS} posts one by one in {seconds:.1} s, {said:.0} words on the lane of chat; with nobody posting it is {:.1} a second",
                quiet.0
            );
            figures.push(Figure::new(format!("words a post, room of {size}, from {name}"), said / POSTS as f64, "words", detail));
        }
    }
    let detail = "heartbeats and what is agreed on, all nodes together, nobody posting".to_owned();
    figures.push(Figure::new(format!("words of {NODES} nodes about the group"), quiet.1, "words/s", detail));
    Ok(figures)
}

fn post(open: &Open, room: RoomId, n: u64, head: &AtomicU64) -> Result<(), Error> {
    let mut out = BytesMut::new();
    raw::write_post(&mut out, n as u32 + 1, room, head.load(Ordering::Relaxed), TEXT);
    let taken = open.writer.try_write(&out)?;
    ensure!(taken == out.len(), "the kernel took only a part of a post");
    Ok(())
}

/// Of both lanes, a second.
async fn quiet(nodes: &[impl std::ops::Deref<Target = Process>]) -> Result<(f64, f64), Error> {
    let (chat, group, begun) = (sum(nodes, CHAT).await?, sum(nodes, GROUP).await?, Instant::now());
    tokio::time::sleep(Duration::from_secs(5)).await;
    let seconds = begun.elapsed().as_secs_f64();
    Ok(((sum(nodes, CHAT).await? - chat) / seconds, (sum(nodes, GROUP).await? - group) / seconds))
}

async fn sum(nodes: &[impl std::ops::Deref<Target = Process>], name: &str) -> Result<f64, Error> {
    let mut sum = 0.0;
    for node in nodes {
        sum += node.metric(name).await?;
    }
    Ok(sum)
}
