//! A node that hears nothing of its group: what it says of that, whether it was removed meanwhile, and how those find each other again
//! whose addresses changed.

use std::time::Duration;

use cluster::link::SimNet;
use cluster::member::{Error, Token};
use cluster::{NodeId, Status};

use crate::member::{Node, config, start_at, start_at_with, until};
use crate::world::folder;

/// Three, of which all are active, and everybody knows it.
async fn three(net: &SimNet, folders: &[tempfile::TempDir; 3]) -> Vec<Node> {
    let mut nodes: Vec<Node> = Vec::new();
    for (name, folder) in ["n1", "n2", "n3"].into_iter().zip(folders) {
        let token = match nodes.first() {
            Some(first) => Some(first.member.token().await.unwrap()),
            None => None,
        };
        nodes.push(start_at(net, name, folder, token).await);
    }
    let ids = ids(&nodes);
    for node in &nodes {
        until(node, |state| ids.iter().all(|id| state.is(*id, Status::Active))).await;
        let mut status = tokio::time::interval(Duration::from_millis(10));
        while node.member.membership().status().voters.len() != 3 {
            status.tick().await;
        }
    }
    nodes
}

fn ids(nodes: &[Node]) -> Vec<NodeId> {
    nodes.iter().map(|node| node.member.membership().node()).collect()
}

/// The third's slots are the others', and it is forgotten.
async fn remove_third(nodes: &[Node], third: NodeId) {
    let first = nodes[0].member.membership();
    until(&nodes[0], |state| state.is(third, Status::Down) && state.owned_by(third) == 0).await;
    first.remove(third).await.unwrap();
    // Nobody sends it the log any more, by which it could learn of it.
    let mut looks = tokio::time::interval(Duration::from_millis(10));
    while [first.status().voters, first.status().learners].iter().any(|members| members.contains(&third)) {
        looks.tick().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_was_removed_while_it_was_cut_off_learns_it_when_it_is_back() {
    let (net, folders) = (SimNet::default(), [folder(), folder(), folder()]);
    let nodes = three(&net, &folders).await;
    let ids = ids(&nodes);
    for other in &ids[..2] {
        net.cut(ids[2], *other);
        net.cut(*other, ids[2]);
    }
    remove_third(&nodes, ids[2]).await;
    for other in &ids[..2] {
        net.heal(ids[2], *other);
        net.heal(*other, ids[2]);
    }
    let said = nodes[2].member.removed().await.to_string();
    assert!(said.contains("was removed from its group") && said.contains("new token"), "{said}");
    assert!(nodes[2].member.is_removed() && !nodes[0].member.is_removed() && !nodes[1].member.is_removed());
    nodes[2].member.stop().await;
    // Again on the same folder, with nobody there to ask.
    for node in &nodes[..2] {
        node.member.stop().await;
    }
    let refused = start_at_with(&net, "n3", config(folders[2].path(), None)).await.err();
    assert!(matches!(refused, Some(Error::Removed(_))), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_was_removed_while_it_was_stopped_is_told_so_at_its_start() {
    let (net, folders) = (SimNet::default(), [folder(), folder(), folder()]);
    let nodes = three(&net, &folders).await;
    let ids = ids(&nodes);
    nodes[2].member.stop().await;
    remove_third(&nodes, ids[2]).await;
    let refused = start_at_with(&net, "n3", config(folders[2].path(), None)).await.err();
    assert!(matches!(refused, Some(Error::Removed(_))), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_is_left_without_a_quorum_says_so_and_takes_it_back_when_there_is_one() {
    let (net, folders) = (SimNet::default(), [folder(), folder(), folder()]);
    let nodes = three(&net, &folders).await;
    let leader = nodes[0].member.membership().status().leader.unwrap();
    // The leader is left: it has nobody to hear it from.
    let (left, gone): (Vec<_>, Vec<_>) = nodes.iter().partition(|node| node.member.membership().node() == leader);
    let left = left[0].member.membership();
    assert!(left.no_quorum_since().is_none());
    for node in &gone {
        node.member.stop().await;
    }
    left.watch_quorum().wait_for(Option::is_some).await.unwrap();
    let status = left.status();
    assert!(status.no_quorum_since.is_some() && status.leader.is_none(), "{status:?}");
    let mut logs = Vec::new();
    for _ in 0..2 {
        let refused = left.drain(left.node()).await;
        assert!(matches!(refused, Err(cluster::membership::Error::Unavailable)), "{refused:?}");
        logs.push(left.status().log);
    }
    assert_eq!(logs[0], logs[1], "what cannot be agreed on is not kept");
    let again = gone[0].member.membership().node();
    let at = ids(&nodes).iter().position(|id| *id == again).unwrap();
    let back = start_at(&net, ["n1", "n2", "n3"][at], &folders[at], None).await;
    for membership in [left, back.member.membership()] {
        membership.watch_quorum().wait_for(Option::is_none).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_that_all_have_new_addresses_find_each_other_by_a_name() {
    let (net, folders) = (SimNet::default(), [folder(), folder(), folder()]);
    let nodes = three(&net, &folders).await;
    let before = ids(&nodes);
    for node in &nodes {
        node.member.stop().await;
    }
    for old in ["n1", "n2", "n3"] {
        drop(net.open(old));
    }
    net.name("hubbub.internal:7000", &["m1", "m2", "m3"]);
    let start = |n: usize| {
        let seeds = vec!["hubbub.internal:7000".to_owned()];
        let config = cluster::member::Config { seeds, ..config(folders[n].path(), None) };
        start_at_with(&net, ["m1", "m2", "m3"][n], config)
    };
    let (first, second, third) = tokio::join!(start(0), start(1), start(2));
    let nodes = [first.unwrap(), second.unwrap(), third.unwrap()];
    assert_eq!(ids(&nodes), before);
    until(&nodes[0], |state| state.nodes.values().all(|node| node.spec.address.starts_with('m') && node.status == Status::Active)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_node_is_let_in_where_it_is_told_to_knock_and_nowhere_else() {
    let (net, folders) = (SimNet::default(), [folder(), folder(), folder()]);
    let first = start_at(&net, "n1", &folders[0], None).await;
    let join = |token: Token, seeds: &[&str]| cluster::member::Config {
        seeds: seeds.iter().map(|seed| (*seed).to_owned()).collect(),
        ..config(folders[1].path(), Some(token))
    };
    let refused = start_at_with(&net, "n2", join(first.member.token().await.unwrap(), &["nobody:1"])).await.err().unwrap().to_string();
    assert!(refused.contains("nobody:1"), "{refused}");
    // Its own address among them is passed over, and so is one where nobody is.
    net.name("all:7000", &["n2", "n9", "n1"]);
    let elsewhere = Token { address: "n9".into(), ..first.member.token().await.unwrap() };
    let second = start_at_with(&net, "n2", join(elsewhere, &["all:7000"])).await.unwrap();
    until(&second, |state| state.nodes.len() == 2).await;
}
