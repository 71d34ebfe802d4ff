//! One process among several: the product's ring, readers, subscribers, pending requests and slots, and between them what the shells
//! do (`peer/hear.rs`, `peer/resume.rs`, `peer/forward.rs`, `shared.rs`), in the same order.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use actors::outlet::{Down, Outlet};
use actors::peer::{Due, GIVE_UP_MS, Peers, Pending, Reach, Turns, tail};
use actors::read::Reader;
use actors::room::Outcome;
use actors::subscribers::Subscribers;
use cluster::{NodeId, Ring, Table};
use schema::peer::{self, Forwarded, Question, Word};
use schema::wire::{from_msgpack, to_msgpack};
use schema::{Cmid, ErrorCode, RoomId, SlotId, rest};

use super::link::{self, Frame, Reached};
use crate::carrier::Carrier;
use crate::client::rooms;
use crate::mail::{Answer, Asker, Mail, Out, Request};
use crate::net::{Shared, Wire};
use crate::plant::Plant;
use crate::slot::{Env, Slot};
use crate::tasks::{Finished, Work};

/// As the shells have them.
const OURS_WITHIN: Duration = Duration::from_secs(2);
const SETTLE_WITHIN: Duration = Duration::from_secs(2);

pub struct Node {
    pub id: NodeId,
    pub ring: Arc<Ring>,
    pub reader: Reader,
    pub subscribers: Arc<Subscribers>,
    outlet: Outlet,
    links: Reached,
    pub pending: Pending<Request>,
    pub slots: Vec<Slot>,
    carrier: Carrier,
    /// Slots that are about to be handed over.
    pub moving: BTreeSet<SlotId>,
    /// Slots that turned, and whose rooms are not followed anew yet.
    late: BTreeSet<SlotId>,
    env: Env,
}

impl Node {
    /// A process that knows this table; it has what it owns by it.
    pub fn start(net: &Shared, links: &link::Shared, id: NodeId, table: Table, plant: Option<Plant>, out: &mut Out) -> Self {
        let wire = Wire(net.clone());
        let slots = table.slots.len() as u16;
        let (ring, peers) = (Arc::new(Ring::new(id, table)), Arc::<Peers>::default());
        peers.reach_by(Arc::new(Reached { links: links.clone(), us: id }));
        let reader = Reader::new(Arc::new(wire.clone()), ring.clone()).among(peers.clone());
        let outlet = Outlet::new(0, 64 << 20, || {});
        let subscribers = Arc::new(Subscribers::new(vec![outlet.clone()], peers));
        let env = Env { plant, wire: wire.clone(), reader: reader.clone(), ring: Some(ring.clone()) };
        let carrier = Carrier::new(reader.clone(), Arc::new(wire), slots);
        // Of no process of this node before.
        let after = ring.version() << 32;
        let make = |slot| Slot::showing(SlotId(slot), env.clone(), outlet.clone(), subscribers.clone());
        let mut slots: Vec<Slot> = (0..slots).map(make).collect();
        slots.iter_mut().for_each(|slot| slot.restart(out));
        Self {
            id,
            ring,
            reader,
            subscribers,
            outlet,
            links: Reached { links: links.clone(), us: id },
            pending: Pending::new(after),
            slots,
            carrier,
            moving: BTreeSet::new(),
            late: BTreeSet::new(),
            env,
        }
    }

    pub fn slot(&mut self, slot: SlotId) -> &mut Slot {
        &mut self.slots[usize::from(slot.0)]
    }
    pub fn shown(&self) -> Vec<Down> {
        let mut down = Vec::new();
        self.outlet.take(&mut down);
        down
    }
    pub fn say(&self, to: NodeId, word: &Word) -> bool {
        self.links.say(to, to_msgpack(word))
    }

