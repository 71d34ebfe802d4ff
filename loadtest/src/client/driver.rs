//! The task of one device: carries out what the core decides, connects and connects again. Every branch of its `select!`
//! may be dropped without loss.

use std::collections::HashMap;
use std::time::Duration;

use schema::client::Act;
use schema::server::{History, Refusal};
use schema::{CloseCode, Cmid, RoomId};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep, sleep_until};

use super::core::{Core, Effects, Outcome, PageAsk};
use super::socket::{Heard, Socket};
use super::{Api, Error, Settings};
use crate::history::{Clock, Entry, Recorder};

pub(super) type Condition = Box<dyn Fn(&Core) -> bool + Send>;

pub(super) enum Command {
    Submit {
        room: RoomId,
        cmid: Cmid,
        act: Act,
        ended: oneshot::Sender<Outcome>,
    },
    Page {
        ask: PageAsk,
        got: oneshot::Sender<Result<History, Refusal>>,
    },
    Until {
        condition: Condition,
        met: oneshot::Sender<()>,
    },
    Look {
        look: Box<dyn FnOnce(&Core) + Send>,
    },
    /// Lets the connection go without a word, as a lost network does.
    Cut,
    End {
        done: oneshot::Sender<Result<(), Error>>,
    },
}

/// Frames are not read while so much waits to be sent; the core bounds requests, pages and pings beyond it.
const WAITING_BYTES_MAX: usize = 8 << 20;

pub(super) struct Driver {
    settings: Settings,
    access: String,
    refresh: Option<String>,
    core: Core,
    clock: Clock,
    recorder: Recorder,
    commands: mpsc::Receiver<Command>,
    ended: HashMap<Cmid, oneshot::Sender<Outcome>>,
    pages: HashMap<u32, oneshot::Sender<Result<History, Refusal>>>,
    conditions: Vec<(Condition, oneshot::Sender<()>)>,
    failures: u32,
}

/// Why a connection's loop ended.
enum Parted {
    /// Connect again, after the wait.
    Again(Option<Duration>),
    /// The token is not good any more.
    Token,
    /// The node does not want us back.
    Refused(u16),
    Ended(oneshot::Sender<Result<(), Error>>),
    /// Nobody holds the client any more.
    Dropped,
}

impl Driver {
    pub fn new(settings: Settings, core: Core, clock: Clock, recorder: Recorder, commands: mpsc::Receiver<Command>) -> Self {
        let (access, refresh) = (settings.access.clone(), settings.refresh.clone());
        let (ended, pages, conditions) = (HashMap::new(), HashMap::new(), Vec::new());
        Self { settings, access, refresh, core, clock, recorder, commands, ended, pages, conditions, failures: 0 }
    }

    /// Until the client is ended or the node says that it must not come back. The error is why it stopped by itself.
    pub async fn run(mut self) -> Result<(), Error> {
        loop {
            let parted = match Socket::open(self.settings.target, self.settings.format).await {
                Ok(socket) => self.converse(socket).await,
                Err(_) => Parted::Again(None),
            };
            let wait = match parted {
                Parted::Again(wait) => wait,
                Parted::Token => {
                    self.renew().await?;
                    None
                }
                Parted::Refused(code) => return Err(Error::Closed(code)),
                Parted::Dropped => return Ok(()),
                Parted::Ended(done) => {
                    let recorded = self.recorder.finish().map_err(Error::History);
                    done.send(recorded).ok();
                    return Ok(());
                }
            };
            let wait = wait.unwrap_or_else(|| self.backoff());
            match self.pause(wait).await {
                Some(Parted::Ended(done)) => {
                    self.record(vec![self.core.end()]);
                    done.send(self.recorder.finish().map_err(Error::History)).ok();
                    return Ok(());
                }
                Some(_) => return Ok(()),
                None => {}
            }
        }
    }

    /// Doubling from 20 ms to the stated maximum, with jitter.
    fn backoff(&mut self) -> Duration {
        let base = Duration::from_millis(20 << self.failures.min(8)).min(self.settings.reconnect_max);
        self.failures += 1;
        base.mul_f64(rand::random_range(0.5..1.0))
    }

    /// Between two connections: time passes, commands are taken.
    async fn pause(&mut self, wait: Duration) -> Option<Parted> {
        let over = sleep(wait);
        tokio::pin!(over);
        loop {
            tokio::select! {
                () = &mut over => return None,
                command = self.commands.recv() => {
                    let mut fx = Effects::default();
                    if let Some(parted) = self.command(command, &mut fx) {
                        return Some(parted);
                    }
                    // Pages asked for meanwhile cannot be had: the core answers them when it hears of the next loss.
                    self.apply(None, fx);
                }
            }
        }
    }

    async fn renew(&mut self) -> Result<(), Error> {
        let refresh = self.refresh.take().ok_or(Error::Closed(CloseCode::Unauthenticated.number()))?;
        match Api::nobody(self.settings.target).refresh(&refresh).await {
            Ok(tokens) => (self.access, self.refresh) = (tokens.access, tokens.refresh),
            Err(error) if super::is_temporary(&error) => self.refresh = Some(refresh),
            Err(error) => return Err(error),
        }
        Ok(())
    }

