//! A client of Hubbub over `schema` alone: it signs in, keeps a connection, posts in order and exactly once, resumes
//! without a gap, and writes down what happened to it. It has no store: what it knows ends with the process.
//!
//! `Client` is a handle; the task behind it ends when the handle is dropped or ended. Decisions are in `core`.

mod core;
mod driver;
pub mod frame;
mod http;
mod log;
pub(crate) mod outbox;
pub mod request;
mod socket;
mod stream;
mod trust;

use std::io;
use std::time::Duration;

use schema::client::Act;
use schema::rest::{Problem, Tokens};
use schema::server::{History, Refusal};
use schema::wire::Format;
use schema::{Cmid, DeviceId, ErrorCode, RoomId, RoomKind, RoomSettings, UserId};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use uuid::Uuid;

pub use self::core::{Core, Outcome, PageAsk, Start};
pub use http::{Api, Target};
pub use log::RoomLog;
pub use socket::{Heard, Socket};
pub use stream::Stream;
pub use trust::{Tls, Trust};

use crate::history::{Clock, Recorder};
use driver::{Command, Driver};

/// Commands that wait for the task of a client.
const COMMANDS_MAX: usize = 256;

/// Why something did not work.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("cannot connect to the node: {0}")]
    Connect(io::Error),
    #[error("the node could not show by TLS that it is the one that was meant: {0}")]
    Secure(io::Error),
    #[error("the connection was lost: {0}")]
    Lost(io::Error),
    #[error("HTTP: {0}")]
    Http(String),
    #[error("{path} was answered with status {status}")]
    Status { path: String, status: u16 },
    #[error("{}: {}", .0.code, .0.detail)]
    Problem(Box<Problem>),
    #[error("the answer of {path} could not be read: {reason}")]
    Answer { path: String, reason: String },
    #[error("an event could not be read: {0}")]
    Event(String),
    #[error(transparent)]
    Breach(#[from] frame::Breach),
    #[error("the node closed the connection with {0} and does not want it back")]
    Closed(u16),
    #[error("the request was refused: {0}")]
    Refused(String),
    #[error("a page of room {room} has seq {came} where {due} was due")]
    Hole { room: RoomId, due: u64, came: u64 },
    #[error("the history could not be written: {0}")]
    History(io::Error),
    #[error("the client has ended")]
    Ended,
}

impl Error {
    fn http(error: hyper::Error) -> Self {
        Self::Http(error.to_string())
    }
}

/// Who a client is and how it connects.
#[derive(Clone, Debug)]
pub struct Settings {
    pub target: Target,
    pub format: Format,
    pub user: UserId,
    pub device: DeviceId,
    pub access: String,
    pub refresh: Option<String>,
    pub start: Start,
    /// The longest wait before connecting again.
    pub reconnect_max: Duration,
}

impl Settings {
    pub fn new(target: Target, device: DeviceId, tokens: Tokens) -> Self {
        let Tokens { user, access, refresh, .. } = tokens;
        let (format, start, reconnect_max) = (Format::Json, Start::Beginning, Duration::from_secs(1));
        Self { target, format, user, device, access, refresh, start, reconnect_max }
    }
}

#[derive(Debug)]
pub struct Client {
    pub user: UserId,
    pub device: DeviceId,
    commands: mpsc::Sender<Command>,
    task: JoinHandle<Result<(), Error>>,
}

impl Client {
    /// Begins to connect, and goes on by itself until ended or dropped.
    pub fn start(settings: Settings, clock: Clock, recorder: Recorder) -> Self {
        let (sender, receiver) = mpsc::channel(COMMANDS_MAX);
        let (user, device) = (settings.user, settings.device);
        let core = Core::new(user, device, settings.start);
        let task = tokio::spawn(Driver::new(settings, core, clock, recorder, receiver).run());
        Self { user, device, commands: sender, task }
    }

    async fn command(&self, command: Command) -> Result<(), Error> {
        self.commands.send(command).await.map_err(|_| Error::Ended)
    }

