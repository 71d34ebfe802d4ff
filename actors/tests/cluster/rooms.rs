//! A room is wherever it is; who is in it notices nothing of that.

use actors::{Command, Reply};
use schema::{ErrorCode, ServerEvent};

use crate::world::{World, at, order, post};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn people_on_three_nodes_talk_in_a_room_of_one_of_them() {
    let world = World::new(3).await;
    let people: Vec<_> = (1..=3).map(|n| world.user_of(n)).collect();
    let room = world.group(2, 1, people[0], &people).await;
    for (n, user) in (1..=3).zip(&people) {
        let ready = world.node(n).attach(*user, 1, Vec::new()).await;
        assert_eq!(ready.rooms.iter().map(|state| (state.room, state.head)).collect::<Vec<_>>(), [(room, 1)], "node {n}");
    }
    for (n, user) in (1..=3).zip(&people) {
        let landed = world.node(n).post(*user, room, n, &format!("from node {n}")).await.unwrap();
        assert_eq!((landed.seq, landed.ordinal), (n + 1, n));
    }
    for n in 1..=3 {
        let shown = world.node(n).shown_upto(room, 4).await;
        assert_eq!(shown.len(), 3, "node {n}");
        assert_eq!(world.node(n).events(people[0], room).await.unwrap().len(), 4, "node {n} reads what the owner has not carried yet");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_posts_at_another_node_is_answered_there_before_they_are_shown_it() {
    let world = World::new(2).await;
    let user = world.user_of(2);
    let room = world.group(1, 1, user, &[]).await;
    world.node(2).attach(user, 7, Vec::new()).await;
    let reply = Reply::Connection { connection: at(7), id: 5 };
    world.node(2).node.command(Command { user, order: order(room, 1), act: post("hello"), reply });
    let seq = world.node(2).sent(7, |event| if let ServerEvent::Ok(done) = event { done.seq.filter(|_| done.id == 5) } else { None }).await;
    assert_eq!(seq, 2);
    world.node(2).shown_upto(room, 2).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stranger_is_refused_and_reads_nothing_wherever_they_ask() {
    let world = World::new(2).await;
    let (ada, eve) = (world.user_of(1), crate::world::user(200));
    let room = world.group(1, 1, ada, &[]).await;
    for n in [1, 2] {
        assert_eq!(world.node(n).post(eve, room, 1, "let me in").await, Err(ErrorCode::NotFound));
        assert_eq!(world.node(n).events(eve, room).await, Err(ErrorCode::NotFound));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_that_is_said_twice_over_two_nodes_is_done_once() {
    let world = World::new(2).await;
    let user = world.user_of(1);
    let room = world.group(1, 1, user, &[]).await;
    let order = order(room, 1);
    let first = world.node(2).act(user, order, post("once")).await.unwrap();
    assert_eq!(world.node(1).act(user, order, post("once")).await.unwrap(), first);
    assert_eq!(world.node(2).events(user, room).await.unwrap().len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_said_while_two_nodes_could_not_hear_each_other_is_shown_when_they_do() {
    let world = World::new(2).await;
    let (ada, bob) = (world.user_of(1), world.user_of(2));
    let room = world.group(1, 1, ada, &[bob]).await;
    world.node(2).attach(bob, 1, Vec::new()).await;
    world.node(1).post(ada, room, 1, "before").await.unwrap();
    world.node(2).shown_upto(room, 2).await;
    world.net.break_between(world.node(1).id, world.node(2).id);
    for n in 0..20 {
        world.node(1).post(ada, room, 2 + n, "meanwhile").await.unwrap();
    }
    assert_eq!(world.node(2).shown_upto(room, 22).await.len(), 21);
}
