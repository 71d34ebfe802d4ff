//! Any value of every type: strategies for the round trip. Numbers and texts are chosen where formats change their minds.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use schema::client::{self, ClientEvent, Status};
use schema::event::*;
use schema::server::{self, ServerEvent};
use schema::{Cmid, DeviceId, ErrorCode, InstallationId, LoginId, RoomId, UserId};
use uuid::Uuid;

/// Where MessagePack changes its width, and JSON its digits.
pub fn number() -> BoxedStrategy<u64> {
    prop_oneof![
        0..3u64,
        126..130u64,
        254..258u64,
        65_534..65_538u64,
        (1u64 << 32) - 2..(1 << 32) + 2,
        Just((1u64 << 53) - 1),
        Just(u64::MAX),
        any::<u64>()
    ]
    .boxed()
}

fn small() -> BoxedStrategy<u32> {
    prop_oneof![0..3u32, 126..130u32, Just(u32::MAX), any::<u32>()].boxed()
}

fn text() -> BoxedStrategy<String> {
    let nasty = prop_oneof![
        Just(String::new()),
        Just("\u{0}\u{1f}\"\\/\u{7f}\u{2028}\u{feff}".to_owned()),
        Just("👩‍👩‍👧‍👦 \u{202e}abc".to_owned()),
        Just("x".repeat(70_000)),
    ];
    prop_oneof![4 => any::<String>(), 1 => nasty, 1 => "[ -~]{30,34}"].boxed()
}

fn uuid() -> BoxedStrategy<Uuid> {
    any::<[u8; 16]>().prop_map(Uuid::from_bytes).boxed()
}
fn user() -> BoxedStrategy<UserId> {
    uuid().prop_map(UserId).boxed()
}
fn room() -> BoxedStrategy<RoomId> {
    uuid().prop_map(RoomId).boxed()
}
fn cmid() -> BoxedStrategy<Cmid> {
    uuid().prop_map(Cmid).boxed()
}

fn role() -> BoxedStrategy<Role> {
    prop_oneof![Just(Role::Guest), Just(Role::Member), Just(Role::Moderator), Just(Role::Owner)].boxed()
}
fn kind() -> BoxedStrategy<RoomKind> {
    prop_oneof![Just(RoomKind::Direct), Just(RoomKind::Group), Just(RoomKind::Channel), Just(RoomKind::Workspace)].boxed()
}
fn status() -> BoxedStrategy<Status> {
    use Status::*;
    prop_oneof![Just(Online), Just(Idle), Just(Busy), Just(Away), Just(Invisible), Just(Offline)].boxed()
}

pub fn settings() -> BoxedStrategy<RoomSettings> {
    (text(), text(), option::of(room()), any::<bool>(), any::<bool>())
        .prop_map(|(name, topic, workspace, public, archived)| RoomSettings { name, topic, workspace, public, archived })
        .boxed()
}

fn body() -> BoxedStrategy<EventBody> {
    let member = (user(), role()).prop_map(|(user, role)| Member { user, role });
    let origin = (number(), option::of(text())).prop_map(|(at, thread)| Origin { at, thread });
    let message = (text(), option::of(number()), option::of(origin)).prop_map(|(text, reply, origin)| Message { text, reply, origin });
    prop_oneof![
        (kind(), settings(), vec(member, 0..20)).prop_map(|(kind, settings, members)| EventBody::Created { kind, settings, members }),
        message.prop_map(EventBody::Message),
        (number(), text()).prop_map(|(target, text)| EventBody::Edit { target, text }),
        (number(), option::of(text())).prop_map(|(target, reason)| EventBody::Delete { target, reason }),
        (number(), text(), any::<bool>()).prop_map(|(target, emoji, on)| EventBody::React { target, emoji, on }),
        (number(), any::<bool>()).prop_map(|(target, on)| EventBody::Pin { target, on }),
        (user(), option::of(role()), small()).prop_map(|(user, role, members)| EventBody::Member { user, role, members }),
        settings().prop_map(EventBody::Settings),
        Just(EventBody::Erased),
    ]
    .boxed()
}

pub fn event() -> BoxedStrategy<Event> {
    (room(), number(), number(), number(), user(), cmid(), body())
        .prop_map(|(room, seq, ordinal, at, user, cmid, body)| Event { room, seq, ordinal, at, user, cmid, body })
        .boxed()
}

/// One of the ordered requests, around what all of them have.
macro_rules! ordered {
    ($name:ident { $($field:ident: $strategy:expr),* }) => {
        ((small(), room(), cmid(), number(), option::of(cmid())), ($($strategy,)*)).prop_map(|((id, room, cmid, after, prev), ($($field,)*))| {
            client::$name { id, room, cmid, after, prev, $($field),* }
        })
    };
}

