//! Pure. What a virtual user's device makes of what the node sends. It checks each delivery's place on its connection;
//! contents are the ledger's business.

use schema::client::Resume;
use schema::server::{History, Ready, Refusal, RoomState};
use schema::{Cmid, Event, EventBody, RoomId, ServerEvent};

use super::core::{Arriving, Asked, Core, Effects, Question};
use super::way::Came;
use crate::history::{Entry, Seen};
use crate::measure::Deed;
use crate::report::Offending;
use crate::run::books::Books;
use crate::run::ledger::{Known, Look};
use crate::run::text::Mark;
use crate::run::wire::{Glimpse, glimpse};

/// After how long a page is asked for again when the refusal does not say.
const FILL_AGAIN_US: u64 = 50_000;

impl Core {
    /// One message from the node.
    pub fn heard(&mut self, now_us: u64, body: &[u8], books: &mut Books, fx: &mut Effects) {
        if let Some(singles) = books.joined.apart(body, self.format) {
            for event in singles.iter() {
                self.on_delivered(now_us, event.room, event.seq, event.hash, &event.body, books, fx);
            }
            return;
        }
        match glimpse(body, self.format) {
            Glimpse::Delivered { room, seq, hash } => self.on_delivered(now_us, room, seq, hash, body, books, fx),
            Glimpse::Acked { id, seq } => self.on_ok(now_us, id, seq, books, fx),
            Glimpse::Said(said) => self.on_said(now_us, *said, books, fx),
            Glimpse::Unreadable(why) => {
                let what = format!("user {} was sent what cannot be read: {why}", self.number);
                books.ledger.offences.add(Offending::Wrong, RoomId::default(), None, what);
            }
        }
    }

    fn on_said(&mut self, now_us: u64, said: ServerEvent, books: &mut Books, fx: &mut Effects) {
        match said {
            ServerEvent::Ready(ready) => self.on_ready(now_us, &ready, books, fx),
            ServerEvent::Error(refusal) => self.on_error(now_us, &refusal, books, fx),
            ServerEvent::Room(state) => self.on_room(&state, books, fx),
            ServerEvent::History(page) => self.on_page(now_us, page, books, fx),
            ServerEvent::Pong(pong) => self.answered(pong.id, now_us, books),
            ServerEvent::Reconnect(it) => fx.reconnect_ms = Some(it.delay_ms),
            ServerEvent::Gap(gap) => {
                self.record(fx, || Entry::Gap { room: gap.room, from: gap.from, to: gap.to });
                let Some(place) = self.place(gap.room, books) else { return };
                if !self.rooms[place].way.gap(gap.from, gap.to) {
                    let what =
                        format!("user {} was told of a gap from {} to {}, where something else was due", self.number, gap.from, gap.to);
                    books.ledger.offences.add(Offending::Wrong, gap.room, Some(gap.from), what);
                }
                self.fill(place, now_us, fx);
            }
            ServerEvent::Behind(behind) => {
                self.record(fx, || Entry::Behind { room: behind.room, head: behind.head });
                let Some(place) = self.place(behind.room, books) else { return };
                self.rooms[place].way.behind(behind.head);
                self.fill(place, now_us, fx);
            }
            _ => {}
        }
    }

    fn on_ready(&mut self, now_us: u64, ready: &Ready, books: &mut Books, fx: &mut Effects) {
        (self.ready, fx.became_ready) = (true, true);
        self.heartbeat_ms = ready.heartbeat_ms;
        self.page_max = ready.limits.page_max.max(1);
        self.outbox.set_in_flight_max(usize::from(ready.limits.requests_in_flight_max));
        let heads = || ready.rooms.iter().map(|it| Resume { room: it.room, seq: it.head }).collect();
        self.record(fx, || Entry::Ready { heads: heads() });
        for state in &ready.rooms {
            let Some(place) = self.place(state.room, books) else { continue };
            let room = &mut self.rooms[place];
            if std::mem::replace(&mut room.begun, true) {
                room.way.resumed(state.head);
            } else {
                room.way.begin(state.head);
                room.ordinal = state.ordinal;
            }
        }
        for room in &self.rooms {
            if !ready.rooms.iter().any(|state| state.room == room.id) {
                let what = format!("user {} is a member, and `ready` did not name the room", self.number);
                books.ledger.offences.add(Offending::Lost, room.id, None, what);
            }
        }
        self.caught_up(now_us, books);
        self.pump(now_us, fx);
    }

    /// A new connection has everything that it missed.
    fn caught_up(&mut self, now_us: u64, books: &mut Books) {
        if let Some(Arriving { moments, deed }) = self.arriving
            && self.rooms.iter().all(|room| room.way.is_whole())
        {
            self.arriving = None;
            books.tally.begun(deed);
            books.tally.done(deed, now_us.saturating_sub(moments.intended_us), now_us.saturating_sub(moments.actual_us));
        }
    }

