//! Durable posts a second, and how long one waits for its acknowledgement at a steady rate: every post is acknowledged by
//! the node, every delivery counted and its sequence checked. The node and this program share all processors.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::{Buf, BytesMut};
use hdrhistogram::Histogram;
use schema::RoomId;
use tokio::io::AsyncWriteExt;
use tokio::net::tcp::OwnedWriteHalf;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::raw::{self, Counts, Glimpse};
use super::{Error, Figure, TEXT};
use crate::client::Target;
use crate::people::{Person, source};

/// Each connection keeps so many posts unanswered, or at the most so many.
const WINDOW: usize = 200;

pub struct Plan {
    pub name: String,
    /// The rooms, and who is in each by number.
    pub rooms: Vec<(RoomId, Vec<usize>)>,
    pub pace: Pace,
    pub seconds: u64,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Pace {
    /// As fast as answers come.
    Closed,
    /// So many a second over all connections, whether or not the last was answered. A post waits from when it was intended.
    Open { posts_per_second: u64 },
}

/// When one connection intends its posts.
#[derive(Clone, Copy)]
struct Schedule {
    begun: Instant,
    until: Instant,
    /// `None`: as soon as there is a place.
    interval: Option<Duration>,
}

impl Schedule {
    /// When post number `n` is intended, from 0; `None`: not any more.
    fn due(&self, n: u64, now: Instant) -> Option<Instant> {
        let due = self.interval.map_or(now, |interval| self.begun + interval.mul_f64(n as f64));
        Some(due).filter(|due| *due < self.until)
    }
}

struct Posted {
    sent: u64,
    latency_us: Histogram<u64>,
    reader: JoinHandle<crate::client::Error>,
    /// Kept: letting it go would close the connection before the last delivery.
    writer: OwnedWriteHalf,
}

pub async fn measure(target: Target, people: &[Person], plan: Plan) -> Result<Figure, Error> {
    let counts = Arc::new(Counts::default());
    // All are there before the first post, so that every post is due to every member.
    let mut opened = Vec::new();
    for (number, person) in people.iter().enumerate() {
        let from = Target { source: Some(source(0, number as u32)), ..target };
        opened.push(raw::open(from, person, Arc::clone(&counts)).await?);
    }
    let (begun, connections) = (Instant::now(), opened.len() as u64);
    let interval = match plan.pace {
        Pace::Closed => None,
        Pace::Open { posts_per_second } => Some(Duration::from_secs(connections).div_f64(posts_per_second as f64)),
    };
    let schedule = Schedule { begun, until: begun + Duration::from_secs(plan.seconds), interval };
    let posters = opened.into_iter().enumerate().map(|(number, (reader, writer))| {
        let posts_in = |members: &[usize]| members[0] == number || plan.rooms.len() == 1;
        let mine = plan.rooms.iter().filter(|(_, members)| posts_in(members)).map(|(room, _)| *room).collect();
        tokio::spawn(post(reader, writer, mine, schedule))
    });
    let posters: Vec<_> = posters.collect();
    let members: u64 = plan.rooms.iter().map(|(_, members)| members.len() as u64).sum::<u64>() / plan.rooms.len() as u64;
    let (mut sent, mut latency_us) = (0, Histogram::<u64>::new(3)?);
    let mut connections = Vec::new();
    for poster in posters {
        let posted = poster.await??;
        sent += posted.sent;
        latency_us.add(&posted.latency_us)?;
        connections.push((posted.reader, posted.writer));
    }
    let seconds = begun.elapsed().as_secs_f64();
    super::delivered(&counts, sent * members).await?;
    connections.iter().for_each(|(reader, _)| reader.abort());
    super::sound(&counts, sent * members)?;
    let (half, most) = (latency_us.value_at_quantile(0.5) as f64 / 1000.0, latency_us.value_at_quantile(0.99) as f64 / 1000.0);
    let posts = format!("{sent} posts of 128 B in {seconds:.1} s, {} connections", people.len());
    let deliveries = sent * members;
    Ok(match plan.pace {
        Pace::Closed => {
            let detail = format!("{posts} with {WINDOW} unanswered, ack p50 {half:.1} ms p99 {most:.1} ms, {deliveries} deliveries");
            Figure::new(plan.name, sent as f64 / seconds, "acked posts/s", detail)
        }
        Pace::Open { posts_per_second } => {
            let detail = format!("{posts}, {posts_per_second}/s intended, ack p50 {half:.1} ms, {deliveries} deliveries");
            Figure::new(plan.name, most, "ms p99", detail)
        }
    })
}

/// Posts by the schedule until it is over, then waits for the last answer. The reader goes on.
async fn post(reader: raw::Reader, mut writer: OwnedWriteHalf, rooms: Vec<RoomId>, schedule: Schedule) -> Result<Posted, Error> {
    let heads: Arc<HashMap<RoomId, AtomicU64>> = Arc::new(rooms.iter().map(|room| (*room, AtomicU64::new(reader.head(*room)))).collect());
    let heard = Arc::clone(&heads);
    let (acks, mut acked) = mpsc::unbounded_channel();
    let reader = tokio::spawn(reader.run(move |glimpse| match glimpse {
        Glimpse::Acked { id } => drop(acks.send(Ok(id))),
        Glimpse::Refused { id } => drop(acks.send(Err(id))),
        Glimpse::Delivered { room, seq } => {
            if let Some(head) = heard.get(&room) {
                head.store(seq, Ordering::Relaxed);
            }
        }
        Glimpse::Page { .. } | Glimpse::Behind | Glimpse::Told | Glimpse::Other => {}
    }));
    let (mut sent, mut latency_us) = (0, Histogram::new(3)?);
    let mut intended_at = vec![Instant::now(); WINDOW];
    let mut free: Vec<u32> = (0..WINDOW as u32).collect();
    let mut out = BytesMut::new();
    while !rooms.is_empty() {
        let now = Instant::now();
        while let Some(place) = free.last().copied()
            && let Some(due) = schedule.due(sent, now).filter(|due| *due <= now)
        {
            free.pop();
            let room = rooms[sent as usize % rooms.len()];
            raw::write_post(&mut out, place + 1, room, heads[&room].load(Ordering::Relaxed), TEXT);
            intended_at[place as usize] = due;
            sent += 1;
        }
        while out.has_remaining() {
            writer.write_buf(&mut out).await?;
        }
        let mut next = match schedule.due(sent, now) {
            None if free.len() == WINDOW => break,
            Some(due) if !free.is_empty() => tokio::time::timeout_at(due.into(), acked.recv()).await.unwrap_or(None),
            _ => acked.recv().await,
        };
        while let Some(answer) = next {
            let place = answer.map_err(|id| anyhow::anyhow!("post {id} was refused"))? - 1;
            latency_us.record(intended_at[place as usize].elapsed().as_micros() as u64)?;
            free.push(place);
            next = acked.try_recv().ok();
        }
        anyhow::ensure!(!reader.is_finished(), "a connection was lost: {}", super::ended(reader).await);
    }
    Ok(Posted { sent, latency_us, reader, writer })
}
