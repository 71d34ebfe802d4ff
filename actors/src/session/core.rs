//! Pure. A user's session: devices, rooms, markers, drafts, mentions, presence; what each input means for the user's own
//! connections, for the rooms and for the store.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use schema::client::Status;
use schema::server::{Done, Draft, Notify, Read, ReadMark, Refusal};
use schema::{ConnectionId, DeviceId, ErrorCode, LoginId, Role, RoomId, ServerEvent, UserId, limits};

use super::markers::{Mark, Markers};
use super::presence::Fold;

/// One of the user's connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attachment {
    pub connection: ConnectionId,
    pub device: DeviceId,
    pub login: LoginId,
}

/// What stays of a session in memory while it sleeps, besides its connections, which the node knows.
#[derive(Clone, Copy, Debug, Default)]
pub struct Parked {
    pub chosen: Status,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Left {
    pub text: String,
    pub unread_from: Option<u64>,
}

/// What the store and the node said when the session woke.
#[derive(Debug, Default)]
pub struct Loaded {
    pub parked: Parked,
    pub attachments: Vec<Attachment>,
    /// Role, and the seq that said so.
    pub rooms: BTreeMap<RoomId, (Role, u64)>,
    pub marks: Vec<(RoomId, Mark)>,
    pub drafts: HashMap<RoomId, Left>,
    pub mentions: HashMap<RoomId, BTreeSet<u64>>,
}

/// A room as the session knows it, for `ready`.
#[derive(Clone, Debug)]
pub struct OwnRoom {
    pub room: RoomId,
    pub role: Role,
    pub mark: Mark,
    pub unread_from: Option<u64>,
    pub mentions: Vec<u64>,
    pub draft: String,
}

#[derive(Debug)]
pub enum Input {
    Attached(Attachment),
    Detached(ConnectionId),
    Joined {
        room: RoomId,
        role: Role,
        seq: u64,
    },
    Left {
        room: RoomId,
        seq: u64,
    },
    Mentioned {
        room: RoomId,
        seq: u64,
        by: UserId,
    },
    Read {
        connection: Option<ConnectionId>,
        id: u32,
        room: RoomId,
        seq: u64,
        ordinal: u64,
    },
    Unread {
        connection: ConnectionId,
        id: u32,
        room: RoomId,
        from: Option<u64>,
    },
    Delivered {
        room: RoomId,
        seq: u64,
    },
    Draft {
        connection: ConnectionId,
        id: u32,
        room: RoomId,
        text: String,
    },
    Presence {
        connection: ConnectionId,
        id: u32,
        status: Status,
    },
    /// Time passes: save what changed, fold presence again.
    Tick,
}

#[derive(Debug, PartialEq)]
pub enum Effect {
    Send {
        connection: ConnectionId,
        event: ServerEvent,
    },
    /// For the room's other members.
    Receipt {
        room: RoomId,
        mark: Mark,
    },
    SaveMarks(Vec<(RoomId, Mark)>),
    SaveLeft {
        room: RoomId,
        left: Left,
    },
    ForgetMentions {
        room: RoomId,
        seqs: Vec<u64>,
    },
    /// The user's connections get this room from now on, and hear of it.
    Enter {
        room: RoomId,
        connections: Vec<ConnectionId>,
    },
    /// The room is one of the user's no more.
    Exit {
        room: RoomId,
        connections: Vec<ConnectionId>,
    },
    Seen {
        status: Status,
        at: u64,
    },
}

/// Mentions of one room that `ready` names.
const MENTIONS_TOLD: usize = 100;
/// Mentions of one room that are remembered; of more the oldest are forgotten.
const MENTIONS_MAX: usize = 1_000;

#[derive(Debug)]
pub struct Core {
    user: UserId,
    offline_after_ms: u64,
    attachments: Vec<Attachment>,
    rooms: BTreeMap<RoomId, (Role, u64)>,
    markers: Markers,
    drafts: HashMap<RoomId, Left>,
    mentions: HashMap<RoomId, BTreeSet<u64>>,
    presence: Fold,
    /// Connections that were there when it woke. What woke it may be in the store already, and they were not told.
    slept: Vec<ConnectionId>,
}

impl Core {
    pub fn new(user: UserId, offline_after_ms: u64, loaded: Loaded) -> Self {
        let Loaded { parked, attachments, rooms, marks, drafts, mentions } = loaded;
        let mut markers = Markers::default();
        marks.into_iter().for_each(|(room, mark)| markers.load(room, mark));
        let presence = Fold { chosen: parked.chosen, connections: attachments.len(), gone_at: None };
        let slept = attachments.iter().map(|a| a.connection).collect();
        Self { user, offline_after_ms, attachments, rooms, markers, drafts, mentions, presence, slept }
    }

