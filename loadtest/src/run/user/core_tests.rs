//! Scripts of a virtual user: frames in, frames, counts and offences out.

use schema::client::{Act, Order};
use schema::event::{Event, EventBody, Member, Message, RoomSettings};
use schema::server::{ClientLimits, Done, Gap, History, Ready, RoomState};
use schema::{ErrorCode, Role, RoomKind, ServerEvent};

use super::*;
use crate::client::request;
use crate::report::Offending;

/// User 3 in room number 0, and what they share with others.
struct Script {
    core: Core,
    books: Books,
    now_us: u64,
    /// The room as the node has it: seq 1 was there before the run.
    log: Vec<Event>,
}

fn room() -> RoomId {
    RoomId::from_bytes([7; 16])
}

impl Script {
    fn new() -> Self {
        let core = Core::new(3, UserId::from_bytes([3; 16]), DeviceId::from_bytes([4; 16]), Format::Json, &[(0, room())], false);
        let members = vec![Member { user: UserId::from_bytes([3; 16]), role: Role::Owner }];
        let body = EventBody::Created { kind: RoomKind::Group, settings: RoomSettings::default(), members };
        let created = Event { room: room(), seq: 1, ordinal: 0, at: 1, user: UserId::default(), cmid: Cmid::default(), body };
        let mut script = Self { core, books: Books::of(&[(room(), 1)], 10_000), now_us: 1_000_000, log: vec![created] };
        script.connect();
        script
    }

    fn hear(&mut self, event: ServerEvent) -> Vec<ClientEvent> {
        let mut fx = Effects::default();
        self.core.heard(self.now_us, &Format::Json.encode(&event), &mut self.books, &mut fx);
        fx.send
    }

    /// Says hello and hears `ready`; gives what it resumed and what it sent then.
    fn connect(&mut self) -> (Vec<Resume>, Vec<ClientEvent>) {
        let (mut fx, now_us) = (Effects::default(), self.now_us);
        self.core.hello("token".into(), Moments { intended_us: now_us, actual_us: now_us }, &mut fx);
        let ClientEvent::Hello(hello) = &fx.send[0] else { panic!("no hello") };
        let resume = hello.resume.clone();
        let sent = self.hear(ServerEvent::Ready(ready(self.log.len() as u64)));
        (resume, sent)
    }

    fn lose(&mut self) {
        self.core.lost(self.now_us, &mut self.books, &mut Effects::default());
    }

    /// Intended now, sent 500 µs late.
    fn act(&mut self, deed: Deed) -> Vec<ClientEvent> {
        let mut fx = Effects::default();
        let moments = Moments { intended_us: self.now_us, actual_us: self.now_us + 500 };
        self.core.act(deed, 0, 80, moments, &mut self.books, &mut fx);
        fx.send
    }

    /// The node takes it: the event that it becomes.
    fn takes(&mut self, request: &ClientEvent) -> Event {
        let (order, act) = request::parts(request).expect("an ordered request");
        let text = match act {
            Act::Post { text, .. } => EventBody::Message(Message { text, reply: None, origin: None }),
            Act::Edit { target, text } => EventBody::Edit { target, text },
            Act::React { target, emoji, on } => EventBody::React { target, emoji, on },
            _ => panic!("nobody does that"),
        };
        self.logs(UserId::from_bytes([3; 16]), order.cmid, text)
    }
    fn logs(&mut self, user: UserId, cmid: Cmid, body: EventBody) -> Event {
        let seq = self.log.len() as u64 + 1;
        let event = Event { room: room(), seq, ordinal: seq - 1, at: seq, user, cmid, body };
        self.log.push(event.clone());
        event
    }
    fn others_message(&mut self, number: u32) -> Event {
        let mark = Mark { room: 0, sender: 9, number, intended_us: self.now_us - 1_000, lag_us: 200 };
        let cmid = Cmid::from_bytes([number as u8; 16]);
        self.logs(UserId::from_bytes([9; 16]), cmid, EventBody::Message(Message { text: mark.text(64), reply: None, origin: None }))
    }

    fn offences(&self) -> Vec<(Offending, &str)> {
        self.books.ledger.offences.kept.iter().map(|it| (it.kind, it.what.as_str())).collect()
    }
    fn done(&self, deed: Deed) -> u64 {
        self.books.tally.of(deed).done
    }
}

