//! Pure. A user's session: what each input means for what the user has in their rooms (`rooms`), for the user's own
//! connections (`connections`), for others who look (`presence`) and for the store.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use schema::client::Status;
use schema::server::{Done, Draft, Notify, Read, ReadMark, Refusal};
use schema::{ConnectionId, ErrorCode, Role, RoomId, ServerEvent, UserId, limits};

pub use super::connections::Attachment;
use super::connections::Connections;
use super::markers::Mark;
use super::presence::Fold;
use super::rooms::{Departed, Joined, Rooms};
pub use super::rooms::{Left, OwnRoom};
use crate::error::Refused;

pub const BEYOND: Refused = Refused { code: ErrorCode::BadRequest, why: "fields `seq`, `ordinal`: they are beyond the room's head" };

/// What stays of a session in memory while it sleeps, besides its connections, which the node knows.
#[derive(Clone, Copy, Debug, Default)]
pub struct Parked {
    pub chosen: Status,
}

/// What the store and the node said when the session woke.
#[derive(Debug, Default)]
pub struct Loaded {
    pub parked: Parked,
    pub attachments: Vec<Attachment>,
    /// Since when there are none, if others still see the user: milliseconds since 1970.
    pub gone_at: Option<u64>,
    /// Role, and the seq that said so.
    pub rooms: BTreeMap<RoomId, (Role, u64)>,
    pub marks: Vec<(RoomId, Mark)>,
    pub drafts: HashMap<RoomId, Left>,
    pub mentions: HashMap<RoomId, BTreeSet<u64>>,
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
    /// A marker beyond the room's head. Who is not in the room is not told that it has one.
    Misread {
        connection: ConnectionId,
        id: u32,
        room: RoomId,
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

impl Input {
    /// Whom it is answered to, and as which request.
    pub fn asked_by(&self) -> Option<(ConnectionId, u32)> {
        match *self {
            Self::Read { connection, id, .. } => connection.map(|connection| (connection, id)),
            Self::Misread { connection, id, .. }
            | Self::Unread { connection, id, .. }
            | Self::Draft { connection, id, .. }
            | Self::Presence { connection, id, .. } => Some((connection, id)),
            _ => None,
        }
    }
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
    /// What the user wants to be seen as, from now on and after every restart.
    SaveChosen(Status),
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

#[derive(Debug)]
pub struct Core {
    user: UserId,
    offline_after_ms: u64,
    rooms: Rooms,
    own: Connections,
    presence: Fold,
}

impl Core {
    pub fn new(user: UserId, offline_after_ms: u64, loaded: Loaded) -> Self {
        let Loaded { parked, attachments, gone_at, rooms, marks, drafts, mentions } = loaded;
        let presence = Fold { chosen: parked.chosen, connections: attachments.len(), gone_at };
        let rooms = Rooms::new(rooms, marks, drafts, mentions);
        Self { user, offline_after_ms, rooms, own: Connections::woken(attachments), presence }
    }

    pub fn rooms(&self) -> Vec<OwnRoom> {
        self.rooms.all().collect()
    }
    pub fn room(&self, room: RoomId) -> Option<OwnRoom> {
        self.rooms.own(room)
    }
    /// Rooms that are not among these any more, each with a seq at which it was left.
    pub fn departed(&self, now: &BTreeMap<RoomId, (Role, u64)>) -> Vec<(RoomId, u64)> {
        self.rooms.roles().filter(|(room, _)| !now.contains_key(room)).map(|(room, seq)| (room, seq + 1)).collect()
    }
    /// What is kept while it sleeps; `None`: nothing.
    pub fn parked(&self) -> Option<Parked> {
        let chosen = self.presence.chosen;
        (self.own.count() > 0 && chosen != Status::Online).then_some(Parked { chosen })
    }
    /// It may sleep: nothing is unsaved and no clock has to run for it.
    pub fn is_idle(&self, now_ms: u64) -> bool {
        let settled = self.presence.connections > 0 || self.presence.status(now_ms, self.offline_after_ms) == Status::Offline;
        settled && !self.rooms.is_dirty()
    }

    pub fn handle(&mut self, input: Input, now_ms: u64, effects: &mut Vec<Effect>) {
        match input {
            Input::Attached(attachment) => {
                self.own.attach(attachment);
                self.fold(now_ms, effects);
            }
            Input::Detached(connection) => {
                self.own.detach(connection);
                // Also for a session that slept and wakes to hear of it: there was one more until now.
                self.presence.connections = self.own.count() + 1;
                self.fold(now_ms, effects);
            }
            Input::Joined { room, role, seq } => self.joined(room, role, seq, effects),
            Input::Left { room, seq } => self.left(room, seq, effects),
            Input::Mentioned { room, seq, by } if by != self.user && self.rooms.mention(room, seq) => {
                self.own.tell(None, ServerEvent::Notify(Notify { room, seq, user: by }), effects);
            }
            // By oneself, or known.
            Input::Mentioned { .. } => {}
            Input::Read { connection, id, room, seq, ordinal } => self.read(connection, id, room, seq, ordinal, effects),
            Input::Misread { connection, id, room } => {
                let why = if self.rooms.has(room) { BEYOND } else { ErrorCode::NotFound.into() };
                effects.push(Effect::Send { connection, event: ServerEvent::Error(why.refusal(id)) });
            }
            Input::Unread { connection, id, room, from } => self.unread(connection, id, room, from, effects),
            Input::Delivered { room, seq } => {
                if self.rooms.deliver(room, seq) {
                    effects.push(Effect::Receipt { room, mark: self.rooms.mark(room) });
                }
            }
            Input::Draft { connection, id, room, text } => self.draft(connection, id, room, text, effects),
            Input::Presence { connection, id, status } => {
                // Offline is not for saying: it is what closing the last connection means.
                self.presence.chosen = if status == Status::Offline { Status::Invisible } else { status };
                effects.push(Effect::SaveChosen(self.presence.chosen));
                answer(connection, id, effects);
                self.fold(now_ms, effects);
            }
            Input::Tick => {
                let marks = self.rooms.take_dirty();
                if !marks.is_empty() {
                    effects.push(Effect::SaveMarks(marks));
                }
                self.fold(now_ms, effects);
            }
        }
    }

    fn fold(&mut self, now_ms: u64, effects: &mut Vec<Effect>) {
        self.presence.count(self.own.count(), now_ms);
        effects.push(Effect::Seen { status: self.presence.status(now_ms, self.offline_after_ms), at: now_ms });
    }

    fn joined(&mut self, room: RoomId, role: Role, seq: u64, effects: &mut Vec<Effect>) {
        match self.rooms.join(room, role, seq) {
            Joined::Came => effects.push(Effect::Enter { room, connections: self.own.all() }),
            Joined::Known if !self.own.slept().is_empty() => effects.push(Effect::Enter { room, connections: self.own.slept() }),
            // One who was in it gets its events already; what changes for them is the role, and that is an event.
            Joined::Known | Joined::Role | Joined::Stale => {}
        }
    }

    fn left(&mut self, room: RoomId, seq: u64, effects: &mut Vec<Effect>) {
        let connections = match self.rooms.leave(room, seq) {
            Departed::Went => self.own.all(),
            Departed::Known if !self.own.slept().is_empty() => self.own.slept(),
            Departed::Known | Departed::Stale => return,
        };
        effects.push(Effect::Exit { room, connections });
    }

    fn read(&mut self, from: Option<ConnectionId>, id: u32, room: RoomId, seq: u64, ordinal: u64, effects: &mut Vec<Effect>) {
        let Some(change) = self.rooms.read(room, seq, ordinal) else {
            return from.into_iter().for_each(|connection| refuse(connection, id, ErrorCode::NotFound, effects));
        };
        let was_unread = change.left.is_some();
        effects.extend(change.left.map(|left| Effect::SaveLeft { room, left }));
        from.into_iter().for_each(|connection| answer(connection, id, effects));
        if !change.rose && !was_unread {
            return;
        }
        self.tell_mark(from, room, effects);
        if change.rose {
            effects.push(Effect::Receipt { room, mark: self.rooms.mark(room) });
        }
        if !change.mentions.is_empty() {
            effects.push(Effect::ForgetMentions { room, seqs: change.mentions });
        }
    }

    fn unread(&mut self, connection: ConnectionId, id: u32, room: RoomId, from: Option<u64>, effects: &mut Vec<Effect>) {
        let Some(left) = self.rooms.change_left(room, |left| left.unread_from = from) else {
            return refuse(connection, id, ErrorCode::NotFound, effects);
        };
        effects.push(Effect::SaveLeft { room, left });
        answer(connection, id, effects);
        self.tell_mark(None, room, effects);
    }

    fn draft(&mut self, connection: ConnectionId, id: u32, room: RoomId, text: String, effects: &mut Vec<Effect>) {
        if !self.rooms.has(room) {
            return refuse(connection, id, ErrorCode::NotFound, effects);
        }
        if text.len() > limits::TEXT_BYTES_MAX {
            return refuse(connection, id, ErrorCode::TooLong, effects);
        }
        let left = self.rooms.change_left(room, |left| left.text.clone_from(&text));
        effects.extend(left.map(|left| Effect::SaveLeft { room, left }));
        answer(connection, id, effects);
        self.own.tell(Some(connection), ServerEvent::Draft(Draft { room, text }), effects);
    }

    fn tell_mark(&self, except: Option<ConnectionId>, room: RoomId, effects: &mut Vec<Effect>) {
        let (mark, unread_from) = (self.rooms.mark(room), self.rooms.unread_from(room));
        let mark = ReadMark { user: self.user, seq: mark.seq, delivered: mark.delivered, ordinal: mark.ordinal, unread_from };
        self.own.tell(except, ServerEvent::Read(Read { room, marks: vec![mark] }), effects);
    }
}

fn answer(connection: ConnectionId, id: u32, effects: &mut Vec<Effect>) {
    let done = Done { id, room: None, seq: None, ordinal: None, at: None };
    effects.push(Effect::Send { connection, event: ServerEvent::Ok(done) });
}
fn refuse(connection: ConnectionId, id: u32, code: ErrorCode, effects: &mut Vec<Effect>) {
    effects.push(Effect::Send { connection, event: ServerEvent::Error(Refusal::new(id, code)) });
}

#[cfg(test)]
mod tests {
    use schema::LoginId;

    use super::*;

    const ROOM: RoomId = RoomId::from_bytes([1; 16]);
    const HERE: ConnectionId = ConnectionId { lot: 0, generation: 0, index: 7 };

    /// A session with one connection, woken when the store said this of its rooms.
    fn woken(rooms: &[(RoomId, (Role, u64))]) -> Core {
        let attachment = Attachment { connection: HERE, login: LoginId::default() };
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
    fn who_closes_the_last_connection_of_a_session_that_slept_is_seen_a_while_longer() {
        let mut core = Core::new(UserId::default(), 20_000, Loaded::default());
        let mut seen = |input, now_ms| {
            let mut effects = Vec::new();
            core.handle(input, now_ms, &mut effects);
            effects
        };
        assert_eq!(seen(Input::Detached(HERE), 1_000), [Effect::Seen { status: Status::Online, at: 1_000 }]);
        assert_eq!(seen(Input::Tick, 20_999), [Effect::Seen { status: Status::Online, at: 20_999 }]);
        assert_eq!(seen(Input::Tick, 21_000), [Effect::Seen { status: Status::Offline, at: 21_000 }]);
    }

    #[test]
    fn a_session_that_wakes_for_somebody_who_just_went_shows_them_a_while_longer() {
        let mut core = Core::new(UserId::default(), 20_000, Loaded { gone_at: Some(1_000), ..Loaded::default() });
        let mut seen = |now_ms| {
            let mut effects = Vec::new();
            core.handle(Input::Tick, now_ms, &mut effects);
            (effects, core.is_idle(now_ms))
        };
        assert_eq!(seen(20_999), (vec![Effect::Seen { status: Status::Online, at: 20_999 }], false));
        assert_eq!(seen(21_000), (vec![Effect::Seen { status: Status::Offline, at: 21_000 }], true));
    }

    #[test]
    fn a_connection_that_came_after_waking_has_the_room_by_its_greeting() {
        let mut core = woken(&[(ROOM, (Role::Member, 5))]);
        let attachment = Attachment { connection: HERE, login: LoginId::default() };
        told(&mut core, Input::Attached(attachment));
        assert_eq!(told(&mut core, Input::Joined { room: ROOM, role: Role::Member, seq: 5 }), vec![]);
    }
}
