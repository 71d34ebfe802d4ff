//! A user has one session, at their home, over all devices on all nodes.

use cluster::NodeId;
use schema::client::{Draft, Presence, Read, Status, Typing, Watch};
use schema::{ClientEvent, ServerEvent};

use crate::world::{World, at, order};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_one_device_reads_the_other_knows_on_another_node() {
    let world = World::new(3).await;
    let user = world.user_of(3);
    let room = world.group(1, 1, user, &[]).await;
    world.node(1).attach(user, 1, Vec::new()).await;
    world.node(2).attach(user, 2, Vec::new()).await;
    world.node(1).post(user, room, 1, "news").await.unwrap();
    world.node(1).shown_upto(room, 2).await;
    world.node(1).node.say(user, at(1), ClientEvent::Read(Read { id: 4, room, seq: 2, ordinal: 1 }));
    let mark = world.node(2).sent(2, |event| if let ServerEvent::Read(read) = event { read.marks.first().cloned() } else { None }).await;
    assert_eq!((mark.user, mark.seq, mark.ordinal), (user, 2, 1));
    world.node(1).sent(1, |event| matches!(event, ServerEvent::Ok(done) if done.id == 4).then_some(())).await;
    world.node(1).node.say(user, at(1), ClientEvent::Draft(Draft { id: 5, room, text: "half a".into() }));
    let draft = world.node(2).sent(2, |event| if let ServerEvent::Draft(draft) = event { Some(draft.text.clone()) } else { None }).await;
    assert_eq!(draft, "half a");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_said_to_a_home_that_is_not_heard_or_is_one_no_more_is_answered() {
    let world = World::new(3).await;
    let user = world.user_of(3);
    let room = world.group(1, 1, user, &[]).await;
    world.node(1).attach(user, 1, Vec::new()).await;
    let unavailable = |id| move |event: &ServerEvent| matches!(event, ServerEvent::Error(refusal) if refusal.id == id).then_some(());
    world.net.break_between(NodeId(1), NodeId(3));
    world.node(1).node.say(user, at(1), ClientEvent::Draft(Draft { id: 4, room, text: "lost".into() }));
    world.node(1).sent(1, unavailable(4)).await;
    let world = World::new(3).await;
    let room = world.group(1, 1, user, &[]).await;
    world.node(1).attach(user, 1, Vec::new()).await;
    // Its slot is the second's by now, and the first has not heard of it.
    world.place_unheard(2, |_, owner| owner == NodeId(3), 1);
    world.node(1).node.say(user, at(1), ClientEvent::Read(Read { id: 5, room, seq: 1, ordinal: 0 }));
    world.node(1).sent(1, unavailable(5)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_room_that_somebody_is_invited_to_comes_to_them_wherever_they_are() {
    let world = World::new(3).await;
    let (ada, bob) = (world.user_of(1), world.user_of(2));
    world.node(3).attach(bob, 1, Vec::new()).await;
    let room = world.group(1, 1, ada, &[]).await;
    world.node(1).act(ada, order(room, 1), schema::client::Act::Invite { user: bob }).await.unwrap();
    let state = world.node(3).sent(1, |event| if let ServerEvent::Room(state) = event { Some(state.clone()) } else { None }).await;
    assert_eq!((state.room, state.head), (room, 2));
    world.node(1).post(ada, room, 2, "welcome").await.unwrap();
    world.node(3).shown_upto(room, 3).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn somebody_is_seen_coming_and_going_over_nodes_by_those_who_share_a_room_with_them() {
    let world = World::new(3).await;
    let (ada, bob, eve) = (world.user_of(1), world.user_of(2), crate::world::user(250));
    world.group(1, 3, ada, &[bob]).await;
    world.node(3).attach(ada, 1, Vec::new()).await;
    world.node(3).attach(eve, 2, Vec::new()).await;
    for (watcher, connection) in [(ada, 1), (eve, 2)] {
        world.node(3).node.say(watcher, at(connection), ClientEvent::Watch(Watch { id: 9, users: vec![bob] }));
    }
    world.node(1).attach(bob, 1, Vec::new()).await;
    let seen = |status: Status| {
        move |event: &ServerEvent| match event {
            ServerEvent::Presence(told) => told.users.iter().any(|user| user.user == bob && user.status == status).then_some(()),
            _ => None,
        }
    };
    world.node(3).sent(1, seen(Status::Online)).await;
    world.node(1).node.say(bob, at(1), ClientEvent::Presence(Presence { id: 3, status: Status::Busy }));
    world.node(3).sent(1, seen(Status::Busy)).await;
    let statuses = |user| world.node(2).node.presence_of(user, std::slice::from_ref(&bob));
    assert_eq!(statuses(ada).await.unwrap()[0].status, Status::Busy);
    assert_eq!(statuses(eve).await.unwrap()[0].status, Status::Offline, "who shares no room sees nobody");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_types_and_how_many_are_here_is_told_on_every_node() {
    let world = World::new(3).await;
    let people: Vec<_> = (1..=3).map(|n| world.user_of(n)).collect();
    let room = world.group(1, 1, people[0], &people).await;
    for (n, user) in (1..=3).zip(&people) {
        world.node(n).attach(*user, 1, Vec::new()).await;
    }
    for n in 1..=3 {
        let all = |event: &ServerEvent| matches!(event, ServerEvent::Online(online) if online.count == 3).then_some(());
        world.node(n).heard(room, all).await;
    }
    world.node(2).node.say(people[1], at(1), ClientEvent::Typing(Typing { room, on: true }));
    for n in 1..=3 {
        let typing = |event: &ServerEvent| matches!(event, ServerEvent::Typing(typing) if typing.users == [people[1]]).then_some(());
        world.node(n).heard(room, typing).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_login_that_is_revoked_is_out_on_every_node() {
    let world = World::new(3).await;
    let user = world.user_of(2);
    let (tell, told) = tokio::sync::oneshot::channel();
    let tell = parking_lot::Mutex::new(Some(tell));
    world.node(3).node.on_revoked(move |login| {
        tell.lock().take().map(|tell| tell.send(login));
    });
    world.node(3).attach(user, 1, Vec::new()).await;
    world.node(1).node.close_login(user, schema::LoginId::default());
    assert_eq!(told.await.unwrap(), schema::LoginId::default(), "its tokens are refused there");
    world.node(3).told(|down| matches!(down, actors::outlet::Down::Close { connection, .. } if *connection == at(1)).then_some(())).await;
}
