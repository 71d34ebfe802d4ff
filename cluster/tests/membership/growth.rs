//! Nodes join, drain, are removed.

use cluster::Status;

use crate::world::World;

#[tokio::test(start_paused = true)]
async fn nodes_that_join_get_slots_and_votes() {
    let world = World::of(5).await;
    world.settle().await;
    let state = world.status("n1").state;
    assert_eq!(state.nodes.len(), 5);
    assert!(state.nodes.keys().all(|node| (12..=13).contains(&state.owned_by(*node))));
}

#[tokio::test(start_paused = true)]
async fn the_sixth_and_seventh_learn_and_do_not_vote() {
    let world = World::of(7).await;
    world.until("all know", |world| world.agreed(|status| status.learners.len() == 2 && status.voters.len() == 5)).await;
    let state = world.status("n7").state;
    assert_eq!(state, world.status("n1").state, "a learner knows the state as well as a voter");
}

#[tokio::test(start_paused = true)]
async fn two_that_join_at_once_are_two_nodes() {
    let mut world = World::of(1).await;
    // Both ask before either is in the group.
    let (second, third) = {
        let (second, third) = (world.let_in("n2").await, world.let_in("n3").await);
        let second = world.start("n2", second).await.unwrap();
        let third = world.start("n3", third).await.unwrap();
        (second, third)
    };
    let (one, other) = tokio::join!(second.active(), third.active());
    assert!(one.is_ok() && other.is_ok());
    assert_ne!(second.node(), third.node());
    world.until("three vote", |world| world.agreed(|status| status.voters.len() == 3)).await;
}

#[tokio::test(start_paused = true)]
async fn a_late_joiner_gets_a_snapshot_where_the_log_is_gone() {
    let mut world = World::of(1).await;
    let first = world.nodes["n1"].clone();
    for above in 0..1_500 {
        let slot = schema::SlotId(1);
        first.propose(cluster::Command::Raise { slot, owner: first.node(), above }).await.unwrap();
    }
    world.join("n2").await;
    world.until("both know the same", |world| world.agreed(|_| true)).await;
    assert!(world.status("n2").state.slots[1].grant > 1_500);
}

#[tokio::test(start_paused = true)]
async fn a_node_that_drains_loses_its_slots_and_its_vote_and_can_be_removed() {
    let world = World::of(4).await;
    world.settle().await;
    let voter = *world.status("n1").voters.iter().find(|id| Some(**id) != world.status("n1").leader).unwrap();
    let leader = world.nodes[&world.leader().unwrap()].clone();
    leader.drain(voter).await.unwrap();
    world.settle().await;
    world.until("another one votes", |world| world.agreed(|status| status.voters.len() == 3 && !status.voters.contains(&voter))).await;
    assert_eq!(leader.state().owned_by(voter), 0);
    leader.remove(voter).await.unwrap();
    world
        .until("it is out of the group", |world| {
            let status = world.status(&world.leader().unwrap_or("n1".into()));
            !status.state.nodes.contains_key(&voter) && !status.learners.contains(&voter)
        })
        .await;
}

#[tokio::test(start_paused = true)]
async fn a_removed_node_is_told_so_when_it_comes_back() {
    let mut world = World::of(4).await;
    let gone = world.nodes["n4"].node();
    world.kill("n4").await;
    world.until("it is down", |world| world.agreed(|status| world.is(status, "n4", Status::Down))).await;
    world.settle().await;
    world.nodes["n1"].remove(gone).await.unwrap();
    let back = world.restart("n4").await;
    // It has its id still, and nobody sends it the log: it asks.
    let refused = back.active().await.unwrap_err().to_string();
    assert!(refused.contains("was removed"), "{refused}");
}
