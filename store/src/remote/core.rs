//! *Pure.* The node's side: what waits to be sent, what waits for an answer, and what becomes of both when the connection goes.
//!
//! A write that was sent and not answered is lost with its connection, and whoever asked is told so: nobody can know. A read
//! is sent again. What was not sent waits for the next connection, until its deadline.
//!
//! Urgent and plain calls (`Op::is_plain`) have windows of their own: neither keeps the other out.

use std::collections::{HashMap, VecDeque};

use super::codec::FrameError;
use super::frame::{Answered, Call, Frame, Welcome};

#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Calls that wait to be sent, urgent or plain; over it they are refused at once.
    pub waiting_calls_max: usize,
    pub waiting_bytes_max: usize,
    /// Nothing was heard for so long: the connection is dead. A third of it without a word is a reason to ask.
    pub silence_ms: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { waiting_calls_max: 16_384, waiting_bytes_max: 32 << 20, silence_ms: 3_000 }
    }
}

/// Why there is no answer. Of a write none says whether it happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unanswered {
    #[error("the connection to the store process broke before the answer came")]
    Lost,
    #[error("the store process did not answer in time")]
    Late,
    #[error("the store process is away")]
    Away,
    #[error("more waits for the store process than may wait")]
    Full,
}

/// What somebody who waits is told.
pub type Told<T> = (T, Result<Answered, Unanswered>);

struct Ask<T> {
    id: u64,
    call: Call,
    bytes: usize,
    until_ms: u64,
    waits: T,
}

/// Under way: sent, and not answered.
struct Sent<T> {
    /// Of a read, to be sent again.
    call: Option<Call>,
    is_plain: bool,
    bytes: usize,
    until_ms: u64,
    /// `None`: nobody waits any more, and it takes its place until it is answered.
    waits: Option<T>,
}

struct Window<T> {
    waiting: VecDeque<Ask<T>>,
    waiting_bytes: usize,
    sent_calls: usize,
    sent_bytes: usize,
}

/// `T`: whom to tell of an answer.
pub struct Core<T> {
    limits: Limits,
    /// What the store process lets be under way; `None`: there is no connection.
    welcome: Option<Welcome>,
    urgent: Window<T>,
    plain: Window<T>,
    sent: HashMap<u64, Sent<T>>,
    next_id: u64,
    heard_ms: u64,
    wants_ping: bool,
    pinged: bool,
}

impl<T> Default for Window<T> {
    fn default() -> Self {
        Self { waiting: VecDeque::new(), waiting_bytes: 0, sent_calls: 0, sent_bytes: 0 }
    }
}

