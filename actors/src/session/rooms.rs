//! Pure. What a user has in each of their rooms: a role, how far they have read, what they left unsent or unread, who named
//! them. Says what a word changed; whom to tell of it is the session's.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use schema::{Role, RoomId};

use super::markers::{Mark, Markers};

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Left {
    pub text: String,
    pub unread_from: Option<u64>,
}

pub use schema::peer::OwnRoom;

/// What it meant that the user has a role in a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Joined {
    Came,
    /// The same word as before.
    Known,
    /// Was in it; the role is a newer one.
    Role,
    Stale,
}

/// What it meant that the user is out of a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Departed {
    Went,
    /// Was not in it.
    Known,
    Stale,
}

/// What reading changed.
#[derive(Debug, PartialEq, Eq)]
pub struct Change {
    pub rose: bool,
    /// What is left now, if the room had been marked unread.
    pub left: Option<Left>,
    /// Mentions that are seen now.
    pub mentions: Vec<u64>,
}

/// Mentions of one room that `ready` names.
const MENTIONS_TOLD: usize = 100;
/// Mentions of one room that are remembered; of more the oldest are forgotten.
const MENTIONS_MAX: usize = 1_000;

#[derive(Debug)]
pub struct Rooms {
    /// Role, and the seq that said so.
    roles: BTreeMap<RoomId, (Role, u64)>,
    markers: Markers,
    left: HashMap<RoomId, Left>,
    mentions: HashMap<RoomId, BTreeSet<u64>>,
}

impl Rooms {
    pub fn new(
        roles: BTreeMap<RoomId, (Role, u64)>,
        marks: Vec<(RoomId, Mark)>,
        left: HashMap<RoomId, Left>,
        mentions: HashMap<RoomId, BTreeSet<u64>>,
    ) -> Self {
        let mut markers = Markers::default();
        marks.into_iter().for_each(|(room, mark)| markers.load(room, mark));
        Self { roles, markers, left, mentions }
    }

    pub fn has(&self, room: RoomId) -> bool {
        self.roles.contains_key(&room)
    }
    /// Each with the seq that said so.
    pub fn roles(&self) -> impl Iterator<Item = (RoomId, u64)> {
        self.roles.iter().map(|(room, (_, seq))| (*room, *seq))
    }
    pub fn all(&self) -> impl Iterator<Item = OwnRoom> {
        self.roles.keys().filter_map(|room| self.own(*room))
    }
    pub fn own(&self, room: RoomId) -> Option<OwnRoom> {
        let (role, _) = *self.roles.get(&room)?;
        let mark = self.markers.get(room);
        let Left { text: draft, unread_from } = self.left.get(&room).cloned().unwrap_or_default();
        let mentions = self.mentions.get(&room).into_iter().flatten().copied().filter(|seq| *seq > mark.seq).take(MENTIONS_TOLD).collect();
        Some(OwnRoom { room, role, mark, unread_from, mentions, draft })
    }
    pub fn mark(&self, room: RoomId) -> Mark {
        self.markers.get(room)
    }
    pub fn unread_from(&self, room: RoomId) -> Option<u64> {
        self.left.get(&room).and_then(|left| left.unread_from)
    }

    pub fn join(&mut self, room: RoomId, role: Role, seq: u64) -> Joined {
        let before = self.roles.get(&room).map(|(_, known)| *known);
        if before.is_some_and(|known| known > seq) {
            return Joined::Stale;
        }
        self.roles.insert(room, (role, seq));
        match before {
            None => Joined::Came,
            Some(known) if known == seq => Joined::Known,
            Some(_) => Joined::Role,
        }
    }

    pub fn leave(&mut self, room: RoomId, seq: u64) -> Departed {
        let departed = match self.roles.get(&room) {
            Some((_, known)) if *known >= seq => return Departed::Stale,
            Some(_) => Departed::Went,
            None => Departed::Known,
        };
        self.roles.remove(&room);
        self.markers.forget(room);
        self.mentions.remove(&room);
        departed
    }

