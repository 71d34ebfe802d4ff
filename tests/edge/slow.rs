//! A reader that does not read: what it loses (nothing that lasts), and that its neighbours do not notice.

use actors::outlet::{Down, Encoded, EncodedPage};
use hubbub::edge::Up;
use hubbub::limits::Limits;
use schema::client::History;
use schema::rest::Page;
use schema::server::Typing;
use schema::wire::Format;
use schema::{ClientEvent, CloseCode, ConnectionId, RoomId, ServerEvent};

use crate::client::{Came, Client};
use crate::world::{World, message, room, user};

/// Twice what loopback sockets buffer, in messages of 16 KiB.
const FLOOD: u64 = 1024;

fn flood(world: &World, to: RoomId, seqs: std::ops::RangeInclusive<u64>, neighbour: &mut Client) {
    let text = "x".repeat(16 * 1024);
    for seq in seqs {
        world.batch(to, vec![message(to, seq, &text)]);
        assert_eq!(next_seq(neighbour), seq);
    }
}

fn next_seq(client: &mut Client) -> u64 {
    match client.event() {
        ServerEvent::Event(event) => event.seq,
        other => panic!("an event was expected, {other:?} came"),
    }
}

fn page(connection: ConnectionId, room: RoomId, to: u64, head: u64) -> Down {
    let format = Format::Json;
    let bytes = format.encode(&Page { room, from: 1, to, head, ordinal: to, events: Vec::new(), marks: Vec::new() });
    Down::Page { connection, id: 1, page: EncodedPage { room, to, head, format, bytes } }
}

/// Reads a gapless run of events; returns the last seq and what came instead of the next one.
fn run_of_events(client: &mut Client) -> (u64, ServerEvent) {
    let mut last = 0;
    loop {
        match client.event() {
            ServerEvent::Event(event) => {
                assert_eq!(event.seq, last + 1, "nothing is left out before `behind`");
                last = event.seq;
            }
            other => return (last, other),
        }
    }
}

#[test]
fn a_slow_reader_is_behind_once_and_catches_up_and_its_neighbour_misses_nothing() {
    let world = World::new();
    let (mut slow, connection) = world.member(user(1), &[room(1)]);
    let (mut neighbour, _) = world.member(user(2), &[room(1)]);
    flood(&world, room(1), 1..=FLOOD, &mut neighbour);

    let (last, behind) = run_of_events(&mut slow);
    let ServerEvent::Behind(behind) = behind else { panic!("{behind:?}") };
    assert_eq!((behind.room, behind.head), (room(1), last + 1), "said when the first event did not fit");
    assert!(last < FLOOD);

    // A page that does not reach what was withheld leaves it behind, and says how far.
    world.down(page(connection, room(1), last + 1, FLOOD));
    assert!(matches!(slow.event(), ServerEvent::History(_)));
    assert!(matches!(slow.event(), ServerEvent::Behind(behind) if behind.head == FLOOD));
    world.batch(room(1), vec![message(room(1), FLOOD + 1, "withheld too")]);
    assert_eq!(next_seq(&mut neighbour), FLOOD + 1);
    world.down(page(connection, room(1), FLOOD + 1, FLOOD + 1));
    world.batch(room(1), vec![message(room(1), FLOOD + 2, "flows again")]);
    assert!(matches!(slow.event(), ServerEvent::History(_)));
    assert_eq!(next_seq(&mut slow), FLOOD + 2);
    assert_eq!(next_seq(&mut neighbour), FLOOD + 2);
}

