//! A connection that counts: it looks at as few bytes of a frame as it can, so that ten thousand of them and a node fit on
//! one machine. It checks the sequence of every room it hears and never resumes: a lost connection is a failed run.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use bytes::BytesMut;
use schema::client::{ClientEvent, Hello};
use schema::wire::Format;
use schema::{RoomId, ServerEvent};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use xxhash_rust::xxh3::xxh3_64;

use crate::client::frame::{self, Incoming, Message};
use crate::client::{Error, Heard, Socket, Target};
use crate::people::Person;

const READ_BYTES: usize = 32 * 1024;

/// What all connections of a run count together.
#[derive(Debug, Default)]
pub struct Counts {
    pub deliveries: AtomicU64,
    /// Deliveries whose seq was not the one after the last.
    pub breaks: AtomicU64,
    pub refusals: AtomicU64,
    /// How often the node said that this program reads too slowly, or left something out.
    pub behinds: AtomicU64,
    /// Frames about what is kept nowhere.
    pub told: AtomicU64,
    /// Frames of events, of one or of several.
    pub frames: AtomicU64,
    /// The last frame of several events that anybody was sent, by its hash: everybody gets the same bytes.
    joined: Mutex<Option<(u64, Run)>>,
}

/// Events of one frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Run {
    room: RoomId,
    from: u64,
    to: u64,
}

impl Counts {
    /// `None`: it is another frame, or one whose events do not follow each other.
    fn several(&self, body: &[u8]) -> Option<Run> {
        if !body.starts_with(br#"{"events":"#) {
            return None;
        }
        let hash = xxh3_64(body);
        let mut joined = self.joined.lock().expect("nobody panics here");
        if let Some((_, run)) = joined.filter(|(known, _)| *known == hash) {
            return Some(run);
        }
        let run = several(body)?;
        *joined = Some((hash, run));
        Some(run)
    }
}

fn several(body: &[u8]) -> Option<Run> {
    let Ok(ServerEvent::Events(many)) = Format::Json.decode(body) else { return None };
    let (from, to) = (many.events.first()?.seq, many.events.last()?.seq);
    let in_order = many.events.iter().map(|event| (event.room, event.seq)).eq((from..=to).map(|seq| (many.room, seq)));
    in_order.then_some(Run { room: many.room, from, to })
}

/// What a frame was, as far as a load run wants to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Glimpse {
    Delivered {
        room: RoomId,
        seq: u64,
    },
    Acked {
        id: u32,
    },
    Refused {
        id: u32,
    },
    /// A page of history.
    Page {
        bytes: usize,
    },
    /// Events will be missing.
    Behind,
    /// Typing, receipts, how many are here.
    Told,
    Other,
}

#[derive(Debug)]
pub struct Reader {
    stream: OwnedReadHalf,
    incoming: Incoming,
    last: HashMap<RoomId, u64>,
    counts: Arc<Counts>,
}

/// Connects, says hello and waits for `ready`.
pub async fn open(target: Target, person: &Person, counts: Arc<Counts>) -> Result<(Reader, OwnedWriteHalf), Error> {
    let mut socket = Socket::open(target, Format::Json).await?;
    let token = Some(person.tokens.access.clone());
    socket.push(&ClientEvent::Hello(Hello { token, ticket: None, device: person.device, resume: Vec::new() }));
    let ready = loop {
        match socket.turn().await? {
            Some(Heard::Event(event)) => match *event {
                ServerEvent::Ready(ready) => break ready,
                _ => continue,
            },
            Some(Heard::Closed(code)) => return Err(Error::Closed(code)),
            None => {}
        }
    };
    let last = ready.rooms.iter().map(|room| (room.room, room.head)).collect();
    let (stream, buffer) = socket.into_raw();
    let incoming = Incoming::after(buffer);
    let (read, write) = stream.into_plain().map_err(Error::Lost)?.into_split();
    Ok((Reader { stream: read, incoming, last, counts }, write))
}

