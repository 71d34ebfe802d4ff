//! What a client said, as a whole message: hello first, then requests, each counted until it is answered.

use schema::client::ClientEvent;
use schema::server::{Pong, Refusal};
use schema::wire::Format;
use schema::{CloseCode, ErrorCode, ServerEvent};

use super::Lot;
use crate::edge::Up;
use crate::edge::decode::{decode, manner};
use crate::edge::frame::{Opcode, frame_bytes, write_frame};
use crate::edge::lots::Voice;
use crate::edge::outbox::Outbox;
use crate::edge::slab::Phase;

/// Said in one turn and not handed up: about as much as one block of the journal takes.
const SAID_MAX: usize = 128;

impl Lot {
    pub(super) fn message(&mut self, index: u32, text: bool, bytes: &[u8]) {
        self.tally.messages_in += 1;
        let entry = self.slab.at(index);
        let (format, phase) = (entry.format, entry.phase);
        if self.shared.voice == Voice::Echo {
            let mut frame = Vec::with_capacity(frame_bytes(bytes.len()));
            write_frame(&mut frame, if text { Opcode::Text } else { Opcode::Binary }, bytes);
            return self.send_frame(index, frame.into());
        }
        if text != (format == Format::Json) {
            return self.close(index, CloseCode::Unsupported);
        }
        match decode(format, bytes) {
            Ok(ClientEvent::Hello(hello)) if phase == Phase::Fresh => {
                let entry = self.slab.at(index);
                entry.phase = Phase::Greeting;
                entry.outbox = Some(Box::new(Outbox::new(self.now, true)));
                let address = self.slab.card(index).map(|card| card.address).expect("a connection has a card");
                let connection = self.id(index);
                self.say(Up::Hello { connection, format, address, hello });
            }
            Err(refusal) if phase == Phase::Fresh => self.close_with(index, CloseCode::BadHello.number(), &refusal.message),
            Ok(_) if phase == Phase::Fresh => self.close(index, CloseCode::BadHello),
            Ok(event) => self.event(index, event),
            Err(refusal) => {
                self.metrics.bad_requests.increment(1);
                self.tell(index, &ServerEvent::Error(refusal));
            }
        }
    }

    fn event(&mut self, index: u32, event: ClientEvent) {
        let manner = manner(&event);
        let id = manner.id.unwrap_or(0);
        match &event {
            ClientEvent::Ping(ping) => return self.tell(index, &ServerEvent::Pong(Pong { id: ping.id })),
            ClientEvent::Hello(_) => {
                let message = "hello was said already: it is the first message of a connection, and only that".to_owned();
                let refusal = Refusal { message, ..Refusal::new(0, ErrorCode::BadRequest) };
                return self.tell(index, &ServerEvent::Error(refusal));
            }
            _ => {}
        }
        let connection = self.id(index);
        let Some(user) = self.slab.card(index).map(|card| card.user) else { return };
        if manner.is_rated
            && let Err(retry_after_ms) = self.shared.users.admit(user, Some(connection), self.now_ms)
        {
            self.metrics.rate_limited.increment(1);
            if manner.id.is_none() && self.was_refused(index) {
                return self.metrics.unanswered_dropped.increment(1);
            }
            let refusal = Refusal { retry_after_ms: Some(retry_after_ms), ..Refusal::new(id, ErrorCode::RateLimited) };
            return self.tell(index, &ServerEvent::Error(refusal));
        }
        if manner.id.is_some() {
            self.slab.at(index).in_flight += 1;
        }
        let format = self.slab.at(index).format;
        self.say(Up::Event { connection, user, format, event });
    }

    /// What nobody waits for an answer to: one refusal a second says enough.
    fn was_refused(&mut self, index: u32) -> bool {
        let second = (self.now_ms / 1000 + 1) as u16;
        std::mem::replace(&mut self.slab.at(index).refused_at, second) == second
    }

    /// To the actors, at the latest at the turn's end: what many said in one turn goes up together.
    pub(super) fn say(&mut self, up: Up) {
        self.said.push_back(up);
        if self.said.len() >= SAID_MAX {
            self.hand_up();
        }
    }
    pub(super) fn hand_up(&mut self) {
        if !self.said.is_empty() {
            (self.shared.up)(&mut self.said);
        }
    }

    /// For this connection alone, from the lot itself.
    pub(super) fn tell(&mut self, index: u32, event: &ServerEvent) {
        let frame = framed(self.slab.at(index).format, event);
        self.send_frame(index, frame.into());
    }
}

/// An event as one frame.
pub(super) fn framed(format: Format, event: &ServerEvent) -> Vec<u8> {
    let payload = format.encode(event);
    let mut frame = Vec::with_capacity(frame_bytes(payload.len()));
    write_frame(&mut frame, opcode(format), &payload);
    frame
}

pub(super) fn opcode(format: Format) -> Opcode {
    match format {
        Format::Json => Opcode::Text,
        Format::MessagePack => Opcode::Binary,
    }
}
