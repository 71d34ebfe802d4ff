//! What nodes say to each other: in MessagePack alone, and to a node of the release before.

use schema::client::{Act, ClientEvent, Order, Read, Status};
use schema::peer::{Answer, Change, Forwarded, Mark, Outcome, OwnRoom, Question, RoomView, Word};
use schema::rest::Landed;
use schema::server::{Done, Refusal, UserStatus};
use schema::{ConnectionId, ErrorCode, EventBody, Role, RoomKind, ServerEvent};

use super::event::settings;
use super::sample::*;
use super::{files, samples};

const CONNECTION: ConnectionId = ConnectionId { lot: 3, generation: 2, index: 70_000 };

fn own_room() -> OwnRoom {
    let mark = Mark { seq: 12, ordinal: 9, delivered: 14 };
    OwnRoom { room: room(), role: Role::Moderator, mark, unread_from: Some(3), mentions: vec![13], draft: "unsent".into() }
}

fn view() -> RoomView {
    RoomView { kind: RoomKind::Direct, pair: Some((ann(), bob())), settings: settings(), members: 2, head: 41, ordinal: 30, at: AT }
}

fn words() -> Vec<(&'static str, Word)> {
    let (room, user) = (room(), ann());
    let order = Order { id: 7, room, cmid: cmid(), after: 41, prev: Some(prev()) };
    let act = Act::Post { text: TEXT.into(), reply: Some(7), origin: None };
    let landed = Landed { room, cmid: cmid(), seq: 42, ordinal: 31, at: AT };
    let refused = Outcome::Refused(Refusal::new(7, ErrorCode::Busy));
    let done = ServerEvent::Ok(Done { id: 7, room: None, seq: None, ordinal: None, at: None });
    let pin = event(9, 8, EventBody::Pin { target: 7, on: true });
    let read = ClientEvent::Read(Read { id: 7, room, seq: 41, ordinal: 30 });
    samples!(Word {
        Begin "begin" => Word::Begin {},
        Requests "requests" => Word::Requests { room, requests: vec![Forwarded { token: 9, user, order, act }] },
        Answered "answered" => Word::Answered { outcomes: vec![(9, Outcome::Landed(landed)), (10, refused), (11, Outcome::Moved)] },
        Follow "follow" => Word::Follow { room, known: Some(41), ask: 0 },
        Follow "follow_asked" => Word::Follow { room, known: Some(41), ask: 7 },
        Unfollow "unfollow" => Word::Unfollow { room },
        Following "following" => Word::Following { room, view: view(), ask: 0 },
        Following "following_asked" => Word::Following { room, view: view(), ask: 7 },
        NoRoom "no_room" => Word::NoRoom { room },
        Shown "shown" => Word::Shown { room, events: vec![pin] },
        Told "told" => Word::Told { room, event: ServerEvent::Draining {}, except: Some(CONNECTION) },
        Typing "typing" => Word::Typing { room, user, on: true },
        Signal "signal" => Word::Signal { room, user, kind: "ring".into(), data: "{}".into(), connection: CONNECTION },
        Receipt "receipt" => Word::Receipt { room, user, seq: 41, delivered: 42 },
        Online "online" => Word::Online { room, count: 17 },
        Changed "changed_joined" => Word::Changed { user, room, seq: 42, change: Change::Joined { role: Role::Member } },
        Changed "changed_left" => Word::Changed { user, room, seq: 42, change: Change::Left },
        Changed "changed_mentioned" => Word::Changed { user, room, seq: 42, change: Change::Mentioned { by: bob() } },
        Said "said" => Word::Said { user, connection: CONNECTION, event: read, beyond: true },
        Marked "marked" => Word::Marked { user, room, seq: 41, ordinal: 30 },
        Detached "detached" => Word::Detached { user, connection: CONNECTION },
        Watch "watch" => Word::Watch { users: vec![user, bob()] },
        Unwatch "unwatch" => Word::Unwatch { users: vec![user] },
        Seen "seen" => Word::Seen { user, status: Status::Busy, last_seen: Some(AT), rooms: vec![room] },
        Send "send" => Word::Send { connection: CONNECTION, event: done },
        Enter "enter" => Word::Enter { user, room: own_room(), connections: vec![CONNECTION] },
        Exit "exit" => Word::Exit { user, room, connections: vec![CONNECTION] },
        Revoked "revoked" => Word::Revoked { user, login: login() },
    })
}

fn questions() -> Vec<(&'static str, Question)> {
    let (room, user) = (room(), ann());
    samples!(Question {
        Tail "tail" => Question::Tail { room, after: 41 },
        Memberships "memberships" => Question::Memberships { user },
        Attach "attach" => Question::Attach { user, connection: CONNECTION, login: login() },
        Rooms "rooms" => Question::Rooms { user },
        Presence "presence" => Question::Presence { user, rooms: vec![room], users: vec![bob()] },
    })
}

fn answers() -> Vec<(&'static str, Answer)> {
    let status = UserStatus { user: bob(), status: Status::Away, last_seen: None };
    samples!(Answer {
        Tail "tail" => Answer::Tail { events: vec![event(9, 8, EventBody::Erased)], more: true },
        Memberships "memberships" => Answer::Memberships { changes: vec![(room(), Some(Role::Owner), 1), (workspace(), None, 5)] },
        Rooms "rooms" => Answer::Rooms { rooms: vec![own_room()] },
        Presence "presence" => Answer::Presence { users: vec![status] },
        Elsewhere "elsewhere" => Answer::Elsewhere,
        Unavailable "unavailable" => Answer::Unavailable,
    })
}

macro_rules! are_those_of_the_files {
    ($kind:literal, $type:ty, $samples:expr) => {
        let samples = $samples;
        samples.iter().for_each(|(name, sample)| files::check_msgpack($kind, name, sample));
        files::all_read::<$type>($kind, &samples.iter().map(|(name, _)| *name).collect::<Vec<_>>());
    };
}

#[test]
fn what_nodes_say_is_what_the_files_hold() {
    are_those_of_the_files!("peer_word", Word, words());
    are_those_of_the_files!("peer_question", Question, questions());
    are_those_of_the_files!("peer_answer", Answer, answers());
}
