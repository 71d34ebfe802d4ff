//! The way down to a worker's connections: what actors say to a lot, and the bounded queue it arrives in.
//!
//! A lot is woken once however much is waiting. Order in the queue is the order for every connection: a `Join` is
//! pushed under the same lock as the head that was answered, so that nothing falls between.

use std::fmt;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use parking_lot::Mutex;
use schema::wire::Format;
use schema::{CloseCode, ConnectionId, Event, RoomId, ServerEvent, UserId};

/// A server event that many connections get: encoded at most once per wire format.
#[derive(Clone, Debug)]
pub struct Encoded(Arc<Once>);

#[derive(Debug)]
struct Once {
    event: ServerEvent,
    json: OnceLock<Bytes>,
    msgpack: OnceLock<Bytes>,
    apart: OnceLock<Box<[Encoded]>>,
}

impl Encoded {
    pub fn new(event: ServerEvent) -> Self {
        Self(Arc::new(Once { event, json: OnceLock::new(), msgpack: OnceLock::new(), apart: OnceLock::new() }))
    }
    pub fn event(&self) -> &ServerEvent {
        &self.0.event
    }
    pub fn is_encoded(&self, format: Format) -> bool {
        match format {
            Format::Json => self.0.json.get().is_some(),
            Format::MessagePack => self.0.msgpack.get().is_some(),
        }
    }
    /// The same one by one, for those who do not know `events`.
    pub fn apart(&self) -> &[Encoded] {
        let ServerEvent::Events(many) = &self.0.event else { return std::slice::from_ref(self) };
        self.0.apart.get_or_init(|| many.events.iter().map(|event| Encoded::new(ServerEvent::Event(event.clone()))).collect())
    }
    /// The durable events in it.
    pub fn events(&self) -> &[Event] {
        match &self.0.event {
            ServerEvent::Event(event) => std::slice::from_ref(event),
            ServerEvent::Events(many) => &many.events,
            _ => &[],
        }
    }
    /// The WebSocket payload; frame headers are the lot's.
    pub fn bytes(&self, format: Format) -> &Bytes {
        match format {
            Format::Json => self.0.json.get_or_init(|| Format::Json.encode(&self.0.event)),
            Format::MessagePack => self.0.msgpack.get_or_init(|| Format::MessagePack.encode(&self.0.event)),
        }
    }
}

/// A page of a room as one reader may have it, encoded once for all who ask for it in this format.
#[derive(Clone, Debug)]
pub struct EncodedPage {
    pub room: RoomId,
    /// Its last event, and the room's.
    pub to: u64,
    pub head: u64,
    pub format: Format,
    /// As REST has it; over a socket the number of the request goes before its fields (`schema::wire::around_page`).
    pub bytes: Bytes,
}

/// What a lot is told.
#[derive(Clone, Debug)]
pub enum Down {
    /// From here on the connection gets the room's batches, until one removes its user.
    Join {
        connection: ConnectionId,
        user: UserId,
        room: RoomId,
    },
    /// From here on it does not.
    Part {
        connection: ConnectionId,
        room: RoomId,
    },
    /// The first bytes of a connection that said hello: `ready` and what it missed. What the lot held for it since its
    /// first `Join` follows after these.
    Greet {
        connection: ConnectionId,
        user: UserId,
        events: Vec<Encoded>,
    },
    /// For one connection. Answers (`ok`, `error` with an id, `state_hash`, `pong`) give back a request's place.
    Send {
        connection: ConnectionId,
        event: Encoded,
    },
    /// The answer to the connection's `history` of this id, in its format; gives back the request's place too.
    Page {
        connection: ConnectionId,
        id: u32,
        page: EncodedPage,
    },
    /// Durable events of a room, in order, for all its connections here. `removed` may not see anything after this batch.
    Batch {
        room: RoomId,
        events: Vec<Encoded>,
        removed: Option<UserId>,
    },
    /// An ephemeral event for all the room's connections here but the one of `except`; first to go when a reader is slow.
    Ephemeral {
        room: RoomId,
        event: Encoded,
        except: Option<ConnectionId>,
    },
    Close {
        connection: ConnectionId,
        code: CloseCode,
    },
    /// Nobody can say any more what these missed in this room: whoever is in it comes again, and catches up.
    Lose {
        room: RoomId,
        code: CloseCode,
    },
    /// The node is short of memory: close those who have most to read yet, until so many bytes are given back.
    Slowest {
        bytes: u64,
    },
    /// Tell every connection that the node drains; then `reconnect`, each with its own delay up to the window; then close.
    Drain {
        window_ms: u32,
    },
}

impl Down {
    /// What it counts for in the queue's bound, bytes.
    fn weight(&self) -> usize {
        const ENTRY: usize = 64;
        match self {
            Self::Greet { events, .. } | Self::Batch { events, .. } => {
                ENTRY + events.iter().map(|event| event.events().len().max(1) * 256).sum::<usize>()
            }
            Self::Send { .. } | Self::Page { .. } | Self::Ephemeral { .. } => ENTRY + 256,
            _ => ENTRY,
        }
    }
}

/// A lot's inbox, held by everybody who has something for its connections.
#[derive(Clone)]
pub struct Outlet {
    pub lot: u16,
    inbox: Arc<Inbox>,
    wake: Arc<dyn Fn() + Send + Sync>,
}

struct Inbox {
    queue: Mutex<Queue>,
    bytes_max: usize,
}

#[derive(Default)]
struct Queue {
    items: Vec<Down>,
    bytes: usize,
    overflowed: bool,
}

impl Outlet {
    /// `wake` is called when the queue was empty: once per turn of the lot.
    pub fn new(lot: u16, bytes_max: usize, wake: impl Fn() + Send + Sync + 'static) -> Self {
        let inbox = Inbox { queue: Mutex::default(), bytes_max };
        Self { lot, inbox: Arc::new(inbox), wake: Arc::new(wake) }
    }

    /// Over the bound ephemeral events are dropped, and durable batches too: then `take` tells the lot
    /// to say `behind` to the members of all its rooms. Everything else is always taken: it is bounded by its senders.
    pub fn push(&self, down: Down) {
        self.push_all([down]);
    }

    /// The lot finds all of these at once.
    pub fn push_all(&self, downs: impl IntoIterator<Item = Down>) {
        let mut queue = self.inbox.queue.lock();
        let was_empty = queue.items.is_empty();
        for down in downs {
            let weight = down.weight();
            let droppable = matches!(down, Down::Batch { .. } | Down::Ephemeral { .. });
            if droppable && queue.bytes + weight > self.inbox.bytes_max {
                queue.overflowed |= matches!(down, Down::Batch { .. });
                continue;
            }
            queue.bytes += weight;
            queue.items.push(down);
        }
        let is_empty = queue.items.is_empty();
        drop(queue);
        if was_empty && !is_empty {
            (self.wake)();
        }
    }

    /// Takes everything, and says whether batches were dropped since the last time; `into` is the lot's own buffer, swapped in so that neither side allocates.
    pub fn take(&self, into: &mut Vec<Down>) -> bool {
        into.clear();
        let mut queue = self.inbox.queue.lock();
        std::mem::swap(&mut queue.items, into);
        queue.bytes = 0;
        std::mem::take(&mut queue.overflowed)
    }
}

impl fmt::Debug for Outlet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Outlet({})", self.lot)
    }
}
