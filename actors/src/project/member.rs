//! Pure. Who is where: members of a room, rooms of a user, channels of a workspace, a room's settings and size.

use schema::record::{Channel, MemberRow, RoomListEntry, RoomRow, RoomSize, SettingsRow};
use schema::{Event, EventBody, Role, RoomKind, RoomSettings, UserId};
use store::Write;

pub fn rows(event: &Event, writes: &mut Vec<Write>) {
    let (room, seq) = (event.room, event.seq);
    match &event.body {
        EventBody::Created { kind, settings: first, members } => {
            let pair = (*kind == RoomKind::Direct).then(|| (members[0].user, members.last().expect("one at least").user));
            writes.push(Write::put(&RoomRow { room, kind: *kind, pair }, seq));
            settings(event, first, writes);
            size(event, members.len() as u32, writes);
            for member in members {
                joined(event, member.user, member.role, writes);
            }
        }
        EventBody::Settings(changed) => settings(event, changed, writes),
        EventBody::Member { user, role, members } => {
            size(event, *members, writes);
            match role {
                Some(role) => joined(event, *user, *role, writes),
                None => {
                    writes.push(Write::delete(MemberRow::key_of(room, *user), seq));
                    writes.push(Write::delete(RoomListEntry::key_of(*user, room), seq));
                }
            }
        }
        _ => {}
    }
}

fn joined(event: &Event, user: UserId, role: Role, writes: &mut Vec<Write>) {
    let (room, seq) = (event.room, event.seq);
    writes.push(Write::put(&MemberRow { room, user, role, seq }, seq));
    writes.push(Write::put(&RoomListEntry { user, room, role, seq }, seq));
}

fn size(event: &Event, members: u32, writes: &mut Vec<Write>) {
    writes.push(Write::put(&RoomSize { room: event.room, members }, event.seq));
}

fn settings(event: &Event, settings: &RoomSettings, writes: &mut Vec<Write>) {
    let (room, seq) = (event.room, event.seq);
    writes.push(Write::put(&SettingsRow { room, settings: settings.clone() }, seq));
    if let Some(workspace) = settings.workspace {
        writes.push(Write::put(&Channel { workspace, room, settings: settings.clone(), seq }, seq));
    }
}
