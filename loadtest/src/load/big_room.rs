//! A room of ten thousand on one node, everybody connected: how long from a post until the last has it, and how many
//! frames each of them gets while a thousand type, a thousand others react and all say what they have read; in the end
//! everybody has each reaction once and in its place, and every receipt is right.
//! Node and this program share all processors, and this program has to read ten thousand sockets: its part is in the time.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use bytes::BytesMut;
use schema::client::{ClientEvent, Delivered, Ping, Typing};
use schema::rest::Receipts;

use super::flock::{Open, connect};
use super::raw::{self, Counts, Glimpse};
use super::{Error, Figure, TEXT, enrol, make_groups, until};
use crate::client::{Api, frame};
use crate::measure::Latencies;
use crate::people::Person;
use crate::process::Process;

const POSTS: u64 = 40;
/// Everybody says that they are there once in so many posts.
const PINGS: usize = 10;
const TYPISTS: usize = 1_000;
/// Each reacts once, to the first message; all are spread over the rounds.
const REACTORS: usize = 1_000;
const PIECES: u64 = 20;
/// How often people say, once a second, that they type and what they have.
const ROUNDS: u64 = 5;

pub async fn measure(node: &Process, members: usize, files: u64) -> Result<Vec<Figure>, Error> {
    ensure!((members as u64) + 200 < files, "{members} members need more open files than {files}: raise `ulimit -n`");
    let people = enrol(node, "member", members).await?;
    let room = make_groups(node.target(), &people, vec![(0..members).collect()]).await?[0];
    let (counts, begun) = (Arc::new(Counts::default()), Instant::now());
    let (head, heard, last_us) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let look = {
        let (head, heard, last_us) = (Arc::clone(&head), Arc::clone(&heard), Arc::clone(&last_us));
        move |glimpse| {
            if let Glimpse::Delivered { seq, .. } = glimpse {
                head.fetch_max(seq, Ordering::Relaxed);
                if (heard.fetch_add(1, Ordering::Relaxed) + 1).is_multiple_of(members as u64) {
                    last_us.store(begun.elapsed().as_micros() as u64, Ordering::Release);
                }
            }
        }
    };
    let mut open = connect(node.target(), 0, &people, &counts, look).await?;
    let (mut latencies, cpu) = (Latencies::default(), node.cpu_us()?);
    for n in 1..=POSTS {
        let sent_us = begun.elapsed().as_micros() as u64;
        let mut out = BytesMut::new();
        raw::write_post(&mut out, n as u32, room, head.load(Ordering::Relaxed), TEXT);
        say(&open[0], &out)?;
        let all = n * members as u64;
        until("a post with everybody", || heard.load(Ordering::Relaxed) >= all).await?;
        latencies.record(last_us.load(Ordering::Acquire).saturating_sub(sent_us));
        // On a slow machine this takes longer than a node listens to silence.
        for open in open.iter().skip(n as usize % PINGS).step_by(PINGS) {
            let mut out = BytesMut::new();
            push(&mut out, &ClientEvent::Ping(Ping { id: u32::MAX }));
            say(open, &out)?;
        }
    }
    let deliveries = POSTS * members as u64;
    super::delivered(&counts, deliveries).await?;
    let cpu = (node.cpu_us()? - cpu) as f64 / deliveries as f64;
    let ms = |quantile: f64| latencies.at(quantile) as f64 / 1000.0;
    let detail = format!(
        "from the send until the last of {members} has it, {POSTS} posts one by one, p90 {:.1} ms; {cpu:.2} CPU µs a delivery",
        ms(0.9)
    );
    let mut figures = vec![Figure::new(format!("post in a room of {members}, p50"), ms(0.5), "ms", detail)];
    let reactors = REACTORS.min(members);
    figures.push(talk(&mut open, &people, &counts, node, room, head.load(Ordering::Relaxed)).await?);
    ensure!(!open.iter().any(|open| open.reader.is_finished()), "a connection was lost");
    super::sound(&counts, deliveries + (reactors * members) as u64)?;
    Ok(figures)
}