    /// Gives an ordered request to the outbox; the receiver is told when it is answered for good.
    pub async fn submit(&self, room: RoomId, act: Act) -> Result<oneshot::Receiver<Outcome>, Error> {
        let (ended, receiver) = oneshot::channel();
        let cmid = Cmid(Uuid::now_v7());
        self.command(Command::Submit { room, cmid, act, ended }).await?;
        Ok(receiver)
    }

    /// Asks, and waits until it is answered. A lasting refusal is an error.
    pub async fn ask(&self, room: RoomId, act: Act) -> Result<Option<u64>, Error> {
        match self.submit(room, act).await?.await.map_err(|_| Error::Ended)? {
            Outcome::Landed { seq } => Ok(seq),
            Outcome::Refused(refusal) => Err(Error::Refused(format!("{}: {}", refusal.code.text(), refusal.message))),
        }
    }

    pub async fn post(&self, room: RoomId, text: impl Into<String>) -> Result<Option<u64>, Error> {
        self.ask(room, Act::Post { text: text.into(), reply: None, origin: None }).await
    }

    /// Makes a group of this user and the members.
    pub async fn make_group(&self, name: &str, members: Vec<UserId>) -> Result<RoomId, Error> {
        let room = RoomId(Uuid::now_v7());
        let settings = RoomSettings { name: name.to_owned(), ..RoomSettings::default() };
        self.ask(room, Act::Create { kind: RoomKind::Group, settings, members }).await?;
        Ok(room)
    }

    /// Reads a page; asked again for as long as the refusal is a temporary one.
    pub async fn page(&self, ask: PageAsk) -> Result<History, Error> {
        loop {
            let (got, receiver) = oneshot::channel();
            self.until(Core::is_ready).await?;
            self.command(Command::Page { ask, got }).await?;
            match receiver.await.map_err(|_| Error::Ended)? {
                Ok(page) => return Ok(page),
                Err(refusal) if refusal.code.is_temporary() => {
                    let wait = refusal.retry_after_ms.unwrap_or(20);
                    tokio::time::sleep(Duration::from_millis(wait.into())).await;
                }
                Err(Refusal { code, message, .. }) => return Err(Error::Refused(format!("{}: {message}", code.text()))),
            }
        }
    }

    /// Waits until the device is in the state that `condition` says; looked at after every input.
    pub async fn until(&self, condition: impl Fn(&Core) -> bool + Send + 'static) -> Result<(), Error> {
        let (met, receiver) = oneshot::channel();
        self.command(Command::Until { condition: Box::new(condition), met }).await?;
        receiver.await.map_err(|_| Error::Ended)
    }

    pub async fn look<T: Send + 'static>(&self, look: impl FnOnce(&Core) -> T + Send + 'static) -> Result<T, Error> {
        let (sender, receiver) = oneshot::channel();
        let look = Box::new(move |core: &Core| {
            sender.send(look(core)).ok();
        });
        self.command(Command::Look { look }).await?;
        receiver.await.map_err(|_| Error::Ended)
    }

    /// Loses the connection, as a network does; the client comes back by itself.
    pub async fn cut(&self) -> Result<(), Error> {
        self.command(Command::Cut).await
    }

    /// Says goodbye and closes the history. Errors: why the client stopped before, or that its history is not whole.
    pub async fn end(self) -> Result<(), Error> {
        let (done, receiver) = oneshot::channel();
        if self.command(Command::End { done }).await.is_ok()
            && let Ok(recorded) = receiver.await
        {
            return recorded;
        }
        self.task.await.unwrap_or(Err(Error::Ended)).and(Err(Error::Ended))
    }
}

/// Whether to ask again.
pub fn is_temporary(error: &Error) -> bool {
    match error {
        Error::Connect(_) | Error::Lost(_) => true,
        Error::Problem(problem) => problem.temporary,
        Error::Status { status, .. } => *status == ErrorCode::Busy.http_status(),
        _ => false,
    }
}
