//! A slot among several nodes: as the shell of a slot has it when the table gives it away, or gives it, and when it serves.

use std::sync::Arc;

use schema::{ErrorCode, Event, RoomId};

use crate::mail::{Mail, Out, Request};
use crate::plant::Plant;
use crate::slot::Slot;
use crate::tasks::Finished;

impl Slot {
    pub fn ask_later(&mut self, request: Request) {
        let id = request.order.room;
        match self.rooms.get_mut(&id) {
            Some(room) => room.ask(request),
            None => {
                self.wanted.entry(id).or_default().push(request);
                self.inbox.push_back(Mail::Wake(id));
            }
        }
    }

    pub fn placed(&mut self, out: &mut Out) {
        let ring = self.env.ring.clone().expect("only a table places");
        let placement = ring.placement(self.id);
        let ours = if placement.owner == ring.node() { placement.grant } else { 0 };
        if ours == self.grant {
            return;
        }
        self.env.reader.slot_tail(self.id).close();
        self.send_rooms_away(out);
        self.restart(out);
    }

    /// What waits for them, and what they have begun, is asked of whoever has them next.
    pub fn send_rooms_away(&mut self, out: &mut Out) {
        for (id, mut room) in std::mem::take(&mut self.rooms) {
            // What the slot told it before it told it to go.
            room.last_words(out).into_iter().for_each(|events| self.subscribers.show(id, &events));
            room.unanswered().for_each(|request| out.moved(&request));
        }
        for request in std::mem::take(&mut self.wanted).into_values().flatten() {
            out.moved(&request);
        }
    }

    /// Rooms that are watched here while somebody else had the slot: what happened in them since, before anything new.
    pub fn catch_up(&mut self, tail: Vec<(u64, Vec<Arc<Event>>)>, out: &mut Out) {
        self.env.reader.slot_tail(self.id).open(self.grant, tail.clone());
        self.catches_up = true;
        let (slot, reader, subscribers) = (self.id, self.env.reader.clone(), self.subscribers.clone());
        let is_silent = self.env.has(Plant::SilentRestart);
        out.works.push(Box::pin(async move {
            for room in subscribers.known(|room| reader.slot(room) == slot) {
                if !is_silent {
                    let missed = subscribers.missed(&reader, room).await;
                    subscribers.show(room, &missed);
                }
            }
            subscribers.caught_up(|room| reader.slot(room) == slot);
            for event in tail.iter().flat_map(|(_, events)| events).filter(|_| !is_silent) {
                subscribers.show(event.room, std::slice::from_ref(event));
            }
            Finished::CaughtUp { slot, lost: None }
        }));
    }

    /// A room failed: what it had applied and not shown is shown first.
    pub fn lose(&mut self, id: RoomId, incarnation: u64, out: &mut Out) {
        if self.rooms.get(&id).is_none_or(|room| room.incarnation != incarnation) {
            return;
        }
        let room = self.rooms.remove(&id).expect("looked at");
        room.drop_requests(ErrorCode::Unavailable, out);
        self.catches_up = true;
        let (slot, reader, subscribers) = (self.id, self.env.reader.clone(), self.subscribers.clone());
        out.works.push(Box::pin(async move {
            let missed = subscribers.missed(&reader, id).await;
            subscribers.show(id, &missed);
            Finished::CaughtUp { slot, lost: Some(id) }
        }));
    }

    pub fn caught_up(&mut self, lost: Option<RoomId>, out: &mut Out) {
        self.catches_up = false;
        match lost {
            Some(room) => self.forget(room, out),
            None => self.wake_wanted(out),
        }
    }
}