/// Everybody says what has arrived, and many type: what each hears of it, and that in the end every receipt is there.
async fn talk(
    open: &mut [Open],
    people: &[Person],
    counts: &Counts,
    node: &Process,
    room: schema::RoomId,
    head: u64,
) -> Result<Figure, Error> {
    let frames = || counts.told.load(Ordering::Relaxed) + counts.frames.load(Ordering::Relaxed);
    let (before, deliveries, begun) = (frames(), counts.deliveries.load(Ordering::Relaxed), Instant::now());
    let reactors = REACTORS.min(people.len());
    for piece in 0..ROUNDS * PIECES {
        let due = begun + Duration::from_millis(piece * 1000 / PIECES);
        tokio::time::sleep_until(due.into()).await;
        let (round, piece, pieces) = (piece / PIECES, piece as usize, (ROUNDS * PIECES) as usize);
        for open in open.iter().rev().take(reactors).skip(piece).step_by(pieces) {
            let mut out = BytesMut::new();
            raw::write_react(&mut out, u32::MAX, room, head, 2, "👋");
            say(open, &out)?;
        }
        // In each piece another part of the people, so that everybody has their turn once a round.
        for (n, open) in open.iter().enumerate().skip(piece % PIECES as usize).step_by(PIECES as usize) {
            let mut out = BytesMut::new();
            // The last word says the head; those before it a little less.
            push(&mut out, &ClientEvent::Delivered(Delivered { room, seq: head - ROUNDS + round }));
            if n < TYPISTS {
                push(&mut out, &ClientEvent::Typing(Typing { room, on: true }));
            }
            say(open, &out)?;
            if n.is_multiple_of(64) {
                tokio::task::yield_now().await;
            }
        }
    }
    tokio::time::sleep_until((begun + Duration::from_secs(ROUNDS)).into()).await;
    let all = deliveries + (reactors * people.len()) as u64;
    until("every reaction with everybody", || counts.deliveries.load(Ordering::Relaxed) >= all).await?;
    let (seconds, told) = (begun.elapsed().as_secs_f64(), frames() - before);
    for open in open.iter() {
        let mut out = BytesMut::new();
        push(&mut out, &ClientEvent::Delivered(Delivered { room, seq: head }));
        say(open, &out)?;
        tokio::task::yield_now().await;
    }
    let api = Api::signed_in(node.target(), &people[0].tokens.access);
    let (asked, mut exact) = (Instant::now(), 0);
    while exact < people.len() && asked.elapsed() < Duration::from_secs(30) {
        exact = receipts_at(&api, room, head).await?;
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    ensure!(exact == people.len(), "of {} receipts {exact} are in the room's list", people.len());
    let each = told as f64 / people.len() as f64 / seconds;
    let detail = format!(
        "{TYPISTS} type and {} say what they have, {ROUNDS} times, and {reactors} react, in {seconds:.1} s; all have each reaction once and in \
         its place, {exact} of {} receipts are right in the end",
        people.len(),
        people.len()
    );
    Ok(Figure::new("typing, receipts, reactions, presence there", each, "frames/s a client", detail))
}

/// How many members have said that they have everything up to `head`.
async fn receipts_at(api: &Api, room: schema::RoomId, head: u64) -> Result<usize, Error> {
    let (mut count, mut cursor) = (0, None::<String>);
    loop {
        let after = cursor.map(|cursor| format!("&cursor={cursor}")).unwrap_or_default();
        let path = format!("/v1/rooms/{room}/receipts?limit=200{after}");
        let page: Receipts = api.call(hyper::Method::GET, &path, None).await.context("the receipts of the room")?;
        count += page.receipts.iter().filter(|receipt| receipt.delivered == head).count();
        cursor = page.cursor;
        if cursor.is_none() {
            return Ok(count);
        }
    }
}

fn push(out: &mut BytesMut, event: &ClientEvent) {
    frame::write(out, frame::TEXT, &schema::wire::to_json(event), rand::random());
}

fn say(open: &Open, bytes: &[u8]) -> Result<(), Error> {
    let taken = open.writer.try_write(bytes).context("the node does not read")?;
    ensure!(taken == bytes.len(), "the kernel took only a part of a frame");
    Ok(())
}
