//! A node's lots: their threads, their inboxes, and the way in for a socket whose handshake is done.
//!
//! Made in two steps, because the actors need the outlets before the lots can be told where their events go.

use std::io;
use std::net::{IpAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::Instant;

use actors::outlet::{Down, Outlet};
use bytes::Bytes;
use mio::{Poll, Token, Waker};
use parking_lot::Mutex;
use schema::wire::Format;

use super::UpFn;
use super::addresses::Addresses;
use super::lot::Lot;
use super::tls::Session;
use super::users::Users;
use crate::limits::Limits;

/// The waker's token; a connection's is its place in the slab.
pub(super) const WAKE: Token = Token(usize::MAX);

/// What lots do with a whole message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Voice {
    #[default]
    Hubbub,
    /// Sends it back as it came, without a hello: what conformance suites for WebSockets talk to.
    Echo,
}

/// A socket after its handshake.
#[derive(Debug)]
pub struct Arrival {
    pub socket: TcpStream,
    pub tls: Option<Box<Session>>,
    pub format: Format,
    /// Of the protocol.
    pub level: u8,
    /// Counted as `As::WebSocket` and `As::Unknown`; from here on the lot counts it off.
    pub address: IpAddr,
    /// What the client sent right behind its request.
    pub read: Bytes,
}

/// What all lots of a node share.
pub(super) struct Shared {
    pub limits: Limits,
    pub voice: Voice,
    pub users: Arc<Users>,
    pub addresses: Arc<Addresses>,
    pub outlets: Vec<Outlet>,
    pub up: UpFn,
    pub started: Instant,
    pub stopping: AtomicBool,
    pub connections: AtomicUsize,
}

pub(super) struct Inlet {
    pub arrivals: Mutex<Vec<Arrival>>,
    waker: Waker,
}

pub struct Prepared {
    limits: Limits,
    polls: Vec<Poll>,
    inlets: Vec<Arc<Inlet>>,
    outlets: Vec<Outlet>,
}

/// Running lots. Dropping them closes every socket.
pub struct Lots {
    shared: Arc<Shared>,
    inlets: Vec<Arc<Inlet>>,
    threads: Vec<JoinHandle<()>>,
    next: AtomicUsize,
}

impl Lots {
    /// `count` lots: one a core.
    pub fn prepare(limits: &Limits, count: u16) -> io::Result<Prepared> {
        let mut prepared = Prepared { limits: limits.clone(), polls: Vec::new(), inlets: Vec::new(), outlets: Vec::new() };
        for lot in 0..count.max(1) {
            let poll = Poll::new()?;
            let inlet = Arc::new(Inlet { arrivals: Mutex::default(), waker: Waker::new(poll.registry(), WAKE)? });
            let waker = inlet.clone();
            // A wake can fail only when the poll is gone, and then nobody is left to be woken.
            let wake = move || drop(waker.waker.wake());
            prepared.outlets.push(Outlet::new(lot, limits.lot_inbox_bytes_max, wake));
            prepared.polls.push(poll);
            prepared.inlets.push(inlet);
        }
        Ok(prepared)
    }

    pub fn users(&self) -> &Arc<Users> {
        &self.shared.users
    }
    pub fn addresses(&self) -> &Arc<Addresses> {
        &self.shared.addresses
    }
    pub fn limits(&self) -> &Limits {
        &self.shared.limits
    }
    pub fn outlets(&self) -> &[Outlet] {
        &self.shared.outlets
    }
    /// Milliseconds on the clock that `Users::admit` is asked with.
    pub fn now_ms(&self) -> u64 {
        self.shared.started.elapsed().as_millis() as u64
    }
    pub(super) fn now_us(&self) -> u64 {
        self.shared.started.elapsed().as_micros() as u64
    }
    pub fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::Relaxed)
    }

    /// Connections that have most to read yet are closed until so many bytes are given back, by all lots together.
    pub fn close_slowest(&self, bytes: u64) {
        let each = bytes.div_ceil(self.shared.outlets.len() as u64);
        if each > 0 {
            self.shared.outlets.iter().for_each(|outlet| outlet.push(Down::Slowest { bytes: each }));
        }
    }

    /// Gives a socket to the next lot in turn.
    pub(super) fn park(&self, arrival: Arrival) {
        let lot = self.next.fetch_add(1, Ordering::Relaxed) % self.inlets.len();
        self.inlets[lot].push(arrival);
    }
}

impl Prepared {
    pub fn outlets(&self) -> Vec<Outlet> {
        self.outlets.clone()
    }
    pub fn start(self, up: UpFn) -> io::Result<Lots> {
        self.start_as(Voice::Hubbub, up)
    }

    pub fn start_as(self, voice: Voice, up: UpFn) -> io::Result<Lots> {
        let Self { limits, polls, inlets, outlets } = self;
        let shared = Arc::new(Shared {
            users: Arc::new(Users::new(&limits)),
            addresses: Addresses::new(&limits),
            limits,
            voice,
            outlets,
            up,
            started: Instant::now(),
            stopping: AtomicBool::new(false),
            connections: AtomicUsize::new(0),
        });
        let mut threads = Vec::new();
        for (number, poll) in polls.into_iter().enumerate() {
            let (shared, inlet) = (shared.clone(), inlets[number].clone());
            let name = format!("lot-{number}");
            threads.push(std::thread::Builder::new().name(name).spawn(move || Lot::new(number as u16, shared, inlet, poll).run())?);
        }
        Ok(Lots { shared, inlets, threads, next: AtomicUsize::new(0) })
    }
}

impl Inlet {
    fn push(&self, arrival: Arrival) {
        self.arrivals.lock().push(arrival);
        self.wake();
    }
    fn wake(&self) {
        // As in `prepare`.
        drop(self.waker.wake());
    }
}

impl Drop for Lots {
    fn drop(&mut self) {
        self.shared.stopping.store(true, Ordering::Release);
        for inlet in &self.inlets {
            inlet.wake();
        }
        for thread in self.threads.drain(..) {
            // A lot that panicked has said so; there is nothing to add here.
            drop(thread.join());
        }
    }
}
