//! Whose presence somebody may know (attack 16): of those who share a room with them, and of nobody else.

use actors::outlet::Down;
use schema::client::{Act, ClientEvent, Presence, Status, Watch};
use schema::server::UserStatus;
use schema::{ServerEvent, UserId};

use crate::world::{World, at, order, user};

/// The word on somebody's presence that a connection gets after `skip` of them.
async fn told(world: &World, connection: u32, skip: usize) -> Vec<UserStatus> {
    world.nth(skip, |down| presence(connection, down)).await
}

fn presence(connection: u32, down: &Down) -> Option<Vec<UserStatus>> {
    match down {
        Down::Send { connection: c, event } if *c == at(connection) => match event.event() {
            ServerEvent::Presence(presence) => Some(presence.users.clone()),
            _ => None,
        },
        _ => None,
    }
}

fn watch(world: &World, connection: u32, who: UserId, users: &[UserId]) {
    world.node.say(who, at(connection), ClientEvent::Watch(Watch { id: 5, users: users.to_vec() }));
}

fn status(user: UserId, status: Status) -> UserStatus {
    UserStatus { user, status, last_seen: None }
}

async fn here(world: &World, people: &[u8]) {
    for n in people {
        world.attach(user(*n), u32::from(*n), vec![]).await.unwrap();
        world.greeted(u32::from(*n)).await;
    }
}

#[tokio::test]
async fn a_stranger_who_is_here_looks_like_somebody_who_does_not_exist() {
    let world = World::new().await;
    let nobody = UserId::from_bytes([0xee; 16]);
    world.group(user(1), &[user(2)]).await;
    here(&world, &[1, 2, 3]).await;
    watch(&world, 3, user(3), &[user(1), nobody]);
    let mut seen = told(&world, 3, 0).await;
    seen.sort_by_key(|seen| seen.user);
    assert_eq!(seen, [status(user(1), Status::Offline), status(nobody, Status::Offline)]);
    let asked = world.node.presence_of(user(3), &[user(1), nobody, user(3)]).await.unwrap();
    assert_eq!(asked.iter().map(|seen| seen.status).collect::<Vec<_>>(), [Status::Offline, Status::Offline, Status::Online]);
    assert_eq!(world.node.presence_of(user(2), &[user(1)]).await.unwrap()[0].status, Status::Online, "they share a room");
    // Nobody of user 4 is here: what they may know follows from their rooms alone.
    let room = world.group(user(4), &[user(1)]).await;
    assert_eq!(world.node.presence_of(user(4), &[user(1)]).await.unwrap()[0].status, Status::Online);
    world.act(user(1), order(room, 1), Act::Leave).await.unwrap();
    assert_eq!(world.node.presence_of(user(4), &[user(1)]).await.unwrap()[0].status, Status::Offline);
}

#[tokio::test]
async fn presence_is_told_from_the_first_shared_room_on_until_the_last_is_left() {
    let world = World::new().await;
    here(&world, &[1, 2]).await;
    watch(&world, 2, user(2), &[user(1)]);
    assert_eq!(told(&world, 2, 0).await, [status(user(1), Status::Offline)]);
    let change = |to| world.node.say(user(1), at(1), ClientEvent::Presence(schema::client::Presence { id: 9, status: to }));
    change(Status::Busy);
    let room = world.group(user(1), &[user(2)]).await;
    assert_eq!(told(&world, 2, 1).await, [status(user(1), Status::Busy)], "the change before was not theirs to know");
    change(Status::Away);
    let heard = told(&world, 2, 2).await;
    assert_eq!((heard[0].user, heard[0].status), (user(1), Status::Away));
    world.act(user(1), order(room, 1), Act::Kick { user: user(2) }).await.unwrap();
    assert_eq!(told(&world, 2, 3).await, [status(user(1), Status::Offline)]);
    watch(&world, 1, user(1), &[user(1)]);
    told(&world, 1, 0).await;
    change(Status::Online);
    told(&world, 1, 1).await;
    assert_eq!(world.all(|down| presence(2, down)).len(), 4, "who watched first was asked first");
}

#[tokio::test]
async fn who_chose_not_to_be_seen_is_not_seen_after_a_restart_either() {
    let world = World::new().await;
    world.group(user(1), &[user(2)]).await;
    here(&world, &[1]).await;
    world.node.say(user(1), at(1), ClientEvent::Presence(Presence { id: 6, status: Status::Invisible }));
    let ok = |down: &Down| match down {
        Down::Send { event, .. } => matches!(event.event(), ServerEvent::Ok(done) if done.id == 6).then_some(()),
        _ => None,
    };
    world.told(ok).await;
    world.store.with(|core| core.restart());
    let next = World::on(world.store.clone()).await;
    here(&next, &[1]).await;
    assert_eq!(next.node.presence_of(user(2), &[user(1)]).await.unwrap()[0].status, Status::Offline);
    next.node.say(user(1), at(1), ClientEvent::Presence(Presence { id: 6, status: Status::Online }));
    next.told(ok).await;
    let last = World::on(world.store.clone()).await;
    here(&last, &[1]).await;
    assert_eq!(last.node.presence_of(user(2), &[user(1)]).await.unwrap()[0].status, Status::Online);
}