    pub fn rooms(&self) -> Vec<OwnRoom> {
        self.rooms.iter().map(|(room, (role, _))| self.own_room(*room, *role)).collect()
    }
    pub fn room(&self, room: RoomId) -> Option<OwnRoom> {
        self.rooms.get(&room).map(|(role, _)| self.own_room(room, *role))
    }
    fn own_room(&self, room: RoomId, role: Role) -> OwnRoom {
        let mark = self.markers.get(room);
        let left = self.drafts.get(&room).cloned().unwrap_or_default();
        let mentions = self.mentions.get(&room).into_iter().flatten().copied().filter(|seq| *seq > mark.seq).take(MENTIONS_TOLD).collect();
        OwnRoom { room, role, mark, unread_from: left.unread_from, mentions, draft: left.text }
    }
    /// What is kept while it sleeps; `None`: nothing.
    pub fn parked(&self) -> Option<Parked> {
        let chosen = self.presence.chosen;
        (!self.attachments.is_empty() && chosen != Status::Online).then_some(Parked { chosen })
    }
    /// It may sleep: nothing is unsaved and no clock has to run for it.
    pub fn is_idle(&self, now_ms: u64) -> bool {
        let settled = self.presence.connections > 0 || self.presence.status(now_ms, self.offline_after_ms) == Status::Offline;
        settled && !self.markers.is_dirty()
    }

    pub fn handle(&mut self, input: Input, now_ms: u64, effects: &mut Vec<Effect>) {
        match input {
            Input::Attached(attachment) => {
                // A session that just woke may know it already from the node.
                self.attachments.retain(|known| known.connection != attachment.connection);
                // It gets its rooms with `ready`.
                self.slept.retain(|known| *known != attachment.connection);
                self.attachments.push(attachment);
                self.fold(now_ms, effects);
            }
            Input::Detached(connection) => {
                self.attachments.retain(|a| a.connection != connection);
                self.slept.retain(|known| *known != connection);
                self.fold(now_ms, effects);
            }
            Input::Joined { room, role, seq } => self.joined(room, role, seq, effects),
            Input::Left { room, seq } => self.left(room, seq, effects),
            Input::Mentioned { room, seq, by } => self.mentioned(room, seq, by, effects),
            Input::Read { connection, id, room, seq, ordinal } => self.read(connection, id, room, seq, ordinal, effects),
            Input::Unread { connection, id, room, from } => {
                let Some(mut left) = self.left_of(connection, id, room, effects) else { return };
                left.unread_from = from;
                self.keep_left(room, left, effects);
                self.answer(connection, id, effects);
                let mark = self.own_mark(room);
                self.tell_own(None, ServerEvent::Read(Read { room, marks: vec![mark] }), effects);
            }
            Input::Delivered { room, seq } => {
                if self.rooms.contains_key(&room) && self.markers.delivered(room, seq) {
                    effects.push(Effect::Receipt { room, mark: self.markers.get(room) });
                }
            }
            Input::Draft { connection, id, room, text } => {
                let Some(mut left) = self.left_of(connection, id, room, effects) else { return };
                if text.len() > limits::TEXT_BYTES_MAX {
                    return self.refuse(connection, id, ErrorCode::TooLong, effects);
                }
                left.text = text.clone();
                self.keep_left(room, left, effects);
                self.answer(connection, id, effects);
                self.tell_own(Some(connection), ServerEvent::Draft(Draft { room, text }), effects);
            }
            Input::Presence { connection, id, status } => {
                // Offline is not for saying: it is what closing the last connection means.
                self.presence.chosen = if status == Status::Offline { Status::Invisible } else { status };
                self.answer(connection, id, effects);
                self.fold(now_ms, effects);
            }
            Input::Tick => {
                let marks = self.markers.take_dirty();
                if !marks.is_empty() {
                    effects.push(Effect::SaveMarks(marks));
                }
                self.fold(now_ms, effects);
            }
        }
    }

