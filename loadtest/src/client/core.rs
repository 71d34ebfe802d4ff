//! Pure. One device: what it does on every frame, request and lost connection. The driver carries out the effects.
//!
//! Invariant: a request is unanswered until an `ok`, a lasting `error`, or its own event with the same cmid came by.

use std::collections::HashMap;

use schema::client::{self, Act, Resume};
use schema::server::{Behind, Done, Gap, History, Ready, Refusal, RoomState};
use schema::{ClientEvent, Cmid, DeviceId, ErrorCode, Event, RoomId, ServerEvent, UserId};

use super::log::{Offered, RoomLog};
use super::outbox::Outbox;
use crate::history::{Claim, Entry, Seen};

/// After how long a page is asked for again when the refusal does not say.
const FILL_AGAIN_US: u64 = 50_000;

/// How an ordered request ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is in the room; no seq when it changed nothing.
    Landed {
        seq: Option<u64>,
    },
    Refused(Refusal),
}

/// Where a device begins in a room that it did not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// It wants everything, from seq 1.
    Beginning,
    /// It wants what comes.
    Head,
}

/// A page to read, as `history` asks for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageAsk {
    pub room: RoomId,
    pub before: Option<u64>,
    pub after: Option<u64>,
    pub limit: Option<u16>,
}

#[derive(Debug, Default)]
pub struct Effects {
    pub send: Vec<ClientEvent>,
    pub record: Vec<Entry>,
    pub ended: Vec<(Cmid, Outcome)>,
    pub pages: Vec<(u32, Result<History, Refusal>)>,
    /// The node asked for a new connection, after so many milliseconds.
    pub reconnect_ms: Option<u32>,
}

#[derive(Debug)]
pub struct Core {
    pub user: UserId,
    pub device: DeviceId,
    start: Start,
    rooms: HashMap<RoomId, RoomLog>,
    outbox: Outbox,
    /// Pages under way: the room, when it was asked, whether it fills a gap.
    pages: HashMap<u32, (RoomId, u64, bool)>,
    /// Fills that were put off, and until when.
    refills: HashMap<RoomId, u64>,
    ready: bool,
    page_max: u16,
    pub heartbeat_ms: u32,
    /// Events that came without having been asked for, and those the device already had.
    pub delivered: u64,
    pub doubles: u64,
    /// Rooms that this device was told of and then not let read: it has given them up.
    pub given_up: u64,
}

impl Core {
    pub fn new(user: UserId, device: DeviceId, start: Start) -> Self {
        Self {
            user,
            device,
            start,
            rooms: HashMap::new(),
            outbox: Outbox::default(),
            pages: HashMap::new(),
            refills: HashMap::new(),
            ready: false,
            page_max: 200,
            heartbeat_ms: 30_000,
            delivered: 0,
            doubles: 0,
            given_up: 0,
        }
    }

    pub fn is_ready(&self) -> bool {
        self.ready
    }
    pub fn unanswered(&self) -> usize {
        self.outbox.count()
    }
    pub fn room(&self, room: RoomId) -> Option<&RoomLog> {
        self.rooms.get(&room)
    }
    pub fn have(&self, room: RoomId) -> u64 {
        self.rooms.get(&room).map_or(0, RoomLog::have)
    }
    pub fn rooms(&self) -> impl Iterator<Item = (RoomId, &RoomLog)> {
        self.rooms.iter().map(|(room, log)| (*room, log))
    }
    pub fn due_us(&self) -> Option<u64> {
        let due = self.outbox.due_us().into_iter().chain(self.refills.values().copied()).min();
        if self.ready { due } else { None }
    }

    /// The first frame of a connection.
    pub fn hello(&mut self, token: String, fx: &mut Effects) {
        let mut resume: Vec<_> = self.rooms.iter().map(|(room, log)| Resume { room: *room, seq: log.have() }).collect();
        resume.sort_by_key(|it| it.room);
        fx.record.push(Entry::Hello { resume: resume.clone() });
        fx.send.push(ClientEvent::Hello(client::Hello { token: Some(token), ticket: None, device: self.device, resume }));
    }

    pub fn submit(&mut self, now_us: u64, room: RoomId, cmid: Cmid, act: Act, fx: &mut Effects) {
        self.outbox.push(room, cmid, act);
        self.pump(now_us, fx);
    }

    /// The id under which the page will come, in `Effects::pages`.
    pub fn ask(&mut self, now_us: u64, ask: PageAsk, fx: &mut Effects) -> u32 {
        self.ask_page(now_us, ask, false, fx)
    }

    pub fn ping(&mut self, fx: &mut Effects) {
        let id = self.outbox.next_id();
        fx.send.push(ClientEvent::Ping(client::Ping { id }));
    }

