//! Rooms and sessions go to other nodes, on purpose or because theirs is gone, and nobody is told of an error.

use schema::client::Read;
use schema::{ClientEvent, ServerEvent};

use crate::world::{World, at, order, post};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_room_that_moves_goes_on_where_it_was_for_everybody() {
    let world = World::new(3).await;
    let (ada, bob) = (world.user_of(1), world.user_of(2));
    let room = world.group(1, 1, ada, &[bob]).await;
    world.node(1).attach(ada, 1, Vec::new()).await;
    world.node(2).attach(bob, 1, Vec::new()).await;
    let mut head = 1;
    for round in 0..6 {
        for (n, user) in [(1, ada), (2, bob), (3, bob)] {
            head = world.node(n).post(user, room, head, &format!("{round} at {n}")).await.unwrap().seq;
        }
        let owner = round % 3 + 1;
        world.place(owner, |_, _| true);
    }
    assert_eq!(head, 19);
    for n in [1, 2] {
        assert_eq!(world.node(n).shown_upto(room, head).await.len() as u64, head - 1, "node {n}");
    }
    assert_eq!(world.node(3).events(ada, room).await.unwrap().len() as u64, head);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_that_are_under_way_while_a_room_moves_are_answered_once_each() {
    let world = World::new(3).await;
    let ada = world.user_of(2);
    let room = world.group(1, 1, ada, &[]).await;
    world.node(2).attach(ada, 1, Vec::new()).await;
    let mut asked = Vec::new();
    for n in 0..300 {
        asked.push(world.node(2).ask(ada, order(room, 1), post(&n.to_string())));
        if n % 50 == 25 {
            world.place(if n % 100 == 25 { 3 } else { 1 }, |_, _| true);
        }
        tokio::task::yield_now().await;
    }
    let mut seqs = Vec::new();
    for answered in asked {
        seqs.push(answered.await.expect("answered").expect("no error is seen by anybody").seq);
    }
    seqs.sort_unstable();
    assert!(seqs.iter().copied().eq(2..=301), "each once: {seqs:?}");
    world.node(2).shown_upto(room, 301).await;
}

/// An activation that reads what it has to show must not wait for the one that comes after it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_room_that_goes_to_and_fro_faster_than_it_can_be_read_is_there_in_the_end() {
    let world = World::new(2).await;
    let ada = world.user_of(1);
    let room = world.group(1, 1, ada, &[]).await;
    for n in [1, 2] {
        world.node(n).attach(ada, 1, Vec::new()).await;
    }
    let mut head = 1;
    for round in 0..20 {
        for n in 0..60 {
            world.place(n % 2 + 1, |_, _| true);
            for _ in 0..n % 7 {
                tokio::task::yield_now().await;
            }
        }
        head = world.node(round % 2 + 1).post(ada, room, head, &round.to_string()).await.expect("no error is seen by anybody").seq;
    }
    assert_eq!(world.node(2).events(ada, room).await.unwrap().len() as u64, head);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_is_gone_leaves_nothing_behind_that_was_acknowledged() {
    let mut world = World::new(3).await;
    let (ada, bob) = (world.user_of(1), world.user_of(2));
    let room = world.group(3, 3, ada, &[bob]).await;
    world.node(1).attach(ada, 1, Vec::new()).await;
    world.node(2).attach(bob, 1, Vec::new()).await;
    let mut head = 1;
    for n in 0..10 {
        head = world.node(1).post(ada, room, head, &n.to_string()).await.unwrap().seq;
    }
    world.kill(3, 2);
    let after = world.node(1).post(ada, room, head, "and on").await.unwrap();
    assert_eq!(after.seq, head + 1);
    for n in [1, 2] {
        assert_eq!(world.node(n).shown_upto(room, after.seq).await.len() as u64, after.seq - 1);
        assert_eq!(world.node(n).events(bob, room).await.unwrap().len() as u64, after.seq);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_its_last_owner_had_carried_already_is_shown_where_the_room_comes_to() {
    let mut world = World::new(2).await;
    let (ada, bob) = (world.user_of(1), world.user_of(2));
    let room = world.group(1, 1, ada, &[bob]).await;
    world.node(2).attach(bob, 1, Vec::new()).await;
    world.node(1).post(ada, room, 1, "heard").await.unwrap();
    world.node(2).shown_upto(room, 2).await;
    let (one, two) = (world.node(1).id, world.node(2).id);
    world.net.cut(one, two);
    world.node(1).post(ada, room, 2, "not heard").await.unwrap();
    world.node(1).node.flush().await.unwrap();
    world.kill(1, 2);
    assert_eq!(world.node(2).shown_upto(room, 3).await.len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_goes_on_at_another_home_with_the_connections_that_it_had() {
    let world = World::new(3).await;
    let user = world.user_of(3);
    let room = world.group(1, 1, user, &[]).await;
    world.node(1).attach(user, 1, Vec::new()).await;
    world.node(2).attach(user, 2, Vec::new()).await;
    world.node(1).post(user, room, 1, "one").await.unwrap();
    world.node(1).shown_upto(room, 2).await;
    world.place(2, |_, owner| owner == world.node(3).id);
    let invited = world.group(1, 1, user, &[]).await;
    for (n, connection) in [(1, 1), (2, 2)] {
        let entered = |event: &ServerEvent| matches!(event, ServerEvent::Room(state) if state.room == invited).then_some(());
        world.node(n).sent(connection, entered).await;
    }
    world.node(1).node.say(user, at(1), ClientEvent::Read(Read { id: 4, room, seq: 2, ordinal: 1 }));
    let marked = |event: &ServerEvent| matches!(event, ServerEvent::Read(read) if read.marks[0].seq == 2).then_some(());
    world.node(2).sent(2, marked).await;
}
