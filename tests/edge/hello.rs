//! The first message, the greeting, and what may come before it.

use actors::outlet::Down;
use hubbub::edge::Up;
use hubbub::limits::Limits;
use schema::server::Done;
use schema::wire::Format;
use schema::{CloseCode, ErrorCode, ServerEvent};

use crate::client::{Client, frame};
use crate::world::{World, message, ready, ready_in, room, user};

fn seq(event: ServerEvent) -> u64 {
    match event {
        ServerEvent::Event(event) => event.seq,
        other => panic!("an event of a room was expected, {other:?} came"),
    }
}

#[test]
fn a_post_goes_up_and_its_answer_and_event_come_down_in_both_formats() {
    let world = World::new();
    for format in [Format::Json, Format::MessagePack] {
        let (mut client, connection) = world.member_in(format, user(1), &[room(1)]);
        let post = schema::client::ClientEvent::Post(schema::client::Post {
            id: 7,
            room: room(1),
            cmid: Default::default(),
            after: 0,
            prev: None,
            text: "hi".to_owned(),
            reply: None,
        });
        client.write(&frame(if format == Format::Json { 0x81 } else { 0x82 }, &format.encode(&post)));
        assert_eq!(world.event(), (connection, post));
        let done = ServerEvent::Ok(Done { id: 7, room: Some(room(1)), seq: Some(1), ordinal: Some(1), at: Some(1) });
        world.down(Down::Send { connection, event: actors::outlet::Encoded::new(done.clone()) });
        world.batch(room(1), vec![message(room(1), 1, "hi")]);
        assert_eq!(client.event(), done);
        assert_eq!(seq(client.event()), 1);
        drop(client);
        assert!(matches!(world.up(), Up::Closed { user: Some(gone), .. } if gone == user(1)));
    }
}

#[test]
fn what_a_room_says_before_the_greeting_comes_after_it_and_in_order() {
    let world = World::new();
    let (mut client, connection) = world.hello(Format::Json);
    world.down(Down::Join { connection, user: user(1), room: room(1) });
    world.batch(room(1), vec![message(room(1), 5, "five")]);
    world.batch(room(1), vec![message(room(1), 6, "six")]);
    let events = vec![ready(user(1)), message(room(1), 3, "three"), message(room(1), 4, "four")];
    world.down(Down::Greet { connection, user: user(1), events });
    world.batch(room(1), vec![message(room(1), 7, "seven")]);
    assert!(matches!(client.event(), ServerEvent::Ready(_)));
    for wanted in 3..=7 {
        assert_eq!(seq(client.event()), wanted);
    }
}

#[test]
fn what_a_greeting_says_of_a_room_is_not_said_again_behind_it_when_the_room_was_joined_twice() {
    let world = World::new();
    let (mut client, connection) = world.hello(Format::Json);
    let join = || world.down(Down::Join { connection, user: user(1), room: room(1) });
    join();
    world.batch(room(1), vec![message(room(1), 5, "five")]);
    join();
    world.batch(room(1), vec![message(room(1), 6, "six")]);
    let events = vec![ready_in(user(1), &[(room(1), 5)]), message(room(1), 4, "four"), message(room(1), 5, "five")];
    world.down(Down::Greet { connection, user: user(1), events });
    world.batch(room(1), vec![message(room(1), 7, "seven")]);
    assert!(matches!(client.event(), ServerEvent::Ready(_)));
    for wanted in 4..=7 {
        assert_eq!(seq(client.event()), wanted);
    }
}

#[test]
fn requests_behind_the_hello_wait_for_the_greeting() {
    let world = World::new();
    let (mut client, connection) = world.hello(Format::Json);
    client.say(r#"{"ping":{"id":1}}"#);
    client.say(r#"{"history":{"id":2,"room":"01010101-0101-0101-0101-010101010101"}}"#);
    world.greet(connection, user(1));
    assert!(matches!(client.event(), ServerEvent::Ready(_)));
    assert!(matches!(client.event(), ServerEvent::Pong(pong) if pong.id == 1));
    assert_eq!(world.event().0, connection);
}

#[test]
fn a_first_message_that_is_no_hello_closes_the_connection() {
    let world = World::new();
    let first = |bytes: &[u8]| {
        let mut client = Client::connect(world.address, Format::Json);
        client.write(bytes);
        client.closed()
    };
    assert_eq!(first(&frame(0x81, br#"{"ping":{"id":1}}"#)), CloseCode::BadHello.number());
    assert_eq!(first(&frame(0x81, b"{}")), CloseCode::BadHello.number());
    assert_eq!(first(&frame(0x81, &[b'['; 10_000])), CloseCode::BadHello.number());
    assert_eq!(first(&frame(0x82, b"{}")), CloseCode::Unsupported.number());
    assert!(world.says_nothing());
}

#[test]
fn who_says_nothing_in_time_is_told_so() {
    let world = World::with(Limits { hello_ms: 64, ..Limits::default() });
    let mut client = Client::connect(world.address, Format::Json);
    assert_eq!(client.closed(), CloseCode::HelloTimeout.number());
}

#[test]
fn a_greeting_for_a_connection_that_has_gone_is_taken_back() {
    let world = World::new();
    let (client, connection) = world.hello(Format::Json);
    drop(client);
    assert!(matches!(world.up(), Up::Closed { user: None, .. }));
    world.greet(connection, user(1));
    assert!(matches!(world.up(), Up::Closed { connection: of, user: Some(gone) } if of == connection && gone == user(1)));
}

#[test]
fn a_second_hello_and_nonsense_are_refused_and_the_connection_stays() {
    let world = World::new();
    let (mut client, _) = world.member(user(1), &[]);
    let mut refused = |text: &str| {
        client.say(text);
        match client.event() {
            ServerEvent::Error(refusal) => (refusal.id, refusal.code),
            other => panic!("a refusal was expected, {other:?} came"),
        }
    };
    assert_eq!(refused(r#"{"hello":{"device":"01010101-0101-0101-0101-010101010101"}}"#), (0, ErrorCode::BadRequest));
    assert_eq!(refused(r#"{"dance":{"id":4}}"#), (4, ErrorCode::UnknownEvent));
    assert_eq!(refused(r#"{"ping":{"id":5,"x":1}}"#), (5, ErrorCode::BadRequest));
    assert_eq!(refused("nonsense"), (0, ErrorCode::BadRequest));
    let long = format!(r#"{{"draft":{{"id":6,"room":"{}","text":"{}"}}}}"#, room(1), "x".repeat(16 * 1024 + 1));
    assert_eq!(refused(&long), (6, ErrorCode::TooLong));
    client.say(r#"{"ping":{"id":7}}"#);
    assert!(matches!(client.event(), ServerEvent::Pong(pong) if pong.id == 7));
}

#[test]
fn a_wrong_token_closes_before_anything_else_is_heard() {
    let world = World::new();
    let (mut client, connection) = world.hello(Format::Json);
    world.down(Down::Join { connection, user: user(1), room: room(1) });
    world.batch(room(1), vec![message(room(1), 1, "secret")]);
    world.down(Down::Close { connection, code: CloseCode::Unauthenticated });
    assert_eq!(client.closed(), CloseCode::Unauthenticated.number());
    assert!(matches!(world.up(), Up::Closed { user: None, .. }));
}