fn ordered_event() -> BoxedStrategy<ClientEvent> {
    prop_oneof![
        ordered!(Post { text: text(), reply: option::of(number()) }).prop_map(ClientEvent::Post),
        ordered!(Edit { target: number(), text: text() }).prop_map(ClientEvent::Edit),
        ordered!(Delete { target: number(), reason: option::of(text()) }).prop_map(ClientEvent::Delete),
        ordered!(React { target: number(), emoji: text(), on: any::<bool>() }).prop_map(ClientEvent::React),
        ordered!(Pin { target: number(), on: any::<bool>() }).prop_map(ClientEvent::Pin),
        ordered!(Invite { user: user() }).prop_map(ClientEvent::Invite),
        ordered!(Kick { user: user() }).prop_map(ClientEvent::Kick),
        ordered!(SetRole { user: user(), role: role() }).prop_map(ClientEvent::Role),
        ordered!(Create { kind: kind(), settings: settings(), members: vec(user(), 0..20) }).prop_map(ClientEvent::Create),
        ordered!(Settings { settings: settings() }).prop_map(ClientEvent::Settings),
        (small(), room(), cmid(), number(), option::of(cmid()), any::<bool>()).prop_map(|(id, room, cmid, after, prev, join)| match join {
            true => ClientEvent::Join(client::Join { id, room, cmid, after, prev }),
            false => ClientEvent::Leave(client::Leave { id, room, cmid, after, prev }),
        }),
    ]
    .boxed()
}

fn hello() -> BoxedStrategy<ClientEvent> {
    let resume = (room(), number()).prop_map(|(room, seq)| client::Resume { room, seq });
    (option::of(text()), option::of(text()), uuid().prop_map(DeviceId), vec(resume, 0..20))
        .prop_map(|(token, ticket, device, resume)| ClientEvent::Hello(client::Hello { token, ticket, device, resume }))
        .boxed()
}

fn history() -> BoxedStrategy<ClientEvent> {
    let place = || option::of(number());
    (small(), room(), place(), place(), place(), place(), option::of(any::<u16>()))
        .prop_map(|(id, room, before, after, around, at, limit)| {
            ClientEvent::History(client::History { id, room, before, after, around, at, limit })
        })
        .boxed()
}

pub fn client_event() -> BoxedStrategy<ClientEvent> {
    let id = small;
    prop_oneof![
        8 => ordered_event(),
        1 => hello(),
        1 => history(),
        4 => prop_oneof![
            (id(), room(), number(), number()).prop_map(|(id, room, seq, ordinal)| ClientEvent::Read(client::Read { id, room, seq, ordinal })),
            (id(), room(), option::of(number())).prop_map(|(id, room, from)| ClientEvent::Unread(client::Unread { id, room, from })),
            (room(), number()).prop_map(|(room, seq)| ClientEvent::Delivered(client::Delivered { room, seq })),
            (id(), room(), text()).prop_map(|(id, room, text)| ClientEvent::Draft(client::Draft { id, room, text })),
            (room(), any::<bool>()).prop_map(|(room, on)| ClientEvent::Typing(client::Typing { room, on })),
            (id(), status()).prop_map(|(id, status)| ClientEvent::Presence(client::Presence { id, status })),
            (id(), vec(user(), 0..200)).prop_map(|(id, users)| ClientEvent::Watch(client::Watch { id, users })),
            (id(), room(), number(), number()).prop_map(|(id, room, from, to)| ClientEvent::StateHash(client::StateHash { id, room, from, to })),
            (room(), text(), text()).prop_map(|(room, kind, data)| ClientEvent::Signal(client::Signal { room, kind, data })),
            id().prop_map(|id| ClientEvent::Ping(client::Ping { id })),
        ],
    ]
    .boxed()
}

fn room_state() -> BoxedStrategy<server::RoomState> {
    let ids = (room(), kind(), settings(), role(), option::of(user()), small());
    let marks = (number(), number(), number(), number(), number(), option::of(number()));
    (ids, marks, vec(number(), 0..20), text())
        .prop_map(
            |((room, kind, settings, role, peer, members), (head, ordinal, at, read_seq, read_ordinal, unread_from), mentions, draft)| {
                server::RoomState {
                    room,
                    kind,
                    settings,
                    role,
                    head,
                    ordinal,
                    at,
                    read_seq,
                    read_ordinal,
                    unread_from,
                    mentions,
                    draft,
                    peer,
                    members,
                }
            },
        )
        .boxed()
}

