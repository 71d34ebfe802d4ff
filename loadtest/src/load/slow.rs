//! What a slow reader costs the others: two rooms of a thousand on one node, in one of which ten never read. The same posts
//! go to both in turns; what is compared is the node's processor time for a delivery to somebody who reads, and how long
//! until the last of them has it. In the end the ten read, page what was withheld, and must have everything without a gap.
//!
//! The node has its default bounds for what one connection may have waiting, but does not end a slow connection after ten
//! seconds: it would be gone before it is measured.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{bail, ensure};
use bytes::BytesMut;
use schema::client::{ClientEvent, Hello, History};
use schema::wire::Format;
use schema::{Event, RoomId, ServerEvent};

use super::flock::{Open, connect};
use super::raw::{self, Counts, Glimpse};
use super::{Error, Figure, TEXT, enrol, make_groups};
use crate::client::{Heard, Socket, Target};
use crate::people::{Person, source};
use crate::process::{Key, Process};

const MEMBERS: usize = 1_000;
const SLOW: usize = 10;
const OUTBOX_BYTES: u64 = 1 << 20;
/// Pairs of turns, and posts of a turn.
const TURNS: usize = 9;
const POSTS: u64 = 60;

pub fn keys() -> Vec<Key<'static>> {
    vec![
        ("limits", "outbox_bytes_max", OUTBOX_BYTES.to_string()),
        ("limits", "outbox_frames_max", "1000".to_owned()),
        ("limits", "slow_ms", "600000".to_owned()),
    ]
}

/// A room and those of it who read; the first posts.
struct Room {
    room: RoomId,
    open: Vec<Open>,
    heard: Arc<AtomicU64>,
    head: Arc<AtomicU64>,
    posted: u64,
}

struct Turn {
    cpu_us: f64,
    /// Until the last of those who read has a post, in the middle.
    last_us: f64,
}

pub async fn measure(node: &Process) -> Result<Vec<Figure>, Error> {
    let people = enrol(node, "member", 2 * MEMBERS).await?;
    let (all, stops) = people.split_at(MEMBERS);
    let members = vec![(0..MEMBERS).collect(), (MEMBERS..2 * MEMBERS).collect()];
    let rooms = make_groups(node.target(), &people, members).await?;
    let counts = Arc::new(Counts::default());
    let mut well = Room::open(node, rooms[0], 0, all, &counts).await?;
    let mut mixed = Room::open(node, rooms[1], 100, &stops[..MEMBERS - SLOW], &counts).await?;
    let mut slow = Vec::new();
    for (n, person) in stops[MEMBERS - SLOW..].iter().enumerate() {
        slow.push(sign_on(Target { source: Some(source(200, n as u32)), ..node.target() }, person, mixed.room).await?);
    }
    // Until the kernel takes no more for them, nor the node.
    let filled = Instant::now();
    while node.metric("hubbub_edge_behind_total").await? < SLOW as f64 {
        ensure!(filled.elapsed() < Duration::from_secs(120), "the slow ones are not behind after two minutes");
        mixed.turn(node, 100, &TEXT.repeat(16)).await?;
    }
    let waiting = node.metric("hubbub_edge_outbox_bytes").await?;
    let (mut cpu, mut last, mut both) = (Vec::new(), Vec::new(), Vec::new());
    for room in [&mut well, &mut mixed] {
        room.turn(node, POSTS, TEXT).await?;
    }
    for _ in 0..TURNS {
        let (without, with) = (well.turn(node, POSTS, TEXT).await?, mixed.turn(node, POSTS, TEXT).await?);
        cpu.push(with.cpu_us / without.cpu_us.max(0.001));
        last.push(with.last_us / without.last_us.max(1.0));
        both.push(with.cpu_us);
    }
    let expected = well.posted * MEMBERS as u64 + mixed.posted * (MEMBERS - SLOW) as u64;
    super::delivered(&counts, expected).await?;
    let head = mixed.head.load(Ordering::Relaxed);
    let mut paged = 0;
    for (socket, found) in slow {
        paged += tokio::time::timeout(Duration::from_secs(60), catch_up(socket, mixed.room, found, head)).await??;
    }
    let most = SLOW as u64 * OUTBOX_BYTES;
    ensure!(waiting <= most as f64, "{waiting} bytes wait for {SLOW} who do not read: more than {most}");
    let detail = format!(
        "{SLOW} of {MEMBERS} do not read: {:.2} CPU µs a delivery to the others; {waiting:.0} of at most {most} bytes wait for them; then all have every event up to {head} without a gap, {paged} of them by pages",
        middle(&mut both)
    );
    Ok(vec![
        Figure::new("delivery beside 1 % who do not read", middle(&mut cpu), "× CPU", detail),
        Figure::new("the last of the others has it", middle(&mut last), "× time", format!("{TURNS} pairs of turns of {POSTS} posts")),
    ])
}

