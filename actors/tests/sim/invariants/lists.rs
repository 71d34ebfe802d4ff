//! Once everything is carried, the members, the room lists, the sizes and the heads are those that the journal folds to.

use std::collections::BTreeMap;

use actors::read::Reader;
use schema::fold::RoomFold;
use schema::record::{MemberRow, RoomHead, RoomListEntry, RoomSize, SettingsRow};
use schema::{Role, RoomId, UserId};
use store::{Range, RecordsExt};

use super::{Broken, Check, broken};
use crate::witness::Witness;

pub const NAME: &str = "lists";

/// What the store says of a room.
#[derive(Debug)]
pub struct Stored {
    members: BTreeMap<UserId, Role>,
    listed: BTreeMap<UserId, Role>,
    size: u32,
    head: (u64, u64),
    settings: Option<schema::RoomSettings>,
}

pub async fn read(reader: Reader, room: RoomId, people: Vec<UserId>) -> Result<Stored, Broken> {
    let failed = |error: store::Error| Broken { invariant: NAME, what: error.to_string() };
    let rows = reader.records.list::<MemberRow>(Range::all(MemberRow::key_of(room, UserId::default()), 100)).await.map_err(failed)?;
    let mut listed = BTreeMap::new();
    for user in people {
        if let Some((row, _)) = reader.records.fetch::<RoomListEntry>(RoomListEntry::key_of(user, room)).await.map_err(failed)? {
            listed.insert(user, row.role);
        }
    }
    let size = reader.records.fetch::<RoomSize>(RoomSize::key_of(room)).await.map_err(failed)?;
    let head = reader.records.fetch::<RoomHead>(RoomHead::key_of(reader.slot(room), room)).await.map_err(failed)?;
    let settings = reader.records.fetch::<SettingsRow>(SettingsRow::key_of(room)).await.map_err(failed)?;
    Ok(Stored {
        members: rows.into_iter().map(|(row, _)| (row.user, row.role)).collect(),
        listed,
        size: size.map_or(0, |(row, _)| row.members),
        head: head.map_or((0, 0), |(row, _)| (row.head, row.ordinal)),
        settings: settings.map(|(row, _)| row.settings),
    })
}

pub fn check(witness: &Witness, room: RoomId, stored: &Stored) -> Check {
    let fold = RoomFold::of(room, witness.rooms[&room].iter().map(|event| &**event));
    let members: BTreeMap<UserId, Role> = fold.members.iter().filter_map(|(user, role)| role.map(|role| (*user, role))).collect();
    let same = stored.members == members
        && stored.listed == members
        && stored.size as usize == members.len()
        && stored.head == (fold.head, fold.ordinal)
        && stored.settings == fold.settings;
    if same { Ok(()) } else { broken(NAME, format!("{room} folds to {members:?}, head {}, and the store has {stored:?}", fold.head)) }
}
