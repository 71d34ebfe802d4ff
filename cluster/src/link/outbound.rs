//! *Pure.* The side that dialled: what waits to be sent, what waits for an answer, and how much the other side lets come.
//!
//! While there is no connection nothing is taken: a queue for a node that is not there would be a promise that nobody can keep.

use std::collections::{HashMap, VecDeque};

use bytes::Bytes;

use super::codec::{BODY_BYTES_MAX, FrameError};
use super::frame::{Answered, Frame, Hello, Refusal, Welcome};

#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes that wait to be sent; over it the connection is reset.
    pub queue_bytes_max: usize,
    /// Requests without an answer; over it they are refused as `Busy`.
    pub asks_max: usize,
    /// Nothing was heard for so long: the connection is dead. A third of it without a word is a reason to ask.
    pub silence_ms: u64,
    /// What who dialled may have under way to us.
    pub window_bytes: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self { queue_bytes_max: 8 << 20, asks_max: 16_384, silence_ms: 3_000, window_bytes: 4 << 20 }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SayError {
    #[error("there is no connection to the node")]
    Away,
    #[error("more waits for the node than may wait: the connection is reset")]
    Full,
    #[error("longer than a frame may be")]
    TooLong,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AskError {
    /// It never left: asking another time does no harm.
    #[error("there is no connection to the node")]
    Away,
    /// The connection broke: it may have been carried out or not.
    #[error("the connection broke before the answer came")]
    Lost,
    #[error("no answer in time")]
    Late,
    #[error("longer than a frame may be")]
    TooLong,
    #[error("the node refused it: {0:?}")]
    Refused(Refusal),
}

/// What somebody who waits is told.
pub type Told<T> = (T, Result<Bytes, AskError>);

#[derive(Debug, PartialEq, Eq)]
enum Phase {
    Away,
    Greeting,
    Up,
}

/// `T`: whom to tell of an answer.
pub struct Outbound<T> {
    limits: Limits,
    phase: Phase,
    queue: VecDeque<Frame>,
    queue_bytes: usize,
    /// May fall below nothing by one frame, so that a frame longer than what is left still gets through.
    credit_bytes: i64,
    asks: HashMap<u64, (T, u64)>,
    next_id: u64,
    heard_ms: u64,
    pinged: bool,
    overflowed: bool,
    /// The newest slot table that is known here; stands on everything that is sent.
    pub table: u64,
}

impl<T> Outbound<T> {
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            phase: Phase::Away,
            queue: VecDeque::new(),
            queue_bytes: 0,
            credit_bytes: 0,
            asks: HashMap::new(),
            next_id: 1,
            heard_ms: 0,
            pinged: false,
            overflowed: false,
            table: 0,
        }
    }

    pub fn is_up(&self) -> bool {
        self.phase == Phase::Up
    }
    /// Too much waited: the connection is over.
    pub fn overflowed(&self) -> bool {
        self.overflowed
    }
    pub fn queue_bytes(&self) -> usize {
        self.queue_bytes
    }
    /// There is something to send, if there is credit for it.
    pub fn is_waiting(&self) -> bool {
        !self.queue.is_empty()
    }
    pub fn asks(&self) -> usize {
        self.asks.len()
    }

    pub fn connected(&mut self, hello: Hello, now_ms: u64) {
        assert!(self.phase == Phase::Away && self.queue.is_empty(), "one connection at a time");
        self.phase = Phase::Greeting;
        (self.heard_ms, self.pinged, self.overflowed) = (now_ms, false, false);
        self.queue.push_back(Frame::Hello(hello));
    }

    /// The connection is over. Whoever waits for an answer is told that there will be none.
    pub fn lost(&mut self) -> Vec<Told<T>> {
        self.phase = Phase::Away;
        self.queue.clear();
        (self.queue_bytes, self.credit_bytes) = (0, 0);
        self.asks.drain().map(|(_, (waits, _))| (waits, Err(AskError::Lost))).collect()
    }

    /// Errors: it was not taken, and nothing that is said later is heard without it: after `Full` the connection is over.
    pub fn say(&mut self, body: Bytes) -> Result<(), SayError> {
        if self.phase != Phase::Up || self.overflowed {
            return Err(SayError::Away);
        }
        if body.len() > BODY_BYTES_MAX {
            return Err(SayError::TooLong);
        }
        if self.queue_bytes + body.len() > self.limits.queue_bytes_max {
            self.overflowed = true;
            return Err(SayError::Full);
        }
        self.queue_bytes += body.len();
        self.queue.push_back(Frame::Say { table: self.table, body });
        Ok(())
    }

    /// `waits` is told exactly once: here, if it is not taken, or later.
    pub fn ask(&mut self, body: Bytes, within_ms: u32, waits: T, now_ms: u64) -> Result<(), Told<T>> {
        let refused = if self.phase != Phase::Up || self.overflowed {
            Some(AskError::Away)
        } else if body.len() > BODY_BYTES_MAX {
            Some(AskError::TooLong)
        } else if self.asks.len() >= self.limits.asks_max || self.queue_bytes + body.len() > self.limits.queue_bytes_max {
            // Unlike what is said, nobody relies on its being heard.
            Some(AskError::Refused(Refusal::Busy))
        } else {
            None
        };
        if let Some(error) = refused {
            return Err((waits, Err(error)));
        }
        let id = self.next_id;
        self.next_id += 1;
        self.queue_bytes += body.len();
        self.asks.insert(id, (waits, now_ms + u64::from(within_ms)));
        self.queue.push_back(Frame::Ask { id, table: self.table, within_ms, body });
        Ok(())
    }

    /// Frames that may go out now, about as many as `bytes_max`; what nobody waits for any more is left out.
    pub fn take(&mut self, bytes_max: usize, frames: &mut Vec<Frame>) {
        let mut bytes = 0;
        while bytes < bytes_max
            && let Some(frame) = self.queue.front()
        {
            let body_bytes = frame.body_bytes();
            if body_bytes > 0 && self.credit_bytes <= 0 {
                return;
            }
            let frame = self.queue.pop_front().expect("it was looked at");
            self.queue_bytes -= body_bytes;
            if let Frame::Ask { id, .. } = frame
                && !self.asks.contains_key(&id)
            {
                continue;
            }
            self.credit_bytes -= body_bytes as i64;
            bytes += body_bytes + 64;
            frames.push(frame);
        }
    }

    /// Whom to tell what; `true`: the connection is up from here on. Errors: it is to be closed.
    pub fn hear(&mut self, frame: Frame, now_ms: u64) -> Result<(bool, Option<Told<T>>), FrameError> {
        (self.heard_ms, self.pinged) = (now_ms, false);
        match (frame, &self.phase) {
            (Frame::Welcome(Welcome { window_bytes, .. }), Phase::Greeting) => {
                (self.phase, self.credit_bytes) = (Phase::Up, i64::from(window_bytes));
                Ok((true, None))
            }
            (Frame::Refused { .. }, Phase::Greeting) => Err(FrameError::OutOfPlace("a hello of ours")),
            (Frame::Answer { id, answered, .. }, Phase::Up) => {
                // One that came late is nobody's any more.
                let told = self.asks.remove(&id).map(|(waits, _)| match answered {
                    Answered::Done(body) => (waits, Ok(body)),
                    Answered::Refused(refusal) => (waits, Err(AskError::Refused(refusal))),
                });
                Ok((false, told))
            }
            (Frame::Credit { bytes }, Phase::Up) => {
                self.credit_bytes += i64::from(bytes);
                Ok((false, None))
            }
            (Frame::Pong {}, Phase::Up) => Ok((false, None)),
            _ => Err(FrameError::OutOfPlace("what the other side said")),
        }
    }

    /// Time passes. `false`: the connection is dead, or too much waits for it.
    pub fn tick(&mut self, now_ms: u64, told: &mut Vec<Told<T>>) -> bool {
        for (_, (waits, _)) in self.asks.extract_if(|_, (_, until)| *until <= now_ms) {
            told.push((waits, Err(AskError::Late)));
        }
        let silence_ms = now_ms.saturating_sub(self.heard_ms);
        if self.phase == Phase::Up && !self.pinged && silence_ms >= self.limits.silence_ms / 3 {
            self.pinged = true;
            // Ahead of what waits for credit: it takes none.
            self.queue.push_front(Frame::Ping {});
        }
        !self.overflowed && (self.phase == Phase::Away || silence_ms < self.limits.silence_ms)
    }
}
