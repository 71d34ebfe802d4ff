//! The whole cluster of one seed: processes, their links, the group that agrees, one store, people and listeners. Every step is one
//! event, and chance alone decides which; the product's timers run on a clock that only the world moves.

use std::collections::BTreeMap;
use std::time::Duration;

use actors::PageQuery;
use cluster::{NodeId, Status};
use schema::{Cmid, RoomId};
use store::sim::Fault;
use tokio::runtime::Runtime;

use super::Summary;
use super::group::{Group, Member};
use super::link;
use super::node::Node;
use crate::client::{Client, PEOPLE, person, rooms};
use crate::invariants::{self, Broken};
use crate::listener::Listener;
use crate::net::{Net, Shared};
use crate::plant::Plant;
use crate::rng::Rng;
use crate::slot::{Answer, Asker, Out, Request};
use crate::tasks::{Finished, Tasks, Work};

pub const NODES: u64 = 3;
const LISTENERS: usize = 6;
/// Of each round: a time of faults, then one without, in which all has to heal.
const STEPS_WITH_FAULTS: usize = 9_000;
const ROUNDS: usize = 3;
/// Messages between people and nodes under way; over it the oldest is lost.
const WIRE_MAX: usize = 64;

/// A client does not say again what it said less than this ago: else all that a node does is to answer the same.
const RESEND_MS: u64 = 1_000;

enum Mail {
    Ask { node: NodeId, request: Request },
    Answer(Answer),
}

/// One node over all its processes.
pub struct Process {
    pub member: Member,
    /// Of the process that runs: by which the group knows it; 0 while it does not.
    pub incarnation: u64,
    /// `None` while it waits for its group.
    pub node: Option<Node>,
    pub runs: bool,
    /// Stopped, and goes on later as if nothing had been.
    pub is_paused: bool,
    pub skew_ms: i64,
    /// Handed over, and the group has not heard of it.
    pub ending: Vec<(schema::SlotId, NodeId)>,
    /// It was told to go.
    pub leaves: bool,
}

impl Process {
    pub fn new(member: Member) -> Self {
        let ending = Vec::new();
        Self { member, incarnation: 0, node: None, runs: true, is_paused: false, skew_ms: 0, ending, leaves: false }
    }
    pub fn is_awake(&self) -> bool {
        self.runs && !self.is_paused
    }
}

pub struct World {
    pub rng: Rng,
    pub net: Shared,
    pub links: link::Shared,
    pub plant: Option<Plant>,
    pub tasks: Tasks,
    pub group: Group,
    pub processes: BTreeMap<NodeId, Process>,
    pub clients: Vec<Client>,
    /// Where each of them is connected.
    places: Vec<NodeId>,
    pub listeners: Vec<Listener>,
    wire: Vec<Mail>,
    /// When each request was last sent.
    said_ms: BTreeMap<Cmid, u64>,
    clock: Runtime,
    pub now_ms: u64,
    pub faults_per_mille: u64,
    /// Failures of nodes and links are rare.
    pub calm: bool,
    loud: bool,
    pub healing: bool,
    pub summary: Summary,
}

pub fn run(seed: u64, plant: Option<Plant>) -> Result<Summary, Broken> {
    let clock = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().expect("a clock");
    let handle = clock.handle().clone();
    let _in = handle.enter();
    let mut world = World::new(seed, plant, clock);
    for _ in 0..ROUNDS {
        world.healing = false;
        for _ in 0..STEPS_WITH_FAULTS {
            world.step()?;
        }
        world.heal()?;
    }
    world.look_at_the_end()?;
    Ok(world.summary)
}

impl World {
    fn new(seed: u64, plant: Option<Plant>, clock: Runtime) -> Self {
        let mut rng = Rng::new(seed ^ 0xc1a5);
        let mut net = Net::new(plant);
        let (group, ids) = Group::new(NODES, &mut net.witness);
        let processes = ids.iter().map(|id| (*id, Process::new(Member::default()))).collect();
        let listeners = (0..LISTENERS).map(|index| Listener::new(index, rooms()[index % rooms().len()])).collect();
        Self {
            faults_per_mille: [0, 10, 40, 100][rng.below(4)],
            loud: rng.chance(300),
            calm: rng.chance(400),
            places: (0..PEOPLE).map(|_| ids[rng.below(ids.len())]).collect(),
            rng,
            net: std::sync::Arc::new(parking_lot::Mutex::new(net)),
            links: link::Shared::default(),
            plant,
            tasks: Tasks::default(),
            group,
            processes,
            clients: (0..PEOPLE).map(Client::new).collect(),
            listeners,
            wire: Vec::new(),
            said_ms: BTreeMap::new(),
            clock,
            now_ms: 1_000_000,
            healing: false,
            summary: Summary::default(),
        }
    }

