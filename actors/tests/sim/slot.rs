//! A slot on one node, around the product's core: carries its effects out as the shell of a slot does, in the same order,
//! and keeps its rooms. What the shell does by messages waits in inboxes here, and the world decides whose turn it is.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use actors::outlet::{Down, Outlet};
use actors::read::Reader;
use actors::room::{State, wake};
use actors::slot::core::{Bounds, Core, Effect, Input, READ_BLOCKS, Stop};
use actors::subscribers::Subscribers;
use cluster::Ring;
use schema::block::Block;
use schema::record::Watermark;
use schema::{ErrorCode, Event, RoomId, SlotId};
use store::{Append, Error, Journal, RecordsExt, StoredBlock};

use crate::mail::{Answer, Mail, Out, Request};
use crate::net::Wire;
use crate::node::GRANT;
use crate::plant::Plant;
use crate::room::Room;
use crate::tasks::{Finished, Work, at_once};

/// Small, so that bounds are met.
const BOUNDS: Bounds = Bounds { tail_events_max: 48, tail_bytes_max: 1 << 20 };

/// What a node is made of, and what its parts reach each other by.
#[derive(Clone)]
pub struct Env {
    pub plant: Option<Plant>,
    pub wire: Wire,
    pub reader: Reader,
    /// Where several nodes agree on who owns what. `None`: the world says it slot by slot.
    pub ring: Option<Arc<Ring>>,
}

impl Env {
    pub fn has(&self, plant: Plant) -> bool {
        self.plant == Some(plant)
    }
}

pub struct Slot {
    pub id: SlotId,
    pub env: Env,
    core: Core,
    activation: u16,
    pub grant: u64,
    in_flight: Option<Append>,
    /// Events of the append under way: the first of `unapplied`.
    flying: usize,
    /// Submitted and not applied, in order.
    pub unapplied: VecDeque<Arc<Event>>,
    pub inbox: VecDeque<Mail>,
    pub rooms: BTreeMap<RoomId, Room>,
    /// Requests for rooms that are to be woken.
    pub wanted: BTreeMap<RoomId, Vec<Request>>,
    incarnations: u64,
    pub restart_due: bool,
    pub subscribers: Arc<Subscribers>,
    outlet: Outlet,
    /// Rises when listeners have to go and resume elsewhere.
    pub audience: u64,
    /// What happened before it serves is being read and shown; until then it reads nothing else.
    pub catches_up: bool,
}

impl Slot {
    pub fn new(id: SlotId, env: Env) -> Self {
        let outlet = Outlet::new(0, 64 << 20, || {});
        let subscribers = Arc::new(Subscribers::new(vec![outlet.clone()], Arc::default()));
        Self::showing(id, env, outlet, subscribers)
    }
    /// It shows what happens to all who are on its node.
    pub fn showing(id: SlotId, env: Env, outlet: Outlet, subscribers: Arc<Subscribers>) -> Self {
        Self {
            id,
            env,
            core: Core::new(id, BOUNDS),
            activation: 0,
            grant: 0,
            in_flight: None,
            flying: 0,
            unapplied: VecDeque::new(),
            inbox: VecDeque::new(),
            rooms: BTreeMap::new(),
            wanted: BTreeMap::new(),
            incarnations: 0,
            restart_due: false,
            subscribers,
            outlet,
            audience: 0,
            catches_up: false,
        }
    }

    pub fn is_serving(&self) -> bool {
        self.core.is_serving()
    }
    pub fn epoch(&self) -> u64 {
        self.core.epoch()
    }
    pub fn is_granted(&self) -> bool {
        self.grant > 0
    }
    /// The room has said something that the slot has not read yet.
    pub fn hears(&self, room: RoomId) -> bool {
        self.inbox.iter().any(|mail| matches!(mail, Mail::Submit { event, .. } if event.room == room))
    }
    pub fn shown(&self) -> Vec<Down> {
        let mut down = Vec::new();
        self.outlet.take(&mut down);
        down
    }

    /// The ring says that the slot is this node's from now on: the rooms of before are dropped, and listeners go.
    pub fn grant(&mut self, grant: u64, out: &mut Out) {
        self.grant = grant;
        self.drop_rooms(ErrorCode::Unavailable, out);
        self.new_audience();
        self.restart(out);
    }

