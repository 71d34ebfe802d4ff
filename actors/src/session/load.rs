//! How a session wakes: its rooms, markers, drafts and mentions from the store.
//!
//! The room list is a projection and may lag by what its rooms' slots hold above their watermarks; so each room's tail is
//! asked what it says about this user.

use std::sync::Arc;

use schema::record::{DraftRow, Marker, MentionRow, Receipt, RoomListEntry};
use schema::{RoomId, UserId};
use store::{Range, RecordsExt};

use super::core::{Left, Loaded, Parked};
use super::markers::Mark;
use crate::shared::Shared;

/// Rooms of one user.
const ROOMS_MAX: usize = 10_000;
const MENTIONS_MAX: usize = 10_000;

pub async fn load(shared: &Arc<Shared>, user: UserId, parked: Option<Parked>) -> Result<Loaded, store::Error> {
    let records = &shared.reader.records;
    let attachments = shared.presence.attachments(user);
    let mut loaded = Loaded { parked: parked.unwrap_or_default(), attachments, ..Loaded::default() };
    let none = RoomId::default();
    // Tails first: what leaves one in between is in the room list by then.
    let recent = shared.reader.memberships().of(user);
    for (row, _) in records.list::<RoomListEntry>(Range::all(RoomListEntry::key_of(user, none), ROOMS_MAX)).await? {
        loaded.rooms.insert(row.room, (row.role, row.seq));
    }
    for (room, role, seq) in recent {
        if loaded.rooms.get(&room).is_none_or(|(_, known)| *known < seq) {
            match role {
                Some(role) => drop(loaded.rooms.insert(room, (role, seq))),
                None => drop(loaded.rooms.remove(&room)),
            }
        }
    }
    for (row, _) in records.list::<Marker>(Range::all(Marker::key_of(user, none), ROOMS_MAX)).await? {
        let delivered = records.fetch::<Receipt>(Receipt::key_of(row.room, user)).await?.map_or(0, |(row, _)| row.delivered);
        loaded.marks.push((row.room, Mark { seq: row.seq, ordinal: row.ordinal, delivered: delivered.max(row.seq) }));
    }
    for (row, _) in records.list::<DraftRow>(Range::all(DraftRow::key_of(user, none), ROOMS_MAX)).await? {
        loaded.drafts.insert(row.room, Left { text: row.text, unread_from: row.unread_from });
    }
    for (row, _) in records.list::<MentionRow>(Range::all(MentionRow::key_of(user, none, 0), MENTIONS_MAX)).await? {
        loaded.mentions.entry(row.room).or_default().insert(row.seq);
    }
    Ok(loaded)
}
