//! What a client says.

use schema::client::*;
use schema::{Role, RoomKind, RoomSettings};

use super::event::settings;
use super::sample::*;
use super::{files, samples};

pub fn events() -> Vec<(&'static str, ClientEvent)> {
    let (id, room, cmid, after, prev) = (7, room(), cmid(), 41, Some(prev()));
    let first = Hello { token: Some("access".into()), ticket: None, device: device(), resume: vec![] };
    let again = Hello { token: None, ticket: Some("ht_once".into()), device: device(), resume: vec![Resume { room, seq: 41 }] };
    samples!(ClientEvent {
        Hello "hello" => ClientEvent::Hello(first),
        Hello "hello_resume" => ClientEvent::Hello(again),
        Post "post" => ClientEvent::Post(Post { id, room, cmid, after, prev, text: TEXT.into(), reply: Some(3) }),
        Post "post_first" => ClientEvent::Post(Post { id, room, cmid, after: 0, prev: None, text: "hi".into(), reply: None }),
        Edit "edit" => ClientEvent::Edit(Edit { id, room, cmid, after, prev, target: 3, text: TEXT.into() }),
        Delete "delete" => ClientEvent::Delete(Delete { id, room, cmid, after, prev, target: 3, reason: Some("spam".into()) }),
        Delete "delete_own" => ClientEvent::Delete(Delete { id, room, cmid, after, prev: None, target: 3, reason: None }),
        React "react" => ClientEvent::React(React { id, room, cmid, after, prev, target: 3, emoji: "👍".into(), on: true }),
        Pin "pin" => ClientEvent::Pin(Pin { id, room, cmid, after, prev, target: 3, on: false }),
        Join "join" => ClientEvent::Join(Join { id, room, cmid, after, prev }),
        Leave "leave" => ClientEvent::Leave(Leave { id, room, cmid, after, prev }),
        Invite "invite" => ClientEvent::Invite(Invite { id, room, cmid, after, prev, user: bob() }),
        Kick "kick" => ClientEvent::Kick(Kick { id, room, cmid, after, prev, user: bob() }),
        Role "role" => ClientEvent::Role(SetRole { id, room, cmid, after, prev, user: bob(), role: Role::Moderator }),
        Create "create" => ClientEvent::Create(Create {
            id, room, cmid, after: 0, prev: None, kind: RoomKind::Channel, settings: settings(), members: vec![ann(), bob()],
        }),
        Create "create_bare" => ClientEvent::Create(Create {
            id, room, cmid, after: 0, prev: None, kind: RoomKind::Direct, settings: RoomSettings::default(), members: vec![],
        }),
        Settings "settings" => ClientEvent::Settings(Settings { id, room, cmid, after, prev, settings: settings() }),
        Read "read" => ClientEvent::Read(Read { id, room, seq: 41, ordinal: 30 }),
        Unread "unread" => ClientEvent::Unread(Unread { id, room, from: Some(3) }),
        Unread "unread_back" => ClientEvent::Unread(Unread { id, room, from: None }),
        Delivered "delivered" => ClientEvent::Delivered(Delivered { room, seq: 41 }),
        Draft "draft" => ClientEvent::Draft(Draft { id, room, text: TEXT.into() }),
        Typing "typing" => ClientEvent::Typing(Typing { room, on: true }),
        Presence "presence" => ClientEvent::Presence(Presence { id, status: Status::Busy }),
        Presence "presence_invisible" => ClientEvent::Presence(Presence { id, status: Status::Invisible }),
        Watch "watch" => ClientEvent::Watch(Watch { id, users: vec![ann(), bob()] }),
        History "history" => ClientEvent::History(History { id, room, before: None, after: None, around: None, at: None, limit: None }),
        History "history_all_fields" => ClientEvent::History(History {
            id, room, before: Some(1), after: Some(2), around: Some(3), at: Some(AT), limit: Some(50),
        }),
        StateHash "state_hash" => ClientEvent::StateHash(StateHash { id, room, from: 1, to: 41 }),
        Signal "signal" => ClientEvent::Signal(Signal { room, kind: "cursor".into(), data: "{\"x\":1}".into() }),
        Ping "ping" => ClientEvent::Ping(Ping { id: u32::MAX }),
    })
}

#[test]
fn every_client_event_is_written_and_read_as_ever() {
    let samples = events();
    for (name, event) in &samples {
        files::check("client", name, event);
    }
    files::all_read::<ClientEvent>("client", &samples.iter().map(|(name, _)| *name).collect::<Vec<_>>());
}
