//! The store process's side: serves one `Journal` and `Records` to many nodes at once. Decides nothing about who owns what:
//! fencing does, in the store behind it.
//!
//! Invariant: what is answered is durable, plain writes too. A node that goes on after this process was replaced could not
//! know which of what it wrote a later `sync` is about.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use parking_lot::Mutex;
use tokio::io::{AsyncReadExt, AsyncWriteExt, ReadHalf, WriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, Semaphore, SemaphorePermit, oneshot};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::Instant;

use super::call::Work;
use super::codec::{Decoder, FrameError, encode};
use super::frame::{Answered, Call, Failure, Frame, Welcome};
use super::greet::{GreetError, Stream, meet_node};
use super::line::CHUNK_BYTES;
use super::metrics::metrics;
use super::secret::Secret;
use super::tls::{Door, is_loopback};
use crate::op::{Done, Op};
use crate::{Error, Journal, Records};

#[derive(Clone)]
pub struct ServerConfig {
    pub secret: Secret,
    /// Needed on an address that is not this machine's alone.
    pub door: Door,
    pub nodes_max: usize,
    /// Of one node without an answer, urgent ones and plain ones each.
    pub calls_max: u32,
    pub bytes_max: u32,
    /// Answers that a node has not read; over it, it is hung up on.
    pub answer_bytes_max: usize,
    /// Nothing was heard from a node for so long: it is hung up on.
    pub silence: Duration,
}

impl ServerConfig {
    pub fn new(secret: Secret) -> Self {
        Self {
            secret,
            door: Door::default(),
            nodes_max: 256,
            calls_max: 2_048,
            bytes_max: 16 << 20,
            answer_bytes_max: 32 << 20,
            silence: Duration::from_secs(10),
        }
    }
}

/// Serves until it is stopped or dropped.
pub struct Server {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<()>,
}

const GREET_WITHIN: Duration = Duration::from_secs(5);
/// Greetings under way at a time; others wait in the kernel.
const GREETINGS_MAX: usize = 64;
/// After an accept that failed, for want of files as a rule.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

