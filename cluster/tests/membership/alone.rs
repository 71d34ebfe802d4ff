//! One node is a group of one.

use cluster::link::SimNet;
use cluster::membership::Error;
use cluster::{Membership, NodeId, Status};

use crate::world::{self, FOUNDER, World};

/// On a thread of its own, as in a server.
async fn start(folder: &tempfile::TempDir, above: u64) -> Membership {
    let path = folder.path().join("cluster");
    let begin = move || async move { world::start(&SimNet::default(), &path, "n1", FOUNDER, above).await };
    let (node, _door) = Membership::on_thread::<_, _, Error>(begin).await.expect("it founds a group");
    node.active().await.expect("it is active");
    node
}

#[tokio::test]
async fn a_node_alone_owns_everything_above_what_its_store_has_seen() {
    let folder = world::folder();
    let node = start(&folder, 4_711).await;
    let state = node.state();
    assert!(state.is(NodeId(1), Status::Active) && state.slots.len() == 64);
    assert!(state.slots.iter().all(|slot| slot.owner == NodeId(1) && slot.grant > 4_711));
    node.stop().await;
}

#[tokio::test]
async fn every_process_of_a_node_has_higher_grants_than_the_one_before() {
    let folder = world::folder();
    let mut granted = 0;
    for start_number in 1..=4 {
        let node = start(&folder, 0).await;
        let grant = node.state().slots[0].grant;
        assert!(grant > granted, "start {start_number} has {grant}, the one before had {granted}");
        granted = grant;
        node.stop().await;
    }
}

#[tokio::test]
async fn a_store_that_was_restored_from_a_later_time_raises_the_grants() {
    let folder = world::folder();
    start(&folder, 10).await.stop().await;
    let node = start(&folder, 9_000).await;
    assert!(node.state().slots.iter().all(|slot| slot.grant > 9_000));
    node.stop().await;
}

#[tokio::test]
async fn the_ring_follows_the_state() {
    let folder = world::folder();
    let node = start(&folder, 0).await;
    let ring = node.ring();
    assert!(ring.is_ours(schema::SlotId(3)));
    let mut watch = node.watch();
    node.propose(cluster::Command::Raise { slot: schema::SlotId(3), owner: NodeId(1), above: 500 }).await.unwrap();
    watch.wait_for(|state| state.slots[3].grant > 500).await.unwrap();
    while ring.placement(schema::SlotId(3)).grant <= 500 {
        tokio::task::yield_now().await;
    }
    node.stop().await;
}

#[tokio::test(start_paused = true)]
async fn the_log_is_compacted_and_a_restart_goes_on_from_the_snapshot() {
    let mut world = World::of(1).await;
    let node = world.nodes["n1"].clone();
    for above in 0..1_300 {
        node.propose(cluster::Command::Raise { slot: schema::SlotId(0), owner: NodeId(1), above }).await.unwrap();
    }
    let (before, log) = (node.state().slots[0].grant, node.status().log);
    drop(node);
    world.kill("n1").await;
    world.restart("n1").await.active().await.unwrap();
    let status = world.status("n1");
    assert!(status.log > log && status.state.slots[0].grant > before);
}
