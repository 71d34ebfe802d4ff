//! What a room journals, and the block that holds it.

use schema::block::Block;
use schema::event::{Event, EventBody, Member, Message, Origin, Role, RoomKind, RoomSettings};

use super::sample::*;
use super::{files, samples};

pub fn settings() -> RoomSettings {
    RoomSettings { name: "garden".into(), topic: "what grows".into(), workspace: Some(workspace()), public: true, archived: true }
}

pub fn bodies() -> Vec<(&'static str, EventBody)> {
    let members = vec![Member { user: ann(), role: Role::Owner }, Member { user: bob(), role: Role::Guest }];
    samples!(EventBody {
        Created "created" => EventBody::Created { kind: RoomKind::Channel, settings: settings(), members: members.clone() },
        Created "created_direct" => EventBody::Created { kind: RoomKind::Direct, settings: RoomSettings::default(), members: members.clone() },
        Created "created_group" => EventBody::Created { kind: RoomKind::Group, settings: RoomSettings::default(), members: vec![] },
        Created "created_workspace" => EventBody::Created { kind: RoomKind::Workspace, settings: RoomSettings::default(), members },
        Message "message" => EventBody::Message(Message { text: TEXT.into(), reply: None, origin: None }),
        Message "message_reply" => EventBody::Message(Message { text: TEXT.into(), reply: Some(3), origin: None }),
        Message "message_imported" => EventBody::Message(Message {
            text: TEXT.into(),
            reply: None,
            origin: Some(Origin { at: AT, thread: Some("T1".into()) }),
        }),
        Edit "edit" => EventBody::Edit { target: 3, text: TEXT.into() },
        Delete "delete" => EventBody::Delete { target: 3, reason: None },
        Delete "delete_reason" => EventBody::Delete { target: 3, reason: Some("spam".into()) },
        React "react" => EventBody::React { target: 3, emoji: "👍".into(), on: true },
        Pin "pin" => EventBody::Pin { target: 3, on: false },
        Member "member" => EventBody::Member { user: bob(), role: Some(Role::Moderator), members: 2 },
        Member "member_gone" => EventBody::Member { user: bob(), role: None, members: 1 },
        Settings "settings" => EventBody::Settings(settings()),
        Settings "settings_empty" => EventBody::Settings(RoomSettings::default()),
        Erased "erased" => EventBody::Erased,
    })
}

fn block() -> Block {
    let events: Vec<Event> = bodies().into_iter().zip(1..).map(|((_, body), seq)| event(seq, seq.saturating_sub(3).min(3), body)).collect();
    Block { events }
}

#[test]
fn every_event_is_written_and_read_as_ever() {
    let samples = bodies();
    for (name, body) in &samples {
        files::check("event", name, &event(7, 4, body.clone()));
    }
    files::all_read::<Event>("event", &samples.iter().map(|(name, _)| *name).collect::<Vec<_>>());
}

#[test]
fn a_block_is_written_and_read_as_ever() {
    files::check_msgpack("block", "all_events", &block());
    files::check_msgpack("block", "empty", &Block { events: vec![] });
    files::all_read::<Block>("block", &["all_events", "empty"]);
}
