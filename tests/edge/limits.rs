//! Bounds at work: requests in flight, rates, sockets of a user and of an address, silence, drain.

use actors::outlet::{Down, Encoded};
use hubbub::edge::Up;
use hubbub::limits::Limits;
use schema::server::Done;
use schema::wire::Format;
use schema::{CloseCode, ErrorCode, ServerEvent};

use crate::client::{Client, UPGRADE, open_from, request};
use crate::world::{World, room, user};

fn history(id: u32) -> String {
    format!(r#"{{"history":{{"id":{id},"room":"{}"}}}}"#, room(1))
}
fn ok(id: u32) -> Encoded {
    Encoded::new(ServerEvent::Ok(Done { id, room: None, seq: None, ordinal: None, at: None }))
}

#[test]
fn with_sixteen_requests_under_way_a_connection_is_not_read_until_one_is_answered() {
    let world = World::new();
    let (mut client, connection) = world.member(user(1), &[]);
    (1..=20).for_each(|id| client.say(&history(id)));
    client.say(r#"{"ping":{"id":99}}"#);
    for _ in 1..=16 {
        world.event();
    }
    // Another client's request passes, so the lot has had its turn.
    let (mut other, _) = world.member(user(2), &[]);
    other.say(r#"{"ping":{"id":1}}"#);
    assert!(matches!(other.event(), ServerEvent::Pong(_)));
    assert!(world.says_nothing());
    for id in 1..=4 {
        world.down(Down::Send { connection, event: ok(id) });
        world.event();
        assert!(matches!(client.event(), ServerEvent::Ok(done) if done.id == id));
    }
    assert!(world.says_nothing());
    world.down(Down::Send { connection, event: ok(5) });
    assert!(matches!(client.event(), ServerEvent::Ok(_)));
    assert!(matches!(client.event(), ServerEvent::Pong(pong) if pong.id == 99));
}

#[test]
fn the_silence_clock_stands_still_while_a_connection_is_not_read() {
    let world = World::with(Limits { requests_in_flight_max: 1, heartbeat_ms: 1_000, ..Limits::default() });
    let (mut waits, connection) = world.member(user(1), &[]);
    waits.say(&history(1));
    world.event();
    // This one is silent from later on, and is gone while the other still waits.
    let (mut silent, _) = world.member(user(2), &[]);
    assert_eq!(silent.closed(), CloseCode::Silent.number());
    assert!(matches!(world.up(), Up::Closed { user: Some(gone), .. } if gone == user(2)));
    world.down(Down::Send { connection, event: ok(1) });
    assert!(matches!(waits.event(), ServerEvent::Ok(_)));
    assert_eq!(waits.closed(), CloseCode::Silent.number());
}

#[test]
fn who_asks_too_fast_is_told_when_to_come_again_but_may_page_and_ping() {
    let world = World::with(Limits { user_events_burst: 3, user_events_per_minute: 1, ..Limits::default() });
    let (mut client, connection) = world.member(user(1), &[]);
    let (mut second, _) = world.member(user(1), &[]);
    let watch = |id: u32| format!(r#"{{"watch":{{"id":{id},"users":[]}}}}"#);
    (1..=2).for_each(|id| client.say(&watch(id)));
    assert_eq!((world.event().0, world.event().0), (connection, connection));
    second.say(&watch(3));
    world.event();
    client.say(&watch(4));
    match client.event() {
        ServerEvent::Error(refusal) => {
            assert_eq!((refusal.id, refusal.code), (4, ErrorCode::RateLimited));
            assert!(refusal.retry_after_ms.is_some_and(|ms| (1..=60_000).contains(&ms)));
        }
        other => panic!("{other:?}"),
    }
    client.say(&history(5));
    world.event();
    client.say(r#"{"ping":{"id":6}}"#);
    assert!(matches!(client.event(), ServerEvent::Pong(_)));
}

#[test]
fn one_socket_more_than_a_user_may_have_replaces_the_idle_one() {
    let world = World::with(Limits { connections_per_user_max: 2, ..Limits::default() });
    let (mut first, _) = world.member(user(1), &[]);
    let (_second, _) = world.member(user(1), &[]);
    let (_third, _) = world.member(user(1), &[]);
    assert_eq!(first.closed(), CloseCode::Replaced.number());
}

#[test]
fn one_socket_more_than_an_address_may_have_is_refused_with_429_until_another_goes() {
    let world = World::with(Limits { connections_per_address_max: 2, ..Limits::default() });
    let (first, _) = world.member(user(1), &[]);
    let (_second, _) = world.member(user(2), &[]);
    let mut third = Client::open(world.address);
    third.write(request(world.address, "/v1/ws", &UPGRADE).as_bytes());
    let head = third.read_head();
    assert!(head.starts_with("HTTP/1.1 429 ") && head.contains("retry-after: "), "{head}");
    drop((first, third));
    assert!(matches!(world.up(), Up::Closed { .. }));
    while world.lots.connections() > 1 {
        std::thread::yield_now();
    }
    world.member(user(3), &[]);
}

#[test]
fn strangers_of_one_address_are_bounded_and_one_who_signs_on_makes_room() {
    let world = World::with(Limits { unauthenticated_per_address_max: 3, ..Limits::default() });
    let (mut known, connection) = world.hello(Format::Json);
    let strangers: Vec<Client> = (0..2).map(|_| Client::connect(world.address, Format::Json)).collect();
    let mut refused = Client::open(world.address);
    let head = refused.read_head();
    assert!(head.starts_with("HTTP/1.1 503 ") && head.contains("retry-after: "), "{head}");
    world.greet(connection, user(1));
    assert!(matches!(known.event(), ServerEvent::Ready(_)));
    // The door counts a socket twice for a moment: as one that asks, and as one that has not said hello.
    let mut enters = Client::open(world.address);
    enters.write(request(world.address, "/hi", &[]).as_bytes());
    assert!(enters.read_head().starts_with("HTTP/1.1 200 "));
    drop(strangers);
}

#[test]
fn one_http_connection_more_than_the_node_may_have_is_told_to_come_later() {
    let world = World::with(Limits { http_connections_max: 1, ..Limits::default() });
    let mut first = Client::open(world.address);
    first.write(request(world.address, "/hi", &[]).as_bytes());
    assert!(first.read_head().starts_with("HTTP/1.1 200 "));
    let head = Client::open(world.address).read_head();
    assert!(head.starts_with("HTTP/1.1 503 ") && head.contains("retry-after: "), "{head}");
}

#[test]
fn a_flood_that_nobody_waits_an_answer_for_is_refused_once_a_second_and_each_request_every_time() {
    const FLOOD: usize = 5_000;
    let world = World::with(Limits { user_events_burst: 1, user_events_per_minute: 1, ..Limits::default() });
    let (mut client, _) = world.member(user(1), &[]);
    let begun = std::time::Instant::now();
    let typing = format!(r#"{{"typing":{{"room":"{}","on":true}}}}"#, room(1));
    client.write(&crate::client::frame(0x81, typing.as_bytes()).repeat(FLOOD));
    (1..=3).for_each(|id| client.say(&format!(r#"{{"watch":{{"id":{id},"users":[]}}}}"#)));
    client.say(r#"{"ping":{"id":9}}"#);
    let mut refused = Vec::new();
    loop {
        match client.event() {
            ServerEvent::Error(refusal) => refused.push(refusal.id),
            ServerEvent::Pong(_) => break,
            other => panic!("{other:?}"),
        }
    }
    let without_number = refused.iter().filter(|id| **id == 0).count();
    assert!((1..=2 + begun.elapsed().as_secs() as usize).contains(&without_number), "{without_number} refusals of a flood of {FLOOD}");
    assert_eq!(refused[without_number..], [1, 2, 3]);
}

#[test]
fn who_comes_faster_than_the_node_accepts_is_told_to_come_later() {
    // Who is let in and says nothing is closed without a word after `head_ms`. Some two of these come within a second.
    let world = World::with(Limits { accepts_per_second_max: 1, head_ms: 100, ..Limits::default() });
    let is_refused = |answer: String| answer.starts_with("HTTP/1.1 503 ") && answer.contains("retry-after: ");
    assert!((0..20).any(|_| is_refused(Client::open(world.address).end())));
}

#[test]
fn a_drain_says_so_to_everybody_waits_for_answers_and_lets_nobody_in() {
    let world = World::new();
    let (mut idle, _) = world.member(user(1), &[]);
    let (mut busy, connection) = world.member(user(2), &[]);
    busy.say(&history(1));
    world.event();
    world.door.drain();
    world.down(Down::Drain { window_ms: 60_000 });
    let told = |client: &mut Client| {
        assert!(matches!(client.event(), ServerEvent::Draining {}));
        assert!(matches!(client.event(), ServerEvent::Reconnect(hint) if hint.delay_ms <= 60_000));
    };
    told(&mut idle);
    assert_eq!(idle.closed(), CloseCode::Drain.number());
    told(&mut busy);
    world.down(Down::Send { connection, event: ok(1) });
    assert!(matches!(busy.event(), ServerEvent::Ok(_)));
    assert_eq!(busy.closed(), CloseCode::Drain.number());
}

#[test]
fn behind_a_proxy_clients_are_counted_by_their_own_address_and_others_may_not_claim_one() {
    let world = World::with(Limits { connections_per_address_max: 1, unauthenticated_per_address_max: 2, ..Limits::default() });
    let ask = |from: [u8; 4], client: &str| {
        let mut socket = open_from(from, world.address);
        socket.write(request(world.address, "/v1/ws", &[&UPGRADE[..], &[("X-Forwarded-For", client)]].concat()).as_bytes());
        let status = socket.read_head()[9..12].to_owned();
        (socket, status)
    };
    let proxied: Vec<_> = ["203.0.113.1", "203.0.113.2", "203.0.113.3"].map(|client| ask([127, 0, 0, 9], client)).into();
    assert!(proxied.iter().all(|(_, status)| status == "101"));
    assert_eq!(ask([127, 0, 0, 9], "203.0.113.1").1, "429");
    let (_kept, first) = ask([127, 0, 0, 8], "203.0.113.7");
    assert_eq!((first.as_str(), ask([127, 0, 0, 8], "203.0.113.8").1.as_str()), ("101", "429"));
}

#[test]
fn thousands_of_half_open_handshakes_keep_nobody_out_and_are_cut_off() {
    let world = World::with(Limits { head_ms: 1_000, ..Limits::default() });
    let mut half_open = Vec::new();
    for host in 1..=100 {
        for _ in 0..20 {
            let mut client = open_from([127, 0, 1, host], world.address);
            client.write(b"GET /v1/ws HTTP/1.1\r\nHost: a\r\nUpg");
            half_open.push(client);
        }
    }
    world.member(user(1), &[]);
    for mut client in half_open {
        assert_eq!(client.end(), "", "nothing is said to half a request");
    }
}
