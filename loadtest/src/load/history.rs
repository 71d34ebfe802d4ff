//! How many pages of history a node reads for people in a second of one processor: the last 50 messages of 128 B of one
//! room, over sockets, by its members, while somebody posts ten times a second. It is the whole way that is counted: asked
//! for, judged, read, encoded and sent.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::ensure;
use bytes::BytesMut;
use schema::RoomId;
use tokio::io::AsyncWriteExt;
use tokio::net::tcp::OwnedWriteHalf;
use tokio::sync::Semaphore;

use super::raw::{self, Counts, Glimpse};
use super::{Error, Figure, TEXT, enrol, make_groups, until};
use crate::client::Target;
use crate::people::source;
use crate::process::Process;

const MEMBERS: usize = 50;
const PAGE: u16 = 50;
/// Pages that each of them has asked for and not got yet.
const UNDER_WAY: usize = 4;
/// With each post the room's last page is another.
const POST_EVERY: Duration = Duration::from_millis(100);

/// One member, who asks again for each page that came.
struct Asker {
    room: RoomId,
    head: AtomicU64,
    pages: AtomicU64,
    /// Bytes of the shortest page that came.
    shortest: AtomicU64,
    may_ask: Semaphore,
}

pub async fn measure(node: &Process, seconds: u64) -> Result<Vec<Figure>, Error> {
    let people = enrol(node, "reader", MEMBERS).await?;
    let room = make_groups(node.target(), &people, vec![(0..MEMBERS).collect()]).await?[0];
    let counts = Arc::new(Counts::default());
    let (mut readers, mut askers, mut writers) = (Vec::new(), Vec::new(), Vec::new());
    for (number, person) in people.iter().enumerate() {
        let asker = Asker {
            room,
            head: AtomicU64::new(1),
            pages: AtomicU64::new(0),
            shortest: AtomicU64::new(u64::MAX),
            may_ask: Semaphore::new(0),
        };
        let (asker, from) = (Arc::new(asker), Target { source: Some(source(0, number as u32)), ..node.target() });
        let (reader, writer) = raw::open(from, person, Arc::clone(&counts)).await?;
        let heard = Arc::clone(&asker);
        readers.push(tokio::spawn(reader.run(move |glimpse| heard.heard(glimpse))));
        askers.push(asker);
        writers.push(writer);
    }
    let mut writer = writers.remove(0);
    let mut posted = 0;
    for _ in 0..2 * PAGE {
        post(&mut writer, &askers[0], &mut posted).await?;
    }
    let (begun, cpu) = (Instant::now(), node.cpu_us()?);
    let until_at = begun + Duration::from_secs(seconds);
    let asking: Vec<_> =
        askers[1..].iter().zip(writers).map(|(asker, writer)| tokio::spawn(ask(writer, Arc::clone(asker), until_at))).collect();
    while Instant::now() < until_at {
        post(&mut writer, &askers[0], &mut posted).await?;
        tokio::time::sleep(POST_EVERY).await;
    }
    let mut kept = Vec::new();
    for asked in asking {
        kept.push(asked.await??);
    }
    let (cpu, elapsed) = (node.cpu_us()? - cpu, begun.elapsed().as_secs_f64());
    super::delivered(&counts, posted * MEMBERS as u64).await?;
    ensure!(!readers.iter().any(tokio::task::JoinHandle::is_finished), "a connection was lost");
    readers.iter().for_each(tokio::task::JoinHandle::abort);
    drop(kept);
    let pages: u64 = askers.iter().map(|asker| asker.pages.load(Ordering::Relaxed)).sum();
    let shortest = askers[1..].iter().map(|asker| asker.shortest.load(Ordering::Relaxed)).min().unwrap_or(0);
    ensure!(shortest > u64::from(PAGE) * TEXT.len() as u64, "a page of {shortest} bytes cannot hold {PAGE} messages");
    let detail = format!(
        "{pages} pages in {elapsed:.1} s ({:.0}/s) of {shortest} bytes and more, {:.1} CPU µs each, {posted} posts meanwhile",
        pages as f64 / elapsed,
        cpu as f64 / pages as f64
    );
    Ok(vec![Figure::new(format!("history, last {PAGE} of a hot room"), pages as f64 / cpu as f64 * 1e6, "reads/CPU s", detail)])
}

impl Asker {
    fn heard(&self, glimpse: Glimpse) {
        match glimpse {
            Glimpse::Delivered { seq, .. } => drop(self.head.fetch_max(seq, Ordering::Relaxed)),
            Glimpse::Page { bytes } => {
                self.shortest.fetch_min(bytes as u64, Ordering::Relaxed);
                self.pages.fetch_add(1, Ordering::Relaxed);
                self.may_ask.add_permits(1);
            }
            _ => {}
        }
    }
}

/// Posts once, and waits until the author has it.
async fn post(writer: &mut OwnedWriteHalf, author: &Asker, posted: &mut u64) -> Result<(), Error> {
    let (before, mut out) = (author.head.load(Ordering::Relaxed), BytesMut::new());
    *posted += 1;
    raw::write_post(&mut out, *posted as u32, author.room, before, TEXT);
    writer.write_all_buf(&mut out).await?;
    until("a post", || author.head.load(Ordering::Relaxed) > before).await
}

/// Keeps so many pages under way until it is time, and then waits for the last. Gives the writer back: letting it go would
/// end the connection.
async fn ask(mut writer: OwnedWriteHalf, asker: Arc<Asker>, until_at: Instant) -> Result<OwnedWriteHalf, Error> {
    asker.may_ask.add_permits(UNDER_WAY);
    let (mut asked, mut out) = (0u64, BytesMut::new());
    while Instant::now() < until_at {
        let Ok(permit) = tokio::time::timeout_at(until_at.into(), asker.may_ask.acquire()).await else { break };
        permit?.forget();
        for _ in 0..1 + asker.may_ask.forget_permits(UNDER_WAY) {
            asked += 1;
            raw::write_history(&mut out, asked as u32, asker.room, PAGE);
        }
        writer.write_all_buf(&mut out).await?;
    }
    until("the last page", || asker.pages.load(Ordering::Relaxed) == asked).await?;
    Ok(writer)
}
