//! What befalls the cluster from outside: crashes, stops, partitions, late writes, jumps of clocks, nodes that come and go. And how it
//! heals in the end.

use actors::PageQuery;
use cluster::{Command, NodeId, Status};
use schema::{RoomId, SlotId};

use super::group::SLOTS;
use super::node::Node;
use super::world::{Process, World};
use crate::client::{PEOPLE, listener, person, rooms};
use crate::invariants::{self, Broken};
use crate::mail::Mail;
use crate::tasks::at_once;

const STEPS_TO_HEAL: usize = 80_000;
const NODES_MAX: usize = 5;

impl World {
    pub fn befall(&mut self) -> Result<(), Broken> {
        match self.rng.below(100) {
            0..30 => self.land(),
            30..40 => return self.look(),
            40..56 => self.restart_or_go_on(),
            56..66 => self.mend_links(),
            _ if self.healing || (self.calm && self.rng.chance(600)) => {}
            66..73 => self.fail_a_room(),
            73..77 => self.crash_one(),
            77..82 => self.pause_one(),
            82..89 => self.cut(),
            89..91 => self.jump(),
            91..96 => self.rebalance(),
            96..98 => self.come_or_go(),
            _ => self.let_go(),
        }
        Ok(())
    }

    fn land(&mut self) {
        let held: Vec<u64> = self.net.lock().core.held().map(|(ticket, _)| ticket).collect();
        if let Some(ticket) = self.rng.pick(&held) {
            let lost = self.rng.chance(200);
            self.note(ticket << 1 | u64::from(lost));
            self.net.lock().land(ticket, lost);
        }
    }

    fn any(&mut self, which: impl Fn(&Process) -> bool) -> Option<NodeId> {
        let ids: Vec<NodeId> = self.processes.iter().filter(|(_, process)| which(process)).map(|(id, _)| *id).collect();
        self.rng.pick(&ids)
    }

    fn fail_a_room(&mut self) {
        let Some(id) = self.pick_awake() else { return };
        let pick = self.rng.next() as usize;
        self.at(id, |node, _, _| {
            let busy = node.slots.iter_mut().flat_map(|slot| {
                let busy = slot.rooms.iter().filter(|(_, room)| !room.is_idle()).map(|(id, room)| (*id, room.incarnation));
                busy.collect::<Vec<_>>().into_iter().map(|(room, incarnation)| (slot.id, room, incarnation)).collect::<Vec<_>>()
            });
            let busy: Vec<(SlotId, RoomId, u64)> = busy.collect();
            if let Some((slot, room, incarnation)) = busy.get(pick % busy.len().max(1)) {
                // The supervisor hears of it before it reads on.
                node.slot(*slot).inbox.push_front(Mail::Lost { room: *room, incarnation: *incarnation });
            }
        });
    }

    /// The process dies, and nothing of it is left but what it had sent.
    fn crash(&mut self, id: NodeId) {
        self.note(id.0);
        let process = self.processes.get_mut(&id).expect("a node");
        let node = process.node.take();
        (process.runs, process.is_paused, process.incarnation) = (false, false, 0);
        process.ending.clear();
        self.tasks.drop_of(id.0 as usize);
        drop(node);
        let Self { links, rng, .. } = self;
        links.lock().crash(id, |frames| rng.below(frames + 1));
        for listener in &mut self.listeners {
            listener.place.take_if(|place| place.node as u64 == id.0);
        }
    }
    fn crash_one(&mut self) {
        if let Some(id) = self.any(|process| process.runs) {
            self.summary.crashes += 1;
            self.crash(id);
        }
    }
    fn pause_one(&mut self) {
        if let Some(id) = self.any(Process::is_awake) {
            self.summary.pauses += 1;
            self.processes.get_mut(&id).expect("picked").is_paused = true;
        }
    }
    fn restart_or_go_on(&mut self) {
        if let Some(id) = self.any(|process| !process.is_awake() && !process.leaves) {
            let process = self.processes.get_mut(&id).expect("picked");
            (process.runs, process.is_paused) = (true, false);
        }
    }