impl<T> Core<T> {
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            welcome: None,
            urgent: Window::default(),
            plain: Window::default(),
            sent: HashMap::new(),
            next_id: 1,
            heard_ms: 0,
            wants_ping: false,
            pinged: false,
        }
    }

    pub fn is_up(&self) -> bool {
        self.welcome.is_some()
    }
    pub fn waiting_calls(&self) -> usize {
        self.urgent.waiting.len() + self.plain.waiting.len()
    }
    pub fn waiting_bytes(&self) -> usize {
        self.urgent.waiting_bytes + self.plain.waiting_bytes
    }
    pub fn sent_calls(&self) -> usize {
        self.sent.len()
    }
    pub fn sent_bytes(&self) -> usize {
        self.urgent.sent_bytes + self.plain.sent_bytes
    }

    pub fn connected(&mut self, welcome: Welcome, now_ms: u64) {
        assert!(self.welcome.is_none() && self.sent.is_empty(), "one connection at a time");
        (self.welcome, self.heard_ms, self.wants_ping, self.pinged) = (Some(welcome), now_ms, false, false);
    }

    /// The connection is over. Answers whom to tell, and how many reads are to be sent again.
    pub fn lost(&mut self) -> (Vec<Told<T>>, usize) {
        self.welcome = None;
        (self.urgent.sent_calls, self.urgent.sent_bytes) = (0, 0);
        (self.plain.sent_calls, self.plain.sent_bytes) = (0, 0);
        let mut sent: Vec<(u64, Sent<T>)> = self.sent.drain().collect();
        // The oldest are to be the first again.
        sent.sort_unstable_by_key(|(id, _)| std::cmp::Reverse(*id));
        let (mut told, mut again) = (Vec::new(), 0);
        for (id, Sent { call, bytes, until_ms, waits, .. }) in sent {
            match (call, waits) {
                (Some(call), Some(waits)) => {
                    self.urgent.waiting_bytes += bytes;
                    self.urgent.waiting.push_front(Ask { id, call, bytes, until_ms, waits });
                    again += 1;
                }
                (None, Some(waits)) => told.push((waits, Err(Unanswered::Lost))),
                (_, None) => {}
            }
        }
        (told, again)
    }

    /// `waits` is told exactly once: here, if it is not taken, or later.
    pub fn ask(&mut self, call: Call, until_ms: u64, waits: T) -> Result<(), Told<T>> {
        let (limits, bytes) = (self.limits, call.bytes());
        let window = if call.is_plain() { &mut self.plain } else { &mut self.urgent };
        if window.waiting.len() >= limits.waiting_calls_max || window.waiting_bytes + bytes > limits.waiting_bytes_max {
            return Err((waits, Err(Unanswered::Full)));
        }
        window.waiting_bytes += bytes;
        window.waiting.push_back(Ask { id: self.next_id, call, bytes, until_ms, waits });
        self.next_id += 1;
        Ok(())
    }

    /// Frames that may go out now, about as many as `bytes_max` of each kind. What nobody wants any more is left out.
    pub fn take(&mut self, now_ms: u64, bytes_max: usize, is_wanted: impl Fn(&T) -> bool, frames: &mut Vec<Frame>) {
        let Some(welcome) = self.welcome else { return };
        if std::mem::take(&mut self.wants_ping) {
            frames.push(Frame::Ping {});
        }
        for (window, is_plain) in [(&mut self.urgent, false), (&mut self.plain, true)] {
            let mut bytes = 0;
            while bytes < bytes_max
                && let Some(ask) = window.waiting.front()
            {
                if is_wanted(&ask.waits) && !window.has_room(&welcome, ask.bytes) {
                    break;
                }
                let Ask { id, call, bytes: of_call, until_ms, waits } = window.waiting.pop_front().expect("it was looked at");
                window.waiting_bytes -= of_call;
                if !is_wanted(&waits) {
                    continue;
                }
                window.sent_calls += 1;
                window.sent_bytes += of_call;
                bytes += of_call;
                let again = call.is_read().then(|| call.clone());
                self.sent.insert(id, Sent { call: again, is_plain, bytes: of_call, until_ms, waits: Some(waits) });
                let within_ms = u32::try_from(until_ms.saturating_sub(now_ms)).unwrap_or(u32::MAX);
                frames.push(Frame::Ask { id, within_ms, call });
            }
        }
    }

    /// Whom to tell what. Errors: the connection is to be closed.
    pub fn hear(&mut self, frame: Frame, now_ms: u64) -> Result<Option<Told<T>>, FrameError> {
        (self.heard_ms, self.pinged) = (now_ms, false);
        match frame {
            Frame::Answer { id, answered } => {
                let Some(sent) = self.sent.remove(&id) else { return Err(FrameError::OutOfPlace("an answer to nothing")) };
                let window = if sent.is_plain { &mut self.plain } else { &mut self.urgent };
                window.sent_calls -= 1;
                window.sent_bytes -= sent.bytes;
                Ok(sent.waits.map(|waits| (waits, Ok(answered))))
            }
            Frame::Pong {} => Ok(None),
            _ => Err(FrameError::OutOfPlace("what the store process said")),
        }
    }

    /// Time passes for those who wait.
    pub fn expire(&mut self, now_ms: u64, told: &mut Vec<Told<T>>) {
        let unanswered = if self.welcome.is_some() { Unanswered::Late } else { Unanswered::Away };
        for window in [&mut self.urgent, &mut self.plain] {
            // Deadlines are near each other, and those at the front waited longest.
            while let Some(ask) = window.waiting.pop_front_if(|ask| ask.until_ms <= now_ms) {
                window.waiting_bytes -= ask.bytes;
                told.push((ask.waits, Err(unanswered)));
            }
        }
        for sent in self.sent.values_mut().filter(|sent| sent.until_ms <= now_ms) {
            told.extend(sent.waits.take().map(|waits| (waits, Err(Unanswered::Late))));
        }
    }

    /// Time passes for the connection. `false`: it is dead.
    pub fn lives(&mut self, now_ms: u64) -> bool {
        let silence_ms = now_ms.saturating_sub(self.heard_ms);
        if !self.pinged && silence_ms >= self.limits.silence_ms / 3 {
            (self.pinged, self.wants_ping) = (true, true);
        }
        silence_ms < self.limits.silence_ms
    }
}

