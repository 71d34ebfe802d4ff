//! The shell of a node's side: keeps one connection to the store process, and dials again when it breaks.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::io::{AsyncReadExt, AsyncWriteExt, ReadHalf, WriteHalf};
use tokio::sync::{Notify, oneshot, watch};
use tokio::time::Instant;

use super::codec::{Decoder, encode};
use super::core::{Core, Told, Unanswered};
use super::frame::{Answered, Frame, Welcome};
use super::greet::{GreetError, Stream, meet_store};
use super::metrics::metrics;
use super::secret::Secret;
use super::tls::Dial;

pub type Waits = oneshot::Sender<Result<Answered, Unanswered>>;

/// Of one write, and of one read.
pub const CHUNK_BYTES: usize = 64 << 10;
/// Dialling and greeting together.
const GREET_WITHIN: Duration = Duration::from_secs(3);
/// How often time passes for what waits.
const TICK: Duration = Duration::from_millis(50);
/// Between two tries: doubled with each, to the last; a random part of it, so that a store process that comes back is not
/// dialled by every node in the same moment.
const PAUSE_FIRST: Duration = Duration::from_millis(20);
const PAUSE_LAST: Duration = Duration::from_millis(1_000);

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Status {
    /// What the last try met; empty before the first has ended.
    Away(String),
    Up(Welcome),
    /// Until somebody does something.
    Refused(&'static str),
}

pub struct Line {
    pub core: Mutex<Core<Waits>>,
    pub wake: Notify,
    pub status: watch::Sender<Status>,
    pub begun: Instant,
}

impl Line {
    pub fn now_ms(&self) -> u64 {
        self.begun.elapsed().as_millis() as u64
    }

    /// Until it is dropped.
    pub async fn keep(self: Arc<Self>, dial: Dial, secret: Secret) {
        tokio::select! {
            () = self.stay_connected(&dial, &secret) => {}
            () = self.pass_time() => {}
        }
    }

    async fn stay_connected(&self, dial: &Dial, secret: &Secret) {
        let mut pause = PAUSE_FIRST;
        loop {
            let status = match tokio::time::timeout(GREET_WITHIN, meet(dial, secret)).await {
                Ok(Ok((welcome, decoder, stream))) => {
                    pause = PAUSE_FIRST;
                    let why = self.hold(welcome, decoder, stream).await;
                    metrics().lost.increment(1);
                    tracing::warn!(%why, "the connection to the store process broke; it is dialled again");
                    Status::Away(why.to_string())
                }
                Ok(Err(GreetError::Refused(why))) => Status::Refused(why),
                Ok(Err(GreetError::Broken(error))) => Status::Away(error.to_string()),
                Err(_) => Status::Away("it does not answer".into()),
            };
            self.lost();
            self.status.send_if_modified(|now| {
                let is_new = *now != status;
                if let (true, Status::Refused(why)) = (is_new, &status) {
                    tracing::warn!("{why}");
                }
                *now = status;
                is_new
            });
            tokio::time::sleep(pause.mul_f64(rand::random_range(0.5..=1.0))).await;
            pause = (pause * 2).min(PAUSE_LAST);
        }
    }

    /// One connection, to its end.
    async fn hold(&self, welcome: Welcome, decoder: Decoder, stream: Box<dyn Stream>) -> io::Error {
        self.core.lock().connected(welcome, self.now_ms());
        metrics().connected.increment(1);
        metrics().away.set(0.0);
        self.status.send_replace(Status::Up(welcome));
        let (read, write) = tokio::io::split(stream);
        tokio::select! {
            why = self.hear(decoder, read) => why,
            why = self.speak(write) => why,
            why = self.watch() => why,
        }
    }

    async fn hear(&self, mut decoder: Decoder, mut read: ReadHalf<Box<dyn Stream>>) -> io::Error {
        let mut bytes = vec![0; CHUNK_BYTES];
        loop {
            loop {
                let heard = match decoder.frame() {
                    Ok(Some(frame)) => self.core.lock().hear(frame, self.now_ms()),
                    Ok(None) => break,
                    Err(error) => return io::Error::other(error),
                };
                match heard {
                    Ok(told) => tell(told),
                    Err(error) => return io::Error::other(error),
                }
            }
            // An answer made room for what waits.
            self.wake.notify_one();
            match read.read(&mut bytes).await {
                Ok(0) => return io::ErrorKind::UnexpectedEof.into(),
                Ok(count) => decoder.push(&bytes[..count]),
                Err(error) => return error,
            }
        }
    }

    async fn speak(&self, mut write: WriteHalf<Box<dyn Stream>>) -> io::Error {
        let (mut frames, mut bytes): (Vec<Frame>, Vec<u8>) = (Vec::new(), Vec::new());
        loop {
            self.core.lock().take(self.now_ms(), CHUNK_BYTES, |waits: &Waits| !waits.is_closed(), &mut frames);
            if frames.is_empty() {
                self.wake.notified().await;
                continue;
            }
            frames.drain(..).for_each(|frame| encode(&frame, &mut bytes));
            let written = async { write.write_all(&bytes).await.and(write.flush().await) };
            if let Err(error) = written.await {
                return error;
            }
            bytes.clear();
            bytes.shrink_to(CHUNK_BYTES * 2);
        }
    }

    async fn watch(&self) -> io::Error {
        let mut every = tokio::time::interval(TICK);
        while self.core.lock().lives(self.now_ms()) {
            self.wake.notify_one();
            every.tick().await;
        }
        io::Error::new(io::ErrorKind::TimedOut, "nothing was heard from it for too long")
    }

    /// For those who wait, connected or not.
    async fn pass_time(&self) {
        let mut every = tokio::time::interval(TICK);
        loop {
            every.tick().await;
            let mut told = Vec::new();
            {
                let mut core = self.core.lock();
                core.expire(self.now_ms(), &mut told);
                metrics().waiting_calls.set(core.waiting_calls() as f64);
                metrics().waiting_bytes.set(core.waiting_bytes() as f64);
                metrics().sent_calls.set(core.sent_calls() as f64);
                metrics().sent_bytes.set(core.sent_bytes() as f64);
            }
            tell(told);
        }
    }

    fn lost(&self) {
        let (told, again) = self.core.lock().lost();
        metrics().repeated.increment(again as u64);
        metrics().away.set(1.0);
        tell(told);
    }
}

async fn meet(dial: &Dial, secret: &Secret) -> Result<(Welcome, Decoder, Box<dyn Stream>), GreetError> {
    let mut stream = dial.dial().await?;
    let (welcome, decoder) = meet_store(&mut stream, secret).await?;
    Ok((welcome, decoder, stream))
}

/// Who no longer listens is not told.
pub fn tell(told: impl IntoIterator<Item = Told<Waits>>) {
    told.into_iter().for_each(|(waits, answer)| drop(waits.send(answer)));
}