    /// Time has passed: resend what was put off.
    pub fn pump(&mut self, now_us: u64, fx: &mut Effects) {
        if !self.ready {
            return;
        }
        let due: Vec<_> = self.refills.iter().filter(|(_, at)| **at <= now_us).map(|(room, _)| *room).collect();
        for room in due {
            self.refills.remove(&room);
            self.fill(now_us, room, fx);
        }
        let mut frames = Vec::new();
        self.outbox.pump(now_us, |room| self.rooms.get(&room).map_or(0, RoomLog::have), &mut frames);
        for request in frames {
            fx.record.push(Entry::Sent { request: request.clone() });
            fx.send.push(request);
        }
    }

    pub fn lost(&mut self, fx: &mut Effects) {
        self.ready = false;
        for (room, cmid, seq) in self.outbox.lost() {
            landed(room, cmid, Some(seq), fx);
        }
        self.rooms.values_mut().for_each(RoomLog::lost);
        self.refills.clear();
        for (id, (_, _, fill)) in self.pages.drain() {
            if !fill {
                fx.pages.push((id, Err(Refusal::new(id, ErrorCode::Unavailable))));
            }
        }
        fx.record.push(Entry::Lost {});
    }

    /// The device says what it has and what it does not know.
    pub fn end(&self) -> Entry {
        let mut unknown: Vec<_> = self.outbox.unanswered().map(|(room, cmid)| Claim { room, cmid }).collect();
        let mut have: Vec<_> = self.rooms.iter().map(|(room, log)| Resume { room: *room, seq: log.have() }).collect();
        unknown.sort();
        have.sort_by_key(|it| it.room);
        Entry::End { unknown, have }
    }

    pub fn heard(&mut self, now_us: u64, frame: ServerEvent, fx: &mut Effects) {
        match frame {
            ServerEvent::Ready(ready) => self.on_ready(now_us, ready, fx),
            ServerEvent::Event(event) => self.on_event(now_us, &event, fx),
            ServerEvent::Events(many) => many.events.iter().for_each(|event| self.on_event(now_us, event, fx)),
            ServerEvent::Ok(done) => self.on_ok(done, fx),
            ServerEvent::Error(refusal) => self.on_error(now_us, refusal, fx),
            ServerEvent::Room(state) => self.on_room(now_us, &state, fx),
            ServerEvent::Gap(gap) => self.on_gap(now_us, gap, fx),
            ServerEvent::Behind(behind) => self.on_behind(now_us, behind, fx),
            ServerEvent::History(page) => self.on_page(now_us, page, fx),
            ServerEvent::Reconnect(it) => fx.reconnect_ms = Some(it.delay_ms),
            _ => {}
        }
        self.pump(now_us, fx);
    }

    fn on_ready(&mut self, now_us: u64, ready: Ready, fx: &mut Effects) {
        self.ready = true;
        self.heartbeat_ms = ready.heartbeat_ms;
        self.page_max = ready.limits.page_max.max(1);
        self.outbox.set_in_flight_max(usize::from(ready.limits.requests_in_flight_max));
        fx.record.push(Entry::Ready { heads: ready.rooms.iter().map(|it| Resume { room: it.room, seq: it.head }).collect() });
        self.rooms.retain(|room, _| ready.rooms.iter().any(|it| it.room == *room));
        for state in &ready.rooms {
            self.begin(now_us, state, fx);
        }
    }

    fn on_room(&mut self, now_us: u64, state: &RoomState, fx: &mut Effects) {
        fx.record.push(Entry::Joined { room: state.room, head: state.head });
        self.begin(now_us, state, fx);
    }

    /// A room that this device did not have is begun; what it has of one that it had, the node fills by itself.
    fn begin(&mut self, now_us: u64, state: &RoomState, fx: &mut Effects) {
        let known = self.rooms.contains_key(&state.room);
        let begin = if self.start == Start::Head { state.head } else { 0 };
        let log = self.rooms.entry(state.room).or_insert_with(|| RoomLog::after(begin));
        log.told_of(state.head);
        if !known && !log.is_whole() {
            self.fill(now_us, state.room, fx);
        }
    }

    fn on_event(&mut self, now_us: u64, event: &Event, fx: &mut Effects) {
        self.delivered += 1;
        let seen = Seen::of(event);
        fx.record.push(Entry::Delivered { room: event.room, seen });
        self.came_by(event, fx);
        let begin = if self.start == Start::Head { event.seq - 1 } else { 0 };
        let log = self.rooms.entry(event.room).or_insert_with(|| RoomLog::after(begin));
        match log.offer(seen) {
            Offered::Next => {}
            Offered::Double => self.doubles += 1,
            Offered::Ahead => self.fill(now_us, event.room, fx),
        }
        if event.body.removed() == Some(self.user) {
            self.rooms.remove(&event.room);
        }
    }

