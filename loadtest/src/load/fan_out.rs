//! What a delivery costs the node: 1,000 connections in rooms of 100, posts of 128 B, so many under way in each room at a
//! time. A post is over when all members of its room have it. Node and counter have a processor each.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::BytesMut;
use schema::RoomId;
use tokio::io::AsyncWriteExt;
use tokio::net::tcp::OwnedWriteHalf;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

use super::raw::{self, Counts, Glimpse};
use super::{Error, Figure, TEXT, enrol, make_groups, until};
use crate::client::Target;
use crate::people::source;
use crate::process::Process;

const ROOMS: usize = 10;
const MEMBERS: usize = 100;
pub const UNDER_WAY: [usize; 3] = [1, 4, 16];

struct Room {
    room: RoomId,
    head: AtomicU64,
    deliveries: AtomicU64,
    /// One permit for each post that may be sent.
    may_post: Semaphore,
}

/// Everybody in the rooms, connected.
pub struct Crowd {
    rooms: Vec<Arc<Room>>,
    writers: HashMap<usize, OwnedWriteHalf>,
    readers: Vec<JoinHandle<crate::client::Error>>,
    counts: Arc<Counts>,
}

pub struct Round {
    pub deliveries: u64,
    pub seconds: f64,
}

impl Drop for Crowd {
    fn drop(&mut self) {
        self.readers.iter().for_each(JoinHandle::abort);
    }
}

pub async fn measure(node: &Process, seconds: u64) -> Result<Vec<Figure>, Error> {
    let mut crowd = Crowd::gather(node, &[node.target()]).await?;
    let mut figures = Vec::new();
    for under_way in UNDER_WAY {
        let cpu = node.cpu_us()?;
        let Round { deliveries, seconds } = crowd.round(under_way, seconds).await?;
        let (cpu, per_second) = (node.cpu_us()? - cpu, deliveries as f64 / seconds);
        let detail = format!(
            "{deliveries} deliveries in {seconds:.1} s ({per_second:.0}/s), node {:.0} % of one processor",
            cpu as f64 / seconds / 10_000.0
        );
        figures.push(Figure::new(format!("delivery, {under_way} under way a room"), cpu as f64 / deliveries as f64, "CPU µs", detail));
    }
    Ok(figures)
}

impl Crowd {
    /// Made by one node; the members of each room are at these doors in turn.
    pub async fn gather(maker: &Process, doors: &[Target]) -> Result<Self, Error> {
        let people = enrol(maker, "member", ROOMS * MEMBERS).await?;
        let members = (0..ROOMS).map(|room| (room * MEMBERS..(room + 1) * MEMBERS).collect()).collect();
        let made = make_groups(maker.target(), &people, members).await?;
        let rooms = made.into_iter().map(|room| {
            let (head, deliveries, may_post) = (AtomicU64::new(1), AtomicU64::new(0), Semaphore::new(0));
            Arc::new(Room { room, head, deliveries, may_post })
        });
        let (rooms, counts): (Vec<_>, _) = (rooms.collect(), Arc::new(Counts::default()));
        let (mut readers, mut writers) = (Vec::new(), HashMap::new());
        for (number, person) in people.iter().enumerate() {
            let room = Arc::clone(&rooms[number / MEMBERS]);
            // Another door for each room's first, who posts.
            let door = doors[(number + number / MEMBERS) % doors.len()];
            let from = Target { source: Some(source(0, number as u32)), ..door };
            let (reader, writer) = raw::open(from, person, Arc::clone(&counts)).await?;
            writers.insert(number, writer);
            readers.push(tokio::spawn(reader.run(move |glimpse| room.heard(glimpse))));
        }
        Ok(Self { rooms, writers, readers, counts })
    }

    /// With so many under way in each room; fails unless everything that was due arrived, in order.
    pub async fn round(&mut self, under_way: usize, seconds: u64) -> Result<Round, Error> {
        let before = self.counts.deliveries.load(Ordering::Relaxed);
        let begun = Instant::now();
        let until_at = begun + Duration::from_secs(seconds);
        let mut posters = Vec::new();
        for (number, room) in self.rooms.iter().enumerate() {
            let Some(writer) = self.writers.remove(&(number * MEMBERS)) else { continue };
            posters.push((number * MEMBERS, tokio::spawn(post(writer, Arc::clone(room), under_way, until_at))));
        }
        let mut posts = 0;
        for (number, poster) in posters {
            let (writer, sent) = poster.await??;
            self.writers.insert(number, writer);
            posts += sent;
        }
        let expected = before + posts * MEMBERS as u64;
        super::delivered(&self.counts, expected).await?;
        super::sound(&self.counts, expected)?;
        anyhow::ensure!(!self.readers.iter().any(JoinHandle::is_finished), "a connection was lost");
        Ok(Round { deliveries: expected - before, seconds: begun.elapsed().as_secs_f64() })
    }
}

impl Room {
    fn heard(&self, glimpse: Glimpse) {
        if let Glimpse::Delivered { seq, .. } = glimpse {
            self.head.fetch_max(seq, Ordering::Relaxed);
            if (self.deliveries.fetch_add(1, Ordering::Relaxed) + 1).is_multiple_of(MEMBERS as u64) {
                self.may_post.add_permits(1);
            }
        }
    }
}

async fn post(mut writer: OwnedWriteHalf, room: Arc<Room>, under_way: usize, until_at: Instant) -> Result<(OwnedWriteHalf, u64), Error> {
    room.may_post.add_permits(under_way);
    let (mut sent, mut out) = (0u64, BytesMut::new());
    while Instant::now() < until_at {
        // All that may go now, in one write.
        let permits = match tokio::time::timeout_at(until_at.into(), room.may_post.acquire()).await {
            Ok(permit) => {
                permit?.forget();
                1 + room.may_post.forget_permits(under_way)
            }
            Err(_) => break,
        };
        for _ in 0..permits {
            sent += 1;
            raw::write_post(&mut out, sent as u32, room.room, room.head.load(Ordering::Relaxed), TEXT);
        }
        writer.write_all_buf(&mut out).await?;
    }
    // What is still under way gives its permits back: the next round begins without any.
    until("the last deliveries of a room", || {
        room.deliveries.load(Ordering::Relaxed).is_multiple_of(MEMBERS as u64)
            && room.may_post.available_permits() >= under_way.min(sent as usize)
    })
    .await?;
    room.may_post.forget_permits(usize::MAX >> 4);
    Ok((writer, sent))
}
