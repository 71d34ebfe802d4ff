//! Pure. Which requests wait for a room of another node, which of them have to be said, and to whom. It neither speaks nor waits.
//!
//! Invariant: a request is here from when it is taken until it is answered, is given up, or its room is ours; and those of one room
//! are said in the order in which they were taken.

use std::collections::{BTreeMap, BTreeSet};

use cluster::NodeId;
use schema::client::{Act, Order};
use schema::peer::Forwarded;
use schema::{RoomId, SlotId, UserId};

use super::FRAME_BYTES;
use crate::node::weight;

/// `A`: where the answer goes.
#[derive(Debug)]
pub struct Pending<A> {
    last: u64,
    waiting: BTreeMap<u64, Waiting<A>>,
    /// Those that nobody was told of yet, or not whoever has the room now.
    unsaid: BTreeSet<u64>,
}

#[derive(Debug)]
struct Waiting<A> {
    slot: SlotId,
    request: Forwarded,
    answering: A,
    to: NodeId,
    until_ms: u64,
}

/// What is to be done with requests that are due, room by room.
#[derive(Debug, PartialEq, Eq)]
pub enum Due<A> {
    /// Frame by frame, as long as they are heard; what is not is [`unheard`](Pending::unheard).
    Say { to: NodeId, room: RoomId, frames: Vec<Vec<Forwarded>> },
    /// The room is ours by now.
    Take { room: RoomId, requests: Vec<(Forwarded, A)> },
}

impl<A> Pending<A> {
    /// `after`: above all numbers that a process of this node used before, or so far from them that they do not meet. An answer to one
    /// of its requests may still come, and is nobody's here.
    pub fn new(after: u64) -> Self {
        Self { last: after, waiting: BTreeMap::new(), unsaid: BTreeSet::new() }
    }

    /// It is unsaid, and given up after `until_ms`, which does not fall from call to call.
    pub fn take(&mut self, slot: SlotId, (user, order, act): (UserId, Order, Act), answering: A, until_ms: u64) {
        self.last += 1;
        let request = Forwarded { token: self.last, user, order, act };
        self.waiting.insert(self.last, Waiting { slot, request, answering, to: NodeId(0), until_ms });
        self.unsaid.insert(self.last);
    }

    /// Its answer came. `None`: it has one already.
    pub fn answered(&mut self, token: u64) -> Option<A> {
        self.unsaid.remove(&token);
        self.waiting.remove(&token).map(|waiting| waiting.answering)
    }
    /// Whoever was told of it does not do it.
    pub fn moved(&mut self, token: u64, by: NodeId) {
        if self.waiting.get(&token).is_some_and(|waiting| waiting.to == by) {
            self.unsaid.insert(token);
        }
    }
    /// Those of which this is true, by whom was told and by slot, have to be said again.
    pub fn again(&mut self, again: impl Fn(NodeId, SlotId) -> bool) {
        let again = self.waiting.iter().filter(|(_, waiting)| again(waiting.to, waiting.slot));
        self.unsaid.extend(again.map(|(token, _)| *token));
    }
    /// These could not be said.
    pub fn unheard(&mut self, requests: &[Forwarded]) {
        self.unsaid.extend(requests.iter().map(|request| request.token).filter(|token| self.waiting.contains_key(token)));
    }
    pub fn is_any_unsaid(&self) -> bool {
        !self.unsaid.is_empty()
    }
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Those that nobody answered in time, said or not. They were taken in the order in which they are given up.
    pub fn expired(&mut self, now_ms: u64) -> Vec<A> {
        let mut late = Vec::new();
        while let Some(first) = self.waiting.first_entry().filter(|first| first.get().until_ms < now_ms) {
            let (token, waiting) = first.remove_entry();
            self.unsaid.remove(&token);
            late.push(waiting.answering);
        }
        late
    }

    /// Everything that is unsaid, by who has its slot now; said, as far as we know, when this returns.
    pub fn due(&mut self, us: NodeId, owner: impl Fn(SlotId) -> NodeId) -> Vec<Due<A>> {
        let mut rooms: BTreeMap<RoomId, (NodeId, Vec<u64>)> = BTreeMap::new();
        for token in std::mem::take(&mut self.unsaid) {
            let Some(waiting) = self.waiting.get_mut(&token) else { continue };
            waiting.to = owner(waiting.slot);
            rooms.entry(waiting.request.order.room).or_insert((waiting.to, Vec::new())).1.push(token);
        }
        let due = rooms.into_iter().map(|(room, (to, tokens))| match to == us {
            true => Due::Take { room, requests: tokens.iter().filter_map(|token| self.let_go(*token)).collect() },
            false => Due::Say { to, room, frames: frames(tokens.iter().map(|token| self.waiting[token].request.clone())) },
        });
        due.collect()
    }

    fn let_go(&mut self, token: u64) -> Option<(Forwarded, A)> {
        self.waiting.remove(&token).map(|waiting| (waiting.request, waiting.answering))
    }
}