    /// An event of this user may be the answer to what this device asked for. While the request is under way on this
    /// connection, its `ok` says so: the event may just be faster.
    fn came_by(&mut self, event: &Event, fx: &mut Effects) {
        let ours = event.user == self.user;
        if ours && !self.outbox.seen(event.room, event.cmid, event.seq) && self.outbox.landed(event.room, event.cmid) {
            landed(event.room, event.cmid, Some(event.seq), fx);
        }
    }

    fn on_ok(&mut self, done: Done, fx: &mut Effects) {
        let Some((room, cmid)) = self.outbox.of(done.id) else { return };
        if self.outbox.landed(room, cmid) {
            landed(room, cmid, done.seq, fx);
        }
    }

    fn on_error(&mut self, now_us: u64, refusal: Refusal, fx: &mut Effects) {
        if let Some((room, _, fill)) = self.pages.remove(&refusal.id) {
            return self.on_no_page(now_us, room, fill, refusal, fx);
        }
        let Some((room, cmid)) = self.outbox.of(refusal.id) else { return };
        if refusal.code.is_temporary() {
            fx.record.push(Entry::PutOff { room, cmid, code: refusal.code });
            self.outbox.put_off(refusal.id, now_us, refusal.retry_after_ms);
        } else if self.outbox.refused(room, cmid) {
            fx.record.push(Entry::Refused { room, cmid, code: refusal.code });
            fx.ended.push((cmid, Outcome::Refused(refusal)));
        }
    }

    fn on_gap(&mut self, now_us: u64, gap: Gap, fx: &mut Effects) {
        fx.record.push(Entry::Gap { room: gap.room, from: gap.from, to: gap.to });
        if let Some(log) = self.rooms.get_mut(&gap.room) {
            log.told_of(gap.to);
            self.fill(now_us, gap.room, fx);
        }
    }

    fn on_behind(&mut self, now_us: u64, behind: Behind, fx: &mut Effects) {
        fx.record.push(Entry::Behind { room: behind.room, head: behind.head });
        if let Some(log) = self.rooms.get_mut(&behind.room) {
            log.told_of(behind.head);
            self.fill(now_us, behind.room, fx);
        }
    }

    fn on_page(&mut self, now_us: u64, page: History, fx: &mut Effects) {
        let Some((room, asked, fill)) = self.pages.remove(&page.id) else { return };
        let seen: Vec<_> = page.events.iter().map(Seen::of).collect();
        if let Some(log) = self.rooms.get_mut(&room)
            && fill
        {
            log.filling = false;
            seen.iter().for_each(|it| {
                log.offer(*it);
            });
            log.told_of(page.head);
            page.events.iter().for_each(|event| self.came_by(event, fx));
            self.fill(now_us, room, fx);
        }
        fx.record.push(Entry::Page { room, asked, fill, from: page.from, to: page.to, head: page.head, seen });
        if !fill {
            fx.pages.push((page.id, Ok(page)));
        }
    }

    /// Asks for what is missing next, one page at a time.
    fn fill(&mut self, now_us: u64, room: RoomId, fx: &mut Effects) {
        let Some(log) = self.rooms.get_mut(&room) else { return };
        if log.filling || log.is_whole() {
            return;
        }
        log.filling = true;
        let ask = PageAsk { room, before: None, after: Some(log.have()), limit: Some(self.page_max) };
        self.ask_page(now_us, ask, true, fx);
    }

    fn on_no_page(&mut self, now_us: u64, room: RoomId, fill: bool, refusal: Refusal, fx: &mut Effects) {
        if !fill {
            return fx.pages.push((refusal.id, Err(refusal)));
        }
        if !refusal.code.is_temporary() {
            self.rooms.remove(&room);
            self.given_up += 1;
        } else if let Some(log) = self.rooms.get_mut(&room) {
            log.filling = false;
            self.refills.insert(room, now_us + refusal.retry_after_ms.map_or(FILL_AGAIN_US, |ms| u64::from(ms) * 1000));
        }
    }

    fn ask_page(&mut self, now_us: u64, ask: PageAsk, fill: bool, fx: &mut Effects) -> u32 {
        let id = self.outbox.next_id();
        let PageAsk { room, before, after, limit } = ask;
        self.pages.insert(id, (room, now_us, fill));
        fx.send.push(ClientEvent::History(client::History { id, room, before, after, around: None, at: None, limit }));
        id
    }
}

fn landed(room: RoomId, cmid: Cmid, seq: Option<u64>, fx: &mut Effects) {
    fx.record.push(Entry::Acked { room, cmid, seq });
    fx.ended.push((cmid, Outcome::Landed { seq }));
}

#[cfg(test)]
#[path = "core_tests.rs"]
mod tests;
