//! What actors have for this lot's connections, in the order in which they said it.
//!
//! Batches of one room are joined as long as nobody joins or leaves a room in between. A big room is worked off in
//! slices, and the lot reads between them; while a slice is open nobody is taken out of a room.

use std::collections::HashMap;
use std::rc::Rc;

use actors::outlet::{Down, Encoded, EncodedPage};
use schema::server::Reconnect;
use schema::{CloseCode, ConnectionId, RoomId, ServerEvent, UserId};

use super::Lot;
use super::joined::{Joined, Kind, page_frame};
use super::read::may_read;
use crate::edge::Up;
use crate::edge::outbox::{Class, Pull};
use crate::edge::slab::{Phase, Slab};

/// Entries of the inbox and the script that stay allocated when they are empty.
const INBOX_KEPT: usize = 1024;

pub(super) enum Work {
    One(Down),
    Room {
        room: RoomId,
        events: Vec<Encoded>,
        removed: Option<UserId>,
        /// Made of `events` when the first slice is worked off.
        joined: Vec<Rc<Joined>>,
        parting: Vec<u32>,
        next: usize,
    },
    Ephemeral {
        room: RoomId,
        joined: Rc<Joined>,
        except: Option<ConnectionId>,
        next: usize,
    },
    /// Batches were dropped on the way here: all rooms of all connections are behind.
    Overflowed {
        next: u32,
    },
    Drain {
        window_ms: u32,
        next: u32,
    },
}

impl Work {
    /// Nobody may leave a room now.
    pub(super) fn is_begun(&self) -> bool {
        matches!(self, Self::Room { next: 1.., .. } | Self::Ephemeral { next: 1.., .. })
    }
}

impl Lot {
    /// Everything out of the inbox into the script, which is empty.
    pub(super) fn take_inbox(&mut self) {
        self.script.shrink_to(INBOX_KEPT);
        let mut inbox = std::mem::take(&mut self.inbox);
        let overflowed = self.outlet.take(&mut inbox);
        let mut open: HashMap<RoomId, usize> = HashMap::new();
        for down in inbox.drain(..) {
            match down {
                Down::Batch { room, events: more, removed: who } => {
                    let place = *open.entry(room).or_insert(self.script.len());
                    match self.script.get_mut(place) {
                        Some(Work::Room { events, removed, .. }) => {
                            events.extend(more);
                            *removed = who;
                        }
                        _ => self.script.push_back(Work::Room {
                            room,
                            events: more,
                            removed: who,
                            joined: Vec::new(),
                            parting: Vec::new(),
                            next: 0,
                        }),
                    }
                    if who.is_some() {
                        open.remove(&room);
                    }
                }
                Down::Ephemeral { room, event, except } => {
                    let joined = Joined::one(event, Kind::Chunk(Class::Ephemeral));
                    self.script.push_back(Work::Ephemeral { room, joined, except, next: 0 });
                }
                Down::Drain { window_ms } => self.script.push_back(Work::Drain { window_ms, next: 0 }),
                Down::Send { .. } | Down::Page { .. } | Down::Close { .. } | Down::Slowest { .. } => self.script.push_back(Work::One(down)),
                Down::Join { .. } | Down::Part { .. } | Down::Greet { .. } | Down::Lose { .. } => {
                    open.clear();
                    self.script.push_back(Work::One(down));
                }
            }
        }
        // After a rush neither side keeps its size.
        inbox.shrink_to(INBOX_KEPT);
        self.inbox = inbox;
        if overflowed {
            self.metrics.inbox_overflows.increment(1);
            self.script.push_back(Work::Overflowed { next: 0 });
        }
    }

    /// One slice of the script.
    pub(super) fn work(&mut self) {
        let mut left = self.shared.limits.slice_members.max(1);
        while left > 0
            && let Some(mut work) = self.script.pop_front()
        {
            let is_done = match &mut work {
                Work::Room { .. } => self.room_slice(&mut work, &mut left),
                Work::Ephemeral { room, joined, except, next } => {
                    // Another lot's connection may have the same place in its slab.
                    let except =
                        except.filter(|connection| connection.lot == self.number).and_then(|connection| self.slab.find(connection));
                    self.ephemeral_slice(*room, joined, except, next, &mut left)
                }
                Work::Overflowed { next } => self.overflow_slice(next, &mut left),
                Work::Drain { window_ms, next } => self.drain_slice(*window_ms, next, &mut left),
                Work::One(_) => {
                    left -= 1;
                    true
                }
            };
            match work {
                Work::One(down) => self.one(down),
                _ if is_done => {}
                unfinished => self.script.push_front(unfinished),
            }
        }
    }

