//! The shell of the side that is dialled: greets whoever the transport vouches for, and brings what they say to the one above.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use parking_lot::Mutex;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadHalf, WriteHalf};
use tokio::sync::{Notify, OwnedMutexGuard, OwnedSemaphorePermit, Semaphore};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::Instant;

use super::codec::{Decoder, encode};
use super::frame::{Answered, Frame, Lane, Refusal};
use super::inbound::{Heard, Inbound};
use super::knock::{self, Knock};
use super::metrics::metrics;
use super::outbound::Limits;
use super::peer::{READ_BYTES, WRITE_BYTES, write_all};
use super::transport::{Incoming, Transport};
use crate::NodeId;

/// Whoever is above the link. Called in the order in which it came; must not block.
pub trait Receive: Send + Sync + 'static {
    /// A node has a new connection; of its earlier one on this lane nothing comes any more.
    fn arrived(&self, from: Whence);
    fn said(&self, said: Said);
    fn asked(&self, asked: Asked);
    fn gone(&self, from: Whence);
    /// Somebody who is no node asks to be let in. Dropped without an answer, they are turned away.
    fn knocked(&self, knock: Knock) {
        drop(knock);
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Whence {
    pub node: NodeId,
    pub lane: Lane,
    pub session: u64,
}

/// Holds its place in what the other side may have under way until it is dropped.
pub struct Said {
    pub from: Whence,
    /// The newest slot table that the other side knew.
    pub table: u64,
    pub body: Bytes,
    _place: Place,
}

/// To be answered; dropped without, it is refused as `Gone`.
pub struct Asked {
    pub from: Whence,
    pub table: u64,
    pub body: Bytes,
    /// Nobody waits for the answer after that.
    pub until: Instant,
    id: u64,
    answered: bool,
    place: Place,
}

impl Asked {
    /// `table`: the newest slot table that is known here.
    pub fn answer(mut self, answer: Result<Bytes, Refusal>, table: u64) {
        self.give(answer.map_or_else(Answered::Refused, Answered::Done), Some(table));
    }
    fn give(&mut self, answered: Answered, table: Option<u64>) {
        self.answered = true;
        metrics().words(self.from.lane).increment(1);
        let mut core = self.place.talk.core.lock();
        core.table = table.unwrap_or(core.table);
        core.answer(self.id, answered);
        self.place.talk.wake.notify_one();
    }
}

impl Drop for Asked {
    fn drop(&mut self) {
        if !self.answered {
            self.give(Answered::Refused(Refusal::Gone), None);
        }
    }
}

/// One connection, as its two halves and those who owe answers share it.
struct Talk {
    core: Mutex<Inbound>,
    wake: Notify,
}

struct Place {
    talk: Arc<Talk>,
    bytes: usize,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut core = self.talk.core.lock();
        core.consumed(self.bytes);
        // As a rule it is not worth a frame yet.
        if core.is_waiting() {
            self.talk.wake.notify_one();
        }
    }
}

/// Greetings under way at a time; others wait in the kernel.
const GREETINGS_MAX: usize = 64;
const GREET_WITHIN: Duration = Duration::from_secs(5);
/// After an accept that failed, for want of files as a rule.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Listens until it is dropped.
pub struct Listener(JoinHandle<()>);

impl Drop for Listener {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// A node's place on a lane: one connection has it, and the next one that wants it has the one before ended.
#[derive(Clone, Default)]
struct Seat {
    taken: Arc<tokio::sync::Mutex<()>>,
    end: Arc<Notify>,
}

struct Desk<R> {
    us: NodeId,
    limits: Limits,
    above: Arc<R>,
    /// As many as there were nodes since this one started.
    seats: Mutex<HashMap<(NodeId, Lane), Seat>>,
}

impl Listener {
    pub fn listen<T: Transport, R: Receive>(transport: Arc<T>, us: NodeId, limits: Limits, above: Arc<R>) -> Self {
        let desk = Arc::new(Desk { us, limits, above, seats: Mutex::default() });
        Self(tokio::spawn(async move {
            let (places, mut talks) = (Arc::new(Semaphore::new(GREETINGS_MAX)), JoinSet::new());
            loop {
                let place = places.clone().acquire_owned().await.expect("nobody closes it");
                match transport.accept().await {
                    Ok(incoming) => drop(talks.spawn(desk.clone().receive(incoming, place))),
                    Err(error) => {
                        tracing::warn!(%error, "a node could not be let in");
                        tokio::time::sleep(ACCEPT_PAUSE).await;
                    }
                }
                while talks.try_join_next().is_some() {}
            }
        }))
    }
}

impl<R: Receive> Desk<R> {
    async fn receive<I: Incoming>(self: Arc<Self>, incoming: I, place: OwnedSemaphorePermit)
    where
        I::Stream: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let (them, stream) = match tokio::time::timeout(GREET_WITHIN, incoming.open()).await {
            Ok(Ok(opened)) => opened,
            Ok(Err(error)) => {
                metrics().refused.increment(1);
                return tracing::warn!(%error, "somebody who is no node of the group was turned away");
            }
            Err(_) => return metrics().refused.increment(1),
        };
        let Some(them) = them else {
            if let Err(error) = knock::answer(stream, &*self.above).await {
                metrics().refused.increment(1);
                tracing::warn!(%error, "somebody who asked to join was turned away");
            }
            return;
        };
        let core = Mutex::new(Inbound::new(self.us, them, self.limits.window_bytes, self.limits.queue_bytes_max));
        let talk = Arc::new(Talk { core, wake: Notify::new() });
        let (read, write) = tokio::io::split(stream);
        tokio::select! {
            error = self.hear(&talk, read, place) => tracing::debug!(%error, node = them.0, "a node hung up"),
            error = speak(&talk, write) => tracing::debug!(%error, node = them.0, "a node cannot be answered"),
        }
    }