    /// What people here want of a room, wherever it is.
    pub fn request(&mut self, request: Request, now_ms: u64, out: &mut Out) {
        let room = request.order.room;
        match self.reader.owner(room) {
            None => self.slot(self.reader.slot(room)).ask(request, out),
            Some(_) => {
                let (slot, asked) = (self.reader.slot(room), (request.user, request.order, request.act.clone()));
                self.pending.take(slot, asked, request, now_ms + GIVE_UP_MS);
                self.say_due(now_ms, out);
            }
        }
    }

    /// What was not said, or not to whoever has the room now.
    pub fn say_due(&mut self, now_ms: u64, out: &mut Out) {
        let table = self.ring.table();
        for due in self.pending.due(self.id, |slot| table.slots[usize::from(slot.0)].owner) {
            match due {
                Due::Take { requests, .. } => requests.into_iter().for_each(|(_, request)| self.request(request, now_ms, out)),
                Due::Say { to, room, frames } => {
                    let mut frames = frames.into_iter();
                    for requests in frames.by_ref() {
                        let said = requests.iter().cloned().map(|request| self.distorted(request)).collect();
                        if !self.say(to, &Word::Requests { room, requests: said }) {
                            self.pending.unheard(&requests);
                            break;
                        }
                    }
                    frames.for_each(|requests| self.pending.unheard(&requests));
                }
            }
        }
    }

    /// Of `Plant::NewCmid`: what is forwarded goes by another name each time.
    fn distorted(&self, mut request: Forwarded) -> Forwarded {
        if self.env.has(Plant::NewCmid) {
            let mut bytes = *request.order.cmid.as_bytes();
            bytes[1] = self.links.links.lock().lanes.values().map(|lane| lane.session).max().unwrap_or(0) as u8;
            request.order.cmid = Cmid::from_bytes(bytes);
        }
        request
    }

    pub fn give_up(&mut self, now_ms: u64, out: &mut Out) {
        let late = self.pending.expired(now_ms);
        out.answers.extend(late.iter().map(|request| Answer::refusal(request, ErrorCode::Unavailable)));
    }

    /// An answer of a room of ours: to a person here, or to the node that passes it on.
    pub fn answer(&self, node: NodeId, token: u64, answer: Answer) {
        let Answer { room, cmid, outcome, .. } = answer;
        let outcome = match outcome {
            Outcome::Landed { seq, ordinal, at } => peer::Outcome::Landed(rest::Landed { room, cmid, seq, ordinal, at }),
            // Its node keeps it, and says it again.
            Outcome::Refused(refused) if refused.code == ErrorCode::Unavailable => peer::Outcome::Moved,
            Outcome::Refused(refused) => peer::Outcome::Refused(refused.refusal(0)),
        };
        self.say(node, &Word::Answered { outcomes: vec![(token, outcome)] });
    }

    pub fn hear(&mut self, from: NodeId, session: u64, frame: Frame, now_ms: u64, out: &mut Out) {
        match frame {
            Frame::Word(word) => self.hear_word(from, from_msgpack(&word).expect("a word"), now_ms, out),
            Frame::Question { id, body } => {
                let Ok(Question::Tail { room, after }) = from_msgpack(&body) else { return };
                let reader = self.reader.clone();
                out.works.push(Box::pin(async move {
                    let answer = tail(&reader, room, after).await;
                    Finished::Answered { to: from, session, id, answer }
                }));
            }
        }
    }

