//! The end of a connection: a close frame after what is queued, our half shut, the peer's rest thrown away for a while.
//!
//! Dropping a socket with unread bytes would make the kernel reset it, and the peer might never see why it was closed.

use std::net::Shutdown;

use schema::CloseCode;

use super::deliver::waiting;
use super::{Lot, SCRATCH_BYTES};
use crate::edge::Up;
use crate::edge::addresses::As;
use crate::edge::frame::write_close;
use crate::edge::lots::Voice;
use crate::edge::slab::Phase;

impl Lot {
    pub(super) fn close(&mut self, index: u32, code: CloseCode) {
        self.close_with(index, code.number(), code.sentence());
    }

    /// Those first who have most to read yet; what they did not read they get when they come again and resume.
    pub(super) fn close_slowest(&mut self, bytes: u64) {
        let mut slow: Vec<(usize, u32)> = (0..self.slab.places())
            .filter_map(|index| {
                let entry = self.slab.get(index).filter(|entry| entry.phase == Phase::Live)?;
                let (bytes, _) = waiting(entry);
                (bytes > 0).then_some((bytes, index))
            })
            .collect();
        slow.sort_unstable_by(|a, b| b.cmp(a));
        let mut left = bytes;
        for (bytes, index) in slow {
            if left == 0 {
                return;
            }
            left = left.saturating_sub(bytes as u64);
            self.close(index, CloseCode::Slow);
        }
    }

    pub(super) fn close_with(&mut self, index: u32, code: u16, sentence: &str) {
        let mut frame = Vec::new();
        write_close(&mut frame, code, sentence);
        self.close_by(index, frame.into(), code != CloseCode::Slow.number(), Some(code));
    }

    pub(super) fn close_by(&mut self, index: u32, frame: bytes::Bytes, keep: bool, code: Option<u16>) {
        if self.slab.get(index).is_some_and(|entry| entry.phase < Phase::Closing) {
            self.closing(index, code);
            self.send_last(index, frame, keep);
        }
    }

    /// From here on it gets nothing and says nothing; only a close frame may follow.
    pub(super) fn closing(&mut self, index: u32, code: Option<u16>) {
        if self.slab.at(index).phase >= Phase::Closing {
            return;
        }
        self.metrics.closed(code);
        self.forget(index);
        let now = self.now;
        let entry = self.slab.at(index);
        (entry.phase, entry.seen, entry.in_flight) = (Phase::Closing, now, 0);
        entry.parser = Default::default();
        self.leaving.push(index);
        self.look(index, now.after_ms(self.shared.limits.linger_ms));
    }

    /// Everything is written: says so to the kernel, then waits for the peer to do the same.
    pub(super) fn finish(&mut self, index: u32) {
        let entry = self.slab.at(index);
        let Some(socket) = entry.socket.as_ref() else { return };
        if let Some(tls) = entry.tls.as_mut() {
            // A goodbye that does not fit is one that nobody waits for.
            drop(tls.say_goodbye(socket));
        }
        if socket.shutdown(Shutdown::Write).is_err() {
            return self.gone(index, None);
        }
        entry.unread = true;
        self.ready.push(index);
    }

    /// The socket is no more.
    pub(super) fn gone(&mut self, index: u32, code: Option<u16>) {
        let Some(phase) = self.slab.get(index).map(|entry| entry.phase) else { return };
        if phase < Phase::Closing {
            self.metrics.closed(code);
            self.forget(index);
        }
        let entry = self.slab.at(index);
        let (bytes, frames) = waiting(entry);
        (entry.phase, entry.socket, entry.outbox) = (Phase::Gone, None, None);
        entry.parser = Default::default();
        self.tally.outbox_bytes = self.tally.outbox_bytes.saturating_sub(bytes);
        self.tally.outbox_frames = self.tally.outbox_frames.saturating_sub(frames);
        self.leaving.push(index);
    }

    /// Tells those who count it or know it.
    fn forget(&mut self, index: u32) {
        let connection = self.id(index);
        let phase = self.slab.at(index).phase;
        let user = self.slab.card(index).map(|card| card.user).unwrap_or_default();
        if self.shared.voice == Voice::Echo {
            return;
        }
        match phase {
            Phase::Fresh => self.unknown_no_more(index),
            Phase::Greeting => {
                self.unknown_no_more(index);
                self.say(Up::Closed { connection, user: None });
            }
            Phase::Live => {
                self.shared.users.leave(user, connection, self.now_ms);
                self.say(Up::Closed { connection, user: Some(user) });
            }
            Phase::Closing | Phase::Gone => {}
        }
    }

    /// It showed who it is, or never will.
    pub(super) fn unknown_no_more(&mut self, index: u32) {
        if let Some(card) = self.slab.card(index) {
            self.shared.addresses.leave(card.address, As::Unknown);
        }
    }

    /// Takes closing connections out of their rooms and frees the places of gone ones; not while somebody walks over a
    /// room's members.
    pub(super) fn reap(&mut self) {
        if self.leaving.is_empty() || self.script.front().is_some_and(|work| work.is_begun()) {
            return;
        }
        for index in std::mem::take(&mut self.leaving) {
            while let Some(room) = self.rooms.part_next(&mut self.slab, index) {
                self.left(room);
            }
            if self.slab.at(index).phase == Phase::Gone
                && let Some(card) = self.slab.free(index)
            {
                self.shared.addresses.leave(card.address, As::WebSocket);
                self.shared.connections.fetch_sub(1, std::sync::atomic::Ordering::Relaxed);
            }
        }
    }

    /// Every connection goes, whatever state a broken turn left it in.
    pub(super) fn drop_all(&mut self) {
        self.script.clear();
        self.ready.clear();
        self.delivery = Default::default();
        self.scratch = vec![0; SCRATCH_BYTES];
        for index in 0..self.slab.places() {
            self.gone(index, None);
        }
        self.leaving = (0..self.slab.places()).collect();
        self.reap();
        self.hand_up();
        (self.tally.outbox_bytes, self.tally.outbox_frames) = (0, 0);
        self.report();
    }
}