fn ready(head: u64) -> Ready {
    let limits = ClientLimits {
        message_bytes_max: 1,
        text_bytes_max: 1,
        requests_in_flight_max: 2,
        resume_events_max: 1,
        watch_max: 1,
        page_max: 200,
    };
    let state = RoomState {
        room: room(),
        kind: RoomKind::Group,
        settings: RoomSettings::default(),
        role: Role::Member,
        head,
        ordinal: 0,
        at: 0,
        read_seq: 0,
        read_ordinal: 0,
        unread_from: None,
        mentions: Vec::new(),
        draft: String::new(),
        peer: None,
        members: 2,
    };
    let (user, login, device, installation) = Default::default();
    Ready { level: 1, user, login, device, installation, now: 1, heartbeat_ms: 30_000, limits, rooms: vec![state], nodes: Vec::new() }
}

fn order(request: &ClientEvent) -> Order {
    request::parts(request).expect("an ordered request").0
}
fn ok(request: &ClientEvent, seq: u64) -> ServerEvent {
    ServerEvent::Ok(Done { id: order(request).id, room: Some(room()), seq: Some(seq), ordinal: Some(seq), at: Some(1) })
}

#[test]
fn a_post_is_timed_from_when_it_was_intended_and_from_when_it_was_sent() {
    let mut script = Script::new();
    let sent = script.act(Deed::Post);
    let event = script.takes(&sent[0]);
    script.now_us += 10_000;
    script.hear(ServerEvent::Event(event));
    script.hear(ok(&sent[0], 2));
    for deed in [Deed::Post, Deed::Deliver] {
        let timed = script.books.tally.of(deed);
        assert_eq!((timed.done, timed.from_intended.max() / 100, timed.from_actual.max() / 100), (1, 100, 95), "{deed:?}");
    }
    assert_eq!(script.core.unanswered(), 0);
    assert!(script.offences().is_empty());
}

#[test]
fn a_request_without_an_answer_is_sent_again_verbatim_and_only_once_it_counts() {
    let mut script = Script::new();
    let first = script.act(Deed::Post);
    script.lose();
    let (resume, again) = script.connect();
    assert_eq!(resume, [Resume { room: room(), seq: 1 }]);
    assert_eq!(
        (order(&again[0]).cmid, request::parts(&again[0]).unwrap().1),
        (order(&first[0]).cmid, request::parts(&first[0]).unwrap().1)
    );
    let event = script.takes(&again[0]);
    script.hear(ok(&again[0], 2));
    script.hear(ServerEvent::Event(event));
    assert_eq!((script.done(Deed::Post), script.books.counts.acked, script.offences().len()), (1, 1, 0));
}

#[test]
fn an_own_event_that_comes_by_after_a_loss_is_the_answer() {
    let mut script = Script::new();
    let sent = script.act(Deed::Post);
    let event = script.takes(&sent[0]);
    script.lose();
    script.connect();
    // It was resent; the node sends what was missed first.
    script.lose();
    let (_, again) = script.connect();
    assert_eq!(again.len(), 1);
    script.lose();
    let mut fx = Effects::default();
    script.core.hello(String::new(), Moments { intended_us: 0, actual_us: 0 }, &mut fx);
    script.hear(ServerEvent::Ready(ready(2)));
    script.hear(ServerEvent::Event(event));
    script.lose();
    assert_eq!((script.core.unanswered(), script.books.counts.acked), (0, 1));
}

#[test]
fn an_event_twice_out_of_place_or_for_somebody_else_is_an_offence_with_the_message_s_name() {
    let mut script = Script::new();
    let messages: Vec<_> = (1..=4).map(|number| script.others_message(number)).collect();
    for place in [0, 0, 2, 1, 3] {
        script.hear(ServerEvent::Event(messages[place].clone()));
    }
    script.hear(ServerEvent::Event(Event { room: RoomId::from_bytes([8; 16]), ..messages[3].clone() }));
    assert_eq!(
        script.offences(),
        [
            (Offending::Doubled, "message 1 of user 9 at seq 2 was sent to user 3 a second time on one connection"),
            (Offending::Reordered, "message 2 of user 9 at seq 3 was sent to user 3 after events that follow it"),
            (Offending::Unauthorised, "message 4 of user 9 at seq 5 came to user 3, who is no member of the room"),
        ]
    );
}