    fn hear_word(&mut self, from: NodeId, word: Word, now_ms: u64, out: &mut Out) {
        let subscribers = &self.subscribers;
        match word {
            Word::Begin {} if self.env.has(Plant::BeginForgotten) => {}
            Word::Begin {} => self.begin_with(from),
            Word::Requests { room, requests } => self.requested(from, room, requests, out),
            Word::Answered { outcomes } => outcomes.into_iter().for_each(|(token, outcome)| self.answered(from, token, outcome, out)),
            Word::Follow { room, known, ask } => out.works.push(self.follow(from, room, known, ask)),
            Word::Unfollow { room } => subscribers.unfollowed(room, from),
            Word::Following { room, view, ask } if self.env.has(Plant::NoGapFill) => {
                let head = subscribers.view(room).map_or(view.head, |view| view.head);
                subscribers.following(room, from, peer::RoomView { head, ..view }.into(), ask);
            }
            Word::Following { room, view, ask } => subscribers.following(room, from, view.into(), ask),
            Word::NoRoom { room } => subscribers.no_room(room, from),
            Word::Shown { room, events } if self.env.has(Plant::NoGapFill) || self.env.has(Plant::HoleShown) => {
                subscribers.show(room, &events.into_iter().map(Arc::new).collect::<Vec<_>>());
            }
            Word::Shown { room, events } => subscribers.shown(room, from, events.into_iter().map(Arc::new).collect()),
            other => unreachable!("nobody here says {other:?}"),
        }
        self.say_due(now_ms, out);
    }

    fn requested(&mut self, from: NodeId, room: RoomId, requests: Vec<Forwarded>, out: &mut Out) {
        let slot = self.reader.slot(room);
        if !self.ring.is_ours(slot) {
            let outcomes = requests.into_iter().map(|request| (request.token, peer::Outcome::Moved)).collect();
            self.say(from, &Word::Answered { outcomes });
            return;
        }
        for Forwarded { token, user, order, act } in requests {
            self.slot(slot).ask(Request { asker: Asker::Node(from, token), user, order, act }, out);
        }
    }

    fn answered(&mut self, from: NodeId, token: u64, outcome: peer::Outcome, out: &mut Out) {
        if outcome == peer::Outcome::Moved {
            return self.pending.moved(token, from);
        }
        let Some(request) = self.pending.answered(token) else { return };
        let outcome = match outcome {
            peer::Outcome::Landed(rest::Landed { seq, ordinal, at, .. }) => Outcome::Landed { seq, ordinal, at },
            peer::Outcome::Refused(refusal) => Outcome::Refused(refusal.code.into()),
            peer::Outcome::Moved => unreachable!("looked at"),
        };
        out.answers.push(Answer { outcome, ..Answer::refusal(&request, ErrorCode::Unavailable) });
    }

    fn follow(&self, by: NodeId, room: RoomId, known: Option<u64>, ask: u64) -> Work {
        let (reader, subscribers) = (self.reader.clone(), self.subscribers.clone());
        let known = if self.env.has(Plant::NoGapFill) { None } else { known };
        Box::pin(async move {
            if reader.serves(reader.slot(room), OURS_WITHIN).await {
                let _ = subscribers.followed(&reader, room, by, known, ask).await;
            }
            Finished::Nothing
        })
    }

    /// That node can be spoken to, and may not have heard what was said before.
    pub fn up(&mut self, node: NodeId, now_ms: u64, out: &mut Out) {
        self.say(node, &Word::Begin {});
        self.begin_with(node);
        self.say_due(now_ms, out);
    }
    pub fn away(&mut self, node: NodeId) {
        self.pending.again(|to, _| to == node);
    }
    pub fn gone(&mut self, node: NodeId) {
        self.subscribers.forget_follower(node);
    }
    fn begin_with(&mut self, node: NodeId) {
        self.pending.again(|to, _| to == node);
        let (ring, reader) = (&self.ring, &self.reader);
        self.subscribers.follow_again(reader, &|room| ring.placement(reader.slot(room)).owner == node);
    }

