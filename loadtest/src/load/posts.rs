//! Durable posts a second: every post is acknowledged by the node, every delivery counted and its sequence checked. The
//! node and this program share all processors.

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
use super::{Error, Figure, Person, TEXT};
use crate::client::Target;

/// Each connection keeps so many posts unanswered.
const WINDOW: usize = 200;

pub struct Plan {
    pub name: &'static str,
    /// The rooms, and who is in each by number.
    pub rooms: Vec<(RoomId, Vec<usize>)>,
    pub seconds: u64,
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
        let from = Target { source: Some(super::source(number)), ..target };
        opened.push(raw::open(from, person, Arc::clone(&counts)).await?);
    }
    let begun = Instant::now();
    let until_at = begun + Duration::from_secs(plan.seconds);
    let posters = opened.into_iter().enumerate().map(|(number, (reader, writer))| {
        let posts_in = |members: &[usize]| members[0] == number || plan.rooms.len() == 1;
        let mine = plan.rooms.iter().filter(|(_, members)| posts_in(members)).map(|(room, _)| *room).collect();
        tokio::spawn(post(reader, writer, mine, until_at))
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
    let detail = format!(
        "{sent} posts of 128 B in {seconds:.1} s, {} connections with {WINDOW} unanswered, ack p50 {half:.1} ms p99 {most:.1} ms, {} deliveries",
        people.len(),
        sent * members
    );
    Ok(Figure::new(plan.name, sent as f64 / seconds, "acked posts/s", detail))
}

/// Keeps the window full until the time is over, then waits for the last answer. The reader goes on.
async fn post(reader: raw::Reader, mut writer: OwnedWriteHalf, rooms: Vec<RoomId>, until_at: Instant) -> Result<Posted, Error> {
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
        Glimpse::Behind | Glimpse::Other => {}
    }));
    let (mut sent, mut latency_us) = (0, Histogram::new(3)?);
    let mut sent_at = vec![Instant::now(); WINDOW];
    let mut free: Vec<u32> = (0..WINDOW as u32).collect();
    let mut out = BytesMut::new();
    while !rooms.is_empty() && (Instant::now() < until_at || free.len() < WINDOW) {
        if Instant::now() < until_at {
            for place in free.drain(..) {
                let room = rooms[sent as usize % rooms.len()];
                raw::write_post(&mut out, place + 1, room, heads[&room].load(Ordering::Relaxed), TEXT);
                sent_at[place as usize] = Instant::now();
                sent += 1;
            }
            while out.has_remaining() {
                writer.write_buf(&mut out).await?;
            }
        }
        let mut next = acked.recv().await;
        while let Some(answer) = next {
            let place = answer.map_err(|id| anyhow::anyhow!("post {id} was refused"))? - 1;
            latency_us.record(sent_at[place as usize].elapsed().as_micros() as u64)?;
            free.push(place);
            next = acked.try_recv().ok();
        }
        anyhow::ensure!(!reader.is_finished(), "a connection was lost: {}", super::ended(reader).await);
    }
    Ok(Posted { sent, latency_us, reader, writer })
}
