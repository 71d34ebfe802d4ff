//! Where many listen to a room its reactions wait for the next turn and are one frame; everywhere else nothing waits.

use actors::outlet::Down;
use schema::client::Act;
use schema::{RoomId, ServerEvent};
use tokio::time::Instant;

use crate::world::{World, order, post, user};

fn react(target: u64) -> Act {
    Act::React { target, emoji: "👋".into(), on: true }
}

/// A room whose first so many members are connected, after one message.
async fn room_of(world: &World, members: u8) -> RoomId {
    let all: Vec<_> = (2..=members).map(user).collect();
    let room = world.group(user(1), &all).await;
    for n in 1..=members {
        world.attach(user(n), u32::from(n), Vec::new()).await.unwrap();
        world.greeted(u32::from(n)).await;
    }
    assert_eq!(world.act(user(1), order(room, 1), post("hi")).await.unwrap().seq, 2);
    shown(world, room, 2).await;
    room
}

/// Waits until the room was shown up to this seq.
async fn shown(world: &World, room: RoomId, seq: u64) {
    let shows = |down: &Down| matches!(down, Down::Batch { room: of, events, .. } if *of == room && events.iter().flat_map(|it| it.events()).any(|it| it.seq >= seq));
    world.told(|down| shows(down).then_some(())).await;
}

/// What the lot was told of a room after its first message, in order: frames by their seqs, and who joined.
fn told(world: &World, room: RoomId) -> Vec<String> {
    let words = world.all(|down| match down {
        Down::Batch { room: of, events, .. } if *of == room => {
            let frame = |event: &actors::outlet::Encoded| {
                let seqs: Vec<u64> = event.events().iter().map(|event| event.seq).collect();
                let name = if matches!(event.event(), ServerEvent::Events(_)) { "events" } else { "event" };
                format!("{name} {}..={}", seqs[0], seqs[seqs.len() - 1])
            };
            Some(events.iter().map(frame).collect())
        }
        Down::Join { connection, room: of, .. } if *of == room => Some(vec![format!("join {}", connection.index)]),
        Down::Part { connection, room: of } if *of == room => Some(vec![format!("part {}", connection.index)]),
        _ => None,
    });
    words.into_iter().flatten().skip_while(|word: &String| word != "event 2..=2").skip(1).collect()
}

#[tokio::test(start_paused = true)]
async fn reactions_that_many_listen_to_are_one_frame_a_turn_and_are_answered_before() {
    let world = World::new().await;
    let room = room_of(&world, 120).await;
    for n in 1..=50 {
        let landed = world.act(user(n), order(room, 2), react(2)).await.unwrap();
        assert_eq!(landed.seq, u64::from(n) + 2);
    }
    assert_eq!(told(&world, room), [""; 0], "they have their answers, and no turn has passed");
    shown(&world, room, 52).await;
    assert_eq!(told(&world, room), ["events 3..=52"]);
    let shown: Vec<_> = world.shown(room).into_iter().filter(|event| event.seq > 2).collect();
    let stored: Vec<_> = world.events(user(1), room).await.into_iter().filter(|event| event.seq > 2).collect();
    assert_eq!(shown, stored, "who reacted, when and by which request: nothing is left out");
}

#[tokio::test(start_paused = true)]
async fn a_message_does_not_wait_and_comes_behind_the_reactions_before_it() {
    let world = World::new().await;
    let room = room_of(&world, 120).await;
    for n in 1..=3 {
        world.act(user(n), order(room, 2), react(2)).await.unwrap();
    }
    let begun = Instant::now();
    world.post(user(4), room, 5, "hello").await.unwrap();
    shown(&world, room, 6).await;
    assert_eq!(begun.elapsed(), std::time::Duration::ZERO, "the clock stands while anything can be done");
    assert_eq!(told(&world, room), ["events 3..=5", "event 6..=6"]);
}

#[tokio::test(start_paused = true)]
async fn whoever_comes_or_goes_meets_nothing_that_waits() {
    let world = World::new().await;
    let room = room_of(&world, 120).await;
    world.act(user(1), order(room, 2), react(2)).await.unwrap();
    world.act(user(2), order(room, 2), react(2)).await.unwrap();
    world.attach(user(1), 200, vec![schema::client::Resume { room, seq: 3 }]).await.unwrap();
    let (ready, missed) = world.greeted(200).await;
    assert_eq!(ready.rooms[0].head, 4);
    assert!(matches!(&missed[..], [ServerEvent::Event(event)] if event.seq == 4), "what came before is resumed: {missed:?}");
    world.act(user(3), order(room, 2), react(2)).await.unwrap();
    world.act(user(5), order(room, 2), Act::Leave).await.unwrap();
    world.told(|down| matches!(down, Down::Part { room: of, .. } if *of == room).then_some(())).await;
    assert_eq!(told(&world, room), ["events 3..=4", "join 200", "event 5..=5", "event 6..=6", "part 5"]);
}

#[tokio::test(start_paused = true)]
async fn where_few_listen_a_reaction_does_not_wait() {
    let world = World::new().await;
    let room = room_of(&world, 20).await;
    let begun = Instant::now();
    world.act(user(1), order(room, 2), react(2)).await.unwrap();
    shown(&world, room, 3).await;
    assert_eq!((begun.elapsed(), told(&world, room)), (std::time::Duration::ZERO, vec!["event 3..=3".to_owned()]));
}
