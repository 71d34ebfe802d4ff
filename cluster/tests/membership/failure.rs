//! Nodes die, are cut off, come back.

use cluster::membership::Error;
use cluster::{Command, Status};

use crate::world::World;

#[tokio::test(start_paused = true)]
async fn when_the_leader_dies_another_one_leads_and_gives_its_slots_away() {
    let mut world = World::of(3).await;
    world.settle().await;
    let (dead, term) = (world.leader().unwrap(), world.status("n1").term);
    world.kill(&dead).await;
    world
        .until("it is down and owns nothing", |world| {
            world.agreed(|status| {
                let is_down = world.is(status, &dead, Status::Down);
                is_down && status.state.slots.iter().all(|slot| status.state.is(slot.owner, Status::Active))
            })
        })
        .await;
    assert!(world.status(world.nodes.keys().next().unwrap()).term > term);
}

#[tokio::test(start_paused = true)]
async fn a_minority_agrees_on_nothing_and_follows_when_it_is_back() {
    let world = World::of(5).await;
    world.settle().await;
    let others: Vec<_> = world.nodes.keys().filter(|name| Some(*name) != world.leader().as_ref()).cloned().collect();
    let leader = world.leader().unwrap();
    let side = [leader.as_str(), others[0].as_str()];
    world.cut(&side);
    let refused = world.nodes[&leader].propose(Command::Drain { node: world.nodes[&others[1]].node() }).await;
    assert!(matches!(refused, Err(Error::Unavailable)), "{refused:?}");
    world
        .until("the majority goes on without them", |world| side.iter().all(|name| world.is(&world.status(&others[1]), name, Status::Down)))
        .await;
    assert!(!world.is(&world.status(&leader), &others[1], Status::Down), "the old leader can take nobody for down");
    world.heal();
    world
        .until("all are active again", |world| world.agreed(|status| status.state.nodes.values().all(|node| node.status == Status::Active)))
        .await;
    world.settle().await;
    let state = world.status("n1").state;
    assert!(state.nodes.keys().all(|node| (12..=13).contains(&state.owned_by(*node))));
}

#[tokio::test(start_paused = true)]
async fn a_voter_that_dies_is_replaced_by_a_learner() {
    let mut world = World::of(4).await;
    let leader = world.leader().unwrap();
    let dead = *world.status(&leader).voters.iter().find(|id| **id != world.nodes[&leader].node()).unwrap();
    let learner = *world.status(&leader).learners.first().unwrap();
    let name = world.nodes.iter().find(|(_, node)| node.node() == dead).unwrap().0.clone();
    world.kill(&name).await;
    world
        .until("the learner votes", |world| {
            world.agreed(|status| status.voters.contains(&learner) && !status.voters.contains(&dead) && status.voters.len() == 3)
        })
        .await;
}

#[tokio::test(start_paused = true)]
async fn two_leaders_in_a_row_may_die_of_five() {
    let mut world = World::of(5).await;
    for _ in 0..2 {
        let dead = world.leader().unwrap();
        world.kill(&dead).await;
        world.until("it is down", |world| world.agreed(|status| world.is(status, &dead, Status::Down))).await;
    }
    world.until("three vote", |world| world.agreed(|status| status.voters.len() == 3)).await;
    world.settle().await;
}

#[tokio::test(start_paused = true)]
async fn a_restarted_node_is_itself_again_by_a_new_incarnation() {
    let mut world = World::of(3).await;
    world.settle().await;
    let (id, before) = (world.nodes["n2"].node(), world.status("n1").state);
    world.kill("n2").await;
    let back = world.restart("n2").await;
    back.active().await.unwrap();
    assert_eq!(back.node(), id);
    world.until("all know", |world| world.agreed(|status| status.state.is(id, Status::Active))).await;
    assert!(world.status("n1").state.nodes[&id].incarnation > before.nodes[&id].incarnation);
}

#[tokio::test(start_paused = true)]
async fn a_node_whose_disk_was_wiped_joins_as_another() {
    let mut world = World::of(3).await;
    let old = world.nodes["n3"].node();
    world.kill("n3").await;
    world.wipe("n3");
    world.until("it is down", |world| world.agreed(|status| world.is(status, "n3", Status::Down))).await;
    world.settle().await;
    let new = world.join("n3").await;
    assert!(new > old);
    world
        .until("the old one is forgotten and the new one votes", |world| {
            world.agreed(|status| !status.state.nodes.contains_key(&old) && status.voters.contains(&new) && !status.voters.contains(&old))
        })
        .await;
}

#[tokio::test(start_paused = true)]
async fn a_group_that_was_stopped_as_a_whole_goes_on_where_it_was() {
    let mut world = World::of(3).await;
    world.settle().await;
    let before = world.status("n1").state;
    for name in ["n1", "n2", "n3"] {
        world.kill(name).await;
    }
    for name in ["n1", "n2", "n3"] {
        world.restart(name).await;
    }
    for node in world.nodes.values() {
        node.active().await.unwrap();
    }
    world
        .until("all are active", |world| world.agreed(|status| status.state.nodes.values().all(|node| node.status == Status::Active)))
        .await;
    let after = world.status("n1").state;
    assert_eq!(after.nodes.keys().collect::<Vec<_>>(), before.nodes.keys().collect::<Vec<_>>());
    assert!(before.slots.iter().zip(&after.slots).all(|(was, is)| is.grant > was.grant), "each process has new grants");
}

#[tokio::test(start_paused = true)]
async fn one_that_only_others_hear_is_not_taken_for_down_while_the_leader_hears_it() {
    let world = World::of(3).await;
    let leader = world.leader().unwrap();
    let others: Vec<_> = world.nodes.keys().filter(|name| **name != leader).cloned().collect();
    let term = world.status(&leader).term;
    world.cut_between(&others[0], &others[1]);
    world.pass(3_000).await;
    assert!(world.agreed(|status| status.term == term && status.state.nodes.values().all(|node| node.status == Status::Active)));
}
