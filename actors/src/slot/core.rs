//! Pure. A slot's owner: takes the slot over, joins what its rooms want journaled into blocks, one append in flight, and
//! says what became of it. It does not know what an event means.
//!
//! The steps are those of `fence_model.py`'s protocol: fence, read the tail, only then serve; an unknown outcome is
//! repeated identically; a refusal by another's batch ends this activation and everything unapplied with it.

use std::collections::VecDeque;
use std::sync::Arc;

use schema::block::Block;
use schema::{Event, RoomId, SlotId, limits};
use store::{Append, Appended, Error, Fenced};
use uuid::Uuid;

use super::block::OpenBlock;

/// Blocks read at once in a take-over.
pub const READ_BLOCKS: usize = 64;

#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Above the watermark: more and appends wait.
    pub tail_events_max: usize,
    pub tail_bytes_max: usize,
}

#[derive(Debug)]
pub enum Input {
    /// Take the slot over with this epoch, never used before.
    Start {
        epoch: u64,
    },
    WatermarkRead(Result<u64, Error>),
    Fenced(Result<Fenced, Error>),
    TailRead(Result<Vec<(u64, Block)>, Error>),
    /// A room's next events, in their order.
    Submit(Vec<Arc<Event>>),
    Appended(Result<Appended, Error>),
    /// Everything up to this block is in the projections, durably.
    Projected {
        block: u64,
    },
    /// The room's actor is gone: what it has in the open block was never shown and must not be journaled.
    RoomLost(RoomId),
}

#[derive(Debug, PartialEq, Eq)]
pub enum Effect {
    ReadWatermark,
    Fence {
        epoch: u64,
    },
    ReadTail {
        from: u64,
    },
    /// `again`: an identical repeat, to be sent after a pause.
    Append {
        append: Append,
        again: bool,
    },
    /// Repeat the step of the take-over that failed, after a pause.
    Again(Box<Effect>),
    /// The slot serves: this is what lies above the watermark.
    Serving {
        watermark: u64,
        tail: Vec<(u64, Vec<Arc<Event>>)>,
    },
    /// Durable: to be shown.
    Applied {
        block: u64,
        events: Vec<Arc<Event>>,
    },
    /// This activation is over; rooms are dropped with it. Start again with a fresh activation, or not at all.
    Stopped(Stop),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stop {
    /// Somebody appended in our epoch, or we lost count: a fresh activation finds out.
    Moved,
    /// A higher epoch owns the slot.
    Superseded {
        epoch: u64,
    },
    ReadOnly,
    Broken(Error),
}

#[derive(Debug, PartialEq, Eq)]
enum Mode {
    Idle,
    ReadingWatermark,
    Fencing,
    Replaying { upto: u64 },
    Serving,
    Stopped,
}

/// Append under way, with what it holds.
#[derive(Debug)]
struct InFlight {
    append: Append,
    events: Vec<Arc<Event>>,
    bytes: usize,
}

#[derive(Debug)]
pub struct Core {
    slot: SlotId,
    bounds: Bounds,
    mode: Mode,
    epoch: u64,
    /// Invariant: blocks that are known to be in the journal; the next is `head + 1`.
    head: u64,
    watermark: u64,
    open: OpenBlock,
    in_flight: Option<InFlight>,
    replayed: Vec<(u64, Vec<Arc<Event>>)>,
    /// A block was missing once, and the watermark was read again for it.
    looked_again: bool,
    /// (block, events, bytes) above the watermark.
    tail: VecDeque<(u64, usize, usize)>,
    tail_events: usize,
    tail_bytes: usize,
}

impl Core {
    pub fn new(slot: SlotId, bounds: Bounds) -> Self {
        Self {
            slot,
            bounds,
            mode: Mode::Idle,
            epoch: 0,
            head: 0,
            watermark: 0,
            open: OpenBlock::default(),
            in_flight: None,
            replayed: Vec::new(),
            looked_again: false,
            tail: VecDeque::new(),
            tail_events: 0,
            tail_bytes: 0,
        }
    }