    /// The table is another one. What it means, in the order in which the product does it.
    pub fn placed(&mut self, table: Table, now_ms: u64, out: &mut Out) {
        let before = self.ring.table();
        if !self.ring.update(table) {
            return;
        }
        let table = self.ring.table();
        let Turns { changed, placed, lost, .. } = Turns::between(&before, &table, self.id);
        self.pending.again(|_, slot| changed.contains(&slot));
        let forgets = self.env.has(Plant::SubscriberLost);
        let changed: BTreeSet<SlotId> = changed.into_iter().filter(|slot| !(forgets && lost.contains(slot))).collect();
        if self.env.has(Plant::BehindForGood) {
            self.late.extend(changed);
        } else {
            self.follow_again(&changed);
        }
        for slot in placed {
            self.slot(slot).inbox.push_back(Mail::Placed);
        }
        self.say_due(now_ms, out);
        self.hand_over(out);
    }

    fn follow_again(&self, changed: &BTreeSet<SlotId>) {
        self.subscribers.follow_again(&self.reader, &|room| changed.contains(&self.reader.slot(room)));
    }
    /// Of `Plant::BehindForGood`.
    pub fn follow_late(&mut self) {
        let late = std::mem::take(&mut self.late);
        self.follow_again(&late);
    }

    /// What the table wants to have moved, as `place.rs` of the server does it.
    pub fn hand_over(&mut self, out: &mut Out) {
        let table = self.ring.table();
        for (slot, placement) in (0..).map(SlotId).zip(&table.slots).filter(|(_, placement)| placement.owner == self.id) {
            if let Some(to) = placement.moving
                && self.moving.insert(slot)
            {
                let projector = self.carrier.projector.clone();
                out.works.push(Box::pin(async move {
                    let _ = tokio::time::timeout(SETTLE_WITHIN, projector.carry()).await;
                    Finished::Settled { slot, to }
                }));
            }
        }
    }
    /// The group took it, or refused it: then the plan has changed, and is looked at again.
    pub fn handed_over(&mut self, slot: SlotId, out: &mut Out) {
        self.moving.remove(&slot);
        self.hand_over(out);
    }

    pub fn ask_again(&self) {
        if !self.env.has(Plant::NotAskedAgain) {
            self.subscribers.ask_again();
        }
    }

    /// Carries everything that is in the tails; one such round at a time.
    pub fn carry(&mut self) -> Option<Work> {
        self.carrier.carry()
    }
    pub fn hear_projector(&mut self) {
        for (slot, block) in self.carrier.told() {
            self.slot(slot).inbox.push_back(Mail::Projected(block));
        }
    }

    pub fn finished(&mut self, finished: Finished, out: &mut Out) {
        match finished {
            Finished::Slot { slot, activation, input } => self.slot(slot).inbox.push_back(Mail::Step { activation, input }),
            Finished::Woken { slot, room, incarnation, state } => self.slot(slot).woken(room, incarnation, *state, out),
            Finished::Learned { slot, room, incarnation, token, fact } => {
                if let Some(room) = self.slot(slot).rooms.get_mut(&room).filter(|room| room.incarnation == incarnation) {
                    room.learned(token, fact);
                }
            }
            Finished::CaughtUp { slot, lost } => self.slot(slot).caught_up(lost, out),
            Finished::Answered { to, session, id, answer } => self.links.links.lock().answer(self.id, to, session, id, to_msgpack(&answer)),
            Finished::Carried => self.carrier.carried(),
            Finished::Settled { .. } | Finished::Page(_) | Finished::Joined { .. } | Finished::Nothing => {}
        }
    }

    /// What it has not settled.
    pub fn left(&self) -> Option<String> {
        if !self.moving.is_empty() {
            return Some(format!("{:?} are being handed over", self.moving));
        }
        if let Some(room) = rooms().into_iter().find(|room| self.is_behind(*room)) {
            return Some(format!("it is behind in {room}"));
        }
        (!self.pending.is_empty()).then(|| format!("{:?}", self.pending))
    }
    /// It has the room, and takes what it shows of it for old.
    fn is_behind(&self, room: RoomId) -> bool {
        self.reader.owner(room).is_none() && self.subscribers.view(room).is_some() && self.subscribers.own_view(room).is_none()
    }
}