    fn fold(&mut self, now_ms: u64, effects: &mut Vec<Effect>) {
        self.presence.count(self.attachments.len(), now_ms);
        effects.push(Effect::Seen { status: self.presence.status(now_ms, self.offline_after_ms), at: now_ms });
    }

    fn joined(&mut self, room: RoomId, role: Role, seq: u64, effects: &mut Vec<Effect>) {
        let before = self.rooms.get(&room).copied();
        if before.is_some_and(|(_, known)| known > seq) {
            return;
        }
        self.rooms.insert(room, (role, seq));
        // One who was in it gets its events already; what changes for them is the role, and that is an event.
        let connections = match before {
            None => self.connections(),
            Some((_, known)) if known == seq => self.slept.clone(),
            Some(_) => return,
        };
        if before.is_none() || !connections.is_empty() {
            effects.push(Effect::Enter { room, connections });
        }
    }

    fn left(&mut self, room: RoomId, seq: u64, effects: &mut Vec<Effect>) {
        let connections = match self.rooms.get(&room) {
            Some((_, known)) if *known < seq => self.connections(),
            None if !self.slept.is_empty() => self.slept.clone(),
            _ => return,
        };
        self.rooms.remove(&room);
        self.markers.forget(room);
        self.mentions.remove(&room);
        effects.push(Effect::Exit { room, connections });
    }

    fn mentioned(&mut self, room: RoomId, seq: u64, by: UserId, effects: &mut Vec<Effect>) {
        if by == self.user || !self.rooms.contains_key(&room) {
            return;
        }
        let seqs = self.mentions.entry(room).or_default();
        if seq > self.markers.get(room).seq && seqs.insert(seq) {
            if seqs.len() > MENTIONS_MAX {
                seqs.pop_first();
            }
            self.tell_own(None, ServerEvent::Notify(Notify { room, seq, user: by }), effects);
        }
    }

    fn read(&mut self, from: Option<ConnectionId>, id: u32, room: RoomId, seq: u64, ordinal: u64, effects: &mut Vec<Effect>) {
        if !self.rooms.contains_key(&room) {
            return from.into_iter().for_each(|c| self.refuse(c, id, ErrorCode::NotFound, effects));
        }
        let rose = self.markers.read(room, seq, ordinal);
        let was_unread = self.drafts.get(&room).and_then(|left| left.unread_from).is_some();
        if was_unread {
            let mut left = self.drafts.get(&room).cloned().unwrap_or_default();
            left.unread_from = None;
            self.keep_left(room, left, effects);
        }
        from.into_iter().for_each(|c| self.answer(c, id, effects));
        if !rose && !was_unread {
            return;
        }
        let mark = self.own_mark(room);
        self.tell_own(from, ServerEvent::Read(Read { room, marks: vec![mark] }), effects);
        if rose {
            effects.push(Effect::Receipt { room, mark: self.markers.get(room) });
            let seen: Vec<u64> = self.mentions.get_mut(&room).map(|seqs| seqs.extract_if(..=seq, |_| true).collect()).unwrap_or_default();
            if !seen.is_empty() {
                effects.push(Effect::ForgetMentions { room, seqs: seen });
            }
        }
    }