    fn on_room(&mut self, state: &RoomState, books: &mut Books, fx: &mut Effects) {
        self.record(fx, || Entry::Joined { room: state.room, head: state.head });
        let Some(place) = self.place(state.room, books) else { return };
        let room = &mut self.rooms[place];
        if !std::mem::replace(&mut room.begun, true) {
            room.way.begin(state.head);
            room.ordinal = state.ordinal;
        }
    }

    /// The place of a room in this user's list. Who is not a member must not hear of it.
    fn place(&mut self, id: RoomId, books: &mut Books) -> Option<usize> {
        let number = books.rooms.get(&id);
        let place = number.and_then(|number| self.rooms.binary_search_by_key(number, |room| room.number).ok());
        if place.is_none() {
            let what = format!("user {} is no member of the room, and was told of it", self.number);
            books.ledger.offences.add(Offending::Unauthorised, id, None, what);
        }
        place
    }

    #[expect(clippy::too_many_arguments, reason = "what a glimpse saw, and where it goes")]
    fn on_delivered(&mut self, now_us: u64, id: RoomId, seq: u64, hash: u64, body: &[u8], books: &mut Books, fx: &mut Effects) {
        let number = books.rooms.get(&id);
        let place = number.and_then(|number| self.rooms.binary_search_by_key(number, |room| room.number).ok());
        let Some(place) = place else {
            let name = self.decoded(body).map_or_else(|| "an event".to_owned(), |event| named(&event));
            let what = format!("{name} at seq {seq} came to user {}, who is no member of the room", self.number);
            return books.ledger.offences.add(Offending::Unauthorised, id, Some(seq), what);
        };
        let number = self.rooms[place].number;
        let look = match books.ledger.look(number, seq, hash, self.format) {
            Look::New => match self.decoded(body) {
                Some(event) => books.ledger.learn(number, &event, Some((hash, self.format))),
                None => Look::Forgotten,
            },
            look => look,
        };
        if self.recording
            && let Some(event) = self.decoded(body)
        {
            fx.record.push(Entry::Delivered { room: id, seen: Seen::of(&event) });
        }
        let known = if let Look::Known(known) = look { Some(known) } else { None };
        self.came(now_us, place, seq, known, books, fx);
    }

    fn came(&mut self, now_us: u64, place: usize, seq: u64, known: Option<Known>, books: &mut Books, fx: &mut Effects) {
        let number = self.number;
        let room = &mut self.rooms[place];
        let came = room.way.delivered(seq);
        let mark = known.and_then(|known| known.mark);
        let name = || mark.map_or_else(|| "an event".to_owned(), |mark| format!("message {} of user {}", mark.number, mark.sender));
        match came {
            Came::New => {}
            Came::Again => return,
            Came::Doubled => {
                let what = format!("{} at seq {seq} was sent to user {number} a second time on one connection", name());
                books.ledger.offences.add(Offending::Doubled, room.id, Some(seq), what);
                return;
            }
            Came::Reordered => {
                let what = format!("{} at seq {seq} was sent to user {number} after events that follow it", name());
                books.ledger.offences.add(Offending::Reordered, room.id, Some(seq), what);
            }
            // Told when the connection ends, unless what was skipped comes late.
            Came::Skipped { .. } => self.fill(place, now_us, fx),
        }
        self.delivered(now_us, mark, books);
        if let Some(known) = known {
            self.came_by(known, seq, now_us, books, fx);
        }
        if self.arriving.is_some() {
            self.caught_up(now_us, books);
        }
    }

    /// An own event may be the answer. While its request is under way on this connection, the `ok` says so.
    fn came_by(&mut self, known: Known, seq: u64, now_us: u64, books: &mut Books, fx: &mut Effects) {
        let Some(asked) = self.asked.get(&known.cmid) else { return };
        let id = self.rooms[asked.room].id;
        if !self.outbox.seen(id, known.cmid, seq) && self.outbox.landed(id, known.cmid) {
            self.landed(known.cmid, Some(seq), now_us, books, fx);
        }
    }

    fn on_ok(&mut self, now_us: u64, id: u32, seq: Option<u64>, books: &mut Books, fx: &mut Effects) {
        let Some((room, cmid)) = self.outbox.of(id) else { return self.answered(id, now_us, books) };
        if self.outbox.landed(room, cmid) {
            self.landed(cmid, seq, now_us, books, fx);
            self.pump(now_us, fx);
        }
    }

    /// What comes before a new connection has all that it missed is a replay.
    fn delivered(&self, now_us: u64, mark: Option<Mark>, books: &mut Books) {
        let deed = if self.arriving.is_some() { Deed::Replay } else { Deed::Deliver };
        books.tally.begun(deed);
        match mark {
            Some(Mark { intended_us, lag_us, .. }) => {
                books.tally.done(deed, now_us.saturating_sub(intended_us), now_us.saturating_sub(intended_us + lag_us));
            }
            None => books.tally.of_mut(deed).done += 1,
        }
    }