    /// A node that does not own a room's slot any more cannot promise its listeners to be told everything.
    fn new_audience(&mut self) {
        self.audience += 1;
        self.outlet = Outlet::new(0, 64 << 20, || {});
        self.subscribers = Arc::new(Subscribers::new(vec![self.outlet.clone()], Arc::default()));
    }

    pub fn restart(&mut self, out: &mut Out) {
        self.restart_due = false;
        self.activation += 1;
        self.core = Core::new(self.id, BOUNDS);
        (self.in_flight, self.flying) = (None, 0);
        self.unapplied.clear();
        if let Some(ring) = &self.env.ring {
            let placement = ring.placement(self.id);
            self.grant = if placement.owner == ring.node() { placement.grant } else { 0 };
            if self.grant == 0 {
                return;
            }
        }
        let epoch = if self.env.has(Plant::SameEpoch) { 1 } else { self.grant << 16 | u64::from(self.activation) };
        self.step(Input::Start { epoch }, out);
    }

    pub fn turn(&mut self, out: &mut Out) {
        match self.inbox.pop_front() {
            Some(Mail::Step { activation, input }) if activation == self.activation => self.take(input, out),
            Some(Mail::Submit { activation, incarnation, event }) if activation == self.activation => {
                let known = self.rooms.get(&event.room).map(|room| room.incarnation);
                if known == Some(incarnation) || self.env.has(Plant::SubmitOfTheDead) {
                    self.unapplied.push_back(event.clone());
                    self.step(Input::Submit(vec![event]), out);
                }
            }
            Some(Mail::Projected(block)) => self.step(Input::Projected { block }, out),
            Some(Mail::Restart) => self.restart(out),
            Some(Mail::Wake(room)) if self.grant == 0 => {
                self.wanted.remove(&room).into_iter().flatten().for_each(|request| out.moved(&request));
            }
            Some(Mail::Wake(_)) => self.wake_wanted(out),
            Some(Mail::Placed) => self.placed(out),
            Some(Mail::Lost { room, incarnation }) => self.lose(room, incarnation, out),
            Some(Mail::Step { .. } | Mail::Submit { .. }) | None => {}
        }
    }

    fn take(&mut self, input: Input, out: &mut Out) {
        match input {
            Input::Appended(Err(Error::Unknown(_))) if self.env.has(Plant::AckUnknown) => {
                self.step(Input::Appended(Ok(store::Appended::Applied)), out);
            }
            Input::Appended(Err(Error::Unknown(_))) if self.env.has(Plant::RebuildBatch) => self.rebuild(out),
            input => self.step(input, out),
        }
    }

    /// Of `Plant::RebuildBatch`: everything that waits is one batch now, under the name of the one under way.
    fn rebuild(&mut self, out: &mut Out) {
        let head = self.in_flight.as_ref().expect("an append was under way").head;
        let epoch = self.core.epoch();
        self.core = Core::new(self.id, BOUNDS);
        let known = [Input::Start { epoch }, Input::WatermarkRead(Ok(head)), Input::Fenced(Ok(store::Fenced::Ok { head }))];
        known.into_iter().for_each(|input| self.core.handle(input, &mut Vec::new()));
        self.step(Input::Submit(self.unapplied.iter().cloned().collect()), out);
    }

    pub fn step(&mut self, input: Input, out: &mut Out) {
        let mut effects = Vec::new();
        self.core.handle(input, &mut effects);
        for effect in effects {
            self.carry_out(effect, out);
        }
    }

    fn carry_out(&mut self, effect: Effect, out: &mut Out) {
        match effect {
            Effect::ReadWatermark | Effect::Fence { .. } | Effect::ReadTail { .. } => out.works.push(self.take_over_step(effect)),
            Effect::Again(step) => out.works.push(self.take_over_step(*step)),
            Effect::Append { append, .. } => {
                self.flying = Block::decode(&append.block).expect("a block").events.len();
                self.in_flight = Some(append.clone());
                let (wire, slot, activation) = (self.env.wire.clone(), self.id, self.activation);
                out.works.push(Box::pin(async move {
                    let answer = wire.append(append).await;
                    Finished::Slot { slot, activation, input: Input::Appended(answer) }
                }));
            }
            Effect::Serving { tail, .. } => {
                let tail = if self.env.has(Plant::ServeBeforeReplay) { Vec::new() } else { tail };
                if self.env.ring.is_some() {
                    return self.catch_up(tail, out);
                }
                self.env.reader.slot_tail(self.id).open(GRANT, tail.clone());
                tail.iter().for_each(|(_, events)| self.show(events));
                self.say_nothing();
                self.wake_wanted(out);
            }
            Effect::Applied { block, events } => {
                self.applied(block, events, out);
                self.wake_wanted(out);
            }
            Effect::Stopped(stop) => self.stopped(stop, out),
        }
    }