    pub fn is_serving(&self) -> bool {
        self.mode == Mode::Serving
    }
    pub fn epoch(&self) -> u64 {
        self.epoch
    }
    pub fn tail_events(&self) -> usize {
        self.tail_events
    }
    /// Bytes that were submitted and are not applied.
    pub fn waiting_bytes(&self) -> usize {
        self.open.bytes() + self.in_flight.as_ref().map_or(0, |f| f.bytes)
    }
    /// Whether this room has events in the append under way: it may not wake before their outcome is known.
    pub fn is_in_flight(&self, room: RoomId) -> bool {
        self.in_flight.as_ref().is_some_and(|f| f.events.iter().any(|e| e.room == room))
    }

    pub fn handle(&mut self, input: Input, effects: &mut Vec<Effect>) {
        if self.mode == Mode::Stopped {
            return;
        }
        match input {
            Input::Start { epoch } => {
                assert!(self.mode == Mode::Idle && epoch > self.epoch, "an activation starts once, with a fresh epoch");
                self.epoch = epoch;
                self.mode = Mode::ReadingWatermark;
                effects.push(Effect::ReadWatermark);
            }
            Input::WatermarkRead(answer) => self.watermark_read(answer, effects),
            Input::Fenced(answer) => self.fenced(answer, effects),
            Input::TailRead(answer) => self.tail_read(answer, effects),
            Input::Submit(events) => {
                for event in events {
                    self.open.push(event);
                }
                self.append_next(effects);
            }
            Input::Appended(answer) => self.appended(answer, effects),
            Input::Projected { block } => {
                self.projected(block);
                self.append_next(effects);
            }
            Input::RoomLost(room) => self.open.forget(room),
        }
    }

    fn watermark_read(&mut self, answer: Result<u64, Error>, effects: &mut Vec<Effect>) {
        match answer {
            Ok(block) => {
                self.watermark = block;
                self.mode = Mode::Fencing;
                effects.push(Effect::Fence { epoch: self.epoch });
            }
            Err(error) => self.take_over_failed(error, Effect::ReadWatermark, effects),
        }
    }

    fn fenced(&mut self, answer: Result<Fenced, Error>, effects: &mut Vec<Effect>) {
        match answer {
            Ok(Fenced::Ok { head }) => {
                assert!(head >= self.watermark, "the watermark {} of {:?} is above its journal's head {head}", self.watermark, self.slot);
                self.head = self.watermark;
                self.mode = Mode::Replaying { upto: head };
                self.replay_on(effects);
            }
            Ok(Fenced::Stale { epoch }) => self.stop(Stop::Superseded { epoch }, effects),
            Err(error) => self.take_over_failed(error, Effect::Fence { epoch: self.epoch }, effects),
        }
    }

    fn tail_read(&mut self, answer: Result<Vec<(u64, Block)>, Error>, effects: &mut Vec<Effect>) {
        let Mode::Replaying { upto } = self.mode else { return };
        match answer {
            Ok(blocks) if blocks.is_empty() => self.missing(effects),
            Ok(blocks) => {
                for (number, block) in blocks {
                    if number > upto {
                        break;
                    }
                    if number != self.head + 1 {
                        return self.missing(effects);
                    }
                    let bytes = block.events.iter().map(super::block::weight).sum();
                    self.grow_tail(number, block.events.len(), bytes);
                    self.head = number;
                    self.replayed.push((number, block.events.into_iter().map(Arc::new).collect()));
                }
                self.replay_on(effects);
            }
            Err(error) => self.take_over_failed(error, Effect::ReadTail { from: self.head + 1 }, effects),
        }
    }

    /// A block above the watermark that was read is not there. Another owner may have carried and trimmed it since: then the
    /// watermark is higher by now. Otherwise it is lost.
    fn missing(&mut self, effects: &mut Vec<Effect>) {
        if std::mem::replace(&mut self.looked_again, true) {
            return self.stop(Stop::Broken(Error::MissingBlock { slot: self.slot.0, block: self.head + 1 }), effects);
        }
        self.replayed.clear();
        self.tail.clear();
        (self.tail_events, self.tail_bytes) = (0, 0);
        self.mode = Mode::ReadingWatermark;
        effects.push(Effect::ReadWatermark);
    }

