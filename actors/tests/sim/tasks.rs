//! What owners have under way: the product's own futures (waking, learning, carrying, reading), polled by hand. Each waits
//! for one call to the store at a time; nothing else wakes it.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use actors::room::{Fact, State};
use actors::slot::core::Input;
use schema::{ErrorCode, Event, RoomId, SlotId};
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
        missed: Option<Vec<Arc<Event>>>,
    },
    Nothing,
}

#[derive(Default)]
pub struct Tasks {
    next: u64,
    all: BTreeMap<u64, (usize, Work)>,
}

impl Tasks {
    /// Runs up to its first call.
    pub fn start(&mut self, net: &Shared, node: usize, work: Work) -> Option<(usize, Finished)> {
        self.next += 1;
        self.all.insert(self.next, (node, work));
        self.resume(net, self.next)
    }
    pub fn resume(&mut self, net: &Shared, task: u64) -> Option<(usize, Finished)> {
        let (node, work) = self.all.get_mut(&task)?;
        let finished = poll(net, task, work)?;
        let node = *node;
        self.all.remove(&task);
        Some((node, finished))
    }
    pub fn drop_of(&mut self, node: usize) {
        self.all.retain(|_, (of, _)| *of != node);
    }
}

/// Pauses that end by themselves before a task must have asked the store for something.
const YIELDS_MAX: usize = 64;

fn poll<T>(net: &Shared, task: u64, work: &mut Pin<Box<dyn Future<Output = T> + Send>>) -> Option<T> {
    let mut context = Context::from_waker(Waker::noop());
    for _ in 0..YIELDS_MAX {
        net.lock().task = task;
        match work.as_mut().poll(&mut context) {
            Poll::Ready(finished) => return Some(finished),
            Poll::Pending if net.lock().waits(task) => return None,
            Poll::Pending => {}
        }
    }
    panic!("a piece of work waits for something that is not the store");
}

/// Runs a reading future at once, while the world stands still.
pub fn at_once<T>(net: &Shared, work: impl Future<Output = T> + Send + 'static) -> T
where
    T: Send,
{
    const TASK: u64 = u64::MAX;
    let mut work: Pin<Box<dyn Future<Output = T> + Send>> = Box::pin(work);
    loop {
        if let Some(done) = poll(net, TASK, &mut work) {
            return done;
        }
        let call = net.lock().waiting().into_iter().find(|(_, task, _)| *task == Some(TASK)).expect("it waits for a call").0;
        net.lock().perform(call, store::sim::Fault::None);
    }
}
