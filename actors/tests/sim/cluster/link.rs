//! The links between nodes, as the product's are: each node has one to each other, says and asks on it in order, and both ends are told
//! when it is over. The world decides what arrives when, and what breaks; between two links nothing has an order.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use actors::peer::Reach;
use bytes::Bytes;
use cluster::NodeId;
use parking_lot::Mutex;
use tokio::sync::oneshot;

/// Frames that wait; over it the link ends.
const FRAMES_MAX: usize = 256;

#[derive(Clone, Debug)]
pub enum Frame {
    Word(Bytes),
    Question { id: u64, body: Bytes },
}

/// From one node to another. Each end knows for itself whether it is there.
#[derive(Default)]
pub struct Lane {
    pub session: u64,
    /// Who says takes it for up.
    pub up: bool,
    /// Who hears has it.
    pub heard: bool,
    /// It ended; what was on the way may still arrive, and nothing comes after it.
    pub over: bool,
    pub frames: VecDeque<Frame>,
    /// The way back.
    pub answers: VecDeque<(u64, Bytes)>,
}

#[derive(Default)]
pub struct Links {
    pub lanes: BTreeMap<(NodeId, NodeId), Lane>,
    /// Nothing goes this way.
    pub cut: BTreeSet<(NodeId, NodeId)>,
    last: u64,
    waits: BTreeMap<(NodeId, NodeId, u64), oneshot::Sender<Bytes>>,
}

pub type Shared = Arc<Mutex<Links>>;

/// The links as one process has them.
pub struct Reached {
    pub links: Shared,
    pub us: NodeId,
}

impl Links {
    pub fn is_open(&self, a: NodeId, b: NodeId) -> bool {
        !self.cut.contains(&(a, b)) && !self.cut.contains(&(b, a))
    }
    pub fn lane(&mut self, from: NodeId, to: NodeId) -> &mut Lane {
        self.lanes.entry((from, to)).or_default()
    }

    fn say(&mut self, from: NodeId, to: NodeId, frame: Frame) -> bool {
        let lane = self.lane(from, to);
        if !lane.up || (!lane.over && lane.frames.len() >= FRAMES_MAX) {
            lane.over |= lane.up;
            return false;
        }
        if !lane.over {
            lane.frames.push_back(frame);
        }
        true
    }

    /// A new session. Whoever heard the one before has been told that it is over.
    pub fn connect(&mut self, from: NodeId, to: NodeId) {
        self.last += 1;
        let session = self.last;
        *self.lane(from, to) = Lane { session, up: true, heard: true, ..Lane::default() };
    }
    /// The first so many frames on the way still arrive.
    pub fn end(&mut self, from: NodeId, to: NodeId, arrive: usize) {
        let lane = self.lane(from, to);
        lane.over = true;
        lane.frames.truncate(arrive);
        lane.answers.clear();
    }
    /// Who says is told. Their questions have no answer.
    pub fn away(&mut self, from: NodeId, to: NodeId) -> Vec<oneshot::Sender<Bytes>> {
        self.lane(from, to).up = false;
        let lost = self.waits.extract_if(.., |(by, of, _), _| (*by, *of) == (from, to));
        lost.map(|(_, wait)| wait).collect()
    }
    /// Of a process that is gone nothing is left but what is on its way to others.
    pub fn crash(&mut self, node: NodeId, mut arrive: impl FnMut(usize) -> usize) {
        let lanes: Vec<(NodeId, NodeId)> = self.lanes.keys().copied().filter(|(a, b)| *a == node || *b == node).collect();
        for (from, to) in lanes {
            let frames = self.lane(from, to).frames.len();
            self.end(from, to, if from == node { arrive(frames) } else { 0 });
            if from == node {
                drop(self.away(from, to));
            } else {
                self.lane(from, to).heard = false;
            }
        }
    }

    /// On its way to who asked, if the session is still the one it was asked in.
    pub fn answer(&mut self, from: NodeId, to: NodeId, session: u64, id: u64, body: Bytes) {
        let lane = self.lane(to, from);
        if lane.session == session && !lane.over {
            lane.answers.push_back((id, body));
        }
    }
    pub fn take_wait(&mut self, from: NodeId, to: NodeId, id: u64) -> Option<oneshot::Sender<Bytes>> {
        self.waits.remove(&(from, to, id))
    }
}

impl Reach for Reached {
    fn say(&self, to: NodeId, word: Bytes) -> bool {
        self.links.lock().say(self.us, to, Frame::Word(word))
    }
    fn ask(&self, to: NodeId, body: Bytes, within: Duration) -> Pin<Box<dyn Future<Output = Option<Bytes>> + Send>> {
        let (wait, answered) = oneshot::channel();
        let mut links = self.links.lock();
        links.last += 1;
        let id = links.last;
        if links.say(self.us, to, Frame::Question { id, body }) {
            links.waits.insert((self.us, to, id), wait);
        }
        Box::pin(async move { tokio::time::timeout(within, answered).await.ok()?.ok() })
    }
    fn up(&self) -> Vec<NodeId> {
        let links = self.links.lock();
        links.lanes.iter().filter(|((from, _), lane)| *from == self.us && lane.up).map(|((_, to), _)| *to).collect()
    }
    fn knows_table(&self, _: u64) {}
}