fn ready() -> BoxedStrategy<ServerEvent> {
    let ids = (user(), uuid(), uuid(), uuid());
    let bounds = (small(), small(), any::<u16>(), small(), any::<u16>(), any::<u16>());
    (any::<u16>(), ids, number(), small(), bounds, vec(room_state(), 0..4), vec(text(), 0..3))
        .prop_map(|(level, (user, login, device, installation), now, heartbeat_ms, bounds, rooms, nodes)| {
            let (message_bytes_max, text_bytes_max, requests_in_flight_max, resume_events_max, watch_max, page_max) = bounds;
            let limits =
                server::ClientLimits { message_bytes_max, text_bytes_max, requests_in_flight_max, resume_events_max, watch_max, page_max };
            let (login, device, installation) = (LoginId(login), DeviceId(device), InstallationId(installation));
            ServerEvent::Ready(server::Ready { level, user, login, device, installation, now, heartbeat_ms, limits, rooms, nodes })
        })
        .boxed()
}

fn page() -> BoxedStrategy<ServerEvent> {
    (small(), room(), [number(), number(), number(), number()], vec(event(), 0..6), vec(event(), 0..6))
        .prop_map(|(id, room, [from, to, head, ordinal], events, marks)| {
            ServerEvent::History(server::History { id, room, from, to, head, ordinal, events, marks })
        })
        .boxed()
}

fn answer() -> BoxedStrategy<ServerEvent> {
    let done = (small(), option::of(room()), option::of(number()), option::of(number()), option::of(number()));
    let refusal = (small(), 0..ErrorCode::ALL.len(), text(), option::of(small()));
    prop_oneof![
        done.prop_map(|(id, room, seq, ordinal, at)| ServerEvent::Ok(server::Done { id, room, seq, ordinal, at })),
        refusal.prop_map(|(id, code, message, retry_after_ms)| {
            ServerEvent::Error(server::Refusal { id, code: ErrorCode::ALL[code], message, retry_after_ms })
        }),
        (small(), room(), number(), number(), text()).prop_map(|(id, room, from, to, hash)| ServerEvent::StateHash(server::StateHash {
            id,
            room,
            from,
            to,
            hash
        })),
        small().prop_map(|id| ServerEvent::Pong(server::Pong { id })),
    ]
    .boxed()
}

fn news() -> BoxedStrategy<ServerEvent> {
    let mark = (user(), number(), number(), number(), option::of(number()))
        .prop_map(|(user, seq, delivered, ordinal, unread_from)| server::ReadMark { user, seq, delivered, ordinal, unread_from });
    let shown =
        (user(), status(), option::of(number())).prop_map(|(user, status, last_seen)| server::UserStatus { user, status, last_seen });
    prop_oneof![
        (room(), number(), number()).prop_map(|(room, from, to)| ServerEvent::Gap(server::Gap { room, from, to })),
        (room(), number()).prop_map(|(room, head)| ServerEvent::Behind(server::Behind { room, head })),
        (room(), vec(user(), 0..4), small()).prop_map(|(room, users, count)| ServerEvent::Typing(server::Typing { room, users, count })),
        (room(), vec(mark, 0..6)).prop_map(|(room, marks)| ServerEvent::Read(server::Read { room, marks })),
        vec(shown, 0..6).prop_map(|users| ServerEvent::Presence(server::Presence { users })),
        (room(), small()).prop_map(|(room, count)| ServerEvent::Online(server::Online { room, count })),
        (room(), text()).prop_map(|(room, text)| ServerEvent::Draft(server::Draft { room, text })),
        (room(), number(), user()).prop_map(|(room, seq, user)| ServerEvent::Notify(server::Notify { room, seq, user })),
        (room(), user(), text(), text()).prop_map(|(room, user, kind, data)| ServerEvent::Signal(server::Signal {
            room,
            user,
            kind,
            data
        })),
        Just(ServerEvent::Draining {}),
        small().prop_map(|delay_ms| ServerEvent::Reconnect(server::Reconnect { delay_ms })),
    ]
    .boxed()
}

pub fn server_event() -> BoxedStrategy<ServerEvent> {
    prop_oneof![
        2 => event().prop_map(ServerEvent::Event),
        1 => (room(), vec(event(), 0..4)).prop_map(|(room, events)| ServerEvent::Events(server::Events { room, events })),
        1 => ready(),
        1 => room_state().prop_map(ServerEvent::Room),
        1 => page(),
        2 => answer(),
        3 => news(),
    ]
    .boxed()
}
