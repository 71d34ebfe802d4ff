//! The shell of the side that dials: keeps one connection to one node, and dials again when it breaks.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use parking_lot::Mutex;
use tokio::io::{AsyncReadExt, AsyncWriteExt, ReadHalf, WriteHalf};
use tokio::sync::{Notify, oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::codec::{Decoder, encode};
use super::frame::{Frame, Hello, Lane, Speaks};
use super::metrics::metrics;
use super::outbound::{AskError, Limits, Outbound, SayError, Told};
use super::transport::Transport;
use crate::NodeId;

/// Of one write.
pub(super) const WRITE_BYTES: usize = 64 << 10;
pub(super) const READ_BYTES: usize = 64 << 10;
const DIAL_WITHIN: Duration = Duration::from_secs(3);
/// How often time passes for what waits.
const TICK: Duration = Duration::from_millis(50);
/// Between two tries: doubled with each, to the last; a random part of it, so that a node that comes back is not dialled by
/// everybody in the same moment.
const PAUSE_FIRST: Duration = Duration::from_millis(20);
const PAUSE_LAST: Duration = Duration::from_millis(1_000);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    Away,
    /// What was said in an earlier session may not have been heard.
    Up {
        session: u64,
    },
}

/// Whoever has to begin anew with every session. Both are called in order, on the task that has the connection; must not block.
pub trait Meet: Send + Sync + 'static {
    /// What is said from here on is said in this session, and no answer that is given in it was heard yet.
    fn up(&self, _node: NodeId, _session: u64) {}
    /// The session is over. Who waits for answers of it is told after this.
    fn away(&self, _node: NodeId) {}
}

impl Meet for () {}

type Waits = oneshot::Sender<Result<Bytes, AskError>>;

struct Shared {
    them: NodeId,
    lane: Lane,
    core: Mutex<Outbound<Waits>>,
    wake: Notify,
    status: watch::Sender<Status>,
    meet: Arc<dyn Meet>,
    begun: Instant,
}

/// Held by the one that may dial a node.
pub(super) type Turn = Arc<tokio::sync::Mutex<()>>;

/// One node as it is reached from here; hangs up when it is dropped.
pub struct Peer {
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

/// Whom to dial, as whom.
#[derive(Clone, Debug)]
pub struct Line {
    pub us: NodeId,
    pub them: NodeId,
    pub address: String,
    pub lane: Lane,
}

impl Peer {
    pub fn dial<T: Transport>(transport: Arc<T>, line: Line, limits: Limits) -> Self {
        Self::meet(transport, line, limits, Arc::new(()), Turn::default())
    }

    /// Dials when its turn comes: when whoever has the turn for this node before has hung up, and has told so.
    pub(super) fn meet<T: Transport>(transport: Arc<T>, line: Line, limits: Limits, meet: Arc<dyn Meet>, turn: Turn) -> Self {
        let (core, status) = (Mutex::new(Outbound::new(limits)), watch::Sender::new(Status::Away));
        let shared = Arc::new(Shared { them: line.them, lane: line.lane, core, wake: Notify::new(), status, meet, begun: Instant::now() });
        let keeps = keep(shared.clone(), transport, line);
        let task = tokio::spawn(async move {
            let _ours = turn.lock().await;
            keeps.await;
        });
        Self { shared, task }
    }

    /// In order behind what was said before, or an error. Errors: see [`SayError`]; it was not and will not be heard.
    pub fn say(&self, body: Bytes) -> Result<(), SayError> {
        let said = self.shared.core.lock().say(body);
        self.shared.wake.notify_one();
        said
    }

    /// Sent before it returns to be awaited, so that it stands in order with what is said. Errors: see [`AskError`].
    pub fn ask(&self, body: Bytes, within: Duration) -> impl Future<Output = Result<Bytes, AskError>> + Send + use<> {
        let (waits, answered) = oneshot::channel();
        let within_ms = u32::try_from(within.as_millis()).unwrap_or(u32::MAX);
        let taken = self.shared.core.lock().ask(body, within_ms, waits, self.shared.now_ms());
        self.shared.wake.notify_one();
        tell(taken.err());
        async move { answered.await.unwrap_or(Err(AskError::Lost)) }
    }