    fn take_over_step(&self, step: Effect) -> Work {
        let (env, slot, activation) = (self.env.clone(), self.id, self.activation);
        Box::pin(async move {
            let input = match step {
                Effect::ReadWatermark => {
                    let row = env.reader.records.fetch::<Watermark>(Watermark::key_of(slot)).await;
                    Input::WatermarkRead(row.map(|row| row.map_or(0, |(row, _)| row.block)))
                }
                Effect::Fence { epoch } => Input::Fenced(env.wire.fence(slot, epoch).await),
                Effect::ReadTail { from } => Input::TailRead(env.wire.read(slot, from, READ_BLOCKS).await.map(decode)),
                other => unreachable!("{other:?} is no step of a take-over"),
            };
            Finished::Slot { slot, activation, input }
        })
    }

    fn applied(&mut self, block: u64, events: Vec<Arc<Event>>, out: &mut Out) {
        self.unapplied.drain(..events.len());
        self.flying = 0;
        self.env.reader.slot_tail(self.id).push(block, events.clone());
        let rooms: BTreeSet<RoomId> = events.iter().map(|event| event.room).collect();
        for room in rooms {
            let of_room: Vec<Arc<Event>> = events.iter().filter(|event| event.room == room).cloned().collect();
            match self.rooms.get_mut(&room) {
                Some(room) => room.applied(of_room),
                None => self.show(&of_room),
            }
        }
        let (wire, slot) = (self.env.wire.clone(), self.id);
        if self.env.has(Plant::WatermarkEarly) {
            out.works.push(Box::pin(async move {
                let _ = wire.raise(&Watermark { slot, block }, block).await;
                Finished::Nothing
            }));
        } else if self.env.has(Plant::TrimEarly) {
            out.works.push(Box::pin(async move {
                let _ = wire.trim(slot, block).await;
                Finished::Nothing
            }));
        }
    }

    pub fn show(&self, events: &[Arc<Event>]) {
        for event in events {
            self.subscribers.show(event.room, std::slice::from_ref(event));
        }
    }

    pub fn ask(&mut self, request: Request, out: &mut Out) {
        if self.env.ring.is_some() {
            return self.ask_later(request);
        }
        if !self.is_granted() {
            return out.answers.push(Answer::refusal(&request, ErrorCode::Unavailable));
        }
        match self.rooms.get_mut(&request.order.room) {
            Some(room) => room.ask(request),
            None => {
                self.wanted.entry(request.order.room).or_default().push(request);
                self.wake_wanted(out);
            }
        }
    }

    pub fn wake_wanted(&mut self, out: &mut Out) {
        if !self.core.is_serving() {
            return;
        }
        let ready: Vec<RoomId> = self.wanted.keys().copied().filter(|room| !self.core.is_in_flight(*room)).collect();
        for id in ready {
            let requests = self.wanted.remove(&id).expect("a key");
            self.incarnations += 1;
            let mut room = Room::new(id, self.id, self.incarnations, self.activation, self.env.clone());
            requests.into_iter().for_each(|request| room.ask(request));
            self.rooms.insert(id, room);
            out.works.push(self.wake(id));
        }
    }

    pub fn wake(&self, room: RoomId) -> Work {
        let (reader, slot, incarnation) = (self.env.reader.clone(), self.id, self.rooms[&room].incarnation);
        let history_first = self.env.has(Plant::WakeHistoryFirst);
        let forgetful = self.env.has(Plant::RingOnly) || self.env.has(Plant::ResendNewAfter);
        Box::pin(async move {
            let state = if history_first {
                crate::room::wake_history_first(&reader, room).await
            } else {
                match wake::wake(&reader, room).await.transpose() {
                    Some(state) => state,
                    // Whoever sent it away tells it so; until then nothing is decided.
                    None => return Finished::Nothing,
                }
            };
            let state = if forgetful { state.map(crate::room::with_few_memories) } else { state };
            Finished::Woken { slot, room, incarnation, state: Box::new(state) }
        })
    }