    async fn converse(&mut self, mut socket: Socket) -> Parted {
        let mut fx = Effects::default();
        self.core.hello(self.access.clone(), &mut fx);
        self.apply(Some(&mut socket), fx);
        let mut beat = Instant::now() + Duration::from_secs(10);
        let mut heard_at = Instant::now();
        let parted = loop {
            let due = self.core.due_us().map(|due| Duration::from_micros(due.saturating_sub(self.clock.now_us())));
            let wake = due.map_or(beat, |due| beat.min(Instant::now() + due));
            let mut fx = Effects::default();
            tokio::select! {
                heard = socket.turn() => {
                    heard_at = Instant::now();
                    if let Err(parted) = self.hear(heard, &mut socket) {
                        break parted;
                    }
                    continue;
                }
                command = self.commands.recv(), if socket.waiting_bytes() < WAITING_BYTES_MAX => match self.command(command, &mut fx) {
                    Some(Parted::Ended(done)) => {
                        self.record(vec![self.core.end()]);
                        socket.close();
                        return Parted::Ended(done);
                    }
                    Some(parted) => break parted,
                    None => {}
                },
                () = sleep_until(wake) => self.core.pump(self.clock.now_us(), &mut fx),
            }
            if Instant::now() >= beat {
                let heartbeat = Duration::from_millis(self.core.heartbeat_ms.into());
                if heard_at.elapsed() > heartbeat * 2 + Duration::from_secs(10) {
                    break Parted::Again(None);
                }
                if self.core.is_ready() {
                    self.core.ping(&mut fx);
                }
                beat = Instant::now() + heartbeat.mul_f64(rand::random_range(0.5..0.9));
            }
            self.apply(Some(&mut socket), fx);
        };
        let mut fx = Effects::default();
        self.core.lost(&mut fx);
        self.apply(None, fx);
        parted
    }

    /// All that has come in, then the conditions once.
    fn hear(&mut self, first: Result<Option<Heard>, Error>, socket: &mut Socket) -> Result<(), Parted> {
        let mut next = first;
        loop {
            match next {
                Ok(Some(Heard::Event(event))) => {
                    let mut fx = Effects::default();
                    self.core.heard(self.clock.now_us(), *event, &mut fx);
                    if self.core.is_ready() {
                        self.failures = 0;
                    }
                    let reconnect = fx.reconnect_ms;
                    self.carry_out(Some(socket), fx);
                    if let Some(ms) = reconnect {
                        return Err(Parted::Again(Some(Duration::from_millis(ms.into()))));
                    }
                }
                Ok(Some(Heard::Closed(code))) => return Err(parted_by(code)),
                Ok(None) => break,
                Err(_) => return Err(Parted::Again(None)),
            }
            next = socket.heard();
        }
        self.check_conditions();
        Ok(())
    }

    fn command(&mut self, command: Option<Command>, fx: &mut Effects) -> Option<Parted> {
        let now_us = self.clock.now_us();
        match command {
            None => return Some(Parted::Dropped),
            Some(Command::Submit { room, cmid, act, ended }) => {
                self.ended.insert(cmid, ended);
                self.core.submit(now_us, room, cmid, act, fx);
            }
            Some(Command::Page { ask, got }) if self.core.is_ready() => {
                let id = self.core.ask(now_us, ask, fx);
                self.pages.insert(id, got);
            }
            Some(Command::Page { got, .. }) => {
                got.send(Err(Refusal::new(0, schema::ErrorCode::Unavailable))).ok();
            }
            Some(Command::Until { condition, met }) => {
                self.conditions.push((condition, met));
                self.check_conditions();
            }
            Some(Command::Look { look }) => look(&self.core),
            Some(Command::Cut) => return self.core.is_ready().then_some(Parted::Again(None)),
            Some(Command::End { done }) => return Some(Parted::Ended(done)),
        }
        None
    }

    fn apply(&mut self, socket: Option<&mut Socket>, fx: Effects) {
        self.carry_out(socket, fx);
        self.check_conditions();
    }

    fn carry_out(&mut self, socket: Option<&mut Socket>, fx: Effects) {
        self.record(fx.record);
        if let Some(socket) = socket {
            fx.send.iter().for_each(|event| socket.push(event));
        }
        for (cmid, outcome) in fx.ended {
            if let Some(ended) = self.ended.remove(&cmid) {
                ended.send(outcome).ok();
            }
        }
        for (id, page) in fx.pages {
            if let Some(got) = self.pages.remove(&id) {
                got.send(page).ok();
            }
        }
    }

    fn record(&mut self, entries: Vec<Entry>) {
        if self.recorder.is_on() {
            let now_us = self.clock.now_us();
            entries.iter().for_each(|entry| self.recorder.write(now_us, entry));
        }
    }

    fn check_conditions(&mut self) {
        if !self.conditions.is_empty() {
            let core = &self.core;
            for (_, met) in self.conditions.extract_if(.., |(condition, met)| met.is_closed() || condition(core)) {
                met.send(()).ok();
            }
        }
    }
}

fn parted_by(code: u16) -> Parted {
    match CloseCode::ALL.iter().find(|known| known.number() == code) {
        Some(CloseCode::Unauthenticated) => Parted::Token,
        Some(known) if !known.may_reconnect() => Parted::Refused(code),
        _ => Parted::Again(None),
    }
}
