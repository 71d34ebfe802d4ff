//! What goes out as one: frames joined once for everybody who gets them, and the turn's list of who gets which.

use std::cell::OnceCell;
use std::rc::Rc;

use actors::outlet::{Encoded, EncodedPage};
use bytes::Bytes;
use schema::limits::EVENTS_LEVEL;
use schema::wire::{Format, around_page};
use schema::{EventBody, RoomId, ServerEvent};

use super::say::opcode;
use crate::edge::frame::{frame_bytes, write_frame, write_head};
use crate::edge::outbox::{Chunk, Class, Pull};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Chunk(Class),
    /// Goes before what was held for it.
    Greeting,
    /// A page of a room that may be withheld.
    Page {
        room: u32,
        to: u64,
        head: u64,
    },
    /// No bytes: withhold the room.
    Pull(Pull),
    /// A close frame; `keep`: after what is queued.
    Last {
        keep: bool,
    },
}

/// Frames that go out as one.
pub(super) struct Joined {
    events: Vec<Encoded>,
    /// It looks otherwise to those to whom `events` is not known.
    has_many: bool,
    pub kind: Kind,
    /// As JSON and as MessagePack; then the same for those to whom `events` is not known, if there are any.
    bytes: [OnceCell<Bytes>; 4],
}

#[derive(Default)]
pub(super) struct Delivery {
    pub joined: Vec<Rc<Joined>>,
    /// Connection and chunk.
    pub pairs: Vec<(u32, u32)>,
    /// How often pairs followed chunks: within one such run a connection's pairs stand together.
    pub runs: u32,
    in_run: bool,
}

impl Joined {
    pub fn many(events: Vec<Encoded>, kind: Kind) -> Rc<Self> {
        let has_many = events.iter().any(|event| matches!(event.event(), ServerEvent::Events(_)));
        Rc::new(Self { events, has_many, kind, bytes: Default::default() })
    }
    pub fn one(event: Encoded, kind: Kind) -> Rc<Self> {
        Self::many(vec![event], kind)
    }
    pub fn pull(pull: Pull) -> Rc<Self> {
        Self::many(Vec::new(), Kind::Pull(pull))
    }
    /// A frame that is written already, the same in both formats.
    pub fn frame(bytes: Bytes, kind: Kind) -> Rc<Self> {
        let written = || OnceCell::from(bytes.clone());
        Rc::new(Self { events: Vec::new(), has_many: false, kind, bytes: [written(), written(), OnceCell::new(), OnceCell::new()] })
    }

    /// Cuts events to chunks of about `bytes_max`.
    pub fn chunks(events: Vec<Encoded>, bytes_max: usize, kind: impl Fn(&[Encoded]) -> Kind) -> Vec<Rc<Self>> {
        let mut chunks = Vec::new();
        let (mut open, mut bytes) = (Vec::new(), 0);
        for event in events {
            let more = about_bytes(event.event());
            if bytes + more > bytes_max && !open.is_empty() {
                let kind = kind(&open);
                chunks.push(Self::many(std::mem::take(&mut open), kind));
                bytes = 0;
            }
            bytes += more;
            open.push(event);
        }
        let kind = kind(&open);
        chunks.push(Self::many(open, kind));
        chunks
    }

    fn is_apart(&self, level: u8) -> bool {
        self.has_many && u16::from(level) < EVENTS_LEVEL
    }
    pub fn frames(&self, level: u8) -> u16 {
        match self.events.len() {
            0 => u16::from(!matches!(self.kind, Kind::Pull(_))),
            _ if self.is_apart(level) => self.events.iter().map(|event| event.apart().len() as u16).sum(),
            count => count as u16,
        }
    }

    pub fn bytes(&self, format: Format, level: u8) -> &Bytes {
        let is_apart = self.is_apart(level);
        self.bytes[usize::from(format == Format::MessagePack) + 2 * usize::from(is_apart)].get_or_init(|| {
            let events = self.events.iter().flat_map(|event| if is_apart { event.apart() } else { std::slice::from_ref(event) });
            let payloads = || events.clone().map(|event| event.bytes(format));
            let mut out = Vec::with_capacity(payloads().map(|payload| frame_bytes(payload.len())).sum());
            payloads().for_each(|payload| write_frame(&mut out, opcode(format), payload));
            out.into()
        })
    }
    /// How far a greeting goes in a room; 0: it does not name the room.
    pub fn said_of(&self, room: RoomId) -> u64 {
        let ready = self.events.iter().find_map(|event| if let ServerEvent::Ready(ready) = event.event() { Some(ready) } else { None });
        ready.and_then(|ready| ready.rooms.iter().find(|state| state.room == room)).map_or(0, |state| state.head)
    }
    pub fn chunk(&self, format: Format, level: u8) -> Chunk {
        let class = if let Kind::Chunk(class) = self.kind { class } else { Class::Direct };
        Chunk { bytes: self.bytes(format, level).clone(), frames: self.frames(level), class }
    }
}

/// The answer to the request of this number. Only its first bytes are its own, the others are copied.
pub(super) fn page_frame(id: u32, page: &EncodedPage) -> Bytes {
    let (before, after) = around_page(page.format, id);
    let shared = &page.bytes[1..];
    let payload_bytes = before.len() + shared.len() + after.len();
    let mut out = Vec::with_capacity(frame_bytes(payload_bytes));
    write_head(&mut out, opcode(page.format), payload_bytes);
    [&before, shared, after].into_iter().for_each(|part| out.extend_from_slice(part));
    out.into()
}

/// Near enough to cut writes by; the exact size is known only once it is encoded.
fn about_bytes(event: &ServerEvent) -> usize {
    let text = match event {
        ServerEvent::Events(many) => return many.events.len() * 256,
        ServerEvent::Event(event) => match &event.body {
            EventBody::Message(message) => message.text.len(),
            EventBody::Edit { text, .. } => text.len(),
            EventBody::Created { members, .. } => members.len() * 80,
            _ => 0,
        },
        _ => 0,
    };
    256 + text
}

impl Delivery {
    pub fn add(&mut self, joined: Rc<Joined>) -> u32 {
        self.in_run = false;
        self.joined.push(joined);
        self.joined.len() as u32 - 1
    }
    pub fn to(&mut self, index: u32, joined: u32) {
        self.runs += u32::from(!std::mem::replace(&mut self.in_run, true));
        self.pairs.push((index, joined));
    }
    pub fn clear(&mut self) {
        self.joined.clear();
        self.pairs.clear();
        (self.runs, self.in_run) = (0, false);
    }
}
