//! Pure. One virtual user's device: what it sends for everything that is intended, put off or lost. What it makes of what
//! it hears is in `hear`.
//!
//! Invariant: a request is unanswered until an `ok`, a lasting `error`, or its own event came by.

use std::collections::HashMap;

use schema::client::{self, Act, Resume};
use schema::wire::Format;
use schema::{ClientEvent, Cmid, DeviceId, RoomId, UserId};

use super::way::Way;
use crate::client::outbox::Outbox;
use crate::history::{Claim, Entry};
use crate::measure::Deed;
use crate::report::Offending;
use crate::run::books::Books;
use crate::run::text::Mark;

/// Requests of a kind that wait for an answer or a connection; more means that the node has long lost this run.
pub const UNANSWERED_MAX: usize = 10_000;

#[derive(Debug)]
pub struct Core {
    pub number: u32,
    pub user: UserId,
    pub device: DeviceId,
    pub format: Format,
    /// Whether what happens is written down for the checker.
    pub(super) recording: bool,
    pub(super) rooms: Vec<Room>,
    pub(super) outbox: Outbox,
    pub(super) asked: HashMap<Cmid, Asked>,
    /// Requests outside of any order: pages, reads, pings.
    pub(super) questions: HashMap<u32, Question>,
    pub(super) ready: bool,
    pub(super) page_max: u16,
    pub heartbeat_ms: u32,
    /// The connection is new, and not everything that was missed is there yet.
    pub(super) arriving: Option<Arriving>,
}

/// When something was to happen, and when it did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moments {
    pub intended_us: u64,
    pub actual_us: u64,
}

/// A connection that was begun: for the first time, or again.
#[derive(Clone, Copy, Debug)]
pub(super) struct Arriving {
    pub moments: Moments,
    pub deed: Deed,
}

#[derive(Debug)]
pub(super) struct Room {
    /// In the plan.
    pub number: u32,
    pub id: RoomId,
    pub way: Way,
    pub begun: bool,
    /// Marked messages that this user has given to the outbox.
    said: u32,
    /// Where their last message landed, and the ordinal that the room had at the beginning.
    pub mine: Option<u64>,
    pub ordinal: u64,
}

#[derive(Debug)]
pub(super) struct Asked {
    pub deed: Deed,
    pub room: usize,
    /// Of its mark.
    pub number: Option<u32>,
    pub moments: Moments,
}

#[derive(Debug)]
pub(super) enum Question {
    Deed(Deed, Moments),
    Fill { room: usize, asked_us: u64 },
    Page { room: usize, asked_us: u64, moments: Moments },
}

#[derive(Debug, Default)]
pub struct Effects {
    pub send: Vec<ClientEvent>,
    pub record: Vec<Entry>,
    /// The node asked for a new connection, after so many milliseconds.
    pub reconnect_ms: Option<u32>,
    pub became_ready: bool,
}

impl Core {
    /// `rooms`: number in the plan and id, rising by number.
    pub fn new(number: u32, user: UserId, device: DeviceId, format: Format, rooms: &[(u32, RoomId)], recording: bool) -> Self {
        let rooms = rooms.iter().map(|(number, id)| Room {
            number: *number,
            id: *id,
            way: Way::default(),
            begun: false,
            said: 0,
            mine: None,
            ordinal: 0,
        });
        Self {
            number,
            user,
            device,
            format,
            recording,
            rooms: rooms.collect(),
            outbox: Outbox::default(),
            asked: HashMap::new(),
            questions: HashMap::new(),
            ready: false,
            page_max: 200,
            heartbeat_ms: 30_000,
            arriving: None,
        }
    }

    pub fn is_ready(&self) -> bool {
        self.ready
    }
    pub fn unanswered(&self) -> usize {
        self.asked.len()
    }
    /// Everything was answered, and every room is as far as the head of its number.
    pub fn is_settled(&self, heads: &[u64]) -> bool {
        self.ready && self.asked.is_empty() && self.rooms.iter().all(|room| room.way.have() >= heads[room.number as usize])
    }
    /// Of its rooms: number, where it began, what it has.
    pub fn ways(&self) -> impl Iterator<Item = (u32, u64, u64)> {
        self.rooms.iter().map(|room| (room.number, room.way.base(), room.way.have()))
    }
    pub fn due_us(&self) -> Option<u64> {
        let fills = self.rooms.iter().filter_map(|room| room.way.fill_at_us);
        if self.ready { self.outbox.due_us().into_iter().chain(fills).min() } else { None }
    }

