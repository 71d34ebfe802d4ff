//! The other nodes, as rooms and sessions of this one see them: what is said and asked over the link, and what becomes of what
//! is heard. Who owns what is the ring's; how bytes get there is the link's.
//!
//! ```text
//! forward.rs   requests of people here that a room elsewhere has to decide, until they are answered; pending.rs says which, pure
//! remarks.rs   what they say to their sessions elsewhere, until that is answered
//! foreign.rs   connections of other nodes, by names of this one
//! hear.rs      what other nodes say          reply.rs   what they ask
//! resume.rs    what is said anew when a node is back, or owns other slots; turns.rs says which those are, pure
//! reach.rs     the seam between all this and the link
//! ```
//!
//! Invariant: everything that is said may be lost with its session, and nothing that matters is lost by that: it is said again to
//! whoever owns the room, or the user, by then.

mod foreign;
mod forward;
mod hear;
mod pending;
mod reach;
mod remarks;
mod reply;
mod resume;
mod turns;

use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;

use bytes::Bytes;
use cluster::NodeId;
use cluster::link::{Asked, Meet, Receive, Said, Whence};
use parking_lot::Mutex;
use schema::peer::{Answer, Question, Word};
use schema::wire::{DecodeError, from_msgpack, to_msgpack};
use schema::{ConnectionId, ServerEvent};

use crate::metrics::metrics;
use crate::session::owed::unavailable;
use crate::shared::Shared;
use crate::subscribers::Subscribers;

use foreign::Foreign;
pub use forward::{Forwards, GIVE_UP_MS};
pub use pending::{Due, Pending};
pub use reach::Reach;
use remarks::Remarks;
pub use reply::tail;
pub(crate) use resume::placed;
pub use turns::Turns;

/// Of one frame's bodies, bytes; a frame may have twice as many.
pub const FRAME_BYTES: usize = 512 << 10;
/// From asking to giving up; whoever waits for a connection or a page has not given up by then.
const ANSWER_WITHIN: Duration = Duration::from_secs(2);

/// One for a node; hears from the link before the node has started, and keeps that until it has.
#[derive(Default)]
pub struct Peers {
    reach: OnceLock<Arc<dyn Reach>>,
    above: Mutex<Above>,
    foreign: Foreign,
    pub(crate) forwards: Forwards,
    remarks: Mutex<Remarks>,
}

enum Above {
    /// What came too early; as many bytes as the link lets others have under way.
    Starting(Vec<Heard>),
    Running(Weak<Shared>),
}

/// What the link tells, in the order in which it does.
enum Heard {
    Said(Said),
    Asked(Asked),
    Up(NodeId),
    Gone(NodeId),
}

impl Default for Above {
    fn default() -> Self {
        Self::Starting(Vec::new())
    }
}

impl Peers {
    /// By which others are reached. Without one the node is alone.
    pub fn reach_by(&self, reach: Arc<dyn Reach>) {
        assert!(self.reach.set(reach).is_ok(), "the other nodes are reached in one way");
    }

    pub(crate) fn start(&self, shared: &Arc<Shared>) {
        let mut above = self.above.lock();
        let Above::Starting(early) = std::mem::take(&mut *above) else { panic!("a node starts once") };
        // Under the lock: what is heard next comes behind these.
        early.into_iter().for_each(|heard| carry_out(shared, heard));
        *above = Above::Running(Arc::downgrade(shared));
        forward::keep(shared);
    }

    /// In order behind what was said to this node before. `false`: it was not and will not be heard.
    pub(crate) fn say(&self, to: NodeId, word: &Word) -> bool {
        self.say_bytes(to, to_msgpack(word))
    }
    pub(crate) fn say_bytes(&self, to: NodeId, word: Bytes) -> bool {
        self.reach.get().is_some_and(|reach| reach.say(to, word))
    }

    /// `None`: there is no answer, and may never be one.
    pub(crate) async fn ask(&self, to: NodeId, question: &Question) -> Option<Answer> {
        let answer = self.reach.get()?.ask(to, to_msgpack(question), ANSWER_WITHIN).await?;
        from_msgpack(&answer).inspect_err(|error| tracing::warn!(node = to.0, %error, "an answer cannot be read")).ok()
    }

