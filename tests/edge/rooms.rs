//! Members of rooms: who is sent what, and who no more.

use actors::outlet::{Down, Encoded};
use hubbub::limits::Limits;
use schema::server::{Events, Typing};
use schema::wire::Format;
use schema::{CloseCode, Event, EventBody, ServerEvent};

use crate::client::{Came, Client, frame};
use crate::world::{PANIC, World, message, room, user};

fn seqs(client: &mut Client, count: usize) -> Vec<u64> {
    (0..count)
        .map(|_| match client.event() {
            ServerEvent::Event(event) => event.seq,
            other => panic!("an event was expected, {other:?} came"),
        })
        .collect()
}

fn removal(seq: u64, gone: u8) -> Encoded {
    let body = EventBody::Member { user: user(gone), role: None, members: 1 };
    let event = Event { room: room(1), seq, ordinal: 0, at: seq, user: user(9), cmid: Default::default(), body };
    Encoded::new(ServerEvent::Event(event))
}

#[test]
fn a_removed_user_sees_the_removal_and_nothing_after_it() {
    let world = World::new();
    let (mut removed, _) = world.member(user(1), &[room(1), room(2)]);
    let (mut second_device, _) = world.member(user(1), &[room(1)]);
    let (mut stays, _) = world.member(user(2), &[room(1)]);
    world.batch(room(1), vec![message(room(1), 1, "before")]);
    world.down(Down::Batch { room: room(1), events: vec![removal(2, 1)], removed: Some(user(1)) });
    world.batch(room(1), vec![message(room(1), 3, "after")]);
    world.batch(room(2), vec![message(room(2), 77, "elsewhere")]);
    assert_eq!(seqs(&mut removed, 3), [1, 2, 77]);
    assert_eq!(seqs(&mut stays, 3), [1, 2, 3]);
    assert_eq!(seqs(&mut second_device, 2), [1, 2]);
    second_device.say(r#"{"ping":{"id":1}}"#);
    assert!(matches!(second_device.event(), ServerEvent::Pong(_)));
}

#[test]
fn who_is_removed_before_the_greeting_sees_the_removal_and_nothing_after_it() {
    let world = World::new();
    let (mut client, connection) = world.hello(Format::Json);
    [1, 2].into_iter().for_each(|n| world.down(Down::Join { connection, user: user(1), room: room(n) }));
    world.down(Down::Batch { room: room(1), events: vec![removal(2, 1)], removed: Some(user(1)) });
    world.batch(room(1), vec![message(room(1), 3, "after")]);
    world.greet(connection, user(1));
    world.batch(room(1), vec![message(room(1), 4, "later")]);
    world.batch(room(2), vec![message(room(2), 77, "elsewhere")]);
    assert!(matches!(client.event(), ServerEvent::Ready(_)));
    assert_eq!(seqs(&mut client, 2), [2, 77]);
}

#[test]
fn a_room_of_somebody_else_is_not_joined_by_the_name_of_ones_connection() {
    let world = World::new();
    let (mut client, connection) = world.member(user(1), &[room(1)]);
    world.down(Down::Join { connection, user: user(2), room: room(2) });
    world.batch(room(2), vec![message(room(2), 5, "of somebody else")]);
    world.batch(room(1), vec![message(room(1), 1, "ours")]);
    assert_eq!(seqs(&mut client, 1), [1]);
}

#[test]
fn a_parted_connection_gets_no_more_of_the_room() {
    let world = World::new();
    let (mut client, connection) = world.member(user(1), &[room(1), room(2)]);
    world.batch(room(1), vec![message(room(1), 1, "one")]);
    world.down(Down::Part { connection, room: room(1) });
    world.batch(room(1), vec![message(room(1), 2, "two")]);
    world.batch(room(2), vec![message(room(2), 50, "other")]);
    assert_eq!(seqs(&mut client, 2), [1, 50]);
    world.down(Down::Join { connection, user: user(1), room: room(1) });
    world.batch(room(1), vec![message(room(1), 3, "three")]);
    assert_eq!(seqs(&mut client, 1), [3]);
}

#[test]
fn several_events_are_one_frame_for_who_knows_that_and_one_by_one_for_all_others() {
    let world = World::new();
    let all = [Format::Json, Format::MessagePack];
    let old = all.map(|format| world.member_in(format, user(1), &[room(1)]).0);
    let new = all.map(|format| world.member_at("/v1/ws?level=2", format, user(2), &[room(1)]).0);
    let reaction = |seq| {
        let body = EventBody::React { target: 1, emoji: "👋".into(), on: true };
        Event { room: room(1), seq, ordinal: 1, at: seq, user: user(9), cmid: Default::default(), body }
    };
    let many = Events { room: room(1), events: vec![reaction(2), reaction(3)] };
    world.batch(room(1), vec![message(room(1), 1, "one"), Encoded::new(ServerEvent::Events(many.clone()))]);
    world.batch(room(1), vec![message(room(1), 4, "four")]);
    for mut client in old {
        assert_eq!(seqs(&mut client, 4), [1, 2, 3, 4]);
    }
    for mut client in new {
        assert_eq!(seqs(&mut client, 1), [1]);
        assert_eq!(client.event(), ServerEvent::Events(many.clone()));
        assert_eq!(seqs(&mut client, 1), [4]);
    }
}

#[test]
fn typing_goes_to_all_but_the_one_who_types() {
    let world = World::new();
    let (mut typist, connection) = world.member(user(1), &[room(1)]);
    let (mut other, _) = world.member(user(2), &[room(1)]);
    let typing = ServerEvent::Typing(Typing { room: room(1), users: vec![user(1)], count: 1 });
    world.down(Down::Ephemeral { room: room(1), event: Encoded::new(typing.clone()), except: Some(connection) });
    world.batch(room(1), vec![message(room(1), 1, "one")]);
    assert_eq!(other.event(), typing);
    assert_eq!(seqs(&mut other, 1), [1]);
    assert_eq!(seqs(&mut typist, 1), [1]);
}

#[test]
fn a_room_bigger_than_a_slice_gets_everything_in_order_though_members_leave_in_between() {
    let limits = Limits {
        slice_members: 4,
        connections_per_address_max: 1000,
        unauthenticated_per_address_max: 1000,
        connections_per_user_max: 1000,
        ..Limits::default()
    };
    let world = World::with(limits);
    let mut members: Vec<_> = (0..30)
        .map(|n| {
            let format = if n % 3 == 0 { Format::MessagePack } else { Format::Json };
            world.member_in(format, user(n), &[room(1)])
        })
        .collect();
    let mut leavers = members.split_off(20);
    for seq in 1..=200 {
        world.batch(room(1), vec![message(room(1), seq, "text")]);
        if seq % 20 == 0
            && let Some((client, connection)) = leavers.pop()
        {
            if seq % 40 == 0 {
                drop(client);
            } else {
                world.down(Down::Close { connection, code: CloseCode::Revoked });
            }
        }
    }
    for (client, _) in &mut members {
        assert_eq!(seqs(client, 200), (1..=200).collect::<Vec<u64>>());
    }
}

#[test]
fn a_place_in_the_slab_is_used_again_and_the_old_one_is_not_heard() {
    let world = World::new();
    let (old, old_connection) = world.member(user(1), &[room(1)]);
    drop(old);
    assert!(matches!(world.up(), hubbub::edge::Up::Closed { .. }));
    let (mut new, new_connection) = world.member(user(2), &[room(2)]);
    assert_eq!(new_connection.index, old_connection.index);
    assert_ne!(new_connection.generation, old_connection.generation);
    world.down(Down::Close { connection: old_connection, code: CloseCode::Revoked });
    world.down(Down::Join { connection: old_connection, user: user(1), room: room(1) });
    world.batch(room(1), vec![message(room(1), 1, "not for you")]);
    world.batch(room(2), vec![message(room(2), 5, "for you")]);
    assert_eq!(seqs(&mut new, 1), [5]);
}

#[test]
fn a_turn_that_panics_costs_the_connections_of_its_lot_and_nothing_more() {
    let world = World::new();
    let (mut bystander, _) = world.member(user(2), &[room(1)]);
    let (mut breaks, _) = world.member(user(1), &[room(1)]);
    breaks.say(&format!(r#"{{"signal":{{"room":"{}","kind":"{PANIC}","data":""}}}}"#, room(1)));
    assert_eq!(breaks.next(), Came::End);
    assert_eq!(bystander.next(), Came::End);
    assert!(matches!(world.up(), hubbub::edge::Up::Closed { user: Some(_), .. }));
    assert!(matches!(world.up(), hubbub::edge::Up::Closed { user: Some(_), .. }));
    let (mut back, _) = world.member(user(1), &[room(1)]);
    world.batch(room(1), vec![message(room(1), 1, "still here")]);
    assert_eq!(seqs(&mut back, 1), [1]);
}

#[test]
fn what_comes_while_a_big_room_is_worked_off_is_not_forgotten() {
    let limits = Limits { slice_members: 1, unauthenticated_per_address_max: 1000, ..Limits::default() };
    let world = World::with(limits);
    let mut members: Vec<Client> = (0..100).map(|n| world.member(user(n), &[room(1)]).0).collect();
    for seq in 1..=20 {
        // The first one has it while the last one has not: the next batch is pushed in the middle of this one.
        world.batch(room(1), vec![message(room(1), seq * 2 - 1, "odd")]);
        assert_eq!(seqs(&mut members[0], 1), [seq * 2 - 1]);
        world.batch(room(1), vec![message(room(1), seq * 2, "even")]);
        for (n, member) in members.iter_mut().enumerate() {
            let wanted = [seq * 2 - 1, seq * 2];
            assert_eq!(seqs(member, if n == 0 { 1 } else { 2 }), wanted[usize::from(n == 0)..]);
        }
    }
}

#[test]
fn what_is_heard_in_one_turn_goes_up_in_one_call() {
    let world = World::new();
    let (mut client, _) = world.member(user(1), &[room(1)]);
    let typing = frame(0x81, br#"{"typing":{"room":"00000000-0000-0000-0000-000000000001","on":true}}"#);
    client.write(&typing.repeat(3));
    (0..3).for_each(|_| drop(world.event()));
    assert_eq!(world.handed.lock().unwrap().last(), Some(&3));
}
