//! One lot: a thread with a poll, the connections parked on it, and the members of its rooms.
//!
//! A turn: what sockets and actors have for us is taken in, read, and worked off; what that makes ready for a connection
//! goes out in as few writes as possible, at the turn's end. The clock is read once a turn. Decisions are in the pure
//! files next door (`parser`, `outbox`, `heartbeat`, `decode`); here they meet sockets.
//!
//! Every socket is registered once, edge-triggered, for reading and writing: no system call ever changes that. A socket
//! that may not be read is simply not read; TCP pushes back.

mod close;
mod deliver;
mod joined;
mod read;
mod say;
mod time;
mod work;

use std::collections::VecDeque;
use std::os::fd::AsRawFd;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use actors::outlet::{Down, Outlet};
use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Token};
use schema::{CloseCode, ConnectionId};

use super::heartbeat::{Mark, Tick, Wheel};
use super::lots::{Arrival, Inlet, Shared, Voice, WAKE};
use super::metrics::LotMetrics;
use super::rooms::Rooms;
use super::slab::{Card, Phase, Slab};
use super::{Up, outbox, parser};
use joined::Delivery;
use work::Work;

/// Read at once; what a connection has unfinished is kept apart, so this is per lot.
const SCRATCH_BYTES: usize = 32 * 1024;
const EVENTS_MAX: usize = 1024;

pub(super) struct Lot {
    number: u16,
    shared: Arc<Shared>,
    inlet: Arc<Inlet>,
    outlet: Outlet,
    poll: Poll,
    slab: Slab,
    rooms: Rooms,
    wheel: Wheel,
    now: Tick,
    now_ms: u64,
    /// After `Down::Drain`: when the last connection closes at the latest.
    draining: Option<Tick>,
    scratch: Vec<u8>,
    inbox: Vec<Down>,
    /// Who pushes to an inbox that is not empty wakes nobody: it has to be looked at before we sleep.
    inbox_unseen: bool,
    script: VecDeque<Work>,
    delivery: Delivery,
    /// What connections said and nobody was told yet.
    said: VecDeque<Up>,
    /// Connections that may have bytes to read and may be read.
    ready: Vec<u32>,
    /// Connections to take out of their rooms, and to free if they are gone.
    leaving: Vec<u32>,
    due: Vec<Mark>,
    tally: Tally,
    metrics: LotMetrics,
}

/// Counted in this turn; and what outboxes hold, always.
#[derive(Debug, Default)]
struct Tally {
    bytes_in: u64,
    bytes_out: u64,
    messages_in: u64,
    frames_out: u64,
    writes: u64,
    ephemerals_dropped: u64,
    behind: u64,
    outbox_bytes: usize,
    outbox_frames: usize,
}

impl Lot {
    pub fn new(number: u16, shared: Arc<Shared>, inlet: Arc<Inlet>, poll: Poll) -> Self {
        let outlet = shared.outlets[usize::from(number)].clone();
        Self {
            number,
            shared,
            inlet,
            outlet,
            poll,
            slab: Slab::new(rand::random()),
            rooms: Rooms::default(),
            wheel: Wheel::new(Tick(0)),
            now: Tick(0),
            now_ms: 0,
            draining: None,
            scratch: vec![0; SCRATCH_BYTES],
            inbox: Vec::new(),
            inbox_unseen: false,
            script: VecDeque::new(),
            delivery: Delivery::default(),
            said: VecDeque::new(),
            ready: Vec::new(),
            leaving: Vec::new(),
            due: Vec::new(),
            tally: Tally::default(),
            metrics: LotMetrics::new(number),
        }
    }

    /// Until the node stops. A turn that panics costs this lot's connections, which come back and resume, not the node's.
    pub fn run(mut self) {
        let mut events = Events::with_capacity(EVENTS_MAX);
        while !self.shared.stopping.load(Ordering::Acquire) {
            let timeout = self.may_sleep();
            match self.poll.poll(&mut events, timeout) {
                Err(error) if error.kind() != std::io::ErrorKind::Interrupted => {
                    tracing::error!(lot = self.number, %error, "a lot cannot wait for its sockets: it closes them");
                    break;
                }
                _ => {
                    if catch_unwind(AssertUnwindSafe(|| self.turn(&events))).is_err() {
                        tracing::error!(lot = self.number, "a lot broke: its connections are closed, it goes on without them");
                        self.drop_all();
                    }
                }
            }
        }
        self.drop_all();
    }

