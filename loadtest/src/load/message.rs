//! How long one waits for a message of another person: pairs, each in a room of its own, posts at even times at 30 % of what
//! the node carries, from when a post was intended until the other has it. Beside it, in the same run and at the same rate,
//! an echo of the same size by the node's own door and lots without anything behind them: what is between the two is the
//! product, its log and the sync of that.
//!
//! Node and echo have the first processor, this program the last, and there it turns without pause: its own clock is exact.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use bytes::BytesMut;
use hdrhistogram::Histogram;
use parking_lot::Mutex;
use schema::RoomId;
use schema::wire::Format;
use tokio::net::tcp::OwnedWriteHalf;
use tokio::task::JoinHandle;

use super::raw::{self, Counts, Glimpse};
use super::{Error, Figure, TEXT, enrol, make_groups};
use crate::client::frame::{self, Incoming};
use crate::client::{Socket, Target};
use crate::peers::Server;
use crate::people::source;
use crate::process::{Process, free_address};

pub const PAIRS: usize = 50;
/// Of each pair, while it is found out what the node carries.
const UNDER_WAY: u64 = 8;
pub const SHARE: f64 = 0.3;

/// The echo as a process.
pub struct Echo {
    address: SocketAddr,
    _server: Server,
}

impl Echo {
    pub fn start(program: &Path, folder: &Path, cpus: &[usize]) -> Result<Self, Error> {
        ensure!(
            program.exists(),
            "there is no echo in {}: build it with `cargo build --release --example echo`, or name it with --echo",
            program.display()
        );
        let address = free_address()?;
        let mut command = Command::new(std::path::absolute(program)?);
        command.arg(address.to_string());
        let server = Server::start(command, folder, cpus, address, String::new())?;
        Ok(Self { address, _server: server })
    }
}

/// One who posts, and what is still on its way to the other.
struct Line {
    writer: OwnedWriteHalf,
    room: RoomId,
    head: u64,
    sent: u64,
    way: Arc<Way>,
}

#[derive(Default)]
struct Way {
    /// When those under way were intended, oldest first.
    intended: Mutex<VecDeque<Instant>>,
    arrived: AtomicU64,
    latency_us: Mutex<Vec<u64>>,
}

impl Way {
    fn arrived(&self) {
        if let Some(intended) = self.intended.lock().pop_front() {
            self.latency_us.lock().push(intended.elapsed().as_micros() as u64);
        }
        self.arrived.fetch_add(1, Ordering::Relaxed);
    }
}

/// All lines of one side, and those who read.
pub struct Side {
    lines: Vec<Line>,
    readers: Vec<JoinHandle<()>>,
    /// What is sent: a post of the product's, or bytes to be echoed.
    write: fn(&mut BytesMut, &Line),
}

impl Drop for Side {
    fn drop(&mut self) {
        self.readers.iter().for_each(JoinHandle::abort);
    }
}

pub async fn measure(node: &Process, echo: &Echo, seconds: u64) -> Result<Vec<Figure>, Error> {
    let counts = Arc::new(Counts::default());
    let mut ours = pairs(node, "pair", [node.target(); 2], &counts).await?;
    let carries = ours.closed(Duration::from_secs(2)).await?;
    let per_second = carries * SHARE;
    let (lasts, mut theirs) = (Duration::from_secs(seconds), echoes(echo).await?);
    let mut both = (Histogram::<u64>::new(3)?, Histogram::<u64>::new(3)?);
    // In turns, so that what else the machine does is in both.
    for _ in 0..2 {
        both.0.add(ours.open(per_second, lasts / 2).await?)?;
        both.1.add(theirs.open(per_second, lasts / 2).await?)?;
    }
    ours.all_arrived(&counts).await?;
    let detail = format!(
        "{} posts of 128 B in {PAIRS} pairs at {per_second:.0}/s, 30 % of {carries:.0}/s, one processor: {}; an echo at that rate: {}",
        both.0.len(),
        told(&both.0),
        told(&both.1)
    );
    let ratio = |quantile: f64| ms(&both.0, quantile) / ms(&both.1, quantile).max(0.001);
    Ok(vec![
        Figure::new("message to another at 30 % load", ms(&both.0, 0.99), "ms p99", detail),
        Figure::new("message over echo, p50", ratio(0.5), "×", String::new()),
        Figure::new("message over echo, p99", ratio(0.99), "×", String::new()),
    ])
}

pub fn ms(histogram: &Histogram<u64>, quantile: f64) -> f64 {
    histogram.value_at_quantile(quantile) as f64 / 1000.0
}

pub fn told(histogram: &Histogram<u64>) -> String {
    let [half, most, worst] = [0.5, 0.99, 0.999].map(|quantile| ms(histogram, quantile));
    format!("p50 {half:.2} p99 {most:.2} p99.9 {worst:.2} ms")
}