impl Server {
    /// Errors: an address that others can reach, without TLS.
    pub fn start<S: Journal + Records>(listener: TcpListener, store: Arc<S>, config: ServerConfig) -> Result<Self, Error> {
        let address = listener.local_addr().map_err(|error| Error::Unusable(format!("the listener has no address: {error}")))?;
        if !config.door.has_tls() && !is_loopback(&address.to_string()) {
            let why = format!("{address} can be reached from other machines: give a certificate, or listen on 127.0.0.1");
            return Err(Error::Unusable(why));
        }
        let (stop, stopped) = oneshot::channel();
        let house = Arc::new(House { store, nodes: Semaphore::new(config.nodes_max), config });
        let task = tokio::spawn(async move {
            let mut talks = JoinSet::new();
            tokio::select! {
                () = accept(listener, house, &mut talks) => {}
                _ = stopped => {}
            }
            talks.shutdown().await;
        });
        Ok(Self { address, stop: Some(stop), task })
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Hangs up on everybody; nobody has the store any more when this returns. What is under way is unknown to them.
    pub async fn stop(mut self) {
        drop(self.stop.take());
        // It ends by itself, or it panicked and has nothing any more.
        let _ = (&mut self.task).await;
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

struct House<S> {
    store: Arc<S>,
    config: ServerConfig,
    nodes: Semaphore,
}

async fn accept<S: Journal + Records>(listener: TcpListener, house: Arc<House<S>>, talks: &mut JoinSet<()>) {
    let greetings = Arc::new(Semaphore::new(GREETINGS_MAX));
    loop {
        let place = greetings.clone().acquire_owned().await.expect("nobody closes it");
        match listener.accept().await {
            Ok((stream, from)) => {
                let house = house.clone();
                talks.spawn(async move {
                    match tokio::time::timeout(GREET_WITHIN, house.greet(stream)).await {
                        Ok(Ok((decoder, stream, _seat))) => {
                            drop(place);
                            house.talk(from, decoder, stream).await;
                        }
                        // Somebody looked whether it listens.
                        Ok(Err(GreetError::Broken(error))) => tracing::debug!(%from, %error, "a greeting broke off"),
                        Ok(Err(error)) => turned_away(from, &error),
                        Err(_) => turned_away(from, &"it did not greet in time"),
                    }
                });
            }
            Err(error) => {
                tracing::warn!(%error, "a node could not be let in");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
        while talks.try_join_next().is_some() {}
    }
}

fn turned_away(from: SocketAddr, why: &dyn std::fmt::Display) {
    metrics().turned_away.increment(1);
    tracing::warn!(%from, %why, "somebody who is no node was turned away");
}

impl<S: Journal + Records> House<S> {
    /// With the node's place, if there is one.
    async fn greet(&self, stream: TcpStream) -> Result<(Decoder, Box<dyn Stream>, Option<SemaphorePermit<'_>>), GreetError> {
        let mut stream = self.config.door.open(stream).await?;
        let seat = self.nodes.try_acquire().ok();
        let welcome = seat.as_ref().map(|_| Welcome {
            grant: self.store.grant(),
            calls_max: self.config.calls_max,
            bytes_max: self.config.bytes_max,
        });
        let decoder = meet_node(&mut stream, &self.config.secret, welcome).await?;
        Ok((decoder, stream, seat))
    }

    async fn talk(&self, from: SocketAddr, decoder: Decoder, stream: Box<dyn Stream>) {
        metrics().nodes.increment(1.0);
        let (read, write) = tokio::io::split(stream);
        let talk = Talk { begun: Instant::now(), heard_ms: AtomicU64::new(0), out: Mutex::default(), wake: Notify::new() };
        let why = tokio::select! {
            why = self.hear(&talk, decoder, read) => why,
            why = talk.speak(write) => why,
            why = talk.watch(self.config.silence) => why,
        };
        metrics().nodes.decrement(1.0);
        tracing::info!(%from, %why, "a node hung up, or was hung up on");
    }

    async fn hear(&self, talk: &Talk, mut decoder: Decoder, mut read: ReadHalf<Box<dyn Stream>>) -> io::Error {
        let (mut bytes, mut under_way) = (vec![0; CHUNK_BYTES], FuturesUnordered::new());
        let (mut urgent, mut plain) = (Window::default(), Window::default());
        loop {
            loop {
                match decoder.frame() {
                    Ok(Some(Frame::Ask { id, within_ms, call })) => {
                        let (is_plain, of_call) = (call.is_plain(), call.bytes());
                        let window = if is_plain { &mut plain } else { &mut urgent };
                        let work = match window.take(&self.config, of_call).and_then(|()| call.work()) {
                            Ok(work) => work,
                            Err(error) => return overflowed(error),
                        };
                        let answer = self.answer(work, Duration::from_millis(within_ms.into()));
                        under_way.push(async move { (id, is_plain, of_call, answer.await) });
                    }
                    Ok(Some(Frame::Ping {})) => talk.say(&Frame::Pong {}),
                    Ok(Some(_)) => return io::Error::other(FrameError::OutOfPlace("what the node said")),
                    Ok(None) => break,
                    Err(error) => return io::Error::other(error),
                }
            }
            tokio::select! {
                count = read.read(&mut bytes) => match count {
                    Ok(0) => return io::ErrorKind::UnexpectedEof.into(),
                    Ok(count) => {
                        talk.heard();
                        decoder.push(&bytes[..count]);
                    }
                    Err(error) => return error,
                },
                Some((id, is_plain, of_call, answered)) = under_way.next() => {
                    let window = if is_plain { &mut plain } else { &mut urgent };
                    window.give_back(of_call);
                    metrics().served.increment(1);
                    talk.say(&Frame::Answer { id, answered });
                    if talk.out.lock().len() > self.config.answer_bytes_max {
                        return overflowed(FrameError::OverWindow);
                    }
                }
            }
        }
    }

    /// Nobody waits after `within`: what has not happened by then need not.
    async fn answer(&self, work: Work, within: Duration) -> Answered {
        let answered = tokio::time::timeout(within, self.carry_out(work)).await;
        let answered = answered.unwrap_or_else(|_| Err(Error::Unknown("the store was too slow".into())));
        answered.unwrap_or_else(|error| Answered::Failed(Failure::from(error)))
    }

    async fn carry_out(&self, work: Work) -> Result<Answered, Error> {
        let store = &self.store;
        let done = match work {
            Work::Read { slot, from, limit } => return store.read(slot, from, limit).await.map(Answered::of_blocks),
            Work::Get(key) => return store.get(key).await.map(Answered::of_row),
            Work::Scan(range) => {
                let limit = range.limit;
                return store.scan(range).await.map(|rows| Answered::of_rows(rows, limit));
            }
            Work::Write(Op::Fence { slot, epoch }) => Done::Fenced(store.fence(slot, epoch).await?),
            Work::Write(Op::Append(append)) => Done::Appended(store.append(append).await?),
            Work::Write(Op::Trim { slot, upto }) => store.trim(slot, upto).await.map(|()| Done::Written)?,
            Work::Write(Op::Put { key, value, expect }) => Done::Put(store.put(key, value, expect).await?),
            Work::Write(Op::Delete(key)) => store.delete(key).await.map(|()| Done::Written)?,
            Work::Write(Op::PutMany(writes)) => {
                store.put_many(writes).await?;
                store.sync().await.map(|()| Done::Written)?
            }
            Work::Write(Op::PutMax { key, value, stamp }) => {
                store.put_max(key, value, stamp).await?;
                store.sync().await.map(|()| Done::Written)?
            }
            Work::Write(Op::Sync) => store.sync().await.map(|()| Done::Written)?,
        };
        Ok(done.into())
    }
}

fn overflowed(error: FrameError) -> io::Error {
    metrics().overflowed.increment(1);
    io::Error::other(error)
}

/// What is under way of one node; it keeps to the same rule (`core.rs`), so more than that is no node.
#[derive(Default)]
struct Window {
    calls: usize,
    bytes: usize,
}

impl Window {
    fn take(&mut self, config: &ServerConfig, bytes: usize) -> Result<(), FrameError> {
        let has_room = self.calls < config.calls_max as usize && self.bytes + bytes <= config.bytes_max as usize;
        if self.calls > 0 && !has_room {
            return Err(FrameError::OverWindow);
        }
        self.calls += 1;
        self.bytes += bytes;
        Ok(())
    }
    fn give_back(&mut self, bytes: usize) {
        self.calls -= 1;
        self.bytes -= bytes;
    }
}

/// One connection, as its halves share it.
struct Talk {
    begun: Instant,
    heard_ms: AtomicU64,
    /// Encoded, and not written yet.
    out: Mutex<Vec<u8>>,
    wake: Notify,
}

impl Talk {
    fn heard(&self) {
        self.heard_ms.store(self.begun.elapsed().as_millis() as u64, Ordering::Relaxed);
    }

    fn say(&self, frame: &Frame) {
        encode(frame, &mut self.out.lock());
        self.wake.notify_one();
    }

    async fn speak(&self, mut write: WriteHalf<Box<dyn Stream>>) -> io::Error {
        let mut bytes = Vec::new();
        loop {
            std::mem::swap(&mut *self.out.lock(), &mut bytes);
            if bytes.is_empty() {
                self.wake.notified().await;
                continue;
            }
            let written = async { write.write_all(&bytes).await.and(write.flush().await) };
            if let Err(error) = written.await {
                return error;
            }
            bytes.clear();
            bytes.shrink_to(CHUNK_BYTES * 2);
        }
    }

    async fn watch(&self, silence: Duration) -> io::Error {
        let mut every = tokio::time::interval((silence / 4).max(Duration::from_millis(10)));
        loop {
            every.tick().await;
            let heard = Duration::from_millis(self.heard_ms.load(Ordering::Relaxed));
            if self.begun.elapsed().saturating_sub(heard) >= silence {
                return io::Error::new(io::ErrorKind::TimedOut, "nothing was heard from it for too long");
            }
        }
    }
}

/// Carries out what a node put on the wire, if it may be: for whoever feeds it noise (`tests/fuzz`).
#[doc(hidden)]
pub fn check(call: Call, store: &crate::SimStore) {
    if let Ok(Work::Write(op)) = call.work() {
        store.with(|store| drop(store.apply(op, crate::sim::Fault::None)));
    }
}