    pub(super) fn landed(&mut self, cmid: Cmid, seq: Option<u64>, now_us: u64, books: &mut Books, fx: &mut Effects) {
        let Some(asked) = self.asked.remove(&cmid) else { return };
        let Asked { deed, room: place, number, moments } = asked;
        let room = &mut self.rooms[place];
        books.counts.acked += 1;
        books.tally.done(deed, now_us.saturating_sub(moments.intended_us), now_us.saturating_sub(moments.actual_us));
        if let Some(number) = number {
            books.ledger.acked(room.number, self.number, number, seq);
        }
        if deed == Deed::Post && number.is_some() {
            room.mine = seq.or(room.mine);
        }
        let room = room.id;
        self.record(fx, || Entry::Acked { room, cmid, seq });
    }

    /// The answer to a question that has nothing to tell.
    fn answered(&mut self, id: u32, now_us: u64, books: &mut Books) {
        if let Some(Question::Deed(deed, moments)) = self.questions.remove(&id) {
            books.tally.done(deed, now_us.saturating_sub(moments.intended_us), now_us.saturating_sub(moments.actual_us));
        }
    }

    fn on_error(&mut self, now_us: u64, refusal: &Refusal, books: &mut Books, fx: &mut Effects) {
        if let Some(question) = self.questions.remove(&refusal.id) {
            return self.no_answer(now_us, question, refusal, books);
        }
        let Some((room, cmid)) = self.outbox.of(refusal.id) else { return };
        let deed = self.asked.get(&cmid).map_or(Deed::Post, |asked| asked.deed);
        if refusal.code.is_temporary() {
            books.tally.of_mut(deed).put_off += 1;
            self.record(fx, || Entry::PutOff { room, cmid, code: refusal.code });
            self.outbox.put_off(refusal.id, now_us, refusal.retry_after_ms);
        } else if self.outbox.refused(room, cmid) {
            books.tally.of_mut(deed).refused += 1;
            books.counts.refused += 1;
            if let Some(Asked { room: place, number: Some(number), .. }) = self.asked.remove(&cmid) {
                books.ledger.refused(self.rooms[place].number, self.number, number);
            }
            self.record(fx, || Entry::Refused { room, cmid, code: refusal.code });
            self.pump(now_us, fx);
        }
    }

    fn no_answer(&mut self, now_us: u64, question: Question, refusal: &Refusal, books: &mut Books) {
        match question {
            Question::Deed(deed, _) => books.tally.of_mut(deed).refused += 1,
            Question::Page { .. } => books.tally.of_mut(Deed::Page).refused += 1,
            Question::Fill { room: place, .. } => {
                let room = &mut self.rooms[place];
                room.way.filling = false;
                room.way.fill_at_us = Some(now_us + refusal.retry_after_ms.map_or(FILL_AGAIN_US, |ms| u64::from(ms) * 1000));
                if !refusal.code.is_temporary() {
                    let what = format!("user {} is a member and may not read the room: {}", self.number, refusal.code.text());
                    books.ledger.offences.add(Offending::Lost, room.id, None, what);
                }
            }
        }
    }

    fn on_page(&mut self, now_us: u64, page: History, books: &mut Books, fx: &mut Effects) {
        let (place, asked, fill) = match self.questions.remove(&page.id) {
            Some(Question::Fill { room, asked_us }) => (room, asked_us, true),
            Some(Question::Page { room, asked_us, moments }) => {
                books.tally.done(Deed::Page, now_us - moments.intended_us, now_us - moments.actual_us);
                (room, asked_us, false)
            }
            _ => return,
        };
        let (room, number) = (self.rooms[place].id, self.rooms[place].number);
        // What was there before the run is nobody's business.
        let base = self.rooms[place].way.base();
        for event in page.events.iter().filter(|event| event.seq > base) {
            let look = books.ledger.learn(number, event, None);
            if fill && self.rooms[place].way.paged(event.seq) {
                books.counts.paged += 1;
                if let Look::Known(known) = look {
                    self.delivered(now_us, known.mark, books);
                    self.came_by(known, event.seq, now_us, books, fx);
                }
            }
        }
        let History { from, to, head, events, .. } = page;
        self.record(fx, || Entry::Page { room, asked, fill, from, to, head, seen: events.iter().map(Seen::of).collect() });
        if fill {
            self.rooms[place].way.page_ended(head);
            self.fill(place, now_us, fx);
            self.caught_up(now_us, books);
        }
    }

    fn decoded(&self, body: &[u8]) -> Option<Event> {
        match self.format.decode::<ServerEvent>(body) {
            Ok(ServerEvent::Event(event)) => Some(event),
            _ => None,
        }
    }
}

fn named(event: &Event) -> String {
    let text = match &event.body {
        EventBody::Message(message) => Mark::of(&message.text),
        _ => None,
    };
    text.map_or_else(|| format!("request {}", event.cmid), |mark| format!("message {} of user {}", mark.number, mark.sender))
}
