//! The whole cluster of one seed: processes, their links, the group that agrees, one store, people and listeners. Every step is one
//! event, and chance alone decides which; the product's timers run on a clock that only the world moves.

use std::collections::BTreeMap;
use std::time::Duration;

use cluster::{NodeId, Status};
use schema::{Cmid, RoomId};
use store::sim::Fault;
use tokio::runtime::Runtime;

use super::Summary;
use super::group::{Group, Member};
use super::link;
use super::node::Node;
use super::people::{LISTENERS, Mail};
use crate::client::{Client, PEOPLE, rooms};
use crate::invariants::{self, Broken};
use crate::listener::Listener;
use crate::mail::{Asker, Out};
use crate::net::{Net, Shared, draw_fault};
use crate::plant::Plant;
use crate::rng::Rng;
use crate::tasks::{Finished, Tasks, Work};

pub const NODES: u64 = 3;
/// Of each round: a time of faults, then one without, in which all has to heal.
const STEPS_WITH_FAULTS: usize = 9_000;
const ROUNDS: usize = 3;
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
    pub places: Vec<NodeId>,
    pub listeners: Vec<Listener>,
    pub wire: Vec<Mail>,
    /// When each request was last sent.
    pub said_ms: BTreeMap<Cmid, u64>,
    clock: Runtime,
    pub now_ms: u64,
    pub faults_per_mille: u64,
    /// Failures of nodes and links are rare.
    pub calm: bool,
    pub loud: bool,
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
    pub fn is_awake(&self, node: usize) -> bool {
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
        draw_fault(&mut self.rng, write, 1)
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
                    slot.inbox.push_back(crate::mail::Mail::Restart);
                } else if !slot.catches_up && !slot.rooms.is_empty() {
                    let room = *slot.rooms.keys().nth(parked as usize % slot.rooms.len()).expect("one of them");
                    slot.park(room);
                }
            }
        });
    }

    /// Whether the group holds it to be here, and to be one that takes slots.
    pub fn is_active(&self, id: NodeId) -> bool {
        self.group.state.is(id, Status::Active)
    }
}
