//! What a node says.

use schema::client::Status;
use schema::server::*;
use schema::{ErrorCode, EventBody, Role, RoomKind, RoomSettings};

use super::event::settings;
use super::sample::*;
use super::{files, samples};

pub fn room_state() -> RoomState {
    RoomState {
        room: room(),
        kind: RoomKind::Channel,
        settings: settings(),
        role: Role::Member,
        head: 41,
        ordinal: 30,
        at: AT,
        read_seq: 12,
        read_ordinal: 9,
        unread_from: Some(3),
        mentions: vec![13, 40],
        draft: "unsent".into(),
        peer: Some(bob()),
        members: 2,
    }
}

pub fn bare_room_state() -> RoomState {
    RoomState { settings: RoomSettings::default(), unread_from: None, mentions: vec![], draft: String::new(), peer: None, ..room_state() }
}

fn ready() -> Ready {
    let limits = ClientLimits {
        message_bytes_max: 65_536,
        text_bytes_max: 16_384,
        requests_in_flight_max: 16,
        resume_events_max: 500,
        watch_max: 200,
        page_max: 200,
    };
    let rooms = vec![room_state(), bare_room_state()];
    let (user, login, device, installation) = (ann(), login(), device(), installation());
    Ready { level: 1, user, login, device, installation, now: AT, heartbeat_ms: 30_000, limits, rooms, nodes: vec![] }
}

pub fn events() -> Vec<(&'static str, ServerEvent)> {
    let (id, room) = (7, room());
    let message = |seq| event(seq, seq, EventBody::Message(schema::event::Message { text: TEXT.into(), reply: None, origin: None }));
    let reaction = |seq, emoji: &str| event(seq, 7, EventBody::React { target: 7, emoji: emoji.into(), on: true });
    let edit = event(9, 8, EventBody::Edit { target: 7, text: "mended".into() });
    let mark = ReadMark { user: ann(), seq: 41, delivered: 41, ordinal: 30, unread_from: Some(3) };
    let delivered = ReadMark { user: bob(), seq: 0, delivered: 40, ordinal: 0, unread_from: None };
    samples!(ServerEvent {
        Ready "ready" => ServerEvent::Ready(ready()),
        Ready "ready_of_many" => ServerEvent::Ready(Ready { nodes: vec!["https://a.example.org".into()], ..ready() }),
        Ok "ok" => ServerEvent::Ok(Done { id, room: Some(room), seq: Some(42), ordinal: Some(31), at: Some(AT) }),
        Ok "ok_plain" => ServerEvent::Ok(Done { id, room: None, seq: None, ordinal: None, at: None }),
        Error "error" => ServerEvent::Error(Refusal::new(id, ErrorCode::NotMember)),
        Error "error_later" => ServerEvent::Error(Refusal { retry_after_ms: Some(1500), ..Refusal::new(id, ErrorCode::RateLimited) }),
        Event "event" => ServerEvent::Event(message(7)),
        Events "events" => ServerEvent::Events(Events { room, events: vec![reaction(8, "👋"), reaction(9, "🎉")] }),
        Room "room" => ServerEvent::Room(room_state()),
        Room "room_bare" => ServerEvent::Room(bare_room_state()),
        Gap "gap" => ServerEvent::Gap(Gap { room, from: 42, to: 1041 }),
        Behind "behind" => ServerEvent::Behind(Behind { room, head: 1041 }),
        Typing "typing" => ServerEvent::Typing(Typing { room, users: vec![ann(), bob()], count: 5 }),
        Typing "typing_end" => ServerEvent::Typing(Typing { room, users: vec![], count: 0 }),
        Read "read" => ServerEvent::Read(Read { room, marks: vec![mark, delivered] }),
        Presence "presence" => ServerEvent::Presence(Presence {
            users: vec![
                UserStatus { user: ann(), status: Status::Online, last_seen: None },
                UserStatus { user: bob(), status: Status::Offline, last_seen: Some(AT) },
            ],
        }),
        Online "online" => ServerEvent::Online(Online { room, count: 12 }),
        Draft "draft" => ServerEvent::Draft(Draft { room, text: TEXT.into() }),
        Notify "notify" => ServerEvent::Notify(Notify { room, seq: 42, user: bob() }),
        History "history" => ServerEvent::History(History {
            id, room, from: 7, to: 8, head: 41, ordinal: 30, events: vec![message(7), message(8)], marks: vec![edit],
        }),
        History "history_empty" => ServerEvent::History(History { id, room, from: 0, to: 0, head: 0, ordinal: 0, events: vec![], marks: vec![] }),
        StateHash "state_hash" => ServerEvent::StateHash(StateHash { id, room, from: 1, to: 41, hash: "ab".repeat(32) }),
        Signal "signal" => ServerEvent::Signal(Signal { room, user: bob(), kind: "cursor".into(), data: "{\"x\":1}".into() }),
        Draining "draining" => ServerEvent::Draining {},
        Reconnect "reconnect" => ServerEvent::Reconnect(Reconnect { delay_ms: 1234 }),
        Pong "pong" => ServerEvent::Pong(Pong { id }),
    })
}

#[test]
fn every_server_event_is_written_and_read_as_ever() {
    let samples = events();
    for (name, event) in &samples {
        files::check("server", name, event);
    }
    files::all_read::<ServerEvent>("server", &samples.iter().map(|(name, _)| *name).collect::<Vec<_>>());
}

#[test]
fn every_error_code_reads_as_ever() {
    let texts: Vec<&str> = ErrorCode::ALL.iter().map(|code| code.text()).collect();
    files::check_json("code", "errors", &ErrorCode::ALL.iter().map(|code| (code.number(), code.text().to_owned())).collect::<Vec<_>>());
    let close: Vec<(u16, bool)> = schema::CloseCode::ALL.iter().map(|code| (code.number(), code.may_reconnect())).collect();
    files::check_json("code", "closes", &close);
    assert!(texts.iter().all(|text| text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')));
}
