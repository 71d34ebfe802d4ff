//! An owner that was stopped, lost its rooms meanwhile and goes on as if nothing had been; and a node that pretends to know a table
//! that there is not.

use cluster::NodeId;

use crate::world::{World, order, post};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_owner_that_slept_while_its_rooms_moved_acknowledges_nothing_and_what_it_was_asked_lands_once() {
    let world = World::new(3).await;
    let (ada, bob) = (world.user_of(1), world.user_of(2));
    let room = world.group(1, 1, ada, &[bob]).await;
    world.place_unheard(2, |_, owner| owner == NodeId(1), 1);
    // The next owner has fenced the slot by the time it answers.
    assert_eq!(world.node(2).post(bob, room, 1, "at the next owner").await.unwrap().seq, 2);
    let mut asked = world.node(1).ask(ada, order(room, 1), post("at the one before"));
    assert_eq!(world.node(3).post(bob, room, 2, "at a third").await.unwrap().seq, 3);
    assert!(asked.try_recv().is_err(), "it has nothing to acknowledge");
    world.node(1).place(&world.table.lock().clone());
    assert_eq!(asked.await.unwrap().expect("it lands where the room is now").seq, 4);
    let seqs: Vec<_> = world.node(2).events(bob, room).await.unwrap().iter().map(|event| event.seq).collect();
    assert_eq!(seqs, [1, 2, 3, 4]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_pretends_to_know_a_table_of_the_future_changes_nothing_for_the_others() {
    let world = World::new(3).await;
    let (ada, bob) = (world.user_of(1), world.user_of(2));
    let room = world.group(1, 1, ada, &[bob]).await;
    world.node(2).pretend_table(u64::MAX);
    let mut head = 1;
    for (n, user) in [(3, bob), (2, bob), (1, ada)] {
        head = world.node(n).post(user, room, head, "still here").await.unwrap().seq;
    }
    // And the next table, which is older than that one, is taken by all.
    world.place(3, |_, _| true);
    for (n, user) in [(1, ada), (2, bob), (3, ada)] {
        head = world.node(n).post(user, room, head, "after a move").await.unwrap().seq;
    }
    assert_eq!(head, 7);
}