    /// One from all others, one way or both; two from each other; or in a ring, each from the next.
    fn cut(&mut self) {
        let ids: Vec<NodeId> = self.processes.keys().copied().collect();
        let (Some(one), Some(two)) = (self.rng.pick(&ids), self.rng.pick(&ids)) else { return };
        self.summary.partitions += 1;
        let mut cut: Vec<(NodeId, NodeId)> = match self.rng.below(5) {
            0 => ids.iter().flat_map(|other| [(one, *other), (*other, one)]).collect(),
            1 => ids.iter().map(|other| (one, *other)).collect(),
            2 => ids.iter().map(|other| (*other, one)).collect(),
            3 => vec![(one, two), (two, one)],
            _ => ids.windows(2).map(|pair| (pair[0], pair[1])).collect(),
        };
        cut.retain(|(from, to)| from != to);
        self.links.lock().cut.extend(cut);
    }
    fn mend_links(&mut self) {
        let is_all = self.rng.chance(600);
        let mut links = self.links.lock();
        let cut: Vec<_> = links.cut.iter().copied().collect();
        match self.rng.pick(&cut) {
            Some(_) if is_all => links.cut.clear(),
            Some(one) => drop(links.cut.remove(&one)),
            None => {}
        }
    }

    /// A clock is an hour wrong, or right again.
    fn jump(&mut self) {
        let skew_ms = [0, 0, 3_600_000, -3_600_000, 4_000, -900][self.rng.below(6)];
        if let Some(id) = self.any(|process| process.runs) {
            self.processes.get_mut(&id).expect("picked").skew_ms = skew_ms;
        }
    }

    fn rebalance(&mut self) {
        let (slot, to) = (SlotId(self.rng.below(usize::from(SLOTS)) as u16), self.pick_awake());
        if let Some(to) = to.filter(|to| self.is_active(*to) && self.has_quorum(*to)) {
            self.commit(Command::BeginMove { slot, to });
        }
    }

    fn come_or_go(&mut self) {
        let here = self.processes.values().filter(|process| !process.leaves).count();
        let Some(by) = self.pick_awake().filter(|by| self.has_quorum(*by)) else { return };
        if here < NODES_MAX && self.rng.chance(500) {
            let number = self.group.log.len() as u64 + 1;
            if let Some(id) = self.group.join(number, &mut self.net.lock().witness) {
                self.summary.joins += 1;
                self.processes.insert(id, Process::new(Default::default()));
            }
        } else if here > 3 && self.is_active(by) {
            self.summary.leaves += 1;
            self.commit(Command::Drain { node: by });
            self.processes.get_mut(&by).expect("picked").leaves = true;
        }
    }

    /// Who was told to go and has nothing left ends, and is forgotten.
    fn let_go(&mut self) {
        let gone = self.processes.iter().find(|(id, process)| process.leaves && self.group.state.owned_by(**id) == 0).map(|(id, _)| *id);
        let Some(id) = gone else { return };
        let others: Vec<NodeId> = self.awake().into_iter().filter(|other| *other != id).collect();
        let Some(by) = self.rng.pick(&others).filter(|by| self.has_quorum(*by)) else { return };
        if self.processes[&id].runs {
            return self.crash(id);
        }
        if by != id && self.commit(Command::Remove { node: id }) == cluster::Outcome::Done {
            self.processes.remove(&id);
            self.links.lock().lanes.retain(|(from, to), _| *from != id && *to != id);
        }
    }

    /// A page from whoever owns the room now, while everything else stands still.
    fn look(&mut self) -> Result<(), Broken> {
        let room = rooms()[self.rng.below(rooms().len())];
        let Some(id) = self.pick_awake() else { return Ok(()) };
        let node = self.processes[&id].node.as_ref().expect("it is awake");
        let slot = &node.slots[usize::from(node.reader.slot(room).0)];
        let fenced = self.net.lock().witness.slots.get(&slot.id).map(|slot| slot.fenced);
        if !slot.is_serving() || slot.catches_up || Some(slot.epoch()) != fenced || node.reader.tail_here(room).is_none() {
            return Ok(());
        }
        let before = 2 + self.rng.next() % (self.net.lock().witness.head(room) + 1);
        self.page(id, room, before)
    }
    fn page(&mut self, id: NodeId, room: RoomId, before: u64) -> Result<(), Broken> {
        // With pages of its own: one that somebody is reading just now would not be had before they have it.
        let reader = self.processes[&id].node.as_ref().expect("it is awake").reader.clone().keeping(1 << 20);
        let query = PageQuery { room, before: Some(before), limit: Some(20), ..PageQuery::default() };
        let asks = person(self.rng.below(PEOPLE));
        match at_once(&self.net, async move { reader.page(asks, query).await }) {
            Ok(page) => invariants::pages::check(&self.net.lock().witness, &page),
            Err(_) => Ok(()),
        }
    }