    fn turn(&mut self, events: &Events) {
        self.now_ms = Instant::now().duration_since(self.shared.started).as_millis() as u64;
        self.now = Tick::from_ms(self.now_ms);
        for event in events.iter().filter(|event| event.token() != WAKE) {
            let index = event.token().0 as u32;
            let Some(entry) = self.slab.get(index) else { continue };
            entry.ended |= event.is_read_closed() || event.is_error();
            if (event.is_readable() || entry.ended) && !entry.unread {
                entry.unread = true;
                self.ready.push(index);
            }
            if event.is_writable() {
                self.write_outbox(index);
            }
        }
        self.take_arrivals();
        for index in std::mem::take(&mut self.ready) {
            self.read(index);
        }
        self.hand_up();
        self.inbox_unseen = !self.script.is_empty();
        if !self.inbox_unseen {
            self.take_inbox();
        }
        self.work();
        self.look_at_due();
        self.flush();
        self.reap();
        self.hand_up();
        self.report();
    }

    fn may_sleep(&self) -> Option<Duration> {
        if !self.script.is_empty() || !self.ready.is_empty() || self.inbox_unseen {
            return Some(Duration::ZERO);
        }
        let due_ms = u64::from(self.wheel.next()?.0) * u64::from(Tick::MS);
        let now_ms = self.shared.started.elapsed().as_millis() as u64;
        Some(Duration::from_millis(due_ms.saturating_sub(now_ms).max(1)))
    }

    fn take_arrivals(&mut self) {
        let arrivals = std::mem::take(&mut *self.inlet.arrivals.lock());
        for arrival in arrivals {
            self.park(arrival);
        }
    }

    fn park(&mut self, arrival: Arrival) {
        let Arrival { socket, tls, format, level, address, read } = arrival;
        let fd = socket.as_raw_fd();
        let card = Card { user: Default::default(), address };
        let index = self.slab.insert(socket, format, card, self.now);
        let entry = self.slab.at(index);
        (entry.tls, entry.level) = (tls, level);
        self.shared.connections.fetch_add(1, Ordering::Relaxed);
        let interest = Interest::READABLE | Interest::WRITABLE;
        if let Err(error) = self.poll.registry().register(&mut SourceFd(&fd), Token(index as usize), interest) {
            tracing::warn!(%error, "a socket cannot be waited for");
            return self.gone(index, None);
        }
        if self.draining.is_some() {
            return self.close(index, CloseCode::Drain);
        }
        let entry = self.slab.at(index);
        entry.parser.stash(&read);
        entry.unread = true;
        if self.shared.voice == Voice::Echo {
            entry.phase = Phase::Live;
            self.unknown_no_more(index);
        }
        self.look(index, self.now.after_ms(self.shared.limits.hello_ms));
        self.ready.push(index);
    }

    fn id(&mut self, index: u32) -> ConnectionId {
        ConnectionId { lot: self.number, generation: self.slab.at(index).generation, index }
    }

    fn parser_bounds(&self) -> parser::Bounds {
        parser::Bounds { message_bytes_max: self.shared.limits.message_bytes_max, fragments_max: self.shared.limits.fragments_max }
    }
    fn outbox_bounds(&self) -> outbox::Bounds {
        outbox::Bounds { bytes_max: self.shared.limits.outbox_bytes_max, frames_max: self.shared.limits.outbox_frames_max }
    }

    fn report(&mut self) {
        let tally = &mut self.tally;
        let add = |counter: &metrics::Counter, count: &mut u64| {
            if *count > 0 {
                counter.increment(std::mem::take(count));
            }
        };
        add(&self.metrics.bytes_in, &mut tally.bytes_in);
        add(&self.metrics.bytes_out, &mut tally.bytes_out);
        add(&self.metrics.messages_in, &mut tally.messages_in);
        add(&self.metrics.frames_out, &mut tally.frames_out);
        add(&self.metrics.writes, &mut tally.writes);
        add(&self.metrics.ephemerals_dropped, &mut tally.ephemerals_dropped);
        add(&self.metrics.behind, &mut tally.behind);
        self.metrics.connections.set(self.slab.count() as f64);
        self.metrics.rooms.set(self.rooms.count() as f64);
        self.metrics.outbox_bytes.set(tally.outbox_bytes as f64);
        self.metrics.outbox_frames.set(tally.outbox_frames as f64);
    }
}