    fn replay_on(&mut self, effects: &mut Vec<Effect>) {
        let Mode::Replaying { upto } = self.mode else { return };
        if self.head < upto {
            return effects.push(Effect::ReadTail { from: self.head + 1 });
        }
        self.mode = Mode::Serving;
        effects.push(Effect::Serving { watermark: self.watermark, tail: std::mem::take(&mut self.replayed) });
        self.append_next(effects);
    }

    fn take_over_failed(&mut self, error: Error, step: Effect, effects: &mut Vec<Effect>) {
        match error {
            Error::Unknown(_) | Error::ReadOnly(_) => effects.push(Effect::Again(Box::new(step))),
            other => self.stop(Stop::Broken(other), effects),
        }
    }

    fn append_next(&mut self, effects: &mut Vec<Effect>) {
        let full = self.tail_events >= self.bounds.tail_events_max || self.tail_bytes >= self.bounds.tail_bytes_max;
        if self.mode != Mode::Serving || self.in_flight.is_some() || self.open.is_empty() || full {
            return;
        }
        let (events, bytes) = self.open.take(limits::BLOCK_EVENTS_MAX, limits::BLOCK_BYTES_MAX);
        let block = Block { events: events.iter().map(|e| (**e).clone()).collect() };
        let append =
            Append { slot: self.slot, epoch: self.epoch, head: self.head, batch: batch_id(self.epoch, self.head), block: block.encode() };
        effects.push(Effect::Append { append: append.clone(), again: false });
        self.in_flight = Some(InFlight { append, events, bytes });
    }

    fn appended(&mut self, answer: Result<Appended, Error>, effects: &mut Vec<Effect>) {
        let InFlight { append, events, bytes } = self.in_flight.take().expect("an answer belongs to the one append in flight");
        let mine = Some(append.batch);
        match answer {
            // An earlier try of ours landed: look at the batch before the epoch, both may have changed.
            Ok(Appended::Applied) | Ok(Appended::Moved { .. }) if landed(&answer, mine) => {
                self.head += 1;
                self.grow_tail(self.head, events.len(), bytes);
                effects.push(Effect::Applied { block: self.head, events });
                if let Ok(Appended::Moved { epoch, .. }) = answer
                    && epoch > self.epoch
                {
                    return self.stop(Stop::Superseded { epoch }, effects);
                }
                self.append_next(effects);
            }
            Ok(Appended::Moved { epoch, .. }) if epoch > self.epoch => self.stop(Stop::Superseded { epoch }, effects),
            Ok(_) => self.stop(Stop::Moved, effects),
            Err(Error::Unknown(_)) => {
                effects.push(Effect::Append { append: append.clone(), again: true });
                self.in_flight = Some(InFlight { append, events, bytes });
            }
            Err(Error::ReadOnly(_)) => self.stop(Stop::ReadOnly, effects),
            Err(error) => self.stop(Stop::Broken(error), effects),
        }
    }

    fn grow_tail(&mut self, block: u64, events: usize, bytes: usize) {
        self.tail.push_back((block, events, bytes));
        self.tail_events += events;
        self.tail_bytes += bytes;
    }

    fn projected(&mut self, upto: u64) {
        while let Some((block, events, bytes)) = self.tail.front().copied()
            && block <= upto
        {
            self.tail.pop_front();
            self.tail_events -= events;
            self.tail_bytes -= bytes;
        }
        self.watermark = self.watermark.max(upto);
    }

    fn stop(&mut self, stop: Stop, effects: &mut Vec<Effect>) {
        self.mode = Mode::Stopped;
        effects.push(Effect::Stopped(stop));
    }
}

fn landed(answer: &Result<Appended, Error>, mine: Option<Uuid>) -> bool {
    match answer {
        Ok(Appended::Applied) => true,
        Ok(Appended::Moved { last_batch, .. }) => *last_batch == mine,
        Err(_) => false,
    }
}

/// An epoch is never used twice and a head is filled once in it, so the pair names the batch.
fn batch_id(epoch: u64, head: u64) -> Uuid {
    Uuid::new_v8((u128::from(epoch) << 64 | u128::from(head)).to_be_bytes())
}
