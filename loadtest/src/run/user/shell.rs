//! The connection of one virtual user: bytes in and out, lost and made again. Every decision is `core`'s.
//!
//! All users of a worker live on one thread, so that what they share needs no lock; nothing borrowed is held over an await.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use bytes::{Buf, BytesMut};
use schema::wire::Format;
use schema::{CloseCode, DeviceId, RoomId};
use tokio::sync::{Notify, Semaphore};
use tokio::time::{Instant, sleep_until};

use super::again::{Again, Ended};
use super::core::{Core, Effects, Moments};
use crate::client::frame::{self, Incoming, Message};
use crate::client::{Error, Socket, Stream, Target};
use crate::history::{Entry, Recorder};
use crate::measure::Deed;
use crate::report::Offending;
use crate::run::account::Accounts;
use crate::run::books::Books;
use crate::run::clock::RunClock;
use crate::run::places::Open;

const READ_BYTES: usize = 32 * 1024;
/// A handshake and a hello that take longer are given up and tried again.
const OPEN_MAX: Duration = Duration::from_secs(20);

/// What all users of a worker share.
pub struct Shared {
    pub books: RefCell<Books>,
    pub clock: RunClock,
    pub places: Open,
    pub accounts: Accounts,
    pub recorder: RefCell<Recorder>,
    /// One permit for each connection that may be on its way.
    pub opening: Semaphore,
    pub connections: Cell<u64>,
    /// Why a connection could not be made, the last time.
    pub trouble: RefCell<Option<String>>,
}

pub struct User {
    core: RefCell<Core>,
    target: Cell<Target>,
    account: u32,
    line: RefCell<Line>,
    /// The task has to look again: bytes wait, or the line is to be cut.
    nudged: Notify,
}

/// The connection as others on the thread may touch it.
#[derive(Default)]
pub struct Line {
    stream: Option<Rc<Stream>>,
    out: BytesMut,
    /// Cut it, and come back at this time.
    away_until: Option<Instant>,
    ended: bool,
}

impl Line {
    /// The kernel has not taken everything.
    fn is_behind(&self) -> bool {
        !self.out.is_empty() || self.stream.as_ref().is_some_and(|stream| stream.is_behind())
    }
}

/// How a connection ended.
struct Parting {
    parted: Parted,
    is_greeted: bool,
}

/// Why a connection's loop ended.
enum Parted {
    Lost,
    /// Connect again after the wait that the node asked for.
    Later(Duration),
    Token,
    /// The node does not want this device back.
    Unwanted(u16),
}

impl User {
    pub fn new(core: Core, target: Target, account: u32) -> Rc<Self> {
        let (core, line, nudged) = (RefCell::new(core), RefCell::default(), Notify::new());
        Rc::new(Self { core, target: Cell::new(target), account, line, nudged })
    }