    pub fn woken(&mut self, id: RoomId, incarnation: u64, state: Result<State, Error>, out: &mut Out) {
        let Some(room) = self.rooms.get_mut(&id).filter(|room| room.incarnation == incarnation) else { return };
        match room.woken(state) {
            Ok(false) => {}
            Ok(true) => out.works.push(self.wake(id)),
            Err(()) if self.env.ring.is_some() => self.inbox.push_back(Mail::Lost { room: id, incarnation }),
            Err(()) => self.room_lost(id, out),
        }
    }

    /// The room's actor failed. The supervisor hears of it before it reads on in its inbox.
    pub fn room_lost(&mut self, id: RoomId, out: &mut Out) {
        let Some(room) = self.rooms.remove(&id) else { return };
        room.drop_requests(ErrorCode::Unavailable, out);
        self.show_missed(id);
        self.forget(id, out);
    }
    pub fn forget(&mut self, id: RoomId, out: &mut Out) {
        self.step(Input::RoomLost(id), out);
        let waiting = self.unapplied.split_off(self.flying);
        self.unapplied.extend(waiting.into_iter().filter(|event| event.room != id));
        self.wake_wanted(out);
    }

    fn show_missed(&self, room: RoomId) {
        let (reader, watched) = (self.env.reader.clone(), self.subscribers.view(room).map_or(u64::MAX, |view| view.head));
        let missed = at_once(&self.env.wire.0, async move {
            match reader.view(room).await {
                Ok(Some(now)) if now.head > watched => reader.events(room, watched + 1, now.head).await,
                _ => Ok(Vec::new()),
            }
        });
        if let Ok(missed) = missed {
            self.subscribers.show(room, &missed);
        }
        self.say_nothing();
    }

    /// Of `Plant::SilentRestart`: what was shown just now does not reach anybody.
    fn say_nothing(&self) {
        if self.env.has(Plant::SilentRestart) {
            let kept = self.shown().into_iter().filter(|down| !matches!(down, Down::Batch { .. }));
            self.outlet.push_all(kept.collect::<Vec<_>>());
        }
    }

    /// An idle room goes to sleep; a room that just woke may.
    pub fn park(&mut self, id: RoomId) {
        if self.rooms.get(&id).is_some_and(Room::is_idle) {
            self.rooms.remove(&id);
            self.step(Input::RoomLost(id), &mut Out::default());
        }
    }

    fn drop_rooms(&mut self, code: ErrorCode, out: &mut Out) {
        if self.env.ring.is_some() && code == ErrorCode::Unavailable {
            return self.send_rooms_away(out);
        }
        for (id, mut room) in std::mem::take(&mut self.rooms) {
            // What the slot told it before it told it to stop.
            room.last_words(out).into_iter().for_each(|events| self.subscribers.show(id, &events));
            room.drop_requests(code, out);
        }
        for request in std::mem::take(&mut self.wanted).into_values().flatten() {
            out.answers.push(Answer::refusal(&request, code));
        }
    }

    fn stopped(&mut self, stop: Stop, out: &mut Out) {
        self.drop_rooms(if stop == Stop::ReadOnly { ErrorCode::ReadOnly } else { ErrorCode::Unavailable }, out);
        match stop {
            Stop::Moved => self.inbox.push_back(Mail::Restart),
            Stop::ReadOnly | Stop::Broken(_) => self.restart_due = true,
            Stop::Superseded { .. } if self.env.ring.is_some() => {
                self.env.reader.slot_tail(self.id).close();
                self.restart_due = true;
            }
            Stop::Superseded { .. } => {
                self.new_audience();
                self.restart_due = true;
            }
        }
    }
}

fn decode(blocks: Vec<StoredBlock>) -> Vec<(u64, Block)> {
    blocks.into_iter().map(|stored| (stored.number, Block::decode(&stored.block).expect("a block"))).collect()
}