    fn room_slice(&mut self, work: &mut Work, left: &mut usize) -> bool {
        let Work::Room { room, events, removed, joined, parting, next } = work else { return true };
        let Some(number) = self.rooms.number(*room) else { return true };
        if !events.is_empty() {
            *joined = self.join_frames(number, std::mem::take(events));
        }
        let chunks: Vec<u32> = joined.iter().map(|chunk| self.delivery.add(chunk.clone())).collect();
        let members = &self.rooms.at(number).members;
        for &index in members.iter().skip(*next).take(*left) {
            let entry = self.slab.at(index);
            if entry.is_member() {
                chunks.iter().for_each(|chunk| self.delivery.to(index, *chunk));
                if removed.is_some() && self.slab.card(index).map(|card| card.user) == *removed {
                    parting.push(index);
                }
            }
        }
        let (from, count) = (*next, members.len());
        *next = count.min(from + *left);
        *left -= *next - from;
        if *next < count {
            return false;
        }
        if !parting.is_empty() {
            self.flush();
            for index in parting {
                self.part(*index, number);
            }
        }
        true
    }

    /// The room's frames, joined up to a write's size. If events are missing before them, its members are behind instead.
    fn join_frames(&mut self, number: u32, events: Vec<Encoded>) -> Vec<Rc<Joined>> {
        let last_of = |events: &[Encoded]| events.iter().rev().find_map(|event| event.events().last()).map(|event| event.seq);
        let room = self.rooms.at(number);
        let first = events.iter().find_map(|event| event.events().first()).map(|event| event.seq);
        let last = last_of(&events);
        let known = room.head;
        room.head = last.unwrap_or(0).max(known);
        if known > 0 && first.is_some_and(|first| first > known + 1) {
            let pull = Pull { room: number, head: room.head, open: false };
            return vec![Joined::pull(pull)];
        }
        let bytes_max = self.shared.limits.joined_bytes_max;
        Joined::chunks(events, bytes_max, |events| {
            let head = last_of(events).unwrap_or(known);
            Kind::Chunk(Class::Durable { room: number, head })
        })
    }

    fn ephemeral_slice(&mut self, room: RoomId, joined: &Rc<Joined>, except: Option<u32>, next: &mut usize, left: &mut usize) -> bool {
        let Some(number) = self.rooms.number(room) else { return true };
        let chunk = self.delivery.add(joined.clone());
        let members = &self.rooms.at(number).members;
        for &index in members.iter().skip(*next).take(*left) {
            if Some(index) != except && self.slab.at(index).is_member() {
                self.delivery.to(index, chunk);
            }
        }
        let from = std::mem::replace(next, members.len().min(*next + *left));
        *left -= *next - from;
        *next >= members.len()
    }

    fn overflow_slice(&mut self, next: &mut u32, left: &mut usize) -> bool {
        while *left > 0 && *next < self.slab.places() {
            let entry = self.slab.at(*next);
            if entry.is_member() {
                for seat in entry.seats.as_slice() {
                    let pull = Pull { room: seat.room, head: self.rooms.at(seat.room).head, open: true };
                    let chunk = self.delivery.add(Joined::pull(pull));
                    self.delivery.to(*next, chunk);
                    *left = left.saturating_sub(1);
                }
            }
            *next += 1;
        }
        let is_done = *next >= self.slab.places();
        if is_done {
            self.rooms.forget_heads();
        }
        is_done
    }

    fn drain_slice(&mut self, window_ms: u32, next: &mut u32, left: &mut usize) -> bool {
        let until = self.now.after_ms(window_ms);
        self.draining.get_or_insert(until);
        while *left > 0 && *next < self.slab.places() {
            let (index, entry) = (*next, self.slab.at(*next));
            *next += 1;
            match entry.phase {
                Phase::Closing | Phase::Gone => continue,
                Phase::Fresh | Phase::Greeting => self.close(index, CloseCode::Drain),
                Phase::Live => {
                    let is_idle = entry.in_flight == 0;
                    entry.draining = true;
                    let delay_ms = rand::random_range(0..=window_ms);
                    self.tell(index, &ServerEvent::Draining {});
                    self.tell(index, &ServerEvent::Reconnect(Reconnect { delay_ms }));
                    if is_idle {
                        self.close(index, CloseCode::Drain);
                    } else {
                        self.look(index, until);
                    }
                }
            }
            *left -= 1;
        }
        *next >= self.slab.places()
    }

