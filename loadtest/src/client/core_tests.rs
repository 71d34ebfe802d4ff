//! Scripts of frames against what the device sends and keeps.

use schema::event::{Message, RoomSettings};
use schema::id::{InstallationId, LoginId};
use schema::server::ClientLimits;
use schema::{EventBody, Role, RoomKind};

use super::*;

fn user(n: u8) -> UserId {
    UserId::from_bytes([n; 16])
}
fn room() -> RoomId {
    RoomId::from_bytes([7; 16])
}
fn cmid(n: u8) -> Cmid {
    Cmid::from_bytes([n; 16])
}
fn event(seq: u64, author: u8, id: u8) -> Event {
    let body = EventBody::Message(Message { text: "hi".into(), reply: None, origin: None });
    Event { room: room(), seq, ordinal: seq, at: seq, user: user(author), cmid: cmid(id), body }
}
fn state(head: u64) -> RoomState {
    RoomState {
        room: room(),
        kind: RoomKind::Group,
        settings: RoomSettings::default(),
        role: Role::Member,
        head,
        ordinal: head,
        at: 0,
        read_seq: 0,
        read_ordinal: 0,
        unread_from: None,
        mentions: Vec::new(),
        draft: String::new(),
        peer: None,
        members: 2,
    }
}
fn ready(head: u64) -> ServerEvent {
    let limits = ClientLimits {
        message_bytes_max: 0,
        text_bytes_max: 0,
        requests_in_flight_max: 16,
        resume_events_max: 500,
        watch_max: 0,
        page_max: 2,
    };
    let (login, installation) = (LoginId::default(), InstallationId::default());
    let (user, device, rooms) = (user(1), DeviceId::default(), vec![state(head)]);
    ServerEvent::Ready(Ready { level: 1, user, login, device, installation, now: 0, heartbeat_ms: 1000, limits, rooms, nodes: Vec::new() })
}
fn page(id: u32, seqs: std::ops::RangeInclusive<u64>, head: u64) -> ServerEvent {
    let (from, to) = (*seqs.start(), *seqs.end());
    let events = seqs.map(|seq| event(seq, 2, seq as u8 + 100)).collect();
    ServerEvent::History(History { id, room: room(), from, to, head, ordinal: head, events, marks: Vec::new() })
}

/// One frame in; what the device sends, in short.
fn hear(core: &mut Core, frame: ServerEvent) -> (Effects, Vec<String>) {
    let mut fx = Effects::default();
    core.heard(0, frame, &mut fx);
    let sent = fx.send.iter().map(|frame| match frame {
        ClientEvent::History(it) => format!("history {} after {:?}", it.id, it.after.unwrap()),
        ClientEvent::Post(it) => format!("post {} cmid {} after {}", it.id, it.cmid.as_bytes()[0], it.after),
        other => format!("{other:?}"),
    });
    let sent = sent.collect();
    (fx, sent)
}

#[test]
fn events_that_come_in_one_frame_are_taken_one_by_one() {
    let mut core = device(Start::Head);
    hear(&mut core, ready(3));
    let events = [4, 5, 6].map(|seq| event(seq, 2, seq as u8 + 100)).to_vec();
    let (fx, sent) = hear(&mut core, ServerEvent::Events(schema::server::Events { room: room(), events }));
    let Entry::End { have, .. } = core.end() else { panic!() };
    assert_eq!((have, fx.record.len(), sent.len()), (vec![Resume { room: room(), seq: 6 }], 3, 0));
}

fn device(start: Start) -> Core {
    Core::new(user(1), DeviceId::default(), start)
}

#[test]
fn a_device_that_wants_everything_pages_from_the_first_event_to_the_head() {
    let mut core = device(Start::Beginning);
    assert_eq!(hear(&mut core, ready(3)).1, ["history 1 after 0"]);
    assert_eq!(hear(&mut core, ServerEvent::Event(event(4, 2, 104))).1, [""; 0], "one page at a time");
    assert_eq!(hear(&mut core, page(1, 1..=2, 4)).1, ["history 2 after 2"]);
    assert_eq!(hear(&mut core, page(2, 3..=4, 4)).1, [""; 0]);
    assert_eq!(core.have(room()), 4);
}

#[test]
fn a_hole_and_a_gap_are_filled_by_history_and_merged_by_seq() {
    let mut core = device(Start::Head);
    hear(&mut core, ready(10));
    assert_eq!(hear(&mut core, ServerEvent::Event(event(12, 2, 112))).1, ["history 1 after 10"]);
    hear(&mut core, page(1, 11..=12, 12));
    assert_eq!(core.have(room()), 12);
    assert_eq!(hear(&mut core, ServerEvent::Gap(Gap { room: room(), from: 13, to: 14 })).1, ["history 2 after 12"]);
    hear(&mut core, ServerEvent::Event(event(15, 2, 115)));
    hear(&mut core, page(2, 13..=14, 15));
    assert_eq!((core.have(room()), core.doubles), (15, 0));
}

#[test]
fn a_lost_connection_is_resumed_from_the_last_contiguous_seq_and_requests_are_resent_verbatim() {
    let mut core = device(Start::Head);
    hear(&mut core, ready(10));
    let mut fx = Effects::default();
    core.submit(0, room(), cmid(1), Act::Post { text: "a".into(), reply: None, origin: None }, &mut fx);
    let first = fx.send.pop();
    hear(&mut core, ServerEvent::Event(event(11, 2, 111)));
    core.lost(&mut fx);
    core.hello("token".into(), &mut fx);
    let Some(ClientEvent::Hello(hello)) = fx.send.pop() else { panic!("no hello") };
    assert_eq!(hello.resume, [Resume { room: room(), seq: 11 }]);
    assert_eq!(hear(&mut core, ready(12)).1, ["post 2 cmid 1 after 10"]);
    assert!(matches!(first, Some(ClientEvent::Post(it)) if it.after == 10));
}

#[test]
fn its_own_event_answers_a_request_that_is_not_under_way() {
    let mut core = device(Start::Head);
    hear(&mut core, ready(10));
    let mut fx = Effects::default();
    core.submit(0, room(), cmid(1), Act::Post { text: "hi".into(), reply: None, origin: None }, &mut fx);
    let refusal = Refusal { retry_after_ms: Some(1000), ..Refusal::new(1, ErrorCode::Unavailable) };
    hear(&mut core, ServerEvent::Error(refusal));
    let (fx, _) = hear(&mut core, ServerEvent::Event(event(11, 1, 1)));
    assert_eq!(fx.ended, [(cmid(1), Outcome::Landed { seq: Some(11) })]);
    assert_eq!(core.unanswered(), 0);
}

#[test]
fn a_room_is_forgotten_with_the_removal_of_its_user() {
    let mut core = device(Start::Head);
    hear(&mut core, ready(10));
    let body = EventBody::Member { user: user(1), role: None, members: 1 };
    hear(&mut core, ServerEvent::Event(Event { body, ..event(11, 2, 111) }));
    assert!(core.room(room()).is_none());
}