    /// Whether it is news: in a room of the user's, and not read yet.
    pub fn mention(&mut self, room: RoomId, seq: u64) -> bool {
        if !self.has(room) || seq <= self.markers.get(room).seq {
            return false;
        }
        let seqs = self.mentions.entry(room).or_default();
        let is_new = seqs.insert(seq);
        if is_new && seqs.len() > MENTIONS_MAX {
            seqs.pop_first();
        }
        is_new
    }

    /// `None`: no room of the user's.
    pub fn read(&mut self, room: RoomId, seq: u64, ordinal: u64) -> Option<Change> {
        if !self.has(room) {
            return None;
        }
        let rose = self.markers.read(room, seq, ordinal);
        let was_unread = self.unread_from(room).is_some();
        let left = if was_unread { self.change_left(room, |left| left.unread_from = None) } else { None };
        let seen = self.mentions.get_mut(&room).filter(|_| rose);
        let mentions = seen.map(|seqs| seqs.extract_if(..=seq, |_| true).collect()).unwrap_or_default();
        Some(Change { rose, left, mentions })
    }

    /// Whether it rose.
    pub fn deliver(&mut self, room: RoomId, seq: u64) -> bool {
        self.has(room) && self.markers.delivered(room, seq)
    }

    /// What is left in the room after the change; `None`: no room of the user's.
    pub fn change_left(&mut self, room: RoomId, change: impl FnOnce(&mut Left)) -> Option<Left> {
        if !self.has(room) {
            return None;
        }
        let mut left = self.left.remove(&room).unwrap_or_default();
        change(&mut left);
        if left != Left::default() {
            self.left.insert(room, left.clone());
        }
        Some(left)
    }

    pub fn take_dirty(&mut self) -> Vec<(RoomId, Mark)> {
        self.markers.take_dirty()
    }
    pub fn is_dirty(&self) -> bool {
        self.markers.is_dirty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOM: RoomId = RoomId::from_bytes([1; 16]);

    fn rooms() -> Rooms {
        Rooms::new([(ROOM, (Role::Member, 5))].into(), Vec::new(), HashMap::new(), HashMap::new())
    }

    #[test]
    fn a_word_about_membership_counts_unless_a_later_one_came_first() {
        let mut rooms = rooms();
        assert_eq!(rooms.leave(ROOM, 5), Departed::Stale);
        assert_eq!(rooms.join(ROOM, Role::Owner, 4), Joined::Stale);
        assert_eq!(rooms.join(ROOM, Role::Member, 5), Joined::Known);
        assert_eq!(rooms.join(ROOM, Role::Owner, 6), Joined::Role);
        assert_eq!(rooms.own(ROOM).unwrap().role, Role::Owner);
        assert_eq!(rooms.leave(ROOM, 7), Departed::Went);
        assert_eq!(rooms.leave(ROOM, 7), Departed::Known);
        assert_eq!(rooms.join(ROOM, Role::Member, 8), Joined::Came);
    }

    #[test]
    fn the_oldest_of_too_many_mentions_is_forgotten_and_reading_forgets_them_all() {
        let mut rooms = rooms();
        let past = MENTIONS_MAX as u64 + 1;
        assert!((1..=past).all(|seq| rooms.mention(ROOM, seq)) && !rooms.mention(ROOM, past));
        assert_eq!(rooms.own(ROOM).unwrap().mentions[0], 2);
        assert_eq!(rooms.read(ROOM, past, past).unwrap().mentions.len(), MENTIONS_MAX);
        assert!(!rooms.mention(ROOM, past), "what was read names nobody any more");
    }

    #[test]
    fn a_room_of_others_has_nothing_of_the_users() {
        let (mut rooms, other) = (rooms(), RoomId::from_bytes([2; 16]));
        assert!(!rooms.mention(other, 1) && !rooms.deliver(other, 1));
        assert_eq!(rooms.read(other, 1, 1), None);
        assert_eq!(rooms.change_left(other, |left| left.text = "x".into()), None);
    }
}