    /// The first frame of a connection; `moments` of beginning to connect again.
    pub fn hello(&mut self, token: String, moments: Moments, fx: &mut Effects) {
        let begun = self.rooms.iter().filter(|room| room.begun);
        let resume: Vec<_> = begun.map(|room| Resume { room: room.id, seq: room.way.have() }).collect();
        let deed = if self.rooms.iter().any(|room| room.begun) { Deed::Resume } else { Deed::Connect };
        self.arriving = Some(Arriving { moments, deed });
        self.record(fx, || Entry::Hello { resume: resume.clone() });
        fx.send.push(ClientEvent::Hello(client::Hello { token: Some(token), ticket: None, device: self.device, resume }));
    }

    /// What the plan says is to happen now.
    pub fn act(&mut self, deed: Deed, room: u32, bytes: u32, moments: Moments, books: &mut Books, fx: &mut Effects) {
        let Ok(place) = self.rooms.binary_search_by_key(&room, |room| room.number) else { return };
        books.tally.begun(deed);
        match deed {
            Deed::Post | Deed::Edit | Deed::React => self.ask(deed, place, bytes, moments, books, fx),
            // Without a line nobody reads, types or pages.
            _ if !self.ready || self.questions.len() >= UNANSWERED_MAX => books.tally.of_mut(deed).put_off += 1,
            Deed::Typing => {
                fx.send.push(ClientEvent::Typing(client::Typing { room: self.rooms[place].id, on: true }));
                books.tally.done(deed, moments.actual_us - moments.intended_us, 0);
            }
            Deed::Page => self.page(place, None, moments.actual_us, Some(moments), fx),
            Deed::Read => self.read(place, moments, books, fx),
            _ => {
                let id = self.question(Question::Deed(Deed::Ping, moments));
                fx.send.push(ClientEvent::Ping(client::Ping { id }));
            }
        }
    }

    pub fn ping(&mut self, fx: &mut Effects) {
        let id = self.outbox.next_id();
        fx.send.push(ClientEvent::Ping(client::Ping { id }));
    }

    /// Ordered requests. Without a message to change or react to, they are posts.
    fn ask(&mut self, deed: Deed, place: usize, bytes: u32, moments: Moments, books: &mut Books, fx: &mut Effects) {
        let room = &mut self.rooms[place];
        if self.asked.len() >= UNANSWERED_MAX {
            let what = format!("user {} has {UNANSWERED_MAX} requests without an answer: this one was not sent", self.number);
            return books.ledger.offences.add(Offending::Wrong, room.id, None, what);
        }
        let target = match deed {
            Deed::Edit => room.mine,
            // What this device has not seen yet, nobody can react to with it.
            Deed::React => books.ledger.last_message(room.number).filter(|seq| *seq <= room.way.have()),
            _ => None,
        };
        let mut number = None;
        let mut text = || {
            room.said += 1;
            number = Some(room.said);
            let lag_us = moments.actual_us.saturating_sub(moments.intended_us);
            let mark = Mark { room: room.number, sender: self.number, number: room.said, intended_us: moments.intended_us, lag_us };
            mark.text(bytes as usize)
        };
        let act = match (deed, target) {
            (Deed::Edit, Some(target)) => Act::Edit { target, text: text() },
            (Deed::React, Some(target)) => Act::React { target, emoji: "👍".to_owned(), on: true },
            _ => Act::Post { text: text(), reply: None, origin: None },
        };
        let cmid = self.cmid(moments.actual_us);
        self.outbox.push(self.rooms[place].id, cmid, act);
        self.asked.insert(cmid, Asked { deed, room: place, number, moments });
        books.counts.asked += 1;
        self.pump(moments.actual_us, fx);
    }

    /// A UUIDv7 of the run's own clock: user and count make it unique.
    fn cmid(&mut self, now_us: u64) -> Cmid {
        let id = self.outbox.next_id();
        let mut random = [0; 10];
        random[..4].copy_from_slice(&self.number.to_be_bytes());
        random[4..8].copy_from_slice(&id.to_be_bytes());
        random[8..].copy_from_slice(&self.device.as_bytes()[14..]);
        Cmid(uuid::Builder::from_unix_timestamp_millis(now_us / 1000, &random).into_uuid())
    }