#[test]
fn typing_is_dropped_before_a_reader_is_behind_and_never_after_that_kept() {
    let world = World::with(Limits { outbox_frames_max: 64, ..Limits::default() });
    let (mut slow, _) = world.member(user(1), &[room(1)]);
    let (mut neighbour, _) = world.member(user(2), &[room(1)]);
    flood(&world, room(1), 1..=FLOOD, &mut neighbour);
    let typing = Encoded::new(ServerEvent::Typing(Typing { room: room(1), users: vec![user(2)], count: 1 }));
    for _ in 0..200 {
        world.down(Down::Ephemeral { room: room(1), event: typing.clone(), except: None });
    }
    for _ in 0..200 {
        assert!(matches!(neighbour.event(), ServerEvent::Typing(_)));
    }
    slow.say(r#"{"ping":{"id":1}}"#);
    let (mut behind, mut typings) = (0, 0);
    loop {
        match slow.event() {
            ServerEvent::Event(_) => {}
            ServerEvent::Typing(_) => typings += 1,
            ServerEvent::Behind(_) => behind += 1,
            ServerEvent::Pong(_) => break,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!((behind, typings), (1, 0));
}

#[test]
fn a_reader_without_progress_is_closed_as_slow() {
    let world = World::with(Limits { slow_ms: 200, linger_ms: 200, ..Limits::default() });
    let (slow, connection) = world.member(user(1), &[room(1)]);
    let (mut neighbour, _) = world.member(user(2), &[room(1)]);
    flood(&world, room(1), 1..=FLOOD, &mut neighbour);
    assert!(matches!(world.up(), Up::Closed { connection: of, user: Some(gone) } if of == connection && gone == user(1)));
    drop(slow);
}

#[test]
fn for_want_of_memory_those_go_first_who_have_most_to_read_and_no_more_than_needed() {
    let world = World::new();
    let (_slow, second) = world.member(user(1), &[room(1)]);
    let (_slowest, first) = world.member(user(2), &[room(1)]);
    let (mut neighbour, _) = world.member(user(3), &[room(1)]);
    flood(&world, room(1), 1..=FLOOD, &mut neighbour);
    world.down(Down::Send { connection: first, event: message(room(2), 1, &"x".repeat(32 * 1024)) });
    for expected in [first, second] {
        world.down(Down::Slowest { bytes: 1 });
        assert!(matches!(world.up(), Up::Closed { connection, .. } if connection == expected));
        world.batch(room(2), Vec::new());
    }
    world.down(Down::Slowest { bytes: u64::MAX });
    world.batch(room(1), vec![message(room(1), FLOOD + 1, "who keeps up stays")]);
    assert_eq!(next_seq(&mut neighbour), FLOOD + 1);
    assert!(world.says_nothing());
}

#[test]
fn answers_that_nobody_reads_close_the_connection_within_the_bound() {
    let world = World::with(Limits { linger_ms: 20_000, ..Limits::default() });
    let (mut slow, connection) = world.member(user(1), &[room(1)]);
    let text = "x".repeat(64 * 1024);
    let answer = message(room(1), 1, &text);
    while world.says_nothing() {
        world.down(Down::Send { connection, event: answer.clone() });
    }
    loop {
        match slow.next() {
            Came::Text(_) => {}
            Came::Close(code, _) => return assert_eq!(code, Some(CloseCode::Slow.number())),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn batches_that_did_not_fit_the_inbox_are_a_gap_that_is_said() {
    let world = World::new();
    let (mut client, connection) = world.member(user(1), &[room(1), room(2)]);
    world.batch(room(1), vec![message(room(1), 1, "one")]);
    assert_eq!(next_seq(&mut client), 1);
    // As if 2 had been dropped on the way.
    world.batch(room(1), vec![message(room(1), 3, "three")]);
    assert!(matches!(client.event(), ServerEvent::Behind(behind) if behind.room == room(1) && behind.head == 3));
    world.batch(room(2), vec![message(room(2), 9, "nine")]);
    assert_eq!(next_seq(&mut client), 9);
    world.down(page(connection, room(1), 3, 3));
    world.batch(room(1), vec![message(room(1), 4, "four")]);
    assert!(matches!(client.event(), ServerEvent::History(_)));
    assert_eq!(next_seq(&mut client), 4);
}

#[test]
fn an_overflowing_inbox_puts_every_room_behind_and_a_page_to_the_head_mends_it() {
    let world = World::with(Limits { lot_inbox_bytes_max: 2_000, ..Limits::default() });
    let (mut client, connection) = world.member(user(1), &[room(1), room(2)]);
    world.batch(room(1), vec![message(room(1), 1, "one")]);
    assert_eq!(next_seq(&mut client), 1);
    // One batch that can never fit.
    world.batch(room(1), (2..=10).map(|seq| message(room(1), seq, "much")).collect());
    world.batch(room(2), Vec::new());
    let mut behind: Vec<RoomId> = Vec::new();
    while behind.len() < 2 {
        match client.event() {
            ServerEvent::Behind(notice) => behind.push(notice.room),
            other => panic!("{other:?}"),
        }
    }
    assert!(behind.contains(&room(1)) && behind.contains(&room(2)));
    world.down(page(connection, room(1), 5, 10));
    assert!(matches!(client.event(), ServerEvent::History(_)));
    assert!(matches!(client.event(), ServerEvent::Behind(behind) if behind.head == 10));
    world.down(page(connection, room(1), 10, 10));
    assert!(matches!(client.event(), ServerEvent::History(_)));
    world.batch(room(1), vec![message(room(1), 11, "eleven")]);
    assert!(matches!(client.event(), ServerEvent::Event(event) if event.seq == 11));
}

#[test]
fn a_page_comes_in_the_format_of_the_connection_with_the_number_of_its_request_and_gives_back_its_place() {
    for format in [Format::Json, Format::MessagePack] {
        let world = World::with(Limits { requests_in_flight_max: 1, ..Limits::default() });
        let (mut client, connection) = world.member_in(format, user(1), &[room(1)]);
        let ServerEvent::Event(event) = message(room(1), 1, &"said ".repeat(100)).event().clone() else { panic!() };
        let page = Page { room: room(1), from: 1, to: 1, head: 1, ordinal: 1, events: vec![event], marks: Vec::new() };
        for id in [7, 70_000] {
            client.write(&crate::client::frame(opcode(format), &format.encode(&asked(id))));
            let Up::Event { format: said_in, .. } = world.up() else { panic!("a request was expected") };
            let bytes = said_in.encode(&page);
            world.down(Down::Page { connection, id, page: EncodedPage { room: room(1), to: 1, head: 1, format: said_in, bytes } });
            let ServerEvent::History(came) = client.event() else { panic!("a page was expected") };
            assert_eq!((came.id, came.room, came.events), (id, room(1), page.events.clone()), "{format:?}");
        }
    }
}

fn opcode(format: Format) -> u8 {
    if format == Format::Json { 0x81 } else { 0x82 }
}
fn asked(id: u32) -> ClientEvent {
    ClientEvent::History(History { id, room: room(1), before: None, after: None, around: None, at: None, limit: None })
}