    fn one(&mut self, down: Down) {
        match down {
            Down::Join { connection, user, room } => self.join(connection, user, room),
            Down::Part { connection, room } => {
                if let (Some(index), Some(number)) = (self.slab.find(connection), self.rooms.number(room)) {
                    self.flush();
                    self.part(index, number);
                }
            }
            Down::Greet { connection, user, events } => self.greet(connection, user, events),
            Down::Send { connection, event } => {
                if let Some(index) = self.slab.find(connection) {
                    self.send(index, event);
                }
            }
            Down::Page { connection, id, page } => {
                if let Some(index) = self.slab.find(connection) {
                    self.page(index, id, &page);
                }
            }
            Down::Close { connection, code } => {
                if let Some(index) = self.slab.find(connection) {
                    self.close(index, code);
                }
            }
            Down::Lose { room, code } => {
                let members = self.rooms.number(room).map(|number| self.rooms.at(number).members.to_vec());
                members.into_iter().flatten().for_each(|index| self.close(index, code));
            }
            Down::Slowest { bytes } => self.close_slowest(bytes),
            Down::Batch { .. } | Down::Ephemeral { .. } | Down::Drain { .. } => unreachable!("the script has its own work for these"),
        }
    }

    fn join(&mut self, connection: ConnectionId, user: UserId, room: RoomId) {
        // Whoever is greeted is known: a name of somebody before them joins nothing for them.
        let is_theirs =
            |slab: &mut Slab, index: u32| slab.at(index).phase != Phase::Live || slab.card(index).is_some_and(|card| card.user == user);
        let index = self.slab.find(connection).filter(|index| is_theirs(&mut self.slab, *index));
        if !index.is_some_and(|index| self.rooms.join(&mut self.slab, index, room)) {
            return self.left(room);
        }
        // Known before the greeting: a removal may be shown before that.
        if let Some(card) = index.and_then(|index| self.slab.card(index)) {
            card.user = user;
        }
    }

    fn part(&mut self, index: u32, number: u32) {
        if let Some(room) = self.rooms.part(&mut self.slab, index, number) {
            self.left(room);
        }
    }

    /// Every join that came down is counted off once: here, whether it was ever carried out or not.
    pub(super) fn left(&mut self, room: RoomId) {
        self.say(Up::Left { room, lot: self.number, count: 1 });
    }

    fn greet(&mut self, connection: ConnectionId, user: UserId, events: Vec<Encoded>) {
        let Some(index) = self.slab.find(connection).filter(|index| self.slab.at(*index).phase == Phase::Greeting) else {
            return self.say(Up::Closed { connection, user: Some(user) });
        };
        self.slab.card(index).expect("a connection has a card").user = user;
        let entry = self.slab.at(index);
        // It has its rooms: more come one by one, if any.
        entry.seats.fit();
        entry.phase = Phase::Live;
        self.unknown_no_more(index);
        let chunk = self.delivery.add(Joined::many(events, Kind::Greeting));
        self.delivery.to(index, chunk);
        if let Some(replaced) = self.shared.users.enter(user, connection, self.now_ms) {
            self.shared.outlets[usize::from(replaced.lot)].push(Down::Close { connection: replaced, code: CloseCode::Replaced });
        }
        self.resume(index);
        self.look(index, self.now.after_ms(self.shared.limits.heartbeat_ms.saturating_mul(2)));
    }

    fn send(&mut self, index: u32, event: Encoded) {
        let (is_answer, kind) = match event.event() {
            ServerEvent::Ok(_) | ServerEvent::StateHash(_) | ServerEvent::Pong(_) => (true, Kind::Chunk(Class::Direct)),
            ServerEvent::Error(refusal) => (refusal.id != 0, Kind::Chunk(Class::Direct)),
            ServerEvent::Typing(_) | ServerEvent::Presence(_) | ServerEvent::Online(_) | ServerEvent::Signal(_) => {
                (false, Kind::Chunk(Class::Ephemeral))
            }
            _ => (false, Kind::Chunk(Class::Direct)),
        };
        let chunk = self.delivery.add(Joined::one(event, kind));
        self.delivery.to(index, chunk);
        if is_answer {
            self.answered(index);
        }
    }

    fn page(&mut self, index: u32, id: u32, page: &EncodedPage) {
        let kind =
            self.rooms.number(page.room).map_or(Kind::Chunk(Class::Direct), |room| Kind::Page { room, to: page.to, head: page.head });
        let chunk = self.delivery.add(Joined::frame(page_frame(id, page), kind));
        self.delivery.to(index, chunk);
        self.answered(index);
    }

    /// A request's place is free again.
    fn answered(&mut self, index: u32) {
        let entry = self.slab.at(index);
        if entry.in_flight == 0 {
            return;
        }
        let was_read = may_read(entry, &self.shared.limits);
        entry.in_flight -= 1;
        if entry.draining && entry.in_flight == 0 {
            self.close(index, CloseCode::Drain);
        } else if !was_read && may_read(entry, &self.shared.limits) {
            self.resume(index);
        }
    }
}
