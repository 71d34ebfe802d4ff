//! How a session wakes: its rooms, markers, drafts and mentions from the store.

use std::sync::Arc;

use schema::record::{DraftRow, Marker, MentionRow, Receipt};
use schema::{RoomId, UserId};
use store::{Range, RecordsExt};

use super::core::{Left, Loaded, Parked};
use super::markers::Mark;
use crate::read::ROOMS_MAX;
use crate::shared::Shared;

const MENTIONS_MAX: usize = 10_000;

pub async fn load(shared: &Arc<Shared>, user: UserId, parked: Option<Parked>) -> Result<Loaded, store::Error> {
    let records = &shared.reader.records;
    let attachments = shared.presence.attachments(user);
    let mut loaded = Loaded { parked: parked.unwrap_or_default(), attachments, ..Loaded::default() };
    let none = RoomId::default();
    loaded.rooms = shared.reader.rooms_of(user).await?;
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
