//! Brings a conversation from elsewhere into a room: makes the people and the room, and posts through the same path as
//! everybody. When it was said is kept as data; the room's own order and times are the room's.
//!
//! Every line's cmid follows from the import and the line's number, and a cursor says how far the room has them: so a
//! second run, or one after a crash, adds nothing twice, however long the file is.

pub mod line;
mod people;
mod place;
pub mod said;

use std::time::Duration;

use actors::{Command, Node, Reply};
use schema::client::{Act, Order};
use schema::event::Origin;
use schema::record::ImportCursor;
use schema::server::Refusal;
use schema::{Cmid, ErrorCode, RoomId, UserId, rest};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use store::{Expect, Put, Records, RecordsExt};
use tokio::sync::oneshot;
use uuid::Uuid;

use crate::auth::Auth;
pub use line::Line;
use people::People;

/// Posts under way at once: blocks fill, and a repeat is found among the room's recent events.
const IN_FLIGHT_MAX: usize = 64;

/// Some lines of one import, in the file's order.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Batch {
    /// The same for every batch and every run of one file into one room (`line::import_name`).
    pub import: String,
    pub room: String,
    /// In which workspace the room is, or is made.
    pub workspace: String,
    pub lines: Vec<Line>,
}

/// How far an import is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    pub room: RoomId,
    /// The last line that is in the room for good.
    pub lines: u64,
}

pub struct Importer<'a> {
    pub auth: &'a Auth,
    pub node: &'a Node,
    pub records: &'a dyn Records,
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Store(#[from] store::Error),
    #[error(transparent)]
    Auth(#[from] crate::auth::Error),
    #[error("the room refused line {line}: {message}")]
    Refused { line: u64, code: ErrorCode, message: String },
    #[error("the import's place could not be made: {0}")]
    Place(String),
    #[error("another import of the same file into the same room is running: let it end")]
    Beside,
}

impl Importer<'_> {
    /// Posts what is not in the room yet and answers how far it is. A batch may be repeated.
    pub async fn import(&self, batch: Batch) -> Result<Progress, Error> {
        let (mut cursor, mut expect) = self.cursor(&batch.import).await?;
        let fresh: Vec<Line> = batch.lines.into_iter().filter(|line| line.number > cursor.lines).collect();
        if fresh.is_empty() {
            // Nothing is made for nothing.
            return Ok(Progress { room: place::room_of(&batch.workspace, &batch.room), lines: cursor.lines });
        }
        let mut people = People::default();
        let mut place = place::open(self, &mut people, &batch.workspace, &batch.room).await?;
        for lines in fresh.chunks(IN_FLIGHT_MAX) {
            let mut posts = Vec::with_capacity(lines.len());
            for line in lines {
                posts.push(self.prepare(&batch.import, line, &mut place, &mut people, cursor.head).await?);
            }
            cursor.head = self.land(posts).await?;
            cursor.lines = lines[lines.len() - 1].number;
            match self.records.store(&cursor, expect).await? {
                Put::Done { version } => expect = Expect::Version(version),
                Put::Conflict { .. } => return Err(Error::Beside),
            }
        }
        Ok(Progress { room: place.room, lines: cursor.lines })
    }

    async fn cursor(&self, import: &str) -> Result<(ImportCursor, Expect), Error> {
        Ok(match self.records.fetch::<ImportCursor>(ImportCursor::key_of(import)).await? {
            Some((cursor, version)) => (cursor, Expect::Version(version)),
            None => (ImportCursor { name: import.to_owned(), lines: 0, head: 0 }, Expect::Absent),
        })
    }

    async fn prepare(&self, import: &str, line: &Line, place: &mut place::Place, people: &mut People, after: u64) -> Result<Post, Error> {
        let user = people.of(self.auth, &line.user).await?;
        place.let_in(self, user).await?;
        let text = people.mentioned(self.auth, &line.text).await?;
        let origin = Origin { at: line.at, thread: line.thread.clone() };
        let order = Order { id: 0, room: place.room, cmid: cmid(import, line.number), after, prev: None };
        Ok(Post { line: line.number, user, order, act: Act::Post { text, reply: None, origin: Some(origin) } })
    }

    /// Posts all of them, in order and at once, and answers the seq of the last; what the room refuses for now is repeated
    /// verbatim. Each names the one before it, so that a repeat does not change the order.
    async fn land(&self, mut posts: Vec<Post>) -> Result<u64, Error> {
        for place in 1..posts.len() {
            posts[place].order.prev = Some(posts[place - 1].order.cmid);
        }
        let waits: Vec<Wait> = posts.iter().map(|post| self.command(post.user, post.order, post.act.clone())).collect();
        let mut head = 0;
        for (post, mut wait) in posts.into_iter().zip(waits) {
            head = loop {
                let refusal = match wait.await {
                    Ok(Ok(landed)) => break landed.seq,
                    Ok(Err(refusal)) => refusal,
                    Err(_) => Refusal::new(0, ErrorCode::Unavailable),
                };
                if !refusal.code.is_temporary() {
                    return Err(Error::Refused { line: post.line, code: refusal.code, message: refusal.message });
                }
                tokio::time::sleep(Duration::from_millis(refusal.retry_after_ms.unwrap_or(100).into())).await;
                wait = self.command(post.user, post.order, post.act.clone());
            };
        }
        Ok(head)
    }

    fn command(&self, user: UserId, order: Order, act: Act) -> Wait {
        let (answer, answered) = oneshot::channel();
        self.node.command(Command { user, order, act, reply: Reply::Once(answer) });
        answered
    }
}

/// A line, ready to be said.
struct Post {
    line: u64,
    user: UserId,
    order: Order,
    act: Act,
}

type Wait = oneshot::Receiver<Result<rest::Landed, Refusal>>;

/// A UUID in the form of version 4, of a hash: the same for the same words.
pub(crate) fn id_of(words: &[&[u8]]) -> Uuid {
    let mut hash = Sha256::new();
    for word in words {
        hash.update((word.len() as u64).to_be_bytes());
        hash.update(word);
    }
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash.finalize()[..16]);
    uuid::Builder::from_random_bytes(bytes).into_uuid()
}

fn cmid(import: &str, line: u64) -> Cmid {
    Cmid(id_of(&[b"import line", import.as_bytes(), &line.to_be_bytes()]))
}
