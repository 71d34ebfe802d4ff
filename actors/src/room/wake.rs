//! How a room wakes: first what the slot holds above the watermark, then history; a hole means read again, never serve.

use schema::record::{MemberRow, RoomHead, RoomRow, SettingsRow};
use schema::{RoomId, UserId};
use store::{Range, RecordsExt};

use super::core::State;
use crate::read::Reader;

/// Events of history that a room remembers when it wakes, besides all that is above the watermark.
const RECENT: u64 = 64;
const MEMBERS_PAGE: usize = 1_000;

/// The room's state up to its applied head. A room that does not exist yet has head 0. `None`: this node does not serve it.
pub async fn wake(reader: &Reader, room: RoomId) -> Result<Option<State>, store::Error> {
    let mut state = State::default();
    let Some(tail) = reader.tail_here(room) else { return Ok(None) };
    if let Some((row, _)) = reader.records.fetch::<RoomRow>(RoomRow::key_of(room)).await? {
        state.kind = Some(row.kind);
    }
    if let Some((row, _)) = reader.records.fetch::<SettingsRow>(SettingsRow::key_of(room)).await? {
        state.settings = row.settings;
    }
    members(reader, room, &mut state).await?;
    let stored = reader.records.fetch::<RoomHead>(RoomHead::key_of(reader.slot(room), room)).await?.map_or(0, |(row, _)| row.head);
    let head = tail.last().map_or(stored, |event| event.seq.max(stored));
    if head == 0 {
        return Ok(Some(state));
    }
    let from = tail.first().map_or(head, |event| event.seq).min(head.saturating_sub(RECENT - 1)).max(1);
    for event in reader.events(room, from, head).await? {
        state.take(event, head);
    }
    Ok(Some(state))
}

async fn members(reader: &Reader, room: RoomId, state: &mut State) -> Result<(), store::Error> {
    let mut from = Vec::new();
    loop {
        let range = Range::all(MemberRow::key_of(room, UserId::default()), MEMBERS_PAGE).from(from);
        let rows = reader.records.list::<MemberRow>(range).await?;
        for (row, _) in &rows {
            state.members.set(row.user, Some(row.role), row.seq);
        }
        match rows.last() {
            Some((last, _)) if rows.len() == MEMBERS_PAGE => from = [last.user.as_bytes().as_slice(), &[0]].concat(),
            _ => return Ok(()),
        }
    }
}
