//! What owners have under way: the product's own futures (waking, learning, carrying, reading), polled by hand. They wait
//! for calls to the store; those of several nodes for each other and for the clock too.

use std::collections::{BTreeMap, BTreeSet};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use actors::room::{Fact, State};
use actors::slot::core::Input;
use cluster::NodeId;
use parking_lot::Mutex;
use schema::peer::Answer;
use schema::{ConnectionId, ErrorCode, Event, RoomId, SlotId, rest};
use store::Error;

use crate::net::Shared;

pub type Work = Pin<Box<dyn Future<Output = Finished> + Send>>;

/// What came of a piece of work, and for whom.
pub enum Finished {
    Slot {
        slot: SlotId,
        activation: u16,
        input: Input,
    },
    Woken {
        slot: SlotId,
        room: RoomId,
        incarnation: u64,
        state: Box<Result<State, Error>>,
    },
    Learned {
        slot: SlotId,
        room: RoomId,
        incarnation: u64,
        token: u64,
        fact: Result<Fact, ErrorCode>,
    },
    Carried,
    /// The head from which on the listener is shown everything, and what it missed before.
    Joined {
        listener: usize,
        connection: ConnectionId,
        missed: Option<Vec<Arc<Event>>>,
    },
    // Where several nodes are:
    /// What somebody read.
    Page(Result<Arc<rest::Page>, ErrorCode>),
    /// The slot showed what it had missed; or what a room that failed had.
    CaughtUp {
        slot: SlotId,
        lost: Option<RoomId>,
    },
    /// What another node asked.
    Answered {
        to: NodeId,
        session: u64,
        id: u64,
        answer: Answer,
    },
    /// As much as there was time for is carried before the slot goes.
    Settled {
        slot: SlotId,
        to: NodeId,
    },
    Nothing,
}

/// Those that have to be looked at: what they waited for, and is not the store, has come.
type Woken = Arc<Mutex<BTreeSet<u64>>>;

struct Bell {
    task: u64,
    woken: Woken,
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.woken.lock().insert(self.task);
    }
}

#[derive(Default)]
pub struct Tasks {
    next: u64,
    all: BTreeMap<u64, (usize, Work)>,
    woken: Woken,
}

impl Tasks {
    /// Runs up to its first call.
    pub fn start(&mut self, net: &Shared, node: usize, work: Work) -> Option<(usize, Finished)> {
        self.next += 1;
        self.all.insert(self.next, (node, work));
        self.resume(net, self.next)
    }
    pub fn resume(&mut self, net: &Shared, task: u64) -> Option<(usize, Finished)> {
        let bell = Waker::from(Arc::new(Bell { task, woken: self.woken.clone() }));
        let (node, work) = self.all.get_mut(&task)?;
        let finished = poll(net, task, *node, work, &bell, || self.woken.lock().remove(&task))?;
        let node = *node;
        // What dies with it may speak to others: not while we hold it.
        let done = self.all.remove(&task);
        drop(done);
        Some((node, finished))
    }
    pub fn drop_of(&mut self, node: usize) {
        let gone: Vec<_> = self.all.extract_if(.., |_, (of, _)| *of == node).collect();
        drop(gone);
    }
    /// It goes on when its node does.
    pub fn wake(&self, task: u64) {
        self.woken.lock().insert(task);
    }
    pub fn node_of(&self, task: u64) -> Option<usize> {
        self.all.get(&task).map(|(node, _)| *node)
    }
    /// In the order in which they began.
    pub fn woken(&self) -> Vec<(u64, usize)> {
        let mut woken = self.woken.lock();
        woken.retain(|task| self.all.contains_key(task));
        woken.iter().map(|task| (*task, self.all[task].0)).collect()
    }
}

/// Pauses that end by themselves before a task must have asked the store for something.
const YIELDS_MAX: usize = 64;

/// Until it waits for something. `is_woken`: that has come already.
fn poll<T>(
    net: &Shared,
    task: u64,
    node: usize,
    work: &mut Pin<Box<dyn Future<Output = T> + Send>>,
    bell: &Waker,
    is_woken: impl Fn() -> bool,
) -> Option<T> {
    let mut context = Context::from_waker(bell);
    for _ in 0..YIELDS_MAX {
        (net.lock().task, net.lock().node) = (task, node);
        match work.as_mut().poll(&mut context) {
            Poll::Ready(finished) => return Some(finished),
            Poll::Pending if net.lock().waits(task) || !is_woken() => return None,
            Poll::Pending => {}
        }
    }
    panic!("a piece of work goes on for ever");
}

/// Runs a reading future at once, while the world stands still.
pub fn at_once<T>(net: &Shared, work: impl Future<Output = T> + Send + 'static) -> T
where
    T: Send,
{
    const TASK: u64 = u64::MAX;
    let mut work: Pin<Box<dyn Future<Output = T> + Send>> = Box::pin(work);
    loop {
        if let Some(done) = poll(net, TASK, 0, &mut work, Waker::noop(), || true) {
            return done;
        }
        let call = net.lock().waiting().into_iter().find(|(_, task, _)| *task == Some(TASK)).expect("it waits for a call").0;
        net.lock().perform(call, store::sim::Fault::None);
    }
}
