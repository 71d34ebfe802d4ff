//! The rooms of a user, as of everything applied.
//!
//! The room list is a projection and may lag by what its rooms' slots hold above their watermarks; so the tails are asked
//! what they say about this user.

use std::collections::BTreeMap;

use futures_util::future::join_all;
use schema::peer::{Answer, Question};
use schema::record::RoomListEntry;
use schema::{Role, RoomId, UserId};
use store::records::decode;
use store::{Range, Row};

use super::Reader;
use crate::slot::Change;

/// Rooms of one user.
pub const ROOMS_MAX: usize = 10_000;

impl Reader {
    /// What the tails of all nodes say about this user's rooms. Who cannot be asked has them shown again by whoever comes after:
    /// then the session is told.
    pub(crate) async fn recent_memberships(&self, user: UserId) -> Vec<Change> {
        let mut recent = self.memberships().of(user);
        let others = self.peers.up().into_iter().map(async |node| self.peers.ask(node, &Question::Memberships { user }).await);
        for answer in join_all(others).await {
            if let Some(Answer::Memberships { changes }) = answer {
                recent.extend(changes);
            }
        }
        recent
    }

    /// Role, and the seq that said so.
    pub async fn rooms_of(&self, user: UserId) -> Result<BTreeMap<RoomId, (Role, u64)>, store::Error> {
        // Tails first: what leaves one in between is in the room list by then.
        let recent = self.recent_memberships(user).await;
        let rows = self.records.scan(room_list(user)).await?;
        rooms_in(&rows, recent)
    }
}

/// All that the store has of a user's rooms, whatever their slots have not carried there yet.
pub fn room_list(user: UserId) -> Range {
    Range::all(RoomListEntry::key_of(user, RoomId::default()), ROOMS_MAX)
}

/// What these rows say, and what the tails said before the rows were read. Errors: `Corrupt`.
pub fn rooms_in(rows: &[Row], recent: Vec<Change>) -> Result<BTreeMap<RoomId, (Role, u64)>, store::Error> {
    let mut rooms = BTreeMap::new();
    for row in rows {
        let row: RoomListEntry = decode(row)?;
        rooms.insert(row.room, (row.role, row.seq));
    }
    for (room, role, seq) in recent {
        if rooms.get(&room).is_none_or(|(_, known)| *known < seq) {
            match role {
                Some(role) => drop(rooms.insert(room, (role, seq))),
                None => drop(rooms.remove(&room)),
            }
        }
    }
    Ok(rooms)
}