    fn own_mark(&self, room: RoomId) -> ReadMark {
        let mark = self.markers.get(room);
        let unread_from = self.drafts.get(&room).and_then(|left| left.unread_from);
        ReadMark { user: self.user, seq: mark.seq, delivered: mark.delivered, ordinal: mark.ordinal, unread_from }
    }

    fn left_of(&self, connection: ConnectionId, id: u32, room: RoomId, effects: &mut Vec<Effect>) -> Option<Left> {
        if !self.rooms.contains_key(&room) {
            self.refuse(connection, id, ErrorCode::NotFound, effects);
            return None;
        }
        Some(self.drafts.get(&room).cloned().unwrap_or_default())
    }

    fn keep_left(&mut self, room: RoomId, left: Left, effects: &mut Vec<Effect>) {
        if left == Left::default() {
            self.drafts.remove(&room);
        } else {
            self.drafts.insert(room, left.clone());
        }
        effects.push(Effect::SaveLeft { room, left });
    }

    fn connections(&self) -> Vec<ConnectionId> {
        self.attachments.iter().map(|a| a.connection).collect()
    }
    fn tell_own(&self, except: Option<ConnectionId>, event: ServerEvent, effects: &mut Vec<Effect>) {
        for connection in self.connections().into_iter().filter(|c| Some(*c) != except) {
            effects.push(Effect::Send { connection, event: event.clone() });
        }
    }
    fn answer(&self, connection: ConnectionId, id: u32, effects: &mut Vec<Effect>) {
        let done = Done { id, room: None, seq: None, ordinal: None, at: None };
        effects.push(Effect::Send { connection, event: ServerEvent::Ok(done) });
    }
    fn refuse(&self, connection: ConnectionId, id: u32, code: ErrorCode, effects: &mut Vec<Effect>) {
        effects.push(Effect::Send { connection, event: ServerEvent::Error(Refusal::new(id, code)) });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOM: RoomId = RoomId::from_bytes([1; 16]);
    const HERE: ConnectionId = ConnectionId { lot: 0, generation: 0, index: 7 };

    /// A session with one connection, woken when the store said this of its rooms.
    fn woken(rooms: &[(RoomId, (Role, u64))]) -> Core {
        let attachment = Attachment { connection: HERE, device: DeviceId::default(), login: LoginId::default() };
        let loaded = Loaded { attachments: vec![attachment], rooms: rooms.iter().copied().collect(), ..Loaded::default() };
        Core::new(UserId::default(), 0, loaded)
    }

    fn told(core: &mut Core, input: Input) -> Vec<Effect> {
        let mut effects = Vec::new();
        core.handle(input, 0, &mut effects);
        effects
    }

    #[test]
    fn a_room_that_wakes_a_session_reaches_the_connections_that_were_there() {
        let mut core = woken(&[(ROOM, (Role::Member, 5))]);
        let effects = told(&mut core, Input::Joined { room: ROOM, role: Role::Member, seq: 5 });
        assert_eq!(effects, vec![Effect::Enter { room: ROOM, connections: vec![HERE] }]);
    }

    #[test]
    fn a_removal_that_wakes_a_session_cuts_the_connections_that_were_there() {
        let effects = told(&mut woken(&[]), Input::Left { room: ROOM, seq: 6 });
        assert_eq!(effects, vec![Effect::Exit { room: ROOM, connections: vec![HERE] }]);
    }

    #[test]
    fn a_connection_that_came_after_waking_has_the_room_by_its_greeting() {
        let mut core = woken(&[(ROOM, (Role::Member, 5))]);
        let attachment = Attachment { connection: HERE, device: DeviceId::default(), login: LoginId::default() };
        told(&mut core, Input::Attached(attachment));
        assert_eq!(told(&mut core, Input::Joined { room: ROOM, role: Role::Member, seq: 5 }), vec![]);
    }
}
