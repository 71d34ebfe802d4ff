//! Pure. What one connection has to read yet, after the kernel took no more; bounded in bytes and frames.
//!
//! Over the bound ephemeral events go first; then the room whose events do not fit is switched to *pull*: its events are
//! withheld, the client is told `behind` once and catches up by `history`, at its own pace. Nothing durable is lost.
//! A sixteenth of the bound is kept free of room events, so that answers and `behind` itself find a place.

use std::collections::VecDeque;
use std::io::IoSlice;

use bytes::Bytes;

use super::heartbeat::Tick;

#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    pub bytes_max: usize,
    pub frames_max: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// An answer, a greeting, a notice, a control frame: has to arrive.
    Direct,
    /// Events of the lot's room number `room`, the last of them with seq `head`.
    Durable {
        room: u32,
        head: u64,
    },
    Ephemeral,
}

/// Frames that are written and dropped as one.
#[derive(Clone, Debug)]
pub struct Chunk {
    pub bytes: Bytes,
    pub frames: u16,
    pub class: Class,
}

/// A room whose events are withheld.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pull {
    pub room: u32,
    /// The last seq that was withheld.
    pub head: u64,
    /// Events beyond `head` may have been lost on the way here: only a page that reaches the room's head ends it.
    pub open: bool,
}

/// Not even answers fit: the connection has to go.
#[derive(Debug, PartialEq, Eq)]
pub struct Overflow;

/// What a push led to, for the shell to carry out and count.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Effects {
    /// Say `behind` for these.
    pub behind: Vec<(u32, u64)>,
    pub ephemerals_dropped: u32,
}

#[derive(Debug)]
pub struct Outbox {
    chunks: VecDeque<Chunk>,
    bytes: usize,
    frames: usize,
    /// Of the front chunk. Invariant: a chunk that is written in part is never dropped.
    written: usize,
    /// The last time anything could be written.
    pub since: Tick,
    /// The connection is not greeted: nothing may be written.
    pub held: bool,
    pulls: Vec<Pull>,
}

impl Outbox {
    pub fn new(now: Tick, held: bool) -> Self {
        Self { chunks: VecDeque::new(), bytes: 0, frames: 0, written: 0, since: now, held, pulls: Vec::new() }
    }
    pub fn bytes(&self) -> usize {
        self.bytes
    }
    pub fn frames(&self) -> usize {
        self.frames
    }
    pub fn has_bytes(&self) -> bool {
        !self.chunks.is_empty()
    }
    /// Nothing waits and nothing is withheld.
    pub fn is_idle(&self) -> bool {
        self.chunks.is_empty() && self.pulls.is_empty() && !self.held
    }

    pub fn push(&mut self, chunk: Chunk, bounds: &Bounds, effects: &mut Effects) -> Result<(), Overflow> {
        if let Class::Durable { room, head } = chunk.class
            && let Some(pull) = self.pulls.iter_mut().find(|pull| pull.room == room)
        {
            pull.head = pull.head.max(head);
            return Ok(());
        }
        if !self.fits(&chunk, bounds) {
            effects.ephemerals_dropped += self.drop_ephemerals();
        }
        if self.fits(&chunk, bounds) {
            self.append(chunk);
            return Ok(());
        }
        match chunk.class {
            Class::Ephemeral => effects.ephemerals_dropped += 1,
            Class::Durable { room, head } => self.pull(Pull { room, head, open: false }, effects),
            Class::Direct => {
                self.withhold_durables(effects);
                if !self.fits(&chunk, bounds) && self.has_bytes() {
                    return Err(Overflow);
                }
                self.append(chunk);
            }
        }
        Ok(())
    }

    /// The first `written` bytes of this chunk are out already: it goes in whatever the bound.
    pub fn push_begun(&mut self, chunk: Chunk, written: usize) {
        debug_assert!(self.chunks.is_empty() && written < chunk.bytes.len());
        self.append(chunk);
        self.bytes -= written;
        self.written = written;
    }

    /// Puts the greeting before what was held for it. `said`: how far it goes in a room; what was held up to there is in it. That
    /// happens when somebody joined the room before the greeting did, as when the user's home changed in that moment.
    pub fn greet(&mut self, greeting: Chunk, said: impl Fn(u32) -> u64) {
        debug_assert!(self.held && self.written == 0);
        self.retain(|chunk| !matches!(chunk.class, Class::Durable { room, head } if head <= said(room)));
        self.held = false;
        self.bytes += greeting.bytes.len();
        self.frames += usize::from(greeting.frames);
        self.chunks.push_front(greeting);
    }