impl<T> Window<T> {
    /// Where nothing is under way, anything may be.
    fn has_room(&self, welcome: &Welcome, bytes: usize) -> bool {
        self.sent_calls == 0 || (self.sent_calls < welcome.calls_max as usize && self.sent_bytes + bytes <= welcome.bytes_max as usize)
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use schema::SlotId;
    use schema::record::Table;
    use uuid::Uuid;

    use super::*;
    use crate::remote::frame::RowKey;

    const WELCOME: Welcome = Welcome { grant: 1, calls_max: 2, bytes_max: 1 << 20 };

    fn core() -> Core<&'static str> {
        Core::new(Limits { waiting_calls_max: 3, waiting_bytes_max: 10_000, silence_ms: 300 })
    }
    fn append(bytes: usize) -> Call {
        Call::Append { slot: SlotId(1), epoch: 1, head: 0, batch: Uuid::nil(), block: Bytes::from(vec![0; bytes]) }
    }
    fn get() -> Call {
        Call::Get { key: RowKey { table: Table::Users as u8, partition: Bytes::new(), sort: Bytes::new() } }
    }
    fn trim() -> Call {
        Call::Trim { slot: SlotId(1), upto: 1 }
    }
    fn ids(core: &mut Core<&'static str>) -> Vec<u64> {
        let mut frames = Vec::new();
        core.take(0, usize::MAX, |_| true, &mut frames);
        frames.iter().map(|frame| if let Frame::Ask { id, .. } = frame { *id } else { 0 }).collect()
    }
    fn answer(id: u64) -> Frame {
        Frame::Answer { id, answered: Answered::Applied {} }
    }

    #[test]
    fn with_the_connection_a_sent_write_is_lost_and_a_sent_read_goes_again_first() {
        let mut core = core();
        core.connected(WELCOME, 0);
        core.ask(append(1), 100, "append").unwrap();
        core.ask(get(), 100, "get").unwrap();
        assert_eq!(ids(&mut core), [1, 2]);
        core.ask(append(1), 100, "not sent").unwrap();
        assert_eq!(core.lost(), (vec![("append", Err(Unanswered::Lost))], 1));
        core.connected(WELCOME, 0);
        assert_eq!(ids(&mut core), [2, 3]);
        assert_eq!(core.hear(answer(3), 0), Ok(Some(("not sent", Ok(Answered::Applied {})))));
    }

    #[test]
    fn no_more_is_under_way_than_the_store_process_lets_and_plain_calls_keep_nobody_out() {
        let mut core = core();
        core.connected(WELCOME, 0);
        for who in ["one", "two", "three"] {
            core.ask(trim(), 100, who).unwrap();
        }
        assert_eq!(ids(&mut core), [1, 2]);
        core.ask(append(1), 100, "urgent").unwrap();
        assert_eq!(ids(&mut core), [4]);
        core.hear(answer(1), 0).unwrap();
        assert_eq!(ids(&mut core), [3]);
    }

    #[test]
    fn what_is_too_much_to_wait_is_refused_at_once() {
        let mut core = core();
        core.ask(append(9_000), 100, "large").unwrap();
        assert_eq!(core.ask(append(2_000), 100, "too large"), Err(("too large", Err(Unanswered::Full))));
        core.ask(append(0), 100, "two").unwrap();
        core.ask(append(0), 100, "three").unwrap();
        assert_eq!(core.ask(append(0), 100, "one too many"), Err(("one too many", Err(Unanswered::Full))));
    }

    #[test]
    fn who_waits_too_long_is_told_and_the_place_is_free_when_the_answer_comes() {
        let mut core = core();
        core.connected(Welcome { calls_max: 1, ..WELCOME }, 0);
        core.ask(append(1), 100, "sent").unwrap();
        core.ask(append(1), 200, "waiting").unwrap();
        assert_eq!(ids(&mut core), [1]);
        let mut told = Vec::new();
        core.expire(150, &mut told);
        assert_eq!(told, [("sent", Err(Unanswered::Late))]);
        assert!(ids(&mut core).is_empty());
        assert_eq!(core.hear(answer(1), 160), Ok(None));
        assert_eq!(ids(&mut core), [2]);
        assert_eq!((core.sent_calls(), core.sent_bytes(), core.waiting_bytes()), (1, 65, 0));
    }

    #[test]
    fn a_store_process_that_is_away_is_named_and_a_silent_one_is_given_up() {
        let (mut core, mut told) = (core(), Vec::new());
        core.ask(append(1), 100, "away").unwrap();
        core.expire(100, &mut told);
        assert_eq!(told, [("away", Err(Unanswered::Away))]);
        core.connected(WELCOME, 1_000);
        assert!(core.lives(1_000) && ids(&mut core).is_empty());
        assert!(core.lives(1_100));
        assert_eq!(ids(&mut core), [0]);
        core.hear(Frame::Pong {}, 1_200).unwrap();
        assert!(core.lives(1_499));
        assert!(!core.lives(1_500));
    }

    #[test]
    fn what_nobody_wants_any_more_is_not_sent() {
        let mut core = core();
        core.connected(WELCOME, 0);
        core.ask(append(1), 100, "gone").unwrap();
        core.ask(append(1), 100, "here").unwrap();
        let mut frames = Vec::new();
        core.take(0, usize::MAX, |who| *who == "here", &mut frames);
        assert!(matches!(frames[..], [Frame::Ask { id: 2, .. }]));
        assert_eq!(core.waiting_bytes(), 0);
    }
}
