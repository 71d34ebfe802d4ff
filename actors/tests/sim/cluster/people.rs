//! People and listeners of the cluster: what they ask, of which node, how often again; what is under way between them and nodes; and
//! what they are shown.

use actors::PageQuery;
use cluster::NodeId;

use super::world::World;
use crate::client::{PEOPLE, person, rooms};
use crate::invariants::{self, Broken};
use crate::mail::{Answer, Asker, Request};
use crate::plant::Plant;
use crate::tasks::Finished;

pub const LISTENERS: usize = 6;
/// Messages between people and nodes under way; over it the oldest is lost.
const WIRE_MAX: usize = 64;

/// A client does not say again what it said less than this ago: else all that a node does is to answer the same.
const RESEND_MS: u64 = 1_000;

pub enum Mail {
    Ask { node: NodeId, request: Request },
    Answer(Answer),
}

impl World {
    /// Who waits for a node's lot.
    pub fn tell(&mut self, id: NodeId, shown: &[actors::outlet::Down]) {
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

    pub fn push(&mut self, mail: Mail) {
        self.wire.push(mail);
        if self.wire.len() > WIRE_MAX {
            self.wire.remove(0);
        }
    }

    pub fn deliver(&mut self) {
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

    pub fn make(&mut self) {
        let heard = self.net.lock().witness.heard.clone();
        let client = self.rng.below(PEOPLE);
        let known = self.clients[client].outbox.len();
        self.clients[client].make(&heard, self.loud, &mut self.rng);
        let made = &self.clients[client].outbox[known..];
        self.net.lock().witness.asked.extend(made.iter().map(|request| request.order.cmid));
    }

    /// A request goes out, for the first time or again, to where its person is connected.
    pub fn send(&mut self) {
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

    /// A listener is delivered its frames, resumes somewhere, or leaves.
    pub fn listen(&mut self) -> Result<(), Broken> {
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
    pub fn read(&mut self) {
        let Some(id) = self.pick_awake() else { return };
        let room = rooms()[self.rng.below(rooms().len())];
        let head = self.net.lock().witness.head(room);
        let before = 2 + self.rng.next() % (head + 1);
        let query = PageQuery { room, before: Some(before), limit: Some(20), ..PageQuery::default() };
        let (reader, asks) = (self.processes[&id].node.as_ref().expect("it is awake").reader.clone(), person(self.rng.below(PEOPLE)));
        self.start(id, Box::pin(async move { Finished::Page(reader.page(asks, query).await.map_err(|refused| refused.code)) }));
    }
}