impl Reader {
    /// How far a room was when this connection came to it.
    pub fn head(&self, room: RoomId) -> u64 {
        self.last.get(&room).copied().unwrap_or(0)
    }

    /// Hears until the connection ends, telling `look` of every frame. The error is why it ended.
    pub async fn run(mut self, mut look: impl FnMut(Glimpse)) -> Error {
        loop {
            loop {
                match self.incoming.next_message() {
                    Ok(Some(Message::Text(body))) if let Some(run) = self.counts.several(&body) => {
                        self.counts.frames.fetch_add(1, Ordering::Relaxed);
                        for seq in run.from..=run.to {
                            self.delivered(run.room, seq);
                            look(Glimpse::Delivered { room: run.room, seq });
                        }
                    }
                    Ok(Some(Message::Text(body))) => {
                        let glimpse = glimpse(&body);
                        self.count(glimpse);
                        look(glimpse);
                    }
                    Ok(Some(Message::Close(code))) => return Error::Closed(code),
                    Ok(Some(_)) => {}
                    Ok(None) => break,
                    Err(breach) => return breach.into(),
                }
            }
            if self.incoming.buffer.is_empty() {
                self.incoming.buffer = BytesMut::new();
            }
            if let Err(error) = self.stream.readable().await {
                return Error::Lost(error);
            }
            self.incoming.buffer.reserve(READ_BYTES);
            match self.stream.try_read_buf(&mut self.incoming.buffer) {
                Ok(0) => return Error::Lost(std::io::ErrorKind::UnexpectedEof.into()),
                Err(error) if error.kind() != std::io::ErrorKind::WouldBlock => return Error::Lost(error),
                _ => {}
            }
        }
    }

