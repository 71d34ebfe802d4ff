//! The whole world of one seed: nodes, one store, clients, listeners, and what befalls them. Every step is one event, and
//! chance alone decides which. First a time of faults, then a time without, in which everything has to heal.

use std::sync::Arc;

use parking_lot::Mutex;
use schema::RoomId;
use store::sim::Fault;

use crate::client::{Client, PEOPLE, rooms};
use crate::invariants::{self, Broken};
use crate::listener::Listener;
use crate::mail::{Answer, Asker, Out, Request};
use crate::net::{Net, Shared, draw_fault};
use crate::node::{Node, SLOTS};
use crate::plant::Plant;
use crate::rng::Rng;
use crate::tasks::{Finished, Tasks, Work};

pub const NODES: usize = 3;
const LISTENERS: usize = 4;
const STEPS_WITH_FAULTS: usize = 16_000;
/// The longest time without a network.
const NAP_STEPS: u64 = 12_000;
pub const DAY_MS: u64 = 24 * 3600 * 1_000;
/// Wire messages under way; over it the oldest is lost.
const WIRE_MAX: usize = 64;

enum Mail {
    Ask { node: usize, request: Request },
    Answer(Answer),
}

/// What a run did: that it was not empty, and that another run of the seed did the same.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    pub trace: u64,
    pub events: u64,
    pub acks: usize,
    pub crashes: u64,
    pub power_cuts: u64,
    pub take_overs: u64,
    pub unknown: u64,
}

pub struct World {
    pub rng: Rng,
    pub net: Shared,
    pub plant: Option<Plant>,
    pub tasks: Tasks,
    pub nodes: Vec<Node>,
    pub clients: Vec<Client>,
    pub listeners: Vec<Listener>,
    wire: Vec<Mail>,
    pub now_ms: u64,
    pub grants: u64,
    pub faults_per_mille: u64,
    /// Hand-overs, failures and crashes are rare: rooms live long.
    pub calm: bool,
    /// Long texts: recent events are few, and much lies behind them.
    pub loud: bool,
    pub healing: bool,
    /// Who owns a slot, as the ring has it.
    pub owners: [usize; SLOTS as usize],
    pub summary: Summary,
}

pub fn run(seed: u64, plant: Option<Plant>) -> Result<Summary, Broken> {
    let mut world = World::new(seed, plant);
    for _ in 0..STEPS_WITH_FAULTS {
        world.step()?;
    }
    world.heal()?;
    Ok(world.summary)
}

impl World {
    fn new(seed: u64, plant: Option<Plant>) -> Self {
        let mut rng = Rng::new(seed);
        let net: Shared = Arc::new(Mutex::new(Net::new(plant)));
        let nodes = (0..NODES).map(|_| Node::new(&net, plant)).collect();
        let listeners = (0..LISTENERS).map(|index| Listener::new(index, rooms()[index % rooms().len()])).collect();
        Self {
            faults_per_mille: [0, 20, 60, 150, 250][rng.below(5)],
            loud: rng.chance(500),
            calm: rng.chance(600),
            rng,
            net,
            plant,
            tasks: Tasks::default(),
            nodes,
            clients: (0..PEOPLE).map(Client::new).collect(),
            listeners,
            wire: Vec::new(),
            now_ms: 1_000_000,
            grants: 0,
            healing: false,
            owners: [0; SLOTS as usize],
            summary: Summary::default(),
        }
    }

    pub fn step(&mut self) -> Result<(), Broken> {
        self.now_ms += 1;
        match self.rng.below(100) {
            0..30 => self.answer_a_call(),
            30..56 => self.read_an_inbox(),
            56..70 => self.deliver(),
            70..82 => self.send(),
            82..83 => self.carry(),
            83..88 => self.listen()?,
            88..97 if !self.healing => self.make(),
            97 => self.restart_or_park(),
            98 => self.carry(),
            99 if self.rng.chance(60) => self.fall_asleep(),
            99 => self.befall()?,
            _ => {}
        }
        match self.net.lock().witness.broken.take() {
            Some(broken) => Err(broken),
            None => Ok(()),
        }
    }