/// `doors`: where those who post are, and where the others.
pub async fn pairs(node: &Process, prefix: &str, doors: [Target; 2], counts: &Arc<Counts>) -> Result<Side, Error> {
    let people = enrol(node, prefix, 2 * PAIRS).await?;
    let rooms = make_groups(node.target(), &people, (0..PAIRS).map(|pair| vec![2 * pair, 2 * pair + 1]).collect()).await?;
    let (mut lines, mut readers) = (Vec::new(), Vec::new());
    for (pair, room) in rooms.into_iter().enumerate() {
        let way = Arc::new(Way::default());
        let from = |n: usize| Target { source: Some(source(0, n as u32)), ..doors[n % 2] };
        let (author, writer) = raw::open(from(2 * pair), &people[2 * pair], Arc::clone(counts)).await?;
        let (other, kept) = raw::open(from(2 * pair + 1), &people[2 * pair + 1], Arc::clone(counts)).await?;
        let head = author.head(room);
        readers.push(tokio::spawn(async move { drop(author.run(|_| {}).await) }));
        let heard = Arc::clone(&way);
        readers.push(tokio::spawn(async move {
            let look = |glimpse| {
                if matches!(glimpse, Glimpse::Delivered { .. }) {
                    heard.arrived();
                }
            };
            other.run(look).await;
            drop(kept);
        }));
        lines.push(Line { writer, room, head, sent: 0, way });
    }
    Ok(Side {
        lines,
        readers,
        write: |out, line| {
            let seen = line.head + line.way.arrived.load(Ordering::Relaxed);
            raw::write_post(out, line.sent as u32 + 1, line.room, seen, TEXT);
        },
    })
}

pub async fn echoes(echo: &Echo) -> Result<Side, Error> {
    let (mut lines, mut readers) = (Vec::new(), Vec::new());
    for n in 0..PAIRS {
        let target = Target { source: Some(source(0, n as u32)), ..Target::new(echo.address) };
        let (stream, buffer) = Socket::open(target, Format::Json).await?.into_raw();
        let (read, writer) = stream.into_plain().map_err(crate::client::Error::Lost)?.into_split();
        let way = Arc::new(Way::default());
        let heard = Arc::clone(&way);
        readers.push(tokio::spawn(async move {
            let mut incoming = Incoming::after(buffer);
            while read.readable().await.is_ok() {
                match read.try_read_buf(&mut incoming.buffer) {
                    Ok(0) => break,
                    Err(error) if error.kind() != std::io::ErrorKind::WouldBlock => break,
                    _ => {}
                }
                while let Ok(Some(_)) = incoming.next_message() {
                    heard.arrived();
                }
            }
        }));
        lines.push(Line { writer, room: RoomId::default(), head: 0, sent: 0, way });
    }
    // As long as a delivery is on the wire.
    Ok(Side {
        lines,
        readers,
        write: |out, _| frame::write(out, frame::TEXT, [TEXT, TEXT, &TEXT[..50]].concat().as_bytes(), rand::random()),
    })
}

impl Side {
    /// Each post was delivered to both, once and in order.
    pub async fn all_arrived(&self, counts: &Counts) -> Result<(), Error> {
        let sent: u64 = self.lines.iter().map(|line| line.sent).sum();
        super::delivered(counts, 2 * sent).await
    }

    fn under_way(&self) -> u64 {
        self.lines.iter().map(|line| line.sent - line.way.arrived.load(Ordering::Relaxed)).sum()
    }

    fn send(&mut self, place: usize, intended: Instant) -> Result<(), Error> {
        let mut out = BytesMut::new();
        (self.write)(&mut out, &self.lines[place]);
        let line = &mut self.lines[place];
        line.way.intended.lock().push_back(intended);
        line.sent += 1;
        let taken = line.writer.try_write(&out).context("a post could not be sent at once")?;
        ensure!(taken == out.len(), "the kernel took only a part of a post");
        Ok(())
    }

    fn latencies(&self) -> Result<Histogram<u64>, Error> {
        let mut all = Histogram::new(3)?;
        for line in &self.lines {
            for us in line.way.latency_us.lock().drain(..) {
                all.record(us)?;
            }
        }
        Ok(all)
    }

    async fn rest(&self) -> Result<(), Error> {
        super::until("the last messages", || self.under_way() == 0).await?;
        ensure!(!self.readers.iter().any(JoinHandle::is_finished), "a connection was lost");
        Ok(())
    }

    /// Messages a second when the next goes as soon as one has arrived.
    pub async fn closed(&mut self, lasts: Duration) -> Result<f64, Error> {
        let (begun, before) = (Instant::now(), self.lines.iter().map(|line| line.sent).sum::<u64>());
        while begun.elapsed() < lasts {
            for place in 0..self.lines.len() {
                while self.lines[place].sent - self.lines[place].way.arrived.load(Ordering::Relaxed) < UNDER_WAY {
                    self.send(place, Instant::now())?;
                }
            }
            tokio::task::yield_now().await;
        }
        let sent = self.lines.iter().map(|line| line.sent).sum::<u64>() - before;
        let per_second = sent as f64 / begun.elapsed().as_secs_f64();
        self.rest().await?;
        self.latencies()?;
        Ok(per_second)
    }

    /// At even times, whether or not the last has arrived; how long each was on its way since it was intended.
    pub async fn open(&mut self, per_second: f64, lasts: Duration) -> Result<Histogram<u64>, Error> {
        let begun = Instant::now();
        let mut n = 0;
        loop {
            let due = Duration::from_secs_f64(n as f64 / per_second);
            if due >= lasts {
                break;
            }
            while begun.elapsed() < due {
                tokio::task::yield_now().await;
            }
            self.send(n % self.lines.len(), begun + due)?;
            n += 1;
        }
        self.rest().await?;
        self.latencies()
    }
}
