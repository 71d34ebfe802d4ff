//! Bytes out. What became ready in a turn is gathered as pairs (connection, chunk) and written per connection at once;
//! what the kernel does not take waits in that connection's outbox.

use std::collections::VecDeque;
use std::io::{self, IoSlice, Write};

use bytes::Bytes;
use schema::server::Behind;
use schema::{CloseCode, ServerEvent};

use super::Lot;
use super::joined::{Joined, Kind};
use super::read::may_read;
use super::say::framed;
use crate::edge::frame::write_close;
use crate::edge::outbox::{Chunk, Class, Effects, Outbox, Overflow};
use crate::edge::slab::{Entry, Phase};

/// Buffers of one `writev`.
const SLICES_MAX: usize = 32;

impl Lot {
    /// A frame of the lot's own for one connection.
    pub(super) fn send_frame(&mut self, index: u32, frame: Bytes) {
        let chunk = self.delivery.add(Joined::frame(frame, Kind::Chunk(Class::Direct)));
        self.delivery.to(index, chunk);
    }
    pub(super) fn send_last(&mut self, index: u32, frame: Bytes, keep: bool) {
        let chunk = self.delivery.add(Joined::frame(frame, Kind::Last { keep }));
        self.delivery.to(index, chunk);
    }

    /// Writes what is gathered; for each connection in the order in which it was gathered.
    pub(super) fn flush(&mut self) {
        while !self.delivery.pairs.is_empty() {
            let mut delivery = std::mem::take(&mut self.delivery);
            if delivery.runs > 1 {
                delivery.pairs.sort_by_key(|(index, _)| *index);
            }
            for group in delivery.pairs.chunk_by(|a, b| a.0 == b.0) {
                for part in group.chunks(SLICES_MAX) {
                    self.deliver(group[0].0, part.iter().map(|(_, chunk)| &*delivery.joined[*chunk as usize]));
                }
            }
            if self.delivery.pairs.is_empty() {
                delivery.clear();
                self.delivery = delivery;
            }
        }
        self.delivery.clear();
    }

