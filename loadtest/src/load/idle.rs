//! What an idle, signed-in connection that is a member of a room of 100 costs the node of its own memory: the node's
//! private bytes before and after, over all connections. The kernel's part of a socket is not in it.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use anyhow::ensure;
use futures_util::stream::{self, StreamExt};
use tokio::net::tcp::OwnedWriteHalf;
use tokio::task::JoinHandle;

use super::raw::{self, Counts};
use super::{Error, Figure, Options, Person, make_groups, progress, sign_up};
use crate::client::Target;
use crate::process::Process;

const ROOM_MEMBERS: usize = 100;
/// Connections that are opened first, so that what a node allocates once is not counted.
const WARM: usize = 50;

pub async fn measure(node: &Process, options: &Options, files: u64) -> Result<Vec<Figure>, Error> {
    ensure!(
        (options.connections as u64) + 200 < files,
        "{} connections need more open files than {files}: raise `ulimit -n`",
        options.connections
    );
    let people = sign_up(node.target(), "idler", options.users).await?;
    let numbers: Vec<usize> = (0..people.len()).collect();
    let rooms = numbers.chunks(ROOM_MEMBERS).map(<[usize]>::to_vec).collect();
    make_groups(node.target(), &people, rooms).await?;
    let counts = Arc::new(Counts::default());
    let mut open = connect(node, &people[..WARM.min(people.len())], 0, &counts).await?;
    drop(open.drain(..));
    let before = settled(node).await?;

    let first = options.connections.min(people.len());
    open = connect(node, &people[..first], 0, &counts).await?;
    let one_each = settled(node).await?;
    let name = format!("idle connection, {first} users with one each");
    let mut figures = vec![figure(name, one_each, before, first)];
    let mut opened = first;
    while opened < options.connections {
        let more = (options.connections - opened).min(people.len());
        open.extend(connect(node, &people[..more], opened, &counts).await?);
        opened += more;
    }
    let all = settled(node).await?;
    if opened > first {
        figures.push(figure(format!("idle connection, {opened} of {first} users"), all, before, opened));
    }
    ensure!(!open.iter().any(|(reader, _)| reader.is_finished()), "a connection was lost while it was idle");
    ensure!(counts.deliveries.load(Ordering::Relaxed) == 0, "the connections were not idle");
    open.iter().for_each(|(reader, _)| reader.abort());
    Ok(figures)
}

fn figure(name: String, after: u64, before: u64, connections: usize) -> Figure {
    let detail = format!("{} KiB before, {} KiB after {connections} connections", before / 1024, after / 1024);
    Figure::new(name, after.saturating_sub(before) as f64 / connections as f64, "bytes", detail)
}

type Open = (JoinHandle<crate::client::Error>, OwnedWriteHalf);

async fn connect(node: &Process, people: &[Person], offset: usize, counts: &Arc<Counts>) -> Result<Vec<Open>, Error> {
    let bar = progress("connecting", people.len());
    let opening = stream::iter(people.iter().enumerate()).map(|(number, person)| {
        let from = Target { source: Some(super::source(offset + number)), ..node.target() };
        let (counts, bar) = (Arc::clone(counts), bar.clone());
        async move {
            let (reader, writer) = raw::open(from, person, counts).await?;
            bar.inc(1);
            Ok::<_, Error>((tokio::spawn(reader.run(|_| {})), writer))
        }
    });
    let mut opening = opening.buffer_unordered(32);
    let mut open = Vec::with_capacity(people.len());
    while let Some(connection) = opening.next().await {
        open.push(connection?);
    }
    bar.finish_and_clear();
    Ok(open)
}

/// The node's memory once it has stopped shrinking: the least of ten seconds without a new least, at most a minute.
async fn settled(node: &Process) -> Result<u64, Error> {
    let bar = progress("waiting for memory to settle", 60);
    let (begun, mut since, mut least) = (Instant::now(), Instant::now(), u64::MAX);
    while since.elapsed() < Duration::from_secs(10) && begun.elapsed() < Duration::from_secs(60) {
        let now = node.private_bytes()?;
        if now < least {
            (least, since) = (now, Instant::now());
        }
        bar.set_position(begun.elapsed().as_secs());
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    bar.finish_and_clear();
    Ok(least)
}
