//! Finds out what a room's decision needs to know, off its hot path.

use std::sync::Arc;

use schema::record::{RequestKey, User};
use schema::{Cmid, Event, RoomId};
use store::RecordsExt;

use super::core::{Fact, Need};
use crate::read::Reader;

/// The slot is served elsewhere since.
fn moved() -> store::Error {
    store::Error::Unknown("the room is not here any more".into())
}

/// Events of one read of a search.
const CHUNK: u64 = 500;

pub async fn learn(reader: &Reader, room: RoomId, need: Need) -> Result<Fact, store::Error> {
    match need {
        Need::WorkspaceRole { workspace, user } => Ok(Fact::WorkspaceRole { workspace, user, role: reader.role(workspace, user).await? }),
        Need::Target { seq } => {
            let event = reader.events(room, seq, seq).await?.pop();
            let author = event.filter(|e| e.body.is_message()).map(|e| e.user);
            Ok(Fact::Target { seq, author })
        }
        Need::People { users } => {
            let mut known = true;
            for user in &users {
                known = known && reader.records.get(User::key_of(*user)).await?.is_some();
            }
            Ok(Fact::People { users, known })
        }
        Need::Search { upto, user, cmid, by_key: true, .. } => {
            // What the key's record does not know yet is in the tail.
            let found = reader.tail_here(room).ok_or_else(moved)?.into_iter().find(|e| e.cmid == cmid);
            if found.is_some() {
                return Ok(Fact::Searched { upto, found, prev_found: false });
            }
            let row = reader.records.fetch::<RequestKey>(RequestKey::key_of(room, user, cmid)).await?;
            let found = match row {
                Some((row, _)) => reader.events(room, row.seq, row.seq).await?.pop(),
                None => None,
            };
            Ok(Fact::Searched { upto, found, prev_found: false })
        }
        Need::Search { from, upto, cmid, prev, .. } => search(reader, room, from, upto, cmid, prev).await,
    }
}

async fn search(reader: &Reader, room: RoomId, from: u64, upto: u64, cmid: Cmid, prev: Option<Cmid>) -> Result<Fact, store::Error> {
    let (mut found, mut prev_found): (Option<Arc<Event>>, bool) = (None, false);
    let mut next = from;
    while next <= upto && found.is_none() {
        let end = upto.min(next + CHUNK - 1);
        for event in reader.events(room, next, end).await? {
            prev_found |= Some(event.cmid) == prev;
            if event.cmid == cmid {
                found = Some(event);
            }
        }
        next = end + 1;
    }
    Ok(Fact::Searched { upto, found, prev_found })
}