#[test]
fn events_that_come_in_one_frame_are_so_many_deliveries_each_in_its_place() {
    let mut script = Script::new();
    let messages: Vec<_> = (1..=4).map(|number| script.others_message(number)).collect();
    let frame = |places: &[usize]| {
        let events = places.iter().map(|place| messages[*place].clone()).collect();
        ServerEvent::Events(schema::server::Events { room: room(), events })
    };
    script.hear(frame(&[0, 1, 2]));
    assert_eq!((script.done(Deed::Deliver), script.offences().len()), (3, 0));
    script.hear(frame(&[2, 3]));
    assert_eq!(
        script.offences(),
        [(Offending::Doubled, "message 3 of user 9 at seq 4 was sent to user 3 a second time on one connection")]
    );
    assert_eq!(script.done(Deed::Deliver), 4);
}

#[test]
fn an_event_that_was_never_sent_is_lost_although_its_page_has_it() {
    let mut script = Script::new();
    let messages: Vec<_> = (1..=3).map(|number| script.others_message(number)).collect();
    script.hear(ServerEvent::Event(messages[0].clone()));
    let asked = script.hear(ServerEvent::Event(messages[2].clone()));
    let ClientEvent::History(ask) = &asked[0] else { panic!("{asked:?}") };
    assert_eq!(ask.after, Some(2));
    let page = History { id: ask.id, room: room(), from: 3, to: 4, head: 4, ordinal: 3, events: messages[1..].to_vec(), marks: Vec::new() };
    script.hear(ServerEvent::History(page));
    assert!(script.core.is_settled(&[4]));
    script.core.end(&mut script.books, &mut Effects::default());
    assert_eq!(script.offences(), [(Offending::Lost, "seq 3 was not sent to user 3, while the one after 3 was")]);
}

#[test]
fn a_stated_gap_is_filled_by_pages_and_the_resume_is_over_with_the_last() {
    let mut script = Script::new();
    let messages: Vec<_> = (1..=3).map(|number| script.others_message(number)).collect();
    script.lose();
    script.now_us += 5_000;
    script.connect();
    let asked = script.hear(ServerEvent::Gap(Gap { room: room(), from: 2, to: 4 }));
    let ClientEvent::History(ask) = &asked[0] else { panic!("{asked:?}") };
    assert_eq!((ask.after, script.done(Deed::Resume)), (Some(1), 0));
    let page = |id, events: &[Event]| {
        let (from, to) = (events[0].seq, events[events.len() - 1].seq);
        ServerEvent::History(History { id, room: room(), from, to, head: 4, ordinal: 3, events: events.to_vec(), marks: Vec::new() })
    };
    let more = script.hear(page(ask.id, &messages[..2]));
    let ClientEvent::History(ask) = &more[0] else { panic!("{more:?}") };
    assert_eq!((ask.after, script.done(Deed::Resume)), (Some(3), 0));
    script.hear(page(ask.id, &messages[2..]));
    assert_eq!((script.done(Deed::Resume), script.done(Deed::Replay), script.books.counts.paged), (1, 3, 3));
    assert!(script.offences().is_empty());
}

#[test]
fn a_temporary_refusal_is_sent_again_and_a_lasting_one_is_counted() {
    let mut script = Script::new();
    let sent = script.act(Deed::Post);
    let refusal = |code, request: &ClientEvent| {
        let mut refusal = schema::server::Refusal::new(order(request).id, code);
        refusal.retry_after_ms = Some(20);
        ServerEvent::Error(refusal)
    };
    assert_eq!(script.hear(refusal(ErrorCode::Busy, &sent[0])), []);
    assert_eq!(script.core.due_us(), Some(script.now_us + 20_000));
    let mut fx = Effects::default();
    script.core.pump(script.now_us + 20_000, &mut fx);
    script.hear(refusal(ErrorCode::Forbidden, &fx.send[0]));
    let timed = script.books.tally.of(Deed::Post);
    assert_eq!((timed.put_off, timed.refused, timed.done, script.core.unanswered()), (1, 1, 0, 0));
}

#[test]
fn a_room_that_ready_leaves_out_is_lost() {
    let mut script = Script::new();
    script.lose();
    script.core.hello(String::new(), Moments { intended_us: 0, actual_us: 0 }, &mut Effects::default());
    script.hear(ServerEvent::Ready(Ready { rooms: Vec::new(), ..ready(1) }));
    assert_eq!(script.offences(), [(Offending::Lost, "user 3 is a member, and `ready` did not name the room")]);
}