    pub fn heal(&mut self) -> Result<(), Broken> {
        self.healing = true;
        self.reset_links();
        for process in self.processes.values_mut() {
            (process.is_paused, process.skew_ms) = (false, 0);
            process.runs |= !process.leaves;
        }
        for steps in 0..STEPS_TO_HEAL {
            self.step()?;
            if steps % 256 == 0 {
                self.let_go();
                if self.left().is_empty() {
                    break;
                }
            }
        }
        invariants::healed::check(&self.left())?;
        Ok(())
    }

    /// All can reach each other again, and some have to begin anew for it.
    fn reset_links(&mut self) {
        let Self { links, rng, .. } = self;
        let mut links = links.lock();
        links.cut.clear();
        let lanes: Vec<(NodeId, NodeId)> = links.lanes.keys().copied().collect();
        for (from, to) in lanes {
            if rng.chance(400) {
                let arrive = rng.below(links.lane(from, to).frames.len() + 1);
                links.end(from, to, arrive);
            }
        }
    }

    /// What has not healed yet.
    fn left(&self) -> Vec<String> {
        let mut left = Vec::new();
        for client in &self.clients {
            left.extend(client.outbox.first().map(|request| format!("{} waits for {:?}", client.user, request.order)));
        }
        let net = self.net.lock();
        for listener in &self.listeners {
            let (head, at) =
                (net.witness.head(listener.room), listener.place.as_ref().map(|place| (place.node, place.joined, place.greeted)));
            left.extend(
                (listener.last < head).then(|| format!("a listener of {} has {} of {head}, at {at:?}", listener.room, listener.last)),
            );
        }
        left.extend(net.core.held().next().map(|(_, op)| format!("held: {op:?}")));
        for (slot, journaled) in &net.witness.slots {
            let (mark, head) = (journaled.watermark, journaled.blocks.len() as u64);
            left.extend((mark < head).then(|| format!("slot {} is carried to {mark} of {head}", slot.0)));
        }
        for (id, process) in &self.processes {
            let (known, all) = (process.member.known, self.group.log.len());
            left.extend(process.leaves.then(|| format!("node {} has not gone", id.0)));
            left.extend((known < all).then(|| format!("node {} knows {known} entries of {all}", id.0)));
            left.extend(
                process.node.as_ref().map_or(Some("it has not begun".into()), Node::left).map(|left| format!("node {}: {left}", id.0)),
            );
            left.extend((!self.group.state.is(*id, Status::Active)).then(|| format!("node {} is not active", id.0)));
        }
        for (slot, placement) in self.group.state.slots.iter().enumerate() {
            let node = self.processes.get(&placement.owner).and_then(|process| process.node.as_ref());
            let serves = node.is_some_and(|node| node.slots[slot].is_serving() && node.slots[slot].grant == placement.grant);
            left.extend((!serves || placement.moving.is_some()).then(|| format!("slot {slot} is not served: {placement:?}")));
        }
        left
    }

    pub fn look_at_the_end(&mut self) -> Result<(), Broken> {
        let newest = self.group.state.table();
        let tables: Vec<_> = self.processes.iter().filter_map(|(id, process)| Some((*id, process.node.as_ref()?.ring.table()))).collect();
        invariants::agreement::all(&newest, tables.iter().map(|(id, table)| (*id, &**table)))?;
        let people: Vec<_> = (0..PEOPLE + 2).map(person).chain([listener()]).collect();
        let rooms: Vec<(RoomId, u64)> = self.net.lock().witness.rooms.iter().map(|(room, events)| (*room, events.len() as u64)).collect();
        for (room, head) in rooms {
            let slot = self.processes.values().find_map(|process| Some(process.node.as_ref()?.reader.slot(room))).expect("a node");
            let owner = newest.slots[usize::from(slot.0)].owner;
            let reader = self.processes[&owner].node.as_ref().expect("it serves").reader.clone();
            let stored = at_once(&self.net, invariants::lists::read(reader, room, people.clone()))?;
            invariants::lists::check(&self.net.lock().witness, room, &stored)?;
            for before in (2..=head + 1).rev().step_by(20) {
                self.page(owner, room, before)?;
            }
        }
        let net = self.net.lock();
        self.summary.events = net.witness.rooms.values().map(|events| events.len() as u64).sum();
        self.summary.acks = net.witness.acks.len() as u64;
        net.witness.acks.iter().try_for_each(|((room, cmid), seq)| invariants::acked::check(&net.witness, *room, *cmid, *seq))?;
        invariants::erased::all(&net.witness, &net.core)
    }
}
