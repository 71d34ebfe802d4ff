//! Deadlines of connections, looked at when the wheel says so.

use schema::CloseCode;

use super::Lot;
use super::read::may_read;
use crate::edge::heartbeat::{Mark, Tick};
use crate::edge::lots::Voice;
use crate::edge::slab::{Entry, Phase};

/// What has passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Late {
    Close(CloseCode),
    /// The peer never answered our close frame.
    Gone,
}

impl Lot {
    /// Looks at the connection at `at`, or earlier.
    pub(super) fn look(&mut self, index: u32, at: Tick) {
        let now = self.now;
        let entry = self.slab.at(index);
        if entry.look_at <= now || at < entry.look_at {
            let mark = Mark { index, generation: entry.generation };
            entry.look_at = self.wheel.set(mark, at);
        }
    }

    pub(super) fn look_at_due(&mut self) {
        let mut due = std::mem::take(&mut self.due);
        self.wheel.due(self.now, &mut due);
        for mark in due.drain(..) {
            let now = self.now;
            if self.slab.marked(mark).is_none_or(|entry| entry.look_at > now) {
                continue;
            }
            match self.next_deadline(mark.index) {
                Some((at, late)) if at <= now => match late {
                    Late::Close(code) => self.close(mark.index, code),
                    Late::Gone => self.gone(mark.index, None),
                },
                Some((at, _)) => self.look(mark.index, at),
                None => {}
            }
        }
        self.due = due;
    }

    /// The earliest deadline of a connection, and what it means.
    fn next_deadline(&mut self, index: u32) -> Option<(Tick, Late)> {
        let (now, draining) = (self.now, self.draining);
        let limits = &self.shared.limits;
        let two_beats_ms = limits.heartbeat_ms.saturating_mul(2);
        let entry = self.slab.at(index);
        let written_by = stuck_since(entry).map(|since| (since.after_ms(limits.slow_ms), Late::Close(CloseCode::Slow)));
        let whole_by = entry.parser.since().map(|since| (since.after_ms(limits.message_ms), Late::Close(CloseCode::Policy)));
        let heard_by = match entry.phase {
            Phase::Gone => return None,
            Phase::Closing => return Some((entry.seen.after_ms(limits.linger_ms), Late::Gone)),
            Phase::Fresh => (entry.seen.after_ms(limits.hello_ms), Late::Close(CloseCode::HelloTimeout)),
            Phase::Greeting => {
                return Some((entry.seen.after_ms(two_beats_ms.saturating_add(limits.hello_ms)), Late::Close(CloseCode::Busy)));
            }
            Phase::Live if entry.draining => (draining.unwrap_or(now), Late::Close(CloseCode::Drain)),
            // While we do not read, its clocks stand still; `resume` starts them anew.
            Phase::Live if !may_read(entry, limits) => {
                return Some(written_by.unwrap_or((now.after_ms(two_beats_ms), Late::Close(CloseCode::Silent))));
            }
            Phase::Live if self.shared.voice == Voice::Echo => return written_by.or(whole_by),
            Phase::Live => (entry.seen.after_ms(two_beats_ms), Late::Close(CloseCode::Silent)),
        };
        [Some(heard_by), written_by, whole_by].into_iter().flatten().min_by_key(|(at, _)| *at)
    }
}

/// Since when nothing of the outbox could be written; `None`: nothing waits for the peer to read.
fn stuck_since(entry: &Entry) -> Option<Tick> {
    let outbox = entry.outbox.as_ref().filter(|outbox| !outbox.held)?;
    let tls_waits = entry.tls.as_ref().is_some_and(|tls| !tls.has_left());
    (outbox.has_bytes() || tls_waits).then_some(outbox.since)
}
