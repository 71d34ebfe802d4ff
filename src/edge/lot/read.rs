//! Bytes in: from a socket through the parser to whole messages; and when a socket is not read.

use std::io::{self, Read};

use super::Lot;
use crate::edge::frame::{Opcode, write_close, write_frame};
use crate::edge::parser::Item;
use crate::edge::slab::{Entry, Phase};
use crate::limits::Limits;

/// A request's place is free, its answers have somewhere to go, and the node stays.
pub(super) fn may_read(entry: &Entry, limits: &Limits) -> bool {
    match entry.phase {
        Phase::Fresh => true,
        Phase::Live => {
            let waiting = entry.outbox.as_ref().map_or(0, |outbox| outbox.bytes());
            !entry.draining && entry.in_flight < limits.requests_in_flight_max && waiting <= limits.outbox_bytes_max / 2
        }
        Phase::Greeting | Phase::Closing | Phase::Gone => false,
    }
}

impl Lot {
    /// Reads until the kernel has no more, the connection may not go on, or others have their turn.
    pub(super) fn read(&mut self, index: u32) {
        let mut left = self.shared.limits.read_bytes_per_turn_max;
        loop {
            let Some(entry) = self.slab.get(index) else { return };
            let discards = entry.phase == Phase::Closing;
            if !discards {
                if !may_read(entry, &self.shared.limits) {
                    // A peer that ended before its greeting, or is gone altogether, waits for nothing. Any other that ended
                    // has its requests answered; its end is read behind them.
                    let is_lost = entry.ended && (entry.phase == Phase::Greeting || is_reset(entry));
                    return if is_lost { self.gone(index, None) } else { self.metrics.reading_paused.increment(1) };
                }
                if entry.parser.has_stash() {
                    let mut stash = entry.parser.take_stash();
                    self.feed(index, &mut stash);
                    continue;
                }
            }
            if !entry.unread {
                return;
            }
            if left == 0 {
                return self.ready.push(index);
            }
            let mut scratch = std::mem::take(&mut self.scratch);
            let received = receive(entry, &mut scratch);
            match received {
                Ok(bytes @ 1..) => {
                    left = left.saturating_sub(bytes);
                    self.tally.bytes_in += bytes as u64;
                    if entry.phase == Phase::Live {
                        entry.seen = self.now;
                    }
                    // A short read empties a plain socket (epoll(7)); its end still has to be read.
                    entry.unread = bytes == scratch.len() || entry.ended || is_tls(entry);
                    if !discards {
                        self.feed(index, &mut scratch[..bytes]);
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => entry.unread = false,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Ok(_) | Err(_) => self.gone(index, None),
            }
            self.scratch = scratch;
        }
    }

    /// Takes whole messages out of `bytes`; what may not be looked at yet is kept.
    fn feed(&mut self, index: u32, bytes: &mut [u8]) {
        let bounds = self.parser_bounds();
        let mut parser = std::mem::take(&mut self.slab.at(index).parser);
        let mut rest = bytes;
        loop {
            match parser.step(&mut rest, &bounds, self.now) {
                Ok(Some(item)) => self.item(index, item),
                Ok(None) => break,
                Err(violation) => return self.close_with(index, violation.close_code().number(), &violation.to_string()),
            }
            let entry = self.slab.at(index);
            if entry.phase >= Phase::Closing {
                return;
            }
            if !may_read(entry, &self.shared.limits) {
                parser.stash(rest);
                break;
            }
        }
        let unfinished_since = parser.since();
        self.slab.at(index).parser = parser;
        if let Some(since) = unfinished_since {
            self.look(index, since.after_ms(self.shared.limits.message_ms));
        }
    }

    fn item(&mut self, index: u32, item: Item<'_>) {
        match item {
            Item::Message { text, bytes } => self.message(index, text, bytes),
            Item::Ping(body) => {
                let mut frame = Vec::with_capacity(2 + body.len());
                write_frame(&mut frame, Opcode::Pong, body);
                self.send_frame(index, frame.into());
            }
            Item::Pong => {}
            Item::Close(code) => {
                let mut frame = Vec::new();
                match code {
                    Some(code) => write_close(&mut frame, code, ""),
                    None => write_frame(&mut frame, Opcode::Close, &[]),
                }
                self.close_by(index, frame.into(), true, code);
            }
        }
    }

    /// The connection may be read again: its clocks stood still meanwhile.
    pub(super) fn resume(&mut self, index: u32) {
        let now = self.now;
        let entry = self.slab.at(index);
        entry.seen = now;
        entry.parser.restart_clock(now);
        if entry.unread || entry.parser.has_stash() {
            self.ready.push(index);
        }
    }
}

fn receive(entry: &mut Entry, into: &mut [u8]) -> io::Result<usize> {
    let Some(mut socket) = entry.socket.as_ref() else { return Ok(0) };
    match entry.tls.as_mut() {
        Some(tls) => tls.read(socket, into),
        None => socket.read(into),
    }
}

fn is_tls(entry: &Entry) -> bool {
    entry.tls.is_some()
}

/// The peer is gone, not only done with sending.
fn is_reset(entry: &Entry) -> bool {
    entry.socket.as_ref().is_none_or(|socket| !matches!(socket.take_error(), Ok(None)))
}
