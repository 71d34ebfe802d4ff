//! A person who asks for things: an outbox whose requests are resent verbatim, to any node, until they are answered for
//! good. It hears of heads from others, as clients do; its own events it knows by their acks alone, which is harder.

use std::collections::BTreeMap;

use actors::room::Outcome;
use schema::client::{Act, Order};
use schema::{Cmid, Role, RoomId, RoomKind, RoomSettings, UserId};

use crate::mail::{Asker, Request};
use crate::rng::Rng;

pub struct Client {
    index: usize,
    pub user: UserId,
    pub outbox: Vec<Request>,
    made: u64,
    /// Sends nothing and hears nothing until then.
    pub asleep_until: u64,
}

pub const PEOPLE: usize = 4;
/// Requests without an answer.
const OUTBOX_MAX: usize = 4;

/// A member of every room from the beginning, who never says anything and is not removed.
pub fn listener() -> UserId {
    person(PEOPLE + 2)
}

pub fn person(index: usize) -> UserId {
    UserId::from_bytes([index as u8 + 1; 16])
}

/// The rooms of every world: a workspace, a channel of it, and two groups.
pub fn rooms() -> [RoomId; 4] {
    // Each in a shard of its own of whatever is kept by room: no order of a hash table comes into the world.
    [0xa1, 0xa2, 0xa3, 0xa4].map(|byte| RoomId::from_bytes([byte, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, byte]))
}

impl Client {
    pub fn new(index: usize) -> Self {
        Self { index, user: person(index), outbox: Vec::new(), made: 0, asleep_until: 0 }
    }

    /// Something new to ask for. The first person makes the rooms that nobody has heard of yet.
    pub fn make(&mut self, heard: &BTreeMap<RoomId, u64>, loud: bool, rng: &mut Rng) {
        let unmade = rooms().into_iter().find(|room| !heard.contains_key(room));
        let busy = self.outbox.len() >= OUTBOX_MAX;
        match unmade {
            Some(room) if self.index == 0 && !self.outbox.iter().any(|r| r.order.room == room) => self.ask(room, 0, false, create(room)),
            _ if busy => {}
            _ => {
                let known: Vec<RoomId> = heard.keys().copied().collect();
                // One room is busier than all others.
                let busy = rooms()[2];
                let busy = (known.contains(&busy) && rng.chance(600)).then_some(busy);
                let Some(room) = busy.or_else(|| rng.pick(&known)) else { return };
                let act = self.act(heard[&room], loud, rng);
                let keyed = rng.chance(100);
                self.ask(room, heard[&room], keyed, act);
            }
        }
    }

    fn ask(&mut self, room: RoomId, heard: u64, keyed: bool, act: Act) {
        self.made += 1;
        let mut bytes = [0; 16];
        bytes[0] = self.index as u8 + 1;
        bytes[8..].copy_from_slice(&self.made.to_be_bytes());
        bytes[6] = if keyed { 0x80 } else { 0x70 };
        bytes[8] = 0x80;
        let before = self.outbox.iter().rev().find(|request| request.order.room == room && !keyed && !is_keyed(request));
        // What this device does not know the fate of may lie below a head that it has heard of.
        let after = before.map_or(heard, |request| request.order.after.min(heard));
        let prev = before.map(|request| request.order.cmid);
        let order = Order { id: 0, room, cmid: Cmid::from_bytes(bytes), after: if keyed { 0 } else { after }, prev };
        self.outbox.push(Request { asker: Asker::Client(self.index), user: self.user, order, act });
    }

    fn act(&self, head: u64, loud: bool, rng: &mut Rng) -> Act {
        let recent = head.saturating_sub(4);
        let target =
            if rng.chance(500) { recent + 1 + rng.below((head - recent) as usize) as u64 } else { 1 + rng.below(head as usize) as u64 };
        let text = |rng: &mut Rng| {
            let long = if loud && rng.chance(600) { 15_000 } else { 4 };
            format!("{:x}{}", rng.next(), "~".repeat(long))
        };
        match rng.below(100) {
            0..62 => Act::Post { text: text(rng), reply: None, origin: None },
            62..70 => Act::Edit { target, text: text(rng) },
            70..78 => Act::Delete { target, reason: None },
            78..87 => Act::React { target, emoji: ["+1", "-1"][rng.below(2)].into(), on: rng.chance(700) },
            87..90 => Act::Pin { target, on: rng.chance(500) },
            90..94 => Act::Invite { user: person(rng.below(PEOPLE + 2)) },
            94..95 => Act::Kick { user: person(rng.below(PEOPLE + 2)) },
            95..96 => Act::Leave,
            96..97 => Act::Join,
            97..98 => Act::Role { user: person(rng.below(PEOPLE)), role: [Role::Member, Role::Moderator][rng.below(2)] },
            _ => Act::Settings { settings: settings(rooms()[rng.below(4)], &format!("name {}", rng.below(9))) },
        }
    }

    pub fn hear(&mut self, cmid: Cmid, outcome: &Outcome) {
        if matches!(outcome, Outcome::Refused(refused) if refused.code.is_temporary()) {
            return;
        }
        let Some(place) = self.outbox.iter().position(|request| request.order.cmid == cmid) else { return };
        let settled = self.outbox.remove(place);
        // What was refused for good will never be in the room: who waits for it waits for the one before.
        if let Outcome::Refused(_) = outcome {
            for request in self.outbox.iter_mut().filter(|request| request.order.prev == Some(cmid)) {
                request.order.prev = settled.order.prev;
            }
        }
    }
}

/// Of a REST caller: no head, no order among requests.
fn is_keyed(request: &Request) -> bool {
    request.order.cmid.0.get_version_num() == 8
}

fn create(room: RoomId) -> Act {
    let kind = [RoomKind::Workspace, RoomKind::Channel, RoomKind::Group, RoomKind::Group];
    let place = rooms().iter().position(|known| *known == room).expect("one of the four");
    Act::Create { kind: kind[place], settings: settings(room, "name"), members: (1..PEOPLE).map(person).chain([listener()]).collect() }
}

fn settings(room: RoomId, name: &str) -> RoomSettings {
    let channel = room == rooms()[1];
    RoomSettings { name: name.into(), workspace: channel.then_some(rooms()[0]), public: channel, ..RoomSettings::default() }
}