/// None longer than a frame may be, unless one request is.
fn frames(requests: impl Iterator<Item = Forwarded>) -> Vec<Vec<Forwarded>> {
    let mut frames: Vec<Vec<Forwarded>> = Vec::new();
    let mut bytes = 0;
    for request in requests {
        bytes += weight(&request.act);
        match frames.last_mut().filter(|_| bytes <= FRAME_BYTES) {
            Some(frame) => frame.push(request),
            None => {
                bytes = weight(&request.act);
                frames.push(vec![request]);
            }
        }
    }
    frames
}

#[cfg(test)]
mod tests {
    use super::*;

    const US: NodeId = NodeId(1);

    fn pending(texts: &[&str]) -> Pending<usize> {
        let mut pending = Pending::new(0);
        for (n, text) in texts.iter().enumerate() {
            let room = RoomId::from_bytes([n as u8 % 2; 16]);
            let order = Order { id: 1, room, cmid: Default::default(), after: 0, prev: None };
            let act = Act::Post { text: (*text).into(), reply: None, origin: None };
            pending.take(SlotId(n as u16 % 2), (UserId::default(), order, act), n, n as u64);
        }
        pending
    }
    fn said(due: Vec<Due<usize>>) -> Vec<(u64, Vec<Vec<u64>>)> {
        let said = due.into_iter().filter_map(|due| match due {
            Due::Say { to, frames, .. } => Some((to.0, frames.iter().map(|frame| frame.iter().map(|r| r.token).collect()).collect())),
            Due::Take { .. } => None,
        });
        said.collect()
    }

    #[test]
    fn those_of_a_room_are_said_in_their_order_and_once_unless_they_have_to_be_said_again() {
        let mut pending = pending(&["a", "b", "c", "d"]);
        assert_eq!(said(pending.due(US, |slot| NodeId(2 + u64::from(slot.0)))), [(2, vec![vec![1, 3]]), (3, vec![vec![2, 4]])]);
        assert_eq!(said(pending.due(US, |_| NodeId(2))), [], "said as far as we know");
        pending.moved(3, NodeId(3));
        assert!(!pending.is_any_unsaid(), "who says so was not told of it last");
        pending.moved(3, NodeId(2));
        pending.moved(1, NodeId(2));
        assert_eq!(said(pending.due(US, |_| NodeId(4))), [(4, vec![vec![1, 3]])]);
        pending.again(|to, slot| to == NodeId(4) || slot == SlotId(1));
        assert_eq!(pending.answered(4), Some(3));
        assert_eq!(said(pending.due(US, |_| NodeId(4))), [(4, vec![vec![1, 3]]), (4, vec![vec![2]])]);
    }

    #[test]
    fn those_of_a_room_that_is_ours_by_now_are_taken_here_and_are_nobody_elses_any_more() {
        let mut pending = pending(&["a", "b", "c"]);
        let due = pending.due(US, |slot| if slot == SlotId(0) { US } else { NodeId(2) });
        assert!(matches!(&due[0], Due::Take { requests, .. } if requests.iter().map(|(_, answering)| *answering).eq([0, 2])));
        assert_eq!((said(due), pending.answered(1)), (vec![(2, vec![vec![2]])], None));
    }

    #[test]
    fn what_was_not_heard_is_said_again_unless_it_was_answered_and_what_nobody_answers_is_given_up() {
        let mut pending = pending(&["a", "b", "c", "d"]);
        let Due::Say { frames, .. } = pending.due(US, |_| NodeId(2)).remove(0) else { panic!("it is said") };
        pending.answered(1);
        pending.unheard(&frames[0]);
        assert_eq!(said(pending.due(US, |_| NodeId(2))), [(2, vec![vec![3]])]);
        assert_eq!(pending.expired(2), [1]);
        assert_eq!((pending.expired(9), pending.is_empty(), pending.is_any_unsaid()), (vec![2, 3], true, false));
    }

    #[test]
    fn an_answer_to_a_process_before_is_nobodys() {
        let mut before = pending(&["a", "b"]);
        let Due::Say { frames, .. } = before.due(US, |_| NodeId(2)).remove(0) else { panic!("it is said") };
        let mut pending = Pending::new(1 << 40);
        let Forwarded { user, order, act, .. } = frames[0][0].clone();
        pending.take(SlotId(0), (user, order, act), 7, 9);
        assert_eq!(pending.answered(frames[0][0].token), None);
        assert_eq!(pending.answered((1 << 40) + 1), Some(7));
    }

    #[test]
    fn a_frame_is_not_longer_than_it_may_be() {
        let long = "~".repeat(FRAME_BYTES / 2);
        let mut pending = pending(&[&long, "", &long, "", &long, "", "short"]);
        assert_eq!(said(pending.due(US, |_| NodeId(2)))[0], (2, vec![vec![1], vec![3], vec![5, 7]]));
    }
}