    pub fn step(&mut self) -> Result<(), Broken> {
        match self.rng.below(200) {
            0..40 => self.answer_a_call(),
            40..66 => self.go_on(),
            66..104 => self.read_an_inbox(),
            104..134 => self.link_step(),
            134..152 => self.deliver(),
            152..164 => self.send(),
            164..172 if !self.healing => self.make(),
            164..172 => self.link_step(),
            172..181 => self.listen()?,
            181 => self.read(),
            182..186 => self.pass_time(),
            186..189 => self.chores(),
            189..196 => self.agree()?,
            196..199 => self.carry(),
            _ => self.befall()?,
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

    /// Processes that do something now.
    pub fn awake(&self) -> Vec<NodeId> {
        self.processes.iter().filter(|(_, process)| process.is_awake() && process.node.is_some()).map(|(id, _)| *id).collect()
    }
    pub fn pick_awake(&mut self) -> Option<NodeId> {
        let awake = self.awake();
        self.rng.pick(&awake)
    }
    fn is_awake(&self, node: usize) -> bool {
        self.processes.get(&NodeId(node as u64)).is_some_and(Process::is_awake)
    }
    /// What its clock says, which may be wrong.
    fn wall_of(&self, id: NodeId) -> u64 {
        self.now_ms.saturating_add_signed(self.processes.get(&id).map_or(0, |process| process.skew_ms))
    }

    /// A process does something, and what follows from it is carried out.
    pub fn at<T>(&mut self, id: NodeId, act: impl FnOnce(&mut Node, u64, &mut Out) -> T) -> Option<T> {
        let now_ms = self.now_ms;
        let mut out = Out::default();
        let node = self.processes.get_mut(&id)?.node.as_mut()?;
        let done = act(node, now_ms, &mut out);
        self.carry_out(id, out);
        Some(done)
    }

    pub fn carry_out(&mut self, id: NodeId, mut out: Out) {
        let now_ms = self.now_ms;
        let Some(node) = self.processes.get_mut(&id).and_then(|process| process.node.as_mut()) else { return };
        for request in std::mem::take(&mut out.again) {
            node.request(request, now_ms, &mut out);
        }
        assert!(out.again.is_empty(), "what is asked again waits for its turn");
        let shown = node.shown();
        for answer in out.answers {
            if let actors::room::Outcome::Landed { seq, .. } = answer.outcome {
                self.net.lock().witness.acked(answer.room, answer.cmid, seq);
            }
            match answer.asker {
                Asker::Client(_) => self.push(Mail::Answer(answer)),
                Asker::Node(by, token) => self.processes[&id].node.as_ref().expect("it is here").answer(by, token, answer),
            }
        }
        self.tell(id, &shown);
        for work in out.works {
            self.start(id, work);
        }
    }

    /// Who waits for a node's lot.
    fn tell(&mut self, id: NodeId, shown: &[actors::outlet::Down]) {
        use actors::outlet::Down;
        for down in shown {
            let mut is_joined = false;
            for listener in
                self.listeners.iter_mut().filter(|listener| listener.place.as_ref().is_some_and(|place| NodeId(place.node as u64) == id))
            {
                listener.told(down);
                match down {
                    Down::Join { connection, .. } => is_joined |= *connection == listener.connection(),
                    // It comes again, and catches up by itself.
                    Down::Lose { .. } if self.plant == Some(Plant::HoleShown) => {}
                    Down::Lose { room, .. } if *room == listener.room && listener.place.as_ref().is_some_and(|place| place.joined) => {
                        listener.place = None;
                        if let Some(node) = &self.processes[&id].node {
                            node.subscribers.left(*room, 0, 1);
                        }
                    }
                    _ => {}
                }
            }
            // Whoever left before they came in is reported gone at once.
            if let Down::Join { room, .. } = down
                && !is_joined
                && let Some(node) = &self.processes[&id].node
            {
                node.subscribers.left(*room, 0, 1);
            }
        }
    }

    pub fn start(&mut self, id: NodeId, work: Work) {
        let finished = self.tasks.start(&self.net, id.0 as usize, work);
        self.finished(finished);
    }
    fn finished(&mut self, finished: Option<(usize, Finished)>) {
        let Some((node, finished)) = finished else { return };
        let id = NodeId(node as u64);
        match finished {
            Finished::Page(Ok(page)) => {
                let mut net = self.net.lock();
                let check = invariants::pages::check_late(&net.witness, &page);
                net.witness.hold(check);
            }
            Finished::Joined { listener, connection, missed } => {
                let listener = &mut self.listeners[listener];
                if listener.connection() == connection {
                    let was_joined = listener.place.as_ref().is_some_and(|place| place.joined);
                    listener.joined(missed);
                    if was_joined && listener.place.is_none() {
                        let room = listener.room;
                        self.at(id, |node, _, _| node.subscribers.left(room, 0, 1));
                    }
                }
            }
            finished => {
                if let (Finished::Settled { slot, to }, Some(process)) = (&finished, self.processes.get_mut(&id)) {
                    process.ending.push((*slot, *to));
                }
                self.at(id, |node, _, out| node.finished(finished, out));
            }
        }
        // What it showed by the way.
        self.carry_out(id, Out::default());
    }

    fn fault(&mut self, write: bool) -> Fault {
        if self.healing || !self.rng.chance(self.faults_per_mille) {
            return Fault::None;
        }
        self.summary.unknown += 1;
        match self.rng.below(16) {
            _ if !write => Fault::Never,
            0..5 => Fault::AnswerLost,
            5..9 => Fault::Never,
            9..15 => Fault::Late,
            _ => Fault::ReadOnly,
        }
    }

    fn answer_a_call(&mut self) {
        let waiting = self.net.lock().waiting();
        let Some((call, task, write)) = self.rng.pick(&waiting) else { return };
        let fault = self.fault(write);
        self.note(call << 3 | fault as u64);
        {
            let mut net = self.net.lock();
            net.core.set_now(self.now_ms);
            net.perform(call, fault);
        }
        match task.map(|task| (task, self.tasks.node_of(task))) {
            Some((task, Some(node))) if self.is_awake(node) => self.resume(task),
            // Who is stopped hears of it later.
            Some((task, _)) => self.tasks.wake(task),
            None => {}
        }
    }
    fn resume(&mut self, task: u64) {
        let finished = self.tasks.resume(&self.net, task);
        self.finished(finished);
        for process in self.processes.values_mut() {
            process.node.iter_mut().for_each(Node::hear_projector);
        }
    }

    /// What waited for something else than the store goes on.
    fn go_on(&mut self) {
        let woken: Vec<u64> = self.tasks.woken().into_iter().filter(|(_, node)| self.is_awake(*node)).map(|(task, _)| task).collect();
        if let Some(task) = self.rng.pick(&woken) {
            self.note(task << 1);
            self.resume(task);
        }
    }

    fn read_an_inbox(&mut self) {
        let mut ready: Vec<(NodeId, usize, Option<RoomId>)> = Vec::new();
        for (id, process) in self.processes.iter().filter(|(_, process)| process.is_awake()) {
            for (s, slot) in process.node.iter().flat_map(|node| &node.slots).enumerate() {
                ready.extend((!slot.inbox.is_empty() && !slot.catches_up).then_some((*id, s, None)));
                ready.extend(slot.rooms.iter().filter(|(_, room)| room.is_ready()).map(|(room, _)| (*id, s, Some(*room))));
            }
        }
        let Some((id, s, room)) = self.rng.pick(&ready) else { return };
        let wall_ms = self.wall_of(id);
        self.at(id, |node, _, out| match room {
            Some(room) => node.slots[s].room_turn(room, wall_ms, out),
            None => node.slots[s].turn(out),
        });
    }

    fn pass_time(&mut self) {
        let ms = match self.rng.below(40) {
            0 => 2_000,
            1..4 => 500,
            4..15 => 60,
            _ => 12,
        };
        self.now_ms += ms;
        self.note(ms);
        self.clock.block_on(tokio::time::advance(Duration::from_millis(ms)));
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
        if let Mail::Ask { node, .. } = &self.wire[place]
            && self.processes.get(node).is_some_and(|process| process.runs && process.is_paused)
        {
            return;
        }
        let mail = self.wire.swap_remove(place);
        if !self.healing && self.rng.chance(self.faults_per_mille) {
            return;
        }
        match mail {
            Mail::Ask { node, request } => drop(self.at(node, |node, now_ms, out| node.request(request, now_ms, out))),
            Mail::Answer(Answer { asker: Asker::Client(client), cmid, outcome, .. }) => {
                let asked = self.clients[client].outbox.iter().find(|request| request.order.cmid == cmid).map(|request| request.order);
                let mut net = self.net.lock();
                let check = asked.map_or(Ok(()), |order| invariants::order::check(&net.witness, &order));
                net.witness.hold(check);
                drop(net);
                self.clients[client].hear(cmid, &outcome);
            }
            Mail::Answer(_) => {}
        }
    }

    fn make(&mut self) {
        let heard = self.net.lock().witness.heard.clone();
        let client = self.rng.below(PEOPLE);
        let known = self.clients[client].outbox.len();
        self.clients[client].make(&heard, self.loud, &mut self.rng);
        let made = &self.clients[client].outbox[known..];
        self.net.lock().witness.asked.extend(made.iter().map(|request| request.order.cmid));
    }

    /// A request goes out, for the first time or again, to where its person is connected.
    fn send(&mut self) {
        let client = self.rng.below(PEOPLE);
        let is_lost = self.processes.get(&self.places[client]).is_none_or(|process| process.node.is_none());
        if is_lost || self.rng.chance(20) {
            let Some(place) = self.pick_awake() else { return };
            self.places[client] = place;
        }
        let (now_ms, said) = (self.now_ms, &mut self.said_ms);
        if let Some(request) = self.rng.pick_from(&self.clients[client].outbox)
            && said.get(&request.order.cmid).is_none_or(|said_ms| said_ms + RESEND_MS <= now_ms)
        {
            said.insert(request.order.cmid, now_ms);
            self.push(Mail::Ask { node: self.places[client], request });
        }
    }

    fn carry(&mut self) {
        let Some(id) = self.pick_awake() else { return };
        if let Some(Some(work)) = self.at(id, |node, _, _| node.carry()) {
            self.start(id, work);
        }
    }

    /// What the shells do now and then: say again, give up, ask again; a slot that waited begins anew; a room falls asleep.
    fn chores(&mut self) {
        let Some(id) = self.pick_awake() else { return };
        let (chore, slot) = (self.rng.below(5), self.rng.below(usize::from(super::group::SLOTS)));
        let parked = self.rng.next();
        self.at(id, |node, now_ms, out| match chore {
            0 => node.say_due(now_ms, out),
            1 => node.give_up(now_ms, out),
            2 => node.ask_again(),
            3 => node.follow_late(),
            _ => {
                let slot = &mut node.slots[slot];
                if std::mem::take(&mut slot.restart_due) {
                    slot.inbox.push_back(crate::slot::Mail::Restart);
                } else if !slot.catches_up && !slot.rooms.is_empty() {
                    let room = *slot.rooms.keys().nth(parked as usize % slot.rooms.len()).expect("one of them");
                    slot.park(room);
                }
            }
        });
    }

    /// A listener is delivered its frames, resumes somewhere, or leaves.
    fn listen(&mut self) -> Result<(), Broken> {
        let index = self.rng.below(LISTENERS);
        let Some((at, was_joined)) = self.listeners[index].place.as_ref().map(|place| (place.node, place.joined)) else {
            let Some(id) = self.pick_awake() else { return Ok(()) };
            let node = self.processes[&id].node.as_ref().expect("it is awake");
            let (subscribers, reader) = (node.subscribers.clone(), node.reader.clone());
            let work = self.listeners[index].resume(id.0 as usize, 0, subscribers, reader);
            self.start(id, work);
            return Ok(());
        };
        let id = NodeId(at as u64);
        if !self.is_awake(at) {
            return Ok(());
        }
        // They stay for long: what befalls the room must not cost them anything.
        if !self.healing && self.rng.chance(8) {
            let room = self.listeners[index].room;
            self.listeners[index].place = None;
            if was_joined {
                self.at(id, |node, _, _| node.subscribers.left(room, 0, 1));
            }
            return Ok(());
        }
        let listener = &mut self.listeners[index];
        let place = listener.place.as_mut().expect("looked at");
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

    /// Somebody reads a page of a room, wherever they and the room are.
    fn read(&mut self) {
        let Some(id) = self.pick_awake() else { return };
        let room = rooms()[self.rng.below(rooms().len())];
        let head = self.net.lock().witness.head(room);
        let before = 2 + self.rng.next() % (head + 1);
        let query = PageQuery { room, before: Some(before), limit: Some(20), ..PageQuery::default() };
        let (reader, asks) = (self.processes[&id].node.as_ref().expect("it is awake").reader.clone(), person(self.rng.below(PEOPLE)));
        self.start(id, Box::pin(async move { Finished::Page(reader.page(asks, query).await.map_err(|refused| refused.code)) }));
    }

    /// Whether the group holds it to be here, and to be one that takes slots.
    pub fn is_active(&self, id: NodeId) -> bool {
        self.group.state.is(id, Status::Active)
    }
}