    fn read(&mut self, place: usize, moments: Moments, books: &mut Books, fx: &mut Effects) {
        let room = &self.rooms[place];
        let (room, seq) = (room.id, room.way.have());
        let ordinal = books.ledger.ordinal(self.rooms[place].number, seq).unwrap_or(self.rooms[place].ordinal);
        let id = self.question(Question::Deed(Deed::Read, moments));
        fx.send.push(ClientEvent::Read(client::Read { id, room, seq, ordinal }));
    }

    fn page(&mut self, place: usize, after: Option<u64>, now_us: u64, moments: Option<Moments>, fx: &mut Effects) {
        let room = self.rooms[place].id;
        let question = match moments {
            Some(moments) => Question::Page { room: place, asked_us: now_us, moments },
            None => Question::Fill { room: place, asked_us: now_us },
        };
        let limit = if moments.is_some() { Some(50) } else { Some(self.page_max) };
        let id = self.question(question);
        fx.send.push(ClientEvent::History(client::History { id, room, before: None, after, around: None, at: None, limit }));
    }

    fn question(&mut self, question: Question) -> u32 {
        let id = self.outbox.next_id();
        self.questions.insert(id, question);
        id
    }

    /// Time has passed: what was put off is sent again.
    pub fn pump(&mut self, now_us: u64, fx: &mut Effects) {
        if !self.ready {
            return;
        }
        for place in 0..self.rooms.len() {
            if self.rooms[place].way.fill_at_us.is_some_and(|at| at <= now_us) {
                self.fill(place, now_us, fx);
            }
        }
        let rooms = &self.rooms;
        let have = |id: RoomId| rooms.iter().find(|room| room.id == id).map_or(0, |room| room.way.have());
        let mut frames = Vec::new();
        self.outbox.pump(now_us, have, &mut frames);
        for request in frames {
            self.record(fx, || Entry::Sent { request: request.clone() });
            fx.send.push(request);
        }
    }

    pub fn lost(&mut self, now_us: u64, books: &mut Books, fx: &mut Effects) {
        self.ready = false;
        for (_, cmid, seq) in self.outbox.lost() {
            self.landed(cmid, Some(seq), now_us, books, fx);
        }
        for place in 0..self.rooms.len() {
            self.unsent(place, books);
        }
        // A question is a person's: who lost the line asks again when they look again.
        for (_, question) in self.questions.drain() {
            match question {
                Question::Deed(deed, _) => books.tally.of_mut(deed).put_off += 1,
                Question::Page { .. } => books.tally.of_mut(Deed::Page).put_off += 1,
                Question::Fill { .. } => {}
            }
        }
        self.record(fx, || Entry::Lost {});
    }

    /// What was skipped on this connection and did not come late either.
    fn unsent(&mut self, place: usize, books: &mut Books) {
        let room = &mut self.rooms[place];
        for (from, to) in room.way.lost() {
            for seq in from..=to.min(from + 100) {
                let what = format!("seq {seq} was not sent to user {}, while the one after {to} was", self.number);
                books.ledger.offences.add(Offending::Lost, room.id, Some(seq), what);
            }
        }
    }

    /// The run is over. Returns how many requests have no answer.
    pub fn end(&mut self, books: &mut Books, fx: &mut Effects) -> u64 {
        for place in 0..self.rooms.len() {
            self.unsent(place, books);
        }
        let mut unknown: Vec<_> = self.outbox.unanswered().map(|(room, cmid)| Claim { room, cmid }).collect();
        unknown.sort();
        let count = unknown.len() as u64;
        let mut have: Vec<_> = self.rooms.iter().map(|room| Resume { room: room.id, seq: room.way.have() }).collect();
        have.sort_by_key(|it| it.room);
        self.record(fx, || Entry::End { unknown, have });
        count
    }

    /// Asks for what is missing next, one page at a time.
    pub(super) fn fill(&mut self, place: usize, now_us: u64, fx: &mut Effects) {
        let way = &mut self.rooms[place].way;
        if way.is_to_fill(now_us) {
            (way.filling, way.fill_at_us) = (true, None);
            let after = way.have();
            self.page(place, Some(after), now_us, None, fx);
        }
    }

    pub(super) fn record(&self, fx: &mut Effects, entry: impl FnOnce() -> Entry) {
        if self.recording {
            fx.record.push(entry());
        }
    }
}

#[cfg(test)]
#[path = "core_tests.rs"]
mod tests;