    pub fn status(&self) -> watch::Receiver<Status> {
        self.shared.status.subscribe()
    }
    /// The newest slot table that is known here: stands on everything that is said from now on.
    pub fn knows_table(&self, version: u64) {
        self.shared.core.lock().table = version;
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Shared {
    fn now_ms(&self) -> u64 {
        self.begun.elapsed().as_millis() as u64
    }
    /// Most of what is heard and every tick is no reason to send.
    fn wake_if_waiting(&self) {
        if self.core.lock().is_waiting() {
            self.wake.notify_one();
        }
    }
}

/// Who no longer listens is not told.
fn tell(told: impl IntoIterator<Item = Told<Waits>>) {
    told.into_iter().for_each(|(waits, answer)| drop(waits.send(answer)));
}

async fn keep<T: Transport>(shared: Arc<Shared>, transport: Arc<T>, line: Line) {
    // Of no process of this node before: a clock would go back some day.
    let (mut session, mut pause) = (rand::random::<u64>() >> 1, PAUSE_FIRST);
    loop {
        if let Ok(Ok(stream)) = tokio::time::timeout(DIAL_WITHIN, transport.dial(line.them, &line.address)).await {
            session += 1;
            let hello = Hello { speaks: Speaks::OURS, node: line.us, lane: line.lane, session };
            let was_up = hold(&shared, hello, stream).await;
            tell(shared.core.lock().lost());
            shared.status.send_if_modified(|status| std::mem::replace(status, Status::Away) != Status::Away);
            if was_up {
                metrics().lost.increment(1);
                pause = PAUSE_FIRST;
            }
        }
        tokio::time::sleep(pause.mul_f64(rand::random_range(0.5..=1.0))).await;
        pause = (pause * 2).min(PAUSE_LAST);
    }
}

/// One connection, to its end. Whether it was ever up.
async fn hold<S: tokio::io::AsyncRead + tokio::io::AsyncWrite>(shared: &Shared, hello: Hello, stream: S) -> bool {
    let session = hello.session;
    shared.core.lock().connected(hello, shared.now_ms());
    let (read, write) = tokio::io::split(stream);
    let why = tokio::select! {
        why = hear(shared, session, read) => why,
        why = speak(shared, write) => why,
        why = tick(shared) => why,
    };
    tracing::debug!(%why, session, "a connection to a node ended");
    *shared.status.borrow() != Status::Away
}

/// A session that is up, until it is dropped, for whatever reason.
struct Met<'a>(&'a Shared);

impl<'a> Met<'a> {
    fn begin(shared: &'a Shared, session: u64) -> Self {
        let met = Self(shared);
        shared.meet.up(shared.them, session);
        met
    }
}

impl Drop for Met<'_> {
    fn drop(&mut self) {
        let told = self.0.core.lock().lost();
        self.0.meet.away(self.0.them);
        tell(told);
    }
}

async fn hear<S: tokio::io::AsyncRead>(shared: &Shared, session: u64, mut read: ReadHalf<S>) -> io::Error {
    let (mut decoder, mut bytes) = (Decoder::default(), vec![0; READ_BYTES]);
    let mut met = None;
    loop {
        let count = match read.read(&mut bytes).await {
            Ok(0) => return io::ErrorKind::UnexpectedEof.into(),
            Ok(count) => count,
            Err(error) => return error,
        };
        metrics().received_bytes.increment(count as u64);
        decoder.push(&bytes[..count]);
        loop {
            let heard = match decoder.frame() {
                Ok(Some(frame)) => shared.core.lock().hear(frame, shared.now_ms()),
                Ok(None) => break,
                Err(error) => return io::Error::other(error),
            };
            match heard {
                Ok((is_up, told)) => {
                    tell(told);
                    if is_up {
                        metrics().connected.increment(1);
                        met.get_or_insert_with(|| Met::begin(shared, session));
                        shared.status.send_replace(Status::Up { session });
                    }
                }
                Err(error) => return io::Error::other(error),
            }
        }
        // A frame that came may have brought credit.
        shared.wake_if_waiting();
    }
}

async fn speak<S: tokio::io::AsyncWrite>(shared: &Shared, mut write: WriteHalf<S>) -> io::Error {
    let (mut frames, mut bytes): (Vec<Frame>, Vec<u8>) = (Vec::new(), Vec::new());
    loop {
        shared.core.lock().take(WRITE_BYTES, &mut frames);
        if frames.is_empty() {
            shared.wake.notified().await;
            continue;
        }
        metrics().words(shared.lane).increment(frames.iter().filter(|frame| frame.is_word()).count() as u64);
        frames.drain(..).for_each(|frame| encode(&frame, &mut bytes));
        metrics().sent_bytes.increment(bytes.len() as u64);
        if let Err(error) = write_all(&mut write, &bytes).await {
            return error;
        }
        bytes.clear();
        bytes.shrink_to(WRITE_BYTES * 2);
    }
}

pub(super) async fn write_all<S: tokio::io::AsyncWrite>(write: &mut WriteHalf<S>, bytes: &[u8]) -> io::Result<()> {
    write.write_all(bytes).await?;
    write.flush().await
}

async fn tick(shared: &Shared) -> io::Error {
    let (mut every, mut waiting) = (tokio::time::interval(TICK), Share::default());
    loop {
        every.tick().await;
        let mut told = Vec::new();
        let (lives, queue_bytes) = {
            let mut core = shared.core.lock();
            (core.tick(shared.now_ms(), &mut told), core.queue_bytes())
        };
        // Here and not where something is taken from the queue: a node that takes nothing in is whom the number is about.
        waiting.is(queue_bytes);
        tell(told);
        shared.wake_if_waiting();
        if !lives {
            let overflowed = shared.core.lock().overflowed();
            if overflowed {
                metrics().overflowed.increment(1);
            }
            return io::Error::other(if overflowed { "too much waits to be sent" } else { "nothing was heard for too long" });
        }
    }
}

/// This connection's part of what waits on all of them; over with the connection.
#[derive(Default)]
struct Share(usize);

impl Share {
    fn is(&mut self, bytes: usize) {
        let before = std::mem::replace(&mut self.0, bytes);
        if before != bytes {
            metrics().queue_bytes.increment(bytes as f64 - before as f64);
        }
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.is(0);
    }
}