    /// Says to a home what a connection here says to its session. `asked`: by whom, as which request; it is answered, whatever comes.
    pub(crate) fn remark(&self, subscribers: &Subscribers, home: NodeId, asked: Option<(ConnectionId, u32)>, word: &Word) {
        if let Some((connection, id)) = asked {
            self.remarks.lock().said(connection, id, home, self.forwards.now_ms() + GIVE_UP_MS);
        }
        if !self.say(home, word)
            && let Some((connection, id)) = asked
        {
            self.give_up(subscribers, |remarks, _| remarks.answered(connection, id).then_some((connection, id)).into_iter().collect());
        }
    }
    /// False: it is an answer, and whoever asked has one already.
    fn is_awaited(&self, connection: ConnectionId, event: &ServerEvent) -> bool {
        let id = match event {
            ServerEvent::Ok(done) => done.id,
            ServerEvent::Error(refusal) => refusal.id,
            _ => return true,
        };
        self.remarks.lock().answered(connection, id)
    }
    /// These are told that nobody knows what became of what they said.
    fn give_up(&self, subscribers: &Subscribers, which: impl FnOnce(&mut Remarks, u64) -> Vec<(ConnectionId, u32)>) {
        let lost = which(&mut self.remarks.lock(), self.forwards.now_ms());
        metrics().forwards_lost.increment(lost.len() as u64);
        lost.into_iter().for_each(|(connection, id)| subscribers.send(connection, unavailable(id)));
    }

    /// Whether there may be others at all.
    pub(crate) fn are_any(&self) -> bool {
        self.reach.get().is_some()
    }
    /// Those that can be spoken to.
    pub(crate) fn up(&self) -> Vec<NodeId> {
        self.reach.get().map(|reach| reach.up()).unwrap_or_default()
    }
    pub(crate) fn knows_table(&self, version: u64) {
        self.reach.get().inspect(|reach| reach.knows_table(version));
    }

    /// A connection of another node, by a name that it has here alone.
    pub(crate) fn foreign(&self, node: NodeId, connection: ConnectionId) -> ConnectionId {
        self.foreign.name(node, connection)
    }
    /// Whose it is, and what it is called there. `None`: it is ours.
    pub(crate) fn abroad(&self, connection: ConnectionId) -> Option<(NodeId, ConnectionId)> {
        self.foreign.find(connection)
    }

    /// Carried out at once, or kept for a node that has not started.
    fn hear(&self, heard: Heard) {
        let shared = match &mut *self.above.lock() {
            Above::Starting(kept) => return kept.push(heard),
            Above::Running(shared) => shared.upgrade(),
        };
        if let Some(shared) = shared {
            carry_out(&shared, heard);
        }
    }
}

fn carry_out(shared: &Arc<Shared>, heard: Heard) {
    match heard {
        Heard::Said(said) => match from_msgpack::<Word>(&said.body) {
            Ok(word) => hear::hear(shared, said.from.node, word),
            Err(error) => not_understood(said.from.node, &error),
        },
        Heard::Asked(asked) => {
            let shared = shared.clone();
            tokio::spawn(async move {
                let answer = match from_msgpack::<Question>(&asked.body) {
                    Ok(question) => reply::reply(&shared, asked.from.node, question).await,
                    Err(error) => {
                        not_understood(asked.from.node, &error);
                        Answer::Unavailable
                    }
                };
                asked.answer(Ok(to_msgpack(&answer)), shared.ring.version());
            });
        }
        Heard::Up(node) => resume::up(shared, node),
        Heard::Gone(node) => resume::gone(shared, node),
    }
}

fn not_understood(node: NodeId, error: &DecodeError) {
    metrics().words_unknown.increment(1);
    tracing::warn!(node = node.0, %error, "what a node says is not understood");
}

impl Receive for Peers {
    /// It says so itself, when it can be heard.
    fn arrived(&self, _: Whence) {}
    fn said(&self, said: Said) {
        self.hear(Heard::Said(said));
    }
    fn asked(&self, asked: Asked) {
        self.hear(Heard::Asked(asked));
    }
    fn gone(&self, from: Whence) {
        self.hear(Heard::Gone(from.node));
    }
}

impl Meet for Peers {
    fn up(&self, node: NodeId, _: u64) {
        self.hear(Heard::Up(node));
    }
    fn away(&self, node: NodeId) {
        self.forwards.unsaid(|to, _| to == node);
    }
}
