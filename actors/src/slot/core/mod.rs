//! Pure. A slot's owner: takes the slot over, joins what its rooms want journaled into blocks, one append in flight, and
//! says what became of it. It does not know what an event means.
//!
//! The steps are those of `fence_model.py`'s protocol: fence, read the tail, only then serve; an unknown outcome is
//! repeated identically; a refusal by another's batch ends this activation and everything unapplied with it.

mod append;
mod take_over;

use std::collections::VecDeque;
use std::sync::Arc;

use schema::block::Block;
use schema::{Event, RoomId, SlotId};
use store::{Append, Appended, Error, Fenced};

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
    /// Bytes that the append under way adds to what is above the watermark.
    pub fn in_flight_bytes(&self) -> usize {
        self.in_flight.as_ref().map_or(0, |f| f.bytes)
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

    fn stop(&mut self, stop: Stop, effects: &mut Vec<Effect>) {
        self.mode = Mode::Stopped;
        effects.push(Effect::Stopped(stop));
    }
}