    fn delivered(&mut self, room: RoomId, seq: u64) {
        self.counts.deliveries.fetch_add(1, Ordering::Relaxed);
        let last = self.last.insert(room, seq).unwrap_or(seq - 1);
        if last + 1 != seq {
            self.counts.breaks.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn count(&mut self, glimpse: Glimpse) {
        match glimpse {
            Glimpse::Delivered { room, seq } => {
                self.counts.frames.fetch_add(1, Ordering::Relaxed);
                self.delivered(room, seq);
            }
            Glimpse::Refused { .. } => {
                self.counts.refusals.fetch_add(1, Ordering::Relaxed);
            }
            Glimpse::Behind => {
                self.counts.behinds.fetch_add(1, Ordering::Relaxed);
            }
            Glimpse::Told => {
                self.counts.told.fetch_add(1, Ordering::Relaxed);
            }
            Glimpse::Acked { .. } | Glimpse::Page { .. } | Glimpse::Other => {}
        }
    }
}

/// `{"event":{"room":"…","seq":N` and `{"ok":{"id":N` are read in place, of a page only its name; everything else by the decoder.
pub fn glimpse(body: &[u8]) -> Glimpse {
    if let Some(rest) = body.strip_prefix(br#"{"event":{"room":""#)
        && let Some((room, rest)) = rest.split_at_checked(36)
        && let Some(rest) = rest.strip_prefix(br#"","seq":"#)
        && let Ok(room) = uuid::Uuid::try_parse_ascii(room)
    {
        return Glimpse::Delivered { room: RoomId(room), seq: number(rest) };
    }
    if let Some(rest) = body.strip_prefix(br#"{"ok":{"id":"#) {
        return Glimpse::Acked { id: number(rest) as u32 };
    }
    if body.starts_with(br#"{"history":"#) {
        return Glimpse::Page { bytes: body.len() };
    }
    match Format::Json.decode::<ServerEvent>(body) {
        Ok(ServerEvent::Event(event)) => Glimpse::Delivered { room: event.room, seq: event.seq },
        Ok(ServerEvent::Ok(done)) => Glimpse::Acked { id: done.id },
        Ok(ServerEvent::Error(refusal)) => Glimpse::Refused { id: refusal.id },
        Ok(ServerEvent::Behind(_) | ServerEvent::Gap(_)) => Glimpse::Behind,
        Ok(ServerEvent::Typing(_) | ServerEvent::Read(_) | ServerEvent::Online(_)) => Glimpse::Told,
        _ => Glimpse::Other,
    }
}

fn number(digits: &[u8]) -> u64 {
    digits.iter().take_while(|byte| byte.is_ascii_digit()).fold(0, |n, digit| n * 10 + u64::from(digit - b'0'))
}

/// Appends a `post` to the bytes to be sent.
pub fn write_post(out: &mut BytesMut, id: u32, room: RoomId, after: u64, text: &str) {
    let cmid = schema::Cmid(uuid::Uuid::now_v7());
    let post = schema::client::Post { id, room, cmid, after, prev: None, text: text.to_owned(), reply: None };
    frame::write(out, frame::TEXT, &schema::wire::to_json(&ClientEvent::Post(post)), rand::random());
}

/// Appends a reaction.
pub fn write_react(out: &mut BytesMut, id: u32, room: RoomId, after: u64, target: u64, emoji: &str) {
    let cmid = schema::Cmid(uuid::Uuid::now_v7());
    let react = schema::client::React { id, room, cmid, after, prev: None, target, emoji: emoji.to_owned(), on: true };
    frame::write(out, frame::TEXT, &schema::wire::to_json(&ClientEvent::React(react)), rand::random());
}

/// Appends a request for a room's last page.
pub fn write_history(out: &mut BytesMut, id: u32, room: RoomId, limit: u16) {
    let ask = schema::client::History { id, room, before: None, after: None, around: None, at: None, limit: Some(limit) };
    frame::write(out, frame::TEXT, &schema::wire::to_json(&ClientEvent::History(ask)), rand::random());
}

#[cfg(test)]
mod tests {
    use super::*;
    use schema::event::{Event, EventBody, Message};
    use schema::server::{Done, Refusal};
    use schema::wire::to_json;
    use schema::{Cmid, ErrorCode, UserId};

    #[test]
    fn events_that_come_together_count_only_if_they_follow_each_other() {
        let room = RoomId::from_bytes([3; 16]);
        let frame = |seqs: &[u64]| {
            let body = EventBody::React { target: 1, emoji: "\"seq\":9".into(), on: true };
            let (user, cmid) = (UserId::default(), Cmid::default());
            let events = seqs.iter().map(|seq| Event { room, seq: *seq, ordinal: 1, at: 1, user, cmid, body: body.clone() }).collect();
            to_json(&ServerEvent::Events(schema::server::Events { room, events }))
        };
        let counts = Counts::default();
        for seqs in [[7, 8, 9], [7, 8, 9], [10, 11, 12]] {
            assert_eq!(counts.several(&frame(&seqs)), Some(Run { room, from: seqs[0], to: seqs[2] }));
        }
        assert_eq!((counts.several(&frame(&[13, 15])), counts.several(br#"{"event":{}}"#)), (None, None));
    }

    #[test]
    fn a_glimpse_sees_what_the_decoder_sees() {
        let room = RoomId::from_bytes([3; 16]);
        let body = EventBody::Message(Message { text: "\"seq\":9".into(), reply: None, origin: None });
        let event = Event { room, seq: 1234, ordinal: 1, at: 1, user: UserId::default(), cmid: Cmid::default(), body };
        assert_eq!(glimpse(&to_json(&ServerEvent::Event(event))), Glimpse::Delivered { room, seq: 1234 });
        let done = Done { id: 77, room: None, seq: None, ordinal: None, at: None };
        assert_eq!(glimpse(&to_json(&ServerEvent::Ok(done))), Glimpse::Acked { id: 77 });
        let refusal = Refusal::new(5, ErrorCode::Busy);
        assert_eq!(glimpse(&to_json(&ServerEvent::Error(refusal))), Glimpse::Refused { id: 5 });
        assert_eq!(glimpse(br#"{"draining":{}}"#), Glimpse::Other);
    }
}