    pub fn core(&self) -> std::cell::Ref<'_, Core> {
        self.core.borrow()
    }

    pub fn act(&self, deed: Deed, room: u32, bytes: u32, moments: Moments, shared: &Shared) {
        let mut fx = Effects::default();
        self.core.borrow_mut().act(deed, room, bytes, moments, &mut shared.books.borrow_mut(), &mut fx);
        self.carry_out(fx, shared);
    }

    /// Loses the connection without a word, and comes back after so long.
    pub fn cut(&self, away: Duration) {
        self.line.borrow_mut().away_until = Some(Instant::now() + away);
        self.nudged.notify_one();
    }

    /// The run is over for this user; returns how many of their requests have no answer.
    pub fn end(&self, shared: &Shared) -> u64 {
        let mut fx = Effects::default();
        let unknown = self.core.borrow_mut().end(&mut shared.books.borrow_mut(), &mut fx);
        self.carry_out(fx, shared);
        self.line.borrow_mut().ended = true;
        self.nudged.notify_one();
        unknown
    }

    /// Connects and keeps connected until the run is over.
    pub async fn live(self: Rc<Self>, shared: Rc<Shared>) {
        let mut again = Again::at(shared.clock.now_us());
        loop {
            let away = self.line.borrow_mut().away_until.take();
            if let Some(until) = away {
                sleep_until(until).await;
                again.back(shared.clock.now_us());
            }
            if self.line.borrow().ended {
                return;
            }
            let (ended, is_sent_on) = match self.connect(again.intended_us, &shared).await {
                Ok(Parting { parted: Parted::Unwanted(code), .. }) => {
                    let what = format!("user {} was closed with {code} and must not come back", self.core().number);
                    shared.books.borrow_mut().ledger.offences.add(Offending::Wrong, RoomId::default(), None, what);
                    return;
                }
                Ok(Parting { parted, is_greeted }) => {
                    let is_token = matches!(parted, Parted::Token);
                    if is_token && let Err(error) = shared.accounts.renew(self.account, self.target.get()).await {
                        shared.trouble.replace(Some(format!("signing in again: {error}")));
                    }
                    let asked = if let Parted::Later(wait) = parted { Some(wait) } else { None };
                    let ended = if is_greeted { Ended::Greeted { asked } } else { Ended::Failed };
                    (ended, asked.is_some() || !is_greeted && !is_token)
                }
                Err(error) => {
                    shared.trouble.replace(Some(error.to_string()));
                    (Ended::Failed, true)
                }
            };
            if is_sent_on {
                self.target.set(shared.places.after(self.target.get()));
            }
            let wait = again.ended(shared.clock.now_us(), ended);
            if self.line.borrow().away_until.is_none() && !wait.is_zero() {
                let jitter = if ended == Ended::Failed { rand::random_range(0.5..1.0) } else { 1.0 };
                tokio::time::sleep(wait.mul_f64(jitter)).await;
            }
        }
    }

    /// One connection, from its first packet to its end. An error: there was none.
    async fn connect(&self, intended_us: u64, shared: &Shared) -> Result<Parting, Error> {
        let permit = shared.opening.acquire().await.map_err(|_| Error::Ended)?;
        let moments = Moments { intended_us, actual_us: shared.clock.now_us() };
        let format = self.core().format;
        let opening = Socket::open(self.target.get(), format);
        let socket = tokio::time::timeout(OPEN_MAX, opening).await.map_err(|_| Error::Http("no answer within 20 s".to_owned()))??;
        let (stream, buffer) = socket.into_raw();
        let stream = Rc::new(stream);
        self.line.borrow_mut().stream = Some(Rc::clone(&stream));
        let mut fx = Effects::default();
        self.core.borrow_mut().hello(shared.accounts.access(self.account), moments, &mut fx);
        self.carry_out(fx, shared);
        let mut permit = Some(permit);
        let parted = self.converse(&stream, Incoming::after(buffer), shared, &mut permit).await;
        let is_greeted = permit.is_none();
        if is_greeted {
            shared.connections.set(shared.connections.get() - 1);
        }
        {
            let mut line = self.line.borrow_mut();
            (line.stream, line.out) = (None, BytesMut::new());
        }
        let mut fx = Effects::default();
        self.core.borrow_mut().lost(shared.clock.now_us(), &mut shared.books.borrow_mut(), &mut fx);
        self.carry_out(fx, shared);
        Ok(Parting { parted, is_greeted })
    }

    async fn converse(
        &self,
        stream: &Stream,
        mut incoming: Incoming,
        shared: &Shared,
        permit: &mut Option<tokio::sync::SemaphorePermit<'_>>,
    ) -> Parted {
        let opened = Instant::now();
        let mut beat = opened + OPEN_MAX;
        let wake = sleep_until(beat);
        tokio::pin!(wake);
        loop {
            match self.hear(&mut incoming, shared) {
                Ok(true) if permit.take().is_some() => {
                    shared.connections.set(shared.connections.get() + 1);
                    beat = self.next_beat();
                }
                Ok(_) => {}
                Err(parted) => return parted,
            }
            {
                let line = self.line.borrow();
                if line.ended || line.away_until.is_some() {
                    return Parted::Lost;
                }
            }
            let due = self.core().due_us().map_or(beat, |due| beat.min(shared.clock.at(due).into()));
            if wake.deadline() != due {
                wake.as_mut().reset(due);
            }
            let has_more = !self.line.borrow().out.is_empty() || stream.is_behind();
            tokio::select! {
                ready = stream.readable() => {
                    if ready.is_err() || read(stream, &mut incoming).is_err() {
                        return Parted::Lost;
                    }
                }
                ready = stream.writable(), if has_more => {
                    if ready.is_err() || self.flush().is_err() {
                        return Parted::Lost;
                    }
                }
                () = self.nudged.notified() => {}
                () = &mut wake => {
                    if permit.is_some() && opened.elapsed() >= OPEN_MAX {
                        return Parted::Lost;
                    }
                    let mut fx = Effects::default();
                    if Instant::now() >= beat {
                        self.core.borrow_mut().ping(&mut fx);
                        beat = self.next_beat();
                    }
                    self.core.borrow_mut().pump(shared.clock.now_us(), &mut fx);
                    self.carry_out(fx, shared);
                }
            }
        }
    }

    fn next_beat(&self) -> Instant {
        let heartbeat = Duration::from_millis(self.core().heartbeat_ms.into());
        Instant::now() + heartbeat.mul_f64(rand::random_range(0.75..1.0))
    }

    /// All whole messages that have come in. `true`: the connection is a signed-in one.
    fn hear(&self, incoming: &mut Incoming, shared: &Shared) -> Result<bool, Parted> {
        let (mut fx, mut now_us) = (Effects::default(), None);
        let ended = loop {
            match incoming.next_message() {
                Ok(Some(Message::Text(body) | Message::Binary(body))) => {
                    let now_us = *now_us.get_or_insert_with(|| shared.clock.now_us());
                    self.core.borrow_mut().heard(now_us, &body, &mut shared.books.borrow_mut(), &mut fx);
                }
                Ok(Some(Message::Ping(body))) => {
                    frame::write(&mut self.line.borrow_mut().out, frame::PONG, &body, rand::random());
                }
                Ok(Some(Message::Pong)) => {}
                Ok(Some(Message::Close(code))) => break Some(parted_by(code)),
                Ok(None) => break None,
                Err(breach) => {
                    let what = format!("user {}: {breach}", self.core().number);
                    shared.books.borrow_mut().ledger.offences.add(Offending::Wrong, RoomId::default(), None, what);
                    break Some(Parted::Lost);
                }
            }
        };
        if incoming.buffer.is_empty() {
            incoming.buffer = BytesMut::new();
        }
        let reconnect = fx.reconnect_ms;
        self.carry_out(fx, shared);
        match (ended, reconnect) {
            (Some(parted), _) => Err(parted),
            (None, Some(ms)) => Err(Parted::Later(Duration::from_millis(ms.into()))),
            (None, None) => Ok(self.core().is_ready()),
        }
    }

    fn carry_out(&self, fx: Effects, shared: &Shared) {
        if !fx.record.is_empty() {
            self.write_down(&fx.record, shared);
        }
        if fx.send.is_empty() && self.line.borrow().out.is_empty() {
            return;
        }
        {
            let mut line = self.line.borrow_mut();
            if line.stream.is_none() {
                return;
            }
            let format = self.core().format;
            let opcode = if format == Format::Json { frame::TEXT } else { frame::BINARY };
            fx.send.iter().for_each(|event| frame::write(&mut line.out, opcode, &format.encode(event), rand::random()));
        }
        // What the kernel does not take, and what is wrong with the connection, is the task's business.
        if self.flush().is_err() || self.line.borrow().is_behind() {
            self.nudged.notify_one();
        }
    }

    fn write_down(&self, entries: &[Entry], shared: &Shared) {
        let (now_us, core) = (shared.clock.now_us(), self.core());
        let mut recorder = shared.recorder.borrow_mut();
        recorder.write(now_us, &Entry::Client { user: core.user, device: recorded_device(core.device, core.number) });
        entries.iter().for_each(|entry| recorder.write(now_us, entry));
    }

    fn flush(&self) -> std::io::Result<()> {
        let mut line = self.line.borrow_mut();
        let Line { stream: Some(stream), out, .. } = &mut *line else { return Ok(()) };
        while !out.is_empty() {
            match stream.try_write(out) {
                Ok(sent) => out.advance(sent),
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            }
        }
        *out = BytesMut::new();
        // What TLS has taken, and the kernel not yet.
        if stream.is_behind() {
            stream
                .try_write(&[])
                .map(drop)
                .or_else(|error| if error.kind() == std::io::ErrorKind::WouldBlock { Ok(()) } else { Err(error) })?;
        }
        Ok(())
    }
}

/// In a history every connection is a device of its own, also when several share an account.
fn recorded_device(device: DeviceId, user: u32) -> DeviceId {
    let mut bytes = *device.as_bytes();
    bytes[12..].iter_mut().zip(user.to_be_bytes()).for_each(|(byte, more)| *byte ^= more);
    DeviceId::from_bytes(bytes)
}

fn read(stream: &Stream, incoming: &mut Incoming) -> std::io::Result<()> {
    incoming.buffer.reserve(READ_BYTES);
    match stream.try_read_buf(&mut incoming.buffer) {
        Ok(0) => Err(std::io::ErrorKind::UnexpectedEof.into()),
        Err(error) if error.kind() != std::io::ErrorKind::WouldBlock => Err(error),
        _ => Ok(()),
    }
}

fn parted_by(code: u16) -> Parted {
    match CloseCode::ALL.iter().find(|known| known.number() == code) {
        Some(CloseCode::Unauthenticated) => Parted::Token,
        Some(known) if !known.may_reconnect() => Parted::Unwanted(code),
        _ => Parted::Lost,
    }
}