impl Room {
    async fn open(node: &Process, room: RoomId, first: u32, people: &[Person], counts: &Arc<Counts>) -> Result<Self, Error> {
        let (heard, head) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
        let look = {
            let (heard, head) = (Arc::clone(&heard), Arc::clone(&head));
            move |glimpse| {
                if let Glimpse::Delivered { seq, .. } = glimpse {
                    heard.fetch_add(1, Ordering::Relaxed);
                    head.fetch_max(seq, Ordering::Relaxed);
                }
            }
        };
        let open = connect(node.target(), first, people, counts, look).await?;
        Ok(Self { room, open, heard, head, posted: 0 })
    }

    /// Posts one by one: the next goes when all who read have the last.
    async fn turn(&mut self, node: &Process, posts: u64, text: &str) -> Result<Turn, Error> {
        let (cpu, mut times) = (node.cpu_us()?, Vec::new());
        for _ in 0..posts {
            let sent = Instant::now();
            self.posted += 1;
            let mut out = BytesMut::new();
            raw::write_post(&mut out, self.posted as u32, self.room, self.head.load(Ordering::Relaxed), text);
            let taken = self.open[0].writer.try_write(&out)?;
            ensure!(taken == out.len(), "the kernel took only a part of a post");
            let all = self.posted * self.open.len() as u64;
            while self.heard.load(Ordering::Relaxed) < all {
                ensure!(sent.elapsed() < Duration::from_secs(30), "a post did not come to all who read");
                tokio::task::yield_now().await;
            }
            times.push(sent.elapsed().as_micros() as f64);
        }
        let deliveries = posts * self.open.len() as u64;
        Ok(Turn { cpu_us: (node.cpu_us()? - cpu) as f64 / deliveries as f64, last_us: middle(&mut times) })
    }
}

fn middle(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}

/// Says hello and reads its answer, and nothing after it; with the room's head as it found it.
async fn sign_on(target: Target, person: &Person, room: RoomId) -> Result<(Socket, u64), Error> {
    let mut socket = Socket::open(target, Format::Json).await?;
    let token = Some(person.tokens.access.clone());
    socket.push(&ClientEvent::Hello(Hello { token, ticket: None, device: person.device, resume: Vec::new() }));
    loop {
        if let Some(Heard::Event(event)) = socket.turn().await?
            && let ServerEvent::Ready(ready) = *event
        {
            let head = ready.rooms.iter().find(|at| at.room == room).map_or(0, |at| at.head);
            return Ok((socket, head));
        }
    }
}

/// Reads what waits, pages what was withheld, until it has everything; returns how many came by pages.
async fn catch_up(mut socket: Socket, room: RoomId, found: u64, head: u64) -> Result<u64, Error> {
    let (mut last, mut paged, mut id) = (found, 0, 0);
    let mut ask = |socket: &mut Socket, last: u64| {
        id += 1;
        socket.push(&ClientEvent::History(History { id, room, before: None, after: Some(last), around: None, at: None, limit: Some(200) }));
    };
    let next = |last: &mut u64, event: &Event| {
        ensure!(event.seq == *last + 1, "event {} came after {last}: there is a gap", event.seq);
        *last = event.seq;
        Ok(())
    };
    while last < head {
        match socket.turn().await? {
            Some(Heard::Event(event)) => match *event {
                ServerEvent::Event(event) if event.room == room && event.seq > last => next(&mut last, &event)?,
                ServerEvent::Behind(behind) if behind.room == room => ask(&mut socket, last),
                ServerEvent::History(page) => {
                    let known = last;
                    for event in page.events.iter().filter(|event| event.seq > known) {
                        next(&mut last, event)?;
                        paged += 1;
                    }
                    if page.to < page.head {
                        ask(&mut socket, last);
                    }
                }
                ServerEvent::Error(refusal) => bail!("a page was refused: {}", refusal.message),
                _ => {}
            },
            Some(Heard::Closed(code)) => bail!("the connection of a slow reader was closed with {code}"),
            None => {}
        }
    }
    Ok(paged)
}