    pub fn note(&mut self, what: u64) {
        let trace = self.summary.trace ^ what.wrapping_add(self.now_ms << 8);
        self.summary.trace = trace.wrapping_mul(0x0000_0100_0000_01b3);
    }

    fn fault(&mut self, write: bool) -> Fault {
        if self.healing || !self.rng.chance(self.faults_per_mille) {
            return Fault::None;
        }
        self.summary.unknown += 1;
        draw_fault(&mut self.rng, write, 2)
    }

    fn answer_a_call(&mut self) {
        let waiting = self.net.lock().waiting();
        let Some((call, task, write)) = self.rng.pick(&waiting) else { return };
        let fault = self.fault(write);
        self.note(call << 3 | fault as u64);
        let raises = !self.healing && self.net.lock().is_raise(call);
        if raises && self.rng.chance(100) {
            self.now_ms += DAY_MS + 1;
        }
        let now_ms = self.now_ms;
        {
            let mut net = self.net.lock();
            net.core.set_now(now_ms);
            net.perform(call, fault);
        }
        if let Some(task) = task {
            let finished = self.tasks.resume(&self.net, task);
            self.finished(finished);
        }
        self.nodes.iter_mut().for_each(Node::hear_projector);
        // A power cut hurts most while a watermark is not synced.
        if raises && self.rng.chance(60) {
            self.power_cut();
        }
    }

    fn finished(&mut self, finished: Option<(usize, Finished)>) {
        let mut out = Out::default();
        match finished {
            Some((_, Finished::Joined { listener, missed, .. })) => self.listeners[listener].joined(missed),
            Some((node, finished)) => {
                self.nodes[node].finished(finished, &mut out);
                self.carry_out(node, out);
            }
            None => {}
        }
    }

    pub fn start(&mut self, node: usize, work: Work) {
        let finished = self.tasks.start(&self.net, node, work);
        self.finished(finished);
    }

    pub fn carry_out(&mut self, node: usize, out: Out) {
        for answer in out.answers {
            if let actors::room::Outcome::Landed { seq, .. } = answer.outcome {
                self.net.lock().witness.acked(answer.room, answer.cmid, seq);
            }
            self.push(Mail::Answer(answer));
        }
        for slot in &self.nodes[node].slots {
            for down in slot.shown() {
                for listener in &mut self.listeners {
                    if listener.place.as_ref().is_some_and(|place| place.node == node && place.audience == slot.audience) {
                        listener.told(&down);
                    }
                }
            }
        }
        for work in out.works {
            self.start(node, work);
        }
    }

    fn read_an_inbox(&mut self) {
        let mut ready: Vec<(usize, usize, Option<RoomId>)> = Vec::new();
        for (n, node) in self.nodes.iter().enumerate() {
            for (s, slot) in node.slots.iter().enumerate() {
                ready.extend((!slot.inbox.is_empty()).then_some((n, s, None)));
                ready.extend(slot.rooms.iter().filter(|(_, room)| room.is_ready()).map(|(room, _)| (n, s, Some(*room))));
            }
        }
        let Some((n, s, room)) = self.rng.pick(&ready) else { return };
        let (mut out, now_ms) = (Out::default(), self.now_ms + self.nodes[n].skew_ms);
        let slot = &mut self.nodes[n].slots[s];
        match room {
            Some(room) => slot.room_turn(room, now_ms, &mut out),
            None => slot.turn(&mut out),
        }
        self.carry_out(n, out);
        // A room's failure hurts most just after it said something.
        if let Some(room) = room
            && !self.healing
            && self.nodes[n].slots[s].hears(room)
            && self.rng.chance(30)
        {
            self.fail(n, s, room);
        }
    }

    fn push(&mut self, mail: Mail) {
        self.wire.push(mail);
        if self.wire.len() > WIRE_MAX {
            self.wire.remove(0);
        }
    }