    /// What fits one write: straight to the socket, if nothing waits before it.
    fn deliver<'a>(&mut self, index: u32, group: impl Iterator<Item = &'a Joined> + Clone) {
        let Some(entry) = self.slab.get(index) else { return };
        if entry.outbox.is_some() || group.clone().any(|joined| matches!(joined.kind, Kind::Pull(_))) {
            return self.queue(index, group);
        }
        let mut slices = [IoSlice::new(&[]); SLICES_MAX];
        let (mut filled, mut bytes, mut is_last) = (0, 0, false);
        for (slice, joined) in slices.iter_mut().zip(group.clone()) {
            *slice = IoSlice::new(joined.bytes(entry.format, entry.level));
            filled += 1;
            bytes += slice.len();
            self.tally.frames_out += u64::from(joined.frames(entry.level));
            is_last = matches!(joined.kind, Kind::Last { .. });
        }
        self.tally.writes += 1;
        let written = match transmit(entry, &slices[..filled]) {
            Ok(written) => written,
            Err(error) if is_passing(&error) => 0,
            Err(_) => return self.gone(index, None),
        };
        self.tally.bytes_out += written as u64;
        if written == bytes && has_left(entry) {
            return if is_last {
                self.finish(index)
            };
        }
        self.keep_rest(index, group, written);
    }

    /// The kernel took `written` bytes of the group: the rest waits.
    fn keep_rest<'a>(&mut self, index: u32, group: impl Iterator<Item = &'a Joined> + Clone, written: usize) {
        let entry = self.slab.at(index);
        let mut outbox = Box::new(Outbox::new(self.now, false));
        let mut skip = written;
        let mut rest = group;
        while skip > 0
            && let Some(joined) = rest.next()
        {
            let chunk = joined.chunk(entry.format, entry.level);
            match skip.checked_sub(chunk.bytes.len()) {
                Some(left) => skip = left,
                None => outbox.push_begun(chunk, std::mem::take(&mut skip)),
            }
        }
        (self.tally.outbox_bytes, self.tally.outbox_frames) =
            (self.tally.outbox_bytes + outbox.bytes(), self.tally.outbox_frames + outbox.frames());
        entry.outbox = Some(outbox);
        self.look(index, self.now.after_ms(self.shared.limits.slow_ms));
        self.queue(index, rest);
        if tls_has_room(self.slab.at(index)) {
            self.write_outbox(index);
        }
    }

    /// Into the outbox, by its rules.
    fn queue<'a>(&mut self, index: u32, group: impl Iterator<Item = &'a Joined>) {
        let now = self.now;
        let entry = self.slab.at(index);
        // What is held waits for the greeting (or for a close frame in its stead), not for the kernel.
        let was_blocked = entry.outbox.as_ref().is_some_and(|outbox| outbox.has_bytes() && !outbox.held) || !has_left(entry);
        let before = waiting(entry);
        entry.outbox.get_or_insert_with(|| Box::new(Outbox::new(now, false)));
        for joined in group {
            if self.queue_one(index, joined).is_err() {
                self.drop_slow(index);
                break;
            }
            if matches!(joined.kind, Kind::Last { .. }) {
                break;
            }
        }
        self.recount(index, before);
        let entry = self.slab.at(index);
        if !was_blocked && let Some(outbox) = &mut entry.outbox {
            outbox.since = now;
            self.write_outbox(index);
        }
    }

    fn queue_one(&mut self, index: u32, joined: &Joined) -> Result<(), Overflow> {
        let bounds = self.outbox_bounds();
        let entry = self.slab.at(index);
        let (format, level, Some(outbox)) = (entry.format, entry.level, entry.outbox.as_mut()) else { return Ok(()) };
        let mut effects = Effects::default();
        match joined.kind {
            Kind::Chunk(_) => outbox.push(joined.chunk(format, level), &bounds, &mut effects)?,
            Kind::Greeting => {
                let rooms = &self.rooms;
                outbox.greet(joined.chunk(format, level), |number| joined.said_of(rooms.id(number)));
            }
            Kind::Page { room, to, head } => {
                outbox.push(joined.chunk(format, level), &bounds, &mut effects)?;
                outbox.page(room, to, head, &mut effects);
            }
            Kind::Pull(pull) => outbox.pull(pull, &mut effects),
            Kind::Last { keep } => {
                outbox.cut(keep);
                outbox.push_last(joined.chunk(format, level));
            }
        }
        self.tally.frames_out += u64::from(joined.frames(level));
        let mut behind = VecDeque::from(std::mem::take(&mut effects.behind));
        while let Some((room, head)) = behind.pop_front() {
            self.tally.behind += 1;
            let notice = ServerEvent::Behind(Behind { room: self.rooms.at(room).id, head });
            let chunk = Chunk { bytes: framed(format, &notice).into(), frames: 1, class: Class::Direct };
            outbox.push(chunk, &bounds, &mut effects)?;
            behind.extend(effects.behind.drain(..));
        }
        self.tally.ephemerals_dropped += u64::from(effects.ephemerals_dropped);
        Ok(())
    }

    /// Not even answers fit: the rest of what is begun and a close frame are all that stays.
    fn drop_slow(&mut self, index: u32) {
        self.closing(index, Some(CloseCode::Slow.number()));
        let mut frame = Vec::new();
        write_close(&mut frame, CloseCode::Slow.number(), CloseCode::Slow.sentence());
        if let Some(outbox) = &mut self.slab.at(index).outbox {
            outbox.cut(false);
            outbox.push_last(Chunk { bytes: frame.into(), frames: 1, class: Class::Direct });
        }
    }

    /// Writes until all is out or the kernel takes no more.
    pub(super) fn write_outbox(&mut self, index: u32) {
        let now = self.now;
        let Some(entry) = self.slab.get(index).filter(|entry| entry.outbox.as_ref().is_some_and(|outbox| !outbox.held)) else { return };
        let before = waiting(entry);
        let was_read = may_read(entry, &self.shared.limits);
        let outcome = loop {
            let Some(mut outbox) = entry.outbox.take() else { return };
            let mut slices = [IoSlice::new(&[]); SLICES_MAX];
            let filled = outbox.slices(&mut slices);
            let offered: usize = slices[..filled].iter().map(|slice| slice.len()).sum();
            let written = transmit(entry, &slices[..filled]);
            let taken = *written.as_ref().unwrap_or(&0);
            outbox.wrote(taken, now);
            entry.outbox = Some(outbox);
            (self.tally.writes, self.tally.bytes_out) = (self.tally.writes + 1, self.tally.bytes_out + taken as u64);
            match written {
                Ok(taken) if taken > 0 && (taken == offered || tls_has_room(entry)) => {}
                Ok(_) => break Ok(()),
                Err(error) if is_passing(&error) => break Ok(()),
                Err(error) => break Err(error),
            }
        };
        self.recount(index, before);
        if outcome.is_err() {
            return self.gone(index, None);
        }
        let entry = self.slab.at(index);
        let is_empty = has_left(entry) && entry.outbox.as_ref().is_some_and(|outbox| !outbox.has_bytes());
        if is_empty && entry.outbox.as_ref().is_some_and(|outbox| outbox.is_idle()) {
            entry.outbox = None;
        }
        match entry.phase {
            Phase::Closing if is_empty => self.finish(index),
            _ if !was_read && may_read(entry, &self.shared.limits) => self.resume(index),
            _ if !is_empty => self.look(index, now.after_ms(self.shared.limits.slow_ms)),
            _ => {}
        }
    }

    pub(super) fn recount(&mut self, index: u32, before: (usize, usize)) {
        let after = waiting(self.slab.at(index));
        self.tally.outbox_bytes = (self.tally.outbox_bytes + after.0).saturating_sub(before.0);
        self.tally.outbox_frames = (self.tally.outbox_frames + after.1).saturating_sub(before.1);
    }
}

/// Bytes and frames in the outbox.
pub(super) fn waiting(entry: &Entry) -> (usize, usize) {
    entry.outbox.as_ref().map_or((0, 0), |outbox| (outbox.bytes(), outbox.frames()))
}

fn transmit(entry: &mut Entry, slices: &[IoSlice<'_>]) -> io::Result<usize> {
    let Some(mut socket) = entry.socket.as_ref() else { return Ok(0) };
    if let Some(tls) = entry.tls.as_mut() {
        return tls.write(socket, slices);
    }
    match slices {
        [] => Ok(0),
        [one] => socket.write(one),
        many => socket.write_vectored(many),
    }
}

/// TLS took less than it was offered because its buffer was full, and has passed that on: no event will say so.
fn tls_has_room(entry: &Entry) -> bool {
    entry.tls.as_ref().is_some_and(|tls| tls.has_left())
}

/// Nothing waits inside of TLS.
fn has_left(entry: &Entry) -> bool {
    entry.tls.as_ref().is_none_or(|tls| tls.has_left())
}

fn is_passing(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
}