    async fn hear<S: AsyncRead>(&self, talk: &Arc<Talk>, mut read: ReadHalf<S>, place: OwnedSemaphorePermit) -> io::Error {
        let (mut decoder, mut bytes) = (Decoder::default(), vec![0; READ_BYTES]);
        let (mut greeting, mut here): (_, Option<Here<'_, R>>) = (Some(place), None);
        let silence = Duration::from_millis(self.limits.silence_ms);
        loop {
            let count = tokio::select! {
                count = tokio::time::timeout(silence, read.read(&mut bytes)) => count,
                () = Here::ended(&here) => return io::Error::other("the node has a newer connection"),
            };
            let count = match count {
                Ok(Ok(0)) => return io::ErrorKind::UnexpectedEof.into(),
                Ok(Ok(count)) => count,
                Ok(Err(error)) => return error,
                Err(_) => return io::ErrorKind::TimedOut.into(),
            };
            metrics().received_bytes.increment(count as u64);
            decoder.push(&bytes[..count]);
            loop {
                let heard = match decoder.frame() {
                    Ok(Some(frame)) => talk.core.lock().hear(frame),
                    Ok(None) => break,
                    Err(error) => return io::Error::other(error),
                };
                match (heard, &here) {
                    (Ok(Heard::Arrived(hello)), None) => {
                        let from = Whence { node: hello.node, lane: hello.lane, session: hello.session };
                        here = Some(Here::arrive(self, from).await);
                        greeting = None;
                    }
                    (Ok(Heard::Said { table, body }), Some(here)) => {
                        let place = Place { talk: talk.clone(), bytes: body.len() };
                        self.above.said(Said { from: here.from, table, body, _place: place });
                    }
                    (Ok(Heard::Asked { id, table, within_ms, body }), Some(here)) => {
                        let place = Place { talk: talk.clone(), bytes: body.len() };
                        let until = Instant::now() + Duration::from_millis(u64::from(within_ms));
                        self.above.asked(Asked { from: here.from, table, body, until, id, answered: false, place });
                    }
                    (Ok(_), _) => {}
                    (Err(error), _) => return io::Error::other(error),
                }
            }
            drop(greeting.take_if(|_| here.is_some()));
            if talk.core.lock().is_waiting() {
                talk.wake.notify_one();
            }
        }
    }
}

/// A connection that has its node's seat. Whatever ends it, the one above is told, before the next arrives.
struct Here<'a, R: Receive> {
    desk: &'a Desk<R>,
    from: Whence,
    end: Arc<Notify>,
    _taken: OwnedMutexGuard<()>,
}

impl<'a, R: Receive> Here<'a, R> {
    async fn arrive(desk: &'a Desk<R>, from: Whence) -> Self {
        let end = Arc::new(Notify::new());
        let taken = {
            let mut seats = desk.seats.lock();
            let seat = seats.entry((from.node, from.lane)).or_default();
            std::mem::replace(&mut seat.end, end.clone()).notify_one();
            seat.taken.clone().lock_owned()
        };
        let taken = taken.await;
        desk.above.arrived(from);
        Self { desk, from, end, _taken: taken }
    }

    async fn ended(here: &Option<Self>) {
        match here {
            Some(here) => here.end.notified().await,
            None => std::future::pending().await,
        }
    }
}

impl<R: Receive> Drop for Here<'_, R> {
    fn drop(&mut self) {
        self.desk.above.gone(self.from);
    }
}

async fn speak<S: AsyncWrite>(talk: &Talk, mut write: WriteHalf<S>) -> io::Error {
    let (mut frames, mut bytes): (Vec<Frame>, Vec<u8>) = (Vec::new(), Vec::new());
    loop {
        let goes_on = talk.core.lock().take(WRITE_BYTES, &mut frames);
        if frames.is_empty() {
            talk.wake.notified().await;
            continue;
        }
        frames.drain(..).for_each(|frame| encode(&frame, &mut bytes));
        metrics().sent_bytes.increment(bytes.len() as u64);
        if let Err(error) = write_all(&mut write, &bytes).await {
            return error;
        }
        if !goes_on {
            return io::Error::other("it is refused, or does not read its answers");
        }
        bytes.clear();
        bytes.shrink_to(WRITE_BYTES * 2);
    }
}
