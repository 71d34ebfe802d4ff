//! Sign-on and resume: nothing falls between what was missed and what comes.

use std::sync::Arc;

use actors::outlet::Down;
use schema::client::{Act, Read, Resume};
use schema::{ClientEvent, ServerEvent, limits};

use crate::world::{World, at, order, user};

#[tokio::test]
async fn a_resumed_connection_gets_every_event_once() {
    let world = Arc::new(World::new().await);
    let room = world.group(user(1), &[user(2)]).await;
    let posting = {
        let world = world.clone();
        tokio::spawn(async move {
            for n in 1..=200 {
                world.post(user(1), room, n, &n.to_string()).await.unwrap();
            }
        })
    };
    while world.node.rooms(user(1)).await.unwrap()[0].head < 50 {
        tokio::task::yield_now().await;
    }
    world.attach(user(2), 7, vec![Resume { room, seq: 10 }]).await.unwrap();
    let (ready, missed) = world.greeted(7).await;
    posting.await.unwrap();
    let mut seqs: Vec<u64> = missed.iter().filter_map(|e| if let ServerEvent::Event(e) = e { Some(e.seq) } else { None }).collect();
    assert_eq!(seqs.last().copied(), Some(ready.rooms[0].head));
    seqs.extend(world.shown(room).iter().map(|e| e.seq));
    assert_eq!(seqs, (11..=201).collect::<Vec<_>>());
}

#[tokio::test]
async fn what_is_too_much_to_send_is_an_explicit_gap() {
    let world = World::new().await;
    let room = world.group(user(1), &[]).await;
    for n in 1..=limits::RESUME_ROOM_EVENTS_MAX + 1 {
        world.post(user(1), room, n, "x").await.unwrap();
    }
    world.attach(user(1), 1, vec![Resume { room, seq: 1 }]).await.unwrap();
    let (ready, missed) = world.greeted(1).await;
    let [ServerEvent::Gap(gap)] = &missed[..] else { panic!("{missed:?}") };
    assert_eq!((gap.from, gap.to), (2, ready.rooms[0].head));
}

#[tokio::test]
async fn a_new_room_reaches_connections_that_are_already_here() {
    let world = World::new().await;
    world.attach(user(2), 3, vec![]).await.unwrap();
    let room = world.group(user(1), &[user(2)]).await;
    let told = |down: &Down| match down {
        Down::Send { connection, event } if *connection == at(3) => match event.event() {
            ServerEvent::Room(state) if state.room == room => Some(state.clone()),
            _ => None,
        },
        _ => None,
    };
    assert_eq!(world.told(told).await.head, 1);
    world.post(user(1), room, 1, "welcome").await.unwrap();
    world.act(user(1), order(room, 2), Act::Kick { user: user(2) }).await.unwrap();
    let removed = |down: &Down| if let Down::Batch { removed: Some(who), .. } = down { Some(*who) } else { None };
    assert_eq!(world.told(removed).await, user(2));
}

#[tokio::test]
async fn nobody_has_read_beyond_the_head() {
    let world = World::new().await;
    let room = world.group(user(1), &[user(2)]).await;
    let head = world.post(user(1), room, 1, "unread").await.unwrap().seq;
    world.attach(user(2), 1, vec![]).await.unwrap();
    world.greeted(1).await;
    for (id, seq, ordinal) in [(7, head + 1_000_000, 1_000_000), (8, head, 0)] {
        world.node.say(user(2), at(1), ClientEvent::Read(Read { id, room, seq, ordinal }));
    }
    let answer = |down: &Down| match down {
        Down::Send { event, .. } => match event.event() {
            ServerEvent::Error(refusal) if refusal.id == 7 => Some(refusal.code),
            _ => None,
        },
        _ => None,
    };
    assert_eq!(world.told(answer).await, schema::ErrorCode::BadRequest);
    // Somebody else would learn that the room exists, and by and by where its head is.
    world.attach(user(3), 2, vec![]).await.unwrap();
    world.greeted(2).await;
    world.node.say(user(3), at(2), ClientEvent::Read(Read { id: 9, room, seq: head + 1, ordinal: 0 }));
    let strangers = |down: &Down| match down {
        Down::Send { event, .. } => match event.event() {
            ServerEvent::Error(refusal) if refusal.id == 9 => Some(refusal.code),
            _ => None,
        },
        _ => None,
    };
    assert_eq!(world.told(strangers).await, schema::ErrorCode::NotFound);
    let state = world.node.room(user(2), room).await.unwrap();
    assert_eq!((state.read_seq, state.read_ordinal), (head, state.ordinal), "at the head the ordinal is the room's");
    assert!(world.node.read(user(2), room, head + 1, 1).await.is_err());
}