    fn deliver(&mut self) {
        if self.wire.is_empty() {
            return;
        }
        let place = self.rng.below(self.wire.len());
        let mail = self.wire.swap_remove(place);
        if !self.healing && self.rng.chance(self.faults_per_mille) {
            return;
        }
        match mail {
            Mail::Ask { node, request } => {
                if !self.healing && self.rng.chance(self.faults_per_mille / 2) {
                    self.push(Mail::Ask { node, request: request.clone() });
                }
                let mut out = Out::default();
                let slot = self.nodes[node].reader.slot(request.order.room);
                self.nodes[node].slot(slot).ask(request, &mut out);
                self.carry_out(node, out);
            }
            Mail::Answer(Answer { asker: Asker::Client(client), cmid, outcome, .. }) if !self.is_asleep(client) => {
                self.clients[client].hear(cmid, &outcome);
            }
            Mail::Answer(_) => {}
        }
    }

    fn is_asleep(&self, client: usize) -> bool {
        !self.healing && self.clients[client].asleep_until > self.now_ms
    }

    fn make(&mut self) {
        let heard = self.net.lock().witness.heard.clone();
        let client = self.rng.below(PEOPLE);
        if self.is_asleep(client) {
            return;
        }
        self.clients[client].make(&heard, self.loud, &mut self.rng);
    }

    /// A device is without a network for long, with requests of which it does not know what became.
    fn fall_asleep(&mut self) {
        let client = self.rng.below(PEOPLE);
        if !self.healing && !self.clients[client].outbox.is_empty() {
            self.clients[client].asleep_until = self.now_ms + self.rng.next() % NAP_STEPS;
        }
    }

    /// A request goes out, for the first time or again.
    fn send(&mut self) {
        let client = self.rng.below(PEOPLE);
        if self.clients[client].outbox.is_empty() || self.is_asleep(client) {
            return;
        }
        let place = self.rng.below(self.clients[client].outbox.len());
        let mut request = self.clients[client].outbox[place].clone();
        if self.plant == Some(Plant::ResendNewAfter) {
            request.order.after = self.net.lock().witness.heard.get(&request.order.room).copied().unwrap_or(0);
            request.order.prev = None;
        }
        // Most know who the owner is; some ask whomever they can.
        let known = self.owners[self.slot_of(request.order.room)];
        let node = if self.healing || self.rng.chance(800) { known } else { self.rng.below(NODES) };
        self.push(Mail::Ask { node, request });
    }

    pub fn slot_of(&self, room: RoomId) -> usize {
        usize::from(self.nodes[0].reader.slot(room).0)
    }

    fn carry(&mut self) {
        let node = self.rng.below(NODES);
        if let Some(work) = self.nodes[node].carry() {
            self.start(node, work);
        }
    }

    /// A listener is delivered a frame, resumes somewhere, or leaves.
    fn listen(&mut self) -> Result<(), Broken> {
        let index = self.rng.below(LISTENERS);
        let room = self.listeners[index].room;
        let slot = self.slot_of(room);
        let listener = &mut self.listeners[index];
        let Some(place) = &mut listener.place else {
            let node = if self.healing { self.owners[slot] } else { self.rng.below(NODES) };
            if self.nodes[node].slots[slot].is_serving() {
                let work = {
                    let slot = &self.nodes[node].slots[slot];
                    listener.resume(node, slot.audience, slot.subscribers.clone(), slot.env.reader.clone())
                };
                self.start(node, work);
            }
            return Ok(());
        };
        // In the end the ring tells every node who owns what.
        let elsewhere = self.healing && place.node != self.owners[slot];
        let gone = elsewhere || self.nodes[place.node].slots[slot].audience != place.audience;
        if gone || (!self.healing && self.rng.chance(30)) {
            listener.place = None;
            return Ok(());
        }
        while place.greeted
            && let Some(event) = place.frames.pop_front()
        {
            if event.seq > listener.last {
                invariants::listeners::check(&self.net.lock().witness, listener.last, &event)?;
                listener.last = event.seq;
            }
        }
        Ok(())
    }
}