    /// Withholds a room from here on; what is queued of it stays.
    pub fn pull(&mut self, pull: Pull, effects: &mut Effects) {
        match self.pulls.iter_mut().find(|known| known.room == pull.room) {
            Some(known) => {
                known.head = known.head.max(pull.head);
                known.open |= pull.open;
            }
            None => {
                self.pulls.push(pull);
                effects.behind.push((pull.room, pull.head));
            }
        }
    }

    /// A page of a withheld room goes out: it flows again if the page reaches what was withheld, else it is still behind.
    pub fn page(&mut self, room: u32, to: u64, head: u64, effects: &mut Effects) {
        let Some(place) = self.pulls.iter().position(|pull| pull.room == room) else { return };
        let pull = self.pulls[place];
        if to >= pull.head && (!pull.open || to >= head) {
            self.pulls.swap_remove(place);
        } else {
            effects.behind.push((room, pull.head.max(head)));
        }
    }

    /// The connection left the room: its number may be another room's soon.
    pub fn part(&mut self, room: u32) {
        self.pulls.retain(|pull| pull.room != room);
        for chunk in &mut self.chunks {
            if matches!(chunk.class, Class::Durable { room: of, .. } if of == room) {
                chunk.class = Class::Direct;
            }
        }
    }

    /// Before a close frame. `keep`: what is queued still goes out, but to somebody who is not greeted nothing of any room.
    /// Otherwise only the rest of what is written in part stays.
    pub fn cut(&mut self, keep: bool) {
        self.pulls.clear();
        let is_kept = |chunk: &Chunk, held: bool| keep && (!held || chunk.class == Class::Direct);
        let held = std::mem::take(&mut self.held);
        self.retain(|chunk| is_kept(chunk, held));
    }
    /// After `cut`, and nothing more after this.
    pub fn push_last(&mut self, chunk: Chunk) {
        self.append(chunk);
    }

    /// The next bytes to write; returns how many slices were filled.
    pub fn slices<'a>(&'a self, out: &mut [IoSlice<'a>]) -> usize {
        let mut skip = self.written;
        let mut filled = 0;
        for (place, chunk) in out.iter_mut().zip(&self.chunks) {
            *place = IoSlice::new(&chunk.bytes[skip..]);
            skip = 0;
            filled += 1;
        }
        filled
    }

    pub fn wrote(&mut self, bytes: usize, now: Tick) {
        if bytes > 0 {
            self.since = now;
        }
        self.bytes -= bytes;
        self.written += bytes;
        while let Some(front) = self.chunks.front()
            && self.written >= front.bytes.len()
        {
            self.written -= front.bytes.len();
            self.frames -= usize::from(front.frames);
            self.chunks.pop_front();
        }
    }

    fn append(&mut self, chunk: Chunk) {
        self.bytes += chunk.bytes.len();
        self.frames += usize::from(chunk.frames);
        self.chunks.push_back(chunk);
    }

    fn fits(&self, chunk: &Chunk, bounds: &Bounds) -> bool {
        let reserve = if chunk.class == Class::Direct { 0 } else { 16 };
        let part = |max: usize| max - max.checked_div(reserve).unwrap_or(0);
        self.bytes + chunk.bytes.len() <= part(bounds.bytes_max) && self.frames + usize::from(chunk.frames) <= part(bounds.frames_max)
    }

    fn drop_ephemerals(&mut self) -> u32 {
        let before = self.chunks.len();
        self.retain(|chunk| chunk.class != Class::Ephemeral);
        (before - self.chunks.len()) as u32
    }

    fn withhold_durables(&mut self, effects: &mut Effects) {
        let mut withheld = Vec::new();
        self.retain(|chunk| match chunk.class {
            Class::Durable { room, head } => {
                withheld.push(Pull { room, head, open: false });
                false
            }
            _ => true,
        });
        // The last of a room has its highest seq; `behind` names that one.
        withheld.reverse();
        for pull in withheld {
            self.pull(pull, effects);
        }
    }

    fn retain(&mut self, keep: impl FnMut(&Chunk) -> bool) {
        let (mut keep, mut first, written) = (keep, true, self.written);
        let (bytes, frames) = (&mut self.bytes, &mut self.frames);
        self.chunks.retain(|chunk| {
            let begun = std::mem::take(&mut first) && written > 0;
            let stays = begun || keep(chunk);
            if !stays {
                *bytes -= chunk.bytes.len();
                *frames -= usize::from(chunk.frames);
            }
            stays
        });
    }
}
